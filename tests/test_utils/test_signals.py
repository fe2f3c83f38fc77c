# Copyright (c) onestage_pose contributors.
"""Signals are heard in a thread, and a process that hangs is ended."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from onestage_pose.utils.signals import SignalListener, end_children

import pytest

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='forks')


@pytest.fixture
def listener() -> Iterator[SignalListener]:
    listener = SignalListener(600, lambda why: why)
    listener.start()
    yield listener
    listener.stop()


def test_first_signal_is_a_request(listener: SignalListener) -> None:
    os.kill(os.getpid(), signal.SIGTERM)

    assert listener.is_asked


def test_handlers_of_before_are_put_back() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    listener = SignalListener(600, lambda why: why)

    listener.start()
    listener.stop()
    listener.stop()

    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_ctrl_c_is_handled_as_before_and_ends_the_listening(
    listener: SignalListener,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_listener_takes_the_place_of_the_first(
    listener: SignalListener,
) -> None:
    other = SignalListener(600, lambda why: why)
    other.start()

    os.kill(os.getpid(), signal.SIGTERM)
    other.stop()

    assert other.is_asked
    assert not listener.is_asked


def test_signal_to_a_forked_process_ends_it_and_is_not_heard(
    listener: SignalListener,
) -> None:
    child = _start(_wait)

    child.terminate()
    child.join(60)

    assert child.exitcode == -signal.SIGTERM
    assert not listener.is_asked


def test_child_that_ignores_the_request_is_killed() -> None:
    child = _start(_ignore_and_wait)

    end_children(grace_period=0)
    child.join(60)

    assert child.exitcode == -signal.SIGKILL


def _start(target: Any) -> multiprocessing.Process:
    context = multiprocessing.get_context('fork')
    is_ready = context.Event()
    child = context.Process(target=target, args=(is_ready,), daemon=True)
    child.start()
    assert is_ready.wait(60)
    return child


def _wait(is_ready: Any) -> None:
    is_ready.set()
    threading.Event().wait()


def _ignore_and_wait(is_ready: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _wait(is_ready)
