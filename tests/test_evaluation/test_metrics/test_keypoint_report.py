# Copyright (c) onestage_pose contributors.
"""The report beside the other metrics, and its files."""

import json

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.evaluation import KeypointCocoMetric, KeypointReport
from onestage_pose.utils.errors import ConfigValueError

import pytest
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope

EXACT = dict(score_mode='bbox', nms_mode='none')


@pytest.fixture(scope='module')
def meta():
    return PersonKeypointsDataset(lazy_init=True).metainfo


def evaluate(metric, samples, meta):
    metric.dataset_meta = meta
    metric.process(None, samples)
    return metric.evaluate(len(samples))


@pytest.mark.parametrize(
    'options', [EXACT, dict(score_mode='bbox_keypoint', nms_mode='oks_nms')]
)
def test_ap_is_that_of_the_metric_with_the_same_options(pictures, meta, options):
    samples = pictures().predict(noise=6.0)

    report = evaluate(KeypointReport(**options), samples, meta)

    expected = evaluate(KeypointCocoMetric(**options), samples, meta)
    for name in ('AP', 'AP .5', 'AP .75', 'AR'):
        assert report[f'report/{name}'] == pytest.approx(expected[f'coco/{name}'])


def test_without_area_it_is_that_of_the_metric_too(pictures, meta):
    samples = pictures().predict(noise=6.0)
    options = dict(EXACT, use_area=False)

    report = evaluate(KeypointReport(**options), samples, meta)

    expected = evaluate(KeypointCocoMetric(**options), samples, meta)
    assert report['report/AP'] == pytest.approx(expected['coco/AP'])


def test_it_stands_beside_the_other_metrics_of_a_config(pictures, meta):
    init_default_scope('mmpose')
    evaluator = Evaluator(
        [dict(type='KeypointCocoMetric'), dict(type='KeypointReport')]
    )
    evaluator.dataset_meta = meta
    samples = pictures().predict()

    evaluator.process(samples)
    metrics = evaluator.evaluate(len(samples))

    assert metrics['coco/AP'] == metrics['report/AP'] == 1
    assert metrics['report/miss'] == metrics['report/missed people'] == 0


def test_json_holds_the_numbers_with_the_ids_of_the_file(pictures, meta, tmp_path):
    path = tmp_path / 'report.json'
    some = pictures()
    for ann in some.annotations:
        ann['id'] += 1000
    samples = some.predict(found=False)

    evaluate(KeypointReport(json_file=str(path), **EXACT), samples, meta)

    values = json.loads(path.read_text())
    assert values['people']['missed'] == 6
    missed = {case['annotation_id'] for case in values['cases']}
    assert missed == {ann['id'] for ann in some.annotations if ann['num_keypoints']}


def test_calibrates_the_scores_of_boxes_whatever_ranks_people(pictures, meta):
    metric = KeypointReport(score_mode='keypoint', nms_mode='none')
    samples = pictures().predict()

    evaluate(metric, samples, meta)

    curve = metric.analysis.values['calibration']['bbox_scores']['curve']
    scores = [s for each in samples for s in each['pred_instances']['bbox_scores'][:1]]
    total = sum(point['score'] * point['number'] for point in curve)
    assert total == pytest.approx(sum(scores))


def test_summary_is_logged_once_and_nothing_else_is_printed(
    pictures, meta, log, capsys
):
    evaluate(KeypointReport(**EXACT), pictures().predict(), meta)

    assert log.getvalue().count('Keypoint AP 100.0') == 1
    assert capsys.readouterr().out == ''


def test_format_only_measures_nothing_and_is_refused(tmp_path):
    with pytest.raises(ConfigValueError, match='leave format_only'):
        KeypointReport(format_only=True, outfile_prefix=str(tmp_path / 'results'))
