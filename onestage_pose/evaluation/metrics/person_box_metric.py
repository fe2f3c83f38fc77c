# Copyright (c) onestage_pose contributors.
"""COCO box AP of the people a detector with keypoints finds."""

import contextlib
import io
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.fileio import dump
from mmengine.logging import MMLogger, print_log
from mmpose.registry import METRICS
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ...structures.categories import get_categories
from ...utils.arguments import check_arguments
from ..ground_truth import (
    average_metrics,
    check_ann_file,
    coco_content,
    metrics_table,
    person_category,
    read_ground_truth,
    renumber,
    renumber_categories,
    sample_ground_truth,
)
from ..predictions import check_images, check_predictions, read_labels

# Where pycocotools' summary of boxes keeps each value.
STATS = {
    'AP': 0,
    'AP .5': 1,
    'AP .75': 2,
    'AP (S)': 3,
    'AP (M)': 4,
    'AP (L)': 5,
    'AR': 8,
    'AR (S)': 9,
    'AR (M)': 10,
    'AR (L)': 11,
}


@METRICS.register_module()
class PersonBoxMetric(BaseMetric):
    """Box AP of people, from the same predictions as the keypoint metric.

    Predictions: ``bboxes`` (N, 4) xyxy in the original image's pixels (edge
    coordinates) and ``bbox_scores`` (N,); N may be 0. Metrics: ``bbox/AP``,
    ``bbox/AP .5`` and so on, named as the keypoint metrics; crowd regions are neither
    missed nor false. -1 if the ground truth has nothing to measure. If the metainfo has
    ``categories``, these are the means over the categories, and ``bbox/CATEGORY/AP``
    and so on are those of each.

    Args:
        ann_file (str | None): COCO file with the ground truth of all images. By default
            the ground truth comes with the evaluated images (``raw_ann_info``).
        format_only: Write the boxes and measure nothing.
        outfile_prefix (str | None): If given, the boxes are written as COCO results to
            ``{outfile_prefix}.bbox.json``, the ``bbox_file`` of mmpose's top-down
            datasets.
        collect_device: As in mmengine.
        prefix: First part of the metrics' names, ``'bbox'`` by default.

    Raises:
        FileNotFoundError: ``ann_file`` does not exist.
        ValueError: An image has no ground truth, or ``format_only`` has no
            ``outfile_prefix``; as an :class:`AnnotationError`, the ground truth or a
            prediction is invalid (docs/reference/input_formats.md).
    """

    default_prefix: str | None = 'bbox'

    @check_arguments
    def __init__(
        self,
        ann_file: str | None = None,
        format_only: bool = False,
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
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.ann_file = ann_file
        self._content = None
        if ann_file is not None and not format_only:
            self._content = read_ground_truth(ann_file, type(self).__name__, False)
        self.format_only = format_only
        self.outfile_prefix = outfile_prefix

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Collect the boxes of a batch and their ground truth.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, with ``pred_instances``.
        """
        needs_truth = self.ann_file is None and not self.format_only
        for sample in data_samples:
            keys = ('bboxes', 'bbox_scores')
            check_predictions(sample, type(self).__name__, keys)
            truth = None
            if needs_truth:
                truth = sample_ground_truth(sample, type(self).__name__)
            people = sample['pred_instances']
            boxes = np.array(people['bboxes'], np.float64).reshape(-1, 4)
            boxes[:, 2:] -= boxes[:, :2]
            scores = np.asarray(people['bbox_scores'], np.float64)
            number = len(get_categories(self.dataset_meta))
            labels = read_labels(sample, type(self).__name__, number)
            self.results.append((int(sample['img_id']), boxes, scores, labels, truth))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the metrics, and write the boxes if a file is asked for.

        Args:
            results: What :meth:`process` kept, of all images.

        Returns:
            The metrics by name; none with ``format_only``.
        """
        logger: MMLogger = MMLogger.get_current_instance()
        truth = None
        if not self.format_only:
            with contextlib.redirect_stdout(io.StringIO()):
                truth = self._ground_truth(results)
        categories = get_categories(self.dataset_meta)
        if categories:
            ids = [category.id for category in categories]
        else:
            # whatever labels a model of one skeleton has, they are people
            ids = [1 if truth is None else person_category(truth.dataset)]
        records = [
            dict(image_id=img_id, category_id=id_, bbox=box, score=score)
            for img_id, boxes, scores, labels, _ in results
            for box, score, id_ in zip(
                boxes.tolist(),
                scores.tolist(),
                [ids[label] for label in labels] if categories else ids * len(boxes),
            )
        ]
        if self.outfile_prefix is not None:
            path = f'{self.outfile_prefix}.bbox.json'
            dump(records, path)
            what = 'instances' if categories else 'people'
            logger.info(f'{len(records)} boxes of {what} are written to {path}')
        if truth is None:
            return {}
        check_images(
            (record['image_id'] for record in records),
            (image['id'] for image in truth.dataset['images']),
            type(self).__name__,
            self.ann_file,
        )
        if not records:
            print_log(
                f'{type(self).__name__}: the model detected nobody in {len(results)} '
                'images.',
                logger='current',
                level=logging.WARNING,
            )
        # what COCO's programs print is in the table below, and the log has it then
        with contextlib.redirect_stdout(io.StringIO()):
            found = [_evaluate(truth, records, id_) for id_ in ids]
        if not categories:
            logger.info(metrics_table('Person boxes', found[0]))
            return found[0]
        for category, metrics in zip(categories, found):
            logger.info(metrics_table(f'Boxes of {category.name}', metrics))
        return average_metrics(
            {category.name: each for category, each in zip(categories, found)}
        )

    def _ground_truth(self, results: list) -> COCO:
        truth = COCO()
        if self._content is not None:
            truth.dataset = dict(self._content)
            categories = get_categories(self.dataset_meta)
            if categories:
                truth.dataset = renumber_categories(
                    self.ann_file, self._content, categories
                )
        else:
            truth.dataset = coco_content([each for *_, each in results])
        truth.dataset['annotations'] = [
            # where none is known, people are sorted by the size of their box
            {**ann, 'area': ann.get('area') or ann['bbox'][2] * ann['bbox'][3]}
            for ann in renumber(truth.dataset['annotations'])
        ]
        truth.createIndex()
        return truth


def _evaluate(truth: COCO, records: list[dict], category_id: int) -> dict[str, float]:
    """Measure the boxes of one category."""
    evaluation = COCOeval(truth, _load_results(truth, records), 'bbox')
    evaluation.params.catIds = [category_id]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return {name: float(evaluation.stats[place]) for name, place in STATS.items()}


def _load_results(truth: COCO, records: list[dict]) -> COCO:
    if records:
        return truth.loadRes(records)
    # pycocotools looks at the first result to see what all of them are
    results = COCO()
    results.dataset = {**truth.dataset, 'annotations': []}
    results.createIndex()
    return results
