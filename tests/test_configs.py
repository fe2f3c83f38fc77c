# Copyright (c) onestage_pose contributors.
"""Every config that is shipped: it loads, builds, trains and predicts."""

import json
import re
from pathlib import Path

from onestage_pose.engine.hooks.skeleton_check_hook import check_skeleton
from onestage_pose.utils import get_config_path

import mmdet
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import nn

from tests.model_factory import (
    build_as_runner,
    collate,
    initialise,
    losses,
    make_people,
    make_picture,
    make_sample,
    predict,
)

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
SYNTHETIC = [
    'gcm-keypoint-rcnn_r18-w32_fpn_demo',
    'gcm-keypoint-rcnn_r18-w32_fpn_synthetic',
]
ALL = SYNTHETIC + sorted(
    path.relative_to(CONFIGS).with_suffix('').as_posix()
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.parts
)
TWO_STAGE = [name for name in ALL if name.startswith('simple_baseline/')]
ONE_STAGE = [name for name in ALL if name not in TWO_STAGE]
BASELINE = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco'
FULL = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco'
SIZE = (64, 96)


def load(name):
    return Config.fromfile(get_config_path(name))


def build(cfg):
    """The model with random weights; nothing is downloaded."""
    torch.manual_seed(0)
    model = cfg.model
    parts = [model.get('neck'), model.get('rpn_head'), model.get('roi_head')]
    for part in filter(None, [*parts, (parts[2] or {}).get('bbox_head')]):
        if not isinstance(part, list) and 'zoo://' in str(part.get('init_cfg')):
            part.init_cfg = None
    cfg.model.backbone.init_cfg = None
    return build_as_runner(cfg.model)


def shrink(cfg):
    """Few boxes, so that the widest model takes seconds."""
    train, test = cfg.model.train_cfg, cfg.model.test_cfg
    for stage in train.rcnn if isinstance(train.rcnn, list) else [train.rcnn]:
        stage.sampler.num = 8
    train.rpn_proposal.max_per_img = test.rpn.max_per_img = 20
    test.rcnn.update(max_per_img=2, score_thr=0.0)
    return cfg


