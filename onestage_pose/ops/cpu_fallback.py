# Copyright (c) onestage_pose contributors.
"""Operators on the CPU where a device has none, as Apple's GPUs may."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from mmengine.logging import print_log
from torch import Tensor


def call_operator(operator: Callable[..., Tensor], *args: Any) -> Tensor:
    """Call an operator, on the CPU if the device of its arguments does not have it.

    Logs one line about each operator that a type of device does not have.

    Args:
        operator (Callable): An operator of PyTorch or torchvision.
        *args: Its arguments; the first one is a tensor.

    Returns:
        Tensor: What it gives, on the device of the first argument.

    Raises:
        NotImplementedError: The CPU does not have it either.
    """
    try:
        return operator(*args)
    except NotImplementedError:
        device = args[0].device
        if device.type == 'cpu':
            raise
        _log_once(str(operator), device.type)
        on_cpu = (arg.cpu() if isinstance(arg, Tensor) else arg for arg in args)
        return operator(*on_cpu).to(device)


@functools.cache
def _log_once(operator: str, device_type: str) -> None:
    print_log(
        f'onestage_pose.ops: {operator} is missing for {device_type} and runs on the '
        'CPU.',
        logger='current',
        level=logging.INFO,
    )
