# Copyright (c) onestage_pose contributors.
from onestage_pose.models.acceleration.float32_outputs import cast_outputs_to_float32

import torch


def test_nested_outputs_become_float32():
    half = torch.zeros(2, dtype=torch.bfloat16)
    made = cast_outputs_to_float32(None, (), ([half], half))
    assert made[0][0].dtype == made[1].dtype == torch.float32
