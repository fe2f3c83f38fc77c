# Copyright (c) onestage_pose contributors.
"""YOLO-pose: Ultralytics' data.yaml, and a text file of labels for each image.

A line is an object: class, centre and size of its box, and x, y (and the visibility) of
each keypoint; all but class and visibility are fractions of the image.
"""

from __future__ import annotations

import math
import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ...checkpoints.safe_objects import OversizedError, unwrap
from ...structures.coco_records import quote
from ...structures.metainfo import COCO_METAINFO, resolve_metainfo
from ...utils.errors import AnnotationError
from ...utils.file_kinds import get_file_kind
from ..labels import (
    SEEN,
    UNLABELLED,
    Keypoint,
    LabelledImage,
    LabelledObject,
    Labels,
    Remarks,
    Template,
)
from ..sides import is_flip_idx

_SPLITS = ('train', 'val', 'test')
_IMAGES, _LABELS = 'images', 'labels'
# Most keypoints and classes that a number alone may state.
_MOST = 10_000
# Fractions that count as within the image, for what rounding adds.
_SLACK = 0.01


def recognise(path: Path, content: Any) -> bool:
    """Return whether a file is Ultralytics' YAML of a pose data set."""
    is_yaml = path.suffix.lower() in ('.yaml', '.yml')
    return is_yaml and isinstance(content, Mapping) and 'kpt_shape' in content


def explain_refusal(path: Path, content: Any) -> str | None:
    """Return what keeps a YAML of Ultralytics from being one of a pose data set."""
    is_yaml = path.suffix.lower() in ('.yaml', '.yml')
    if not is_yaml or not isinstance(content, Mapping) or 'kpt_shape' in content:
        return None
    if 'names' not in content or not any(content.get(split) for split in _SPLITS):
        return None
    return (
        f"{path} is Ultralytics' YAML of a data set without keypoints: it has no "
        'kpt_shape. If the labels have keypoints, add kpt_shape: [K, 3] with their '
        'number K ([K, 2] without visibility).'
    )


def read_yaml(path: Path) -> Any:
    """Read a YAML file, without running what it may hold.

    Raises:
        AnnotationError: It is no YAML, or some lines of it stand for millions of
            values.
    """
    try:
        return unwrap(yaml.safe_load(path.read_text(encoding='utf-8-sig')))
    except OversizedError as error:
        raise AnnotationError(f'{path}: was not read: it holds {error}.') from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise AnnotationError(f'{path}: is not valid YAML ({reason}).') from error


def read(source: Path, remarks: Remarks) -> Labels:
    """Read a data set.

    Args:
        source (Path): The YAML file.
        remarks (Remarks): Is told what is left out.

    Returns:
        Labels: With a template for each class.

    Raises:
        AnnotationError: A key or a line means nothing; names file, key and remedy.
    """
    content = read_yaml(source)
    if not isinstance(content, Mapping):
        raise AnnotationError(
            f'{source}: is not a mapping; give the YAML of a data set.'
        )
    number, dimensions = _read_shape(source, content)
    classes = _read_classes(source, content)
    templates = _read_templates(source, content, number, classes, remarks)
    root = _find_root(source, content)
    images = []
    given = [split for split in _SPLITS if content.get(split)]
    if not given:
        raise AnnotationError(
            f'{source}: has none of "train", "val" and "test"; write the folders of '
            'the images there.'
        )
    for split in given:
        for path in _find_images(source, content, split, root, remarks):
            labels = _labels_of(path)
            objects = []
            if labels.is_file():
                objects = _read_objects(
                    labels, number, dimensions, classes, templates, remarks
                )
            images.append(
                LabelledImage(
                    [str(path)],
                    objects,
                    in_fractions=True,
                    split=split,
                    where=str(labels),
                )
            )
    _find_orphans(images, remarks)
    return Labels(images, [root], templates)


def _read_shape(source: Path, content: Mapping) -> tuple[int, int]:
    shape = content.get('kpt_shape')
    fits = (
        isinstance(shape, Sequence)
        and len(shape) == 2
        and all(type(number) is int for number in shape)
        and 0 < shape[0] <= _MOST
        and shape[1] in (2, 3)
    )
    if not fits:
        raise AnnotationError(
            f'{source}: kpt_shape={quote(shape)}; write [K, 2] or [K, 3] with the '
            'number of keypoints K; 3 is with visibility.'
        )
    return shape[0], shape[1]


