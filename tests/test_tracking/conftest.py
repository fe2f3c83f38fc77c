# Copyright (c) onestage_pose contributors.
"""Made-up people who walk: boxes with keypoints inside, frame after frame."""

from onestage_pose.apis.result import PoseResult

import numpy as np
import pytest

NAMES = tuple(f'point_{n}' for n in range(17))
META = dict(sigmas=np.full(17, 0.07))
# Where keypoints are in a box, as shares of it.
POSE = np.random.default_rng(0).uniform(0.1, 0.9, (17, 2))


def make_frame(time, people, frame=None):
    """A frame of people, each (x, y, score) or (x, y, score, pose) of 40x100 pixels."""
    boxes, scores, points = [], [], []
    for x, y, score, *pose in people:
        box = np.array([x - 20, y - 50, x + 20, y + 50])
        boxes.append(box)
        scores.append(score)
        points.append(box[:2] + (pose[0] if pose else POSE) * [40, 100])
    return PoseResult(
        boxes=np.float32(boxes).reshape(-1, 4),
        scores=np.float32(scores),
        keypoints=np.float32(points).reshape(-1, 17, 2),
        keypoint_scores=np.full((len(people), 17), 0.8, np.float32),
        names=NAMES,
        shape=(480, 640),
        frame=frame,
        time=time,
        dataset_meta=META,
    )


@pytest.fixture
def follow():
    """Follow people: ``follow(frames, **options)`` gives the result of each frame."""
    pytest.importorskip('lap', reason='tracking takes lap (the extra "track")')
    from onestage_pose.tracking import PoseTracker

    def run(frames, **options):
        tracker = PoseTracker(META, **{'smooth': 0, **options})
        return [tracker(frame) for frame in frames]

    return run
