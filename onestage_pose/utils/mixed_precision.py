# Copyright (c) onestage_pose contributors.
"""Tell where mixed precision is worth while."""

import functools
import logging

import torch
from mmengine.logging import print_log

AUTOCAST_DEVICES = ('cuda', 'npu', 'mlu', 'musa')


def cpu_has_bfloat16() -> bool:
    """Return whether oneDNN has bfloat16 kernels for this CPU, not an imitation."""
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


@functools.cache
def can_autocast(device_type: str, dtype: torch.dtype, task: str) -> bool:
    """Return whether a device computes in ``dtype``; warns once where it does not.

    A CPU without such instructions would imitate them at a tenth of the speed, and of
    other devices mmengine knows these alone.

    Args:
        device_type (str): ``'cpu'``, ``'cuda'`` and so on.
        dtype (torch.dtype): ``torch.bfloat16`` or ``torch.float16``.
        task (str): What is done in float32 otherwise, for the warning.

    Returns:
        bool: True for :data:`AUTOCAST_DEVICES`, and for bfloat16 on a CPU that has it.
    """
    if device_type == 'cpu':
        able = dtype is torch.bfloat16 and cpu_has_bfloat16()
    else:
        able = device_type in AUTOCAST_DEVICES
    if able:
        return True
    device = 'CPU' if device_type == 'cpu' else f'device ({device_type})'
    print_log(
        f'This {device} cannot multiply in {str(dtype).removeprefix("torch.")}: {task} '
        'in float32.',
        logger='current',
        level=logging.WARNING,
    )
    return False
