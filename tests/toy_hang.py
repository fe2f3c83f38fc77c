# Copyright (c) onestage_pose contributors.
"""A hook that has a run of the toys hang where it is told to."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from tests.toy_pose import ToyMetric, ToyModel, ToyPictures

#: What is written, with the place and the process id, when it begins.
HANGS = 'hangs in {}'


@HOOKS.register_module()
class ToyHang(Hook):
    """Hangs for ever, or until a file is there, at a call of a place.

    Args:
        place: start, data, forward, backward, evaluation, metric or save.
        at: The number of the call, from 1.
        in_c: Whether in C, where Python runs no signal handler.
        rank: Of the process that hangs.
        until: The file.
    """

    def __init__(
        self,
        place: str,
        at: int = 1,
        in_c: bool = False,
        rank: int = 0,
        until: str | None = None,
    ) -> None:
        self.place, self.at, self.in_c = place, at, in_c
        self.rank, self.until = rank, until
        self._calls = 0

    def before_run(self, runner: Runner) -> None:
        """Change the method that is to hang, in this process and its workers."""
        if get_rank() != self.rank:
            return
        owner, name = dict(
            data=(ToyPictures, '__getitem__'),
            forward=(ToyModel, 'forward'),
            evaluation=(ToyModel, 'forward'),
            metric=(ToyMetric, 'compute_metrics'),
            save=(os, 'replace'),
        ).get(self.place, (None, None))
        if owner is not None:
            setattr(owner, name, self._hanging(getattr(owner, name)))
        elif self.place == 'backward':
            ToyModel.forward = _with_hanging_gradient(ToyModel.forward, self._hang)

    def before_train(self, runner: Runner) -> None:
        """Hang, where that is the place."""
        if self.place == 'start' and get_rank() == self.rank:
            self._hang()

    def _hanging(self, function: Callable) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.place != 'evaluation' or kwargs['mode'] == 'predict':
                self._hang()
            return function(*args, **kwargs)

        return call

    def _hang(self) -> None:
        self._calls += 1
        if self._calls != self.at:
            return
        print(HANGS.format(self.place), flush=True)
        if self.until is not None:
            while not os.path.exists(self.until):
                threading.Event().wait(0.01)
        elif self.in_c:
            # A lock taken twice; a signal does not end the waiting.
            library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
            library.pthread_mutex_lock(lock)
            library.pthread_mutex_lock(lock)
        else:
            threading.Event().wait()


def _with_hanging_gradient(forward: Callable, hang: Callable[[], None]) -> Callable:
    class Hanging(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, loss: torch.Tensor) -> torch.Tensor:
            return loss.clone()

        @staticmethod
        def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
            hang()
            return gradient

    def call(*args: Any, **kwargs: Any) -> Any:
        outputs = forward(*args, **kwargs)
        if isinstance(outputs, dict):
            outputs['loss'] = Hanging.apply(outputs['loss'])
        return outputs

    return call
