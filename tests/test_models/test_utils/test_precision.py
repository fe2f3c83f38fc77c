# Copyright (c) onestage_pose contributors.
from onestage_pose.models.utils.precision import tensor_float32

import pytest
import torch


def settings():
    """PyTorch's, which are there without a GPU, too."""
    return [torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32]


@pytest.mark.parametrize('allowed', [True, False])
def test_tf32_is_as_asked_for_and_then_as_before(allowed):
    before = settings()
    with pytest.raises(KeyError), tensor_float32(allowed, 'cuda'):
        assert settings() == [allowed] * 2
        raise KeyError
    assert settings() == before


def test_other_devices_leave_it_as_it_is():
    before = settings()
    with tensor_float32(not before[0], 'cpu'):
        assert settings() == before


@pytest.mark.skipif(
    not hasattr(torch.backends.cudnn, 'conv'), reason='from PyTorch 2.9 on'
)
def test_settings_made_in_the_newer_way_are_put_back_too():
    conv = torch.backends.cudnn.conv
    before = conv.fp32_precision
    try:
        conv.fp32_precision = 'ieee'
        with tensor_float32(True, 'cuda'):
            assert conv.fp32_precision == 'tf32'
        assert conv.fp32_precision == 'ieee'
    finally:
        conv.fp32_precision = before
