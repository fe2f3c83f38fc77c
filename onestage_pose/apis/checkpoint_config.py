# Copyright (c) onestage_pose contributors.
"""The config for a checkpoint that came without one."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from ..checkpoints.trusted_config import read_trusted_config
from ..utils.errors import UsageError
from ..utils.paths import get_config_path
from ..zoo import find_published


def find_checkpoint_config(
    checkpoint: str, trust_checkpoint_config: bool = False
) -> Config:
    """Find the config of a checkpoint.

    A published model is recognised by the SHA-256 of its file, and its config comes
    with the package. For any other checkpoint, the user gives the config, so that a
    file of weights never decides what is built.

    Args:
        checkpoint (str): Path or address of the checkpoint.
        trust_checkpoint_config (bool): Use the config inside the checkpoint, within the
            limits of :func:`.read_trusted_config`. Only for checkpoints from people
            whom you trust.

    Returns:
        Config: For an inferencer or ``init_model``.

    Raises:
        UsageError: The checkpoint is no published model and is not trusted.
        CheckpointError: It is trusted, and has no config that can be used.
    """
    published = _find_published(checkpoint)
    if published is not None:
        return Config.fromfile(published)
    if not trust_checkpoint_config:
        raise UsageError(
            f'checkpoint {checkpoint} was given without a config: give the config '
            'it was trained with as the model. The config inside the checkpoint is not '
            'used, since it decides what is built and may come from anybody; if you '
            'trust its author, set trust_checkpoint_config=True.'
        )
    return read_trusted_config(checkpoint)


def _find_published(checkpoint: str) -> Path | None:
    path = Path(checkpoint).expanduser()
    if not path.is_file():
        return None
    model = find_published(path)
    return None if model is None else get_config_path(model.config)
