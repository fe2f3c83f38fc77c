# Copyright (c) onestage_pose contributors.
"""Say what is in a data set and what is wrong with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..apis.writing import write_json
from ..data_tools.check import DataReport, Finding, SplitReport, check_data
from ..data_tools.sheet import draw_sheet
from ..data_tools.sides import describe_pairs
from ..utils.errors import UsageError
from ..utils.file_kinds import get_file_kind
from ..utils.paths import is_same_file
from .files import count
from .progress import track
from .tables import format_table

# Keypoints and examples that are printed; --json has all.
_KEYPOINTS, _EXAMPLES = 25, 3


def check_files(args: argparse.Namespace) -> None:
    """Raise ``UsageError`` for a path before anything is read."""
    for option, path in (('--json', args.json), ('--sheet', args.sheet)):
        if path is None:
            continue
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise UsageError(f'{option} {path}: give a file in a folder that exists.')
        if path.exists() and not args.force:
            raise UsageError(f'{path} exists: give another name, or --force.')
        for source in filter(None, (args.data, args.other)):
            if is_same_file(path, source):
                raise UsageError(f'{option} {path} is checked: give another file.')
    if args.sheet is not None and get_file_kind(args.sheet) != 'image':
        raise UsageError(f'--sheet {args.sheet}: the name must end in .jpg or .png.')


def _check_is_no_image(sheet: Path, report: DataReport) -> None:
    for split, content in zip(report.splits, report.contents):
        if split.image_folder is None or not content:
            continue
        for record in content.get('images', ()):
            image = Path(split.image_folder, str(record.get('file_name')))
            if image.name == sheet.name and is_same_file(image, sheet):
                raise UsageError(f'--sheet {sheet} is one of the images: give another.')


def describe(report: DataReport) -> str:
    """Return counts and findings as text."""
    lines = []
    for split in report.splits:
        lines += [split.file, *_describe_split(split)]
        lines += _describe_findings(split.findings)
    if len(report.splits) > 1:
        lines.append('between the two files:')
        lines += _describe_findings(report.between)
    return '\n'.join(lines)


def _describe_split(split: SplitReport) -> list[str]:
    folder = 'no folder of images was found'
    if split.image_folder is not None:
        folder = f'images in {split.image_folder}'
    lines = [
        f'  {count(split.images, "image", "images")} '
        f'({split.images_without_objects} without objects), '
        f'{count(split.annotations, "annotation", "annotations")} '
        f'({split.crowds} crowd regions); {folder}'
    ]
    if split.image_sizes:
        (w0, w1, w2), (h0, h1, h2) = split.image_sizes.values()
        lines.append(
            f'  sizes: width {w0} to {w2} (median {w1}), '
            f'height {h0} to {h2} (median {h1})'
        )
    for category in split.categories:
        per_object = ', '.join(
            f'{number}: {objects}'
            for number, objects in category.keypoints_per_object.items()
        )
        sizes = ', '.join(f'{number} {size}' for size, number in category.sizes.items())
        lines += [
            f'  {category.name}: {count(category.objects, "object", "objects")} '
            f'({sizes})',
            f'  objects by number of labelled keypoints: {per_object}',
            f'  left and right: {describe_pairs(category.pairs)}',
        ]
        rows = [
            (name, *flags)
            for name, flags in zip(category.keypoint_names, category.visibility)
        ]
        columns = ('keypoint', 'not labelled', 'hidden', 'seen')
        lines.append(format_table(columns, rows[:_KEYPOINTS]))
        if rows[_KEYPOINTS:]:
            lines.append(f'and {len(rows) - _KEYPOINTS} other keypoints (--json)')
    return lines


def _describe_findings(findings: list[Finding]) -> list[str]:
    if not findings:
        return ['  nothing wrong was found']
    lines = []
    for found in findings:
        examples = '; '.join(map(_describe_example, found.examples[:_EXAMPLES]))
        more = '; ...' if found.count > _EXAMPLES else ''
        lines.append(f'  {found.level} {found.kind} ({found.count}): {found.text}')
        if examples.strip('; '):
            lines.append(f'      {examples}{more}')
    return lines


def _describe_example(example: dict) -> str:
    parts = []
    if 'annotation_id' in example:
        parts.append(f'annotation id={example["annotation_id"]}')
    if 'image_id' in example:
        parts.append(f'image id={example["image_id"]}')
    if example.get('file_name') and 'annotation_id' not in example:
        parts.append(f'({example["file_name"]})')
    if example.get('what'):
        parts.append(f'{": " if parts else ""}{example["what"]}')
    return ' '.join(parts).replace(' : ', ': ')


def run(args: argparse.Namespace) -> None:
    """Look through the data set, print the report, and write what is asked for.

    Raises:
        SystemExit: Status 1 where an error was found.
    """
    check_files(args)
    report = check_data(
        args.data,
        args.other,
        args.images,
        args.other_images,
        decode=args.decode,
        progress=track,
    )
    print(describe(report))
    if args.json is not None:
        write_json(Path(args.json), report.to_dict())
    if args.sheet is not None:
        _check_is_no_image(args.sheet, report)
        number = draw_sheet(report, args.sheet, args.sheet_images)
        print(f'{args.sheet}: {count(number, "image", "images")} with annotations')
    if report.has_errors:
        sys.exit(1)
