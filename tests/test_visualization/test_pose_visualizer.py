# Copyright (c) onestage_pose contributors.
"""mmpose's visualizer draws in proportion to the image, in this project's palette."""

from onestage_pose.utils.errors import UsageError
from onestage_pose.visualization.palette import BOX_COLOR, PERSON_COLORS, SIDE_COLORS
from onestage_pose.visualization.pose_visualizer import PoseVisualizer

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample

from tests.kites_and_bars import METAINFO

META = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))


def make_sample(*centers):
    """People whose keypoints all lie at one place."""
    keypoints = np.float32([[center] * 17 for center in centers]).reshape(-1, 17, 2)
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(
        bboxes=np.float32([[x - 9, y - 9, x + 9, y + 9] for x, y in centers]),
        bbox_scores=np.full(len(centers), 0.5, np.float32),
        keypoints=keypoints,
        keypoints_visible=np.ones(keypoints.shape[:2], np.float32),
    )
    return sample


def draw(sample, size=(100, 100), visualizer=None, meta=META, **options):
    visualizer = visualizer or PoseVisualizer()
    visualizer.set_dataset_meta(meta)
    image = np.zeros((*size, 3), np.uint8)
    return visualizer.add_datasample('it', image, sample, draw_gt=False, **options)


def colors(drawn):
    """The colours in a drawing, without black."""
    return {
        tuple(map(int, each)) for each in np.unique(drawn.reshape(-1, 3), axis=0)
    } - {(0, 0, 0)}


def one_keypoint(index):
    sample = make_sample((50, 50))
    sample.pred_instances.keypoints_visible[:] = 0
    sample.pred_instances.keypoints_visible[0, index] = 1
    return sample


@pytest.mark.parametrize('index, side', [(0, 'middle'), (1, 'left'), (2, 'right')])
def test_keypoints_have_the_colours_of_their_sides(index, side):
    assert colors(draw(one_keypoint(index))) == {SIDE_COLORS[side]}


@pytest.mark.parametrize('size, radius', [((150, 200), 2), ((1500, 2000), 10)])
def test_keypoints_are_in_proportion_to_the_image(size, radius):
    drawn = draw(one_keypoint(1), size)

    rows = drawn.any((1, 2)).sum()
    assert rows == 2 * radius + 1


def test_a_radius_that_is_given_counts():
    drawn = draw(one_keypoint(1), (1500, 2000), PoseVisualizer(radius=3))

    assert drawn.any((1, 2)).sum() == 7


def test_a_skeleton_without_sides_has_its_own_colours():
    meta = dict(META, keypoint_id2name={index: f'point{index}' for index in range(17)})

    drawn = draw(one_keypoint(5), meta=meta)

    assert colors(drawn) == {tuple(map(int, META['keypoint_colors'][5]))}


def test_boxes_have_no_colour_of_a_side():
    drawn = draw(make_sample((50, 50)), draw_bbox=True, kpt_thr=2.0)

    assert colors(drawn) == {BOX_COLOR}


def test_one_colour_a_person_on_demand():
    drawn = draw(make_sample((30, 30), (70, 70)), color_by='person', draw_bbox=True)

    assert colors(drawn) == set(PERSON_COLORS[:2])


def test_colours_of_one_drawing_do_not_outlast_it():
    visualizer = PoseVisualizer()
    draw(one_keypoint(1), visualizer=visualizer, color_by='person')

    assert colors(draw(one_keypoint(1), visualizer=visualizer)) == {SIDE_COLORS['left']}


def test_scores_are_written_on_demand():
    drawn = draw(make_sample((50, 50)), draw_scores=True, kpt_thr=2.0)

    # white letters, smoothed
    assert drawn.max() > 150


def test_ids_are_written_on_demand():
    sample = make_sample((50, 50))
    sample.pred_instances.instances_id = np.array([7])

    drawn = draw(sample, draw_ids=True, kpt_thr=2.0)

    assert drawn.max() > 150


def test_without_ids_none_are_written():
    assert not draw(make_sample((50, 50)), draw_ids=True, kpt_thr=2.0).any()


@pytest.mark.parametrize('ids', [[4], [14]])
def test_the_colour_of_a_person_goes_by_the_id(ids):
    sample = make_sample((50, 50))
    sample.pred_instances.instances_id = np.array(ids)

    assert colors(draw(sample, color_by='person')) == {PERSON_COLORS[4]}


def test_nobody_changes_nothing():
    drawn = draw(make_sample(), draw_scores=True, draw_bbox=True, color_by='person')

    assert not drawn.any()


def test_an_unknown_colouring_is_refused():
    with pytest.raises(ValueError, match="color_by='leg'"):
        draw(make_sample((50, 50)), color_by='leg')


