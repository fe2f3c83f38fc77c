# Copyright (c) onestage_pose contributors.
"""Each category is measured by itself; the first number is their mean."""

import json

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.evaluation.metrics import (
    KeypointCocoMetric,
    KeypointReport,
    KeypointVisibilityMetric,
    PersonBoxMetric,
)
from onestage_pose.utils.errors import AnnotationError, ConfigValueError

import numpy as np
import pytest

from tests.kites_and_bars import BAR_ID, KITE_ID, METAINFO, write_kites_and_bars

EXACT = dict(score_mode='bbox', nms_mode='none')
KITE, BAR = 0, 1


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_kites_and_bars(tmp_path_factory.mktemp('categories') / 'd', 3)


@pytest.fixture(scope='module')
def dataset(folder):
    return PersonKeypointsDataset(
        'annotations.json',
        data_root=str(folder),
        metainfo=METAINFO,
        data_prefix=dict(img='images'),
        test_mode=True,
    )


@pytest.fixture
def samples(dataset):
    """Every instance is found where it is."""
    found = []
    for info in map(dataset.get_data_info, range(len(dataset))):
        people = dict(
            bboxes=info['bbox'],
            bbox_scores=np.array([0.9, 0.8]),
            labels=info['bbox_label'],
            keypoints=info['keypoints'].copy(),
            keypoint_scores=info['keypoints_visible'],
        )
        found.append(
            dict(
                id=info['id'],
                img_id=info['img_id'],
                img_path=info['img_path'],
                ori_shape=(info['height'], info['width']),
                raw_ann_info=info['raw_ann_info'],
                gt_instances={},
                pred_instances=people,
            )
        )
    return found


def evaluate(metric, dataset, samples):
    metric.dataset_meta = dataset.metainfo
    for sample in samples:
        metric.process(None, [sample])
    return metric.evaluate(len(samples))


def leave_out(samples, label):
    """Nothing of this category is found."""
    for sample in samples:
        people = sample['pred_instances']
        kept = people['labels'] != label
        sample['pred_instances'] = {key: each[kept] for key, each in people.items()}


def test_all_that_is_found_scores_1_in_each_category(dataset, samples):
    metrics = evaluate(KeypointCocoMetric(**EXACT), dataset, samples)

    names = 'coco/AP', 'coco/kite/AP', 'coco/bar/AP'
    assert [metrics[name] for name in names] == [1, 1, 1]


@pytest.mark.parametrize(('gone', 'values'), [(KITE, [0, 1]), (BAR, [1, 0])])
@pytest.mark.parametrize(
    ('metric', 'prefix'), [(KeypointCocoMetric, 'coco'), (PersonBoxMetric, 'bbox')]
)
def test_the_first_number_is_the_mean(dataset, samples, gone, values, metric, prefix):
    leave_out(samples, gone)

    metrics = evaluate(metric(), dataset, samples)

    found = [metrics[f'{prefix}/{name}/AP .5'] for name in ('kite', 'bar')]
    assert found == values and metrics[f'{prefix}/AP .5'] == 0.5


@pytest.mark.parametrize(
    ('metric', 'prefix'), [(KeypointCocoMetric, 'coco'), (PersonBoxMetric, 'bbox')]
)
def test_a_category_without_ground_truth_counts_for_nothing(
    dataset, samples, metric, prefix
):
    for sample in samples:
        sample['raw_ann_info'] = sample['raw_ann_info'][:1]

    metrics = evaluate(metric(), dataset, samples)

    found = [metrics[f'{prefix}/{name}AP .5'] for name in ('', 'kite/', 'bar/')]
    assert found == [1, 1, -1]


@pytest.mark.parametrize(
    ('metric', 'prefix'), [(KeypointCocoMetric, 'coco'), (PersonBoxMetric, 'bbox')]
)
def test_an_instance_of_the_other_category_is_none_of_this(
    dataset, samples, metric, prefix
):
    for sample in samples:
        sample['pred_instances']['labels'] = sample['pred_instances']['labels'][::-1]

    assert evaluate(metric(), dataset, samples)[f'{prefix}/AP .5'] == 0


