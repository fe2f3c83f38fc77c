# Copyright (c) onestage_pose contributors.
"""Names and shapes of Detectron2's Keypoint R-CNN, and narrow models of that kind."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from tests.tool_runs import REPOSITORY

Shapes = dict[str, tuple[int, ...]]

R50, R101 = (3, 4, 6, 3), (3, 4, 23, 3)
FULL = dict(base=64, fpn=256, fc=1024, head=512, box_size=7)
NARROW = dict(base=4, fpn=8, fc=8, head=16, box_size=7)
# The released program's names; MHSA_1 and MHSA_5 are the two context modules.
GCM_HEAD = ('MHSA_1', *(f'conv_fcn{i}' for i in range(1, 5))) + (
    'MHSA_5',
    *(f'conv_fcn{i}' for i in range(5, 9)),
)


def detectron2_shapes(
    gcm: bool,
    blocks: tuple[int, ...] = R50,
    groups: int = 1,
    *,
    base: int,
    fpn: int,
    fc: int,
    head: int,
    box_size: int,
) -> Shapes:
    """All arrays of a checkpoint.

    Args:
        gcm: Whether it is the released program's, not the baseline's.
        blocks: Of res2 to res5.
        groups: Of the 3x3 convolutions; ResNeXt's are twice as wide.
        base: Channels after the stem.
        fpn: Channels of the FPN.
        fc: Channels of the box head.
        head: Channels of the keypoint head.
        box_size: Height and width of the box head's features.
    """
    shapes: Shapes = {}

    def conv(name: str, c_out: int, c_in: int, size: int, bias: bool = True) -> None:
        shapes[f'{name}.weight'] = (c_out, c_in, size, size)
        if bias:
            shapes[f'{name}.bias'] = (c_out,)

    def norm(name: str, channels: int, counted: bool = False) -> None:
        for leaf in ('weight', 'bias', 'running_mean', 'running_var'):
            shapes[f'{name}.{leaf}'] = (channels,)
        if counted:
            shapes[f'{name}.num_batches_tracked'] = ()

    def conv_norm(name: str, c_out: int, c_in: int, size: int) -> None:
        conv(name, c_out, c_in, size, bias=False)
        norm(f'{name}.norm', c_out)

    def linear(name: str, c_out: int, c_in: int) -> None:
        shapes[f'{name}.weight'], shapes[f'{name}.bias'] = (c_out, c_in), (c_out,)

    body = 'backbone.bottom_up'
    conv_norm(f'{body}.stem.conv1', base, 3, 7)
    c_in = base
    for stage, number in enumerate(blocks):
        c_out = 4 * base * 2**stage
        width = (base if groups == 1 else 4 * base) * 2**stage
        for block in range(number):
            name = f'{body}.res{stage + 2}.{block}'
            if block == 0:
                conv_norm(f'{name}.shortcut', c_out, c_in, 1)
            conv_norm(f'{name}.conv1', width, c_in, 1)
            conv_norm(f'{name}.conv2', width, width // groups, 3)
            conv_norm(f'{name}.conv3', c_out, width, 1)
            c_in = c_out
        conv(f'backbone.fpn_lateral{stage + 2}', fpn, c_out, 1)
        conv(f'backbone.fpn_output{stage + 2}', fpn, fpn, 3)
    conv('proposal_generator.rpn_head.conv', fpn, fpn, 3)
    conv('proposal_generator.rpn_head.objectness_logits', 3, fpn, 1)
    conv('proposal_generator.rpn_head.anchor_deltas', 12, fpn, 1)
    linear('roi_heads.box_head.fc1', fc, fpn * box_size**2)
    linear('roi_heads.box_head.fc2', fc, fc)
    linear('roi_heads.box_predictor.cls_score', 2, fc)
    linear('roi_heads.box_predictor.bbox_pred', 4, fc)
    prefix = 'roi_heads.keypoint_head'
    if gcm:
        conv(f'{prefix}.conv_channel', head, fpn, 1)
        layers = GCM_HEAD
    else:
        conv(f'{prefix}.conv_fcn1', head, fpn, 3)
        layers = tuple(f'conv_fcn{i}' for i in range(2, 9))
    for layer in layers:
        name = f'{prefix}.{layer}'
        if layer.startswith('conv_fcn'):
            conv(name, head, head, 3)
            continue
        norm(f'{name}.norm1', head, counted=True)
        norm(f'{name}.norm2', head, counted=True)
        conv(f'{name}.MHSA.to_qk', 2 * head, head, 1, bias=False)
        conv(f'{name}.MHSA.to_v', head, head, 1, bias=False)
        for table in ('rel_height', 'rel_width'):
            shapes[f'{name}.MHSA.pos_emb.{table}'] = (27, head // 4)
        conv(f'{name}.conv_fc', head, head, 3)
    conv(f'{prefix}.score_lowres', 17, head, 4)
    # a transposed convolution has its input's channels first
    shapes[f'{prefix}.score_lowres.weight'] = (head, 17, 4, 4)
    return shapes


def narrow_arrays(gcm: bool, seed: int = 0) -> dict[str, np.ndarray]:
    """A checkpoint's arrays, float32 but for the counters, of a narrow ResNet-50."""
    rng = np.random.default_rng(seed)
    arrays = {
        name: rng.normal(0, 0.1, shape).astype(np.float32)
        if not name.endswith('num_batches_tracked')
        else np.array(rng.integers(1, 99), np.int64)
        for name, shape in detectron2_shapes(gcm, **NARROW).items()
    }
    for name, array in arrays.items():
        if name.endswith('running_var'):
            # a variance
            arrays[name] = abs(array) + np.float32(0.5)
    return arrays


def constants(std: float = 1.0) -> dict[str, np.ndarray]:
    """What Detectron2 keeps beside the weights: of pixels and anchors, float32."""
    prefix = 'proposal_generator.anchor_generator.cell_anchors'
    anchors = {}
    for level, size in enumerate((32, 64, 128, 256, 512)):
        sides = [(size / math.sqrt(r), size * math.sqrt(r)) for r in (0.5, 1.0, 2.0)]
        boxes = [[-w / 2, -h / 2, w / 2, h / 2] for w, h in sides]
        anchors[f'{prefix}.{level}'] = np.array(boxes, np.float32)
    mean = np.array([103.53, 116.28, 123.675], np.float32).reshape(3, 1, 1)
    return dict(pixel_mean=mean, pixel_std=np.full_like(mean, std), **anchors)


def narrow_config(folder: Path, gcm: bool) -> Path:
    """Writes the config of :func:`narrow_arrays`'s model."""
    family = 'gcm_keypoint_rcnn/gcm-' if gcm else 'keypoint_rcnn/'
    base = REPOSITORY / f'configs/{family}keypoint-rcnn_r50_fpn_3x_coco.py'
    path = folder / f'narrow_{"gcm" if gcm else "baseline"}.py'
    path.write_text(
        f'_base_ = {str(base)!r}\n'
        'model = dict(\n'
        '    backbone=dict(base_channels=4),\n'
        '    neck=dict(in_channels=[16, 32, 64, 128], out_channels=8),\n'
        '    rpn_head=dict(in_channels=8, feat_channels=8),\n'
        '    roi_head=dict(\n'
        '        bbox_roi_extractor=dict(out_channels=8),\n'
        '        bbox_head=dict(in_channels=8, fc_out_channels=8),\n'
        '        keypoint_roi_extractor=dict(out_channels=8),\n'
        '        keypoint_head=dict(in_channels=8, conv_out_channels=16),\n'
        '    ),\n'
        ')\n'
    )
    return path
