# Copyright (c) onestage_pose contributors.
"""Convert annotations of other programs to COCO keypoint files."""

from __future__ import annotations

import argparse
import shlex

from ..data_tools.convert import Conversion, convert_data
from ..visualization.palette import get_side
from .tables import format_table

# Lines of each kind of remark, so that all of it fits into one screen.
_LINES = 8


def describe(done: Conversion) -> str:
    """Return what was read, left out and written, in one screen."""
    rows = []
    for split, content in done.contents.items():
        annotations = content['annotations']
        annotated = {each['image_id'] for each in annotations}
        rows.append(
            (
                split,
                len(content['images']),
                len(content['images']) - len(annotated),
                len(annotations),
                sum(each['num_keypoints'] for each in annotations),
                done.boxes_made[split],
                str(done.files[split]),
            )
        )
    columns = ('split', 'images', 'without objects', 'objects', 'labelled keypoints')
    columns += ('boxes made from keypoints', 'file')
    lines = [f'{done.source}: {done.format}', format_table(columns, rows)]
    for category in next(iter(done.contents.values()))['categories']:
        names = category['keypoints']
        sides = [get_side(name) for name in names]
        lines.append(
            f'category {category["name"]}: {len(names)} keypoints '
            f'({", ".join(names)}), {len(category["skeleton"])} lines; '
            f'{sides.count("left")} left and {sides.count("right")} right by name'
        )
    for title, remarks in (('left out', done.left_out), ('notes', done.notes)):
        lines.append(f'{title}:{"" if remarks else " nothing"}')
        lines += [f'  {remark}' for remark in remarks[:_LINES]]
        if remarks[_LINES:]:
            lines.append(f'  and {len(remarks) - _LINES} other kinds')
    if done.image_root is not None:
        lines.append(f'images: the names start from {done.image_root}')
    return '\n'.join(lines)


def run(args: argparse.Namespace) -> None:
    """Convert, and say what was done and what comes next."""
    done = convert_data(
        args.source,
        args.target,
        format=args.format,
        images=args.images,
        keypoints=args.keypoints,
        category=args.category,
        copy_images=args.copy_images,
        force=args.force,
    )
    print(describe(done))
    if done.image_root is not None and not args.copy_images:
        files = [str(path) for path in done.files.values()][:2]
        words = ['check-data', *files, '--images', str(done.image_root)]
        print(f'next: onestage-pose {shlex.join(words)}')
