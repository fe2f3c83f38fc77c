# Copyright (c) onestage_pose contributors.
import json

from onestage_pose.evaluation import KeypointVisibilityMetric
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest

# three keypoints: seen, hidden, absent
TRUTH = [10, 10, 2, 20, 20, 1, 0, 0, 0]


def annotation(number=1, box=(0, 0, 40, 40), **changes):
    return dict(
        id=number,
        image_id=1,
        category_id=1,
        iscrowd=0,
        area=800,
        bbox=list(box),
        keypoints=TRUTH,
        **changes,
    )


def prediction(boxes=((0, 0, 40, 40),), scores=(0.9,), errors=0.0, **changes):
    number = len(boxes)
    keypoints = np.array(TRUTH, float).reshape(3, 3)[:, :2] + errors
    found = dict(
        bboxes=np.array(boxes, float).reshape(-1, 4),
        bbox_scores=np.array(scores, float),
        keypoints=np.tile(keypoints, (number, 1, 1)),
        keypoint_scores=np.tile([0.2, 0.3, 0.4], (number, 1)),
        keypoint_presence=np.tile([0.9, 0.8, 0.1], (number, 1)),
        keypoints_visible=np.tile([0.81, 0.16, 0.05], (number, 1)),
    )
    return {**found, **changes}


META = dict(sigmas=[0.05] * 3, keypoint_id2name=dict(enumerate('abc')))


def measure(people, found, **options):
    metric = KeypointVisibilityMetric(**options)
    metric.dataset_meta = META
    sample = dict(
        img_id=1, ori_shape=(80, 80), raw_ann_info=people, pred_instances=found
    )
    metric.process(None, [sample])
    return metric.evaluate(1), metric.matched


def test_probabilities_are_compared_with_the_annotations():
    metrics, _ = measure([annotation()], prediction())
    assert metrics['keypoint/presence/AUROC'] == 1
    assert metrics['keypoint/presence/score AUROC'] == 0
    assert metrics['keypoint/presence/Brier'] == pytest.approx(0.06 / 3)
    # visible if there: 0.9 and 0.2
    assert metrics['keypoint/visibility/AUROC'] == 1
    assert metrics['keypoint/visibility/ECE'] == pytest.approx(0.15)


def test_files_hold_each_keypoint_and_the_curves(tmp_path):
    files = dict(json_file=tmp_path / 'v.json', figure_file=tmp_path / 'v.svg')
    people = [annotation(), annotation(2, (40, 40, 40, 40))]
    people[1]['keypoints'] = [0, 0, 0, 60, 60, 2, 60, 60, 2]
    found = prediction([(0, 0, 40, 40), (40, 40, 80, 80)], (0.9, 0.8))
    found['keypoint_presence'][1] = [0.2, 0.7, 0.3]

    metrics, _ = measure(people, found, **{k: str(v) for k, v in files.items()})

    values = json.loads(files['json_file'].read_text())
    assert values['all'] == {k.removeprefix('keypoint/'): v for k, v in metrics.items()}
    per_keypoint = values['per_keypoint']
    assert list(per_keypoint) == ['a', 'b', 'c']
    assert per_keypoint['a']['presence']['Brier'] == pytest.approx((0.01 + 0.04) / 2)
    # of b everybody's is there
    assert per_keypoint['b']['presence']['AUROC'] == -1
    assert per_keypoint['c']['presence']['AUROC'] == 1
    curve = values['reliability']['presence']['curve']
    assert sum(each['number'] for each in curve) == 6
    figure = files['figure_file'].read_text()
    assert figure.startswith('<svg') and 'presence: mean distance' in figure


def test_each_person_takes_the_best_prediction_that_fits():
    boxes = [(0, 0, 40, 40), (1, 0, 40, 40), (50, 50, 80, 80)]
    found = prediction(boxes, (0.5, 0.7, 0.9))
    found['keypoint_presence'][1] = 0.3
    metrics, matched = measure([annotation()], found)
    assert metrics['keypoint/people/number'] == 1
    assert matched.presence.tolist() == [[0.3] * 3]


@pytest.mark.parametrize(
    'changes', [dict(pseudo=1), dict(iscrowd=1), dict(keypoints=[0] * 9)]
)
def test_people_who_tell_nothing_are_left_out(changes):
    people = [annotation(), {**annotation(2, (40, 40, 40, 40)), **changes}]
    boxes = [(0, 0, 40, 40), (40, 40, 80, 80)]
    metrics, _ = measure(people, prediction(boxes, (0.9, 0.8)))
    assert metrics['keypoint/people/number'] == 1


def test_ellipses_are_about_the_predicted_positions():
    covariances = np.tile(np.diag([1.0, 1.0]), (1, 3, 1, 1))
    inside = []
    for error in (1.0, 1.6, 2.5):
        found = prediction(
            errors=np.array([error, 0]), keypoint_covariances=covariances
        )
        metrics, _ = measure([annotation()], found)
        inside.append(
            [metrics[f'keypoint/position/inside {share}'] for share in ('50%', '90%')]
        )
    assert inside == [[1, 1], [0, 1], [0, 0]]


def test_an_absent_keypoint_that_is_said_to_be_absent_is_right():
    metrics, _ = measure([annotation()], prediction())
    assert metrics['keypoint/people/OKS'] == 1
    assert metrics['keypoint/people/Ex-OKS'] == 1
    # it was placed 5 pixels from the border of the window, on an area of 800
    wrong = np.exp(-(5**2) / (2 * 800 * 0.1**2))
    assert metrics['keypoint/people/Ex-OKS without'] == pytest.approx((2 + wrong) / 3)


def test_a_keypoint_that_is_said_to_be_absent_is_as_far_off_as_the_border():
    found = prediction(keypoint_presence=np.array([[0.4, 0.8, 0.1]]))
    metrics, _ = measure([annotation()], found)
    wrong = np.exp(-(15**2) / (2 * 800 * 0.1**2))
    assert metrics['keypoint/people/Ex-OKS'] == pytest.approx((2 + wrong) / 3)


def test_nobody_is_nothing_to_measure():
    metrics, _ = measure([annotation()], prediction((), ()))
    assert metrics['keypoint/presence/AUROC'] == -1
    assert metrics['keypoint/position/inside 90%'] == -1


def test_a_model_without_the_branch_is_refused():
    found = prediction()
    del found['keypoint_presence']
    with pytest.raises(AnnotationError, match='visibility_branch'):
        measure([annotation()], found)
