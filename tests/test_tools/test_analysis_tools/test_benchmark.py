# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/benchmark.py: what is timed is the same work, told truly."""

import json

from onestage_pose.utils.errors import UsageError

import numpy as np
import pytest
import torch

from tests.tool_runs import load_tool

TOOL = 'analysis_tools/benchmark'


@pytest.fixture(scope='module')
def tool():
    return load_tool(TOOL)


def test_people_lie_in_the_picture(tool):
    boxes = tool.make_people((80, 120), 50)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes[:, 2] <= 120).all() and (boxes[:, 3] <= 80).all()


def test_ratios_are_taken_turn_by_turn(tool):
    # a machine that gets twice as slow in the middle
    seconds = {'a': [1.0, 1.0, 2.0, 2.0], 'b': [2.0, 2.0, 4.0, 4.0]}
    assert tool.ratios(seconds, 'a', 'b').tolist() == [0.5, 0.5, 0.5]


def test_slope_is_that_of_each_further_person(tool):
    args = tool.parse_args(['--people', '8', '32'])
    seconds = {('gcm', 'float32', 8): [1.0, 1.0], ('gcm', 'float32', 32): [1.24, 1.24]}
    assert '| gcm | float32 | 10.0 |' in tool.slopes(seconds, args)


def test_one_stage_is_compared_with_two_in_the_same_precision(tool):
    seconds = {
        ('gcm', 'float32', 8): [1.0, 1.5],
        ('two-stage', 'float32', 8): [2.0, 3.0],
        ('gcm', 'bfloat16', 8): [1.0, 1.0],
    }
    told = [line for line in tool.against_two_stage(seconds) if line]
    assert told == ['gcm of two-stage, float32, 8 people: 0.50 (0.50 to 0.50)']


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('--repeat 0', '0 is given, 1 or more'),
        ('--people 0', '0 is given, 1 or more'),
        ('--size -5 100', '-5 is given, 1 or more'),
        ('--batches 0', '0 is given, 1 or more'),
        ('--warm-up -1', '-1 is given, 0 or more'),
        ('--device tpu9', '--device tpu9: '),
    ],
)
def test_what_cannot_be_measured_is_refused(tool, capsys, words, message):
    with pytest.raises(SystemExit):
        tool.parse_args(words.split())
    assert message in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_refused_first(tool, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UsageError, match='--out-dir'):
        tool.main(['--out-dir', str(tmp_path / 'file')])


@pytest.mark.parametrize('able', [True, False])
def test_bfloat16_is_not_imitated_unless_asked_for(tool, monkeypatch, able):
    monkeypatch.setattr(tool, 'can_autocast', lambda *args: able)
    assert ('bfloat16' in tool.parse_args([]).dtypes) == able
    assert tool.parse_args(['--dtypes', 'bfloat16']).dtypes == ['bfloat16']


def test_the_plain_layout_computes_the_same(tool):
    torch.manual_seed(0)
    fused = tool.RelativePositionAttention(8, (5, 4), 2, 4)
    plain = tool.SpelledOutAttention(8, (5, 4), 2, 4)
    plain.load_state_dict(fused.state_dict())
    x = torch.randn(3, 8, 5, 4)
    torch.testing.assert_close(plain(x), fused(x), rtol=1e-5, atol=1e-6)

    from onestage_pose.codecs import RoIHeatmap

    logits, pixels = torch.randn(2, 3, 56, 56), torch.tensor([[30, 70], [99, 40]])
    for one, other in zip(
        tool.one_by_one(logits, pixels), RoIHeatmap()._bicubic_maximum(logits, pixels)
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_operators_and_python_make_up_a_prediction(tool):
    class Product:
        device = 'cpu'

        def timed(self):
            torch.ones(20, 30) @ torch.ones(30, 4)
            return 10.0

    spent = tool.time_operators(Product(), repeat=3)
    assert spent['mm'] > 0 and sum(spent.values()) == pytest.approx(10)


def test_products_are_told_from_the_rest(tool):
    spent = dict(mm=0.5, mkldnn_convolution=1.5, copy_=0.2, relu_=0.3, sort=0.1)
    told = tool.describe_operators(('gcm', 'float32', 8), spent, number=2)
    assert told == (
        'gcm, float32, 8 people, ms by operator: convolutions and products 2000, '
        'all else 600, of which relu_ 300, copy_ 200'
    )


@pytest.mark.slow
def test_every_model_runs_and_finds_the_people_put_there(tool, tmp_path):
    words = (
        '--size 64 96 --people 1 2 --repeat 1 --warm-up 0 --dtypes bfloat16 --profile'
    )
    tool.main([*words.split(), '--out-dir', str(tmp_path)])
    content = json.loads((tmp_path / 'benchmark.json').read_text())
    assert len(content['seconds']) == 2 * len(tool.CONTESTANTS)
    assert all(np.all(np.array(v) > 0) for v in content['seconds'].values())
    assert content['operators'].keys() == content['seconds'].keys()
    assert {path.name for path in tmp_path.iterdir()} == {
        'benchmark.json',
        'benchmark.md',
        'people.png',
    }
