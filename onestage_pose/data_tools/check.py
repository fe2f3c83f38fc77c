# Copyright (c) onestage_pose contributors.
"""Look through a COCO keypoint file and its images: what is in it, what is wrong."""

from __future__ import annotations

import hashlib
import os
import os.path as osp
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.coco_file import CocoKeypointFile, parse_coco_keypoints
from ..datasets.image_files import TURNED, read_header
from ..datasets.transforms import LoadPoseImage
from ..structures.coco_records import (
    MAX_PEOPLE,
    get_records,
    read_annotations,
    read_categories,
    read_images,
    read_json,
)
from ..utils.errors import AnnotationError, UsageError
from ..utils.paths import check_folder
from ..utils.suggestions import suggest_path
from .left_right import find_swaps
from .sides import pair_sides

#: How much a finding matters: an error keeps a model from being trained or judged.
ERROR, WARNING = 'error', 'warning'
#: Pixels under which a side of a box is tiny.
TINY = 4
#: Examples of a finding that are kept.
MAX_EXAMPLES = 100
# Share of a box's sides by which keypoints may lie beyond it, and pixels.
_MARGIN, _SLACK = 0.1, 2.0
# Two boxes of an image from this IoU on are of one object where their keypoints are the
# same, to this share of the square root of the area.
_SAME_BOX, _SAME_PLACE = 0.9, 0.02
# Images whose names are tried in a folder.
_TRIED = 20
# Bytes of an image that are held at once.
_CHUNK = 2**20
_EXPORTED = (
    'What a labelling program exported becomes such a file by onestage-pose '
    'convert-data.'
)
# Files of a folder that a message names.
_NAMES_SHOWN = 3
# COCO's bounds of small, medium and large, in square pixels.
_SMALL, _MEDIUM = 32**2, 96**2


@dataclass
class Finding:
    """Something that is wrong, or may be.

    Attributes:
        kind (str): What, in one word; docs/reference/data_checks.md lists them.
        level (str): :data:`ERROR` or :data:`WARNING`.
        text (str): What it means, and what to do.
        count (int): How often it was found.
        examples (list[dict]): The first ones: ``image_id``, ``file_name``,
            ``annotation_id``, ``what``, as far as each is meant.
    """

    kind: str
    level: str
    text: str
    count: int = 0
    examples: list[dict] = field(default_factory=list)


@dataclass
class CategoryCounts:
    """The objects of a category.

    Attributes:
        name (str): Of the category.
        objects (int): Annotations that are no crowd regions.
        keypoint_names (list[str]): Of the K keypoints.
        pairs (dict[str, str]): The right keypoint by the left one.
        visibility (list[list[int]]): For each keypoint how many are not labelled,
            hidden, and seen.
        keypoints_per_object (dict[int, int]): How many objects have how many labelled.
        sizes (dict[str, int]): Objects by COCO's sizes of the area.
    """

    name: str
    objects: int
    keypoint_names: list[str]
    pairs: dict[str, str]
    visibility: list[list[int]]
    keypoints_per_object: dict[int, int]
    sizes: dict[str, int]


@dataclass
class SplitReport:
    """A file, counted and looked through.

    Attributes:
        file (str): Its path.
        image_folder (str | None): Where its images are; None where none was found.
        images (int): How many.
        images_without_objects (int): Of these.
        annotations (int): How many, with crowd regions.
        crowds (int): Crowd regions.
        image_sizes (dict[str, list[int]]): Least, median and greatest width and height.
        categories (list[CategoryCounts]): Those with annotations.
        findings (list[Finding]): Errors first.
    """

    file: str
    image_folder: str | None = None
    images: int = 0
    images_without_objects: int = 0
    annotations: int = 0
    crowds: int = 0
    image_sizes: dict[str, list[int]] = field(default_factory=dict)
    categories: list[CategoryCounts] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: str, level: str, text: str, **example: Any) -> None:
        """Count a finding, and keep it as an example while there are few."""
        found = next((f for f in self.findings if f.kind == kind), None)
        if found is None:
            found = Finding(kind, level, text)
            self.findings.append(found)
        found.count += 1
        if len(found.examples) < MAX_EXAMPLES:
            found.examples.append(example)


