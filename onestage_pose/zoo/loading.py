# Copyright (c) onestage_pose contributors.
"""Loading of published models."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.device import get_device
from mmpose.apis import init_model
from torch import nn

from ..checkpoints.loading import MapLocation, load_from_local
from .files import get_model_files

SCHEME = 'zoo://'


def load_model(
    name: str = 'nano', device: str | torch.device | None = None
) -> nn.Module:
    """Load a published model, and download it first if it is not on this machine.

    Args:
        name (str): One of :func:`onestage_pose.list_models`.
        device (str | torch.device, optional): Device of the model; by default a GPU if
            there is one.

    Returns:
        nn.Module: The model in evaluation mode, ready for
        ``mmpose.apis.inference_bottomup``. Its config is ``cfg``, its skeleton
        ``dataset_meta``.

    Raises:
        UsageError, CheckpointError, FileNotFoundError: As :func:`.get_model_files`.
    """
    files = get_model_files(name)
    device = get_device() if device is None else device
    return init_model(str(files.config), str(files.weights), device=str(device))


def load_from_zoo(filename: str, map_location: MapLocation = None) -> Any:
    """Load the checkpoint of ``zoo://NAME``, as ``load_from`` of a config may be.

    Args:
        filename (str): ``zoo://`` and one of :func:`onestage_pose.list_models`.
        map_location (MapLocation): Where the tensors go, as in ``torch.load``.

    Returns:
        Any: What the checkpoint holds.

    Raises:
        UsageError, CheckpointError, FileNotFoundError: As :func:`.get_model_files`.
    """
    files = get_model_files(filename.removeprefix(SCHEME))
    return load_from_local(str(files.weights), map_location)
