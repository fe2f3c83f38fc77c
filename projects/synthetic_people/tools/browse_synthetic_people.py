# Copyright (c) onestage_pose contributors.
"""Draw synthetic people, with or without their annotations, to look at them.

In ``projects/synthetic_people``:

    python tools/browse_synthetic_people.py --out sheet.png --num 12
    python tools/browse_synthetic_people.py --out folder --num 12

A file name such as sheet.png gets a contact sheet; any other is a folder for
single images. With --annotations, boxes and skeletons are drawn: filled dots are
seen keypoints, rings are hidden ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from onestage_pose.cli.args import positive
from onestage_pose.projects.synthetic_people import SyntheticPeople

import cv2
import numpy as np

_IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--out', type=Path, required=True, help='image or folder')
    parser.add_argument('--num', type=int, default=12, help='number of images')
    parser.add_argument('--seed', type=int, default=0, help='series of images')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(320, 320), metavar=('H', 'W')
    )
    parser.add_argument('--min-people', type=int, default=1)
    parser.add_argument('--max-people', type=int, default=4)
    parser.add_argument(
        '--columns', type=positive, default=4, help='of the contact sheet'
    )
    parser.add_argument('--annotations', action='store_true', help='draw them too')
    return parser.parse_args(argv)


def draw_annotations(info: dict, metainfo: dict) -> np.ndarray:
    """Return a (H, W, 3) uint8 copy of the image with its boxes and skeletons."""
    image = info['img'].copy()
    thick = max(1, round(min(image.shape[:2]) / 300))
    links = metainfo['skeleton_links']
    for record in info['raw_ann_info']:
        x, y, w, h = (round(v) for v in record['bbox'])
        cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), (0, 230, 255), thick)
        points = np.array(record['keypoints']).reshape(-1, 3)
        places = [(round(px), round(py)) for px, py, _ in points.tolist()]
        for (a, b), color in zip(links, metainfo['skeleton_link_colors']):
            if points[a, 2] and points[b, 2]:
                bgr = color.tolist()[::-1]
                cv2.line(image, places[a], places[b], bgr, thick, cv2.LINE_AA)
        for place, (_, _, v), color in zip(places, points, metainfo['keypoint_colors']):
            if v:
                fill = -1 if v == 2 else 1
                bgr = color.tolist()[::-1]
                cv2.circle(image, place, 1 + thick, bgr, fill, cv2.LINE_AA)
    return image


def contact_sheet(images: list[np.ndarray], columns: int) -> np.ndarray:
    """Lay images of one size side by side, (rows * H, columns * W, 3) uint8."""
    columns = min(columns, len(images))
    blank = np.full_like(images[0], 255)
    images = images + [blank] * (-len(images) % columns)
    rows = [
        np.hstack(images[start : start + columns])
        for start in range(0, len(images), columns)
    ]
    return np.vstack(rows)


def write(path: Path, image: np.ndarray) -> None:
    """Write an image or end the program with its name."""
    if not cv2.imwrite(str(path), image):
        raise SystemExit(f'{path} cannot be written')


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
        )
    except ValueError as error:
        raise SystemExit(str(error)) from None
    infos = (dataset.get_data_info(index) for index in range(len(dataset)))
    images = [
        draw_annotations(info, dataset.metainfo) if args.annotations else info['img']
        for info in infos
    ]
    if args.out.suffix.lower() in _IMAGE_SUFFIXES:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write(args.out, contact_sheet(images, args.columns))
    else:
        args.out.mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(images):
            write(args.out / f'{index:06d}.png', image)
    print(f'{len(images)} images in {args.out}')


if __name__ == '__main__':
    main()
