# Copyright (c) onestage_pose contributors.
"""What is behind a keypoint AP: kinds of errors, scores, the worst images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.fileio import dump, load
from mmpose.registry import METRICS

from ...utils.arguments import NonNegativeInt, Share, check_arguments
from ...utils.errors import ConfigValueError
from ..analysis import Analysis, analyse, read_people, summarize
from ..analysis.errors import KINDS
from ..analysis.without import PEOPLE_KINDS
from ..ground_truth import name_of_category
from ..page import write_page
from .keypoint_coco_metric import KeypointCocoMetric


@METRICS.register_module()
class KeypointReport(KeypointCocoMetric):
    """Report the errors of predictions, beside the metrics of a config.

    With several categories, each has a report of its own; its files have the category's
    name before their suffix, such as ``report_dog.html``.

    Put it into ``test_evaluator`` with the options of ``KeypointCocoMetric``::

        test_evaluator = [
            dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
            dict(
                type='KeypointReport',
                score_mode='bbox',
                nms_mode='none',
                html_file='report.html',
            ),
        ]

    Ground truth and predictions are read as by that metric; docs/reference/metrics.md
    defines each number. Metrics: ``report/AP``, ``AP .5``, ``AP .75`` and ``AR``, the
    same as COCO's; ``PCK .05``, ``.1`` and ``.2`` of detected people; ``jitter``,
    ``inversion``, ``swap`` and ``miss``, shares of the labelled keypoints of detected
    people; ``AP without jitter`` and so on. All are from 0 to 1, or -1 if there is
    nothing to measure. ``missed people``, ``false people`` and ``doubles`` are counts,
    the latter two over ``score_thr``.

    Args:
        *args: See :class:`KeypointCocoMetric`, without ``format_only``.
        **options: Likewise.
        score_thr (float): Count false people and doubles with a score over this.
        num_cases (int): Largest number of images of each kind of error on the page.
        json_file (str, optional): JSON file to write, with all numbers.
        html_file (str, optional): HTML page to write.
        title (str): Title of the page.
        source (dict, optional): Facts to show on the page, such as
            ``dict(model='nano')``.

    Attributes:
        analysis (Analysis, optional): The latest analysis.
        analyses (dict[str, Analysis]): That of each category by its name; empty if
            there is only one.

    Raises:
        ConfigValueError: With ``format_only``, which measures nothing.
        Others: see :class:`KeypointCocoMetric`.
    """

    default_prefix: str | None = 'report'
    counts = ('missed people', 'false people', 'doubles')

    @check_arguments
    def __init__(
        self,
        *args: Any,
        score_thr: Share = 0.3,
        num_cases: NonNegativeInt = 6,
        json_file: str | None = None,
        html_file: str | None = None,
        title: str = 'Keypoint evaluation',
        source: dict | None = None,
        **options: Any,
    ) -> None:
        if options.get('format_only'):
            raise ConfigValueError(
                'KeypointReport(format_only=True) measures nothing; leave format_only '
                'out, or use KeypointCocoMetric.'
            )
        super().__init__(*args, **options)
        self.score_thr = score_thr
        self.num_cases = num_cases
        self.json_file = json_file
        self.html_file = html_file
        self.title = title
        self.source = dict(source or {})
        self.analysis: Analysis | None = None
        self.analyses: dict[str, Analysis] = {}
        self._bbox_scores: list[float] = []
        self._img_paths: dict[int, str | None] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Collect the predictions, the ground truth and the image paths of a batch.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, with ``pred_instances``.
        """
        start = len(self.results)
        super().process(data_batch, data_samples)
        self.results[start:] = [
            (dict(pred, img_path=sample.get('img_path')), truth)
            for (pred, truth), sample in zip(self.results[start:], data_samples)
        ]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Analyse the predictions, and write the requested files.

        Args:
            results: What :meth:`process` kept, of all images.

        Returns:
            The metrics by name.
        """
        self._img_paths = {pred['img_id']: pred['img_path'] for pred, _ in results}
        self.analyses = {}
        return super().compute_metrics(results)

    def _measure(self, results: list) -> dict[str, float]:
        metrics = super()._measure(results)
        json_file, html_file, title = self.json_file, self.html_file, self.title
        category = self._category
        if category is not None:
            self.analyses[category.name] = self.analysis
            self.analysis.values['source'] = dict(self.source, category=category.name)
            json_file = json_file and name_of_category(json_file, category.name)
            html_file = html_file and name_of_category(html_file, category.name)
            title = f'{title}: {category.name}'
        if json_file is not None:
            dump(self.analysis.values, json_file, indent=1)
        if html_file is not None:
            write_page(
                html_file, self.analysis, self.dataset_meta, self._img_paths, title
            )
        return metrics

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> str:
        """Write the predictions as COCO results, and keep the scores of the boxes."""
        self._bbox_scores = [
            float(person['bbox_score'])
            for people in keypoints.values()
            for person in people
        ]
        return super().results2json(keypoints, outfile_prefix)

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list:
        # what mmpose's compute_metrics calls once predictions are scored and written
        content = dict(
            images=self.coco.dataset['images'],
            annotations=list(self.coco.anns.values()),
        )
        people = read_people(
            content,
            load(f'{outfile_prefix}.keypoints.json'),
            len(self.dataset_meta['sigmas']),
            self._bbox_scores,
            self.use_area,
        )
        self.analysis = analyse(
            people, self.dataset_meta, self.score_thr, self.num_cases
        )
        self.analysis.values['source'] = self.source
        return list(_metrics_of(self.analysis.values).items())

    def _describe(self, metrics: dict[str, float]) -> str:
        summary = summarize(self.analysis.values)
        if self._category is None:
            return summary
        return f'Category {self._category.name}\n{summary}'


def _metrics_of(values: dict) -> dict[str, float]:
    whole, people = values['average_precision'], values['people']
    counts, pck = values['keypoint_errors'], values['per_keypoint'][-1]['PCK']
    metrics = {'AP': whole['AP'], 'AP .5': whole['AP50'], 'AP .75': whole['AP75']}
    metrics['AR'] = whole['AR']
    for share, value in pck.items():
        metrics[f'PCK {share[1:]}'] = -1.0 if value is None else value
    for kind in KINDS:
        known = counts['labelled']
        metrics[kind] = counts[kind] / known if known else -1.0
    for kind in (*KINDS, *PEOPLE_KINDS):
        metrics[f'AP without {kind}'] = values['without'][kind]['AP']
    metrics['missed people'] = people['missed']
    metrics['false people'] = people['false_over_score_thr']
    metrics['doubles'] = people['doubles_over_score_thr']
    return metrics
