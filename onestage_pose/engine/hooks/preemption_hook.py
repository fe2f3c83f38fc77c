# Copyright (c) onestage_pose contributors.
import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_comm_device, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch.utils.data import DataLoader

from ...utils.errors import PreemptedError
from .safe_checkpoint_hook import SafeCheckpointHook


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Saves and ends on SIGTERM, which clusters send before they take a machine.

    The training step that is under way is finished (with gradient accumulation up
    to the next update of the weights), the state is saved as ``latest.pth`` by
    :class:`SafeCheckpointHook`, and :class:`PreemptedError` ends the run; an
    evaluation ends at once, since the state was saved before it. ``--resume``
    goes on exactly there. Several processes agree on the step they stop after.

    Clusters, and torchrun, signal every process of a job. Dataloader workers,
    which would die at once and the training with them, heed SIGTERM when the
    program ends; they notice by themselves when it has been killed.

    Does nothing in a run without :class:`SafeCheckpointHook`.
    """

    # after everything else that is done with an iteration
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None
        self._owner = 0

    def before_run(self, runner: Runner) -> None:
        """Shields the workers that are started from here on."""
        for loop in (runner._train_loop, runner._val_loop):
            loader = getattr(loop, 'dataloader', None)
            if isinstance(loader, DataLoader):
                loader.worker_init_fn = _ShieldedWorker(loader.worker_init_fn)

    def before_train(self, runner: Runner) -> None:
        """Listens from here on."""
        hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
        self._checkpoint_hook = hooks[0] if hooks else None
        self._asked = False
        # Only there may signals be listened to.
        in_main_thread = threading.current_thread() is threading.main_thread()
        if self._checkpoint_hook is not None and in_main_thread:
            self._owner = os.getpid()
            self._before = signal.signal(signal.SIGTERM, self._on_signal)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Ends the run, where it is asked to."""
        if self._checkpoint_hook is None:
            return
        done = runner.iter + 1
        if done % getattr(runner.optim_wrapper, '_accumulative_counts', 1):
            return
        if self._is_any_asked():
            self._checkpoint_hook.save_latest(runner, done)
            # one process writes; launchers end it when another has gone
            barrier()
            self._end(done)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any | None = None,
        outputs: Any | None = None,
    ) -> None:
        """Ends the run in the middle of an evaluation, where it is asked to."""
        if self._asked:
            self._end(runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Stops listening."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _end(self, iteration: int) -> None:
        raise PreemptedError(
            f'ended by SIGTERM after iteration {iteration}, which is saved; the same '
            'command with --resume goes on.'
        )

    def _is_any_asked(self) -> bool:
        if get_world_size() == 1:
            return self._asked
        asked = torch.tensor(int(self._asked), device=get_comm_device())
        all_reduce(asked, 'max')
        return bool(asked)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() == self._owner:
            self._asked = True
            return
        # In a process that was forked, and has inherited this.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


class _ShieldedWorker:
    """A dataloader's ``worker_init_fn`` that leaves the worker deaf to SIGTERM.

    torch's own handler would end the worker, and its end the training. When the
    program ends, the worker obeys: multiprocessing sends it SIGTERM then.
    """

    def __init__(self, init_fn: Callable[[int], None] | None) -> None:
        self._init_fn = init_fn
        self._is_ending = multiprocessing.Event()
        # The last function registered is the first to be called.
        atexit.register(self._is_ending.set)

    def __call__(self, worker_id: int) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        if self._init_fn is not None:
            self._init_fn(worker_id)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_ending.is_set():
            os._exit(0)
