# Copyright (c) onestage_pose contributors.
"""Signals that are heard even while the main thread hangs, and an end that is one."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

# A cluster and torchrun may each send the signal to the same process: what comes
# within this many seconds is the same request, told twice.
SAME_REQUEST = 2.0
# How long the last words may take: a pipe that nobody reads would block for ever.
_LAST_WORDS = 2.0


class SignalListener:
    """Hears SIGTERM and Ctrl-C in a thread of its own, and bounds what they start.

    Python runs a signal handler in the main thread, between two of its own
    instructions. A main thread that waits in C, for another process or for a lock,
    never gets there. The number of a signal is therefore also written to a socket,
    which C code does at once, and a thread reads it there:

    - The first SIGTERM sets :attr:`is_asked`. Unless the program calls
      :meth:`renew` or :meth:`stop` within ``grace_period``, it is ended.
    - Another SIGTERM, or Ctrl-C, ends it at once.
    - Ctrl-C as the first signal is handled as it was before; where the main thread
      does not get to it within ``grace_period``, the program is ended.

    The status is 128 and the number of the signal, as a shell names such an end.
    Code in C that holds Python's global lock for ever keeps the thread from
    running, too; only SIGKILL ends such a process.

    Args:
        grace_period: Seconds.
        last_words: Given why the program ends, returns what to say on standard
            error before it does.
        first_words: Said on standard error at the first SIGTERM.
        same_request: Seconds within which a signal that comes again is the same.
    """

    def __init__(
        self,
        grace_period: float,
        last_words: Callable[[str], str],
        first_words: str = '',
        same_request: float = SAME_REQUEST,
    ) -> None:
        self.grace_period = grace_period
        self.is_asked = False
        self._last_words = last_words
        self._first_words = first_words
        self._same_request = same_request
        # Guards the deadline, and a program that stops listening from its end. A
        # handler may interrupt the main thread while that holds it.
        self._lock = threading.RLock()
        self._is_stopped = True
        self._deadline: float | None = None
        self._first: tuple[int, float] | None = None
        self._handlers: dict[int, Any] = {}

    def start(self) -> None:
        """Listen from here on; only the main thread may do this.

        Raises:
            ValueError: Called in another thread.
        """
        global _listening
        if _listening is not None:
            # of a run that an error has ended
            _listening.stop()
        self._handlers = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._on_terminate),
            signal.SIGINT: signal.signal(signal.SIGINT, self._on_interrupt),
        }
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(
            self._writer.fileno(), warn_on_full_buffer=False
        )
        self._is_stopped = False
        _listening = self
        threading.Thread(target=self._listen, name='signals', daemon=True).start()

    def renew(self) -> None:
        """Grant another grace period, since the program makes progress."""
        with self._lock:
            if self._deadline is not None:
                self._deadline = time.monotonic() + self.grace_period

    def stop(self) -> None:
        """Put back what was there before :meth:`start`; a second call does nothing."""
        global _listening
        with self._lock:
            if self._is_stopped:
                return
            signal.set_wakeup_fd(self._wakeup_before)
            self._restore_handlers()
            self._is_stopped = True
        _listening = None
        with contextlib.suppress(OSError):
            # Wakes the thread, which then ends and closes both.
            self._writer.send(b'\0')

    def forget_in_child(self) -> None:
        """Put everything back in a process that was forked and inherited this."""
        # The socket is the parent's: what the child is sent is not for it.
        signal.set_wakeup_fd(-1)
        self._restore_handlers()
        self._is_stopped = True

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers.items():
            # None stands for one that was not set by Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked:
            # The thread ends the program.
            return
        self.stop()
        signal.raise_signal(number)

    def _listen(self) -> None:
        with self._reader, self._writer:
            while True:
                with self._lock:
                    if self._is_stopped:
                        return
                    if self._deadline is None:
                        wait = None
                    else:
                        wait = self._deadline - time.monotonic()
                        if wait <= 0:
                            self._end('')
                self._reader.settimeout(wait)
                try:
                    heard = self._reader.recv(64)
                except TimeoutError:
                    continue
                if self._wakeup_before != -1:
                    with contextlib.suppress(OSError):
                        os.write(self._wakeup_before, heard)
                for number in heard:
                    if number in self._handlers:
                        self._heard(number)

    def _heard(self, number: int) -> None:
        with self._lock:
            if self._is_stopped:
                return
            now = time.monotonic()
            if self._first is None:
                self._first = number, now
                self.is_asked |= number == signal.SIGTERM
                self._deadline = now + self.grace_period
                if self.is_asked and self._first_words:
                    _speak(self._first_words)
                return
            first, since = self._first
            if number != first or now - since > self._same_request:
                self._first = number, since
                self._end('at once ')

    def _end(self, how: str) -> NoReturn:
        number, _ = self._first
        name = 'Ctrl-C' if number == signal.SIGINT else signal.Signals(number).name
        message = f'ended {how}by {name}'
        with contextlib.suppress(Exception):
            # An end that cannot be explained is one, too.
            message = self._last_words(message)
        end_process(128 + number, message)


def end_process(status: int, message: str) -> NoReturn:
    """End this process from whatever thread, however the others hang.

    Children that ``multiprocessing`` started, dataloader workers among them, are
    killed: one that hangs would outlive the program.

    Args:
        status: The exit status.
        message: Said on standard error before.
    """

    _speak(message).join(_LAST_WORDS)
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(status)


def _speak(message: str) -> threading.Thread:
    """Write to standard error in a thread, since whoever hangs may hold its lock."""

    def speak() -> None:
        os.write(2, f'{message}\n'.encode(errors='replace'))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    return thread


def is_running(process: int) -> bool:
    """Return whether a process of this machine runs, also one of another user.

    Args:
        process: Its id. Where the system cannot be asked, it counts as running.
    """
    if os.name == 'nt':
        # there, signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def end_children(grace_period: float = 5.0) -> None:
    """End the daemonic children of ``multiprocessing``, and kill those that hang.

    Args:
        grace_period: Seconds that they have, together, to end by themselves.
    """
    children = [child for child in multiprocessing.active_children() if child.daemon]
    for child in children:
        child.terminate()
    deadline = time.monotonic() + grace_period
    for child in children:
        child.join(max(0, deadline - time.monotonic()))
        if child.is_alive():
            child.kill()


_listening: SignalListener | None = None


def _forget_in_child() -> None:
    global _listening
    if _listening is not None:
        _listening.forget_in_child()
        _listening = None


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_forget_in_child)
