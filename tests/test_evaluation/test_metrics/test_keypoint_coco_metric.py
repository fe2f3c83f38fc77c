# Copyright (c) onestage_pose contributors.
import copy
import json
import pickle
from pathlib import Path

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.evaluation import KeypointCocoMetric, PersonBoxMetric
from onestage_pose.utils.errors import AnnotationError, ConfigValueError

import numpy as np
import pytest
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.metrics import CocoMetric
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


def one_by_one(samples):
    """Samples of one person each, as top-down data sets give them, without boxes."""
    singles = []
    for sample in samples:
        for place, annotation in enumerate(sample['raw_ann_info']):
            pred = sample['pred_instances']
            singles.append(
                dict(
                    id=annotation['id'],
                    img_id=sample['img_id'],
                    category_id=annotation['category_id'],
                    ori_shape=sample['ori_shape'],
                    raw_ann_info=annotation,
                    gt_instances=dict(bbox_scores=pred['bbox_scores'][[place]]),
                    pred_instances=dict(
                        keypoints=pred['keypoints'][[place]],
                        keypoint_scores=pred['keypoint_scores'][[place]],
                    ),
                )
            )
    return singles


def values_of(metric, meta, samples):
    metric.dataset_meta = dict(meta, CLASSES=[dict(id=1, name='person')])
    metric.process(None, samples)
    return metric.evaluate(len(samples))


@pytest.mark.parametrize('noise', [0.0, 4.0])
@pytest.mark.parametrize('score_mode', ['bbox', 'bbox_keypoint', 'bbox_rle'])
@pytest.mark.parametrize('nms_mode', ['none', 'oks_nms', 'soft_oks_nms'])
def test_people_one_by_one_are_measured_as_by_mmpose(
    pictures, meta, tmp_path, noise, score_mode, nms_mode
):
    samples = one_by_one(pictures().predict(noise=noise))
    options = dict(
        score_mode=score_mode, nms_mode=nms_mode, outfile_prefix=f'{tmp_path}/one'
    )
    theirs = values_of(CocoMetric(**options), meta, copy.deepcopy(samples))
    ours = values_of(KeypointCocoMetric(**options), meta, samples)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert noise or ours['coco/AP'] == 1.0


@pytest.mark.parametrize('by_file', [False, True])
def test_people_one_by_one_are_measured_by_crowding_as_by_mmpose(
    pictures, meta, tmp_path, by_file
):
    some = pictures()
    samples = one_by_one(some.predict(noise=4.0))
    content = some.content
    for number, image in enumerate(content['images']):
        image['crowdIndex'] = number / 6
    for sample in samples:
        sample['crowd_index'] = (sample['img_id'] - 1) / 6
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    options = dict(
        ann_file=str(path) if by_file else None,
        iou_type='keypoints_crowd',
        use_area=False,
    )
    theirs = values_of(CocoMetric(**options), meta, copy.deepcopy(samples))
    ours = values_of(KeypointCocoMetric(**options), meta, samples)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_the_truth_of_people_one_by_one_is_written_as_by_mmpose(
    pictures, meta, tmp_path
):
    samples = one_by_one(pictures(number=2).predict())
    evaluate(samples, meta, outfile_prefix=f'{tmp_path}/one')
    truth = json.loads((tmp_path / 'one.gt.json').read_text())
    assert (len(truth['images']), len(truth['annotations'])) == (2, 4)
    assert (tmp_path / 'one.keypoints.json').is_file()


def test_people_of_several_categories_keep_their_own(pictures, meta):
    samples = one_by_one(pictures().predict())
    for sample in samples[::2]:
        sample['category_id'] = sample['raw_ann_info']['category_id'] = 3
    assert values_of(KeypointCocoMetric(**EXACT), meta, samples)['coco/AP'] == 1.0


def test_ids_below_0_are_ids(pictures, meta):
    some = pictures()
    for number, annotation in enumerate(some.annotations):
        annotation['id'] = -5 * number - 1
    assert evaluate(some.predict(), meta)['coco/AP'] == 1.0


