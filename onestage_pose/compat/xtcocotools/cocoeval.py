# Copyright (c) onestage_pose contributors.
"""``xtcocotools.cocoeval`` by pycocotools."""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from pycocotools import cocoeval
from pycocotools.coco import COCO

if cocoeval.__name__ != 'pycocotools.cocoeval':
    raise ImportError(
        f'pycocotools.cocoeval is {cocoeval.__name__}, which another program has put '
        'there (faster-coco-eval: init_as_pycocotools). It evaluates keypoints as '
        'boxes where mmpose sets useSegm; import onestage_pose.evaluation before, or '
        'leave that call out.'
    )

Params = cocoeval.Params

# Which lists of an annotation make up the keypoints that a kind of evaluation is of.
_PARTS = {
    'keypoints': ('keypoints',),
    'keypoints_crowd': ('keypoints',),
    'keypoints_foot': ('foot_kpts',),
    'keypoints_face': ('face_kpts',),
    'keypoints_lefthand': ('lefthand_kpts',),
    'keypoints_righthand': ('righthand_kpts',),
    'keypoints_wholebody': (
        'keypoints',
        'foot_kpts',
        'face_kpts',
        'lefthand_kpts',
        'righthand_kpts',
    ),
}
# Area of a person over the area of its box, where the annotations have no area.
_AREA_OF_BOX = 0.53


