# Copyright (c) onestage_pose contributors.
from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.datasets.visibility import get_visibility_targets
from onestage_pose.utils.errors import ConfigValueError

import numpy as np
import pytest

ALL = (0, 1, 2)
# four keypoints, the last of which nobody has
PEOPLE = np.array([[2, 1, 0, 0], [2, 2, 2, 0], [0, 0, 0, 0]])
TRUSTED = np.array([True, True, True])


def targets(known=ALL, trusted=TRUSTED):
    presence, visibility = np.moveaxis(
        get_visibility_targets(PEOPLE, known, trusted), -1, 0
    )
    return presence.tolist(), visibility.tolist()


def test_presence_is_whether_a_keypoint_is_labelled():
    assert targets()[0][0] == [1, 1, 0, -1]


def test_visibility_is_known_of_labelled_keypoints():
    assert targets()[1][0] == [1, 0, -1, -1]


def test_a_keypoint_that_nobody_has_is_not_known():
    assert [each[3] for each in targets()[0]] == [-1, -1, -1]


def test_a_person_without_keypoints_is_not_known():
    assert targets()[0][2] == [-1] * 4


def test_pseudo_labels_are_not_known():
    presence, visibility = targets(trusted=np.array([True, False, True]))
    assert presence[1] == visibility[1] == [-1] * 4


@pytest.mark.parametrize(
    ('known', 'presence', 'visibility'),
    [((), False, False), ((0,), True, False), ((1, 2), False, True)],
)
def test_the_data_set_says_what_its_visibilities_mean(known, presence, visibility):
    found = targets(known)
    assert [max(each[0]) > -1 for each in found] == [presence, visibility]


class TestDataset:
    KEYPOINTS = (5, 5, 2, 5, 5, 1, *[0, 0, 0] * 15)

    def items(self, coco_set, image, annotations, **options):
        coco = coco_set([image(1)], annotations)
        return PersonKeypointsDataset(**coco.options(**options))[0]

    def test_gives_the_targets_of_each_person(self, coco_set, image, person):
        people = [person(1), person(2, keypoints=self.KEYPOINTS)]
        found = self.items(coco_set, image, people)['visibility_targets']
        assert found.shape == (2, 17, 2)
        assert found[1, :3].tolist() == [[1, 1], [1, 0], [0, -1]]

    def test_pseudo_labels_teach_nothing(self, coco_set, image, person):
        people = [person(1), person(2, keypoints=self.KEYPOINTS, pseudo=1)]
        found = self.items(coco_set, image, people)['visibility_targets']
        assert (found[0, :, 0] == 1).all()
        assert (found[1] == -1).all()

    def test_the_option_reaches_them(self, coco_set, image, person):
        found = self.items(coco_set, image, [person(1)], known_visibilities=())
        assert (found['visibility_targets'] == -1).all()

    @pytest.mark.parametrize('value', [(0, 3), '012', (True, 5)])
    def test_other_values_are_refused(self, coco_set, image, person, value):
        with pytest.raises(ConfigValueError, match='known_visibilities'):
            self.items(coco_set, image, [person(1)], known_visibilities=value)
