# Copyright (c) onestage_pose contributors.
"""A model is found in its wrapper, and by itself."""

from onestage_pose.utils.wrapped_model import unwrap

from mmengine.registry import MODEL_WRAPPERS
from torch import nn


@MODEL_WRAPPERS.register_module(name='WrapperOfTheTest')
class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


def test_a_wrapped_model_is_taken_out():
    model = nn.Linear(1, 1)

    assert unwrap(Wrapper(model)) is model


def test_a_module_with_a_part_of_that_name_is_no_wrapper():
    model = nn.Sequential()
    model.module = nn.Linear(1, 1)

    assert unwrap(model) is model
