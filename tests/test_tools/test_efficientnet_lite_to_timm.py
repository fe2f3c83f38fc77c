# Copyright (c) onestage_pose contributors.
"""tools/model_converters/efficientnet_lite_to_timm.py renames by the layers' order."""

import sys

import pytest
import torch

from tests.tool_runs import load_tool

timm = pytest.importorskip('timm', reason='timm is not installed (pip install timm)')

TOOL = 'model_converters/efficientnet_lite_to_timm'


@pytest.fixture
def old_weights(tmp_path):
    """Weights under other names of the same endings, as in the older file."""
    torch.manual_seed(1)
    weights = timm.create_model('efficientnet_lite0').state_dict()
    renamed = {
        f'_layer{i}.{name.rpartition(".")[2]}': value
        for i, (name, value) in enumerate(weights.items())
    }
    path = tmp_path / 'old.pth'
    torch.save(renamed, path)
    return path, weights


def convert(monkeypatch, *words):
    monkeypatch.setattr(sys, 'argv', ['tool', *map(str, words)])
    load_tool(TOOL).main()


def test_every_weight_gets_timms_name(monkeypatch, tmp_path, old_weights):
    path, expected = old_weights
    convert(monkeypatch, path, tmp_path / 'sub' / 'new.pth')
    found = torch.load(tmp_path / 'sub' / 'new.pth', weights_only=True)
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_another_size_of_the_model_is_refused(monkeypatch, tmp_path, old_weights):
    with pytest.raises(SystemExit, match='is it of another size'):
        convert(
            monkeypatch,
            old_weights[0],
            tmp_path / 'new.pth',
            '--model',
            'efficientnet_lite2',
        )


def test_layers_in_another_order_are_refused():
    rename = load_tool(TOOL).rename
    a, b = torch.zeros(2), torch.zeros(3)
    with pytest.raises(SystemExit, match=r'x.weight \(2,\) does not fit u.bias \(2,\)'):
        rename({'x.weight': a, 'y.bias': b}, {'u.bias': a, 'v.bias': b})
    with pytest.raises(SystemExit, match=r'does not fit u.weight \(3,\)'):
        rename({'x.weight': a}, {'u.weight': b})


def test_a_file_that_is_there_is_not_written_over(monkeypatch, old_weights):
    with pytest.raises(SystemExit, match='exists'):
        convert(monkeypatch, old_weights[0], old_weights[0])
