# Copyright (c) onestage_pose contributors.
"""Say how good a model is, in pixels, and show it beside the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...apis.result import PoseResult
from ...datasets.coco_file import CocoKeypointFile

# Height of a row of the sheet, and of its writing; sizes of what is drawn there.
_ROW, _LINE = 300, 24
_RADIUS, _LINE_WIDTH = 4, 1.5
# Overlap (IoU) from which on a prediction is of an annotated instance.
_OVERLAP = 0.5


@dataclass
class Verdict:
    """What was found of the annotated instances.

    Attributes:
        num_instances (int): Annotated, with labelled keypoints.
        num_found (int): Of these, the ones that a prediction overlaps.
        errors (list[np.ndarray]): For each of K keypoints the distances of prediction
            and annotation, in pixels of the image, where it is labelled and found.
    """

    num_instances: int
    num_found: int
    errors: list[np.ndarray]

    @property
    def median(self) -> float:
        """float: Median distance over all keypoints, in pixels; NaN without any."""
        errors = np.concatenate(self.errors)
        return float(np.median(errors)) if len(errors) else float('nan')


def get_truth(content: CocoKeypointFile, image: int) -> dict[str, np.ndarray]:
    """Return the annotated instances of an image that have labelled keypoints.

    Args:
        content (CocoKeypointFile): Of the data.
        image (int): Place in its images.

    Returns:
        dict: ``boxes`` (N, 4) xyxy, ``labels`` (N,) of categories, ``keypoints``
        (N, K, 2), ``labelled`` (N, K) bool.
    """
    keypoints = content.keypoints
    wanted = (content.image_index == image) & ~content.iscrowd
    wanted &= (keypoints[..., 2] > 0).any(axis=1)
    return dict(
        boxes=content.bboxes[wanted].astype(np.float32),
        labels=content.labels[wanted],
        keypoints=keypoints[wanted, :, :2],
        labelled=keypoints[wanted, :, 2] > 0,
    )


def measure(
    results: Sequence[PoseResult], truths: Sequence[dict], num_keypoints: int
) -> Verdict:
    """Compare predictions with annotations.

    Each annotated instance is compared with the prediction of its category whose box
    overlaps its own most, which is taken once.

    Args:
        results (Sequence[PoseResult]): Of the images.
        truths (Sequence[dict]): Of the same images, see :func:`get_truth`.
        num_keypoints (int): K.

    Returns:
        Verdict: Of all images.
    """
    errors: list[list[float]] = [[] for _ in range(num_keypoints)]
    number = found = 0
    for result, truth in zip(results, truths):
        number += len(truth['boxes'])
        overlaps = _overlaps(truth['boxes'], result.boxes)
        if result.categories and result.labels is not None:
            overlaps *= truth['labels'][:, None] == result.labels
        while overlaps.size and overlaps.max() >= _OVERLAP:
            one, other = np.unravel_index(overlaps.argmax(), overlaps.shape)
            overlaps[one], overlaps[:, other] = 0, 0
            found += 1
            distances = np.linalg.norm(
                truth['keypoints'][one] - result.keypoints[other], axis=-1
            )
            for place in np.flatnonzero(truth['labelled'][one]):
                errors[place].append(float(distances[place]))
    return Verdict(number, found, [np.array(each) for each in errors])


def draw_sheet(results: Sequence[PoseResult], truths: Sequence[dict]) -> np.ndarray:
    """Draw images in rows, each with its annotation at the left of its prediction.

    Args:
        results (Sequence[PoseResult]): With their images; at least one.
        truths (Sequence[dict]): Of the same images.

    Returns:
        np.ndarray: (h, w, 3) uint8 BGR.
    """
    tiles = []
    for result, truth in zip(results, truths):
        annotated = PoseResult(
            boxes=truth['boxes'],
            scores=np.ones(len(truth['boxes']), np.float32),
            keypoints=truth['keypoints'],
            keypoint_scores=truth['labelled'].astype(np.float32),
            names=result.names,
            labels=truth.get('labels'),
            shape=result.shape,
            path=result.path,
            image=result.image,
            dataset_meta=result.dataset_meta,
        )
        # as thick in the sheet whatever the size of the image
        scale = result.shape[0] / _ROW
        options = dict(
            draw_bbox=True,
            radius=max(1, round(_RADIUS * scale)),
            thickness=max(1, round(_LINE_WIDTH * scale)),
        )
        pair = [
            _fit(annotated.plot(kpt_thr=0.5, **options)),
            _fit(result.plot(**options)),
        ]
        titles = f'{result.name}: annotation', 'prediction'
        tiles.append(np.hstack([_title(*each) for each in zip(pair, titles)]))
    columns = 1 if len(tiles) < 3 else 2
    width = max(tile.shape[1] for tile in tiles)
    tiles = [_pad(tile, width) for tile in tiles]
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _overlaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the IoU (N, M) of boxes (N, 4) and (M, 4)."""
    near = np.maximum(one[:, None, :2], other[None, :, :2])
    far = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(far - near, 0, None).prod(-1)
    areas = [(each[:, 2:] - each[:, :2]).prod(-1) for each in (one, other)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _fit(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    size = max(1, round(width * _ROW / height)), _ROW
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _title(image: np.ndarray, text: str) -> np.ndarray:
    head = np.full((_LINE, image.shape[1], 3), 255, np.uint8)
    place = (4, _LINE - 8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(head, text, place, font, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack((head, image))


def _pad(image: np.ndarray, width: int) -> np.ndarray:
    space = ((0, 4), (0, width - image.shape[1] + 8), (0, 0))
    return np.pad(image, space, constant_values=255)
