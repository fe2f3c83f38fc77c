# Copyright (c) onestage_pose contributors.
"""Find the annotation file and the images that a user means."""

from __future__ import annotations

import os.path as osp
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...structures.coco_records import (
    check_categories_known,
    get_records,
    quote,
    read_annotations,
    read_categories,
    read_images,
    read_json,
)
from ...utils.errors import AnnotationError, UsageError
from ...utils.paths import check_folder
from ...utils.suggestions import did_you_mean
from ..labels import find_split

#: Files that may be annotations of one image each are not opened one by one.
MAX_FILES = 30
# Images by which a folder is recognised.
_NUM_TRIED = 50


class NoKeypointFile(UsageError):
    """A folder has no COCO keypoint file that could be found."""


@dataclass
class Source:
    """A COCO keypoint file and its images.

    Attributes:
        ann_file (Path): The file, absolute.
        image_folder (Path): Where the ``file_name`` of its images start, absolute.
        content (dict): As it stands in the file, but only the annotations of
            ``categories`` where others were left out.
        categories (list[dict]): Those of the annotations.
        is_whole (bool): Nothing was left out.
    """

    ann_file: Path
    image_folder: Path
    content: dict[str, Any]
    categories: list[dict[str, Any]]
    is_whole: bool = True

    @property
    def category(self) -> dict[str, Any]:
        """dict: The first category, which is the only one of most files."""
        return self.categories[0]


def find_annotation_files(data: Path) -> tuple[Path, Path | None]:
    """Find the annotation files that DATA names.

    Args:
        data (Path): A COCO keypoint file, or a folder that holds one, also in a folder
            ``annotations`` or in one folder for each split.

    Returns:
        tuple[Path, Path | None]: The file to train on, and the one to validate on where
        the names of two files say that they are ``train`` and ``val``.

    Raises:
        NoKeypointFile: There is none.
        UsageError: Nobody can say which one is meant, or there is no such path.
    """
    if data.is_file():
        return data.absolute(), None
    if not data.is_dir():
        raise UsageError(f'DATA: there is no file or folder {data}.')
    found = sorted({*data.glob('*.json'), *data.glob('*/*.json')})
    if len(found) > MAX_FILES:
        raise NoKeypointFile(
            f'{data} holds {len(found)} JSON files; give the COCO keypoint file itself.'
        )
    files = [path.absolute() for path in found if _holds_keypoints(path)]
    if not files:
        raise NoKeypointFile(
            f'{data} holds no COCO keypoint file (a JSON file with "images" and '
            '"annotations" that have "keypoints").'
        )
    if len(files) == 1:
        return files[0], None
    by_split: dict[str, list[Path]] = {}
    for path in files:
        parts = path.relative_to(data.absolute()).parts
        split = find_split(reversed(parts))
        by_split.setdefault(split, []).append(path)
    train = by_split.get('train', [])
    val = by_split.get('val') or by_split.get('test') or []
    if len(train) == 1 and len(val) == 1:
        return train[0], val[0]
    names = ', '.join(str(path.relative_to(data.absolute())) for path in files)
    raise UsageError(
        f'{data} holds several COCO keypoint files: {names}. Give the one to train on '
        'as DATA, and the one to validate on as --val.'
    )


def read_source(
    ann_file: Path, images: Path | None = None, category: str | None = None
) -> Source:
    """Read an annotation file and find its images.

    Args:
        ann_file (Path): A COCO keypoint file.
        images (Path | None): Folder of the images; None looks for it near the file.
        category (str | None): Name of the category to keep; None keeps all of them.

    Returns:
        Source: What is there.

    Raises:
        UsageError: There are several categories of which one names no keypoints, or the
            images are not found.
        AnnotationError: The file breaks the schema of ``structures/coco_records.py``.
    """
    ann_file = ann_file.absolute()
    name = str(ann_file)
    content = read_json(name, 'give a COCO keypoint file')
    image_records = read_images(name, content)
    if not image_records:
        raise AnnotationError(f'{name}: has no "images".')
    categories = read_categories(name, content)
    records = get_records(name, content, 'annotations')
    ids = [image['id'] for image in image_records]
    annotations = read_annotations(name, records, ids, categories)
    if not annotations:
        raise AnnotationError(f'{name}: has no "annotations", so nothing to learn.')
    check_categories_known(name, annotations, categories)
    chosen = _choose_categories(name, annotations, categories, category)
    chosen_ids = {each['id'] for each in chosen}
    kept = [
        record
        for record, read in zip(records, annotations)
        if read['category_id'] in chosen_ids
    ]
    folder = _find_images(ann_file, [each['file_name'] for each in image_records])
    check_folder(images, '--images')
    if images is not None:
        folder = images.absolute()
    elif folder is None:
        raise UsageError(
            f'{name}: its images are not found, first {image_records[0]["file_name"]}; '
            f'looked in {", ".join(map(str, _image_folders(ann_file)))}. Give their '
            'folder with --images.'
        )
    return Source(
        ann_file,
        folder,
        {**content, 'annotations': kept},
        chosen,
        is_whole=len(kept) == len(records),
    )


def _holds_keypoints(path: Path) -> bool:
    try:
        content = read_json(str(path), '')
    except (AnnotationError, OSError):
        return False
    annotations = content.get('annotations')
    return (
        isinstance(content.get('images'), list)
        and isinstance(annotations, list)
        and any(isinstance(each, dict) and 'keypoints' in each for each in annotations)
    )


def _choose_categories(
    file: str,
    annotations: Sequence[Mapping],
    categories: Sequence[Mapping],
    wanted: str | None,
) -> list[dict[str, Any]]:
    used = sorted({each['category_id'] for each in annotations})
    by_id = {each['id']: dict(each) for each in categories}
    found = [by_id.get(number, dict(id=number)) for number in used]
    if wanted is not None:
        names = [str(each.get('name')) for each in found]
        if wanted not in names:
            raise UsageError(
                f'--category {wanted}: the annotations of {file} are of '
                f'{", ".join(map(quote, names))}.{did_you_mean(wanted, names)}'
            )
        return [found[names.index(wanted)]]
    without = [each for each in found if not each.get('keypoints')]
    if len(found) > 1 and without:
        names = ', '.join(quote(each.get('name', each['id'])) for each in found)
        raise UsageError(
            f'{file}: its annotations are of several categories: {names}. Choose the '
            'one to train on with --category NAME; all of them are trained on where '
            f'each has names of "keypoints", and {quote(without[0].get("name"))} has '
            'none.'
        )
    return found


def _image_folders(ann_file: Path) -> Iterator[Path]:
    """Yield the folders in which images are looked for, the likeliest first."""
    here, above = ann_file.parent, ann_file.parent.parent
    split = find_split([ann_file.name])
    # train of person_keypoints_train2017
    word = re.search(rf'{split}\w*', ann_file.stem) if split else None
    words = [word.group(), split] if word else []
    for folder in (here, above):
        yield folder
        yield folder / 'images'
        for each in dict.fromkeys(words):
            yield folder / each
            yield folder / 'images' / each


def _find_images(ann_file: Path, names: Sequence[str]) -> Path | None:
    """Return the folder that has most of the images; None where none has any."""
    tried = names[:: max(1, len(names) // _NUM_TRIED)]
    best, most = None, 0
    for folder in _image_folders(ann_file):
        number = sum(osp.isfile(folder / name) for name in tried)
        if number > most:
            best, most = folder, number
    return best
