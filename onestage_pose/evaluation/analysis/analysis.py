# Copyright (c) onestage_pose contributors.
"""Everything that the report says, from the people of all images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .average_precision import average_precision
from .calibration import calibrate_keypoints, calibrate_people
from .cases import Case, find_worst
from .errors import KINDS, KeypointErrors, find_errors
from .matching import Match, match_people
from .people import ImagePeople
from .per_keypoint import measure_keypoints
from .recall import measure_recall
from .without import measure_without

#: Scores that found people are counted over.
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, eq=False)
class Analysis:
    """Result of an analysis.

    Attributes:
        values (dict): Plain numbers, text, lists and dicts; docs/reference/metrics.md
            defines each.
        images (list[ImagePeople]): The people of each image.
        errors (list[KeypointErrors]): The keypoint errors of each image.
        cases (list[Case]): The worst cases of each kind of error.
    """

    values: dict
    images: list[ImagePeople]
    errors: list[KeypointErrors]
    cases: list[Case]


def analyse(
    images: Sequence[ImagePeople],
    dataset_meta: Mapping,
    score_thr: float = 0.3,
    num_cases: int = 6,
) -> Analysis:
    """Find the errors of predictions, and what each kind costs.

    Args:
        images (Sequence[ImagePeople]): The images, by rising id.
        dataset_meta (Mapping): mmpose's metainfo, of which ``keypoint_id2name``,
            ``sigmas`` and ``flip_indices`` are read.
        score_thr (float): Also count false people and doubles with a score over this.
        num_cases (int): Largest number of cases of each kind.

    Returns:
        Analysis: The numbers, and the worst cases.
    """
    images = list(images)
    by_index = dataset_meta['keypoint_id2name']
    names = [by_index[index] for index in sorted(by_index)]
    sigmas = np.asarray(dataset_meta['sigmas'], np.float64)
    flip = dataset_meta.get('flip_indices') or list(range(len(names)))
    matches = [match_people(image, sigmas) for image in images]
    errors = [
        find_errors(image, match, sigmas, flip) for image, match in zip(images, matches)
    ]
    found = average_precision(images, sigmas)
    values = dict(
        average_precision=dict(
            AP=found.ap, AP50=found.ap50, AP75=found.ap75, AR=found.ar
        ),
        people=_count_people(images, matches, score_thr),
        keypoint_errors=_count_errors(errors),
        without=measure_without(images, matches, errors, sigmas),
        per_keypoint=measure_keypoints(images, errors, names, sigmas),
        recall=measure_recall(images, sigmas),
        calibration=dict(
            bbox_scores=calibrate_people(images, sigmas),
            keypoint_scores=calibrate_keypoints(images, errors),
        ),
    )
    cases = find_worst(images, matches, errors, num_cases)
    values['cases'] = [_describe(case, images, errors, names) for case in cases]
    return Analysis(values, images, errors, cases)


def _count_people(
    images: Sequence[ImagePeople], matches: Sequence[Match], score_thr: float
) -> dict:
    kinds = dict(
        matched=[match.truth_of >= 0 for match in matches],
        false=[match.is_false for match in matches],
        doubles=[match.is_double for match in matches],
    )

    def over(threshold: float) -> dict[str, int]:
        sure = [image.scores > threshold for image in images]
        return {
            kind: sum(int((each & mask).sum()) for each, mask in zip(sure, masks))
            for kind, masks in kinds.items()
        }

    return dict(
        images=len({image.image_id for image in images}),
        true=sum(int((~image.ignored).sum()) for image in images),
        found=sum(len(image.scores) for image in images),
        matched=_count(kinds['matched']),
        missed=_count([match.is_missed for match in matches]),
        ignored=_count([match.is_ignored for match in matches]),
        false=_count(kinds['false']),
        doubles=_count(kinds['doubles']),
        score_thr=score_thr,
        **{f'{kind}_over_score_thr': n for kind, n in over(score_thr).items()},
        by_score_thr=[dict(score_thr=each, **over(each)) for each in THRESHOLDS],
    )


def _count(masks: Sequence[np.ndarray]) -> int:
    return sum(int(mask.sum()) for mask in masks)


def _count_errors(errors: Sequence[KeypointErrors]) -> dict:
    kinds = np.concatenate(
        [np.zeros(0, int), *(error.kinds.ravel() for error in errors)]
    )
    counts = {kind: int((kinds == n).sum()) for n, kind in enumerate(KINDS, 1)}
    return dict(
        labelled=int((kinds >= 0).sum()), good=int((kinds == 0).sum()), **counts
    )


def _describe(
    case: Case,
    images: Sequence[ImagePeople],
    errors: Sequence[KeypointErrors],
    names: Sequence[str],
) -> dict:
    image, error = images[case.image], errors[case.image]
    entry = dict(kind=case.kind, image_id=image.image_id)
    if case.truth is not None:
        entry['annotation_id'] = int(image.truth_ids[case.truth])
    if case.found is not None:
        entry['score'] = float(image.scores[case.found])
    if case.keypoints:
        entry['keypoints'] = [names[index] for index in case.keypoints]
        row = int(np.flatnonzero(error.found == case.found)[0])
        own = error.own[row][error.kinds[row] >= 0]
        entry.update(OKS=float(own.mean()), OKS_lost=case.weight)
    return entry
