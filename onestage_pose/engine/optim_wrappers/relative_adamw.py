# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class RelativeAdamW(torch.optim.AdamW):
    """AdamW with steps relative to the weights, for the parameter groups that ask for
    it.

    AdamW moves every weight by about the learning rate. Weights with folded batch norm
    differ in size by orders of magnitude, and the smallest are destroyed in a few
    steps. A parameter whose group has ``relative=True``, which
    ``paramwise_cfg.custom_keys`` sets, is moved by the learning rate times the root
    mean square of its own elements, as by Adafactor (arXiv 1804.04235); one that is 0
    stays 0.

    Args: see ``torch.optim.AdamW``.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step, and return the result of ``closure``."""
        rates = [group['lr'] for group in self.param_groups]
        for group in self.param_groups:
            if group.get('relative'):
                elements = torch.cat([each.flatten() for each in group['params']])
                group['lr'] = group['lr'] * float(elements.square().mean().sqrt())
        try:
            return super().step(closure)
        finally:
            for group, rate in zip(self.param_groups, rates):
                group['lr'] = rate
