# Copyright (c) onestage_pose contributors.
"""People of an image, the true ones beside those found, as arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...codecs.decoders.options import PERSON_AREA_RATIO

#: Found people of an image that count, those of the highest scores, as in COCO.
MAX_PER_IMAGE = 20


@dataclass(frozen=True, eq=False)
class ImagePeople:
    """G annotated and D detected people of one category in one image.

    Detected people are sorted by falling score, :data:`MAX_PER_IMAGE` at most.
    Everything is in pixels of the original image; keypoints are measured at the centres
    of pixels, as in COCO.

    Attributes:
        image_id (int): Id of the image in the ground truth.
        category_id (int): Id of the category in the ground truth.
        truth (np.ndarray): (G, K, 2) float64 keypoints.
        labelled (np.ndarray): (G, K) bool, whether the visibility is not 0.
        areas (np.ndarray): (G,) float64 in square pixels.
        boxes (np.ndarray): (G, 4) float64 x, y, width, height.
        crowd (np.ndarray): (G,) bool, regions of any number of people.
        truth_ids (np.ndarray): (G,) int64 ids of the annotations.
        keypoints (np.ndarray): (D, K, 2) float64.
        keypoint_scores (np.ndarray): (D, K) float64.
        scores (np.ndarray): (D,) float64, the scores for ranking.
        bbox_scores (np.ndarray): (D,) float64, as the model gives them.
    """

    image_id: int
    category_id: int
    truth: np.ndarray
    labelled: np.ndarray
    areas: np.ndarray
    boxes: np.ndarray
    crowd: np.ndarray
    truth_ids: np.ndarray
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    scores: np.ndarray
    bbox_scores: np.ndarray

    @property
    def ignored(self) -> np.ndarray:
        """(G,) bool: crowd regions and people without a labelled keypoint.

        As in COCO, a detection there is not false, and a missing one is not missed.
        """
        return self.crowd | ~self.labelled.any(1)

    def select_keypoint(self, index: int) -> ImagePeople:
        """Return the same people with keypoint ``index`` alone (K = 1)."""
        here = slice(index, index + 1)
        return replace(
            self,
            truth=self.truth[:, here],
            labelled=self.labelled[:, here],
            keypoints=self.keypoints[:, here],
            keypoint_scores=self.keypoint_scores[:, here],
        )

    def keep_found(self, kept: np.ndarray) -> ImagePeople:
        """Return the image with the detected people of a (D,) mask or (N,) order."""
        return replace(
            self,
            keypoints=self.keypoints[kept],
            keypoint_scores=self.keypoint_scores[kept],
            scores=self.scores[kept],
            bbox_scores=self.bbox_scores[kept],
        )

    def keep_truth(self, kept: np.ndarray) -> ImagePeople:
        """Return the image with the annotated people of a (G,) mask."""
        return replace(
            self,
            truth=self.truth[kept],
            labelled=self.labelled[kept],
            areas=self.areas[kept],
            boxes=self.boxes[kept],
            crowd=self.crowd[kept],
            truth_ids=self.truth_ids[kept],
        )


def read_people(
    content: Mapping,
    results: Sequence[Mapping],
    num_keypoints: int,
    bbox_scores: Sequence[float] | None = None,
    use_area: bool = True,
) -> list[ImagePeople]:
    """Sort annotations and results by image and category.

    Args:
        content (Mapping): A COCO file's ``images`` and ``annotations``, checked
            (``onestage_pose.evaluation.ground_truth.read_ground_truth``). If
            annotations are renumbered, ``own_id`` is their id in the file.
        results (Sequence[Mapping]): COCO results: ``image_id``, ``category_id``,
            ``keypoints`` (3K: x, y, score) and ``score``. As for AP, a result whose
            keypoints all have the score 0 is left out.
        num_keypoints (int): K.
        bbox_scores (Sequence[float] | None): Box score of each result; by default its
            ``score``.
        use_area (bool): Take the area from the annotation; otherwise 0.53 of its box's
            area.

    Returns:
        list[ImagePeople]: The images by rising id, also those without anybody.
    """
    true, found = defaultdict(list), defaultdict(list)
    for ann in content['annotations']:
        true[ann['image_id'], ann['category_id']].append(ann)
    if bbox_scores is None:
        bbox_scores = [record['score'] for record in results]
    for record, bbox_score in zip(results, bbox_scores):
        if any(record['keypoints'][2::3]):
            key = record['image_id'], record['category_id']
            found[key].append((record, bbox_score))
    categories = {category for _, category in [*true, *found]} or {1}
    images = sorted(image['id'] for image in content['images'])
    first = min(categories)
    return [
        _read_image(image, category, true[key], found[key], num_keypoints, use_area)
        for image in images
        for category in sorted(categories)
        if (key := (image, category)) in true or key in found or category == first
    ]


def _read_image(
    image_id: int,
    category_id: int,
    true: Sequence[Mapping],
    found: Sequence[tuple[Mapping, float]],
    number: int,
    use_area: bool,
) -> ImagePeople:
    boxes = np.array([ann['bbox'] for ann in true], np.float64).reshape(-1, 4)
    areas = PERSON_AREA_RATIO * boxes[:, 2] * boxes[:, 3]
    if use_area:
        areas = np.array([ann['area'] for ann in true], np.float64)
    truth = _triples(true, number)
    # mergesort keeps the order of equal scores, as COCO does
    scores = np.array([record['score'] for record, _ in found], np.float64)
    order = np.argsort(-scores, kind='mergesort')[:MAX_PER_IMAGE]
    found = [found[place] for place in order]
    records = [record for record, _ in found]
    points = _triples(records, number)
    return ImagePeople(
        image_id=image_id,
        category_id=category_id,
        truth=truth[..., :2],
        labelled=truth[..., 2] > 0,
        areas=areas,
        boxes=boxes,
        crowd=np.array([bool(ann.get('iscrowd', 0)) for ann in true], bool),
        truth_ids=np.array([ann.get('own_id', ann['id']) for ann in true], np.int64),
        keypoints=points[..., :2],
        keypoint_scores=points[..., 2],
        scores=scores[order],
        bbox_scores=np.array([score for _, score in found], np.float64),
    )


def _triples(records: Sequence[Mapping], number: int) -> np.ndarray:
    rows = [record['keypoints'] for record in records]
    return np.array(rows, np.float64).reshape(len(rows), number, 3)
