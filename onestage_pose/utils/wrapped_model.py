# Copyright (c) onestage_pose contributors.
"""Models that are wrapped to be trained in several processes."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model itself.

    Args:
        model (nn.Module): In a wrapper such as ``MMDistributedDataParallel``, or not.
    """
    return model.module if is_model_wrapper(model) else model
