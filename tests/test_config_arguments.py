# Copyright (c) onestage_pose contributors.
"""What a config gives this project's modules is taken, or refused by its key.

A misspelt key, a value of another kind or out of range is an error in one line that
names the key, while the module is built: nothing gets through in silence, to fail in
the first evaluation or never.
"""

import math
from collections.abc import Mapping
from typing import Any

from onestage_pose.utils.arguments import find_options
from onestage_pose.utils.config_errors import explain_config_error
from onestage_pose.utils.errors import OnestagePoseError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer
from mmpose.registry import DATASETS, HOOKS, KEYPOINT_CODECS, METRICS, TRANSFORMS

SMALL = dict(num_convs=1, in_channels=8, conv_out_channels=8, num_keypoints=3)
BOX_CODER = dict(
    type='DeltaXYWHBBoxCoder', target_means=[0.0] * 4, target_stds=[1.0] * 4
)
ROI_LAYER = dict(type='RoIAlign', output_size=7, sampling_ratio=0)
#: Arguments that each module takes: those of the shipped configs, and all of its own.
VALID = {
    KEYPOINT_CODECS: dict(
        RoIHeatmap=dict(
            heatmap_size=56,
            decode_mode='dark',
            score_mode='window',
            window=2,
            blur_kernel_size=11,
            sigmas=[0.1, 0.1, 0.1],
            area_ratio=0.5,
        ),
    ),
    MODELS: dict(
        ConvKeypointHead=dict(
            **SMALL,
            norm_cfg=dict(type='BN'),
            continuous_keypoints=True,
            visibility_branch=dict(),
        ),
        GCMKeypointHead=dict(
            **SMALL,
            num_stages=1,
            roi_feat_size=14,
            num_heads=4,
            norm_cfg=dict(type='BN'),
            conv_norm_cfg=dict(type='BN'),
        ),
        PriorKeypointHead=dict(**SMALL, prior_scale=2.5, prior_channels=[0, None, 2]),
        FinePriorKeypointHead=dict(
            **SMALL, prior_scale=2.5, detail_channels=4, norm_cfg=dict(type='BN')
        ),
        VisibilityBranch=dict(in_channels=8, num_keypoints=3, channels=4),
        GaussianCrossEntropyLoss=dict(heatmap_size=56, sigma=1.0, loss_weight=1.0),
        KnownBCELoss=dict(loss_weight=1.0),
        PosePriorFPN=dict(
            in_channels=[8, 8],
            out_channels=8,
            num_outs=2,
            prior=(1, 4),
            norm_cfg=dict(type='BN'),
        ),
        MoveNet=dict(
            arch='lightning', frozen_stages=1, pose_maps=True, norm_outputs=True
        ),
        RoIFeatureExtractor=dict(
            roi_layer=ROI_LAYER,
            out_channels=8,
            featmap_strides=[4, 8],
            finest_scale=56,
            zero_extend=True,
        ),
        NonEmptyBBoxHead=dict(
            in_channels=8,
            fc_out_channels=8,
            roi_feat_size=7,
            num_classes=1,
            bbox_coder=BOX_CODER,
            reg_class_agnostic=False,
            min_size=0.01,
        ),
        LogitRPNHead=dict(in_channels=8, feat_channels=8, num_classes=1, num_convs=1),
    ),
    TASK_UTILS: dict(
        CrowdIoUAssigner=dict(
            pos_iou_thr=0.7,
            neg_iou_thr=0.3,
            min_pos_iou=0.0,
            match_low_quality=True,
            ignore_iof_thr=0.5,
        ),
        RoundedAnchorGenerator=dict(
            scales=[8], ratios=[0.5, 1.0], strides=[4, 8, 16, 32, 64]
        ),
    ),
    TRANSFORMS: dict(
        LoadPoseImage=dict(
            on_error='raise', keep_in_memory=True, to_float32=True, max_pixels=10
        ),
        PackKeypointRCNNInputs=dict(meta_keys=['img_id'], pack_transformed=False),
        PoseMosaic=dict(grid=(2, 2), tile=[dict(type='LoadPoseImage')]),
        PoseRandomAffine=dict(
            input_size=(256, 256),
            size_range=(200, 512),
            scale_to='person',
            rotate=25.0,
            rotate_prob=0.5,
            shift=0.1,
            min_visible=0.2,
            min_side=4.0,
            pad_val=(1, 2, 3),
        ),
        PoseRandomFlip=dict(prob=0.5),
        PoseResize=dict(
            scale=(64, 48),
            keep_ratio=True,
            backend='pillow',
            interpolation='bilinear',
            image_only=True,
            round_down=True,
        ),
        BoxesFromKeypoints=dict(head=0.7, margin=0.07),
    ),
    DATASETS: dict(
        PersonKeypointsDataset=dict(
            data_mode='bottomup',
            data_root='data/',
            ann_file='annotations.json',
            data_prefix=dict(img='images/'),
            filter_cfg=dict(min_keypoints=1),
            with_segmentation=False,
            keypoints_only=True,
            keep_crowds=True,
            known_visibilities=(1, 2),
            check_images=True,
            max_people=10,
            indices=[1, 2],
            pipeline=[dict(type='LoadPoseImage')],
            test_mode=True,
            max_refetch=10,
            sample_interval=1,
        ),
    ),
    METRICS: dict(
        KeypointCocoMetric=dict(
            use_area=False,
            score_mode='bbox',
            keypoint_score_thr=0.2,
            nms_mode='none',
            nms_thr=0.9,
            iou_type='keypoints_crowd',
            format_only=False,
        ),
        KeypointReport=dict(
            score_thr=0.3, num_cases=6, json_file='a.json', title='Title'
        ),
        KeypointVisibilityMetric=dict(json_file='a.json', figure_file='a.png'),
        PersonBoxMetric=dict(format_only=False),
    ),
    HOOKS: dict(
        TrainOnlyHook=dict(modules=['roi_head']),
        InputVisualizationHook=dict(
            enable=False, interval=50, bbox_thr=0.3, kpt_thr=0.3, draw_gt=True
        ),
        SafeCheckpointHook=dict(
            by_epoch=False,
            interval=10000,
            max_keep_ckpts=3,
            save_best='coco/AP',
            rule='greater',
        ),
        PreemptionHook=dict(grace_period=30.0, same_request=2.0),
        WatchdogHook=dict(factor=10.0, at_least=120.0),
    ),
}
CASES = [
    pytest.param(registry, kind, id=kind)
    for registry, modules in VALID.items()
    for kind in modules
]
#: What a module needs beside, and no test changes.
FIXED = dict(PersonKeypointsDataset=dict(lazy_init=True))
PROFILE = settings(derandomize=True, deadline=None, max_examples=25)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([math.nan, math.inf, -0.5, 0.5, 2.5, 10**400])
    | st.sampled_from(['', '3', 'True', 'nan', 'everything'])
)
ANYTHING = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(st.sampled_from(['img', 'type', 'x']), SCALARS, max_size=1)
)


