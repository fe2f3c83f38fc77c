# Copyright (c) onestage_pose contributors.
"""What the stand-in for ``mmcv._ext`` answers, beside the operators it serves."""

import importlib
import pkgutil

import onestage_pose
from onestage_pose.ops.fallback_module import FallbackModule

import mmcv.ops
import mmcv.utils
import pytest
import torch

needs_fallback = pytest.mark.skipif(
    onestage_pose.ops.backend() == 'mmcv', reason='compiled mmcv is installed'
)


def test_unserved_operator_names_itself_and_the_remedy_when_called():
    operator = FallbackModule().deform_conv_forward

    with pytest.raises(NotImplementedError, match="'deform_conv_forward'.*full mmcv"):
        operator(torch.zeros(1), kernel_w=3)


def test_private_names_are_absent():
    assert not hasattr(FallbackModule(), '__path__')


@needs_fallback
def test_unserved_operator_is_refused_through_mmcv():
    with pytest.raises(NotImplementedError, match="'softnms'.*mmcv>=2"):
        mmcv.ops.soft_nms(torch.rand(3, 4), torch.rand(3))


@needs_fallback
@pytest.mark.parametrize(
    'name', [module.name for module in pkgutil.iter_modules(mmcv.ops.__path__)]
)
def test_module_of_mmcv_ops_is_importable(name):
    assert importlib.import_module(f'mmcv.ops.{name}')


@needs_fallback
def test_mmcv_says_that_compiled_operators_are_absent():
    assert mmcv.utils.ext_loader.check_ops_exist() is False


@needs_fallback
def test_mmcv_environment_report_works():
    report = mmcv.utils.collect_env()

    assert report['MMCV Compiler'] == 'n/a (mmcv-lite)'
