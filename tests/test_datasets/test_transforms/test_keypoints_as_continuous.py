# Copyright (c) onestage_pose contributors.
"""Annotations are read half a pixel further up and left, as torchvision reads them."""

from onestage_pose.datasets import KeypointsAsContinuous, PoseResize

import numpy as np


def test_keypoints_go_where_torchvision_has_them_after_resizing():
    keypoints = np.array([[[10.0, 20.0]]], np.float32)
    results = dict(img=np.zeros((40, 50, 3), np.uint8), keypoints=keypoints)

    results = PoseResize(scale_factor=2.0)(KeypointsAsContinuous()(results))

    # there, continuous coordinates are scaled and half a pixel is not added
    assert np.array_equal(results['keypoints'] + 0.5, 2 * keypoints)


def test_an_image_without_annotations_passes():
    assert KeypointsAsContinuous()(dict(img=1)) == dict(img=1)
