# Copyright (c) onestage_pose contributors.
"""COCO box AP of the people a detector with keypoints finds."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.fileio import dump, get_local_path
from mmengine.logging import MMLogger, print_log
from mmpose.registry import METRICS
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..ground_truth import (
    check_ann_file,
    coco_content,
    metrics_table,
    person_category,
    sample_ground_truth,
)

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
    """Box AP of people, from the predictions the keypoint metric reads too.

    Predictions: ``bboxes`` (N, 4) xyxy in the original image's pixels (edge
    coordinates) and ``bbox_scores`` (N,); N may be 0. Metrics: ``bbox/AP``,
    ``bbox/AP .5`` and so on, named as the keypoint ones; crowd regions are neither
    missed nor false. -1 where the ground truth has nothing to measure.

    Args:
        ann_file: COCO file to measure against, with all its images. None takes the
            ground truth that came with the evaluated images (``raw_ann_info``).
        format_only: Write the boxes and measure nothing.
        outfile_prefix: Where given, the boxes are written as COCO results to
            ``{outfile_prefix}.bbox.json``, the form that ``bbox_file`` of mmpose's
            top-down datasets takes.
        collect_device: As in mmengine.
        prefix: First part of the metrics' names, ``'bbox'`` by default.

    Raises:
        FileNotFoundError: ``ann_file`` does not exist.
        ValueError: An image comes without ground truth, or ``format_only`` without
            ``outfile_prefix``.
    """

    default_prefix: str | None = 'bbox'

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
        self.format_only = format_only
        self.outfile_prefix = outfile_prefix

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the boxes of a batch and their ground truth.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, with ``pred_instances``.
        """
        needs_truth = self.ann_file is None and not self.format_only
        for sample in data_samples:
            truth = None
            if needs_truth:
                truth = sample_ground_truth(sample, type(self).__name__)
            people = sample['pred_instances']
            boxes = np.array(people['bboxes'], np.float64).reshape(-1, 4)
            boxes[:, 2:] -= boxes[:, :2]
            scores = np.asarray(people['bbox_scores'], np.float64)
            self.results.append((int(sample['img_id']), boxes, scores, truth))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Measure, and write the boxes where a file is asked for.

        Args:
            results: What :meth:`process` kept, of all images.

        Returns:
            The metrics by name; none with ``format_only``.
        """
        logger: MMLogger = MMLogger.get_current_instance()
        truth = None if self.format_only else self._ground_truth(results)
        category_id = 1 if truth is None else person_category(truth.dataset)
        records = [
            dict(image_id=img_id, category_id=category_id, bbox=box, score=score)
            for img_id, boxes, scores, _ in results
            for box, score in zip(boxes.tolist(), scores.tolist())
        ]
        if self.outfile_prefix is not None:
            path = f'{self.outfile_prefix}.bbox.json'
            dump(records, path)
            logger.info(f'{len(records)} boxes of people are written to {path}')
        if truth is None:
            return {}
        metrics = dict.fromkeys(STATS, 0.0)
        if records:
            evaluation = COCOeval(truth, truth.loadRes(records), 'bbox')
            evaluation.params.catIds = [category_id]
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            metrics = {
                name: float(evaluation.stats[place]) for name, place in STATS.items()
            }
        else:
            print_log(
                f'{type(self).__name__}: the model found nobody in {len(results)} '
                'images.',
                logger='current',
                level=logging.WARNING,
            )
        logger.info(metrics_table('Person boxes', metrics))
        return metrics

    def _ground_truth(self, results: list) -> COCO:
        truth = COCO()
        if self.ann_file is not None:
            with get_local_path(self.ann_file) as path:
                truth.dataset = json.loads(Path(path).read_text())
        else:
            truth.dataset = coco_content([each for *_, each in results])
        truth.dataset['annotations'] = [
            # COCOeval takes a person of id 0 for one that nobody has found
            {'area': ann['bbox'][2] * ann['bbox'][3], **ann, 'id': number}
            for number, ann in enumerate(truth.dataset['annotations'], 1)
        ]
        truth.createIndex()
        return truth
