# Copyright (c) onestage_pose contributors.
"""Train, evaluate and draw in a few minutes on a CPU: what ``make demo-train`` runs.

A small one-stage model goes through the last part of its training on synthetic people
(the losses fall), is evaluated on synthetic images that neither it nor the weights it
starts from have seen (keypoint AP and box AP), and draws the people it finds there.
"""

import argparse
import time
from pathlib import Path

import onestage_pose  # noqa: F401  (has to come before mmdet)
from onestage_pose.cli.args import positive
from onestage_pose.cli.runner import build_runner as build_quiet_runner
from onestage_pose.utils.paths import get_config_path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.structures import InstanceData

CONFIG = 'gcm-keypoint-rcnn_r18-w32_fpn_demo'
SCORE_THR = 0.5  # people drawn
KEYPOINT_THR = 0.3  # keypoints drawn
ZOOM = 2  # images are drawn on at this size, for finer lines


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/demo-train'))
    parser.add_argument(
        '--num-images',
        '--num-pictures',  # its former name
        type=positive,
        default=12,
        help='how many to draw',
    )
    parser.add_argument(
        '--max-iters', type=positive, help='shorten the training (for a quick look)'
    )
    return parser.parse_args()


def build_runner(args: argparse.Namespace) -> Runner:
    """Build the runner of the demo's config."""
    cfg = Config.fromfile(get_config_path(CONFIG))
    cfg.work_dir = str(args.out_dir)
    # There is no --resume here that SIGTERM could be followed by.
    cfg.default_hooks.pop('preemption')
    images = cfg.val_dataloader.dataset.num_images
    if args.num_images > images:
        raise SystemExit(
            f'--num-images {args.num_images}: there are {images} to draw on.'
        )
    if args.max_iters is not None:
        cfg.train_cfg.max_iters = cfg.train_cfg.val_interval = args.max_iters
    return build_quiet_runner(cfg)


def draw(runner: Runner, out_dir: Path, num_images: int) -> Path:
    """Draw the people found on unseen images, one by one and on one sheet.

    Returns:
        Path: The sheet.
    """
    dataset = runner.val_dataloader.dataset
    visualizer = runner.visualizer
    visualizer.set_dataset_meta(dataset.metainfo)
    visualizer.line_width, visualizer.radius = 3, 4
    out_dir.mkdir(parents=True, exist_ok=True)
    drawn = []
    for index in range(num_images):
        item = dataset[index]
        batch = dict(inputs=[item['inputs']], data_samples=[item['data_samples']])
        sample = runner.model.val_step(batch)[0]
        people = sample.pred_instances
        people = people[people.bbox_scores >= SCORE_THR]
        sample.pred_instances = InstanceData(
            bboxes=people.bboxes * ZOOM,
            keypoints=(people.keypoints + 0.5) * ZOOM - 0.5,
            keypoints_visible=people.keypoint_scores,
        )
        image = np.ascontiguousarray(item['inputs'].permute(1, 2, 0).numpy())
        image = cv2.resize(image, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
        visualizer.add_datasample(
            'demo',
            image[..., ::-1].copy(),
            sample,
            draw_gt=False,
            kpt_thr=KEYPOINT_THR,
        )
        drawn.append(visualizer.get_image()[..., ::-1])
        cv2.imwrite(str(out_dir / f'{index:02d}.jpg'), drawn[-1])
    columns = min(4, num_images)
    drawn += [np.full_like(drawn[0], 255)] * (-num_images % columns)
    sheet = out_dir / 'sheet.jpg'
    rows = [np.hstack(drawn[i : i + columns]) for i in range(0, len(drawn), columns)]
    cv2.imwrite(str(sheet), np.vstack(rows))
    return sheet


def main() -> None:
    """Train, evaluate, draw, and print the losses and the AP."""
    args = parse_args()
    start = time.monotonic()
    runner = build_runner(args)
    print(
        f'Training for {runner.max_iters} iterations from weights in the repository:\n'
        f'{runner._load_from}\n'
        'They were made by the same config, stopped before its learning rate fell; '
        'see projects/synthetic_people/weights/README.md.'
    )
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    quarter = max(1, len(losses) // 4)
    sheet = draw(runner, args.out_dir / 'images', args.num_images)
    table = ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)')
    print(
        f'\nLoss: {losses[:quarter].mean():.3f} over the first {quarter} iterations, '
        f'{losses[-quarter:].mean():.3f} over the last'
    )
    print(f'On {len(runner.val_dataloader.dataset)} unseen images')
    print('          ' + ''.join(f'{name:>9}' for name in table))
    for title, prefix in (('keypoints', 'coco'), ('boxes', 'bbox')):
        names = [f'val/{prefix}/{name}' for name in table]
        values = [runner.message_hub.get_scalar(name).current() for name in names]
        print(f'{title:<10}' + ''.join(f'{value:9.3f}' for value in values))
    print(
        f'\nImages with the people found: {sheet.parent}/ (all on {sheet})\n'
        f'Log and weights: {args.out_dir}/\n'
        f'Done in {(time.monotonic() - start) / 60:.1f} min.'
    )


if __name__ == '__main__':
    main()
