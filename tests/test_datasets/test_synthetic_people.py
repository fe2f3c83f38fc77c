# Copyright (c) onestage_pose contributors.
import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.datasets.synthetic.canvas import Canvas
from onestage_pose.datasets.synthetic.figure import SEEN_ON, STRIDE, Figure
from onestage_pose.datasets.synthetic.outfit import sample_outfit
from onestage_pose.datasets.synthetic.poses import POSES, sample_pose
from onestage_pose.datasets.synthetic.render import MAX_PEOPLE, annotate, render
from onestage_pose.datasets.synthetic.skeleton import Camera, sample_body
from onestage_pose.datasets.synthetic_people import SyntheticPeople

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.evaluation.metrics import CocoMetric
from pycocotools import mask as mask_utils

from tests.tool_runs import run_tool

REPOSITORY = Path(__file__).parents[2]
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 5, 6, 11, 12
FACE = slice(0, 5)
SIZE = (160, 192)


def people_set(**options):
    return SyntheticPeople(**dict(dict(num_images=12, img_size=SIZE), **options))


def digest(info):
    parts = (info['img'], info['keypoints'], info['bbox'], info['raw_ann_info'])
    return hashlib.sha256(
        b''.join(
            x.tobytes() if hasattr(x, 'tobytes') else repr(x).encode() for x in parts
        )
    ).hexdigest()


def digests(dataset, order):
    return {index: digest(dataset.get_data_info(index)) for index in order}


@pytest.fixture(scope='module')
def drawn():
    """(people, ids) of pictures with many hidden and cut-off people."""
    pictures = []
    for index in range(25):
        rng = np.random.default_rng([3, index])
        _, people, ids = render(
            rng, SIZE, 1, 6, occlusion_prob=0.7, crop_prob=0.4, return_ids=True
        )
        pictures.append((people, ids))
    return pictures


