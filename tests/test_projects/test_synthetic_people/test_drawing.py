# Copyright (c) onestage_pose contributors.
"""The annotations are those of what is drawn."""

from onestage_pose.projects.synthetic_people.drawing.canvas import Canvas
from onestage_pose.projects.synthetic_people.drawing.figure import (
    SEEN_ON,
    STRIDE,
    Figure,
)
from onestage_pose.projects.synthetic_people.drawing.outfit import sample_outfit
from onestage_pose.projects.synthetic_people.drawing.poses import POSES, sample_pose
from onestage_pose.projects.synthetic_people.drawing.render import (
    MAX_PEOPLE,
    annotate,
    render,
)
from onestage_pose.projects.synthetic_people.drawing.skeleton import Camera, sample_body

import numpy as np
import pytest

from tests.test_projects.test_synthetic_people.people_sets import SIZE

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 5, 6, 11, 12
FACE = slice(0, 5)


@pytest.fixture(scope='module')
def drawn():
    """(people, ids) of images with many hidden and cut-off people."""
    images = []
    for index in range(25):
        rng = np.random.default_rng([3, index])
        _, people, ids = render(
            rng, SIZE, 1, 6, occlusion_prob=0.7, crop_prob=0.4, return_ids=True
        )
        images.append((people, ids))
    return images


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


def test_keypoints_outside_the_image_are_not_labelled(drawn):
    h, w = SIZE
    points = np.concatenate([p.keypoints for people, _ in drawn for p in people])
    labelled = points[points[:, 2] > 0]
    low, high = labelled[:, :2].min(0), labelled[:, :2].max(0)
    assert (low >= -0.5).all() and (high <= (w - 0.5, h - 0.5)).all()
    assert not points[points[:, 2] == 0].any()


def test_images_hold_all_three_visibilities(drawn):
    points = np.concatenate([p.keypoints for people, _ in drawn for p in people])
    assert set(np.unique(points[:, 2])) == {0, 1, 2}


# --- left and right, front and back


@pytest.mark.parametrize('seed', range(4))
def test_on_a_front_view_the_left_side_is_on_the_images_right(stage, seed):
    (person,) = stage((100, dict(yaw=0, seed=seed)))
    x = person.keypoints[:, 0]
    assert x[LEFT_SHOULDER] > x[RIGHT_SHOULDER] and x[LEFT_HIP] > x[RIGHT_HIP]


@pytest.mark.parametrize('seed', range(4))
def test_on_a_back_view_the_left_side_is_on_the_images_left(stage, seed):
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
    # The front turns to the image's right: the person's right side is near.
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
