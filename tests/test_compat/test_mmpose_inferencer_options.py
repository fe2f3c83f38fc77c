# Copyright (c) onestage_pose contributors.
"""``bbox_thr`` of mmpose's inferencers reaches the models, and slips are named."""

import inspect

from onestage_pose.compat.mmpose_inferencer_options import (
    add_option,
    refuse_unknown_2d,
)
from onestage_pose.utils.errors import UsageError

import numpy as np
import pytest
from mmpose.apis import MMPoseInferencer, Pose2DInferencer
from mmpose.apis.inferencers import pose2d_inferencer

from tests.test_apis.tiny_model import picture


def box_scores(inferencer, **options):
    result = next(inferencer(picture(), **options))
    return [person['bbox_score'] for person in result['predictions'][0]]


@pytest.fixture(scope='module')
def inferencer(tiny):
    return MMPoseInferencer(*tiny, device='cpu')


def test_without_bbox_thr_all_are_kept(inferencer):
    assert len(box_scores(inferencer)) == 3


def test_people_not_over_bbox_thr_are_left_out(inferencer):
    scores = box_scores(inferencer)
    threshold = float(np.sort(scores)[1])

    kept = box_scores(inferencer, bbox_thr=threshold)

    assert kept == [score for score in scores if score > threshold]


def test_bbox_thr_of_one_call_does_not_outlast_it(inferencer):
    box_scores(inferencer, bbox_thr=1.0)

    assert len(box_scores(inferencer)) == 3


def test_pose2d_inferencer_takes_it_too(tiny):
    assert box_scores(Pose2DInferencer(*tiny, device='cpu'), bbox_thr=1.0) == []


def test_installing_again_changes_nothing():
    before = Pose2DInferencer.forward_kwargs, Pose2DInferencer.__call__

    add_option(pose2d_inferencer)
    refuse_unknown_2d(pose2d_inferencer)

    assert (Pose2DInferencer.forward_kwargs, Pose2DInferencer.__call__) == before


@pytest.mark.parametrize('kind', [MMPoseInferencer, Pose2DInferencer])
@pytest.mark.parametrize(
    ('option', 'advice'),
    [
        ('kpt_treshold', 'did you mean `kpt_thr`'),
        ('bbox_thresh', 'did you mean `bbox_thr`'),
        ('conf', 'did you mean `bbox_thr`'),
        ('vis_outdir', 'did you mean `vis_out_dir`'),
        ('batchsize', 'did you mean `batch_size`'),
        ('zzz', 'it knows `batch_size`'),
    ],
)
def test_misspelt_option_is_named_when_it_is_given(kind, option, advice):
    # without a model, for it comes before anything is done
    inferencer = kind.__new__(kind)

    with pytest.raises(
        UsageError, match=f'{kind.__name__} has no option `{option}`: ' + advice
    ):
        inferencer(picture(), **{option: 1})


@pytest.mark.parametrize('value', [30, '0.3', None, True, float('nan')])
def test_threshold_that_nobody_passes_is_named_and_changes_nothing(inferencer, value):
    with pytest.raises(UsageError, match='got bbox_thr=.*: give a number from -1 to 1'):
        inferencer(picture(), bbox_thr=value)

    assert len(box_scores(inferencer)) == 3


def test_options_of_other_inferencers_are_dropped_as_before(inferencer):
    assert len(box_scores(inferencer, num_instances=1, use_oks_tracking=True)) == 3


def test_mmpose_still_swallows_them():
    source = inspect.getsource(MMPoseInferencer.__call__.__wrapped__)

    assert 'if key in set.union(' in source, 'mmpose refuses them: the patch can go'


def test_mmpose_still_needs_it():
    source = inspect.getsource(Pose2DInferencer)
    named = source.split('forward_kwargs', 1)[1].split('}', 1)[0]

    assert 'bbox_thr' not in named, 'mmpose names bbox_thr: the patch can go'


class TestDrawings:
    def test_are_in_proportion_to_the_image(self, inferencer):
        inferencer_2d = inferencer.inferencer

        next(inferencer(picture(), return_vis=True))

        assert inferencer_2d.visualizer.radius is None
        assert inferencer_2d.visualizer.line_width is None

    def test_a_given_radius_counts(self, inferencer):
        next(inferencer(picture(), return_vis=True, radius=5))

        assert inferencer.inferencer.visualizer.radius == 5

    def test_heatmaps_are_those_of_the_people_that_are_drawn(self, inferencer):
        def heatmaps(**options):
            call = inferencer(
                picture(), draw_heatmap=True, return_datasamples=True, **options
            )
            return next(call)['predictions'][0].pred_fields.heatmaps

        assert heatmaps().max() > 0
        assert heatmaps(bbox_thr=1.0).max() == 0
