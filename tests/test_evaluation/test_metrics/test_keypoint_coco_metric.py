# Copyright (c) onestage_pose contributors.
import copy
import json
import pickle
from pathlib import Path

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.evaluation import KeypointCocoMetric, PersonBoxMetric

import numpy as np
import pytest
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import METRICS
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

EXACT = dict(score_mode='bbox', nms_mode='none')


@pytest.fixture(scope='module')
def meta():
    return PersonKeypointsDataset(lazy_init=True).metainfo


def evaluate(samples, meta, **options):
    metric = KeypointCocoMetric(**(EXACT | options))
    metric.dataset_meta = meta
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def reference(content, samples, tmp_path):
    """pycocotools' own ten values for the same predictions."""
    path = tmp_path / 'reference.json'
    path.write_text(json.dumps(content))
    coco = COCO(str(path))
    results = []
    for sample in samples:
        pred = sample['pred_instances']
        for keypoints, box, score in zip(
            pred['keypoints'], pred['bboxes'], pred['bbox_scores']
        ):
            x1, y1, x2, y2 = box.astype(np.float64).tolist()
            flat = np.concatenate([keypoints, np.ones((len(keypoints), 1))], axis=1)
            results.append(
                dict(
                    image_id=sample['img_id'],
                    category_id=content['categories'][0]['id'],
                    keypoints=flat.astype(np.float64).ravel().tolist(),
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    score=float(score),
                )
            )
    evaluation = COCOeval(coco, coco.loadRes(results), 'keypoints')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats


def test_the_truth_scores_1(pictures, meta):
    metrics = evaluate(pictures().predict(), meta)
    assert metrics['coco/AP'] == metrics['coco/AR'] == 1.0


@pytest.mark.parametrize('noise', [2.0, 6.0])
def test_values_are_those_of_pycocotools(pictures, meta, tmp_path, noise):
    some = pictures(number=12)
    samples = some.predict(noise=noise)
    metrics = evaluate(samples, meta)
    np.testing.assert_allclose(
        list(metrics.values()), reference(some.content, samples, tmp_path), atol=1e-6
    )


def test_a_file_gives_what_the_samples_give(pictures, meta, tmp_path):
    some = pictures()
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    samples = some.predict(noise=3.0)
    assert evaluate(samples, meta, ann_file=str(path)) == evaluate(samples, meta)


def test_a_part_of_a_dataset_is_measured_on_that_part(pictures, meta):
    assert evaluate(pictures(number=6).predict()[:2], meta)['coco/AP'] == 1.0


def test_a_file_another_dataset_of_the_name_left_behind_is_not_used(
    pictures, meta, tmp_path
):
    path = tmp_path / 'other.json'
    path.write_text(json.dumps(pictures(number=2, seed=9).content))
    hub = MessageHub.get_current_instance()
    hub.update_info('coco_ann_file', str(path))
    try:
        assert evaluate(pictures().predict(), meta)['coco/AP'] == 1.0
    finally:
        hub.pop_info('coco_ann_file')


def test_a_second_evaluation_starts_anew(pictures, meta):
    metric = KeypointCocoMetric(**EXACT)
    metric.dataset_meta = meta
    values = []
    for seed in (0, 1, 0):
        samples = pictures(number=3 + seed, seed=seed).predict(noise=3.0)
        metric.process(None, samples)
        values.append(metric.evaluate(len(samples)))
    assert values[0] == values[2] != values[1]


def test_the_samples_are_left_as_they_were(pictures, meta):
    samples = pictures().predict()
    before = copy.deepcopy(samples)
    evaluate(samples, meta)
    np.testing.assert_equal(samples, before)


def test_a_converter_of_the_truth_is_applied_once_in_each_evaluation(
    pictures, meta, tmp_path
):
    some = pictures()
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    back = dict(num_keypoints=17, mapping=[(i, (i + 1) % 17) for i in range(17)])
    metric = KeypointCocoMetric(
        ann_file=str(path), gt_converter=back, pred_converter=back, **EXACT
    )
    metric.dataset_meta = meta
    values = []
    for _ in range(2):
        metric.process(None, some.predict())
        values.append(metric.evaluate(6)['coco/AP'])
    assert values == [1.0, 1.0]


