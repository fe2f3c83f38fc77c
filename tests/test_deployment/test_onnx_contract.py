# Copyright (c) onestage_pose contributors.
"""The published contract of a graph: what breaks it is named."""

import re

from onestage_pose.deployment.onnx_contract import (
    INPUTS,
    OUTPUTS,
    VISIBILITY_OUTPUTS,
    check_outputs,
)
from onestage_pose.utils.errors import OnnxFileError

import numpy as np
import pytest

from tests.tool_runs import REPOSITORY


def three_people():
    """Two in image 0, one in image 2, of four keypoints."""
    return dict(
        bboxes=np.ones((3, 4), np.float32),
        scores=np.array([0.9, 0.5, 0.8], np.float32),
        keypoints=np.ones((3, 4, 2), np.float32),
        keypoint_scores=np.ones((3, 4), np.float32),
        labels=np.zeros(3, np.int64),
        keypoint_presence=np.ones((3, 4), np.float32),
        keypoints_visible=np.ones((3, 4), np.float32),
        image_indices=np.array([0, 0, 2]),
    )


def test_what_the_contract_says_passes():
    found = three_people()

    check_outputs(found, 3, 4)

    assert list(found) == list(OUTPUTS)


def test_presence_may_be_missing():
    found = three_people()
    del found['keypoint_presence'], found['keypoints_visible']

    check_outputs(found, 3, 4)

    assert set(OUTPUTS) - set(found) == set(VISIBILITY_OUTPUTS)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(labels=np.zeros(3, np.int32)), 'labels as int32 of shape .3,.; expected'),
        (dict(bboxes=np.ones((2, 4), np.float32)), 'bboxes as float32 of shape .2, 4.'),
        (dict(keypoints=np.full((3, 4, 2), np.nan, np.float32)), 'keypoints .* finite'),
        (
            dict(keypoint_presence=np.full((3, 4), 1.5, np.float32)),
            'presence outside of 0 to',
        ),
        (dict(image_indices=np.array([0, 0, 3])), 'image_indices outside of the batch'),
        (dict(image_indices=np.array([0, 2, 0])), 'people out of order'),
        (dict(scores=np.array([0.5, 0.9, 0.8], np.float32)), 'people out of order'),
    ],
)
def test_what_breaks_it_is_named(changes, message):
    with pytest.raises(OnnxFileError, match=message):
        check_outputs(three_people() | changes, 3, 4)


def test_a_missing_output_is_named():
    found = three_people()
    del found['image_indices']

    with pytest.raises(OnnxFileError, match='does not give image_indices'):
        check_outputs(found, 3, 4)


def test_the_documentation_has_the_same_table():
    text = (REPOSITORY / 'docs/how_to/export_onnx.md').read_text()
    rows = dict(re.findall(r'^\|[^|]*\| `(\w+)` \| (.*?) \|', text, re.MULTILINE))

    for name, (dtype, dims) in (INPUTS | OUTPUTS).items():
        shape = ', '.join(map(str, dims)) + (',' if len(dims) == 1 else '')
        assert rows[name] == f'({shape}) {dtype}'
