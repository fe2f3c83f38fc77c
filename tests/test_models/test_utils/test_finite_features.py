# Copyright (c) onestage_pose contributors.
"""A network that overflows is an error, not an image without people."""

from onestage_pose.utils.errors import NonFiniteError

import pytest
import torch

from tests.model_factory import make_picture, make_sample, predict, tiny_model


@pytest.mark.parametrize('value', [float('inf'), float('nan'), 1e37])
def test_weights_that_overflow_are_an_error_that_names_the_image(value):
    model = tiny_model()
    for weight in model.backbone.parameters():
        weight.data.fill_(value)
    sample = make_sample((64, 96))
    sample.set_metainfo(dict(img_path='people.jpg'))

    with pytest.raises(NonFiniteError, match='people.jpg.* damaged'):
        predict(model, [make_picture(64, 96)], [sample])


def test_zeros_are_numbers():
    model = tiny_model()
    for weight in model.backbone.parameters():
        torch.nn.init.zeros_(weight)

    (result,) = predict(model, [make_picture(64, 96)], [make_sample((64, 96))])

    assert result.pred_instances.keypoints.ndim == 3