@dataclass
class DataReport:
    """One file, or two that are the splits of a data set.

    Attributes:
        splits (list[SplitReport]): One of each file.
        between (list[Finding]): What is wrong between the two.
        contents (list[dict]): What the files hold; not part of the JSON.
    """

    splits: list[SplitReport]
    between: list[Finding] = field(default_factory=list)
    contents: list[dict] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """list[Finding]: All of them."""
        return [f for split in self.splits for f in split.findings] + self.between

    @property
    def has_errors(self) -> bool:
        """bool: Whether something keeps a model from being trained or judged."""
        return any(found.level == ERROR for found in self.findings)

    def to_dict(self) -> dict:
        """Return all counts and findings as plain values, for JSON."""
        return dict(
            splits=[asdict(split) for split in self.splits],
            between=[asdict(found) for found in self.between],
            has_errors=self.has_errors,
        )


Progress = Callable[[Iterable, str, int], Iterable]


def _no_progress(items: Iterable, what: str, total: int) -> Iterable:
    return items


def check_data(
    data: str | Path,
    other: str | Path | None = None,
    images: str | Path | None = None,
    other_images: str | Path | None = None,
    decode: bool = False,
    progress: Progress = _no_progress,
) -> DataReport:
    """Count the contents of a data set and find its errors.

    Images are not decoded; their sizes are read from their headers, and only files of
    equal length are compared by their content.

    Args:
        data (str | Path): A COCO keypoint file, or a folder with one or two of them, as
            :func:`..convert.convert_data` writes it.
        other (str | Path | None): The file of another split, to find images that are in
            both.
        images (str | Path | None): The folder that ``file_name`` is relative to; by
            default it is looked for beside the file.
        other_images (str | Path | None): The folder for the other file; by default
            ``images``.
        decode (bool): Decode every image, to find truncated ones.
        progress (Callable): Wraps a loop: ``progress(items, description, total)``, as
            ``track`` of ``onestage_pose.cli.progress``.

    Returns:
        DataReport: Counts and findings. An unreadable file has one finding, ``format``.

    Raises:
        UsageError: A path does not exist.
    """
    files = _find_files(Path(data), other)
    folders = [images, other_images or images]
    for folder, option in zip(folders, ('--images', '--other-images')):
        check_folder(folder, option)
    report = DataReport([])
    lengths: dict[int, list[tuple[int, int, str]]] = {}
    for number, (file, folder) in enumerate(zip(files, folders)):
        split = SplitReport(str(file))
        report.splits.append(split)
        report.contents.append({})
        try:
            content = read_json(str(file), 'give a COCO keypoint file')
            report.contents[number] = _check_content(split, content)
        except AnnotationError as error:
            text = 'the reader of data sets refuses the file'
            split.add('format', ERROR, text, what=str(error))
            continue
        records = report.contents[number]['images']
        found = find_folder(file, records) if folder is None else Path(folder)
        split.image_folder = None if found is None else str(found)
        if found is None:
            last = [dict(file_name=_last(each['file_name'])) for each in records]
            found = find_folder(file, last)
        for place, length in _check_images(split, records, found, decode, progress):
            path = osp.join(found, records[place]['file_name'])
            lengths.setdefault(length, []).append((number, place, path))
    _compare_images(report, lengths, progress)
    _compare_categories(report)
    for split in report.splits:
        split.findings.sort(key=lambda found: found.level)
    return report


