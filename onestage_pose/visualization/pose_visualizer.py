# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import cv2
import numpy as np
from mmengine.structures import InstanceData
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from ..structures.categories import find_own_keypoints, get_categories
from ..utils.arguments import PositiveFloat, check_arguments
from ..utils.errors import UsageError
from .palette import (
    BOX_COLOR,
    PERSON_COLORS,
    get_line_width,
    get_radius,
    get_side_colors,
)

# A score is written in letters of this many line widths, 10 pixels at least.
_TEXT_HEIGHT, _MIN_TEXT_HEIGHT = 5, 10

#: Keypoints are left out whose presence is under it, and rings whose visibility, if
#: they are present, is.
PRESENCE_THR = 0.5
# Standard deviations that hold 90% of a Gaussian in the plane.
_ELLIPSE_RADIUS = np.sqrt(-2 * np.log(0.1))


@VISUALIZERS.register_module()
class PoseVisualizer(PoseLocalVisualizer):
    """mmpose's visualizer, with lines in proportion to the image and one palette.

    A person's left is green, the right orange, the middle blue, whatever the data set,
    as far as the names of its keypoints tell the sides; else its own colours serve.
    Of instances with ``keypoint_presence``, keypoints that are probably not in the
    image are not drawn, and hidden ones are rings.

    Of several categories, by ``labels``, an instance has the keypoints of its own, and
    at its box, or before its score, stands the category's name.

    Args: see mmpose's ``PoseLocalVisualizer``; of those
        line_width (int, optional): In pixels; None for :func:`get_line_width`.
        radius (int, optional): In pixels; None for :func:`get_radius`.
    """

    #: A radius or a line width of None is in proportion to the image.
    scales_with_image = True

    @check_arguments
    def __init__(
        self,
        name: str = 'visualizer',
        *args: Any,
        line_width: PositiveFloat | None = None,
        radius: PositiveFloat | None = None,
        **kwargs: Any,
    ) -> None:
        # green, mmpose's colour of boxes, is a person's left here
        kwargs.setdefault('bbox_color', BOX_COLOR)
        super().__init__(name, *args, line_width=line_width, radius=radius, **kwargs)

    def set_dataset_meta(
        self, dataset_meta: dict, skeleton_style: str = 'mmpose'
    ) -> None:
        """Take the skeleton of a data set; OpenPose's style brings its own colours."""
        categories = get_categories(dataset_meta)
        if categories and skeleton_style == 'openpose':
            raise UsageError(
                "skeleton_style='openpose' is of COCO's people alone, and the data set "
                f'has the categories {", ".join(each.name for each in categories)}.'
            )
        super().set_dataset_meta(dataset_meta, skeleton_style)
        names = self.dataset_meta.get('keypoint_id2name')
        if skeleton_style == 'openpose' or not names or self.skeleton is None:
            return
        names = [names[index] for index in sorted(names)]
        colors = get_side_colors(names, self.skeleton)
        if colors is not None:
            self.kpt_color, self.link_color = colors

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: PoseDataSample,
        *args: Any,
        draw_scores: bool = False,
        draw_ids: bool = False,
        draw_ellipses: bool = False,
        color_by: Literal['side', 'person'] = 'side',
        **kwargs: Any,
    ) -> np.ndarray:
        """Draw people and save the drawing to all backends.

        Other arguments are those of mmpose's ``add_datasample``.

        Args:
            draw_scores (bool): Write each predicted person's score at the box.
            draw_ids (bool): Write ``instances_id`` there, of a tracker.
            draw_ellipses (bool): Draw where keypoints lie in 9 of 10 cases, by
                ``keypoint_covariances``.
            color_by (str): ``'side'``, or ``'person'`` for one colour a person, which
                goes by ``instances_id`` where instances have it.

        Returns:
            np.ndarray: The drawing, (h, w, 3) RGB.
        """
        options = draw_scores, draw_ids, draw_ellipses, color_by
        with self._sizes_of(image), self._options(*options):
            return super().add_datasample(name, image, data_sample, *args, **kwargs)

    def _draw_instances_kpts(
        self,
        image: np.ndarray,
        instances: InstanceData,
        kpt_thr: float = 0.3,
        *args: Any,
        **kwargs: Any,
    ) -> np.ndarray:
        args = kpt_thr, *args
        draw = super()._draw_instances_kpts
        if 'keypoint_presence' in instances:
            there = instances.keypoint_presence >= PRESENCE_THR
            instances = instances.clone()
            hidden = instances.keypoints_visible < (
                PRESENCE_THR * instances.keypoint_presence
            )
            instances.keypoints_visible = np.where(there, instances.keypoint_scores, 0)
        own = self._find_own_keypoints(instances)
        if own is not None:
            instances = instances.clone()
            # under any threshold, 0 too
            instances.keypoints_visible = np.where(own, instances.keypoints_visible, -1)
        if self._color_by == 'side':
            image = draw(image, instances, *args, **kwargs)
        else:
            for index, color in enumerate(_person_colors(instances)):
                with self._one_color(color):
                    one = instances[index : index + 1]
                    image = draw(image, one, *args, **kwargs)
        if 'keypoint_presence' in instances:
            drawn = instances.keypoints_visible >= kpt_thr
            image = self._draw_rings(image, instances.keypoints[drawn & hidden])
        if self._draw_ellipses and 'keypoint_covariances' in instances:
            drawn = instances.keypoints_visible >= kpt_thr
            image = self._outline_ellipses(
                image, instances.keypoints[drawn], instances.keypoint_covariances[drawn]
            )
        labels = self._labels(instances)
        if labels:
            image = self._write_labels(image, instances, labels)
        return image

    def _find_own_keypoints(self, instances: InstanceData) -> np.ndarray | None:
        if 'labels' not in instances or 'keypoints_visible' not in instances:
            return None
        return find_own_keypoints(instances.labels, self.dataset_meta or {})

    def _draw_instances_bbox(
        self, image: np.ndarray, instances: InstanceData
    ) -> np.ndarray:
        names = [name.strip() for name in self._category_names(instances)]
        if 'labels' in instances:
            # mmpose would write "class 0"
            instances = instances.clone()
            del instances.labels
        image = self._draw_boxes(image, instances)
        if any(names) and not self._draw_scores:
            image = self._write_labels(image, instances, names)
        return image

    def _draw_boxes(self, image: np.ndarray, instances: InstanceData) -> np.ndarray:
        draw = super()._draw_instances_bbox
        if self._color_by == 'side':
            return draw(image, instances)
        for index, color in enumerate(_person_colors(instances)):
            with self._one_color(color):
                image = draw(image, instances[index : index + 1])
        return image

    def _draw_rings(self, image: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
        drawn = np.ascontiguousarray(image)
        radius = max(1, round(0.6 * self.radius))
        for x, y in keypoints.round().astype(int).tolist():
            cv2.circle(drawn, (x, y), radius, (255,) * 3, cv2.FILLED, cv2.LINE_AA)
        self.set_image(drawn)
        return drawn

    def _outline_ellipses(
        self, image: np.ndarray, keypoints: np.ndarray, covariances: np.ndarray
    ) -> np.ndarray:
        drawn = np.ascontiguousarray(image)
        thickness = max(1, self.line_width // 2)
        squares, axes = np.linalg.eigh(covariances.astype(np.float64))
        radii = _ELLIPSE_RADIUS * np.sqrt(squares.clip(min=0))
        angles = np.degrees(np.arctan2(axes[:, 1, 0], axes[:, 0, 0]))
        for center, radius, angle in zip(keypoints, radii, angles):
            place, size = center.round().astype(int), radius.round().astype(int)
            cv2.ellipse(
                drawn,
                place.tolist(),
                size.tolist(),
                angle,
                0,
                360,
                (255,) * 3,
                thickness,
                cv2.LINE_AA,
            )
        self.set_image(drawn)
        return drawn

    def _labels(self, instances: InstanceData) -> list[str]:
        parts = []
        if self._draw_ids and 'instances_id' in instances:
            parts.append([f'{number}' for number in instances.instances_id])
        if self._draw_scores and 'bbox_scores' in instances:
            names = self._category_names(instances)
            scores = [f'{score:.2f}' for score in instances.bbox_scores]
            parts.append([f'{name}{score}' for name, score in zip(names, scores)])
        return [': '.join(each) for each in zip(*parts)]

    def _category_names(self, instances: InstanceData) -> list[str]:
        """Return what to write before the scores."""
        categories = get_categories(self.dataset_meta)
        if not categories or 'labels' not in instances:
            return [''] * len(instances)
        # OpenCV's letters are those of ASCII
        names = [each.name.encode('ascii', 'replace').decode() for each in categories]
        return [f'{names[label]} ' for label in instances.labels]

    def _write_labels(
        self, image: np.ndarray, instances: InstanceData, labels: list[str]
    ) -> np.ndarray:
        drawn = np.ascontiguousarray(image)
        font = cv2.FONT_HERSHEY_SIMPLEX
        height = max(_MIN_TEXT_HEIGHT, _TEXT_HEIGHT * self.line_width)
        thickness = max(1, height // 12)
        scale = cv2.getFontScaleFromHeight(font, height, thickness)
        colors = _person_colors(instances)
        for box, text, color in zip(instances.bboxes, labels, colors):
            (width, above), below = cv2.getTextSize(text, font, scale, thickness)
            # inside the image, also where the box touches its border
            x = int(np.clip(box[0], 0, max(0, drawn.shape[1] - width)))
            y = int(np.clip(box[1], above + below, drawn.shape[0]))
            if self._color_by != 'person':
                color = (0, 0, 0)
            corners = (x, y - above - below), (x + width, y)
            cv2.rectangle(drawn, *corners, color, cv2.FILLED)
            place = x, y - below // 2
            cv2.putText(
                drawn, text, place, font, scale, (255,) * 3, thickness, cv2.LINE_AA
            )
        self.set_image(drawn)
        return drawn

    # while nothing is drawn
    _draw_scores, _draw_ids, _draw_ellipses, _color_by = False, False, False, 'side'

    @contextmanager
    def _sizes_of(self, image: np.ndarray) -> Iterator[None]:
        given = self.line_width, self.radius
        if self.line_width is None:
            self.line_width = get_line_width(*image.shape[:2])
        if self.radius is None:
            self.radius = get_radius(*image.shape[:2])
        try:
            yield
        finally:
            self.line_width, self.radius = given

    @contextmanager
    def _options(
        self, draw_scores: bool, draw_ids: bool, draw_ellipses: bool, color_by: str
    ) -> Iterator[None]:
        if color_by not in ('side', 'person'):
            raise ValueError(f"color_by={color_by!r}: give 'side' or 'person'.")
        self._draw_scores, self._draw_ids = draw_scores, draw_ids
        self._draw_ellipses, self._color_by = draw_ellipses, color_by
        try:
            yield
        finally:
            self._draw_scores, self._draw_ids = False, False
            self._draw_ellipses, self._color_by = False, 'side'

    @contextmanager
    def _one_color(self, color: tuple) -> Iterator[None]:
        given = self.kpt_color, self.link_color, self.bbox_color
        self.kpt_color = [color] * len(given[0]) if not _is_name(given[0]) else color
        self.link_color = [color] * len(self.skeleton or ())
        # mmpose's boxes are in the order of the image's channels
        self.bbox_color = color
        try:
            yield
        finally:
            self.kpt_color, self.link_color, self.bbox_color = given


def _person_colors(instances: InstanceData) -> list[tuple]:
    numbers = instances.get('instances_id', range(len(instances)))
    return [PERSON_COLORS[number % len(PERSON_COLORS)] for number in numbers]


def _is_name(color: Any) -> bool:
    return color is None or isinstance(color, str)
