# Copyright (c) onestage_pose contributors.
"""A result is arrays, and goes out in the forms that others read."""

import json
import sys
import types

from onestage_pose.apis import PoseResult
from onestage_pose.apis.result import add_presence
from onestage_pose.utils.errors import ImageError, UsageError

import cv2
import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.kites import NAMES as NAMES_OF_KITES
from tests.kites_and_bars import BAR_ID, BAR_NAMES, KITE_ID, METAINFO, UNION

META = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
NAMES = tuple(META['keypoint_id2name'][index] for index in range(17))


def make_result(people=2, **changes):
    """People as wide as their number, with keypoints along a diagonal."""
    places = np.linspace(5, 60, 17, dtype=np.float32)
    values = dict(
        boxes=np.float32([[1, 2, 11 + 10 * each, 42] for each in range(people)]),
        scores=np.float32([0.9, 0.5, 0.4][:people]),
        keypoints=np.stack(
            [np.stack([places + 9 * n, places], 1) for n in range(people)]
        ),
        keypoint_scores=np.full((people, 17), 0.8, np.float32),
        names=NAMES,
        shape=(80, 100),
        path='folder/000000129648.jpg',
        image=np.full((80, 100, 3), 30, np.uint8),
        dataset_meta=META,
    )
    return PoseResult(**{**values, **changes})


class TestForms:
    def test_length_is_the_number_of_people(self):
        assert len(make_result(people=2)) == 2

    def test_a_dict_is_json(self):
        result = make_result()

        found = json.loads(json.dumps(result.to_dict()))

        assert (found['height'], found['width']) == (80, 100)
        assert found['people'][1]['box'] == [1, 2, 21, 42]
        assert found['people'][1]['keypoints'][16] == pytest.approx([69, 60, 0.8])

    def test_a_dict_has_ids_and_time_of_a_tracker(self):
        found = make_result(ids=np.array([4, 2]), frame=3, time=0.1).to_dict()

        assert (found['frame'], found['time']) == (3, 0.1)
        assert [person['id'] for person in found['people']] == [4, 2]

    def test_a_dict_says_what_was_wrong(self):
        result = make_result(error=ImageError('a.jpg: truncated'))

        assert result.to_dict()['error'] == 'a.jpg: truncated'

    def test_coco_has_widths_and_triples(self):
        first, second = make_result().to_coco()

        assert (second['image_id'], second['category_id']) == (129648, 1)
        assert second['bbox'] == [1, 2, 20, 40]
        assert len(second['keypoints']) == 51
        assert second['keypoints'][-3:] == pytest.approx([69, 60, 0.8])
        assert second['score'] == 0.5

    def test_coco_asks_for_the_number_of_another_image(self):
        result = make_result(path='people.jpg')

        with pytest.raises(UsageError, match='people.jpg has no number'):
            result.to_coco()
        assert result.to_coco(image_id=7)[0]['image_id'] == 7

    def test_coco_tells_categories_apart(self):
        result = make_result(labels=np.array([0, 2]))

        assert [each['category_id'] for each in result.to_coco()] == [1, 3]

    @pytest.mark.parametrize('form', ['people', 'coco'])
    def test_presence_goes_out_where_it_is_predicted(self, form):
        result = make_result(
            keypoint_presence=np.full((2, 17), 0.75, np.float32),
            keypoints_visible=np.full((2, 17), 0.5, np.float32),
            keypoint_covariances=np.ones((2, 17, 2, 2), np.float32),
        )
        records = result.to_coco() if form == 'coco' else result.to_dict()['people']

        assert json.loads(json.dumps(records))[1]['keypoint_presence'] == [0.75] * 17
        assert records[0]['keypoints_visible'] == [0.5] * 17
        assert np.shape(records[0]['keypoint_covariances']) == (17, 2, 2)
        assert 'keypoint_presence' not in make_result().to_coco()[0]

    def test_a_sample_has_the_presence(self):
        presence = np.full((2, 17), 0.75, np.float32)
        result = make_result(keypoint_presence=presence, keypoints_visible=presence / 2)

        people = result.to_sample().pred_instances
        assert (people.keypoint_presence == 0.75).all()
        assert (people.keypoints_visible == 0.375).all()

    def test_ellipses_need_covariances(self):
        with pytest.raises(UsageError, match='covariances=True'):
            make_result().plot(draw_ellipses=True)

    def test_a_sample_is_what_mmpose_gives(self):
        instances = make_result().to_sample().pred_instances

        assert instances.bboxes.shape == (2, 4)
        assert instances.keypoints_visible.shape == (2, 17)