def _find_files(data: Path, other: str | Path | None) -> list[Path]:
    if not data.exists():
        raise UsageError(f'{data} does not exist.{suggest_path(data)}')
    if data.is_file():
        files = [data]
    else:
        files = sorted(data.glob('*.json')) or sorted(data.glob('annotations/*.json'))
        if not files:
            raise UsageError(
                f'{data}: no JSON file is in this folder, nor in its folder '
                f'annotations; give the COCO keypoint file. {_EXPORTED}'
            )
        if len(files) > (1 if other else 2):
            names = ', '.join(file.name for file in files[:_NAMES_SHOWN])
            raise UsageError(
                f'{data}: {len(files)} JSON files are in this folder ({names}, ...); '
                f'give the one to check, and perhaps that of another split. {_EXPORTED}'
            )
    if other is not None:
        if not Path(other).is_file():
            raise UsageError(f'{other} is not a file.{suggest_path(other)}')
        files.append(Path(other))
    return files


def find_folder(file: Path, records: Sequence[Mapping]) -> Path | None:
    """Find the folder of the images of a COCO file, beside it.

    Args:
        file (Path): Of the annotations.
        records (Sequence[Mapping]): Of "images".

    Returns:
        Path | None: The folder in which most of the first images are; None where no
        image is in any.
    """
    base = Path(osp.abspath(file)).parent
    stem = file.stem.removeprefix('person_keypoints_').removesuffix('_complete')
    candidates = [
        folder
        for root in (base, base.parent)
        for folder in (
            root / 'images' / stem,
            root / 'images',
            root / stem,
            root / 'images' / stem.split('_')[0],
            root,
        )
    ]
    names = [record['file_name'] for record in records[:_TRIED]]
    found = [sum(map(osp.isfile, (folder / n for n in names))) for folder in candidates]
    return candidates[int(np.argmax(found))] if any(found) else None


def _last(file_name: str) -> str:
    return file_name.replace('\\', '/').rsplit('/', 1)[-1]


def _check_content(split: SplitReport, content: dict) -> dict:
    """Count what a file holds and look through its annotations.

    Returns:
        dict: ``images``, ``annotations`` and ``categories`` as the reader gives them.
    """
    file = split.file
    images = read_images(file, content)
    categories = read_categories(file, content)
    ids = [image['id'] for image in images]
    given = content.get('annotations')
    whole = {**content, 'annotations': [] if given is None else given}
    annotations = read_annotations(
        file, get_records(file, whole, 'annotations'), ids, categories
    )
    split.images, split.annotations = len(images), len(annotations)
    split.crowds = sum(ann['iscrowd'] for ann in annotations)
    with_objects = {ann['image_id'] for ann in annotations if not ann['iscrowd']}
    split.images_without_objects = len(images) - len(with_objects)
    if not with_objects:
        split.add(
            'no_annotation',
            ERROR,
            'no object is annotated, so nothing can be trained or judged; is it the '
            'right file?',
        )
    if images:
        sizes = np.array([[image['width'], image['height']] for image in images])
        split.image_sizes = {
            name: [int(values.min()), int(np.median(values)), int(values.max())]
            for name, values in zip(('width', 'height'), sizes.T)
        }
    by_id = {category['id']: category for category in categories}
    used = sorted({ann['category_id'] for ann in annotations})
    for category_id in used:
        category = by_id.get(category_id, dict(id=category_id))
        mine = [ann for ann in annotations if ann['category_id'] == category_id]
        names = category.get('keypoints') or _make_names(mine)
        part = parse_coco_keypoints(
            file,
            {
                **content,
                'annotations': mine,
                # those that are no category of these are known to the reader as well
                'categories': [category] if len(used) > 1 else categories,
            },
            len(names),
            None,
            keypoint_names=names,
            max_people=10**9,
            log_remarks=False,
        )
        for remark in part.remarks:
            split.add('reader', WARNING, 'what the reader says', what=remark)
        _check_category(split, category, names, part)
    if len(used) > 1:
        split.add(
            'several_categories',
            WARNING,
            'finetune trains on all of them, each with its own keypoints, or on that '
            'of --category (docs/how_to/several_categories.md)',
            what=', '.join(str(by_id.get(i, {}).get('name', i)) for i in used),
        )
    per_image = Counter(ann['image_id'] for ann in annotations)
    for id_, number in per_image.items():
        if number > MAX_PEOPLE:
            split.add(
                'crowded_image',
                ERROR,
                f'over {MAX_PEOPLE:,} annotations, more than is trained on',
                image_id=id_,
                what=f'{number} annotations',
            )
    return dict(images=images, annotations=annotations, categories=categories)


