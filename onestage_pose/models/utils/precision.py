# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from ...utils.mixed_precision import can_autocast


def autocast_to(dtype: torch.dtype | None, device_type: str) -> AbstractContextManager:
    """Return the context in which a model predicts in mixed precision.

    Args:
        dtype (torch.dtype, optional): ``torch.bfloat16`` or ``torch.float16``; float32
            where it is None, or where the device cannot, which is said once.
        device_type (str): ``'cpu'``, ``'cuda'`` and so on.

    Returns:
        AbstractContextManager: One that leaves an autocast around it as it is where
        there is nothing to do.
    """
    if dtype is None or not can_autocast(device_type, dtype, 'predicts'):
        return nullcontext()
    return torch.autocast(device_type, dtype)
