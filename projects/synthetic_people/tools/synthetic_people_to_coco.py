# Copyright (c) onestage_pose contributors.
"""Write synthetic people as a data set in COCO's layout.

In ``projects/synthetic_people``,

    python tools/synthetic_people_to_coco.py OUT --num 200 --seed 1

gives OUT/images/SPLIT/000000.png and so on, and
OUT/annotations/person_keypoints_SPLIT.json with boxes, keypoints and outlines
(RLE). The images are those of ``SyntheticPeople`` with the same arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from onestage_pose.projects.synthetic_people import SyntheticPeople

import cv2
from mmengine.utils import ProgressBar


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('out', type=Path, help='root of the new set')
    parser.add_argument('--num', type=int, default=200, help='number of images')
    parser.add_argument('--seed', type=int, default=0, help='series of images')
    parser.add_argument('--split', default='train', help='name of the part written')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(320, 320), metavar=('H', 'W')
    )
    parser.add_argument('--min-people', type=int, default=1)
    parser.add_argument('--max-people', type=int, default=4)
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a part that is there already'
    )
    return parser.parse_args(argv)


def prepare_folders(out: Path, split: str, overwrite: bool) -> tuple[Path, Path]:
    """Make room for a part.

    Returns:
        tuple[Path, Path]: The folder of its images and the path of its annotation file.

    Raises:
        SystemExit: Something is there already and ``overwrite`` is not given.
    """
    images = out / 'images' / split
    ann_file = out / 'annotations' / f'person_keypoints_{split}.json'
    filled = images.is_dir() and any(images.iterdir())
    for path, taken in ((images, filled), (ann_file, ann_file.exists())):
        if taken and not overwrite:
            raise SystemExit(
                f'{path} is there already: give another OUT or --split, or '
                '--overwrite to replace it.'
            )
    images.mkdir(parents=True, exist_ok=True)
    ann_file.parent.mkdir(parents=True, exist_ok=True)
    for old in images.glob('[0-9]*.png'):
        old.unlink()
    ann_file.unlink(missing_ok=True)
    return images, ann_file


def main(argv: list[str] | None = None) -> None:
    """Draw and write."""
    args = parse_args(argv)
    try:
        dataset = SyntheticPeople(
            num_images=args.num,
            img_size=tuple(args.size),
            seed=args.seed,
            min_people=args.min_people,
            max_people=args.max_people,
            with_segmentation=True,
        )
    except ValueError as error:
        raise SystemExit(str(error)) from None
    try:
        folder, ann_file = prepare_folders(args.out, args.split, args.overwrite)
    except OSError as error:
        raise SystemExit(f'Error: {args.out} cannot be written to: {error}') from None
    images, annotations = [], []
    progress = ProgressBar(len(dataset), file=sys.stderr)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        name = Path(info['img_path']).name
        if not cv2.imwrite(str(folder / name), info['img']):
            raise SystemExit(f'{folder / name} cannot be written: is the disk full?')
        images.append(
            dict(
                id=info['img_id'],
                file_name=name,
                height=info['height'],
                width=info['width'],
            )
        )
        annotations += info['raw_ann_info']
        progress.update()
    coco = dict(
        info=dict(description=f'SyntheticPeople, seed {args.seed}, {args.num} images'),
        images=images,
        annotations=annotations,
        categories=dataset.metainfo['CLASSES'],
    )
    ann_file.write_text(json.dumps(coco))
    print(
        f'\n{len(images)} images in {folder}, {len(annotations)} people in {ann_file}'
    )


if __name__ == '__main__':
    main()
