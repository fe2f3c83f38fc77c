# Copyright (c) onestage_pose contributors.
import itertools

from onestage_pose.models import GlobalContextModule, RelativePositionAttention

import pytest
import torch
import torch.nn.functional as F

HEIGHT, WIDTH, HEADS, CHANNELS = 3, 4, 2, 5


@pytest.fixture
def attention():
    return RelativePositionAttention(6, (HEIGHT, WIDTH), HEADS, CHANNELS).double()


def relative_logits_by_loops(attention, query):
    """Query (N, heads, H * W, channels), one product after the other."""
    positions = list(itertools.product(range(HEIGHT), range(WIDTH)))
    logits = query.new_zeros(len(query), HEADS, len(positions), len(positions))
    for n, head in itertools.product(range(len(query)), range(HEADS)):
        for a, (i, j) in enumerate(positions):
            for b, (u, v) in enumerate(positions):
                embedding = (
                    attention.rel_height[u - i + HEIGHT - 1]
                    + attention.rel_width[v - j + WIDTH - 1]
                )
                logits[n, head, a, b] = sum(query[n, head, a] * embedding)
    return logits


def attention_by_loops(attention, x):
    inner = HEADS * CHANNELS
    weights = torch.cat((attention.to_qk.weight, attention.to_v.weight))[..., 0, 0]
    projected = torch.einsum('oc,nchw->nohw', weights, x)
    query, key, value = projected.flatten(2).split(inner, dim=1)
    query = query * CHANNELS**-0.5

    def of_head(t, head):
        return t[:, head * CHANNELS : (head + 1) * CHANNELS].transpose(1, 2)

    position = relative_logits_by_loops(
        attention, torch.stack([of_head(query, head) for head in range(HEADS)], 1)
    )
    out = torch.zeros_like(value)
    for n, head in itertools.product(range(len(x)), range(HEADS)):
        q, k, v = (of_head(t, head)[n] for t in (query, key, value))
        for a in range(HEIGHT * WIDTH):
            logits = [
                sum(q[a] * k[b]) + position[n, head, a, b]
                for b in range(HEIGHT * WIDTH)
            ]
            weight = torch.stack(logits).softmax(0)
            out[n, head * CHANNELS : (head + 1) * CHANNELS, a] = weight @ v
    return out.view(len(x), inner, HEIGHT, WIDTH)


class TestRelativePositionAttention:
    def test_relative_position_is_that_of_explicit_loops(self, attention):
        query = torch.randn(2, HEADS, HEIGHT * WIDTH, CHANNELS, dtype=torch.float64)
        by_position, where = attention.relative_position(query)
        torch.testing.assert_close(
            by_position @ where.mT,
            relative_logits_by_loops(attention, query),
            rtol=0,
            atol=1e-12,
        )

    def test_output_equals_explicit_loops(self, attention):
        x = torch.randn(2, 6, HEIGHT, WIDTH, dtype=torch.float64)
        torch.testing.assert_close(
            attention(x), attention_by_loops(attention, x), rtol=0, atol=1e-12
        )

    def test_tables_hold_every_offset(self):
        attention = RelativePositionAttention(512)
        assert attention.rel_height.shape == attention.rel_width.shape == (27, 128)

    def test_the_tables_spread_is_that_of_a_unit_embedding(self):
        attention = RelativePositionAttention(512)
        assert attention.rel_width.std().item() == pytest.approx(128**-0.5, rel=0.1)

    def test_gradient_reaches_both_tables_and_all_projections(self, attention):
        attention(torch.randn(1, 6, HEIGHT, WIDTH).double()).square().sum().backward()
        assert all(p.grad.abs().sum() > 0 for p in attention.parameters())

    def test_nobody(self, attention):
        out = attention.train()(torch.zeros(0, 6, HEIGHT, WIDTH).double())
        assert out.shape == (0, HEADS * CHANNELS, HEIGHT, WIDTH)

    def test_feat_size_may_be_a_list(self):
        attention = RelativePositionAttention(6, [HEIGHT, WIDTH], HEADS, CHANNELS)
        assert attention(torch.zeros(1, 6, HEIGHT, WIDTH)).shape[-2:] == (3, 4)

    def test_a_map_of_another_size_is_refused(self, attention):
        with pytest.raises(ValueError, match=r'\(3, 4\) but got \(4, 3\).*feat_size'):
            attention(torch.zeros(1, 6, WIDTH, HEIGHT).double())


class TestGlobalContextModule:
    @pytest.fixture
    def module(self):
        module = GlobalContextModule(8, feat_size=(3, 4), num_heads=2)
        module.init_weights()
        return module

    def test_formula(self, module):
        x = torch.randn(5, 8, 3, 4)

        def norm_relu(t, norm):
            mean = t.mean((0, 2, 3), keepdim=True)
            variance = t.var((0, 2, 3), unbiased=False, keepdim=True)
            scale = norm.weight.view(1, -1, 1, 1) * (variance + 1e-5) ** -0.5
            return F.relu((t - mean) * scale + norm.bias.view(1, -1, 1, 1))

        y = x + module.attention(norm_relu(x, module.norm1))
        conv = module.conv
        expected = y + F.conv2d(
            norm_relu(y, module.norm2), conv.weight, conv.bias, padding=1
        )
        torch.testing.assert_close(module.train()(x), expected)

    def test_batch_norm_learns_statistics_over_the_people(self, module):
        x = 3 + torch.randn(50, 8, 3, 4)
        for _ in range(60):
            module.train()(x)
        assert module.norm1.running_mean.tolist() == pytest.approx([3] * 8, abs=0.2)

    def test_initialisation(self):
        module = GlobalContextModule(64, feat_size=3)
        module.init_weights()
        norm_weights = torch.cat([module.norm1.weight, module.norm2.weight])
        biases = [p for name, p in module.named_parameters() if name.endswith('bias')]
        assert norm_weights.min() >= 0 and norm_weights.max() <= 1
        assert norm_weights.std().item() == pytest.approx(12**-0.5, rel=0.3)
        assert not torch.cat(biases).any()
        kaiming = (2 / (64 * 9)) ** 0.5
        assert module.conv.weight.std().item() == pytest.approx(kaiming, rel=0.05)

    def test_bfloat16_agrees_with_float32(self, module):
        x = torch.randn(4, 8, 3, 4)
        expected = module.eval()(x)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            out = module(x)
        assert (out.float() - expected).abs().max() < 0.03 * expected.std()

    def test_channels_must_divide_among_the_heads(self):
        with pytest.raises(ValueError, match='channels=10.*num_heads=4'):
            GlobalContextModule(10, num_heads=4)
