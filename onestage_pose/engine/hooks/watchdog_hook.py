# Copyright (c) onestage_pose contributors.
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from statistics import median
from types import FrameType
from typing import Any

import mmengine.runner
import torch.distributed as torch_dist
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...utils.arguments import check_arguments

#: How many of the last iterations the median is over.
_WINDOW = 101
# Seconds that the thread has for its last line.
_LAST_WORDS = 2.0
_KEY = 'onestage_pose/watchdog/{}'
# What of a call says where a process stands: a part of the file's path, the
# function (None for any), the name of the place. Innermost calls are asked first.
_PLACES = (
    ('/torch/distributed/', None, 'communication'),
    ('/mmengine/dist/', None, 'communication'),
    ('/torch/_tensor.py', 'backward', 'backward'),
    ('/torch/autograd/', 'backward', 'backward'),
    ('/torch/optim/', None, 'weight update'),
    ('/torch/serialization.py', None, 'checkpoint'),
    ('/mmengine/runner/', 'save_checkpoint', 'checkpoint'),
    ('/torch/utils/data/dataloader.py', None, 'data'),
    ('', 'train_step', 'forward'),
    ('', 'val_step', 'evaluation'),
    ('', 'test_step', 'evaluation'),
    ('/mmengine/evaluator/', None, 'evaluation'),
    ('/mmengine/runner/loops.py', '__next__', 'data'),
    ('/mmengine/runner/', 'call_hook', 'a hook'),
)
_RUNNER_FOLDER = os.path.dirname(mmengine.runner.__file__)


@HOOKS.register_module()
class WatchdogHook(Hook):
    """Log when a run makes no progress, and where each process waits.

    If no iteration of training or evaluation ends within ``factor`` times the median of
    the last ones, and within ``at_least`` seconds, one line in the log gives the time
    and, for every process, its rank, its process id and what it does: data, forward,
    backward, communication (waiting for other processes), weight update, checkpoint,
    evaluation. The line is repeated after twice that time, four times, and so on.
    Nothing is ended.

    Each iteration only reads the clock. A separate thread checks once in ``at_least``
    seconds and reads the place from the current call stack. Processes exchange it
    through torch.distributed's store, which works while others hang. A process that
    does not answer (killed, stopped, or in code that holds Python's global lock) is
    named as such.

    Args:
        factor (float): Limit as a multiple of the median of the last 101 iterations.
        at_least (float): Smallest limit, in seconds.
    """

    # Before others do what may take long, and is not part of the step.
    priority = 'VERY_HIGH'

    @check_arguments
    def __init__(self, factor: float = 10.0, at_least: float = 120.0) -> None:
        for name, value in (('factor', factor), ('at_least', at_least)):
            if value <= 0:
                raise ValueError(f'{name}={value} has to be above 0')
        self.factor = factor
        self.at_least = at_least
        self._thread: _Watcher | None = None
        self._reset()

    def _reset(self) -> None:
        self.last_end = time.monotonic()
        self.durations: deque[float] = deque(maxlen=_WINDOW)

    def limit(self) -> float:
        """Return the seconds without progress after which the log says so."""
        durations = list(self.durations)
        if not durations:
            return self.at_least
        return max(self.at_least, self.factor * median(durations))

    def before_run(self, runner: Runner) -> None:
        """Start watching."""
        self._reset()
        self._thread = _Watcher(self, runner)
        self._thread.start()

    def after_run(self, runner: Runner) -> None:
        """Stop watching."""
        if self._thread is not None:
            self._thread.is_over.set()
            # What it still has to say is said before the program ends.
            self._thread.join(_LAST_WORDS)
            self._thread = None

    def before_train(self, runner: Runner) -> None:
        """Start the clock of the first iteration."""
        self._reset()

    def before_val(self, runner: Runner) -> None:
        """Start the clock of the first iteration of an evaluation."""
        self.last_end = time.monotonic()

    def after_val(self, runner: Runner) -> None:
        """Start the clock of the iteration after an evaluation."""
        self.last_end = time.monotonic()

    def before_test(self, runner: Runner) -> None:
        """Start the clock of the first iteration of a test."""
        self._reset()

    def after_train_iter(self, *args: Any, **kwargs: Any) -> None:
        """Note the end of an iteration."""
        now = time.monotonic()
        self.durations.append(now - self.last_end)
        self.last_end = now

    def after_val_iter(self, *args: Any, **kwargs: Any) -> None:
        """Note the end of an iteration of an evaluation."""
        # Not for the median, which is that of the training.
        self.last_end = time.monotonic()

    def after_test_iter(self, *args: Any, **kwargs: Any) -> None:
        """Note the end of an iteration of a test."""
        self.after_train_iter()


