# Copyright (c) onestage_pose contributors.
"""The schema of what a model predicts, as the metrics take it.

docs/reference/input_formats.md shows it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..structures.categories import Category
from ..utils.errors import AnnotationError
from .ground_truth import take_truth


def check_predictions(
    sample: Mapping[str, Any],
    metric: str,
    keys: Sequence[str],
    num_keypoints: int | None = None,
) -> None:
    """Refuse predictions that would be measured wrongly.

    Args:
        sample: A data sample as a dict: ``img_id`` and ``pred_instances``, arrays of N
            instances: ``keypoints`` (N, K, 2), ``keypoint_scores`` (N, K), ``bboxes``
            (N, 4) xyxy, ``bbox_scores`` (N,), all in pixels of the original image.
        metric: Name of the metric, for messages.
        keys: Which of them must be there; the others may be.
        num_keypoints: K, where it is known.

    Raises:
        AnnotationError: One is missing, of another shape, or not finite; names the
            image, the key and both shapes.
    """
    where = f'{metric}: a prediction for image {sample.get("img_id")}'
    people = sample.get('pred_instances')
    if people is None:
        raise AnnotationError(f'{where} has no pred_instances, which the model gives.')
    first = next((key for key in keys if key in people), None)
    number = len(people[first]) if first else 0
    joints = 'K' if num_keypoints is None else num_keypoints
    shapes = dict(
        keypoints=(number, joints, 2),
        keypoint_scores=(number, joints),
        bboxes=(number, 4),
        bbox_scores=(number,),
    )
    for key, expected in shapes.items():
        if key not in people:
            if key in keys:
                raise AnnotationError(f'{where} has no {key} in pred_instances.')
            continue
        values = np.asarray(people[key])
        fits = values.ndim == len(expected) and all(
            wanted in ('K', size) for size, wanted in zip(values.shape, expected)
        )
        # An empty list is nobody, whatever its shape.
        if not fits and not (number == 0 and values.size == 0):
            raise AnnotationError(
                f'{where} has {key} of shape {values.shape}, expected {expected}.'
            )
        if values.dtype.kind not in 'iuf' and values.size:
            raise AnnotationError(f'{where} has {key} that are not numbers.')
        if not np.isfinite(values).all():
            raise AnnotationError(f'{where} is not finite ({key}).')


def read_labels(
    sample: Mapping[str, Any], metric: str, num_categories: int
) -> np.ndarray:
    """Read of which categories predictions are.

    Args:
        sample: As in :func:`check_predictions`.
        metric: Name of the metric, for messages.
        num_categories: Of the metainfo; 0 where it has one skeleton.

    Returns:
        (N,) int64, 0 of one category.

    Raises:
        AnnotationError: Of several categories, ``labels`` are missing or others.
    """
    people = sample['pred_instances']
    zeros = np.zeros(
        len(people['bbox_scores' if 'bbox_scores' in people else 'keypoints'])
    )
    labels = np.asarray(people.get('labels', zeros)).reshape(-1).astype(np.int64)
    if num_categories < 2:
        return labels
    where = f'{metric}: a prediction for image {sample.get("img_id")}'
    if len(zeros) and 'labels' not in people:
        raise AnnotationError(
            f'{where} has no labels, and the metainfo has {num_categories} categories: '
            'set num_classes of model.roi_head.bbox_head to their number.'
        )
    if len(labels) != len(zeros) or not np.isin(labels, range(num_categories)).all():
        raise AnnotationError(
            f'{where} has labels {labels[:5].tolist()}, and the {num_categories} '
            f'categories of the metainfo are 0 to {num_categories - 1}.'
        )
    return labels


def take_results(results: list, category: Category) -> list:
    """Take the instances and the ground truth of one category.

    Args:
        results: What :meth:`KeypointCocoMetric.process` has kept.
        category: With the places of its keypoints among all.

    Returns:
        The same of this category alone, with its own keypoints.
    """
    taken = []
    for pred, truth in results:
        mine = pred['labels'] == category.label
        own = {
            name: np.asarray(pred[name])[mine]
            for name in ('keypoints', 'keypoint_scores', 'bbox_scores', 'bbox', 'areas')
            if name in pred
        }
        for name in ('keypoints', 'keypoint_scores'):
            own[name] = own[name][:, category.places]
        if truth is not None:
            truth = take_truth(truth, category)
        taken.append(({**pred, **own, 'category_id': category.id}, truth))
    return taken


def check_images(
    predicted: Iterable[int], known: Iterable[int], metric: str, ann_file: str | None
) -> None:
    """Refuse predictions for images that the ground truth does not have.

    Args:
        predicted: Ids of the images that predictions are of.
        known: Ids of the images of the ground truth.
        metric: Name of the metric, for the message.
        ann_file: Its annotation file, for the message.

    Raises:
        AnnotationError: Naming the first such images.
    """
    missing = sorted(set(predicted) - set(known))
    if missing:
        raise AnnotationError(
            f'{metric}: {len(missing)} images with predictions are not in '
            f'{ann_file}, first ids {missing[:3]}; give it the annotation file of the '
            'data set that is tested, or leave ann_file out.'
        )
