# Copyright (c) onestage_pose contributors.
"""Convert annotations of other programs to COCO keypoint files."""

from __future__ import annotations

import importlib
import itertools
import os.path as osp
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..apis.writing import write_json
from ..checkpoints.atomic import replacing
from ..structures.coco_records import read_json
from ..utils.errors import AnnotationError, OutputError, UsageError
from ..utils.paths import check_exists, check_folder, is_same_file
from ..utils.suggestions import did_you_mean
from .assembly import Assembled, assemble
from .formats import FORMATS
from .labels import Remarks

# Files of a kind that are looked at to find out a folder's format.
_LOOKED_AT = 20
_PACKED = ('.zip', '.tar', '.gz', '.tgz', '.7z', '.rar')
# Characters of a file that is neither JSON nor YAML.
_HEAD = 4096


@dataclass
class Conversion:
    """What was read and written.

    Attributes:
        format (str): A key of :data:`..formats.FORMATS`.
        source (Path): The file or folder that was read.
        files (dict[str, Path]): The COCO files, by split.
        contents (dict[str, dict]): What they hold.
        image_root (Path | None): The folder that ``file_name`` of the images starts
            from; None where no image was found.
        boxes_made (dict[str, int]): By split, boxes that were made from keypoints.
        left_out (list[str]): A line for each reason.
        notes (list[str]): A line for each thing that was taken otherwise.
    """

    format: str
    source: Path
    files: dict[str, Path]
    contents: dict[str, dict]
    image_root: Path | None
    boxes_made: dict[str, int]
    left_out: list[str]
    notes: list[str]


def convert_data(
    source: str | Path,
    target: str | Path,
    format: str | None = None,
    images: str | Path | None = None,
    keypoints: Sequence[str] | None = None,
    category: str | None = None,
    copy_images: bool = False,
    force: bool = False,
) -> Conversion:
    """Convert annotations to COCO keypoint files, one for each split.

    Args:
        source (str | Path): The exported file or folder.
        target (str | Path): The folder to write to: ``train.json``, ``val.json``, or
            ``annotations.json`` if the source has no splits.
        format (str | None): A key of :data:`..formats.FORMATS`; by default it is
            detected.
        images (str | Path | None): The folder of the images, if it is not the one that
            the source names.
        keypoints (Sequence[str] | None): The names of the keypoints, in order.
        category (str | None): Keep only this category.
        copy_images (bool): Copy the images to ``images/`` of the target.
        force (bool): Overwrite existing files.

    Returns:
        Conversion: What was read, written and left out.

    Raises:
        UsageError: An option or a path is wrong; the message says what to give.
        AnnotationError: A value in the source is invalid; the message names the file,
            the key and the remedy.
        OutputError: The target cannot be written.
    """
    source, target = Path(osp.abspath(source)), Path(target)
    check_exists(source, 'SRC')
    if target.exists() and not target.is_dir():
        raise UsageError(f'DST: {target} is a file; give a folder to write to.')
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        raise UsageError(
            f'{target} is the source or lies in it, so what is written would be read '
            f'as a part of it the next time; write to a folder outside of {source}.'
        )
    check_folder(images, '--images')
    if format is not None and format not in FORMATS:
        raise UsageError(
            f'--format {format}: give one of {", ".join(FORMATS)}.'
            f'{did_you_mean(format, FORMATS)}'
        )
    format, file = find_format(source, format)
    remarks = Remarks()
    labels = _get_converter(format).read(file, remarks)
    done = assemble(
        labels,
        remarks,
        None if images is None else Path(images),
        keypoints,
        category,
    )
    files = {split: target / f'{split}.json' for split in done.contents}
    copies = {}
    if copy_images:
        copies = {path: target / 'images' / name for name, path in done.paths.items()}
    _check_free([*files.values(), *copies.values()], source, force)
    try:
        for path, copy in copies.items():
            if is_same_file(copy, path):
                continue
            with replacing(copy) as part:
                shutil.copyfile(path, part)
    except OSError as error:
        raise OutputError(f'{copy} could not be written: {error.strerror}.') from error
    for split, path in files.items():
        write_json(path, done.contents[split], indent=None)
    return _describe(format, source, files, done, remarks, target if copies else None)