def _read_classes(source: Path, content: Mapping) -> dict[int, str]:
    names = content.get('names')
    if names is None:
        number = content.get('nc', 1)
        if type(number) is not int or not 0 < number <= _MOST:
            raise AnnotationError(
                f'{source}: nc={quote(number)}; write the number of classes, at most '
                f'{_MOST:,}, or their names as `names`.'
            )
        names = [f'class_{index}' for index in range(number)]
    return _by_class(source, 'names', names, 'the names of the classes', str)


def _by_class(source: Path, key: str, names: Any, what: str, kind: type) -> dict:
    if isinstance(names, list):
        names = dict(enumerate(names))
    try:
        by_class = {int(index): name for index, name in names.items()}
        # a bare number or yes in YAML
        if kind is str:
            by_class = {index: str(name) for index, name in by_class.items()}
        if by_class and all(isinstance(name, kind) for name in by_class.values()):
            return by_class
    except (AttributeError, TypeError, ValueError):
        pass
    raise AnnotationError(
        f'{source}: {key}={quote(names)}; write {what}, by number from 0 on.'
    )


def _read_templates(
    source: Path,
    content: Mapping,
    number: int,
    classes: Mapping[int, str],
    remarks: Remarks,
) -> dict[str, Template]:
    flip_idx = content.get('flip_idx')
    if flip_idx is not None and not is_flip_idx(flip_idx, number):
        raise AnnotationError(
            f'{source}: flip_idx={quote(flip_idx)}; write for each of the {number} '
            'keypoints the number of the one that it changes places with in a '
            'mirrored image (its own for none).'
        )
    names: dict[int, list] = {}
    given, are_numbers, skeleton = content.get('kpt_names'), False, []
    if given is not None:
        if isinstance(given, list) and all(isinstance(name, str) for name in given):
            given = {index: given for index in classes}
        names = _by_class(source, 'kpt_names', given, 'the names of keypoints', list)
        names = {index: list(map(str, each)) for index, each in names.items()}
        for index, each in names.items():
            if len(each) != number or len(set(each)) != number:
                raise AnnotationError(
                    f'{source}: kpt_names of class {index} has {len(set(each))} '
                    f'different names, and kpt_shape says {number} keypoints; correct '
                    'one of them.'
                )
    else:
        coco = parse_pose_metainfo(resolve_metainfo(dict(from_file=COCO_METAINFO)))
        if number == coco['num_keypoints'] and flip_idx == coco['flip_indices']:
            of_all = [coco['keypoint_id2name'][index] for index in range(number)]
            skeleton = [(of_all[a], of_all[b]) for a, b in coco['skeleton_links']]
            remarks.say(
                'keypoints have no names (kpt_names); number and flip_idx are those of '
                "COCO's people, whose names are taken"
            )
        else:
            of_all = [f'keypoint_{index + 1}' for index in range(number)]
            are_numbers = True
            remarks.say(
                'keypoints have no names (kpt_names); give them in order with '
                '--keypoints'
            )
        names = dict.fromkeys(classes, of_all)
    return {
        name: Template(
            names.get(index, next(iter(names.values()))),
            list(skeleton),
            flip_idx,
            are_numbers,
            id=index + 1,
        )
        for index, name in classes.items()
    }


def _find_root(source: Path, content: Mapping) -> Path:
    given = content.get('path') or ''
    for root in (source.parent / str(given), source.parent):
        named = (content.get(split) for split in _SPLITS)
        names = [name for each in named for name in _as_list(each)]
        if any(_existing(root, name) is not None for name in names):
            return root
    return source.parent


def _existing(root: Path, name: str) -> Path | None:
    """Return a folder or list of images; ``../train`` is also tried as ``train``."""
    for each in (name, name.removeprefix('../')):
        if (root / each).exists():
            return Path(osp.abspath(root / each))
    return None


def _as_list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each) for each in values if each]


