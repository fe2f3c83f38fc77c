# Copyright (c) onestage_pose contributors.
"""COCO keypoint AP, as mmpose measures it, for whole images."""

import contextlib
import copy
import io
import logging
import os
import os.path as osp
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from mmengine.fileio import dump, load
from mmengine.logging import print_log
from mmpose.evaluation.functional import transform_sigmas
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS
from xtcocotools.coco import COCO

from ...structures.categories import Category, get_categories, take_category
from ...structures.skeleton_schema import check_sigmas, compare_names
from ...utils.arguments import Share, check_arguments
from ...utils.errors import AnnotationError, ConfigValueError
from ..ground_truth import (
    average_metrics,
    check_ann_file,
    check_lists,
    coco_content,
    metrics_table,
    name_of_category,
    person_category,
    read_ground_truth,
    renumber,
    renumber_categories,
    sample_ground_truth,
    take_truth,
)
from ..predictions import (
    check_images,
    check_predictions,
    read_labels,
    take_results,
)


@METRICS.register_module()
class KeypointCocoMetric(CocoMetric):
    """mmpose's CocoMetric, for the output of a detector.

    - Without ``ann_file``, the ground truth comes with the evaluated images
      (``raw_ann_info``) and is collected anew for each evaluation. So a subset of a
      data set is evaluated on that subset, synthetic data need no file, and two data
      sets of the same name do not mix.
    - The category of people is that of the ground truth, whatever its id. A sample of
      one person, as top-down data sets give them, may state its own.
    - A model that detects nobody scores 0, with a warning.
    - If the metainfo has ``categories``, each is measured by itself, with its own
      keypoints and sigmas; ``coco/AP`` is the mean over the categories that have ground
      truth, ``coco/CATEGORY/AP`` that of one.
    - ``format_only`` writes the file for COCO's test-dev server: a list of
      ``image_id``, ``category_id``, ``keypoints`` (x, y, score for each, in pixels) and
      ``score`` in ``{outfile_prefix}.keypoints.json``.

    Predictions: ``keypoints`` (N, K, 2), ``keypoint_scores`` (N, K), ``bboxes`` (N, 4)
    xyxy and ``bbox_scores`` (N,), all numpy in the original image's pixels; N may
    be 0. Metrics: ``coco/AP``, ``coco/AP .5`` and so on, -1 where the ground truth
    has nothing to measure.

    Args:
        ann_file (str | None): COCO file with the ground truth of all images.
        use_area (bool): As in mmpose: False if annotations have no ``area``.
        iou_type: As in mmpose: ``'keypoints'`` or ``'keypoints_crowd'``.
        score_mode: As in mmpose; ``'bbox'`` ranks as Detectron2 does.
        keypoint_score_thr: As in mmpose.
        nms_mode: As in mmpose: ``'none'``, ``'oks_nms'`` or ``'soft_oks_nms'``.
        nms_thr: As in mmpose.
        format_only: Write the results and measure nothing.
        pred_converter: As in mmpose.
        gt_converter: As in mmpose.
        outfile_prefix: Start of the result file's path.
        collect_device: As in mmengine.
        prefix: First part of the metrics' names, ``'coco'`` by default.

    Raises:
        FileNotFoundError: ``ann_file`` does not exist.
        AnnotationError: An image has no ground truth; an annotation has no ``area``
            although ``use_area`` needs it; ground truth or a prediction are invalid
            (docs/reference/input_formats.md); or ``ann_file`` names other keypoints
            than the metainfo.
        ConfigValueError: The metainfo does not have a sigma for each keypoint.
    """

    #: Names of metrics that are summed over categories, where the others are averaged.
    counts: tuple[str, ...] = ()
    #: What the log says where there is no prediction.
    nobody = 'the model detected nobody'
    # The one that is measured, while it is one of several.
    _category: Category | None = None

    @check_arguments
    def __init__(
        self,
        ann_file: str | None = None,
        use_area: bool = True,
        iou_type: Literal['keypoints', 'keypoints_crowd'] = 'keypoints',
        score_mode: str = 'bbox_keypoint',
        keypoint_score_thr: Share = 0.2,
        nms_mode: str = 'oks_nms',
        nms_thr: Share = 0.9,
        format_only: bool = False,
        pred_converter: dict | None = None,
        gt_converter: dict | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        check_ann_file(ann_file, type(self).__name__)
        if format_only and outfile_prefix is None:
            raise ValueError(
                f'{type(self).__name__}(format_only=True) needs outfile_prefix, the '
                'start of the path of the file to write.'
            )
        # mmpose would read the file itself, and take what it finds there.
        super().__init__(
            ann_file=None,
            use_area=use_area,
            iou_type=iou_type,
            score_mode=score_mode,
            keypoint_score_thr=keypoint_score_thr,
            nms_mode=nms_mode,
            nms_thr=nms_thr,
            format_only=format_only,
            pred_converter=pred_converter,
            gt_converter=gt_converter,
            outfile_prefix=outfile_prefix,
            collect_device=collect_device,
            prefix=prefix,
        )
        self.ann_file = ann_file
        if ann_file is not None and not format_only:
            content = read_ground_truth(ann_file, type(self).__name__, True)
            self._check_keys(content)
            # Through a file, because COCOeval reads the crowd index from one.
            self._folder = tempfile.TemporaryDirectory()
            self.coco = _load_truth(content, f'{self._folder.name}/truth.json')

    @property
    def dataset_meta(self) -> dict | None:
        """The dataset's metainfo, mmpose's."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        # mmpose's looks up the dataset's file by the dataset's name here, and writes
        # the converted sigmas into the dict that all metrics share.
        if self.gt_converter is not None:
            sigmas = transform_sigmas(
                dataset_meta['sigmas'],
                self.gt_converter['num_keypoints'],
                self.gt_converter['mapping'],
            )
            dataset_meta = dict(dataset_meta, sigmas=sigmas, num_keypoints=len(sigmas))
        check_sigmas(dataset_meta, type(self).__name__)
        self._match_categories(dataset_meta)
        if self.gt_converter is None:
            self._check_names(dataset_meta)
        self._dataset_meta = dataset_meta

    def _match_categories(self, dataset_meta: dict) -> None:
        """Give the ground truth of a file the ids that the metainfo has."""
        if self.coco is None:
            return
        content = self.coco.dataset
        categories = get_categories(dataset_meta)
        if not categories:
            # of several categories they may have been of several lengths
            check_lists(self._source, content['annotations'], True)
            return
        if self.pred_converter or self.gt_converter:
            raise ConfigValueError(
                f'{type(self).__name__}: pred_converter and gt_converter are for one '
                'skeleton; leave them out for several categories.'
            )
        content = renumber_categories(self._source, content, categories)
        self.coco = _load_truth(content, f'{self._folder.name}/truth.json')

    def _check_names(self, dataset_meta: dict) -> None:
        """Refuse a file that names other keypoints, or in another order."""
        truth = self.coco.dataset if self.coco is not None else {}
        used = {ann['category_id'] for ann in truth.get('annotations', ())}
        all_names = list(dataset_meta.get('keypoint_id2name', {}).values())
        own_names = {
            each.id: list(each.keypoint_names) for each in get_categories(dataset_meta)
        }
        for category in truth.get('categories') or ():
            given = category.get('keypoints')
            expected = own_names.get(category['id'], all_names)
            if not given or not expected or category['id'] not in used:
                continue
            agrees, remark = compare_names(given, expected)
            if not agrees:
                raise AnnotationError(
                    f'{self.ann_file}: "categories" and the metainfo '
                    f'"{dataset_meta.get("dataset_name")}" disagree: {remark}. The '
                    f'file has {", ".join(given)}; the metainfo has '
                    f'{", ".join(expected)}. Give ann_file of {type(self).__name__} '
                    'the file of the data set that is evaluated.'
                )

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Collect the predictions and the ground truth of a batch.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, with ``pred_instances``.
        """
        name = type(self).__name__
        needs_truth = self.coco is None and not self.format_only
        self._check_predictions(data_samples)
        number = len(get_categories(getattr(self, '_dataset_meta', None)))
        labels = [read_labels(sample, name, number) for sample in data_samples]
        truths = [
            sample_ground_truth(sample, name) if needs_truth else None
            for sample in data_samples
        ]
        start = len(self.results)
        # Where it holds a file, mmpose's process reads no ground truth of its own.
        given, self.coco = self.coco, self.coco or COCO()
        try:
            super().process(data_batch, data_samples)
        finally:
            self.coco = given
        self.results[start:] = [
            (dict(pred, category_id=_category_of(sample), labels=each), truth)
            for (pred, _), sample, each, truth in zip(
                self.results[start:], data_samples, labels, truths
            )
        ]

    def _check_predictions(self, data_samples: Sequence[dict]) -> None:
        meta = getattr(self, '_dataset_meta', None) or {}
        number = None if self.pred_converter else meta.get('num_keypoints')
        keys = ('keypoints', 'keypoint_scores')
        for sample in data_samples:
            check_predictions(sample, type(self).__name__, keys, number)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the metrics, or write the result file.

        Args:
            results: What :meth:`process` collected, for all images.

        Returns:
            The metrics by name; none with ``format_only``. With several categories,
            their mean, and those of each as ``CATEGORY/AP`` and so on.
        """
        categories = get_categories(getattr(self, '_dataset_meta', None))
        if not categories:
            return self._measure(results)
        found = {}
        for category in categories:
            with self._only(category):
                found[category.name] = self._measure(take_results(results, category))
        if self.outfile_prefix is not None:
            self._join_files(categories)
        metrics = average_metrics(found, self.counts)
        if metrics:
            print_log(self._describe_mean(metrics), logger='current')
        return metrics

    @contextlib.contextmanager
    def _only(self, category: Category) -> Iterator[None]:
        """Be the metric of one category."""
        given = self._dataset_meta, self.coco, self.outfile_prefix
        self._dataset_meta = take_category(given[0], category)
        self._category = category
        if self.outfile_prefix is not None:
            self.outfile_prefix = name_of_category(self.outfile_prefix, category.name)
        with tempfile.TemporaryDirectory() as folder:
            if self.coco is not None:
                content = take_truth(self.coco.dataset, category)
                check_lists(self._source, content['annotations'], True)
                self.coco = _load_truth(content, osp.join(folder, 'truth.json'))
            try:
                yield
            finally:
                self._category = None
                self._dataset_meta, self.coco, self.outfile_prefix = given

    def _join_files(self, categories: Sequence[Category]) -> None:
        """Write the results of all categories to one file."""
        paths = [
            f'{name_of_category(self.outfile_prefix, category.name)}.keypoints.json'
            for category in categories
        ]
        dump(
            [record for path in paths for record in load(path)],
            f'{self.outfile_prefix}.keypoints.json',
        )
        for path in paths:
            os.remove(path)

    def _describe_mean(self, metrics: dict[str, float]) -> str:
        mean = {name: each for name, each in metrics.items() if '/' not in name}
        return metrics_table('Mean of the categories', mean)

    def _measure(self, results: list) -> dict[str, float]:
        """Measure, or write the result file, of one skeleton."""
        if not any(len(pred['keypoints']) for pred, _ in results):
            print_log(
                f'{type(self).__name__}: {self.nobody}{self._of_category} in '
                f'{len(results)} images.',
                logger='current',
                level=logging.WARNING,
            )
        given = self.coco
        with (
            tempfile.TemporaryDirectory() as folder,
            # what COCO's programs print is in the table below, and the log has it then
            contextlib.redirect_stdout(io.StringIO()),
        ):
            self.coco = self._truth(results, folder)
            try:
                metrics = super().compute_metrics(results)
            finally:
                self.coco = given
        metrics = {name: float(value) for name, value in metrics.items()}
        if metrics:
            print_log(self._describe(metrics), logger='current')
        return metrics

    def _describe(self, metrics: dict[str, float]) -> str:
        title = 'Person keypoints'
        if self._category is not None:
            title = f'Keypoints of {self._category.name}'
        return metrics_table(title, metrics)

    @property
    def _of_category(self) -> str:
        category = self._category
        return '' if category is None else f' of the category {category.name!r}'

    def _truth(self, results: list, folder: str) -> COCO:
        if self.coco is not None:
            # mmpose converts in place, which a second evaluation would do again.
            return self.coco if self.gt_converter is None else copy.deepcopy(self.coco)
        if self.format_only:
            return COCO()
        content = coco_content([truth for _, truth in results])
        check_lists(type(self).__name__, content['annotations'], True)
        self._check_keys(content)
        path = osp.join(folder, 'results.gt.json')
        if self.outfile_prefix is not None:
            # as mmpose does
            path = f'{self.outfile_prefix}.gt.json'
        return _load_truth(content, path)

    def _check_keys(self, content: dict) -> None:
        people = content['annotations']
        if self.use_area:
            self._check_key(people, 'area', 'use_area=False')
            self._check_areas(people)
        if self.iou_type == 'keypoints_crowd':
            self._check_key(people, 'num_keypoints', "iou_type='keypoints'")
            self._check_key(content['images'], 'crowdIndex', "iou_type='keypoints'")

    def _check_key(self, records: Sequence[dict], key: str, option: str) -> None:
        for record in records:
            if key not in record:
                kind = 'annotation' if 'image_id' in record else 'image'
                raise AnnotationError(
                    f'{self._source}: {kind} id={record["id"]} has no "{key}"; '
                    f'set {option} of the metric, or add it to the file.'
                )

    def _check_areas(self, people: Sequence[dict]) -> None:
        for person in people:
            width, height = person['bbox'][2:]
            if person['area'] == 0 and width > 0 and height > 0:
                raise AnnotationError(
                    f'{self._source}: annotation id={person["id"]} has area=0 beside '
                    f'bbox={person["bbox"]}, so no prediction can match it; '
                    'set use_area=False of the metric, or correct the area.'
                )

    @property
    def _source(self) -> str:
        """What the ground truth comes from, for messages."""
        return self.ann_file or type(self).__name__

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> str:
        """Write the predictions as COCO results.

        Args:
            keypoints: The people of each image, as mmpose's CocoMetric groups them.
            outfile_prefix: Start of the file's path.

        Returns:
            Path of the file.
        """
        people_are, known = 1, ()
        is_own = self._category is not None
        if not self.format_only:
            truth = self.coco.dataset
            images = [image['id'] for image in truth['images']]
            check_images(keypoints, images, type(self).__name__, self._source)
            known = {ann['category_id'] for ann in truth['annotations']}
            people_are = person_category(truth) if known else 1
        records = []
        for people in keypoints.values():
            for person in people:
                values = np.asarray(person['keypoints'], np.float64).reshape(-1)
                score, own = float(person['score']), person['category_id']
                if not (np.isfinite(values).all() and np.isfinite(score)):
                    raise ValueError(
                        f'{type(self).__name__}: a prediction for image '
                        f'{person["img_id"]} is not finite.'
                    )
                record = dict(
                    image_id=int(person['img_id']),
                    category_id=own if is_own or own in known else people_are,
                    keypoints=values.tolist(),
                    score=score,
                )
                if self.format_only:
                    # A thousandth of a pixel is enough, and half the bytes.
                    record['keypoints'] = values.round(3).tolist()
                elif 'bbox' in person:
                    # Sorts the people into medium and large, as Detectron2 does.
                    record['bbox'] = np.asarray(person['bbox'], np.float64).tolist()
                records.append(record)
        path = f'{outfile_prefix}.keypoints.json'
        dump(records, path)
        return path


def _load_truth(content: dict, path: str) -> COCO:
    """Write ground truth to a file, and have it read from there."""
    annotations = [{**ann, 'own_id': ann['id']} for ann in content['annotations']]
    dump({**content, 'annotations': renumber(annotations)}, path)
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


def _category_of(sample: Mapping) -> int | None:
    """Return the category of a sample of one person, as top-down data sets have it."""
    category = sample.get('category_id')
    return int(category) if category is not None and np.ndim(category) == 0 else None
