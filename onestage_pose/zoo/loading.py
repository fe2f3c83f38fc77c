# Copyright (c) onestage_pose contributors.
"""Loading of published models."""

from __future__ import annotations

import torch
from mmengine.device import get_device
from mmpose.apis import init_model
from torch import nn

from .files import get_model_files


def load_model(
    name: str = 'nano', device: str | torch.device | None = None
) -> nn.Module:
    """Load a trained model that comes with the package.

    Args:
        name (str): One of :func:`onestage_pose.list_models`.
        device (str | torch.device, optional): Where to; by default a GPU if there is
            one.

    Returns:
        nn.Module: The model, ready for ``mmpose.apis.inference_bottomup`` and the
        like: in evaluation mode, with its config as ``cfg`` and the skeleton as
        ``dataset_meta``.

    Raises:
        UsageError, WrongWeightsError, FileNotFoundError: As :func:`.get_model_files`.
    """
    files = get_model_files(name)
    device = get_device() if device is None else device
    return init_model(str(files.config), str(files.weights), device=str(device))