class COCOeval(cocoeval.COCOeval):
    """COCO's AP with any number of keypoints, as xtcocotools measures it.

    pycocotools does the arithmetic; it is handed copies of the annotations in which
    the following is settled:

    - a person without any visible keypoint is ignored, whatever its
      ``num_keypoints`` says, and a result without any is left out;
    - with ``use_area=False`` a person's area is 0.53 of its box's;
    - an annotation's id may be 0, which pycocotools takes for "not matched";
    - of a whole body, the keypoints and the score are those of the part evaluated.

    Args:
        cocoGt (COCO, optional): Ground truth.
        cocoDt (COCO, optional): Results, from ``cocoGt.loadRes``.
        iouType (str): ``'bbox'``, ``'segm'``, ``'keypoints'``, ``'keypoints_crowd'``
            (with AP of easy, medium and hard images by ``crowdIndex``), or
            ``'keypoints_wholebody'``, ``_foot``, ``_face``, ``_lefthand``,
            ``_righthand``.
        sigmas (Sequence[float], optional): One of each keypoint, as in COCO's OKS;
            those of COCO's 17 by default.
        use_area (bool): Take the area of a person from the annotation.

    Raises:
        ValueError: ``iouType`` is none of these.
    """

    def __init__(
        self,
        cocoGt: COCO | None = None,  # noqa: N803  pycocotools' names
        cocoDt: COCO | None = None,  # noqa: N803
        iouType: str = 'keypoints',  # noqa: N803
        sigmas: Sequence[float] | None = None,
        use_area: bool = True,
    ) -> None:
        if iouType not in ('bbox', 'segm', *_PARTS):
            raise ValueError(
                f'iouType {iouType!r} is not known; it is one of '
                f'{", ".join(("bbox", "segm", *_PARTS))}.'
            )
        self._parts = _PARTS.get(iouType)
        self._by_difficulty = iouType == 'keypoints_crowd'
        self._part_score = 'score'
        if self._parts and 'keypoints_' in iouType and not self._by_difficulty:
            self._part_score = f'{iouType.removeprefix("keypoints_")}_score'
        super().__init__(cocoGt, cocoDt, 'keypoints' if self._parts else iouType)
        if self._parts and sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas, np.float64)
        self.use_area = use_area

    @property
    def sigmas(self) -> np.ndarray:
        """(K,) float64, as given."""
        return self.params.kpt_oks_sigmas

    def _prepare(self) -> None:
        if not self._parts:
            super()._prepare()
            self._gts = _as_lists(_without_id_0(self._gts))
            return
        # As for boxes pycocotools only sorts the records by image and category.
        self.params.iouType = 'bbox'
        try:
            super()._prepare()
        finally:
            self.params.iouType = 'keypoints'
        people = [self._truth(record) for record in _without_id_0(self._gts)]
        results = [self._result(record) for record in _flat(self._dts)]
        results = [record for record in results if _visible(record)]
        lacks_score = self._part_score not in next(_flat(self._dts), {'score': 0})
        if lacks_score and self._part_score != 'score':
            warnings.warn(
                f'the results have no {self._part_score!r}; their "score" is used.',
                stacklevel=3,
            )
        self._gts = _as_lists(people)
        self._dts = _as_lists(results)

    def _truth(self, record: dict) -> dict:
        record = dict(record, keypoints=self._keypoints(record))
        if self._by_difficulty:
            # CrowdPose counts the visible ones alone, and evaluates by that.
            counted = record['num_keypoints']
        else:
            counted = _visible(record)
        record['ignore'] = counted == 0 or record['ignore']
        if not self.use_area:
            record['area'] = record['bbox'][2] * record['bbox'][3] * _AREA_OF_BOX
        elif 'area' not in record:
            raise ValueError(
                f'annotation id={record["id"]} has no "area": set use_area=False, or '
                'add it to the file.'
            )
        return record

    def _result(self, record: dict) -> dict:
        return dict(
            record,
            keypoints=self._keypoints(record),
            score=record.get(self._part_score, record['score']),
        )

    def _keypoints(self, record: dict) -> list[float]:
        return [value for part in self._parts for value in record[part]]

    def summarize(self) -> None:
        """Fill in ``stats`` from what :meth:`accumulate` found, and print it.

        Nine of ``'keypoints_crowd'``: AP, AP .5, AP .75, AR, AR .5, AR .75, then AP of
        easy, medium and hard images. Otherwise pycocotools'.
        """
        if not self._by_difficulty:
            super().summarize()
            return
        thresholds = self.params.iouThrs
        at = [slice(None), np.isclose(thresholds, 0.5), np.isclose(thresholds, 0.75)]
        # of people of every area, with as many results as count at most
        precision = self.eval['precision'][:, :, :, 0, -1]
        recall = self.eval['recall'][:, :, 0, -1]
        stats = [_mean(values[rows]) for values in (precision, recall) for rows in at]
        self.stats = np.array([*stats, *self._ap_by_difficulty()])
        names = 'AP, AP .5, AP .75, AR, AR .5, AR .75, AP easy, AP medium, AP hard'
        for name, value in zip(names.split(', '), self.stats):
            print(f' {name:<9} {value:6.3f}')

    def _ap_by_difficulty(self, easy: float = 0.2, hard: float = 0.8) -> list[float]:
        images = {'easy': [], 'medium': [], 'hard': []}
        for image in self.cocoGt.dataset['images']:
            index = image['crowdIndex']
            name = 'easy' if index < easy else 'medium' if index < hard else 'hard'
            images[name].append(image['id'])
        values = []
        for ids in images.values():
            part = copy.copy(self)
            part.params = copy.deepcopy(self.params)
            part.params.imgIds = ids
            with contextlib.redirect_stdout(io.StringIO()):
                part.evaluate()
                part.accumulate()
            values.append(round(part.eval['precision'][:, :, :, 0, :].mean(), 4))
        return values


def _flat(records: dict) -> Iterable[dict]:
    return (record for group in records.values() for record in group)


def _as_lists(records: Iterable[dict]) -> defaultdict:
    groups = defaultdict(list)
    for record in records:
        groups[record['image_id'], record['category_id']].append(record)
    return groups


def _without_id_0(records: dict) -> list[dict]:
    lowest = min((record['id'] for record in _flat(records)), default=1)
    shift = max(0, 1 - lowest)
    return [dict(record, id=record['id'] + shift) for record in _flat(records)]


def _visible(record: dict) -> int:
    return np.count_nonzero(np.asarray(record['keypoints'])[2::3] > 0)


def _mean(values: np.ndarray) -> float:
    values = values[values > -1]
    return values.mean() if values.size else -1.0