class _Watcher(threading.Thread):
    """Looks at the thread that runs, from a thread that does nothing else."""

    def __init__(self, hook: WatchdogHook, runner: Runner) -> None:
        super().__init__(name='watchdog', daemon=True)
        self.is_over = threading.Event()
        # A run that an error has ended calls no hook any more.
        self._hook = weakref.ref(hook)
        self._logger = runner.logger
        self._watched = threading.get_ident()
        self._rank, self._world_size = get_dist_info()
        self._told = 0
        # of each process, what it told when it was last asked
        self._heard: dict[int, str] = {}

    def run(self) -> None:
        """Watch until the run is over."""
        stalled_since, spoken = None, 0
        wait = 0.0
        while not self.is_over.wait(wait):
            hook = self._hook()
            if hook is None:
                return
            last_end, limit = hook.last_end, hook.limit()
            del hook
            if last_end != stalled_since:
                if spoken:
                    self._say('The run goes on.')
                stalled_since, spoken = last_end, 0
                self._forget()
            # The others tell where they stand before the first one asks, and speak
            # themselves, in their order, where it does not.
            tell = 0.8 * limit * 2**spoken
            speak = limit * (2**spoken + min(self._rank, 3) / 4)
            elapsed = time.monotonic() - last_end
            if elapsed < (tell if self._world_size > 1 else speak):
                wait = (tell if self._world_size > 1 else speak) - elapsed
                continue
            place = where(self._watched, self._world_size)
            if place is None:
                return
            self._tell(place)
            if elapsed < speak:
                wait = speak - elapsed
                continue
            spoken += 1
            wait = 0.0
            places = self._ask(place)
            if any(rank < self._rank for rank in places):
                continue
            told = '; '.join(
                f'process {rank}: {places.get(rank, "no answer")}'
                for rank in range(self._world_size)
            )
            self._say(
                f'No iteration has ended for {elapsed:.0f} seconds: {told}. Nothing is '
                f'ended; the line comes again after {limit * 2**spoken:.0f}.'
            )
        if spoken:
            # It went on, and came to its end before the next look.
            self._say('The run goes on.')

    def _say(self, message: str) -> None:
        if self._rank == 0:
            self._logger.warning(message)
        else:
            # whose logger is silent
            print(message, file=sys.stderr, flush=True)

    def _tell(self, place: str) -> None:
        if self._world_size > 1:
            # Numbered, so that one that tells nothing new is noticed.
            self._told += 1
            _bounded(lambda: _store().set(self._key(), f'{self._told} {place}'))

    def _forget(self) -> None:
        self._heard.clear()
        if self._told:
            self._told = 0
            _bounded(lambda: _store().delete_key(self._key()))

    def _key(self) -> str:
        return _KEY.format(self._rank)

    def _ask(self, place: str) -> dict[int, str]:
        """Where the processes stand that have told, and this one."""
        places = {self._rank: place}
        if self._world_size > 1:

            def ask() -> None:
                for rank in range(self._world_size):
                    key = _KEY.format(rank)
                    if rank != self._rank and _store().check([key]):
                        heard[rank] = _store().get(key).decode()

            heard: dict[int, str] = {}
            _bounded(ask)
            for rank, told in list(heard.items()):
                if told != self._heard.get(rank):
                    places[rank] = told.partition(' ')[2]
            self._heard = heard
        return places


def where(thread: int, world_size: int = 1) -> str | None:
    """Tell what a thread is at that runs a runner.

    Args:
        thread: Its ``threading.get_ident()``.
        world_size: How many processes there are.

    Returns:
        A place as in :class:`WatchdogHook`, with the innermost call and the process
        id; None where no runner runs there.
    """
    calls = list(_calls(sys._current_frames().get(thread)))
    if not any(call.f_code.co_filename.startswith(_RUNNER_FOLDER) for call in calls):
        return None
    found = (_place(call) for call in calls)
    place = next((place for place in found if place is not None), 'between steps')
    if place == 'backward' and world_size > 1 and _is_idle(thread):
        # DistributedDataParallel waits within it for the others' gradients.
        place = 'communication of gradients'
    file = calls[0].f_code.co_filename
    innermost = f'{os.path.basename(file)}:{calls[0].f_lineno}'
    return f'{place} ({innermost} {calls[0].f_code.co_name}, pid {os.getpid()})'


def _calls(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _place(call: FrameType) -> str | None:
    path = call.f_code.co_filename.replace(os.sep, '/')
    for part, function, place in _PLACES:
        if part in path and function in (None, call.f_code.co_name):
            return place
    return None


def _is_idle(thread: int, seconds: float = 0.2) -> bool:
    """Whether a thread takes less than a tenth of that time of a processor."""
    if not hasattr(time, 'pthread_getcpuclockid'):
        return False
    clock = time.pthread_getcpuclockid(thread)
    before = time.clock_gettime(clock)
    time.sleep(seconds)
    return time.clock_gettime(clock) - before < seconds / 10


def _store() -> torch_dist.Store:
    return torch_dist.distributed_c10d._get_default_store()


def _bounded(function: Callable[[], Any], seconds: float = 10.0) -> None:
    """Call a function that may not return, and go on without it then.

    What it raises is not raised: who does not answer is named as such.
    """

    def call() -> None:
        try:
            function()
        except Exception:
            # The process that keeps the store may have gone.
            return

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
