# Copyright (c) onestage_pose contributors.
"""Train a small model to reproduce a few real images exactly.

Shows that encoding, loss, decoding and metric agree on real annotations: if one of
them were off by half a pixel, or confused left and right, keypoint AP on the very
images trained on could not come near 1.

    python tools/analysis_tools/overfit.py path/to/coco_root

Training ends when --min-ap is reached. The last line is the AP; the exit status is 1
where it stays below --min-ap.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.cli.args import add_config_options, positive, probability
from onestage_pose.cli.run import run_tool
from onestage_pose.structures import pixel_index_to_continuous
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.paths import get_config_path

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

CONFIG = 'gcm-keypoint-rcnn_r18-w32_fpn_synthetic'
WARM_UP = 50  # iterations


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('data_root', type=Path, help='root of a COCO-style data set')
    parser.add_argument(
        '--ann-file',
        default='annotations/person_keypoints_train.json',
        help='annotations under the root (default: %(default)s)',
    )
    parser.add_argument(
        '--img-prefix',
        default='images/train/',
        help='images under the root (default: %(default)s)',
    )
    parser.add_argument(
        '--num', type=positive, default=8, help='images to learn (default: 8)'
    )
    parser.add_argument(
        '--iters', type=positive, default=600, help='at most (default: 600)'
    )
    parser.add_argument('--lr', type=float, default=1e-3)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/overfit'))
    parser.add_argument('--min-ap', type=probability, default=0.9)
    add_config_options(parser, 'optim_wrapper.type=Bfloat16OptimWrapper')
    args = parser.parse_args(argv)
    if args.iters <= WARM_UP:
        parser.error(
            f'--iters: the learning rate rises for {WARM_UP} iterations, give more'
        )
    return args


def is_learnable(annotation: dict, box_scale: float) -> bool:
    """Return whether a model can predict every labelled keypoint of a person.

    A crowd or a person without labels would count as neither right nor wrong. COCO's
    boxes are drawn around the visible part of a person, and hidden joints may be
    labelled far from it: outside the enlarged box there are no bins for them.

    Args:
        annotation (dict): Of COCO: ``keypoints`` and ``bbox`` in pixels of the image.
        box_scale (float): By how much the model enlarges boxes.
    """
    keypoints = np.array(annotation['keypoints'], float).reshape(-1, 3)
    points = pixel_index_to_continuous(keypoints[keypoints[:, 2] > 0, :2])
    if not len(points) or annotation.get('iscrowd', 0):
        return False
    x, y, width, height = annotation['bbox']
    center = np.array([x + width / 2, y + height / 2])
    reach = np.array([width, height]) * box_scale / 2
    return bool((np.abs(points - center) <= reach).all())


def choose_images(args: argparse.Namespace, box_scale: float) -> Path:
    """Write an annotation file of the first images whose people can be learned.

    Half of them show several people.

    Returns:
        Path: Of the file, absolute.

    Raises:
        UsageError: The annotation file does not exist.
    """
    source = args.data_root / args.ann_file
    if not source.is_file():
        raise UsageError(
            f'{source} does not exist: give the root of a COCO-style data set, '
            f'and --ann-file and --img-prefix where they are named otherwise.'
        )
    coco = json.loads(source.read_text())
    people = {image['id']: [] for image in coco['images']}
    for ann in coco['annotations']:
        people[ann['image_id']].append(ann)
    alone, together = [], []
    for image in sorted(coco['images'], key=lambda image: image['id']):
        anns = people[image['id']]
        if anns and all(is_learnable(ann, box_scale) for ann in anns):
            (together if len(anns) > 1 else alone).append(image)
    images = together[: args.num // 2] + alone[: args.num - args.num // 2]
    coco['images'] = images
    coco['annotations'] = [a for image in images for a in people[image['id']]]
    args.work_dir.mkdir(parents=True, exist_ok=True)
    chosen = args.work_dir / 'images.json'
    chosen.write_text(json.dumps(coco))
    print(f'{chosen}: {len(images)} images, {len(coco["annotations"])} people')
    return chosen.resolve()


def build_config(args: argparse.Namespace) -> Config:
    """Return the config of a small model that sees the same images in each iteration.

    Raises:
        UsageError: The annotation file does not exist.
    """
    cfg = Config.fromfile(get_config_path(CONFIG))
    ann_file = choose_images(args, cfg.model.roi_head.box_scale)
    pipeline = [
        dict(type='LoadPoseImage'),
        dict(type='PoseResize', scale=(512, 512), keep_ratio=True),
        dict(type='PackKeypointRCNNInputs'),
    ]
    dataset = dict(
        type='PersonKeypointsDataset',
        data_root=str(args.data_root.resolve()),
        ann_file=str(ann_file),
        data_prefix=dict(img=args.img_prefix),
    )
    loader = dict(
        num_workers=1,
        persistent_workers=True,
        sampler=dict(type='InfiniteSampler', shuffle=False),
    )
    cfg.train_dataloader = dict(
        loader, batch_size=args.num, dataset=dict(dataset, pipeline=pipeline)
    )
    cfg.val_dataloader = dict(
        loader,
        batch_size=1,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            dataset,
            test_mode=True,
            pipeline=[pipeline[0], dict(pipeline[1], image_only=True), pipeline[2]],
        ),
    )
    cfg.train_cfg = dict(
        type='IterBasedTrainLoop',
        max_iters=args.iters,
        val_begin=args.iters // 3,
        val_interval=50,
    )
    cfg.val_cfg = dict(type='ValLoop')
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    cfg.optim_wrapper = dict(
        # float32: in bfloat16, one of the people is sometimes not found
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=args.lr, weight_decay=0.0),
        clip_grad=dict(max_norm=10.0),
    )
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=WARM_UP),
        dict(
            type='CosineAnnealingLR',
            by_epoch=False,
            begin=WARM_UP,
            end=args.iters,
            eta_min=args.lr * 0.01,
        ),
    ]
    cfg.work_dir = str(args.work_dir)
    cfg.default_hooks.checkpoint.update(interval=args.iters, save_best=None)
    cfg.default_hooks.logger.interval = 20
    cfg.custom_hooks = [
        *cfg.get('custom_hooks', []),
        dict(
            type='EarlyStoppingHook',
            monitor='coco/AP',
            rule='greater',
            patience=args.iters,
            stopping_threshold=args.min_ap,
        ),
    ]
    # This tool has no --resume that could follow a SIGTERM.
    cfg.default_hooks.pop('preemption')
    cfg.model.roi_head.codec = dict(type='RoIHeatmap')
    cfg.merge_from_dict(args.cfg_options)
    return cfg


def main(argv: list[str] | None = None) -> None:
    """Train, evaluate, and print the AP.

    Raises:
        UsageError: The annotation file does not exist.
        SystemExit: With status 1, where the AP stays below ``--min-ap``.
    """
    args = parse_args(argv)
    runner = Runner.from_cfg(build_config(args))
    runner.train()
    ap = runner.message_hub.get_scalar('val/coco/AP').current()
    print(f'keypoint AP {ap:.3f} on the {args.num} images trained on')
    if ap < args.min_ap:
        raise SystemExit(1)


if __name__ == '__main__':
    run_tool(main)