def test_configs_find_it_in_mmposes_registry():
    assert VISUALIZERS.get('PoseVisualizer') is PoseVisualizer


class TestVisibility:
    """Of models that tell which keypoints are there and seen."""

    def draw(self, presence, visible, score=1.0, **options):
        sample = one_keypoint(1)
        people = sample.pred_instances
        shape = people.keypoints_visible.shape
        people.keypoint_scores = np.zeros(shape, np.float32)
        people.keypoint_scores[0, 1] = score
        people.keypoint_presence = np.full(shape, presence, np.float32)
        people.keypoints_visible = np.full(shape, visible, np.float32)
        people.keypoint_covariances = np.tile(np.diag([49.0, 4.0]), (*shape, 1, 1))
        return draw(sample, size=(100, 100), **options)

    def test_an_absent_keypoint_is_not_drawn(self):
        assert not self.draw(presence=0.4, visible=0.4).any()

    def test_a_keypoint_of_low_score_is_not_drawn(self):
        assert not self.draw(presence=0.9, visible=0.9, score=0.2).any()

    def test_a_seen_keypoint_is_a_disc(self):
        assert colors(self.draw(0.9, 0.9)) == {SIDE_COLORS['left']}

    def test_a_hidden_keypoint_is_a_ring(self):
        drawn = self.draw(0.9, 0.4, visualizer=PoseVisualizer(radius=8))
        assert drawn[50, 50].tolist() == [255, 255, 255]
        assert drawn[50, 57].tolist() == list(SIDE_COLORS['left'])

    def test_an_ellipse_holds_nine_tenths(self):
        visualizer = PoseVisualizer(radius=1, line_width=1)
        drawn = self.draw(0.9, 0.9, visualizer=visualizer, draw_ellipses=True)
        rows, columns = np.nonzero(drawn.any(-1))
        # 2.15 standard deviations of 7 and 2 pixels
        assert (columns.max() - columns.min()) / 2 == pytest.approx(15, abs=1)
        assert (rows.max() - rows.min()) / 2 == pytest.approx(4.3, abs=1)

    def test_the_instances_stay_as_they_are(self):
        sample = one_keypoint(1)
        people = sample.pred_instances
        shape = people.keypoints_visible.shape
        people.keypoint_scores = np.ones(shape, np.float32)
        people.keypoint_presence = np.full(shape, 0.2, np.float32)
        before = people.keypoints_visible.copy()
        draw(sample)
        np.testing.assert_array_equal(people.keypoints_visible, before)


def test_the_only_category_is_not_written_at_the_box():
    def draw_box(label):
        sample = make_sample((50, 50))
        sample.pred_instances.labels = np.array([0])
        if not label:
            del sample.pred_instances.labels
        return draw(sample, draw_bbox=True, kpt_thr=2)

    np.testing.assert_array_equal(draw_box(True), draw_box(False))


class TestCategories:
    """Kites have four keypoints, bars the two after them."""

    meta = parse_pose_metainfo(METAINFO)

    def sample(self, label):
        sample = make_sample((50, 50))
        people = sample.pred_instances
        people.keypoints = np.float32([[[10, 10]] * 4 + [[90, 90]] * 2])
        people.keypoints_visible = np.ones((1, 6), np.float32)
        people.labels = np.array([label])
        return sample

    @pytest.mark.parametrize(('label', 'places'), [(0, [(10, 10)]), (1, [(90, 90)])])
    def test_keypoints_of_others_are_left_out_under_any_threshold(self, label, places):
        drawn = draw(self.sample(label), meta=self.meta, kpt_thr=0.0).any(-1)

        at = [place for place in ((10, 10), (90, 90)) if drawn[place]]
        assert at == places

    def test_a_score_has_the_name_of_the_category(self):
        # a longer name takes more room
        width = [
            draw(self.sample(label), meta=self.meta, draw_scores=True, kpt_thr=2)
            .any((0, 2))
            .sum()
            for label in (0, 1)
        ]

        assert width[0] > width[1] > 0

    def test_a_box_has_the_name_of_the_category(self):
        def draw_box(with_label):
            sample = self.sample(0)
            sample.pred_instances.bbox_scores[:] = 0.5
            if not with_label:
                del sample.pred_instances.labels
            return draw(sample, meta=self.meta, draw_bbox=True, kpt_thr=2)

        drawn = draw_box(True) != draw_box(False)

        # above the box, which begins at 41, and nowhere else
        rows = np.flatnonzero(drawn.any((1, 2)))
        assert len(rows) and rows.max() < 45

    def test_openposes_style_is_of_people_alone(self):
        with pytest.raises(UsageError, match='kite, bar'):
            PoseVisualizer().set_dataset_meta(self.meta, 'openpose')