class TestSelection:
    @pytest.mark.parametrize('people', [1, -1, slice(1, None), [1], [False, True]])
    def test_has_every_array_of_these_people(self, people):
        presence = np.float32([[0] * 17, [1] * 17])
        result = make_result(ids=np.array([4, 2]), keypoint_presence=presence)

        chosen = result[people]

        assert chosen.boxes.tolist() == [[1, 2, 21, 42]]
        assert (chosen.scores.tolist(), chosen.ids.tolist()) == ([0.5], [2])
        assert chosen.keypoints[0, -1].tolist() == [69, 60]
        assert chosen.keypoint_scores.shape == (1, 17)
        assert chosen.keypoint_presence.tolist() == [[1] * 17]

    def test_by_score_may_be_of_nobody(self):
        result = make_result()

        nobody = result[result.scores > 0.95]

        assert len(nobody) == 0
        assert (nobody.plot() == result.image).all()

    def test_a_loop_gives_a_person_at_a_time(self):
        scores = [person.scores.tolist() for person in make_result()]

        assert scores == [[np.float32(0.9)], [0.5]]

    def test_has_no_heatmaps_which_are_of_all_people(self):
        result = make_result(heatmaps=np.zeros((17, 80, 100), np.float32))

        with pytest.raises(UsageError, match='before people are selected'):
            result[0].plot(draw_heatmap=True)

    @pytest.mark.parametrize('people', [2, [True], 'nose', np.ones((2, 17), bool)])
    def test_of_people_that_are_not_there_is_an_error(self, people):
        with pytest.raises(IndexError):
            make_result()[people]

    def test_by_something_else_is_an_error(self):
        with pytest.raises(UsageError, match='None selects no people: give an index'):
            make_result()[None]


class TestPresenceBesideMmposesInstances:
    def test_is_added_to_each_person(self):
        presence = np.full((2, 17), 0.75, np.float32)
        result = make_result(keypoint_presence=presence, keypoints_visible=presence / 2)
        people = [dict(), dict()]

        add_presence(people, result.to_sample().pred_instances)

        given = dict(keypoint_presence=[0.75] * 17, keypoints_visible=[0.375] * 17)
        assert people == [given, given]

    def test_is_not_made_of_scores(self):
        people = [dict(), dict()]

        add_presence(people, make_result().to_sample().pred_instances)

        assert people == [{}, {}]


class TestOptionalPackages:
    def test_a_table_has_a_row_for_each_keypoint(self, monkeypatch):
        stand_in = types.SimpleNamespace(DataFrame=lambda columns: columns)
        monkeypatch.setitem(sys.modules, 'pandas', stand_in)

        table = make_result().to_dataframe()

        assert {len(column) for column in table.values()} == {34}
        last = {name: column[-1] for name, column in table.items()}
        assert (last['person'], last['keypoint'], last['x']) == (1, 'right_ankle', 69)
        assert (last['x1'], last['x2'], last['score']) == (1, 21, 0.5)

    def test_a_table_of_tracked_people_says_who_and_when(self, monkeypatch):
        stand_in = types.SimpleNamespace(DataFrame=lambda columns: columns)
        monkeypatch.setitem(sys.modules, 'pandas', stand_in)
        result = make_result()
        result.ids, result.time = np.array([3, 8]), 0.4

        table = result.to_dataframe()

        assert list(table)[:5] == ['path', 'index', 'frame', 'time', 'id']
        assert table['id'].tolist() == 17 * [3] + 17 * [8]
        assert table['time'] == 34 * [0.4]

    def test_supervision_has_both_in_one_order(self, monkeypatch):
        def keep(**arrays):
            return arrays

        stand_in = types.SimpleNamespace(KeyPoints=keep, Detections=keep)
        monkeypatch.setitem(sys.modules, 'supervision', stand_in)
        result = make_result()

        keypoints, detections = result.to_supervision()

        assert keypoints['xy'] is result.keypoints
        assert detections['xyxy'] is result.boxes
        assert detections['class_id'].tolist() == [0, 0]

    def test_pandas_itself(self):
        pandas = pytest.importorskip('pandas', reason='pandas is not installed')

        table = make_result().to_dataframe()

        assert isinstance(table, pandas.DataFrame) and table.shape == (34, 13)
        ankle = table[(table.person == 1) & (table.keypoint == 'right_ankle')].iloc[0]
        assert (ankle.x, ankle.y, ankle.x2) == (69, 60, 21)

    def test_supervision_itself(self):
        sv = pytest.importorskip('supervision', reason='supervision is not installed')
        result = make_result()

        keypoints, detections = result.to_supervision()

        assert isinstance(keypoints, sv.KeyPoints) and len(keypoints) == 2
        assert isinstance(detections, sv.Detections) and len(detections) == 2
        np.testing.assert_array_equal(keypoints.xy, result.keypoints)
        np.testing.assert_array_equal(detections.xyxy, result.boxes)

    @pytest.mark.parametrize('package', ['pandas', 'supervision'])
    def test_nobody_is_an_empty_one(self, package):
        pytest.importorskip(package, reason=f'{package} is not installed')
        nobody = make_result()
        for name in ('boxes', 'scores', 'keypoints', 'keypoint_scores'):
            setattr(nobody, name, getattr(nobody, name)[:0])

        form = nobody.to_dataframe if package == 'pandas' else nobody.to_supervision
        found = form()

        found = found if package == 'supervision' else [found]
        assert [len(each) for each in found] == [0] * len(found)

    @pytest.mark.parametrize(
        'package, method',
        [('pandas', 'to_dataframe'), ('supervision', 'to_supervision')],
    )
    def test_one_that_is_not_installed_is_named(self, monkeypatch, package, method):
        monkeypatch.setitem(sys.modules, package, None)

        with pytest.raises(UsageError, match=f'{method} needs .*pip install {package}'):
            getattr(make_result(), method)()


