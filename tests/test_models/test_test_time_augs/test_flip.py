# Copyright (c) onestage_pose contributors.
from onestage_pose.models.test_time_augs import (
    average_flipped,
    mirror_boxes,
    mirror_images,
)
from onestage_pose.structures import KeypointOutput

import torch


def test_an_image_is_mirrored_within_its_own_width():
    images = torch.zeros(2, 3, 4, 6)
    images[0, :, :, 0], images[1, :, :, 0] = 1.0, 2.0
    made = mirror_images(images, [dict(img_shape=(4, 6)), dict(img_shape=(4, 4))])
    assert made[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 1]
    assert made[1, 0, 0].tolist() == [0, 0, 0, 2, 0, 0]


def test_the_images_given_stay():
    images = torch.rand(1, 3, 4, 6)
    before = images.clone()
    mirror_images(images, [dict(img_shape=(4, 6))])
    assert torch.equal(images, before)


class TestAverageFlipped:
    def test_of_a_mirror_image_as_predicted_is_the_prediction(self):
        logits = torch.randn(2, 3, 5, 4)
        mirrored = KeypointOutput(logits[:, [0, 2, 1]].flip(-1))
        made = average_flipped(KeypointOutput(logits), mirrored, [0, 2, 1])
        assert torch.equal(made.logits, logits)

    def test_is_the_mean(self):
        zeros, ones = torch.zeros(1, 2, 5, 4), torch.ones(1, 2, 5, 4)
        made = average_flipped(KeypointOutput(zeros), KeypointOutput(ones), [0, 1])
        assert (made.logits == 0.5).all() and made.visibility is None

    def test_visibility_is_averaged_too(self):
        logits = torch.zeros(1, 2, 5, 4)
        made = average_flipped(
            KeypointOutput(logits, torch.tensor([[0.0, 1.0]])),
            KeypointOutput(logits, torch.tensor([[3.0, 4.0]])),
            [1, 0],
        )
        assert made.visibility.tolist() == [[2.0, 2.0]]


def test_boxes_are_mirrored_in_their_own_images():
    boxes = torch.tensor([[1.0, 2, 3, 4], [1.0, 2, 3, 4]])
    made = mirror_boxes(boxes, torch.tensor([10.0, 20.0]))
    assert made.tolist() == [[7, 2, 9, 4], [17, 2, 19, 4]]
