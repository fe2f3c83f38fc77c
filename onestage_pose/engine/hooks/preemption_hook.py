# Copyright (c) onestage_pose contributors.
import ctypes
import multiprocessing
import os
import os.path as osp
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.util import Finalize
from types import FrameType
from typing import Any

import torch
from mmengine.dist import (
    all_reduce,
    barrier,
    get_comm_device,
    get_dist_info,
    is_main_process,
)
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import HOOKS
from torch.utils.data import DataLoader

from ...utils.arguments import NonNegativeFloat, check_arguments
from ...utils.errors import PreemptedError
from ...utils.signals import SAME_REQUEST, SignalListener, end_children
from .safe_checkpoint_hook import SafeCheckpointHook

# torchrun kills its processes 30 seconds after it has passed SIGTERM on to them.
_GRACE_UNDER_TORCHRUN = 25.0
_FIRST_WORDS = (
    'SIGTERM: the state is saved after the iteration under way, if that ends within '
    '{:g} seconds. A second SIGTERM, or Ctrl-C, ends the run at once.'
)
# of prctl(2): the signal that a process gets when its parent ends
_PR_SET_PDEATHSIG = 1
# before the finalizers of multiprocessing's own queues and pools
_END_FIRST = 100


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Save the state and stop on SIGTERM, which clusters send before they take a
    machine back.

    The current training step is finished (with gradient accumulation, up to the next
    update of the weights), the state is saved as ``latest.pth`` by
    :class:`SafeCheckpointHook`, and :class:`PreemptedError` ends the run. An evaluation
    ends at once, since the state was saved before it. ``--resume`` continues exactly
    there. Several processes agree on the step after which they stop.

    A run that makes no progress ends as well: if no iteration ends within
    ``grace_period``, the program exits with status 143 and names the last checkpoint,
    which stays valid. A second SIGTERM, or Ctrl-C after the first, ends it at once.

    Clusters and torchrun signal every process of a job. Dataloader workers would die at
    once, and the training with them; here they react to SIGTERM only when the program
    ends, and notice by themselves if it has been killed.

    This hook does nothing without :class:`SafeCheckpointHook`.

    Args:
        grace_period (float): Seconds that an iteration may take to end after SIGTERM,
            and the state to be saved after that. At most 25 under torchrun, which kills
            its processes after 30 seconds.
        same_request (float): A signal that is repeated within this many seconds counts
            as the same one, passed on by a cluster and by torchrun.
    """

    # after everything else that is done with an iteration
    priority = 'LOWEST'

    @check_arguments
    def __init__(
        self, grace_period: float = 30.0, same_request: NonNegativeFloat = SAME_REQUEST
    ) -> None:
        if grace_period <= 0:
            raise ValueError(f'grace_period={grace_period} has to be above 0 seconds')
        if 'TORCHELASTIC_RUN_ID' in os.environ:
            grace_period = min(grace_period, _GRACE_UNDER_TORCHRUN)
        self.grace_period = grace_period
        self.same_request = same_request
        #: Which command resumes the run, as the last line says it.
        self.resumed_by = 'the same command with --resume'
        self._checkpoint_hook: SafeCheckpointHook | None = None
        self._listener: SignalListener | None = None
        self._done: int | None = None

    def before_run(self, runner: Runner) -> None:
        """Protect workers that are started from now on, and listen for SIGTERM."""
        for loader in _find_dataloaders(runner):
            loader.worker_init_fn = _ShieldedWorker(loader.worker_init_fn)
        self._done = None
        self._checkpoint_hook = None
        if not isinstance(runner._train_loop, BaseLoop):
            # An evaluation has nothing to save; SIGTERM ends it by itself.
            return
        hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
        if not hooks:
            return
        self._checkpoint_hook = hooks[0]
        self._resumed_from = runner._load_from if runner._resume else None
        # Only there may signals be listened to.
        if threading.current_thread() is threading.main_thread():
            self._listener = SignalListener(
                self.grace_period,
                self._last_words,
                _FIRST_WORDS.format(self.grace_period) if is_main_process() else '',
                self.same_request,
            )
            self._listener.start()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Save the state and end the run if SIGTERM was received."""
        if self._checkpoint_hook is None:
            return
        done = runner.iter + 1
        if done % getattr(runner.optim_wrapper, '_accumulative_counts', 1):
            self._renew()
            return
        if self._is_any_asked():
            self._renew()
            self._checkpoint_hook.save_latest(runner, done)
            self._done = done
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
        """End the run during an evaluation if SIGTERM was received."""
        if self._is_asked():
            self._end(runner.iter)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, Any] | None = None
    ) -> None:
        """End the run after an evaluation if SIGTERM was received."""
        if self._checkpoint_hook is not None and self._is_any_asked():
            self._end(runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def after_run(self, runner: Runner) -> None:
        """End the workers that wait for another epoch.

        Left to the garbage collector, which may take a worker's queue away before it is
        told to end, each would hold the program up for the 5 seconds that torch waits.
        """
        for loader in _find_dataloaders(runner):
            if loader._iterator is not None:
                loader._iterator._shutdown_workers()
                loader._iterator = None

    def _end(self, iteration: int) -> None:
        if self._listener is not None:
            self._listener.stop()
        raise PreemptedError(
            f'ended by SIGTERM after iteration {iteration}, which is saved; '
            f'{self.resumed_by} continues.'
        )

    def _last_words(self, why: str) -> str:
        rank, world_size = get_dist_info()
        who = f'process {rank}: ' if world_size > 1 else ''
        if self._done is not None:
            return (
                f'{who}{why} after iteration {self._done}, which is saved; '
                f'{self.resumed_by} continues.'
            )
        if 'at once' not in why:
            why = f'{why}: no iteration ended within {self.grace_period:g} seconds'
        last = self._last_checkpoint()
        if last is None:
            return (
                f'{who}{why}. There is no checkpoint yet; the same command starts '
                'afresh.'
            )
        return (
            f'{who}{why}. The last checkpoint stands: {last}; {self.resumed_by} goes '
            'on from it.'
        )

    def _last_checkpoint(self) -> str | None:
        # not there before the training starts
        saved = getattr(self._checkpoint_hook, '_saved', None)
        if saved is None:
            return self._resumed_from
        return osp.join(self._checkpoint_hook.out_dir, saved[1])

    def _renew(self) -> None:
        if self._listener is not None:
            self._listener.renew()

    def _is_asked(self) -> bool:
        return self._listener is not None and self._listener.is_asked

    def _is_any_asked(self) -> bool:
        if get_dist_info()[1] == 1:
            return self._is_asked()
        asked = torch.tensor(int(self._is_asked()), device=get_comm_device())
        all_reduce(asked, 'max')
        return bool(asked)


def _find_dataloaders(runner: Runner) -> Iterator[DataLoader]:
    for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
        loader = getattr(loop, 'dataloader', None)
        if isinstance(loader, DataLoader):
            yield loader


class _ShieldedWorker:
    """A dataloader's ``worker_init_fn`` that leaves the worker deaf to SIGTERM.

    torch's own handler would end the worker, and its end the training. When the
    program ends, the worker obeys: it is sent SIGTERM then. One that hangs is killed,
    on Linux also where the program has been killed and could not see to it.
    """

    def __init__(self, init_fn: Callable[[int], None] | None) -> None:
        self._init_fn = init_fn
        self._is_ending = multiprocessing.Event()
        self._main_thread = threading.main_thread().ident
        # Called when the program ends, and a process of multiprocessing, which skips
        # what atexit has; both before multiprocessing waits for the workers, which it
        # does without bound.
        Finalize(None, self._is_ending.set, exitpriority=_END_FIRST)
        Finalize(None, end_children, exitpriority=_END_FIRST - 1)

    def __call__(self, worker_id: int) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        # Linux takes the end of the thread that has forked this process for that of
        # the program. A forked process keeps the identity of that thread.
        if sys.platform == 'linux' and threading.get_ident() == self._main_thread:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if self._init_fn is not None:
            self._init_fn(worker_id)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_ending.is_set():
            os._exit(0)