def _make_names(annotations: Sequence[Mapping]) -> list[str]:
    lengths = [len(ann.get('keypoints') or ()) for ann in annotations]
    return [f'keypoint_{index + 1}' for index in range(max(lengths, default=0) // 3)]


def _check_category(
    split: SplitReport, category: Mapping, names: Sequence[str], read: CocoKeypointFile
) -> None:
    """Count the objects of a category, and look at each."""
    keep = np.flatnonzero(~read.iscrowd)
    keypoints, boxes = read.keypoints[keep], read.bboxes[keep]
    annotations = [read.annotations[index] for index in keep]
    images = [read.images[index] for index in read.image_index[keep]]
    flags = keypoints[..., 2]
    number = (flags > 0).sum(axis=1)
    areas = np.array([ann['area'] for ann in annotations], np.float64)
    pairs = _pair_sides(split, category, names)
    split.categories.append(
        CategoryCounts(
            name=str(category.get('name', category['id'])),
            objects=len(keep),
            keypoint_names=list(names),
            pairs=pairs,
            visibility=[
                [int((column == flag).sum()) for flag in (0, 1, 2)]
                for column in flags.T
            ],
            keypoints_per_object=dict(sorted(Counter(number.tolist()).items())),
            sizes=dict(
                small=int((areas < _SMALL).sum()),
                medium=int(((areas >= _SMALL) & (areas < _MEDIUM)).sum()),
                large=int((areas >= _MEDIUM).sum()),
            ),
        )
    )

    def add(kind: str, text: str, index: int, what: str = '') -> None:
        split.add(
            kind,
            WARNING,
            text,
            image_id=images[index]['id'],
            file_name=images[index]['file_name'],
            annotation_id=annotations[index]['id'],
            what=what,
        )

    for index in np.flatnonzero((flags > 0).sum(axis=0) == 0) if len(keep) else ():
        split.add(
            'never_labelled',
            WARNING,
            'a keypoint that no object has: a model does not learn it',
            what=names[index],
        )
    sides = boxes[:, 2:] - boxes[:, :2]
    sizes = np.array([[image['width'], image['height']] for image in images])
    sizes = sizes.reshape(-1, 2)
    has_area = (sides > 0).all(axis=1)
    for index in np.flatnonzero(~has_area):
        add('box_without_area', 'left out of the training', index)
    for index in np.flatnonzero(has_area & (sides < TINY).any(axis=1)):
        what = 'x'.join(f'{side:.1f}' for side in sides[index])
        add('tiny_box', f'a side is under {TINY} pixels', index, what)
    reach = (boxes[:, 2:] > sizes + _SLACK) | (boxes[:, :2] < -_SLACK)
    for index in np.flatnonzero(reach.any(axis=1)):
        add('box_outside_image', 'clipped in training', index)
    labelled = flags > 0
    if labelled.any() and not (flags == 2).any():
        split.add(
            'all_hidden',
            WARNING,
            'every labelled keypoint has visibility 1, which is hidden; one that is '
            'seen has 2',
            what=str(category.get('name', category['id'])),
        )
    # a box of what is visible may not hold what is hidden
    asked = flags == 2 if (flags == 2).any() else labelled
    margin = (_MARGIN * sides + _SLACK)[:, None]
    places = keypoints[..., :2]
    outside = (places < boxes[:, None, :2] - margin) | (
        places > boxes[:, None, 2:] + margin
    )
    outside = outside.any(axis=-1) & asked & has_area[:, None]
    for index in np.flatnonzero(outside.any(axis=1)):
        what = ', '.join(names[k] for k in np.flatnonzero(outside[index]))
        text = 'visible keypoints lie over a tenth of its sides beyond the box'
        add('keypoints_outside_box', text, index, what)
    outside = (places < -_SLACK) | (places > sizes[:, None] + _SLACK)
    outside = outside.any(axis=-1) & labelled
    for index in np.flatnonzero(outside.any(axis=1)):
        what = ', '.join(names[k] for k in np.flatnonzero(outside[index]))
        add('keypoints_outside_image', 'they train nothing there', index, what)
    for index, ann in enumerate(annotations):
        stated = ann.get('num_keypoints')
        if stated is not None and stated != number[index]:
            what = f'{stated} stated, {number[index]} labelled'
            add('num_keypoints', 'not the number of labelled keypoints', index, what)
    _find_duplicates(add, annotations, boxes, keypoints)
    _check_sides(split, add, keypoints, boxes, names, pairs)


def _find_duplicates(
    add: Callable,
    annotations: Sequence[Mapping],
    boxes: np.ndarray,
    keypoints: np.ndarray,
) -> None:
    """Find objects of an image with the same box and the same keypoints.

    Each counts once. An image of more than MAX_PEOPLE is an error without this.
    """
    by_image: dict[int, list[int]] = {}
    for index, ann in enumerate(annotations):
        by_image.setdefault(ann['image_id'], []).append(index)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    for members in by_image.values():
        if len(members) > MAX_PEOPLE:
            continue
        rest = np.array(members)
        while len(rest) > 1:
            one, rest = rest[0], rest[1:]
            near = np.maximum(boxes[one, :2], boxes[rest, :2])
            far = np.minimum(boxes[one, 2:], boxes[rest, 2:])
            shared = np.prod(np.clip(far - near, 0, None), axis=1)
            same = (shared > 0) & (
                shared >= _SAME_BOX * (areas[one] + areas[rest] - shared)
            )
            found = rest[same]
            if not len(found):
                continue
            labelled = keypoints[one, :, 2] > 0
            off = keypoints[one, :, :2] - keypoints[found, :, :2]
            is_near = np.linalg.norm(off, axis=-1) <= _SAME_PLACE * np.sqrt(areas[one])
            are_equal = (labelled == (keypoints[found, :, 2] > 0)).all(axis=1)
            twice = found[are_equal & (is_near | ~labelled).all(axis=1)]
            for other in twice:
                add(
                    'duplicate_annotation',
                    'the same box and keypoints as another of the image',
                    other,
                    f'as annotation id={annotations[one]["id"]}',
                )
            rest = np.setdiff1d(rest, twice)


def _pair_sides(
    split: SplitReport, category: Mapping, names: Sequence[str]
) -> dict[str, str]:
    try:
        return pair_sides(names, flip_idx=category.get('flip_idx'))
    except AnnotationError as error:
        split.add(
            'flip_idx',
            ERROR,
            'mirrored images would show one keypoint as another',
            what=str(error),
        )
        return pair_sides(names)


def _check_sides(
    split: SplitReport,
    add: Callable,
    keypoints: np.ndarray,
    boxes: np.ndarray,
    names: Sequence[str],
    pairs: Mapping[str, str],
) -> None:
    found = find_swaps(keypoints, boxes, names, pairs)
    if found.is_reversed:
        split.add(
            'left_right_reversed',
            WARNING,
            'left and right seem to be those of the image: nearly all faces that look '
            'at the viewer have the left eye on the left; a left eye is that of the '
            'person',
        )
    by_instance: dict[int, list[str]] = {}
    for suspicion in found.suspicions:
        pair = ' and '.join(names[index] for index in suspicion.pair)
        by_instance.setdefault(suspicion.instance, []).append(pair)
    for index, exchanged in by_instance.items():
        add(
            'left_right',
            'left and right look exchanged; look at them with --sheet',
            index,
            '; '.join(exchanged),
        )


def _check_images(
    split: SplitReport,
    records: Sequence[Mapping],
    folder: Path | None,
    decode: bool,
    progress: Progress,
) -> list[tuple[int, int]]:
    """Look at the image files.

    Returns:
        list[tuple[int, int]]: Place and length in bytes of those that can be read.
    """
    there = []
    load = LoadPoseImage()
    for place, record in enumerate(progress(records, 'images', len(records))):
        where = dict(image_id=record['id'], file_name=record['file_name'])
        path = osp.join(folder or '', record['file_name'])
        if folder is None or not osp.isfile(path):
            text = 'there is no such file; give its folder with --images'
            last = _last(record['file_name'])
            if folder is not None and osp.isfile(folder / last):
                where['what'] = (
                    f'{folder / last} is there: convert-data corrects the name'
                )
            split.add('missing_image', ERROR, text, **where)
            continue
        header = read_header(path)
        if header is None:
            text = 'its header is not that of an image that can be read'
            split.add('unreadable_image', ERROR, text, **where)
            continue
        there.append((place, os.stat(path).st_size))
        stored, orientation = header
        shown = stored[::-1] if orientation in TURNED else stored
        given = record['width'], record['height']
        if given == shown:
            if orientation in (2, 3, 4):
                split.add(
                    'exif_orientation',
                    WARNING,
                    'EXIF mirrors it or turns it by 180 degrees, which no size tells; '
                    'look at them with --sheet',
                    **where,
                    what=f'orientation {orientation}',
                )
        elif given == stored:
            split.add(
                'exif_turned',
                ERROR,
                'its size is that of the file without its EXIF orientation; '
                'convert-data turns the annotations',
                **where,
                what=f'annotations {given[0]}x{given[1]}, file {shown[0]}x{shown[1]}',
            )
            continue
        else:
            split.add(
                'image_size',
                ERROR,
                'the file has another size than the annotations say',
                **where,
                what=f'annotations {given[0]}x{given[1]}, file {shown[0]}x{shown[1]}',
            )
            continue
        if decode:
            try:
                load(dict(img_path=path))
            except (OSError, ValueError) as error:
                text = 'it cannot be decoded'
                split.add('unreadable_image', ERROR, text, **where, what=str(error))
    return there


def _compare_images(
    report: DataReport,
    lengths: Mapping[int, Sequence[tuple[int, int, str]]],
    progress: Progress,
) -> None:
    """Find files of the same content, within a split and in both."""
    alike = [group for group in lengths.values() if len(group) > 1]
    between = SplitReport('')
    for group in progress(alike, 'images of equal length', len(alike)):
        by_content: dict[bytes, list[tuple[int, int, str]]] = {}
        for member in group:
            by_content.setdefault(_digest(member[2]), []).append(member)
        for members in by_content.values():
            (number, place, _), *others = members
            first = report.contents[number]['images'][place]
            for other_number, other_place, _ in others:
                record = report.contents[other_number]['images'][other_place]
                where = dict(image_id=record['id'], file_name=record['file_name'])
                what = f'as image id={first["id"]} ({first["file_name"]})'
                if other_number == number:
                    text = 'the same content as another image'
                    report.splits[number].add(
                        'duplicate_image', WARNING, text, **where, what=what
                    )
                else:
                    between.add(
                        'both_splits',
                        ERROR,
                        'an image is in both files, so the model is judged by what it '
                        'has learnt; remove it from one',
                        **where,
                        what=what,
                    )
    report.between += between.findings


def _digest(path: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _compare_categories(report: DataReport) -> None:
    if len(report.splits) < 2:
        return
    one, other = (
        {category.name: category.keypoint_names for category in split.categories}
        for split in report.splits
    )
    between = SplitReport('')
    for name in sorted(set(one) & set(other)):
        if one[name] != other[name]:
            between.add(
                'categories_differ',
                ERROR,
                'the two files name the keypoints of a category differently, or have '
                'them in another order',
                what=f'{name}: {", ".join(one[name])} and {", ".join(other[name])}',
            )
    report.between += between.findings
