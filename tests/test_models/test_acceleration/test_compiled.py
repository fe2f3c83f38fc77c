# Copyright (c) onestage_pose contributors.
"""Compiled parts give what the plain ones give, for a few sizes.

``aot_eager`` traces and replays as ``inductor`` does, without generating code.
"""

import copy

from onestage_pose.models.acceleration import compile_dense_parts, compiled
from onestage_pose.structures import KeypointOutput

import numpy as np
import pytest
import torch
from torch import nn

from tests.model_factory import make_picture, make_sample, predict, tiny_model


class Doubled(nn.Module):
    """Twice its input, by a weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return x * self.weight


@pytest.fixture
def module():
    made = Doubled().eval()
    made.forward = compiled.CompiledForward(made, 'it', 'eager')
    return made


@pytest.fixture(scope='module')
def model():
    return tiny_model().eval()


@pytest.mark.slow
def test_a_compiled_model_finds_the_same_people(model):
    size = (64, 96)
    pictures, samples = [make_picture(*size)], [make_sample(size)]
    (expected,) = predict(model, pictures, [samples[0].clone()])
    compile_dense_parts(model, True, backend='aot_eager')
    with torch.no_grad():
        data = model.data_preprocessor(dict(inputs=pictures, data_samples=samples))
        (found,) = model(**data, mode='predict')
    compile_dense_parts(model, False)
    found, expected = found.pred_instances, expected.pred_instances
    assert len(found) == len(expected) > 0
    np.testing.assert_allclose(found.bboxes, expected.bboxes, atol=0.01)
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=0.05)


def test_parameters_keep_their_names(model):
    names = list(model.state_dict())
    compile_dense_parts(model, True)
    assert list(model.state_dict()) == names
    compile_dense_parts(model, False)


def test_the_models_option_switches_it_with_prediction():
    made = tiny_model(test_cfg__compile=True)
    assert 'forward' not in vars(made.backbone)
    assert isinstance(vars(made.eval().backbone)['forward'], compiled.CompiledForward)


def test_switched_off_nothing_is_left(model):
    compile_dense_parts(compile_dense_parts(model, True), False)
    assert 'forward' not in vars(model.backbone)


def test_the_first_call_of_a_size_says_so(module, log):
    with torch.no_grad():
        for number in (2, 2, 3):
            module(torch.ones(number))
    said = [line for line in log.getvalue().splitlines() if 'Compiling it' in line]
    assert ['input of 2:' in said[0], 'input of 3:' in said[1], len(said)] == [1, 1, 2]


def test_more_sizes_than_are_kept_run_plainly(module, log, monkeypatch):
    monkeypatch.setattr(compiled, 'MAX_SIZES', 1)
    with torch.no_grad():
        found = [module(torch.ones(number)).sum().item() for number in (2, 3, 3)]
    assert found == [4, 6, 6]
    assert log.getvalue().count('is compiled for 1 sizes') == 1


def test_where_gradients_are_wanted_it_is_the_modules_own(module):
    module(torch.ones(2)).sum().backward()
    assert module.weight.grad == 2 and not module.forward.compiled


def test_a_copy_computes_with_its_own_weights(module):
    with torch.no_grad():
        module(torch.ones(2))
        other = copy.deepcopy(module)
        other.weight.fill_(5)
        assert other(torch.ones(2)).tolist() == [5, 5]


class Head(nn.Module):
    """A keypoint head that gives back what it is given."""

    def forward(self, x):
        return KeypointOutput(x * 1, x[..., 0])


@pytest.mark.parametrize(
    ('number', 'sizes'), [(0, set()), (3, {4}), (8, {8}), (20, {8, 4})]
)
def test_instances_are_filled_up_and_cut_off_again(monkeypatch, number, sizes):
    monkeypatch.setattr(compiled, 'INSTANCES', (4, 8))
    head = Head().eval()
    head.forward = compiled.CompiledKeypointHead(head, 'it', 'eager')
    x = torch.randn(number, 2, 3, 3)
    with torch.no_grad():
        found = head(x)
    assert torch.equal(found.logits, x) and torch.equal(found.visibility, x[..., 0])
    assert {shape[0] for _, (shape, _) in head.forward.compiled} == sizes
