# Copyright (c) onestage_pose contributors.
from pathlib import Path

from onestage_pose.structures.metainfo import (
    check_dataset_metainfo,
    load_sigmas,
    resolve_metainfo,
)
from onestage_pose.utils.errors import ConfigValueError

import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.kites_and_bars import FLIP_INDICES, METAINFO, UNION

KITE = METAINFO['categories'][0]
COCO = 'configs/_base_/datasets/coco.py'


def test_cocos_are_the_default():
    sigmas = load_sigmas()
    assert len(sigmas) == 17 and sigmas[0] == 0.026


def test_another_skeletons_by_the_name_of_its_metainfo():
    assert len(load_sigmas('configs/_base_/datasets/crowdpose.py')) == 14


def test_a_config_of_ones_own(tmp_path):
    path = tmp_path / 'hands.py'
    path.write_text('dataset_info = dict(sigmas=[0.1, 0.2])')
    assert load_sigmas(str(path)) == (0.1, 0.2)


def test_a_missing_config_is_named():
    with pytest.raises(FileNotFoundError, match='no_such_metainfo'):
        load_sigmas('no_such_metainfo.py')


def test_a_file_of_mmpose_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    found = Path(resolve_metainfo(dict(from_file=COCO))['from_file'])

    assert found.is_file()
    assert found.is_absolute() and found.as_posix().endswith(f'mmpose/.mim/{COCO}')


def test_a_file_of_the_working_directory_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'coco.py').write_text('')

    assert resolve_metainfo(dict(from_file='coco.py')) == dict(from_file='coco.py')


def test_an_unknown_file_is_left_to_mmpose():
    assert resolve_metainfo(dict(from_file='mine.py')) == dict(from_file='mine.py')


def test_metainfo_without_a_file_stays_as_it_is():
    metainfo = dict(dataset_name='mine')

    assert resolve_metainfo(metainfo) == metainfo


def test_the_argument_is_not_changed():
    metainfo = dict(from_file=COCO)

    resolve_metainfo(metainfo)

    assert metainfo == dict(from_file=COCO)


class TestCategories:
    def parse(self, **changes):
        return parse_pose_metainfo({**METAINFO, **changes})

    def test_keypoints_of_all_are_named_after_their_category(self):
        assert list(self.parse()['keypoint_id2name'].values()) == UNION

    def test_flipping_stays_within_the_category(self):
        assert self.parse()['flip_indices'] == FLIP_INDICES

    def test_links_and_sigmas_are_those_of_all(self):
        parsed = self.parse()

        assert parsed['skeleton_links'] == [(0, 1), (4, 5)]
        assert parsed['sigmas'].round(3).tolist() == pytest.approx(
            [0.05] * 4 + [0.1] * 2
        )
        assert parsed['keypoint_categories'] == [0, 0, 0, 0, 1, 1]

    def test_ids_count_from_1_where_they_are_not_stated(self):
        bare = [
            {key: value for key, value in each.items() if key != 'id'}
            for each in METAINFO['categories']
        ]

        assert [each['id'] for each in self.parse(categories=bare)['categories']] == [
            1,
            2,
        ]

    def test_a_file_may_have_them(self, tmp_path):
        path = tmp_path / 'park.py'
        path.write_text(
            "dataset_info = dict(dataset_name='park', categories=["
            "dict(name='person', from_file='coco.py'), "
            "dict(name='dog', from_file='animalpose.py')])"
        )
        metainfo = dict(from_file=str(path))

        check_dataset_metainfo(metainfo)

        assert parse_pose_metainfo(metainfo)['num_keypoints'] == 37

    @pytest.mark.parametrize(
        ('changes', 'message'),
        [
            (dict(categories=[]), 'give a list with a dict for each category'),
            (dict(sigmas=[0.1]), 'has keypoints of its own; it has .*sigmas'),
            (dict(categories=['kite']), r"categories\[0\] is 'kite'; .* `name`"),
            (dict(categories=[KITE, KITE]), "name='kite' more than once"),
            (dict(categories=[KITE, {**KITE, 'name': 'k'}]), 'id=7 more than once'),
            (dict(categories=[{**KITE, 'id': 'a'}]), "id='a'; it is the category_id"),
            (
                dict(categories=[{**KITE, 'from_file': 'coco.py'}]),
                "'kite'.* from_file, and also .*joint_weights",
            ),
            (dict(categories=[{**KITE, 'sigmas': [0.1]}]), r'"kite"|\(\'kite\'\)'),
            (dict(categories=[{**KITE, 'sigmas': []}]), 'give one for each keypoint'),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, changes, message):
        with pytest.raises(ConfigValueError, match=message):
            check_dataset_metainfo({**METAINFO, **changes})
