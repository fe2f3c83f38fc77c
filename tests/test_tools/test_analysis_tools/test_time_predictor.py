# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/time_predictor.py gives the two ratios of the same images."""

import itertools
from types import SimpleNamespace

import cv2
import pytest

from tests.test_apis.tiny_model import picture, write_tiny_model
from tests.tool_runs import load_tool


@pytest.fixture
def tool():
    return load_tool('analysis_tools/time_predictor')


def test_ratios_are_of_one_turn(tool, monkeypatch):
    times = {(0, 1): (8.0, 4.0), (2, 1): (5.0, 1.0), (2, 8): (4.0, 1.0)}
    monkeypatch.setattr(tool, 'time_call', lambda predictor, images, *way: times[way])
    args = SimpleNamespace(num_threads=2, batch_size=8)

    turn = tool.measure_turn(None, [], args)

    assert (turn['throughput'], turn['hidden']) == (1.25, 0.75)
    assert turn['time'] == 0.625


def test_every_second_turn_is_in_the_opposite_order(tool, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(
        tool,
        'time_call',
        lambda predictor, images, *way: calls.append(way) or (1.0, 1.0),
    )
    monkeypatch.setattr(tool, 'TimedPredictor', lambda *args, **kwargs: None)
    cv2.imwrite(str(tmp_path / '1.png'), picture())

    tool.main([str(tmp_path), '--repeat', '2', '--num-threads', '2'])

    turn = [(0, 1), (2, 1), (2, 8)]
    assert calls[1:] == turn + turn[::-1]


def test_prints_them(tool, monkeypatch, tmp_path, capsys):
    clock = itertools.count()
    monkeypatch.setattr(tool, 'timer', lambda: next(clock) / 1000)
    (tmp_path / 'images').mkdir()
    for seed in range(3):
        cv2.imwrite(str(tmp_path / f'images/{seed}.png'), picture(seed=seed))
    model = write_tiny_model(tmp_path)

    words = [tmp_path / 'images', *model, '--repeat', 1, '--batch-size', 2]
    tool.main([str(word) for word in [*words, '--device', 'cpu']])

    told = capsys.readouterr().out
    assert 'turn 1 of 1: throughput' in told
    assert '3 images, medians of 1 turns: throughput in batches' in told
    assert '% of the decoding time is hidden' in told
