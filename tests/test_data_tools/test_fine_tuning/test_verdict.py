# Copyright (c) onestage_pose contributors.
"""Errors in pixels, and a sheet of annotations beside predictions."""

from onestage_pose.apis.result import PoseResult
from onestage_pose.data_tools.fine_tuning.skeleton import make_metainfo
from onestage_pose.data_tools.fine_tuning.verdict import draw_sheet, measure

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

META = parse_pose_metainfo(make_metainfo('two', ['a', 'b']))


def result_of(*boxes, shift=0.0, image=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.stack((boxes[:, :2], boxes[:, 2:]), axis=1) + (shift, 0)
    return PoseResult(
        boxes=boxes,
        scores=np.ones(len(boxes), np.float32),
        keypoints=points.astype(np.float32),
        keypoint_scores=np.ones((len(boxes), 2), np.float32),
        names=('a', 'b'),
        shape=(60, 80),
        path='x.png',
        image=image,
        dataset_meta=META,
    )


def truth_of(*boxes, labelled=(True, True)):
    result = result_of(*boxes)
    flags = np.tile(np.array(labelled), (len(boxes), 1))
    return dict(boxes=result.boxes, keypoints=result.keypoints, labelled=flags)


BOX, OTHER = (10, 10, 30, 40), (50, 10, 70, 40)


def test_errors_are_distances_in_pixels():
    verdict = measure([result_of(BOX, shift=3.0)], [truth_of(BOX)], 2)
    assert verdict.median == pytest.approx(3.0)
    assert (verdict.num_instances, verdict.num_found) == (1, 1)


def test_what_nobody_has_found_has_no_error():
    verdict = measure([result_of(BOX)], [truth_of(BOX, OTHER)], 2)
    assert (verdict.num_instances, verdict.num_found) == (2, 1)
    assert [len(each) for each in verdict.errors] == [1, 1]


def test_one_prediction_is_compared_once():
    verdict = measure([result_of(BOX)], [truth_of(BOX, BOX)], 2)
    assert verdict.num_found == 1


def test_what_is_not_labelled_is_not_compared():
    verdict = measure([result_of(BOX)], [truth_of(BOX, labelled=(True, False))], 2)
    assert [len(each) for each in verdict.errors] == [1, 0]


def test_nothing_found_has_no_median():
    verdict = measure([result_of()], [truth_of(BOX)], 2)
    assert np.isnan(verdict.median)


@pytest.mark.parametrize(('number', 'rows'), [(1, 1), (2, 2), (3, 2), (12, 6)])
def test_the_sheet_has_each_image_twice(number, rows):
    image = np.zeros((60, 80, 3), np.uint8)
    results = [result_of(BOX, image=image)] * number
    sheet = draw_sheet(results, [truth_of(BOX)] * number)
    height, width = sheet.shape[:2]
    columns = 1 if number < 3 else 2
    assert height == rows * (300 + 24 + 4)
    # 80x60 pixels become 400x300
    assert width == columns * (2 * 400 + 8)
