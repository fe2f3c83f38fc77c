# Copyright (c) onestage_pose contributors.
"""A fifth of the images, by a seed, to validate on."""

from onestage_pose.data_tools.fine_tuning.split import split_images, take_images
from onestage_pose.utils.errors import UsageError

import numpy as np
import pytest


@pytest.mark.parametrize(
    ('number', 'val'), [(2, 1), (10, 2), (30, 6), (1000, 200), (100_000, 5000)]
)
def test_a_fifth_is_for_validation_and_5000_at_most(number, val):
    assert split_images([True] * number).sum() == val


def test_both_parts_have_labelled_keypoints():
    labelled = np.zeros(20, bool)
    labelled[[3, 8]] = True
    is_val = split_images(labelled)
    assert is_val[labelled].sum() == 1


def test_the_seed_decides():
    first, again = split_images([True] * 50), split_images([True] * 50)
    assert (first == again).all()
    assert (first != split_images([True] * 50, seed=1)).any()


def test_one_labelled_image_is_too_few():
    with pytest.raises(UsageError, match='1 of 5 images have labelled keypoints'):
        split_images([False, True, False, False, False])


def test_annotations_go_with_their_images():
    content = dict(
        images=[dict(id=5), dict(id=6)],
        annotations=[dict(id=1, image_id=6), dict(id=2, image_id=5)],
        categories=['kept'],
    )
    assert take_images(content, [False, True]) == dict(
        images=[dict(id=6)],
        annotations=[dict(id=1, image_id=6)],
        categories=['kept'],
    )