def calibrate(model, pictures, samples):
    """HRNet keeps batch norm in inference mode: random weights would overflow."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        model.extract_feat(collate(model, pictures, samples)['inputs'])


def flatten(value, prefix=''):
    """Nested dicts as one, by dotted names."""
    if not isinstance(value, dict):
        return {prefix: value}
    result = {}
    for key, inner in value.items():
        result.update(flatten(inner, f'{prefix}.{key}' if prefix else key))
    return result


def differences(name, base):
    """Dotted names of the settings in which two configs differ."""
    ours, theirs = flatten(load(name).to_dict()), flatten(load(base).to_dict())
    keys = ours.keys() | theirs.keys()
    return {key for key in keys if ours.get(key, key) != theirs.get(key, key)}


def sorted_shapes(shapes):
    """Of all weights and statistics, from shapes by name."""
    return sorted(
        tuple(shape)
        for name, shape in shapes.items()
        if not name.endswith('num_batches_tracked')
    )


@pytest.mark.parametrize('name', ALL)
def test_is_complete(name):
    cfg = load(name)
    assert cfg.default_scope == 'mmpose'
    project = ['onestage_pose.projects.synthetic_people']
    assert cfg.custom_imports['imports'] == ['onestage_pose'] + (
        project if name in SYNTHETIC else []
    )
    for key in (
        'model',
        'train_dataloader',
        'val_dataloader',
        'test_dataloader',
        'val_evaluator',
        'test_evaluator',
        'train_cfg',
        'optim_wrapper',
        'param_scheduler',
        'default_hooks',
    ):
        assert cfg.get(key), key


@pytest.mark.parametrize('name', ONE_STAGE)
def test_trains_and_predicts(name):
    model = build(shrink(load(name)))
    initialise(model)
    people = make_people(SIZE, 2)
    people.visibility_targets = torch.ones(2, 17, 2, dtype=torch.int8)
    pictures, samples = [make_picture(*SIZE)], [make_sample(SIZE, people)]
    calibrate(model, pictures, samples)
    total, logged = losses(model, pictures, samples)
    (predicted,) = predict(model, pictures, samples)
    assert total < 100 and logged['loss_keypoint'] > 0
    assert predicted.pred_instances.keypoints.shape == (2, 17, 2)


@pytest.mark.parametrize(
    ('name', 'arch'), [(BASELINE, 'baseline'), (FULL, 'gcm')], ids=['baseline', 'gcm']
)
def test_weights_have_the_shapes_of_the_original_program(name, arch, shared_dir):
    path = shared_dir / 'parity' / f'{arch}_r50.shapes.json'
    weights = build(load(name)).state_dict()
    ours = sorted_shapes({key: value.shape for key, value in weights.items()})
    assert ours == sorted_shapes(json.loads(path.read_text()))


ABLATION = 'gcm_keypoint_rcnn/ablation/keypoint-rcnn_r50_fpn_3x_coco_'
ROI_HEAD = 'model.roi_head.'
STEPS = dict(
    p2={f'{ROI_HEAD}keypoint_roi_extractor.featmap_strides'},
    enlarged={
        f'{ROI_HEAD}box_scale',
        f'{ROI_HEAD}keypoint_roi_extractor.zero_extend',
    },
    gcm={f'{ROI_HEAD}keypoint_head'},
)


@pytest.mark.parametrize('name', [name for name in ALL if name.startswith(ABLATION)])
def test_ablations_change_only_what_their_names_say(name):
    steps = name[len(ABLATION) :].split('-')
    changed = differences(name, BASELINE)
    # a head is replaced as a whole
    changed = {
        f'{ROI_HEAD}keypoint_head'
        if key.startswith(f'{ROI_HEAD}keypoint_head.')
        else key
        for key in changed
    }
    assert changed == set().union(*(STEPS[step] for step in steps))


def test_ablations_are_all_steps_between_the_baseline_and_the_full_method():
    names = {name[len(ABLATION) :] for name in ALL if name.startswith(ABLATION)}
    assert names == {
        'p2',
        'enlarged',
        'gcm',
        'p2-enlarged',
        'p2-gcm',
        'enlarged-gcm',
    }


@pytest.mark.parametrize('left_out', STEPS)
def test_ablations_make_the_same_changes_as_the_full_method(left_out):
    ablated = ABLATION + '-'.join(step for step in STEPS if step != left_out)
    head = f'{ROI_HEAD}keypoint_head'
    changed = {
        key for key in differences(ablated, FULL) if not key.startswith(head + '.')
    }
    heads = [repr(build(load(name)).roi_head.keypoint_head) for name in (ablated, FULL)]
    # the ablation's head relies on defaults that the full method spells out
    assert changed == STEPS[left_out] - {head}
    assert (heads[0] == heads[1]) == (left_out != 'gcm')


NANO = 'nano/keypoint-rcnn_movenet-multipose_fpn_people'
NANO_ABLATION = 'nano/ablation/nano_'
NANO_PLAIN = f'{NANO_ABLATION}plain'


def test_small_ablations_add_one_step_after_the_other():
    names = {name for name in ALL if name.startswith(NANO_ABLATION)}
    assert {name[len(NANO_ABLATION) :] for name in names} == {
        'plain',
        'p2',
        'p2-enlarged',
        'p2-enlarged-gcm',
    }


@pytest.mark.parametrize('steps', ['p2', 'p2-enlarged', 'p2-enlarged-gcm'])
def test_small_ablations_train_alike_and_change_only_what_their_names_say(steps):
    name, steps = f'{NANO_ABLATION}{steps}', steps.split('-')
    head = f'{ROI_HEAD}keypoint_head'
    changed = {
        head if key.startswith(f'{head}.') else key
        for key in differences(name, NANO_PLAIN)
    }
    assert changed == set().union(*(STEPS[step] for step in steps))


def test_the_small_ablation_with_p2_and_enlarged_boxes_has_nanos_boxes():
    changed = {
        key
        for key in differences(f'{NANO_ABLATION}p2-enlarged', NANO)
        if key.startswith('model.') and '.init_cfg' not in key
    }
    head, extractor = (
        f'{ROI_HEAD}keypoint_{part}' for part in ('head', 'roi_extractor')
    )
    # the finer RoI features are the head's; without a visibility branch there is
    # nothing to rank by
    assert {key for key in changed if not key.startswith(f'{head}.')} == {
        f'{extractor}.roi_layer.output_size',
        f'{extractor}.roi_layer.sampling_ratio',
        'model.test_cfg.rescore_by_presence',
    }


def test_small_ablations_start_from_a_trunk_without_a_keypoint_head():
    cfg = load(NANO_PLAIN)
    trunk = CheckpointLoader.load_checkpoint(cfg.trunk, 'cpu')['state_dict']
    model = build_as_runner(cfg.model)
    model.init_weights()
    for name, value in model.state_dict().items():
        is_new = name.startswith('roi_head.keypoint_head.')
        assert (name in trunk and torch.equal(value, trunk[name].float())) != is_new


@pytest.mark.parametrize('arch', ['keypoint_rcnn/', 'gcm_keypoint_rcnn/gcm-'])
@pytest.mark.parametrize('backbone', ['r101', 'x101-32x8d'])
def test_larger_backbones_change_the_backbone_alone(arch, backbone):
    r50 = f'{arch}keypoint-rcnn_r50_fpn_3x_coco'
    changed = differences(r50.replace('r50', backbone), r50)
    std = {'model.data_preprocessor.std'} if backbone.startswith('x') else set()
    assert {key for key in changed if not key.startswith('model.backbone.')} == std


def test_one_gpu_sees_as_many_pictures_as_eight():
    eight = load(FULL)
    one = load('gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_1xb2-3x_coco')

    def schedule(cfg):
        milestones = cfg.param_scheduler[1].milestones
        return [cfg.train_cfg.max_iters, *milestones], cfg.optim_wrapper.optimizer.lr

    (iters, lr), (one_iters, one_lr) = schedule(eight), schedule(one)
    assert [8 * number for number in iters] == one_iters and one_lr == lr / 8
    assert [cfg.auto_scale_lr.base_batch_size for cfg in (eight, one)] == [16, 2]
    assert one.model == eight.model


def test_the_config_of_several_categories_in_the_docs_fits_its_data(tmp_path):
    page = (CONFIGS.parent / 'docs/how_to/several_categories.md').read_text()
    [text] = re.findall(r'```python\n(_base_.*?)```', page, re.DOTALL)
    path = tmp_path / 'example.py'
    path.write_text(text.replace("'configs/", f"'{CONFIGS}/"))
    cfg = Config.fromfile(path)
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    model = build(cfg)

    for loader in loaders:
        metainfo = parse_pose_metainfo(loader.dataset.metainfo)
        sizes = [each['keypoints'] for each in metainfo['categories']]
        assert sizes == [[0, 17], [17, 37], [37, 42]]
        check_skeleton(model, metainfo, 'the data')


@pytest.mark.parametrize('name', TWO_STAGE)
class TestTwoStage:
    def test_builds_through_mmpose(self, name):
        model = build(load(name))
        logits = model.eval()(torch.zeros(1, 3, 256, 192), None, mode='tensor')
        assert logits.shape == (1, 17, 64, 48)

    def test_takes_the_boxes_of_this_projects_model_of_the_same_depth(self, name):
        cfg = load(name)
        depth = cfg.model.backbone.depth
        for loader in (cfg.val_dataloader, cfg.test_dataloader):
            assert f'keypoint-rcnn_r{depth}_fpn_3x_coco' in loader.dataset.bbox_file

    def test_is_compared_without_flip_test(self, name):
        assert load(name).model.test_cfg.flip_test is False


def test_nothing_reaches_the_helper_of_mmdet_that_unpickles():
    # CVE-2024-12044, as docs/reference/untrusted_files.md has it
    root = Path(mmdet.__file__).parent
    callers = {
        str(path.relative_to(root))
        for path in root.rglob('*.py')
        if 'all_reduce_dict' in path.read_text(encoding='utf-8')
    }
    ours = CONFIGS.parent
    names = {
        path.name
        for folder in ('configs', 'projects', 'onestage_pose')
        for path in (ours / folder).rglob('*.py')
        if re.search('all_reduce_dict|SyncNormHook', path.read_text())
    }

    assert callers == {
        'engine/hooks/sync_norm_hook.py',
        'utils/__init__.py',
        'utils/dist_utils.py',
    }
    assert names == set()