@pytest.fixture
def stage():
    """Draws people of given kinds; returns their annotations."""

    def draw(*cast, size=(200, 200)):
        canvas = Canvas(*size)
        canvas.color[:] = 200
        light = np.array([-0.6, -0.8])
        placed = []
        for number, (x, options) in enumerate(cast, 1):
            yaw = options.get('yaw', 0.0)
            rng = np.random.default_rng(options.get('seed', 0))
            outfit = sample_outfit(rng)
            outfit.hair_style, outfit.skirt = options.get('hair', 'short'), 0.0
            pose = sample_pose(rng, options.get('pose', 'stand'))
            pose.look = pose.nod = pose.spin = 0.0
            figure = Figure(sample_body(rng), pose, outfit, Camera(yaw, 0, 6), yaw)
            origin = np.array([x, size[0] - 12.0])
            person = figure.draw(canvas, origin, 160.0, number, light)
            drawn = int((canvas.ids // STRIDE == number).sum())
            placed.append((person, drawn))
        return [annotate(canvas.ids, person, drawn) for person, drawn in placed]

    return draw


# --- the same again


def test_a_picture_does_not_depend_on_what_was_drawn_before_it():
    forward = digests(people_set(), range(6))
    backward = digests(people_set(), reversed(range(6)))
    assert forward == backward


def test_a_picture_does_not_depend_on_global_random_state():
    dataset = people_set()
    np.random.seed(1)
    first = digest(dataset.get_data_info(0))
    np.random.seed(2)
    assert digest(dataset.get_data_info(0)) == first


def test_a_picture_does_not_depend_on_how_many_there_are():
    few, many = people_set(num_images=3), people_set(num_images=30)
    assert digests(few, range(3)) == digests(many, range(3))


def test_a_subset_has_the_pictures_of_the_whole():
    subset = people_set(indices=[4, 2])
    expected = digests(people_set(), [4, 2])
    assert list(digests(subset, range(2)).values()) == list(expected.values())


def test_another_process_draws_the_same_bits():
    program = (
        'import sys; sys.path.insert(0, sys.argv[1])\n'
        'from test_synthetic_people import digests, people_set\n'
        'print(sorted(digests(people_set(), range(4)).items()))\n'
    )
    run = subprocess.run(
        [sys.executable, '-c', program, str(Path(__file__).parent)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    expected = sorted(digests(people_set(), range(4)).items())
    assert run.stdout.strip().splitlines()[-1] == str(expected)


def test_a_pickled_dataset_draws_the_same():
    dataset = people_set()
    copy = pickle.loads(pickle.dumps(dataset))
    assert digests(copy, range(2)) == digests(dataset, range(2))


def test_seeds_give_different_pictures():
    assert digest(people_set(seed=0)[0]) != digest(people_set(seed=1)[0])


def test_listing_draws_nothing(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('a picture was drawn')

    monkeypatch.setattr('onestage_pose.datasets.synthetic_people.render', refuse)
    assert len(people_set(num_images=2000)) == 2000


# --- what an item holds


def test_shapes_and_dtypes_of_an_item():
    info = people_set(min_people=3, max_people=3, occlusion_prob=0, crop_prob=0)[0]
    found = {
        key: (value.shape, value.dtype.name)
        for key, value in info.items()
        if isinstance(value, np.ndarray) and key != 'dataset_keypoint_weights'
    }
    assert found == dict(
        img=((*SIZE, 3), 'uint8'),
        bbox=((3, 4), 'float32'),
        bbox_score=((3,), 'float32'),
        bbox_label=((3,), 'int64'),
        keypoints=((3, 17, 2), 'float32'),
        keypoints_visible=((3, 17), 'float32'),
        area=((3,), 'float32'),
        category_id=((3,), 'int64'),
    )


def test_a_picture_without_people_is_empty_of_the_right_shapes():
    info = people_set(min_people=0, max_people=0)[0]
    shapes = [info[key].shape for key in ('bbox', 'keypoints', 'keypoints_visible')]
    assert shapes == [(0, 4), (0, 17, 2), (0, 17)]
    assert info['id'] == info['raw_ann_info'] == []


def test_annotation_ids_are_unique():
    ids = [id_ for info in people_set(max_people=6) for id_ in info['id']]
    assert len(set(ids)) == len(ids)


def test_records_say_what_the_arrays_say():
    info = people_set()[1]
    for n, record in enumerate(info['raw_ann_info']):
        flat = np.array(record['keypoints']).reshape(17, 3)
        x, y, w, h = record['bbox']
        np.testing.assert_allclose(flat[:, :2], info['keypoints'][n], atol=1e-3)
        np.testing.assert_array_equal(
            np.minimum(flat[:, 2], 1), info['keypoints_visible'][n]
        )
        np.testing.assert_allclose([x, y, x + w, y + h], info['bbox'][n])
        assert record['num_keypoints'] == (flat[:, 2] > 0).sum()
        assert record['id'] == info['id'][n]


def test_every_size_of_a_list_is_drawn():
    sizes = [(96, 128), (160, 120)]
    dataset = people_set(img_size=sizes, num_images=12)
    assert {info['img'].shape[:2] for info in dataset} == set(sizes)


def test_outlines_cover_the_area():
    info = people_set(with_segmentation=True)[0]
    assert [mask_utils.area(rle) for rle in info['segmentation']] == list(info['area'])


def test_as_many_people_as_ids_allow_are_told_apart():
    rng = np.random.default_rng(0)
    _, people = render(rng, SIZE, MAX_PEOPLE, MAX_PEOPLE, (0.2, 0.3), 0.0, 0.0)
    assert len({person.number for person in people}) == MAX_PEOPLE


# --- annotations against the id buffer


def test_boxes_are_tight_around_the_seen_pixels(drawn):
    for people, ids in drawn:
        for person in people:
            rows, columns = np.nonzero(person.mask(ids))
            expected = [
                columns.min(),
                rows.min(),
                columns.max() + 1,
                rows.max() + 1,
            ]
            assert person.bbox.tolist() == expected


def test_the_area_is_the_number_of_seen_pixels(drawn):
    for people, ids in drawn:
        assert [p.area for p in people] == [p.mask(ids).sum() for p in people]


def test_everybody_of_whom_something_is_seen_is_annotated(drawn):
    for people, ids in drawn:
        seen = set(np.unique(ids // STRIDE).tolist()) - {0}
        assert {person.number for person in people} == seen


def test_seen_keypoints_lie_on_their_own_part_of_their_person(drawn):
    for people, ids in drawn:
        for person in people:
            for k, (x, y, v) in enumerate(person.keypoints):
                if v == 2:
                    id_ = ids[round(float(y)), round(float(x))]
                    assert id_ // STRIDE == person.number
                    assert SEEN_ON[k, id_ % STRIDE]


def test_keypoints_outside_the_picture_are_not_labelled(drawn):
    h, w = SIZE
    points = np.concatenate([p.keypoints for people, _ in drawn for p in people])
    labelled = points[points[:, 2] > 0]
    low, high = labelled[:, :2].min(0), labelled[:, :2].max(0)
    assert (low >= -0.5).all() and (high <= (w - 0.5, h - 0.5)).all()
    assert not points[points[:, 2] == 0].any()


def test_pictures_hold_all_three_visibilities(drawn):
    points = np.concatenate([p.keypoints for people, _ in drawn for p in people])
    assert set(np.unique(points[:, 2])) == {0, 1, 2}


# --- left and right, front and back


@pytest.mark.parametrize('seed', range(4))
def test_on_a_front_view_the_left_side_is_on_the_pictures_right(stage, seed):
    (person,) = stage((100, dict(yaw=0, seed=seed)))
    x = person.keypoints[:, 0]
    assert x[LEFT_SHOULDER] > x[RIGHT_SHOULDER] and x[LEFT_HIP] > x[RIGHT_HIP]


@pytest.mark.parametrize('seed', range(4))
def test_on_a_back_view_the_left_side_is_on_the_pictures_left(stage, seed):
    (person,) = stage((100, dict(yaw=180, seed=seed)))
    x = person.keypoints[:, 0]
    assert x[LEFT_SHOULDER] < x[RIGHT_SHOULDER] and x[LEFT_HIP] < x[RIGHT_HIP]


def test_a_front_view_shows_the_face(stage):
    (person,) = stage((100, dict(yaw=0)))
    assert person.keypoints[FACE, 2].tolist() == [2] * 5


def test_a_back_view_has_no_eyes_and_nose(stage):
    (person,) = stage((100, dict(yaw=180)))
    assert person.keypoints[FACE, 2].tolist() == [0, 0, 0, 2, 2]


def test_long_hair_hides_the_ears(stage):
    (person,) = stage((100, dict(yaw=0, hair='long')))
    assert person.keypoints[3:5, 2].tolist() == [1, 1]


def test_a_profile_hides_the_far_eye_ear_shoulder_and_hip(stage):
    # The front turns to the picture's right: the person's right side is near.
    (person,) = stage((100, dict(yaw=90)))
    v = person.keypoints[:, 2]
    left_eye, right_eye, left_ear, right_ear = v[1:5]
    assert (right_eye, right_ear, v[RIGHT_SHOULDER]) == (2, 2, 2)
    assert (left_eye, left_ear) == (0, 0)
    assert (v[LEFT_SHOULDER], v[LEFT_HIP]) == (1, 1)


def test_a_profile_looks_where_its_front_turns(stage):
    (right,) = stage((100, dict(yaw=90)))
    (left,) = stage((100, dict(yaw=-90)))
    assert right.keypoints[0, 0] > right.keypoints[RIGHT_SHOULDER, 0]
    assert left.keypoints[0, 0] < left.keypoints[LEFT_SHOULDER, 0]


# --- people before one another


def test_a_person_right_behind_another_is_hidden(stage):
    behind, front = stage((100, dict(seed=1)), (102, dict(seed=1)))
    assert (behind.keypoints[:, 2] < 2).all()
    assert (front.keypoints[[LEFT_SHOULDER, RIGHT_SHOULDER], 2] == 2).all()


def test_people_beside_one_another_hide_nothing(stage):
    alone = stage((50, dict(seed=1)))[0]
    beside = stage((50, dict(seed=1)), (150, dict(seed=1)))[0]
    np.testing.assert_array_equal(beside.keypoints, alone.keypoints)


def test_a_half_hidden_person_loses_the_covered_side(stage):
    behind, _ = stage((90, dict(seed=1)), (125, dict(seed=1)))
    v = behind.keypoints[:, 2]
    assert (v[RIGHT_SHOULDER], v[LEFT_SHOULDER]) == (2, 1)


@pytest.mark.parametrize('pose', sorted(POSES))
def test_people_stand_on_their_place(stage, pose):
    (person,) = stage((100, dict(pose=pose)), size=(260, 200))
    ground = 260 - 12
    assert ground - 40 < person.bbox[3] <= ground + 12


# --- evaluation


def test_ground_truth_evaluates_as_perfect():
    dataset = people_set(num_images=8, min_people=0, test_mode=True)
    metric = CocoMetric()
    metric.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        n = len(info['bbox'])
        truth = InstanceData(
            keypoints=info['keypoints'],
            keypoint_scores=np.ones((n, 17), np.float32),
            bboxes=info['bbox'],
            bbox_scores=np.ones(n, np.float32),
        )
        sample = dict(
            id=info['id'],
            img_id=info['img_id'],
            ori_shape=info['img'].shape[:2],
            raw_ann_info=info['raw_ann_info'],
            pred_instances=truth,
            gt_instances={},
        )
        metric.process(None, [sample])
    assert metric.evaluate(len(dataset))['coco/AP'] == pytest.approx(1.0)


# --- bad arguments


@pytest.mark.parametrize(
    'options',
    [
        dict(num_images=0),
        dict(num_images=2.5),
        dict(img_size=320),
        dict(img_size=(320,)),
        dict(img_size=(8, 320)),
        dict(img_size=[]),
        dict(seed=-1),
        dict(min_people=-1),
        dict(max_people=MAX_PEOPLE + 1),
        dict(min_people=3, max_people=2),
        dict(person_height=(0.9, 0.2)),
        dict(person_height=0.5),
        dict(occlusion_prob=1.5),
        dict(crop_prob='often'),
    ],
    ids=str,
)
def test_a_bad_argument_is_named_with_what_to_give(options):
    with pytest.raises(ValueError, match=rf'{next(iter(options))}.*; give '):
        people_set(**options)


def test_a_misspelt_argument_is_refused():
    with pytest.raises(TypeError, match='max_poeple'):
        people_set(max_poeple=3)


def test_metainfo_of_other_keypoints_is_refused():
    with pytest.raises(ValueError, match='draws 17 keypoints'):
        people_set(metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'))


# --- tools

TO_COCO = 'dataset_converters/synthetic_people_to_coco'
BROWSE = 'analysis_tools/browse_synthetic_people'


def test_a_written_set_is_read_back_the_same(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 4, '--seed', 2, '--size', *SIZE)
    written = PersonKeypointsDataset(
        ann_file='annotations/person_keypoints_train.json',
        data_root=str(tmp_path),
        data_prefix=dict(img='images/train/'),
    )
    for index, drawn in enumerate(people_set(num_images=4, seed=2)):
        read = written.get_data_info(index)
        np.testing.assert_array_equal(cv2.imread(read['img_path']), drawn['img'])
        np.testing.assert_array_equal(read['bbox'], drawn['bbox'])
        np.testing.assert_allclose(read['keypoints'], drawn['keypoints'], atol=1e-3)


def test_a_set_that_is_there_is_not_overwritten(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 1)
    with pytest.raises(SystemExit, match='is there already.*--overwrite'):
        run_tool(TO_COCO, tmp_path, '--num', 1)


def test_overwriting_leaves_nothing_of_the_old_set(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 3)
    run_tool(TO_COCO, tmp_path, '--num', 1, '--overwrite')
    assert len(list((tmp_path / 'images/train').iterdir())) == 1


def test_a_second_part_stands_beside_the_first(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 1)
    run_tool(TO_COCO, tmp_path, '--num', 1, '--split', 'val')
    assert {path.name for path in (tmp_path / 'annotations').iterdir()} == {
        'person_keypoints_train.json',
        'person_keypoints_val.json',
    }


def test_the_contact_sheet_holds_all_pictures(tmp_path):
    out = tmp_path / 'sheet.png'
    run_tool(
        BROWSE, '--out', out, '--num', 5, '--size', *SIZE, '--columns', 3,
        '--annotations',
    )  # fmt: skip
    assert cv2.imread(str(out)).shape == (2 * SIZE[0], 3 * SIZE[1], 3)
