# Copyright (c) onestage_pose contributors.
"""Evaluation by pycocotools under xtcocotools' interface.

Why not faster-coco-eval 1.8.0, which is faster: with the same results it gives other
values than xtcocotools, and none of the following is an option.

- mmpose sets ``params.useSegm = None``. There that is a property, and any value but 1
  turns an evaluation of keypoints into one of boxes; only its log says so.
- ``num_keypoints`` decides whether a person counts, and not the keypoints. Without it
  nobody counts, and AP is -1. After ``gt_converter``, which changes the keypoints
  alone, the old number counts: AP is 0.736 instead of 1 in the test of a converted
  ground truth, and 1 again once it is counted anew.
- ``keypoints_crowd`` and the parts of a whole body are unknown to it.

The tests below hold for each of them that the evaluation here does as xtcocotools does.
"""

import copy
import importlib.util
import json
import sys
import types

from onestage_pose.compat import xtcocotools as alias
from onestage_pose.compat.xtcocotools import cocoeval
from onestage_pose.compat.xtcocotools.coco import COCO
from onestage_pose.compat.xtcocotools.cocoeval import COCOeval

import numpy as np
import pytest

PARTS = ('foot_kpts', 'face_kpts', 'lefthand_kpts', 'righthand_kpts')


def random_people(number_of_keypoints, seed, parts=(), images=12):
    """A random data set and results: (content of a COCO file, list of results).

    Some people have no visible keypoint, some are crowds, one has the id 0; some
    results have no keypoint, some are close to the same person.
    """
    rng = np.random.default_rng(seed)
    annotations, results = [], []
    for image_id in range(images):
        for _ in range(rng.integers(0, 6)):
            corner, size = rng.uniform(0, 300, 2), rng.uniform(20, 200, 2)
            truth = dict(
                id=len(annotations),
                image_id=image_id,
                category_id=1,
                iscrowd=int(rng.random() < 0.1),
                bbox=[*corner, *size],
                area=float(size.prod() * 0.6),
            )
            found = dict(image_id=image_id, category_id=1)
            for part in ('keypoints', *parts):
                number = number_of_keypoints if part == 'keypoints' else 5
                visible = rng.integers(0, 3, number) * (rng.random() > 0.15)
                places = corner + rng.uniform(0, 1, (number, 2)) * size
                truth[part] = np.c_[places, visible].ravel().tolist()
                places += rng.normal(0, 4, places.shape)
                scores = rng.uniform(0, 1, number) * (rng.random() > 0.1)
                found[part] = np.c_[places, scores].ravel().tolist()
            truth['num_keypoints'] = int((np.array(truth['keypoints'])[2::3] > 0).sum())
            for name in ('', 'wholebody_', 'foot_', 'face_', 'lefthand_', 'righthand_'):
                found[f'{name}score'] = float(rng.random())
            annotations.append(truth)
            results += [found, dict(found, score=float(rng.random()))][: 1 + len(parts)]
    content = dict(
        images=[dict(id=i, crowdIndex=float(rng.random())) for i in range(images)],
        annotations=annotations,
        categories=[dict(id=1, name='person')],
    )
    return content, results


def measure(content, results, evaluation=COCOeval, reader=COCO, **options):
    """``stats`` of an evaluation, as mmpose asks for it."""
    truth = reader()
    if not truth.dataset:
        truth.dataset = copy.deepcopy(content)
        truth.createIndex()
    found = truth.loadRes(copy.deepcopy(results))
    evaluator = evaluation(truth, found, **options)
    evaluator.params.useSegm = None
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    return np.array(evaluator.stats)


def one_person(**changes):
    """A person of three keypoints and the result that finds it exactly."""
    keypoints = [10.0, 10, 2, 40, 20, 2, 30, 60, 1]
    person = dict(
        id=1,
        image_id=1,
        category_id=1,
        iscrowd=0,
        bbox=[0, 0, 60, 80],
        area=2500.0,
        num_keypoints=3,
        keypoints=keypoints,
    )
    content = dict(
        images=[dict(id=1)],
        annotations=[{**person, **changes}],
        categories=[dict(id=1, name='person')],
    )
    found = dict(image_id=1, category_id=1, keypoints=keypoints, score=0.9)
    return content, [found]


SIGMAS = [0.05, 0.05, 0.05]


