# Copyright (c) onestage_pose contributors.
"""How well a model knows which keypoints are there and seen, and how far off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.fileio import dump, put_text
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from pycocotools import mask as coco_mask

from ...codecs.decoders.options import PERSON_AREA_RATIO
from ...structures.categories import get_categories
from ...utils.arguments import check_arguments
from ...utils.errors import AnnotationError, ConfigValueError
from ..analysis.calibration import measure_calibration
from ..extended_oks import extended_oks, oks
from ..ground_truth import check_lists, metrics_table, sample_ground_truth
from ..page.figures import draw_reliability
from ..predictions import check_predictions
from ..probabilities import (
    auroc,
    average_precision,
    brier_score,
    expected_calibration_error,
    share_inside_ellipses,
)

MIN_IOU = 0.5
MIN_PRESENCE = 0.5
_AXES = 'predicted probability', 'share that is so'


class MatchedPeople(NamedTuple):
    """Predicted keypoints and what is true of them, of N people.

    Attributes:
        visibility (np.ndarray): (N, K) of COCO: 0 absent, 1 hidden, 2 seen.
        presence (np.ndarray): (N, K), predicted probability of being there.
        visible (np.ndarray): (N, K), of being seen, if there.
        scores (np.ndarray): (N, K), ``keypoint_scores``.
        errors (np.ndarray): (N, K, 2), predicted less true positions, in pixels.
        covariances (np.ndarray): (N, K, 2, 2); NaN where none were predicted.
        truth (np.ndarray): (N, K, 2), true positions.
        boxes (np.ndarray): (N, 4) x, y, width, height of the annotated people.
        areas (np.ndarray): (N,) of them, in square pixels.
    """

    visibility: np.ndarray
    presence: np.ndarray
    visible: np.ndarray
    scores: np.ndarray
    errors: np.ndarray
    covariances: np.ndarray
    truth: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray

    def of_keypoint(self, number: int) -> MatchedPeople:
        """Return the same of one keypoint alone."""
        chosen = {
            name: getattr(self, name)[:, [number]]
            for name in self._fields
            if name not in ('boxes', 'areas')
        }
        return self._replace(**chosen)

    def events(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return probabilities and whether they came true, by what they are of."""
        labelled = self.visibility > 0
        return {
            'presence': (self.presence.ravel(), labelled.ravel()),
            'visibility': (self.visible[labelled], self.visibility[labelled] == 2),
        }