def test_nobody_found_is_0_and_a_warning(pictures, meta, log):
    metrics = evaluate(pictures().predict(found=False), meta)
    assert metrics['coco/AP'] == metrics['coco/AR'] == 0.0
    assert 'KeypointCocoMetric: the model found nobody in 6 images' in log.getvalue()


@pytest.mark.parametrize('number', [0, 3, 6])
def test_nobody_found_in_some_pictures_is_counted_as_missed(pictures, meta, number):
    some = pictures()
    samples = some.predict(found=False)[:number] + some.predict()[number:]
    metrics = evaluate(samples, meta)
    assert metrics['coco/AR'] == pytest.approx(1 - number / 6)


def test_people_of_another_category_number_are_measured_too(pictures, meta):
    assert evaluate(pictures(category_id=7).predict(), meta)['coco/AP'] == 1.0


def test_values_are_plain_floats(pictures, meta):
    metrics = evaluate(pictures().predict(), meta)
    assert {type(value) for value in metrics.values()} == {float}


def test_what_is_kept_can_be_sent_to_another_process(pictures, meta):
    metric = KeypointCocoMetric(**EXACT)
    metric.dataset_meta = meta
    metric.process(None, pictures().predict())
    metric.results = pickle.loads(pickle.dumps(metric.results))
    assert metric.evaluate(6)['coco/AP'] == 1.0


def test_a_sample_without_truth_names_the_remedy(pictures, meta):
    samples = pictures().predict()
    del samples[0]['raw_ann_info']
    with pytest.raises(ValueError, match='has no ground truth for image 1'):
        evaluate(samples, meta)


def test_a_missing_area_names_the_option(pictures, meta):
    samples = pictures().predict()
    del samples[0]['raw_ann_info'][0]['area']
    with pytest.raises(ValueError, match='annotation id=2 has no "area".*use_area'):
        evaluate(samples, meta)


def test_truth_without_areas_is_measured_by_option(pictures, meta):
    samples = pictures().predict()
    for sample in samples:
        for annotation in sample['raw_ann_info']:
            del annotation['area']
    assert evaluate(samples, meta, use_area=False)['coco/AP'] == 1.0


def test_a_missing_file_is_named_at_once():
    with pytest.raises(FileNotFoundError, match=r'absent\.json.*KeypointCocoMetric'):
        KeypointCocoMetric(ann_file='absent.json')


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('num_keypoints', 'annotation id=2 has no "num_keypoints"'),
        ('crowd_index', 'image id=1 has no "crowdIndex"'),
    ],
)
def test_what_crowdposes_measure_misses_is_named(pictures, meta, key, message):
    samples = pictures(number=1).predict()
    samples[0]['crowd_index'] = 0.5
    del (samples[0] if key in samples[0] else samples[0]['raw_ann_info'][0])[key]
    with pytest.raises(ValueError, match=f"{message}.*iou_type='keypoints'"):
        evaluate(samples, meta, iou_type='keypoints_crowd')


def test_crowdposes_measure_takes_14_keypoints_and_the_crowd_index():
    rng = np.random.default_rng(0)
    samples = []
    for img_id, crowd_index in enumerate([0.0, 0.5, 0.9], start=1):
        points = rng.uniform(20, 90, (14, 2)).round(1)
        flat = np.concatenate([points, np.full((14, 1), 2)], axis=1)
        annotation = dict(
            id=img_id,
            image_id=img_id,
            category_id=1,
            iscrowd=0,
            bbox=[20, 20, 70, 70],
            num_keypoints=14,
            keypoints=flat.ravel().tolist(),
        )
        pred = dict(
            keypoints=points[None].astype(np.float32),
            keypoint_scores=np.ones((1, 14)),
            bboxes=np.array([[20, 20, 90, 90]], np.float32),
            bbox_scores=np.ones(1),
        )
        samples.append(
            dict(
                id=[img_id],
                img_id=img_id,
                ori_shape=(480, 640),
                crowd_index=crowd_index,
                raw_ann_info=[annotation],
                gt_instances={},
                pred_instances=pred,
            )
        )
    meta = parse_pose_metainfo(
        dict(
            dataset_name='crowdpose',
            keypoint_info={i: dict(name=str(i), id=i) for i in range(14)},
            skeleton_info={},
            joint_weights=[1.0] * 14,
            sigmas=[0.079] * 14,
        )
    )
    metrics = evaluate(samples, meta, iou_type='keypoints_crowd', use_area=False)
    parts = [metrics[f'coco/AP({part})'] for part in 'EMH']
    assert [metrics['coco/AP'], *parts] == [1.0, 1.0, 1.0, 1.0]