class TestAsXtcocotools:
    """On the same results, with the ``xtcocotools`` that is installed."""

    @pytest.fixture(autouse=True)
    def theirs(self):
        coco = pytest.importorskip('xtcocotools.coco')
        if alias.is_answered():
            pytest.skip('xtcocotools is not installed, or does not load')
        from xtcocotools.cocoeval import COCOeval as Theirs

        def measure_theirs(content, results, path, **options):
            # its evaluation of crowds reads the file again
            path.write_text(json.dumps(content))
            return measure(
                content, results, Theirs, lambda: coco.COCO(str(path)), **options
            )

        return measure_theirs

    @pytest.mark.parametrize('seed', range(3))
    @pytest.mark.parametrize('use_area', [True, False])
    @pytest.mark.parametrize('number', [17, 5, 133])
    def test_any_keypoints_and_sigmas(self, theirs, tmp_path, number, use_area, seed):
        content, results = random_people(number, seed)
        sigmas = np.random.default_rng(seed).uniform(0.02, 0.1, number)
        options = dict(iouType='keypoints', sigmas=sigmas, use_area=use_area)

        ours = measure(content, results, **options)

        expected = theirs(content, results, tmp_path / 'truth.json', **options)
        np.testing.assert_allclose(ours, expected, atol=1e-6)
        assert 0 < ours[0] < 1

    @pytest.mark.parametrize('use_area', [True, False])
    def test_sigmas_of_coco(self, theirs, tmp_path, use_area):
        content, results = random_people(17, 7)

        ours = measure(content, results, use_area=use_area)

        expected = theirs(content, results, tmp_path / 'truth.json', use_area=use_area)
        np.testing.assert_allclose(ours, expected, atol=1e-6)

    @pytest.mark.parametrize('use_area', [True, False])
    def test_crowds(self, theirs, tmp_path, use_area):
        content, results = random_people(14, 3)
        sigmas = np.full(14, 0.06)
        options = dict(iouType='keypoints_crowd', sigmas=sigmas, use_area=use_area)

        ours = measure(content, results, **options)

        expected = theirs(content, results, tmp_path / 'truth.json', **options)
        np.testing.assert_allclose(ours, expected, atol=1e-6)
        assert len(ours) == 9

    @pytest.mark.parametrize(
        'part', ['wholebody', 'foot', 'face', 'lefthand', 'righthand']
    )
    @pytest.mark.parametrize('use_area', [True, False])
    def test_parts_of_a_whole_body(self, theirs, tmp_path, part, use_area):
        content, results = random_people(17, 5, PARTS)
        sigmas = np.full(37 if part == 'wholebody' else 5, 0.06)
        options = dict(iouType=f'keypoints_{part}', sigmas=sigmas, use_area=use_area)

        ours = measure(content, results, **options)

        expected = theirs(content, results, tmp_path / 'truth.json', **options)
        np.testing.assert_allclose(ours, expected, atol=1e-6)

    def test_boxes(self, theirs, tmp_path):
        content, results = random_people(17, 11)
        for number, record in enumerate(results):
            truth = content['annotations'][number // 2]
            record['bbox'] = (np.array(truth['bbox']) + number % 7).tolist()
            record['image_id'] = truth['image_id']

        ours = measure(content, results, iouType='bbox')

        expected = theirs(content, results, tmp_path / 'truth.json', iouType='bbox')
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_an_exact_result_has_ap_1():
    assert measure(*one_person(), sigmas=SIGMAS)[0] == pytest.approx(1)


def test_person_without_num_keypoints_counts():
    content, results = one_person()
    del content['annotations'][0]['num_keypoints']

    assert measure(content, results, sigmas=SIGMAS)[0] == pytest.approx(1)


def test_visible_keypoints_decide_and_not_num_keypoints():
    assert measure(*one_person(num_keypoints=0), sigmas=SIGMAS)[0] == pytest.approx(1)


def test_keypoints_are_evaluated_although_use_segm_is_set_to_none():
    content, results = one_person()
    results[0]['bbox'] = [90, 90, 5, 5]

    assert measure(content, results, sigmas=SIGMAS)[0] == pytest.approx(1)


def test_person_without_visible_keypoints_is_ignored():
    hidden = [10.0, 10, 0, 40, 20, 0, 30, 60, 0]

    assert measure(*one_person(keypoints=hidden), sigmas=SIGMAS)[0] == -1


def test_person_of_id_0_is_found():
    assert measure(*one_person(id=0), sigmas=SIGMAS)[0] == pytest.approx(1)


def test_result_without_keypoints_is_no_false_alarm():
    content, results = one_person()
    nothing = dict(results[0], keypoints=[0] * 9, score=1.0)

    assert measure(content, [nothing, *results], sigmas=SIGMAS)[0] == pytest.approx(1)


def test_without_any_result_ap_is_0():
    assert measure(one_person()[0], [], sigmas=SIGMAS)[0] == 0


def test_area_of_the_box_decides_without_use_area():
    content, results = one_person()
    del content['annotations'][0]['area']
    medium = 3

    stats = measure(content, results, sigmas=SIGMAS, use_area=False)

    assert stats[medium] == pytest.approx(1)


def test_missing_area_is_an_error_that_names_the_annotation():
    content, results = one_person()
    del content['annotations'][0]['area']

    with pytest.raises(ValueError, match='annotation id=1 .*use_area=False'):
        measure(content, results, sigmas=SIGMAS)


def test_annotations_stay_as_they_are():
    content, results = one_person(id=0)
    truth = COCO()
    truth.dataset = copy.deepcopy(content)
    truth.createIndex()

    evaluator = COCOeval(truth, truth.loadRes(results), sigmas=SIGMAS, use_area=False)
    evaluator.evaluate()

    kept = {key: truth.anns[0][key] for key in content['annotations'][0]}
    assert kept == content['annotations'][0]


def test_missing_score_of_a_part_is_the_persons_with_a_warning():
    content, results = random_people(17, 5, PARTS)
    for record in results:
        del record['foot_score']

    with pytest.warns(UserWarning, match="no 'foot_score'"):
        measure(content, results, iouType='keypoints_foot', sigmas=np.full(5, 0.06))


def test_unknown_kind_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="'keypoint' is not known.* keypoints_crowd"):
        COCOeval(iouType='keypoint')


def test_another_program_in_the_place_of_pycocotools_is_refused(monkeypatch):
    other = types.ModuleType('faster_coco_eval.core.faster_eval_api')
    monkeypatch.setattr('pycocotools.cocoeval', other)
    monkeypatch.setitem(sys.modules, 'pycocotools.cocoeval', other)
    spec = importlib.util.spec_from_file_location('anew', cocoeval.__file__)

    with pytest.raises(ImportError, match='faster_eval_api.*leave that call out'):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