@METRICS.register_module()
class KeypointVisibilityMetric(BaseMetric):
    """Measure presence and visibility of keypoints, and the coverage of their ellipses.

    For models with a :class:`VisibilityBranch`. Each annotated person is matched with
    the best prediction whose box has an IoU of at least 0.5 with the person's; people
    without labelled keypoints, crowd regions and pseudo labels (``pseudo`` 1) are left
    out.

    Metrics, -1 if there is nothing to measure:

    - ``presence/``: is a keypoint labelled (COCO's v > 0)? ``AUROC``, ``AP`` (average
      precision), ``Brier``, ``ECE`` (expected calibration error in ten bins), and
      ``score AUROC``, ``score ECE`` for ``keypoint_scores`` used instead;
    - ``visibility/``: is a labelled keypoint visible (v = 2)? The same four;
    - ``position/inside 50%``, ``position/inside 90%``: the share of labelled keypoints
      inside of the ellipses of ``keypoint_covariances``
      (``model.test_cfg.output_covariances=True``);
    - ``people/OKS`` and ``people/Ex-OKS``, see :func:`extended_oks`, where keypoints
      with a presence of at least 0.5 count as present, and ``people/Ex-OKS without``,
      where all of them do; means over the ``people/number`` matched people.

    Args:
        collect_device: As in mmengine.
        prefix: First part of the metrics' names, ``'keypoint'`` by default.
        json_file (str | None): JSON file to write, with the numbers over all keypoints
            and for each, and the calibration curves of presence and visibility.
        figure_file (str | None): SVG file to draw these curves into.

    Attributes:
        values (dict): Content of ``json_file`` for the latest evaluation.

    Raises:
        AnnotationError: The model predicts no presence, or an image has no ground
            truth.
        ConfigValueError: The metainfo has several categories.
    """

    default_prefix: str | None = 'keypoint'

    @check_arguments
    def __init__(
        self,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        json_file: str | None = None,
        figure_file: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.json_file = json_file
        self.figure_file = figure_file
        self.matched: MatchedPeople | None = None
        self.values: dict[str, Any] = {}

    @property
    def dataset_meta(self) -> dict | None:
        """The dataset's metainfo, mmpose's."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        if get_categories(dataset_meta):
            raise ConfigValueError(
                f'{type(self).__name__} measures one skeleton, and the metainfo has '
                'several categories; leave it out of the evaluator.'
            )
        self._dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Match the people of a batch.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, with ``pred_instances``.
        """
        name = type(self).__name__
        for sample in data_samples:
            keys = ('bboxes', 'bbox_scores', 'keypoints', 'keypoint_scores')
            check_predictions(sample, name, keys)
            if 'keypoint_presence' not in sample['pred_instances']:
                raise AnnotationError(
                    f'{name}: the model predicts no keypoint_presence; it needs '
                    'model.roi_head.keypoint_head.visibility_branch=dict().'
                )
            people = [
                person
                for person in sample_ground_truth(sample, name)['annotations']
                if not person['iscrowd'] and not person.get('pseudo')
            ]
            check_lists(name, people, need_keypoints=True)
            self.results.append(_match(people, sample['pred_instances']))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Measure.

        Args:
            results: What :meth:`process` kept, of all images.

        Returns:
            The metrics by name.
        """
        found = MatchedPeople(*(np.concatenate(each) for each in zip(*results)))
        self.matched = found
        everything = _measure_keypoints(found)
        metrics = {
            f'{kind}/{name}': value
            for kind, values in everything.items()
            for name, value in values.items()
        }
        metrics |= self._measure_people(found)
        metrics = {name: float(value) for name, value in metrics.items()}
        logger: MMLogger = MMLogger.get_current_instance()
        for kind in ('presence', 'visibility', 'position', 'people'):
            chosen = {
                name.split('/')[1]: value
                for name, value in metrics.items()
                if name.startswith(kind)
            }
            logger.info(metrics_table(kind.capitalize(), chosen))
        self.values = self._get_details(found, metrics)
        if self.json_file is not None:
            dump(self.values, self.json_file, indent=1)
        if self.figure_file is not None:
            curves = self.values['reliability']
            put_text(draw_reliability(curves, *_AXES), self.figure_file)
        return metrics

    def _get_details(self, found: MatchedPeople, metrics: dict) -> dict[str, Any]:
        names = self.dataset_meta['keypoint_id2name']
        per_keypoint = {
            names[k]: _measure_keypoints(found.of_keypoint(k)) for k in sorted(names)
        }
        curves = {
            name: measure_calibration(*event) for name, event in found.events().items()
        }
        return dict(all=metrics, per_keypoint=per_keypoint, reliability=curves)

    def _measure_people(self, found: MatchedPeople) -> dict[str, float]:
        number = len(found.visibility)
        if not number:
            names = 'OKS', 'Ex-OKS', 'Ex-OKS without'
            return {f'people/{name}': -1.0 for name in names} | {'people/number': 0}
        there, sigmas = found.visibility > 0, self.dataset_meta['sigmas']
        pose = found.errors, found.truth, there
        people = found.boxes, found.areas, sigmas
        said = found.presence >= MIN_PRESENCE
        everything = np.ones_like(said)
        means = {
            'OKS': oks(found.errors, there, found.areas, sigmas),
            'Ex-OKS': extended_oks(*pose, said, *people),
            'Ex-OKS without': extended_oks(*pose, everything, *people),
        }
        found = {f'people/{name}': each.mean() for name, each in means.items()}
        return found | {'people/number': number}


def _measure_keypoints(found: MatchedPeople) -> dict[str, dict[str, float]]:
    """Measure all but the people, by kind and name."""
    measured: dict[str, dict[str, float]] = {
        kind: {
            'AUROC': auroc(*event),
            'AP': average_precision(*event),
            'Brier': brier_score(*event),
            'ECE': expected_calibration_error(*event),
        }
        for kind, event in found.events().items()
    }
    labelled = found.visibility > 0
    scores = found.scores.ravel(), labelled.ravel()
    measured['presence']['score AUROC'] = auroc(*scores)
    measured['presence']['score ECE'] = expected_calibration_error(*scores)
    covariances = found.covariances[labelled]
    known = np.isfinite(covariances).all((1, 2))
    shares = share_inside_ellipses(found.errors[labelled][known], covariances[known])
    measured['position'] = {
        f'inside {share:.0%}': inside for share, inside in shares.items()
    }
    return measured


def _match(annotations: list[dict], found: dict) -> MatchedPeople:
    """Pair the people of one image with predictions, the best prediction first."""
    scores = np.asarray(found['bbox_scores'], float)
    boxes = np.asarray(found['bboxes'], float).reshape(-1, 4).copy()
    boxes[:, 2:] -= boxes[:, :2]
    truth = [
        np.asarray(person['keypoints'], float).reshape(-1, 3) for person in annotations
    ]
    pairs = []
    if annotations and len(boxes):
        true_boxes = np.array([person['bbox'] for person in annotations], float)
        overlap = coco_mask.iou(boxes, true_boxes, [0] * len(true_boxes))
        for number in np.argsort(-scores, kind='stable'):
            person = overlap[number].argmax()
            if overlap[number, person] >= MIN_IOU:
                pairs.append((number, person))
                overlap[:, person] = -1
    pairs = [(n, p) for n, p in pairs if (truth[p][:, 2] > 0).any()]
    chosen = np.array([n for n, _ in pairs], int)
    matched = [annotations[p] for _, p in pairs]
    keypoints = np.asarray(found['keypoints'], float)
    shape = len(pairs), *keypoints.shape[1:2]
    true = np.array([truth[p] for _, p in pairs]).reshape(*shape, 3)
    presence = np.asarray(found['keypoint_presence'], float)[chosen]
    visible = np.asarray(found['keypoints_visible'], float)[chosen]
    if 'keypoint_covariances' in found:
        covariances = np.asarray(found['keypoint_covariances'], float)[chosen]
    else:
        covariances = np.full((*shape, 2, 2), np.nan)
    return MatchedPeople(
        visibility=true[..., 2],
        presence=presence,
        visible=visible / np.maximum(presence, 1e-12),
        scores=np.asarray(found['keypoint_scores'], float)[chosen],
        errors=keypoints[chosen] - true[..., :2],
        covariances=covariances,
        truth=true[..., :2],
        boxes=np.array([person['bbox'] for person in matched], float).reshape(-1, 4),
        areas=np.array([_area_of(person) for person in matched], float),
    )


def _area_of(person: dict) -> float:
    box = person['bbox']
    return person.get('area') or PERSON_AREA_RATIO * box[2] * box[3]
