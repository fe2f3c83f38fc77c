# Copyright (c) onestage_pose contributors.
"""Take what a labelling tool exported where a COCO keypoint file is expected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...checkpoints.atomic import write_text
from ...structures.coco_records import read_json
from ...utils.errors import AnnotationError, UsageError
from ..convert import convert_data, find_format
from .record import compute_digest
from .source import NoKeypointFile, find_annotation_files

#: What a folder of converted files was made of.
RECORD = 'conversion.json'
# Lines of what the converter has to say.
_LINES = 8


class Data(NamedTuple):
    """What DATA or --val names.

    Attributes:
        path (Path): The COCO keypoint file to train on; or what was exported, absolute.
        val (Path | None): The COCO keypoint file to validate on, where there is one.
        images (Path | None): The folder of the images, where it is known.
        format (str | None): A key of :data:`...formats.FORMATS` for what is yet to be
            converted.
    """

    path: Path
    val: Path | None = None
    images: Path | None = None
    format: str | None = None


def find_data(data: Path, images: Path | None = None) -> Data:
    """Find the COCO keypoint files that a path names, or the format that it is of.

    Args:
        data (Path): A file or folder.
        images (Path | None): The folder of the images, where the user gives it.

    Returns:
        Data: COCO files come before other formats in a folder.

    Raises:
        UsageError: It is neither; or nobody can say which of its files is meant.
    """
    try:
        files = find_annotation_files(data)
        if not data.is_file() or _is_coco(data):
            return Data(*files, images)
        reason = f'{data} is not a COCO keypoint file.'
    except NoKeypointFile as error:
        reason = str(error)
    try:
        format, _ = find_format(data.absolute())
    except AnnotationError as error:
        raise UsageError(
            f'{reason} Nor does `onestage-pose convert-data` read it: {error}'
        ) from error
    return Data(data.absolute(), None, images, format)


def convert(
    data: Data, folder: Path, keypoints: Sequence[str] | None, category: str | None
) -> Data:
    """Convert what was exported, once; images stay where they are.

    Args:
        data (Data): Of a format.
        folder (Path): Gets the COCO files.
        keypoints (Sequence[str] | None): The names of the keypoints, in order.
        category (str | None): The only category that is kept.

    Returns:
        Data: The files in ``folder``, and the folder of the images.

    Raises:
        UsageError: An option fits not the source; the images are not found; or its
            splits are none to train on.
        AnnotationError: The converter does not understand the source.
    """
    given = None if data.images is None else str(data.images.absolute())
    made_of = json.loads(
        json.dumps(
            dict(
                source=str(data.path),
                sha256=compute_digest(data.path),
                images=given,
                keypoints=keypoints,
                category=category,
            )
        )
    )
    record = folder / RECORD
    if record.is_file():
        before = json.loads(record.read_text(encoding='utf-8'))
        if before['made_of'] == made_of:
            print(f'Converted before: {data.path} to {folder}.')
            val = before['val'] and folder / before['val']
            return Data(folder / before['train'], val, Path(before['image_root']))
    done = convert_data(
        data.path, folder, data.format, data.images, keypoints, category, force=True
    )
    if done.image_root is None:
        raise UsageError(
            f'{data.path}: none of its images is found; give their folder with '
            '--images.'
        )
    train, val = _choose_splits(data.path, {s: p.name for s, p in done.files.items()})
    print(
        f'Converted: {data.path} ({data.format}) to {", ".join(done.files)} in '
        f'{folder}; images stay in {done.image_root}.'
    )
    remarks = [f'left out: {each}' for each in done.left_out] + done.notes
    for remark in remarks[:_LINES]:
        print(f'  {remark}')
    if remarks[_LINES:]:
        print(f'  and {len(remarks) - _LINES} other kinds (convert-data lists them)')
    result = dict(
        made_of=made_of, train=train, val=val, image_root=str(done.image_root)
    )
    write_text(json.dumps(result, indent=2) + '\n', record)
    return Data(folder / train, val and folder / val, done.image_root)


def _choose_splits(source: Path, files: dict[str, str]) -> tuple[str, str | None]:
    if len(files) == 1:
        return next(iter(files.values())), None
    if 'train' in files and not files.keys() - {'train', 'val', 'test'}:
        return files['train'], files.get('val') or files['test']
    raise UsageError(
        f'{source}: its splits are {", ".join(files)}, and it must be train, and val '
        'or test; convert it with `onestage-pose convert-data`, and give the file to '
        'train on as DATA, and the one to validate on as --val.'
    )


def _is_coco(file: Path) -> bool:
    if file.suffix.lower() != '.json':
        return False
    try:
        content = read_json(str(file), '')
    except AnnotationError:
        return False
    return 'images' in content and 'annotations' in content
