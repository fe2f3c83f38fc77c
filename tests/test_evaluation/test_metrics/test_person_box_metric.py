# Copyright (c) onestage_pose contributors.
import json
import pickle

from onestage_pose.evaluation import PersonBoxMetric
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest
from mmpose.datasets import CocoDataset
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def evaluate(samples, **options):
    metric = PersonBoxMetric(**options)
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_the_truth_scores_1(pictures):
    metrics = evaluate(pictures().predict())
    assert metrics['bbox/AP'] == metrics['bbox/AR'] == 1.0


def test_values_are_those_of_pycocotools(pictures, tmp_path):
    some = pictures(number=12)
    samples = some.predict(noise=8.0)
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    coco = COCO(str(path))
    results = []
    for sample in samples:
        pred = sample['pred_instances']
        for box, score in zip(pred['bboxes'].astype(np.float64), pred['bbox_scores']):
            xywh = [*box[:2], *(box[2:] - box[:2])]
            results.append(
                dict(image_id=sample['img_id'], category_id=1, bbox=xywh, score=score)
            )
    evaluation = COCOeval(coco, coco.loadRes(results), 'bbox')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    np.testing.assert_allclose(
        list(evaluate(samples).values()),
        evaluation.stats[[0, 1, 2, 3, 4, 5, 8, 9, 10, 11]],
    )


def test_a_file_gives_what_the_samples_give(pictures, tmp_path):
    some = pictures()
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    samples = some.predict(noise=8.0)
    assert evaluate(samples, ann_file=str(path)) == evaluate(samples)


@pytest.mark.parametrize('from_file', [True, False])
def test_ids_from_0_on_are_ids(pictures, tmp_path, from_file):
    some = pictures()
    for number, annotation in enumerate(some.annotations):
        annotation['id'] = number
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(some.content))
    options = dict(ann_file=str(path)) if from_file else {}
    assert evaluate(some.predict(), **options)['bbox/AP'] == 1.0
    assert [annotation['id'] for annotation in some.annotations][:2] == [0, 1]


def test_crowd_regions_are_neither_missed_nor_false(pictures):
    some = pictures()
    for annotation in some.annotations[1::2]:
        annotation['iscrowd'] = 1
    found = evaluate(some.predict())
    assert found['bbox/AP'] == 1.0


def test_people_without_keypoints_count(pictures):
    samples = pictures().predict()
    for sample in samples:
        pred = sample['pred_instances']
        for key in pred:
            pred[key] = pred[key][:1]
    assert evaluate(samples)['bbox/AR'] == pytest.approx(0.5)


def test_people_of_another_category_number_are_measured_too(pictures):
    assert evaluate(pictures(category_id=7).predict())['bbox/AP'] == 1.0


def test_truth_without_areas_is_sized_by_its_boxes(pictures):
    samples = pictures().predict()
    for sample in samples:
        for annotation in sample['raw_ann_info']:
            del annotation['area']
    assert evaluate(samples)['bbox/AP'] == 1.0


def test_nobody_found_is_0_and_a_warning(pictures, log):
    metrics = evaluate(pictures().predict(found=False))
    # there are no small ones to be found
    nothing = {name for name, value in metrics.items() if value == -1}
    assert nothing == {'bbox/AP (S)', 'bbox/AR (S)'}
    assert {metrics[name] for name in set(metrics) - nothing} == {0.0}
    assert 'PersonBoxMetric: the model detected nobody in 6 images' in log.getvalue()


def test_nobody_found_where_nobody_is_is_nothing_to_measure(pictures):
    samples = pictures().predict(found=False)
    for sample in samples:
        sample['raw_ann_info'] = []
    assert set(evaluate(samples).values()) == {-1.0}


@pytest.mark.parametrize('key', ['iscrowd', 'category_id', 'area'])
def test_a_file_may_lack_what_has_a_default(pictures, tmp_path, key):
    some = pictures()
    content = some.content | dict(categories=[])
    for annotation in content['annotations']:
        del annotation[key]
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    assert evaluate(some.predict(), ann_file=str(path))['bbox/AP'] == 1.0


def test_a_box_that_is_not_finite_is_named(pictures):
    samples = pictures().predict()
    samples[1]['pred_instances']['bboxes'][0, 0] = np.nan
    with pytest.raises(AnnotationError, match='for image 2 is not finite'):
        evaluate(samples)


def test_images_that_the_file_does_not_have_are_named(pictures, tmp_path):
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(pictures(number=4).content))
    with pytest.raises(AnnotationError, match=r'2 images .* first ids \[5, 6\]'):
        evaluate(pictures().predict(), ann_file=str(path))


def test_a_second_evaluation_starts_anew(pictures):
    metric = PersonBoxMetric()
    values = []
    for seed in (0, 1, 0):
        samples = pictures(number=3 + seed, seed=seed).predict(noise=8.0)
        metric.process(None, samples)
        values.append(metric.evaluate(len(samples)))
    assert values[0] == values[2] != values[1]


def test_values_are_plain_floats_and_the_names_those_of_the_keypoints(pictures):
    metrics = evaluate(pictures().predict())
    assert {type(value) for value in metrics.values()} == {float}
    assert list(metrics)[:3] == ['bbox/AP', 'bbox/AP .5', 'bbox/AP .75']


def test_what_is_kept_can_be_sent_to_another_process(pictures):
    metric = PersonBoxMetric()
    metric.process(None, pictures().predict())
    metric.results = pickle.loads(pickle.dumps(metric.results))
    assert metric.evaluate(6)['bbox/AP'] == 1.0


@pytest.mark.filterwarnings('ignore:The metainfo config file')
def test_the_file_serves_mmposes_top_down_sets(pictures, tmp_path):
    some = pictures(number=2)
    truth = tmp_path / 'truth.json'
    for record in (content := some.content)['images']:
        record['file_name'] = f'{record["id"]}.jpg'
    truth.write_text(json.dumps(content))
    prefix = str(tmp_path / 'people')
    evaluate(some.predict(), format_only=True, outfile_prefix=prefix)
    dataset = CocoDataset(
        ann_file=str(truth),
        bbox_file=f'{prefix}.bbox.json',
        test_mode=True,
    )
    expected = some.predict()[0]['pred_instances']
    np.testing.assert_allclose(dataset[0]['bbox'], expected['bboxes'][:1], rtol=1e-5)


def test_writing_needs_no_truth(pictures, tmp_path):
    samples = pictures(number=1).predict()
    del samples[0]['raw_ann_info']
    prefix = str(tmp_path / 'people')
    assert evaluate(samples, format_only=True, outfile_prefix=prefix) == {}


def test_a_sample_without_truth_names_the_remedy(pictures):
    samples = pictures().predict()
    del samples[0]['raw_ann_info']
    with pytest.raises(ValueError, match='PersonBoxMetric has no ground truth for'):
        evaluate(samples)


def test_a_missing_file_is_named_at_once():
    with pytest.raises(FileNotFoundError, match=r'absent\.json.*PersonBoxMetric'):
        PersonBoxMetric(ann_file='absent.json')


def test_values_stand_in_the_log_once_and_nothing_else_is_printed(
    pictures, log, capsys
):
    evaluate(pictures().predict())

    assert log.getvalue().count('AP .75') == 1
    assert capsys.readouterr().out == ''