KINDS = {bool: 'bool', int: 'int', float: 'float', str: 'str', type(None): 'none'}


def refusal(registry: Any, kind: str, arguments: Mapping) -> str | None:
    """What a tool says of a config with this module; None where it takes it."""
    scope = 'mmdet' if registry in (MODELS, TASK_UTILS) else 'mmpose'
    config = dict(type=kind, **arguments, **FIXED.get(kind, {}))
    try:
        with DefaultScope.overwrite_default_scope(scope):
            registry.build(config)
    except OnestagePoseError as error:
        return str(error)
    except Exception as error:
        explanation = explain_config_error(error)
        if explanation is None:
            raise
        return explanation
    return None


def may_be_meant(value: Any, hint: Any) -> bool:
    """Whether a value looks like one of those that an annotation allows."""
    words = str(hint).lower()
    if isinstance(value, (list, dict)):
        names = ('dict',) if isinstance(value, dict) else ('list', 'sequence', 'tuple')
        return any(name in words for name in names)
    if isinstance(value, float) and not math.isfinite(value):
        return False
    names = {KINDS[type(value)], 'optional' if value is None else ''} - {''}
    if type(value) is int:
        # numbers are also real ones, and 0 and 1 are flags
        names |= {'float'} | ({'bool'} if value in (0, 1) else set())
    if type(value) is str:
        names.add('literal')
    return any(name in words for name in names)


@pytest.fixture(autouse=True)
def visualizer():
    """The one that hooks ask for."""
    return Visualizer.get_instance('test_config_arguments')


@pytest.mark.parametrize(('registry', 'kind'), CASES)
def test_what_is_meant_is_taken(registry, kind):
    assert refusal(registry, kind, VALID[registry][kind]) is None


@pytest.mark.parametrize(('registry', 'kind'), CASES)
def test_a_misspelt_key_is_named(registry, kind):
    valid = VALID[registry][kind]
    for key in valid:
        misspelt = f'{key[:-2]}{key[-1]}{key[-2]}x'
        arguments = {misspelt if name == key else name: valid[name] for name in valid}

        message = refusal(registry, kind, arguments)

        assert misspelt in message or key in message
        assert '\n' not in message


@pytest.mark.parametrize(('registry', 'kind'), CASES)
@given(data=st.data())
@PROFILE
def test_any_value_is_refused_by_its_key_or_of_the_right_kind(registry, kind, data):
    valid = VALID[registry][kind]
    key = data.draw(st.sampled_from(sorted(valid)))
    value = data.draw(ANYTHING)
    option = find_options(registry.get(kind))[key]

    message = refusal(registry, kind, {**valid, key: value})

    if message is None:
        assert may_be_meant(value, option.hint)
    else:
        assert '\n' not in message
        # mmdet's own parts have other names for what their makers are given
        assert key in message or not option.is_own