class TestPlot:
    def test_is_as_large_as_the_image(self):
        drawn = make_result().plot()

        assert drawn.shape == (80, 100, 3) and (drawn != 30).any()

    def test_is_bgr(self):
        # the right ear is orange
        x, y = make_result(people=1).keypoints[0, 4].round().astype(int)

        drawn = make_result(people=1).plot(radius=2)

        assert drawn[y, x].tolist() in ([0, 128, 255], [255, 153, 51])

    def test_does_not_touch_the_image(self):
        result = make_result()

        result.plot()

        assert (result.image == 30).all()

    def test_leaves_out_keypoints_under_the_threshold(self):
        assert (make_result().plot(kpt_thr=0.9) == 30).all()

    def test_the_default_threshold_is_the_models(self):
        assert (make_result(kpt_thr=0.9).plot() == 30).all()

    @pytest.mark.parametrize('option', ['draw_bbox', 'draw_scores'])
    def test_shows_more_on_demand(self, option):
        assert (make_result().plot(kpt_thr=1.0, **{option: True}) != 30).any()

    def test_a_misspelt_option_is_refused(self):
        with pytest.raises(UsageError, match="'draw_box'. Did you mean draw_bbox"):
            make_result().plot(draw_box=True)

    @pytest.mark.parametrize(
        'option',
        [
            dict(radius=-3),
            dict(radius=2.5),
            dict(thickness=0),
            dict(kpt_thr='high'),
            dict(color_by='sides'),
            dict(skeleton_style='open'),
        ],
        ids=str,
    )
    def test_a_value_that_means_nothing_is_named(self, option):
        [(name, value)] = option.items()

        with pytest.raises(UsageError, match=f'^{name}={value!r}: give '):
            make_result().plot(**option)

    def test_openposes_style_is_another(self):
        styles = [make_result().plot(skeleton_style=s) for s in ('mmpose', 'openpose')]

        assert (styles[0] != styles[1]).any()

    def test_needs_the_image(self):
        result = make_result(image=None)

        with pytest.raises(UsageError, match='the image was not kept'):
            result.plot()
        assert result.plot(image=np.zeros((80, 100, 3), np.uint8)).any()

    def test_needs_heatmaps_for_heatmaps(self):
        with pytest.raises(UsageError, match='heatmaps=True'):
            make_result().plot(draw_heatmap=True)

    def test_of_a_broken_image_is_its_error(self):
        with pytest.raises(ImageError, match='truncated'):
            make_result(error=ImageError('truncated')).plot()