def test_a_category_has_its_own_sigmas(dataset, samples):
    for sample in samples:
        people = sample['pred_instances']
        people['keypoints'] = people['keypoints'] + np.float32(3)

    metrics = evaluate(KeypointCocoMetric(**EXACT), dataset, samples)

    # a kite's sigma is 0.05, a bar's 0.1
    assert metrics['coco/bar/AP'] > metrics['coco/kite/AP'] > 0


@pytest.mark.parametrize('metric', [KeypointCocoMetric, PersonBoxMetric])
def test_the_categories_of_a_file_are_found_by_name(
    dataset, samples, folder, tmp_path, metric
):
    content = json.loads((folder / 'annotations.json').read_text())
    for record in [*content['annotations'], *content['categories']]:
        record['category_id' if 'image_id' in record else 'id'] += 40
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    leave_out(samples, BAR)

    metrics = evaluate(metric(ann_file=str(path)), dataset, samples)

    assert {'kite': 1.0, 'bar': 0.0} == {
        name.split('/')[1]: value
        for name, value in metrics.items()
        if name.endswith(('kite/AP .5', 'bar/AP .5'))
    }


def test_a_file_of_other_keypoints_is_refused(dataset, folder, tmp_path):
    content = json.loads((folder / 'annotations.json').read_text())
    content['categories'][0]['keypoints'].reverse()
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))

    with pytest.raises(AnnotationError, match='left_end.*right_end'):
        KeypointCocoMetric(ann_file=str(path)).dataset_meta = dataset.metainfo


def test_a_file_of_several_categories_is_none_of_one_skeleton(folder):
    metric = KeypointCocoMetric(ann_file=str(folder / 'annotations.json'))
    meta = dict(dataset_name='one', num_keypoints=4, sigmas=[0.1] * 4)

    with pytest.raises(AnnotationError, match='as many for everyone'):
        metric.dataset_meta = meta


def test_results_have_the_ids_and_keypoints_of_their_category(
    dataset, samples, tmp_path
):
    metric = KeypointCocoMetric(format_only=True, outfile_prefix=f'{tmp_path}/r')

    evaluate(metric, dataset, samples)

    records = json.loads((tmp_path / 'r.keypoints.json').read_text())
    assert [(each['category_id'], len(each['keypoints'])) for each in records] == (
        3 * [(KITE_ID, 12)] + 3 * [(BAR_ID, 6)]
    )
    assert [path.name for path in tmp_path.iterdir()] == ['r.keypoints.json']


@pytest.mark.parametrize(
    ('labels', 'message'),
    [(None, 'has no labels, .* 2 categories'), ([0, 2], r'labels \[0, 2\]')],
)
def test_predictions_without_a_known_category_are_refused(
    dataset, samples, labels, message
):
    if labels is None:
        del samples[0]['pred_instances']['labels']
    else:
        samples[0]['pred_instances']['labels'] = np.array(labels)

    with pytest.raises(AnnotationError, match=message):
        evaluate(KeypointCocoMetric(), dataset, samples)


def test_a_report_is_written_of_each_category(dataset, samples, tmp_path):
    leave_out(samples, BAR)
    metric = KeypointReport(**EXACT, json_file=f'{tmp_path}/report.json')

    metrics = evaluate(metric, dataset, samples)

    assert metrics['report/missed people'] == metrics['report/bar/missed people'] == 3
    assert metric.analyses.keys() == {'kite', 'bar'}
    values = json.loads((tmp_path / 'report_kite.json').read_text())
    assert values['source'] == dict(category='kite')
    assert len(values['per_keypoint']) == 4 + 1


def test_presence_is_measured_of_one_skeleton_alone(dataset):
    with pytest.raises(ConfigValueError, match='several categories'):
        KeypointVisibilityMetric().dataset_meta = dataset.metainfo