@pytest.mark.parametrize('key', ['iscrowd', 'category_id', 'area'])
def test_a_file_may_lack_what_has_a_default(pictures, meta, tmp_path, key):
    some = pictures()
    content = some.content | dict(categories=[])
    for annotation in content['annotations']:
        del annotation[key]
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    assert evaluate(some.predict(), meta, ann_file=str(path))['coco/AP'] == 1.0


@pytest.mark.parametrize('area', [None, 0])
def test_areas_that_a_file_does_not_have_are_taken_from_the_boxes(
    pictures, meta, tmp_path, log, area
):
    some = pictures()
    for annotation in some.annotations:
        annotation['area'] = area
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    assert evaluate(some.predict(), meta, ann_file=str(path))['coco/AP'] == 1.0
    assert '12 annotations have no "area" or 0; 0.53 of their' in log.getvalue()


def test_an_area_of_0_in_a_sample_names_the_option(pictures, meta):
    samples = pictures().predict()
    samples[0]['raw_ann_info'][0]['area'] = 0
    with pytest.raises(AnnotationError, match='id=2 has area=0 .*use_area=False'):
        evaluate(samples, meta)


def test_nobody_found_where_nobody_is_is_nothing_to_measure(pictures, meta):
    samples = pictures().predict(found=False)
    for sample in samples:
        sample['raw_ann_info'] = []
    assert set(evaluate(samples, meta).values()) == {-1.0}


def test_a_wrong_value_of_a_file_is_named_when_the_metric_is_made(pictures, tmp_path):
    some = pictures()
    some.annotations[0]['iscrowd'] = 'false'
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    with pytest.raises(AnnotationError, match=r"truth\.json: .* iscrowd='false'"):
        KeypointCocoMetric(ann_file=str(path))


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('keypoints', np.zeros((2, 16, 2)), r'shape \(2, 16, 2\), expected \(2, 17, 2'),
        ('keypoint_scores', np.zeros((1, 17)), r'expected \(2, 17\)'),
        ('bboxes', np.zeros((2, 5)), r'shape \(2, 5\), expected \(2, 4\)'),
        ('bbox_scores', np.array([np.inf, 1]), 'is not finite'),
        ('bbox_scores', np.array(['a', 'b']), 'are not numbers'),
    ],
)
def test_a_prediction_of_another_form_is_named(pictures, meta, key, value, message):
    samples = pictures().predict()
    samples[1]['pred_instances'][key] = value
    with pytest.raises(AnnotationError, match=f'for image 2 .*{message}'):
        evaluate(samples, meta)


def test_images_that_the_file_does_not_have_are_named(pictures, meta, tmp_path):
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(pictures(number=4).content))
    with pytest.raises(AnnotationError, match=r'2 images .* first ids \[5, 6\]'):
        evaluate(pictures().predict(), meta, ann_file=str(path))


def test_a_file_of_keypoints_in_another_order_is_refused(pictures, meta, tmp_path):
    names = list(meta['keypoint_id2name'].values())
    content = pictures().content
    content['categories'] = [dict(id=1, name='person', keypoints=names[::-1])]
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    metric = KeypointCocoMetric(ann_file=str(path))
    with pytest.raises(AnnotationError, match='another order.* right_ankle, .* nose, '):
        metric.dataset_meta = meta


def test_metainfo_without_a_sigma_of_each_keypoint_is_named_at_once(meta):
    metric = KeypointCocoMetric()
    with pytest.raises(ConfigValueError, match='17 keypoints .* "coco", which has 16'):
        metric.dataset_meta = dict(meta, sigmas=meta['sigmas'][:16])


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
    assert 'KeypointCocoMetric: the model detected nobody in 6 images' in log.getvalue()


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


def test_values_stand_in_the_log_once_and_nothing_else_is_printed(
    pictures, meta, log, capsys, tmp_path
):
    some = pictures()
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))

    evaluate(some.predict(), meta, ann_file=str(path))

    assert log.getvalue().count('AP .75') == 1
    assert capsys.readouterr().out == ''
