# Copyright (c) onestage_pose contributors.
from onestage_pose import datasets
from onestage_pose.datasets import BoxesFromKeypoints

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS


def standing(labelled=range(5, 17), size=(400, 300)):
    """Somebody upright: shoulders at y 100, hips at 160, ankles at 260."""
    points = np.zeros((1, 17, 2), np.float32)
    points[0, 5:] = [
        [160, 100], [140, 100], [165, 130], [135, 130], [165, 160], [135, 160],
        [158, 160], [142, 160], [158, 210], [142, 210], [158, 260], [142, 260],
    ]  # fmt: skip
    visible = np.zeros((1, 17), np.float32)
    visible[0, list(labelled)] = 1
    return dict(
        keypoints=points,
        keypoints_visible=visible,
        bbox=np.array([[1, 2, 3, 4]], np.float32),
        img_shape=size,
    )


def box_of(*args, **options):
    return BoxesFromKeypoints(**options).transform(standing(*args))['bbox'][0]


def test_holds_the_joints_and_the_head_above_them():
    x1, y1, x2, y2 = box_of(head=0.5, margin=0.0)
    np.testing.assert_allclose((x1, y1, x2, y2), (135.5, 70.5, 165.5, 260.5))


def test_margin_is_a_fraction_of_the_longer_side():
    without, with_margin = box_of(head=0, margin=0), box_of(head=0, margin=0.1)
    np.testing.assert_allclose(with_margin - without, [-16, -16, 16, 16], atol=1e-4)


def test_the_head_lies_in_the_direction_of_the_trunk():
    data = standing()
    data['keypoints'][..., 1] = 300 - data['keypoints'][..., 1]
    box = BoxesFromKeypoints(head=0.5, margin=0.0).transform(data)['bbox'][0]
    np.testing.assert_allclose(box[3], 300 - 100 + 30 + 0.5)


@pytest.mark.parametrize('missing', [5, 6, 11, 12])
def test_without_a_trunk_there_is_no_head(missing):
    labelled = set(range(5, 17)) - {missing}
    assert box_of(labelled, head=5.0, margin=0.0)[1] == 100.5


def test_stays_in_the_image():
    box = box_of(range(5, 17), (250, 162), margin=0.5)
    assert box.tolist() == [34.5, 0, 162, 250]


@pytest.mark.parametrize('labelled', [[], [9], [9, 5]])
def test_people_whose_joints_have_no_extent_keep_their_box(labelled):
    data = standing(labelled)
    data['keypoints'][0, 9, 0] = data['keypoints'][0, 5, 0]
    box = BoxesFromKeypoints(margin=0.0).transform(data)['bbox'][0]
    assert box.tolist() == [1, 2, 3, 4] and box.dtype == np.float32


def test_is_built_by_its_old_name():
    with pytest.warns(FutureWarning, match="is now type='BoxesFromKeypoints'"):
        built = TRANSFORMS.build(dict(type='BoxesAroundJoints', head=0.5))

    assert type(built) is BoxesFromKeypoints
    assert built.head == 0.5


@pytest.mark.parametrize('module', [datasets, datasets.transforms])
def test_is_imported_by_its_old_name(module):
    with pytest.warns(FutureWarning, match='BoxesFromKeypoints'):
        assert module.BoxesAroundJoints is BoxesFromKeypoints
