# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from torch import nn


def as_subclass(module: nn.Module, cls: type[nn.Module]) -> nn.Module:
    """Return a module of another class with the parameters and hooks of ``module``.

    Args:
        module (nn.Module): To be replaced by the result.
        cls (type[nn.Module]): A subclass of its class that adds methods alone.

    Returns:
        nn.Module: Of the class ``cls``; it shares everything with ``module``.
    """
    made = cls.__new__(cls)
    made.__dict__.update(module.__dict__)
    return made
