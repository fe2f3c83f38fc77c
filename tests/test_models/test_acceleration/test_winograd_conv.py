# Copyright (c) onestage_pose contributors.
from onestage_pose.models.acceleration import WinogradConv2d, winograd_conv

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def conv(channels=8, out_channels=8, **options):
    options = dict(dict(kernel_size=3, padding=1), **options)
    return nn.Conv2d(channels, out_channels, **options)


@pytest.fixture
def no_thresholds(monkeypatch):
    monkeypatch.setattr(WinogradConv2d, 'MIN_CHANNELS', 1)
    monkeypatch.setattr(WinogradConv2d, 'MIN_NUMEL', 1)


@pytest.fixture
def calls(monkeypatch):
    """Tiles' sides of the convolutions computed by Winograd's algorithm."""
    found = []

    real = winograd_conv.winograd_conv

    def spy(x, weight, bias, tile, block):
        found.append(tile)
        return real(x, weight, bias, tile, block)

    monkeypatch.setattr(winograd_conv, 'winograd_conv', spy)
    return found


class TestAlgorithm:
    @pytest.mark.parametrize('tile', [2, 4])
    @pytest.mark.parametrize('size', [(14, 14), (1, 1), (5, 3), (2, 17), (25, 34)])
    # all at once; pictures one by one; rows of tiles one by one
    @pytest.mark.parametrize('block', [2**21, 6000, 1])
    def test_agrees_with_the_definition(self, tile, size, block):
        x = torch.randn(3, 7, *size)
        weight, bias = torch.randn(5, 7, 3, 3), torch.randn(5)
        made = winograd_conv.winograd_conv(x, weight, bias, tile, block)
        expected = F.conv2d(x.double(), weight.double(), bias.double(), padding=1)
        torch.testing.assert_close(made.double(), expected, rtol=0, atol=5e-4)

    @pytest.mark.parametrize(
        ('threads', 'height', 'free'), [(2, 16, 4), (2, 12, 0), (1, 16, 0)]
    )
    def test_free_threads_take_the_blocks_if_there_are_enough(
        self, threads, height, free, monkeypatch
    ):
        taken = []
        real = winograd_conv.run_by_free_threads
        monkeypatch.setattr(
            winograd_conv,
            'run_by_free_threads',
            lambda function, blocks: (taken.extend(blocks), real(function, blocks)),
        )
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        x, weight = torch.randn(1, 4, height, 8), torch.randn(3, 4, 3, 3)
        made = winograd_conv.winograd_conv(x, weight, None, 4, block=1)
        torch.set_num_threads(before)
        expected = F.conv2d(x, weight, padding=1)
        torch.testing.assert_close(made, expected, rtol=0, atol=1e-4)
        assert len(taken) == free

    def test_without_bias(self):
        x, weight = torch.randn(1, 4, 6, 6), torch.randn(3, 4, 3, 3)
        made = winograd_conv.winograd_conv(x, weight, None, 4)
        expected = F.conv2d(x, weight, padding=1)
        torch.testing.assert_close(made, expected, rtol=0, atol=1e-4)

    @pytest.mark.parametrize('tile', [2, 4])
    def test_is_as_exact_as_can_be_asked_of_float32(self, tile):
        torch.manual_seed(0)
        x = torch.randn(2, 256, 28, 28).relu()
        weight = torch.randn(256, 256, 3, 3) * (2 / 9 / 256) ** 0.5
        expected = F.conv2d(x.double(), weight.double(), padding=1)
        made = winograd_conv.winograd_conv(x, weight, None, tile)
        assert (made - expected).abs().max() < 1e-4 * expected.std()

    def test_gives_the_channels_last(self):
        x, weight = torch.randn(2, 4, 5, 6), torch.randn(3, 4, 3, 3)
        made = winograd_conv.winograd_conv(x, weight, None, 4)
        assert made.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.usefixtures('no_thresholds')
class TestModule:
    def converted(self, **options):
        plain = conv(**options)
        model = nn.Sequential(plain)
        WinogradConv2d.convert(model)
        return model[0]

    def test_predicts_by_the_algorithm(self, calls):
        module, x = self.converted(), torch.randn(2, 8, 9, 9)
        with torch.no_grad():
            made = module(x)
        assert calls == [4]
        torch.testing.assert_close(made, F.conv2d(x, *module.parameters(), padding=1))

    def test_many_channels_go_in_small_tiles(self, calls):
        module = self.converted(channels=512, out_channels=512)
        with torch.no_grad():
            module(torch.randn(1, 512, 4, 4))
        assert calls == [2]

    def test_learns_as_ever(self, calls):
        module, x = self.converted(), torch.randn(2, 8, 9, 9)
        module(x).sum().backward()
        assert not calls and module.weight.grad is not None

    @pytest.mark.parametrize('change', ['autocast', 'float64', 'one picture', 'small'])
    @torch.no_grad()
    def test_other_cases_are_those_of_a_plain_convolution(
        self, calls, monkeypatch, change
    ):
        module, x = self.converted(), torch.randn(2, 8, 9, 9)
        if change == 'float64':
            module, x = module.double(), x.double()
        elif change == 'one picture':
            x = x[0]
        elif change == 'small':
            monkeypatch.setattr(WinogradConv2d, 'MIN_NUMEL', x.numel() + 1)
        with torch.autocast('cpu', torch.bfloat16, enabled=change == 'autocast'):
            made = module(x)
            expected = F.conv2d(x, *module.parameters(), padding=1)
        assert not calls and torch.equal(made, expected)

    def test_weights_keep_their_names(self):
        plain = conv()
        module = nn.Sequential(plain)
        before = list(module.state_dict())
        WinogradConv2d.convert(module)
        assert isinstance(module[0], WinogradConv2d)
        assert list(module.state_dict()) == before

    @pytest.mark.parametrize(
        'options',
        [
            dict(kernel_size=1, padding=0),
            dict(kernel_size=(3, 1), padding=(1, 0)),
            dict(stride=2),
            dict(padding=0),
            dict(dilation=2, padding=2),
            dict(groups=2),
            dict(padding_mode='reflect'),
        ],
        ids=str,
    )
    def test_other_convolutions_are_left(self, options):
        assert type(self.converted(**options)) is nn.Conv2d


def test_few_channels_are_left():
    model = nn.Sequential(conv(64, 256), conv(256, 64))
    WinogradConv2d.convert(model)
    assert all(type(module) is nn.Conv2d for module in model)
