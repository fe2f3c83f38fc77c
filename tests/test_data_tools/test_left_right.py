# Copyright (c) onestage_pose contributors.
"""Pairs that look exchanged are found, and what bodies do is not."""

from onestage_pose.data_tools.left_right import find_swaps
from onestage_pose.data_tools.sides import pair_sides

import numpy as np
import pytest

NAMES = [
    'nose',
    *(f'{s}_{p}' for p in ('eye', 'shoulder', 'hip') for s in ('left', 'right')),
]
# who looks at the viewer: a person's left is on the right in the image
FRONT = np.array(
    [[50, 20], [60, 10], [40, 10], [80, 40], [20, 40], [70, 100], [30, 100]], float
)
BACK = FRONT * (-1, 1) + (100, 0)


def people(*places, number=1, flags=2):
    """(A, K, 3): each of these ``number`` times, turned about a little."""
    rows = []
    for index in range(number):
        turn = 0.3 * index
        rotation = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        rows += [(place - 50) @ np.array(rotation).T + 50 for place in places]
    flags = np.broadcast_to(np.asarray(flags), (len(rows), len(places[0])))
    return np.concatenate([np.array(rows), flags[..., None]], axis=-1)


def swap(places, *pairs):
    places = places.copy()
    for left, right in pairs:
        places[[left, right]] = places[[right, left]]
    return places


def find(keypoints, names=NAMES):
    boxes = np.tile([0.0, 0, 100, 110], (len(keypoints), 1))
    return find_swaps(keypoints, boxes, names, pair_sides(names))


ALL = [(place, place + 1) for place in (1, 3, 5)]


@pytest.mark.parametrize('place', [FRONT, BACK])
def test_people_turned_any_way_are_right(place):
    # of the back nobody sees the face
    flags = [0, 0, 0, 2, 2, 2, 2] if place is BACK else 2

    assert find(people(place, number=20, flags=flags)).suspicions == []


@pytest.mark.parametrize('pair', [1, 2])
def test_an_exchanged_pair_of_one_person_is_found(pair):
    wrong = people(swap(FRONT, ALL[pair]))

    found = find(np.concatenate([people(FRONT), wrong])).suspicions

    assert (1, ALL[pair]) in [(each.instance, each.pair) for each in found]
    assert {each.instance for each in found} == {1}


def test_a_person_whose_sides_are_all_exchanged_is_found_by_the_face():
    wrong = people(swap(FRONT, *ALL))

    found = find(np.concatenate([people(FRONT, number=5), wrong])).suspicions

    assert [(each.instance, each.pair) for each in found] == [(5, ALL[0])]


def test_a_body_that_looks_over_its_shoulder_is_not_known_to_be_wrong():
    # the face to the viewer, shoulders and hips not: for once, then often
    looking = np.concatenate([FRONT[:3], BACK[3:]])

    often = find(people(FRONT, looking, number=20))

    assert often.suspicions == []


def test_a_set_whose_left_is_that_of_the_image_is_told():
    found = find(people(swap(FRONT, *ALL), number=10))

    assert found.is_reversed
    assert found.suspicions == []


MOUSE = ['snout', 'left_ear', 'right_ear', 'left_paw', 'right_paw']
ABOVE = np.array([[50, 10], [70, 40], [30, 40], [80, 90], [20, 90]], float)


def test_other_things_are_judged_by_the_others_of_their_set():
    wrong = people(swap(ABOVE, (1, 2)))
    it = np.concatenate([people(ABOVE, number=20), wrong])

    found = find(it, MOUSE).suspicions

    assert (20, (1, 2)) in [(each.instance, each.pair) for each in found]
    assert {each.instance for each in found} == {20}


def test_of_few_nobody_can_say():
    wrong = people(swap(ABOVE, (3, 4)))

    found = find(np.concatenate([people(ABOVE, number=5), wrong]), MOUSE)

    assert found.num_relations == 0
    assert found.suspicions == []


def test_pairs_that_cross_now_and_then_tell_nothing():
    crossed = swap(ABOVE, (3, 4))

    found = find(people(ABOVE, ABOVE, ABOVE, crossed, number=20), MOUSE)

    assert found.suspicions == []


def test_a_pair_seen_from_the_side_is_not_measured():
    profile = FRONT.copy()
    profile[:, 0] = 50 + 0.02 * (FRONT[:, 0] - 50)

    assert find(people(FRONT, swap(profile, ALL[1]))).suspicions == []
