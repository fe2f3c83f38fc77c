# Copyright (c) onestage_pose contributors.
"""tools/model_converters/movenet_to_onestage.py, from file to file."""

from onestage_pose.utils.errors import UsageError

import pytest
import torch

from tests.movenet_graph import MoveNetGraph
from tests.tool_runs import run_tool

TOOL = 'model_converters/movenet_to_onestage'


@pytest.fixture
def graph(tmp_path):
    return MoveNetGraph(tmp_path)


def test_every_weight_is_written(tmp_path, graph):
    target = tmp_path / 'sub' / 'new.pth'

    run_tool(TOOL, graph.path, target)

    found = torch.load(target, weights_only=True)
    assert found.keys() == graph.weights.keys()
    assert all(torch.equal(found[name], graph.weights[name]) for name in found)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(UsageError, match=r'no\.json does not exist'):
        run_tool(TOOL, tmp_path / 'no.json', tmp_path / 'new.pth')


def test_a_file_that_is_there_is_not_written_over(graph):
    with pytest.raises(UsageError, match='exists'):
        run_tool(TOOL, graph.path, graph.path)
