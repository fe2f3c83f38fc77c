# Copyright (c) onestage_pose contributors.
"""Keypoints and sigmas of a model that are not those of its data end a run."""

import io
import logging
from types import SimpleNamespace

from onestage_pose.codecs import RoIHeatmap
from onestage_pose.engine import SkeletonCheckHook
from onestage_pose.engine.hooks.skeleton_check_hook import check_skeleton
from onestage_pose.structures.metainfo import load_sigmas
from onestage_pose.utils.errors import ConfigValueError

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.faults import fault_of
from tests.kites_and_bars import METAINFO
from tests.tool_runs import REPOSITORY

COCO = load_sigmas()
OTHERS = tuple(2 * sigma for sigma in COCO)


def model_of(sigmas=None, mode='expected_oks', pose_nms=None, **codec):
    """What the hook reads of a model."""
    codec = RoIHeatmap(sigmas=sigmas, decode_mode=mode, **codec)
    head = SimpleNamespace(codec=codec, num_keypoints=17, box_scale=1.3)
    options = SimpleNamespace(pose_nms=pose_nms)
    return SimpleNamespace(roi_head=head, test_options=options)


def metainfo_of(sigmas=COCO, number=17, **others):
    sigmas = np.array(sigmas, np.float32)
    return dict(dataset_name='mine', num_keypoints=number, sigmas=sigmas, **others)


def area_of(ratio):
    """Metainfo of data whose instances fill this share of their boxes."""
    return metainfo_of(area_ratio=ratio)


def runner_of(model, **metainfos):
    """What the hook reads of a runner."""
    loops = {f'_{mode}_loop': None for mode in ('train', 'val', 'test')}
    for mode, metainfo in metainfos.items():
        dataset = SimpleNamespace(metainfo=metainfo)
        loader = SimpleNamespace(dataset=dataset)
        loops[f'_{mode}_loop'] = SimpleNamespace(dataloader=loader)
    return SimpleNamespace(model=model, **loops)


@pytest.mark.parametrize('sigmas', [None, COCO])
def test_the_same_sigmas_pass(sigmas):
    assert fault_of(check_skeleton, model_of(sigmas), metainfo_of(), 'train') is None


@pytest.mark.parametrize(('given', 'known'), [(None, OTHERS), (OTHERS, COCO)])
def test_other_sigmas_are_named_with_both_sources(given, known):
    with pytest.raises(
        ConfigValueError,
        match=r'codec\.sigmas are 0\.0.*, but `sigmas` of the metainfo "mine" of train',
    ):
        check_skeleton(model_of(given), metainfo_of(known), 'train')


def test_sigmas_that_nothing_uses_may_be_others():
    model = model_of(mode='argmax')

    assert fault_of(check_skeleton, model, metainfo_of(OTHERS), 'train') is None


def test_data_without_sigmas_are_not_compared():
    metainfo = metainfo_of(sigmas=())

    assert fault_of(check_skeleton, model_of(), metainfo, 'train') is None


def test_sigmas_of_the_pose_nms_are_compared_too():
    nms = SimpleNamespace(sigmas=None)
    with pytest.raises(ConfigValueError, match='test_cfg.pose_nms.sigmas are 0.026'):
        check_skeleton(
            model_of(mode='argmax', pose_nms=nms), metainfo_of(OTHERS), 'val'
        )


def test_another_number_of_keypoints_is_named():
    with pytest.raises(ConfigValueError, match='num_keypoints=17, but .* has 14 keyp'):
        check_skeleton(model_of(), metainfo_of(COCO[:14], 14), 'train')


def test_a_model_of_another_kind_passes():
    model = SimpleNamespace()

    assert fault_of(check_skeleton, model, metainfo_of(OTHERS), 'train') is None


@pytest.mark.parametrize('mode', ['train', 'val', 'test'])
def test_the_hook_compares_every_data_set(mode):
    runner = runner_of(model_of(COCO), **{mode: metainfo_of(OTHERS)})
    with pytest.raises(ConfigValueError, match=f'of {mode}_dataloader.dataset'):
        SkeletonCheckHook().before_run(runner)


def test_sigmas_that_are_not_given_are_those_of_the_data():
    nms = SimpleNamespace(sigmas=None)
    model = model_of(pose_nms=nms)

    SkeletonCheckHook().before_run(runner_of(model, train=metainfo_of(OTHERS)))

    assert model.roi_head.codec.sigmas == pytest.approx(OTHERS)


def test_data_sets_of_one_run_that_differ_are_an_error():
    runner = runner_of(model_of(), train=metainfo_of(COCO), val=metainfo_of(OTHERS))

    with pytest.raises(ConfigValueError, match='of val_dataloader.dataset'):
        SkeletonCheckHook().before_run(runner)


def test_the_hook_passes_what_has_no_metainfo():
    runner = runner_of(model_of(), train=None)

    assert fault_of(SkeletonCheckHook().before_run, runner) is None


@pytest.mark.parametrize('stated', [0.53, 0.53 / 1.3**2])
def test_an_area_ratio_that_the_training_data_deny_is_an_error(stated):
    """The former forgot that the box is wider; the latter takes kites for people."""
    measured = 0.53 if stated == 0.53 else 0.95
    runner = runner_of(model_of(area_ratio=stated), train=area_of(measured))

    right = measured / 1.3**2
    with pytest.raises(
        ConfigValueError, match=f'={stated:.3f} .* it is {measured}. .*= {right:.3f}'
    ):
        SkeletonCheckHook().before_run(runner)


@pytest.mark.parametrize('stated', [0.53 / 1.3**2, 0.31, 0.4])
def test_an_area_ratio_near_that_of_the_data_passes(stated):
    runner = runner_of(model_of(area_ratio=stated), train=area_of(0.6))

    assert fault_of(SkeletonCheckHook().before_run, runner) is None


def test_an_area_ratio_that_nothing_uses_may_be_any():
    runner = runner_of(model_of(mode='argmax', area_ratio=5.0), train=area_of(0.6))

    assert fault_of(SkeletonCheckHook().before_run, runner) is None


@pytest.mark.parametrize(('measured', 'is_warned'), [(0.95, True), (0.6, False)])
def test_a_model_of_other_data_is_evaluated_with_a_warning(measured, is_warned):
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)

    model = model_of(area_ratio=0.53 / 1.3**2)
    SkeletonCheckHook().before_run(runner_of(model, test=area_of(measured)))

    logger.removeHandler(handler)
    warned = 'fill 0.53 of its box; by `area` and `bbox` of the metainfo "mine" of'
    assert (warned in text.getvalue()) == is_warned


def test_hooks_of_the_configs_have_it():
    cfg = Config.fromfile(REPOSITORY / 'configs/_base_/default_runtime.py')
    assert cfg.default_hooks.skeleton_check.type == 'SkeletonCheckHook'


def test_another_number_of_categories_is_named():
    metainfo = parse_pose_metainfo(METAINFO)
    model = model_of(sigmas=tuple(map(float, metainfo['sigmas'].round(3))))
    model.roi_head.num_keypoints, model.roi_head.num_classes = 6, 1

    with pytest.raises(ConfigValueError, match=r'num_classes=1, .* 2 .*\(kite, bar\)'):
        check_skeleton(model, metainfo, 'train')
