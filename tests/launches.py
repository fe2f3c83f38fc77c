# Copyright (c) onestage_pose contributors.
"""Counts what a device is asked to compute, on any device."""

from collections import Counter

from torch.utils._python_dispatch import TorchDispatchMode


class LaunchCounter(TorchDispatchMode):
    """Counts the operators that compute, which on a GPU are a kernel or a few each.

    A view of a tensor and memory that is only set aside do not count.

    Attributes:
        launches: How often each operator was called, by name.
    """

    def __init__(self):
        super().__init__()
        self.launches = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        aliases = [each.alias_info for each in func._schema.returns]
        is_view = any(alias is not None and not alias.is_write for alias in aliases)
        if not is_view and 'empty' not in func.name():
            self.launches[func.name()] += 1
        return func(*args, **(kwargs or {}))
