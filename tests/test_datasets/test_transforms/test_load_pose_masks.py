# Copyright (c) onestage_pose contributors.
import json

from onestage_pose.datasets import LoadPoseMasks
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
        POLYGON[0],
        dict(size=[8, 10], counts=[17, 3, 5, 3, 5, 3, 5, 3, 36]),
        json.loads(
            json.dumps(
                mask_utils.encode(np.asfortranarray(EXPECTED)), default=bytes.decode
            )
        ),
    ],
    ids=['polygon', 'compressed', 'flat list', 'run lengths', 'compressed as text'],
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


@pytest.mark.parametrize(
    ('outline', 'message'),
    [
        ([[3, 3]], 'at least three points'),
        ([[1, 1, 4, 4]], 'at least three points'),
        ([1, 1, 4, 4], 'at least three points'),
        ([POLYGON[0], [3, 3]], 'at least three points'),
        ([[1, 1, 4, 1, 4, 4, 1]], 'at least three points'),
        ([[1, 1, 4, 1, 4, '4']], "'4' is not a position in an image"),
        ([[1, 1, 4, 1, 4, float('nan')]], 'nan is not a position'),
        ([[1, 1, 4, 1, 4, 10**400]], 'is not a position'),
        ('2,1 6,1 6,4', 'a str is not an outline'),
        (dict(size=[10, 8], counts=[80]), r'size \(height, width\) \[10, 8\] in an'),
        (dict(counts=[80]), r'size \(height, width\) None'),
        (dict(size=[8, 10]), 'have counts, a list or a text'),
        (dict(size=[8, 10], counts=[17, 3]), 'their sum the 80 pixels'),
        (dict(size=[8, 10], counts=[90, -10]), 'whole numbers from 0 on'),
        (dict(size=[8, 10], counts='a\x00'), 'is not a character of run lengths'),
        (dict(size=[8, 10], counts='o'), 'end too early'),
        (
            dict(mask_utils.encode(np.zeros((8, 11), np.uint8, 'F')), size=[8, 10]),
            'are of 88 pixels, the image has 80',
        ),
    ],
)
def test_what_is_no_outline_is_named(outline, message):
    with pytest.raises(AnnotationError, match=f'a.jpg: annotation id=1 .*{message}'):
        LoadPoseMasks().transform(results_of(POLYGON, outline))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.booleans(), min_size=80, max_size=80))
def test_any_mask_comes_back_from_its_run_lengths(pixels):
    mask = np.asfortranarray(np.reshape(pixels, (8, 10)).astype(np.uint8))
    outline = mask_utils.encode(mask)
    masks = LoadPoseMasks().transform(results_of(outline))['gt_masks']
    np.testing.assert_array_equal(masks.masks[0], mask)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.text(alphabet=[chr(code) for code in range(48, 112)], max_size=12))
def test_any_compressed_text_is_drawn_or_named(text):
    results = results_of(dict(size=[8, 10], counts=text))
    try:
        masks = LoadPoseMasks().transform(results)['gt_masks']
    except AnnotationError as error:
        assert str(error).startswith('a.jpg: annotation id=0 ')
    else:
        assert masks.masks.shape == (1, 8, 10)
