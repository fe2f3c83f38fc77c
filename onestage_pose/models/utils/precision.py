# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

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


@contextmanager
def tensor_float32(allowed: bool, device_type: str) -> Iterator[None]:
    """Say whether NVIDIA's GPUs may round float32 to TensorFloat-32 in products.

    TF32 keeps 10 of 23 bits. PyTorch allows it in convolutions and not in matrix
    products by default.

    Args:
        allowed (bool): In convolutions and matrix products alike.
        device_type (str): ``'cuda'``; nothing is changed for others.

    Yields:
        None: As it was before, afterwards.
    """
    if device_type != 'cuda':
        yield
        return
    name, value = 'allow_tf32', allowed
    settings = [torch.backends.cudnn, torch.backends.cuda.matmul]
    try:
        before = [getattr(each, name) for each in settings]
    except RuntimeError:
        # set in the way that PyTorch 2.9 brought, and then it refuses the old one
        name, value = 'fp32_precision', 'tf32' if allowed else 'ieee'
        settings[0] = torch.backends.cudnn.conv
        before = [getattr(each, name) for each in settings]
    try:
        for each in settings:
            setattr(each, name, value)
        yield
    finally:
        for each, was in zip(settings, before):
            setattr(each, name, was)