class TestSave:
    def test_to_a_folder_by_the_name_of_the_image(self, tmp_path):
        path = make_result().save(tmp_path / 'new/drawn')

        assert path == tmp_path / 'new/drawn/000000129648.jpg'
        assert cv2.imread(str(path)).shape == (80, 100, 3)

    def test_to_a_file(self, tmp_path):
        path = make_result().save(tmp_path / 'it.png', kpt_thr=0.1)

        np.testing.assert_array_equal(
            cv2.imread(str(path)), make_result().plot(kpt_thr=0.1)
        )

    @pytest.mark.parametrize(
        'changes, name',
        [
            (dict(path=None, index=3), '000003.jpg'),
            (dict(path='a/film.mp4', frame=12), 'film_000012.jpg'),
            (dict(path='a/b.gif'), 'b.gif.png'),
            (dict(path='http://x.example/b.png?size=1'), 'b.png'),
        ],
    )
    def test_names(self, tmp_path, changes, name, monkeypatch):
        monkeypatch.setattr(cv2, 'haveImageWriter', lambda name: '.gif' not in name)

        assert make_result(**changes).save(tmp_path).name == name

    def test_images_without_a_name_do_not_overwrite_each_other(self, tmp_path):
        names = [make_result(path=None).save(tmp_path).name for _ in range(3)]

        assert names == ['000000.jpg', '000001.jpg', '000002.jpg']

    @pytest.mark.parametrize('name', ['o.xyz', 'o.mp4', 'o.svg'])
    def test_to_a_file_of_another_kind_is_an_error(self, tmp_path, name):
        with pytest.raises(UsageError, match=rf'{name}: no image .* give \.jpg, \.png'):
            make_result().save(tmp_path / name)

        assert not list(tmp_path.iterdir())

    def test_to_a_folder_with_a_dot_in_its_name(self, tmp_path):
        path = make_result().save(f'{tmp_path}/results.v2/')

        assert path == tmp_path / 'results.v2/000000129648.jpg'
        assert make_result().save(tmp_path / 'results.v2') == path

    def test_does_not_write_over_the_image(self, tmp_path):
        cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((8, 8, 3)))

        with pytest.raises(UsageError, match='would be overwritten'):
            make_result(path=str(tmp_path / 'a.png')).save(tmp_path)


class TestCategories:
    """A bar, and a kite beside it."""

    meta = parse_pose_metainfo(METAINFO)

    def make(self, **changes):
        keypoints = np.zeros((2, 6, 2), np.float32)
        keypoints[0, 4:], keypoints[1, :4] = 5, 50
        values = dict(
            keypoints=keypoints,
            keypoint_scores=np.float32(keypoints[..., 0] > 0),
            labels=np.array([1, 0]),
            names=tuple(UNION),
            dataset_meta=self.meta,
        )
        return make_result(**{**values, **changes})

    def test_a_dict_names_the_category_and_has_its_keypoints(self):
        found = json.loads(json.dumps(self.make().to_dict()))

        bar, kite = found['people']
        assert (bar['category'], kite['category']) == ('bar', 'kite')
        assert bar['keypoints'] == [[5, 5, 1]] * 2
        assert kite['keypoints'] == [[50, 50, 1]] * 4
        assert found['keypoint_names'] == dict(kite=NAMES_OF_KITES, bar=BAR_NAMES)

    def test_coco_has_the_id_of_the_category(self):
        bar, kite = self.make().to_coco()

        assert (bar['category_id'], kite['category_id']) == (BAR_ID, KITE_ID)
        assert (bar['keypoints'], len(kite['keypoints'])) == ([5, 5, 1] * 2, 12)

    def test_coco_takes_no_other_id(self):
        with pytest.raises(UsageError, match='kite 7, bar 3.* leave category_id out'):
            self.make().to_coco(category_id=1)

    def test_presence_is_of_the_categorys_keypoints_too(self):
        presence = np.float32([[0, 0, 0, 0, 0.5, 0.25], [1, 1, 1, 1, 0, 0]])
        result = self.make(keypoint_presence=presence)

        assert result.to_dict()['people'][0]['keypoint_presence'] == [0.5, 0.25]
        assert result.to_coco()[0]['keypoint_presence'] == [0.5, 0.25]

    def test_a_table_has_a_row_for_each_keypoint_of_the_category(self):
        pytest.importorskip('pandas')

        table = self.make().to_dataframe()

        assert table['category'].tolist() == ['bar'] * 2 + ['kite'] * 4
        assert table['keypoint'].tolist() == BAR_NAMES + NAMES_OF_KITES
        assert table['x'].tolist() == [5] * 2 + [50] * 4

    def test_those_of_one_category_are_a_result_of_its_skeleton(self):
        kites = self.make(heatmaps=np.arange(6)).of_category('kite')

        assert (len(kites), kites.keypoints.shape) == (1, (1, 4, 2))
        assert kites.boxes.tolist() == [[1, 2, 21, 42]]
        assert kites.names == tuple(NAMES_OF_KITES)
        assert kites.heatmaps.tolist() == [0, 1, 2, 3]
        assert kites.to_coco()[0]['keypoints'] == [50, 50, 1] * 4

    def test_an_unknown_category_is_named(self):
        with pytest.raises(UsageError, match='Did you mean kite'):
            self.make().of_category('kites')

    def test_it_says_how_many_of_which_there_are(self):
        assert repr(self.make()).endswith(': 1 bar, 1 kite)')

    def test_keypoints_of_others_are_not_drawn(self):
        image = np.zeros((80, 100, 3), np.uint8)

        drawn = self.make().plot(image=image, kpt_thr=0.0)

        assert drawn[5, 5].any() and drawn[50, 50].any() and not drawn[0, 0].any()