def formatted(samples, meta, tmp_path):
    prefix = str(tmp_path / 'submission')
    metrics = evaluate(samples, meta, format_only=True, outfile_prefix=prefix)
    assert metrics == {}
    return json.loads(Path(f'{prefix}.keypoints.json').read_text())


def test_the_result_file_is_what_the_test_server_takes(pictures, meta, tmp_path):
    records = formatted(pictures(number=3).predict(), meta, tmp_path)
    assert len(records) == 6
    for record in records:
        assert sorted(record) == ['category_id', 'image_id', 'keypoints', 'score']
        assert type(record['image_id']) is int
        assert record['category_id'] == 1
        assert [type(value) for value in record['keypoints']] == [float] * 51
        assert type(record['score']) is float


def test_the_result_file_holds_the_predictions(pictures, meta, tmp_path):
    samples = pictures(number=1).predict(noise=2.0)
    records = formatted(samples, meta, tmp_path)
    pred = samples[0]['pred_instances']
    keypoints = np.array([r['keypoints'] for r in records]).reshape(-1, 17, 3)
    np.testing.assert_allclose(keypoints[..., :2], pred['keypoints'], atol=6e-4)
    assert [r['score'] for r in records] == pred['bbox_scores'].tolist()


def test_the_result_file_needs_no_truth(pictures, meta, tmp_path):
    samples = pictures(number=1).predict()
    del samples[0]['raw_ann_info']
    assert len(formatted(samples, meta, tmp_path)) == 2


def test_the_result_file_of_a_model_that_finds_nobody_is_an_empty_list(
    pictures, meta, tmp_path
):
    assert formatted(pictures().predict(found=False), meta, tmp_path) == []


def test_format_only_without_a_path_is_named():
    with pytest.raises(ValueError, match='needs outfile_prefix'):
        KeypointCocoMetric(format_only=True)


def test_a_prediction_that_is_not_finite_is_named(pictures, meta):
    samples = pictures().predict()
    samples[1]['pred_instances']['keypoints'][0, 0] = np.nan
    with pytest.raises(ValueError, match='a prediction for image 2 is not finite'):
        evaluate(samples, meta)


def test_the_truth_of_real_pictures_scores_1_in_keypoints_and_boxes(shared_dir):
    dataset = PersonKeypointsDataset(
        data_root=str(Path(shared_dir) / 'data/coco_pool'),
        ann_file='annotations/person_keypoints_val.json',
        data_prefix=dict(img='images/val/'),
        test_mode=True,
        pipeline=[
            dict(type='mmpose.LoadPoseImage'),
            dict(type='mmpose.PackKeypointRCNNInputs'),
        ],
    )
    with DefaultScope.overwrite_default_scope('mmpose'):
        metrics = [
            METRICS.build(dict(type='KeypointCocoMetric', **EXACT)),
            METRICS.build(dict(type='PersonBoxMetric')),
        ]
    assert isinstance(metrics[1], PersonBoxMetric)
    for item in dataset:
        sample = item['data_samples']
        people = sample.gt_instances
        middle = people.bboxes.reshape(-1, 2, 2).mean(axis=1, keepdims=True)
        posed = people.keypoints_visible.any(axis=1)
        real = np.array([not ann['iscrowd'] for ann in sample.raw_ann_info], bool)
        sample.pred_instances = InstanceData(
            keypoints=np.where(posed[:, None, None], people.keypoints, middle),
            keypoint_scores=np.ones_like(people.keypoints_visible),
            bboxes=people.bboxes,
            # Before those with keypoints, one without could take their place.
            bbox_scores=np.where(posed, 1.0, 0.5),
        )[real]
        for metric in metrics:
            metric.process(None, [sample.to_dict()])
    values = {}
    for metric in metrics:
        metric.dataset_meta = dataset.metainfo
        values.update(metric.evaluate(len(dataset)))
    assert values['coco/AP'] == pytest.approx(1.0, abs=1e-9)
    assert values['bbox/AP'] == pytest.approx(1.0, abs=1e-9)
