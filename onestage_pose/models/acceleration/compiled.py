# Copyright (c) onestage_pose contributors.
"""The dense parts of a model through ``torch.compile``, for a few sizes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils import _pytree

from ...structures import KeypointOutput

# Sizes that a part is compiled for, memory with each; as often as PyTorch compiles one
# function anew before it gives up.
MAX_SIZES = 8
# Instances that a keypoint head is compiled for: others are filled up to the next one,
# and beyond the last one go in steps of it.
INSTANCES = (8, 16, 32, 64, 128)


class CompiledForward:
    """A module's ``forward``, compiled for each size of its input at the first call.

    Where gradients are wanted, in training, in a traced graph, and after
    :data:`MAX_SIZES` sizes it is the module's own. A GPU runs it as one CUDA graph.

    Args:
        module (nn.Module): With a ``forward`` of tensors, nested anyhow.
        name (str): What the log calls it.
        backend (str): ``torch.compile``'s.
    """

    def __init__(self, module: nn.Module, name: str, backend: str) -> None:
        self.module, self.name, self.backend = module, name, backend
        self.plain = module.forward
        self.compiled: dict[Any, Callable | None] = {}

    def __getstate__(self) -> dict:
        """What a copy of the module is given, which compiles for itself."""
        return {**vars(self), 'compiled': {}}

    def __call__(self, *args: Any) -> Any:
        """As ``forward``."""
        if (
            self.module.training
            or torch.is_grad_enabled()
            or torch.jit.is_tracing()
            or torch.compiler.is_compiling()
        ):
            return self.plain(*args)
        return self._run(*args)

    def _run(self, *args: Any) -> Any:
        tensors = _pytree.tree_leaves(args)
        device = tensors[0].device
        size = (device, *((each.shape, each.dtype) for each in tensors))
        if size not in self.compiled:
            self.compiled[size] = self._compile(tensors[0])
        forward = self.compiled[size]
        if forward is None:
            return self.plain(*args)
        output = forward(*args)
        if device.type == 'cuda':
            # the next call of a CUDA graph writes to the same memory
            output = _pytree.tree_map(Tensor.clone, output)
        return output

    def _compile(self, first: Tensor) -> Callable | None:
        size = 'x'.join(map(str, first.shape))
        known = sum(each is not None for each in self.compiled.values())
        if known == MAX_SIZES:
            text = (
                f'{self.name} is compiled for {MAX_SIZES} sizes, which is the most: '
                f'input of {size} runs as without test_cfg.compile. Resize the images '
                'to fewer sizes.'
            )
            print_log(text, logger='current', level=logging.WARNING)
            return None
        print_log(
            f'Compiling {self.name} for input of {size}: this call takes a minute or '
            'more, later ones of that size do not.',
            logger='current',
            level=logging.INFO,
        )
        mode = 'reduce-overhead' if first.device.type == 'cuda' else None
        if self.backend != 'inductor':
            mode = None
        return torch.compile(self.plain, dynamic=False, backend=self.backend, mode=mode)


class CompiledKeypointHead(CompiledForward):
    """A keypoint head's ``forward``, compiled for the numbers in :data:`INSTANCES`."""

    def _run(self, x: Tensor) -> KeypointOutput:
        if not len(x):
            return self.plain(x)
        found = []
        for part in x.split(INSTANCES[-1]):
            number = next(each for each in INSTANCES if each >= len(part))
            filled = F.pad(part, (0, 0) * 3 + (0, number - len(part)))
            output = super()._run(filled)
            found.append(
                [each if each is None else each[: len(part)] for each in output]
            )
        if len(found) == 1:
            return KeypointOutput(*found[0])
        logits, visibility = zip(*found)
        return KeypointOutput(
            torch.cat(logits), None if visibility[0] is None else torch.cat(visibility)
        )


def compile_dense_parts(
    model: nn.Module, compiled: bool, backend: str = 'inductor'
) -> nn.Module:
    """Switch prediction through ``torch.compile`` on or off, in place.

    It compiles the backbone, the neck, the convolutions of the RPN and the keypoint
    head, but not what follows them, since its sizes differ from image to image.
    Parameters, their names and training do not change.

    Args:
        model (nn.Module): A :class:`KeypointRCNN`.
        compiled (bool): Whether to compile; False restores the plain model.
        backend (str): ``torch.compile``'s; ``'inductor'`` needs Triton on a GPU and a
            C++ compiler on a CPU.

    Returns:
        nn.Module: ``model``.
    """
    parts = {
        'the backbone': (model.backbone, CompiledForward),
        'the neck': (getattr(model, 'neck', None), CompiledForward),
        'the RPN': (model.rpn_head, CompiledForward),
        'the keypoint head': (model.roi_head.keypoint_head, CompiledKeypointHead),
    }
    for name, (module, kind) in parts.items():
        if module is None:
            continue
        is_compiled = isinstance(vars(module).get('forward'), CompiledForward)
        if compiled and not is_compiled:
            module.forward = kind(module, name, backend)
        elif is_compiled and not compiled:
            del module.forward
    return model
