# Copyright (c) onestage_pose contributors.
import copy

from onestage_pose.models.acceleration import WinogradConv2d, fold_norms

import pytest
import torch
from mmdet.models.backbones import ResNet
from mmdet.models.layers import FrozenBatchNorm2d
from torch import nn


def randomize(model):
    for norm in model.modules():
        if isinstance(norm, FrozenBatchNorm2d):
            for name, buffer in norm.named_buffers():
                buffer.normal_(0 if name in ('bias', 'running_mean') else 1, 0.2)
            norm.running_var.abs_().add_(0.1)
    return model


def norms_run(model, x):
    """How many norms change what they are given."""
    found = []

    def compare(module, args, output):
        found.append(output is not args[0])

    handles = [
        module.register_forward_hook(compare)
        for module in model.modules()
        if isinstance(module, FrozenBatchNorm2d)
    ]
    made = model(x)
    for handle in handles:
        handle.remove()
    return made, sum(found)


@pytest.fixture
def plain():
    torch.manual_seed(0)
    return randomize(
        nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2, bias=False),
            FrozenBatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 5, 1),
            FrozenBatchNorm2d(5),
        )
    )


@pytest.fixture
def folding(plain):
    folding = copy.deepcopy(plain)
    fold_norms(folding)
    return folding


@pytest.fixture
def x():
    return torch.randn(2, 3, 9, 11)


@torch.no_grad()
def test_agrees_with_the_plain_path(plain, folding, x):
    made, run = norms_run(folding, x)
    assert run == 0
    torch.testing.assert_close(made, plain(x), rtol=1e-5, atol=1e-5)


def test_learns_as_ever(plain, folding, x):
    made, run = norms_run(folding, x)
    assert run == 2 and torch.equal(made, plain(x))
    made.sum().backward()
    plain(x).sum().backward()
    assert torch.equal(folding[0].weight.grad, plain[0].weight.grad)


@torch.no_grad()
def test_is_left_out_of_a_traced_graph(folding, x):
    traced = torch.jit.trace(folding, x)
    assert (
        sum('batch_norm' in node.kind() for node in traced.inlined_graph.nodes()) == 2
    )


@torch.no_grad()
def test_whatever_changes_the_weights_is_heeded(plain, folding, x):
    folding(x)
    # past autograd's counter of versions, as mmengine's EMA hook changes them
    for model in (plain, folding):
        model[0].weight.data.mul_(2)
        model[1].running_var.data.mul_(3)
    torch.testing.assert_close(folding(x), plain(x), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_copy_norms_by_its_own_numbers(folding, x):
    before = folding(x)
    other = copy.deepcopy(folding)
    other[1].weight.zero_()
    other(x)
    assert torch.equal(folding(x), before)


def test_names_and_parameters_stay(plain, folding):
    assert list(folding.state_dict()) == list(plain.state_dict())
    assert len(list(folding.modules())) == len(list(plain.modules()))


@torch.no_grad()
def test_winograd_is_scaled_too(monkeypatch, x):
    monkeypatch.setattr(WinogradConv2d, 'MIN_CHANNELS', 1)
    monkeypatch.setattr(WinogradConv2d, 'MIN_NUMEL', 1)
    plain = randomize(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), FrozenBatchNorm2d(4))
    )
    folding = copy.deepcopy(plain)
    WinogradConv2d.convert(folding)
    fold_norms(folding)
    assert isinstance(folding[0], WinogradConv2d)
    made, run = norms_run(folding, x)
    assert run == 0
    torch.testing.assert_close(made, plain(x), rtol=1e-4, atol=1e-4)


def test_other_norms_and_orders_are_left():
    conv, norm = nn.Conv2d(3, 3, 1), FrozenBatchNorm2d(3)
    for layers in (
        (norm, conv),
        (conv, nn.ReLU(), norm),
        (conv, nn.BatchNorm2d(3)),
        (nn.ConvTranspose2d(3, 3, 1), norm),
    ):
        model = nn.Sequential(*layers)
        fold_norms(model)
        assert [type(layer) for layer in model] == [type(layer) for layer in layers]
        assert type(conv) is nn.Conv2d and type(norm) is FrozenBatchNorm2d


@torch.no_grad()
@pytest.mark.parametrize('depth', [18, 50])
def test_all_norms_of_a_resnet_are_folded(depth):
    plain = ResNet(depth, norm_cfg=dict(type='mmdet.FrozenBN'), norm_eval=True)
    plain.eval()
    randomize(plain)
    folding = copy.deepcopy(plain)
    fold_norms(folding)
    x = torch.randn(1, 3, 64, 64)
    made, run = norms_run(folding, x)
    assert run == 0
    for one, other in zip(made, plain(x)):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * other.std())
