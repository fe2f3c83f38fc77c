# Copyright (c) onestage_pose contributors.
"""A case on its image, prediction and ground truth, small."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import cv2
import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from ...visualization.pose_visualizer import PoseVisualizer
from ..analysis.analysis import Analysis
from ..analysis.cases import Case

#: Longer side of a drawing, in pixels, and how far a small person is enlarged.
SIDE, MAX_ENLARGEMENT = 320, 4.0
#: Around the people, as a share of the longer side.
_MARGIN = 0.2
_JPEG_QUALITY = 72
_RING = (60, 60, 255)  # BGR


class CaseDrawer:
    """Draws cases; see :meth:`draw`.

    Args:
        analysis (Analysis): With the cases.
        dataset_meta (Mapping): mmpose's description of the skeleton.
        score_thr (float): Where somebody is missed, found people of a higher score are
            drawn.
    """

    def __init__(
        self, analysis: Analysis, dataset_meta: Mapping, score_thr: float
    ) -> None:
        self.analysis = analysis
        self.score_thr = score_thr
        self.visualizer = PoseVisualizer(line_width=2, radius=3, backend='opencv')
        self.visualizer.set_dataset_meta(dict(dataset_meta))

    def draw(self, case: Case, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw a case.

        Args:
            case (Case): Of the analysis.
            image (np.ndarray): (h, w, 3) uint8 BGR, the original.

        Returns:
            tuple[np.ndarray, np.ndarray]: Prediction and ground truth, each (h', w', 3)
            uint8 BGR of the same part of the image; :data:`SIDE` at most. The keypoints
            in error have a ring: where they were found, and where they are.
        """
        people = self.analysis.images[case.image]
        part, scale = _choose_part(case, self.analysis, image)
        left, top, right, bottom = part
        crop = cv2.resize(
            image[top:bottom, left:right],
            None,
            fx=scale,
            fy=scale,
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
        )
        found = people.scores > self.score_thr
        if case.found is not None:
            found = np.arange(len(people.scores)) == case.found
        shift = np.array([left, top])

        def place(points: np.ndarray) -> np.ndarray:
            return (points - shift + 0.5) * scale - 0.5

        points = place(people.keypoints[found])
        predicted = self._draw_people(crop, points, np.ones(points.shape[:2]))
        true = self._draw_people(crop, place(people.truth), people.labelled)
        for index in case.keypoints:
            _ring(predicted, place(people.keypoints[case.found, index]))
            _ring(true, place(people.truth[case.truth, index]))
        if case.kind == 'missed people':
            x, y, width, height = people.boxes[case.truth]
            corners = place(np.array([[x, y], [x + width, y + height]])).round()
            (x1, y1), (x2, y2) = corners.astype(int).tolist()
            for drawing in (predicted, true):
                cv2.rectangle(drawing, (x1, y1), (x2, y2), _RING, 1)
        return predicted, true

    def _draw_people(
        self, crop: np.ndarray, points: np.ndarray, visible: np.ndarray
    ) -> np.ndarray:
        if not len(points):
            return crop.copy()
        visible = visible.astype(np.float64)
        sample = PoseDataSample()
        sample.pred_instances = InstanceData(
            keypoints=points, keypoint_scores=visible, keypoints_visible=visible
        )
        rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)
        drawn = self.visualizer.add_datasample(
            'case', rgb, sample, draw_gt=False, draw_bbox=False, kpt_thr=0.5
        )
        return cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)


def encode_jpeg(image: np.ndarray) -> str:
    """Return an image (h, w, 3), uint8 BGR, as a data URI."""
    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return 'data:image/jpeg;base64,' + base64.b64encode(data).decode()


def _choose_part(
    case: Case, analysis: Analysis, image: np.ndarray
) -> tuple[tuple[int, int, int, int], float]:
    """Return x1, y1, x2, y2 in whole pixels, and by how much to enlarge them."""
    people = analysis.images[case.image]
    points = []
    if case.found is not None:
        points.append(people.keypoints[case.found])
    if case.truth is not None:
        x, y, width, height = people.boxes[case.truth]
        points.append(np.array([[x, y], [x + width, y + height]]))
        points.append(people.truth[case.truth][people.labelled[case.truth]])
    points = np.concatenate(points)
    low, high = points.min(0), points.max(0)
    margin = _MARGIN * max(*(high - low), 32)
    size = np.array(image.shape[1::-1])
    low = np.clip(np.floor(low - margin), 0, size - 1).astype(int)
    high = np.clip(np.ceil(high + margin), low + 1, size).astype(int)
    scale = min(MAX_ENLARGEMENT, SIDE / max(high - low))
    return (*low.tolist(), *high.tolist()), float(scale)


def _ring(drawing: np.ndarray, point: np.ndarray) -> None:
    x, y = point.round().astype(int).tolist()
    cv2.circle(drawing, (x, y), 9, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.circle(drawing, (x, y), 9, _RING, 2, cv2.LINE_AA)
