# Copyright (c) onestage_pose contributors.
from onestage_pose.structures import KeypointOutput

import torch


def test_visibility_is_optional():
    logits = torch.zeros(2, 17, 56, 56)
    output = KeypointOutput(logits)
    assert output.logits is logits and output.visibility is None
