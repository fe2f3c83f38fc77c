# Copyright (c) onestage_pose contributors.
import multiprocessing
import threading

from onestage_pose.models.acceleration.free_threads import run_by_free_threads

import pytest
import torch


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def call_on_new_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_every_piece_is_computed_once():
    found = torch.zeros(50, dtype=torch.long)

    def count(first, second):
        found[first + second] += 1

    run_by_free_threads(count, [(number, 5) for number in range(0, 45)])
    assert found.tolist() == 5 * [0] + 45 * [1]


def test_threads_work_at_the_same_time_and_alone():
    # both calls wait here for the other
    meeting, threads = threading.Barrier(2, timeout=30), []

    def meet():
        meeting.wait()
        threads.append(torch.get_num_threads())

    run_by_free_threads(meet, [(), ()])
    assert threads == [1, 1]


def test_pytorch_keeps_its_threads():
    run_by_free_threads(lambda: None, [()])
    assert torch.get_num_threads() == 2
    assert call_on_new_thread(torch.get_num_threads) == 2


def test_the_profiler_sees_every_operator():
    numbers = torch.ones(2, 2)

    with torch.profiler.profile() as profile, torch.no_grad():
        run_by_free_threads(lambda: numbers.mm(numbers), 5 * [()])

    [row] = [each for each in profile.key_averages() if each.key == 'aten::mm']
    assert row.count == 5


def test_another_number_of_threads_is_followed():
    run_by_free_threads(lambda: None, [()])
    torch.set_num_threads(3)
    meeting, threads = threading.Barrier(3, timeout=30), set()

    def meet():
        meeting.wait()
        threads.add(threading.get_ident())

    run_by_free_threads(meet, [(), (), ()])
    assert len(threads) == 3


@pytest.mark.parametrize('inference', [True, False])
def test_nothing_is_kept_for_gradients(inference):
    weight, found = torch.ones(3, requires_grad=True), []
    with torch.inference_mode(inference):
        run_by_free_threads(lambda: found.append(2 * weight), [()])
    assert not found[0].requires_grad
    assert found[0].is_inference() is inference


def test_a_fault_reaches_the_caller():
    def divide(number):
        torch.tensor(number).view(2, 2)

    with pytest.raises(RuntimeError, match='shape'):
        run_by_free_threads(divide, [(1,), (2,)])


@pytest.mark.skipif(
    'fork' not in multiprocessing.get_all_start_methods(),
    reason='Windows has no fork, so no thread is lost by one',
)
@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
def test_works_in_a_forked_process():
    run_by_free_threads(lambda: None, [()])
    process = multiprocessing.get_context('fork').Process(
        target=run_by_free_threads, args=(lambda: None, [()])
    )
    process.start()
    process.join(60)
    process.kill()
    assert process.exitcode == 0
