# Copyright (c) onestage_pose contributors.
"""Times are taken in turns, and leave the models as they were."""

import argparse
import types

import pytest
import torch
from benchmark import timing
from benchmark.timing import Case, Results


class CountingModel:
    """Writes down what it is asked to predict."""

    device = torch.device('cpu')

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def predict(self, batch_size=1):
        self.calls.append((self.name, self.dtype, self.num_people, batch_size))


@pytest.fixture
def calls():
    return []


@pytest.fixture
def counting(calls):
    return {name: CountingModel(name, calls) for name in ('gcm', 'two-stage')}


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when it is told to."""
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(timing, 'timer', lambda: clock.now)
    return clock


def options(**values):
    defaults = dict(dtypes=['float32'], people=[1], warm_up=0, repeat=1)
    return argparse.Namespace(**{**defaults, **values})


def test_models_take_turns(counting, calls):
    timing.measure_predictions(counting, options(repeat=2), Results())
    assert [call[0] for call in calls] == ['gcm', 'two-stage'] * 2


def test_a_model_computes_in_each_dtype_for_each_number_of_people(counting, calls):
    args = options(dtypes=['float32', 'bfloat16'], people=[1, 8])
    timing.measure_predictions({'gcm': counting['gcm']}, args, Results())
    assert [call[1:3] for call in calls] == [
        (torch.float32, 1),
        (torch.bfloat16, 1),
        (torch.float32, 8),
        (torch.bfloat16, 8),
    ]


def test_turns_to_warm_up_are_not_counted(counting, calls):
    results = Results()
    timing.measure_predictions(counting, options(warm_up=2, repeat=3), results)
    assert len(calls) == 2 * 5
    assert {len(values) for values in results.seconds.values()} == {3}


def test_every_turn_is_shown_when_it_is_over(counting, capsys):
    timing.measure_predictions(counting, options(warm_up=1), Results())
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith('turn 1 of 2 (warm-up), 1 people, ms: gcm float32 ')
    assert second.startswith('turn 2 of 2, 1 people, ms: gcm float32 ')


def test_two_stages_have_no_throughput(counting, calls):
    results = Results()
    timing.measure_throughput(counting, options(batches=[2, 4]), results)
    assert list(results.throughput) == [
        Case('gcm', 'float32', 2),
        Case('gcm', 'float32', 4),
    ]
    assert [call[3] for call in calls] == [2, 4]


def test_a_stage_lasts_from_the_end_of_the_one_before(clock):
    stages = timing.StageClock()
    module = torch.nn.Identity()
    stages.end_at(module, 'before', 'first')
    stages.end_at(module, 'after', 'second')
    clock.now = 2.0
    module.register_forward_hook(lambda *_: setattr(clock, 'now', 9.0))
    module.forward = lambda x: setattr(clock, 'now', 5.0)
    module(0)
    stages.end('third')
    assert stages.seconds == dict(first=[2.0], second=[3.0], third=[4.0])


def test_stages_make_up_a_prediction(gcm):
    parts = timing.time_stages(gcm, repeat=2)
    assert list(parts) == [
        'preprocessing',
        'backbone and neck',
        'RPN',
        'box branch',
        'keypoint branch',
        'decoding',
        'the rest',
    ]
    assert all(parts[stage] > 0 for stage in list(parts)[:-1])


def test_no_hook_stays_behind(gcm):
    def hooks():
        return [
            len(module._forward_hooks) + len(module._forward_pre_hooks)
            for module in gcm.model.modules()
        ]

    before = hooks()
    timing.time_stages(gcm, repeat=1)
    assert hooks() == before


def test_operators_and_python_make_up_a_prediction(clock):
    class Product:
        device = torch.device('cpu')

        def predict(self, batch_size):
            torch.ones(20, 30) @ torch.ones(30, 4)
            clock.now += 10.0

    spent = timing.time_operators(Product(), repeat=3)
    assert spent['mm'] > 0 and sum(spent.values()) == pytest.approx(10)


def test_a_training_step_leaves_the_model_ready_to_predict(gcm):
    assert timing.time_training_step(gcm, batch_size=1) > 0
    assert not gcm.model.training
    assert all(parameter.grad is None for parameter in gcm.model.parameters())


def test_memory_is_measured_in_a_process_of_its_own(monkeypatch):
    commands = []

    def run(command, **options):
        commands.append(command)
        return types.SimpleNamespace(stdout='a message\n12.5\n')

    monkeypatch.setattr(timing.subprocess, 'run', run)
    args = options(device='cpu', size=(64, 96))
    assert timing.measure_memory('gcm', 'float32', args) == 12.5
    assert timing.SCRIPT.is_file() and commands[0][1:3] == [
        str(timing.SCRIPT),
        '--peak',
    ]


def test_peak_memory_is_told_as_a_number(gcm, monkeypatch, capsys):
    monkeypatch.setattr(timing, 'build_model', lambda *args: gcm)
    timing.print_peak_memory(options(models=['gcm'], dtypes=['float32']))
    assert float(capsys.readouterr().out) >= 0


def test_only_what_is_asked_for_is_measured(counting, monkeypatch):
    monkeypatch.setattr(timing, 'time_stages', lambda model, repeat: {})
    args = options(profile=False, batches=[], train=False, memory=False)
    assert list(timing.measure(counting, args, Results())) == ['seconds', 'stages']


@pytest.mark.parametrize('allowed', [True, False])
def test_the_models_round_as_all_others_do(gcm, monkeypatch, allowed):
    monkeypatch.setitem(timing.TIMED_MODELS, 'gcm', lambda *args: gcm)
    args = options(size=(64, 96), people=[2], device='cpu', tf32=allowed)
    assert timing.build_model('gcm', args).model.test_options.tf32 == allowed