def _describe(
    format: str,
    source: Path,
    files: dict[str, Path],
    done: Assembled,
    remarks: Remarks,
    copied_to: Path | None,
) -> Conversion:
    root = done.image_root if copied_to is None else copied_to / 'images'
    return Conversion(
        format,
        source,
        files,
        done.contents,
        root,
        done.boxes_made,
        remarks.left_out,
        remarks.notes,
    )


def _check_free(paths: Sequence[Path], source: Path, force: bool) -> None:
    there = [path for path in paths if path.exists()]
    for path in there:
        if is_same_file(path, source):
            raise UsageError(f'{path} is the source itself; give another folder.')
    if there and not force:
        more = f', and {len(there) - 1} others' if there[1:] else ''
        raise UsageError(f'{there[0]} exists{more}: give another folder, or --force.')


def find_format(source: Path, format: str | None = None) -> tuple[str, Path]:
    """Find out the format of a source, and which of its files to start from.

    Args:
        source (Path): A file or a folder.
        format (str | None): The format, where it is known.

    Returns:
        tuple[str, Path]: A key of :data:`..formats.FORMATS`; and the file, or the
        folder for formats of many files.

    Raises:
        AnnotationError: None fits, or several do; says what to give.
    """
    if format and source.is_file():
        return format, source
    formats = [format] if format else list(FORMATS)
    found: dict[str, list[Path]] = {}
    faults, refusals = [], []
    for path in _candidates(source):
        try:
            content = _look_into(path)
        except AnnotationError as error:
            # perhaps of something else than the annotations
            faults.append(error)
            continue
        for name in formats:
            converter = _get_converter(name)
            if converter.recognise(path, content):
                found.setdefault(name, []).append(path)
            elif hasattr(converter, 'explain_refusal'):
                refusals.append(converter.explain_refusal(path, content))
    if len(found) > 1:
        raise AnnotationError(
            f'{source}: holds several formats: '
            f'{", ".join(f"{name} ({paths[0].name})" for name, paths in found.items())}'
            '; give one with --format, or the file itself.'
        )
    if not found and faults:
        raise faults[0]
    if not found and any(refusals):
        raise AnnotationError(next(filter(None, refusals)))
    if not found:
        remedy = ''
        if source.suffix.lower() in _PACKED:
            remedy = ' Unpack it, and give the folder.'
        listed = '; '.join(f'{name}: {FORMATS[name]}' for name in formats)
        raise AnnotationError(
            f'{source}: is not of a known format.{remedy} Known are {listed}.'
        )
    [(name, paths)] = found.items()
    if source.is_file() or name in ('labelme', 'coco'):
        return name, source
    if len(paths) > 1:
        raise AnnotationError(
            f'{source}: holds {len(paths)} files of {name} '
            f'({", ".join(path.name for path in paths[:3])}); give one of them.'
        )
    return name, paths[0]


def _candidates(source: Path) -> Iterator[Path]:
    """Yield the files that may tell the format, some of each kind."""
    if source.is_file():
        yield source
        return
    for pattern in ('*.yaml', '*.yml', '*.xml', '*.csv', '*.json'):
        yield from itertools.islice(sorted(source.rglob(pattern)), _LOOKED_AT)


def _look_into(path: Path) -> Any:
    """Return what a file holds as far as its format is told by it."""
    suffix = path.suffix.lower()
    if suffix == '.json':
        return read_json(str(path), 'give an annotation file', object)
    if suffix in ('.yaml', '.yml'):
        return _get_converter('yolo_pose').read_yaml(path)
    with path.open('rb') as file:
        return file.read(_HEAD).decode('utf-8', 'replace')


def _get_converter(format: str) -> ModuleType:
    return importlib.import_module(f'.converters.{format}', __package__)
