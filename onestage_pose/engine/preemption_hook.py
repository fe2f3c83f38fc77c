# Copyright (c) onestage_pose contributors.
import os
import signal
import threading
from types import FrameType
from typing import Any, Optional

import torch
from mmengine.dist import all_reduce, get_comm_device, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from .safe_checkpoint_hook import SafeCheckpointHook

# How long a dataloader worker lives on after its first SIGTERM, in seconds.
_WORKER_GRACE = 20


class PreemptedError(Exception):
    """A training was asked to end, has saved its state, and ends.

    Attributes:
        exit_status (int): 143, as a shell names the end by SIGTERM.
    """

    exit_status = 128 + signal.SIGTERM


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Saves and ends on SIGTERM, which clusters send before they take a machine.

    The training step that is under way is finished (with gradient accumulation up
    to the next update of the weights), the state is saved as ``latest.pth`` by
    :class:`SafeCheckpointHook`, and :class:`PreemptedError` ends the run; an
    evaluation ends at once, since the state was saved before it. ``--resume``
    goes on exactly there. Several processes agree on the step they stop after.

    A cluster that signals every process of a job reaches the dataloader's
    workers, too; they outlive the first signal for some seconds, or there would
    be no more pictures to finish with.

    Does nothing in a run without :class:`SafeCheckpointHook`.
    """

    # after everything else that is done with an iteration
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None
        self._owner = 0

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
        data_batch: Optional[Any] = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Ends the run, where it is asked to."""
        if self._checkpoint_hook is None:
            return
        done = runner.iter + 1
        if done % getattr(runner.optim_wrapper, '_accumulative_counts', 1):
            return
        if self._is_any_asked():
            self._checkpoint_hook.save_latest(runner, done)
            self._end(done)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[Any] = None,
        outputs: Optional[Any] = None,
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

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        if os.getpid() == self._owner:
            self._asked = True
            return
        # In a worker, which has inherited this.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(_WORKER_GRACE)