def _find_images(
    source: Path, content: Mapping, split: str, root: Path, remarks: Remarks
) -> Iterator[Path]:
    for name in _as_list(content[split]):
        place = _existing(root, name)
        if place is None:
            raise AnnotationError(
                f'{source}: {split}: {name} is not in {root}; correct "{split}" or '
                '"path".'
            )
        if place.is_dir():
            files = sorted(path for path in place.rglob('*') if path.is_file())
            yield from (path for path in files if get_file_kind(path) == 'image')
        else:
            lines = place.read_text(encoding='utf-8').splitlines()
            for line in filter(None, map(str.strip, lines)):
                start = place.parent if line.startswith('./') else root
                path = start / line
                if path.is_file():
                    yield Path(osp.abspath(path))
                else:
                    remarks.leave_out(
                        'images of a list that do not exist', f'{place}: {line}'
                    )


def _labels_of(image: Path) -> Path:
    """Return the file of an image's labels: in ``labels`` instead of ``images``."""
    parts = list(image.with_suffix('.txt').parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == _IMAGES:
            parts[index] = _LABELS
            break
    return Path(*parts)


def _find_orphans(images: Sequence[LabelledImage], remarks: Remarks) -> None:
    known = {image.where for image in images}
    for folder in sorted({Path(where).parent for where in known}):
        if folder.is_dir() and _LABELS in folder.parts:
            for path in sorted(folder.glob('*.txt')):
                if str(path) not in known and path.name != 'classes.txt':
                    remarks.leave_out('label files without an image', str(path))


def _read_objects(
    path: Path,
    number: int,
    dimensions: int,
    classes: Mapping[int, str],
    templates: Mapping[str, Template],
    remarks: Remarks,
) -> list[LabelledObject]:
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f'{path}: is not a text file; is it the right file?'
        ) from error
    objects, seen = [], set()
    for place, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        where = f'{path}, line {place}'
        if tuple(words) in seen:
            remarks.leave_out('lines that stand twice in a file', where)
            continue
        seen.add(tuple(words))
        expected = 5 + number * dimensions
        if len(words) not in (5, expected):
            raise AnnotationError(
                f'{where}: has {len(words)} numbers, expected {expected}: class, x, y, '
                f'width, height and {number} keypoints of {dimensions} numbers; '
                'correct the line, or kpt_shape in the YAML.'
            )
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = [math.nan]
        if not all(map(math.isfinite, values)):
            raise AnnotationError(
                f'{where}: {quote(line.strip())} holds something else than numbers.'
            )
        if values[0] not in classes:
            raise AnnotationError(
                f'{where}: the class {words[0]} is none of "names" in the YAML '
                f'({quote(dict(classes))}); correct one of them.'
            )
        category = classes[int(values[0])]
        x, y, width, height = values[1:5]
        _check_fractions(values[1:5], where, 'its box')
        one = LabelledObject(
            category, box=(x - width / 2, y - height / 2, width, height), where=where
        )
        if len(values) == 5:
            remarks.note('boxes have no keypoints: they are unlabelled', where)
        names = templates[category].keypoints
        for index, name in enumerate(names if len(values) > 5 else ()):
            start = 5 + index * dimensions
            point = values[start : start + dimensions]
            keypoint = _read_keypoint(point, f'{where}: keypoint {index + 1}', remarks)
            if keypoint is not None:
                one.keypoints[name] = keypoint
        objects.append(one)
    return objects


def _read_keypoint(
    point: Sequence[float], where: str, remarks: Remarks
) -> Keypoint | None:
    x, y = point[:2]
    if len(point) == 2:
        if (x, y) == (0, 0) or x < 0 or y < 0:
            remarks.note('keypoints at 0, 0 count as unlabelled', where)
            return None
        visibility = SEEN
    else:
        visibility = point[2]
        if visibility not in (0, 1, 2):
            raise AnnotationError(
                f'{where}: has visibility {visibility:g}, expected 0 (not labelled), 1 '
                '(hidden) or 2 (seen); a fraction is the confidence of a prediction, '
                'so decide from which one on a keypoint counts.'
            )
    if visibility == UNLABELLED:
        return None
    _check_fractions((x, y), where, 'it')
    return Keypoint(x, y, int(visibility))


def _check_fractions(values: Sequence[float], where: str, what: str) -> None:
    if any(not -_SLACK <= value <= 1 + _SLACK for value in values):
        raise AnnotationError(
            f'{where}: {what} has the coordinates {quote(list(values))}, expected '
            'fractions of the image from 0 to 1: divide pixels by its size.'
        )
