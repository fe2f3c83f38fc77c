# Copyright (c) onestage_pose contributors.
from onestage_pose.datasets import LoadPoseMasks

import numpy as np
import pytest
from pycocotools import mask as mask_utils

POLYGON = [[2, 1, 6, 1, 6, 4, 2, 4]]
EXPECTED = np.zeros((8, 10), np.uint8)
EXPECTED[1:4, 2:6] = 1


def results_of(*outlines):
    return dict(
        segmentation=list(outlines),
        id=list(range(len(outlines))),
        img_shape=(8, 10),
        img_path='a.jpg',
    )


@pytest.mark.parametrize(
    'outline',
    [
        POLYGON,
        mask_utils.encode(np.asfortranarray(EXPECTED)),
        dict(size=[8, 10], counts=[17, 3, 5, 3, 5, 3, 5, 3, 36]),
    ],
    ids=['polygon', 'compressed', 'run lengths'],
)
def test_every_form_of_an_outline_is_drawn(outline):
    masks = LoadPoseMasks().transform(results_of(outline))['gt_masks']
    np.testing.assert_array_equal(masks.masks, EXPECTED[None])


def test_the_parts_of_one_person_are_joined():
    parts = [[0, 0, 2, 0, 2, 2, 0, 2], [5, 5, 7, 5, 7, 7, 5, 7]]
    masks = LoadPoseMasks().transform(results_of(parts))['gt_masks']
    assert masks.masks.sum() == 8


def test_nobody_gives_no_masks_of_the_right_size():
    masks = LoadPoseMasks().transform(results_of())['gt_masks']
    assert masks.masks.shape == (0, 8, 10)


def test_people_without_an_outline_are_named():
    with pytest.raises(ValueError, match=r'a\.jpg: annotations id=\[1\] have no "segm'):
        LoadPoseMasks().transform(results_of(POLYGON, None))


def test_a_dataset_without_outlines_is_told_the_option():
    with pytest.raises(ValueError, match='set with_segmentation=True'):
        LoadPoseMasks().transform(dict(img_shape=(8, 10)))
