# Copyright (c) onestage_pose contributors.
"""A batch is split into images as they are alone."""

from onestage_pose.models.utils.like_sizes import split_by_size

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmpose.structures import PoseDataSample


def make_batch(sizes):
    """Images of these padded sizes, padded with zeros to the largest."""
    height, width = (max(side) for side in zip(*sizes))
    images = torch.zeros(len(sizes), 3, height, width)
    for number, (image, (h, w)) in enumerate(zip(images, sizes), 1):
        image[:, :h, :w] = number
    samples = [PoseDataSample(metainfo=dict(pad_shape=size)) for size in sizes]
    return images, samples


def test_images_of_one_size_stay_the_batch_that_they_are():
    images, samples = make_batch([(4, 6), (4, 6)])

    [(found, of)] = split_by_size(images, samples)

    assert found is images and of is samples


def test_without_a_size_the_batch_stays_as_it_is():
    images, _ = make_batch([(4, 6), (2, 3)])

    [(found, _)] = split_by_size(images, [PoseDataSample(), PoseDataSample()])

    assert found is images


@pytest.mark.parametrize('sizes', [[(4, 6), (2, 3)], [(4, 3), (2, 6)], [(2, 3)]])
def test_each_image_has_the_size_that_it_has_alone(sizes):
    images, samples = make_batch(sizes)
    whole = torch.nn.functional.pad(images, (0, 3, 0, 2))

    found = [tuple(group.shape[2:]) for group, _ in split_by_size(whole, samples)]

    assert found == sizes


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1))
def test_every_image_comes_once_with_its_sample_and_without_padding(sizes):
    images, samples = make_batch(sizes)

    found = {
        id(sample): image
        for group, of in split_by_size(images, samples)
        for image, sample in zip(group, of, strict=True)
    }

    assert len(found) == len(samples)
    for number, (size, sample) in enumerate(zip(sizes, samples), 1):
        image = found[id(sample)]
        assert image.shape == (3, *size) and (image == number).all()
