# Copyright (c) onestage_pose contributors.
"""COCO keypoints, as annotation programs export them.

``structures/coco_records.py`` reads the records. What programs write otherwise than
COCO is put right before: numbers as text, values that are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...structures.coco_records import (
    check_categories_known,
    check_visibility,
    get_records,
    quote,
    read_annotations,
    read_categories,
    read_images,
    read_json,
    read_table,
)
from ...utils.errors import AnnotationError
from ..images import clean_name
from ..labels import (
    UNLABELLED,
    Keypoint,
    LabelledImage,
    LabelledObject,
    Labels,
    Remarks,
    Template,
    find_split,
)
from ..sides import pair_sides

_FLAGS = {'true': 1, 'false': 0, '': 0}
# Of an image that states no size; its file says it.
_NO_SIZE = 1


def recognise(path: Path, content: Any) -> bool:
    """Return whether a file has the keys of a COCO file."""
    return isinstance(content, Mapping) and {'images', 'annotations'} <= set(content)


def read(source: Path, remarks: Remarks) -> Labels:
    """Read a file, or all COCO files of a folder, each as a split.

    Args:
        source (Path): The JSON file, or a folder such as CVAT's or Roboflow's export.
        remarks (Remarks): Is told what is left out and what was put right.

    Returns:
        Labels: With the ids, areas and outlines of the files.

    Raises:
        AnnotationError: A record means nothing even so; names file, record and key.
    """
    files = [source]
    if source.is_dir():
        files = []
        for path in sorted(source.rglob('*.json')):
            content = read_json(str(path), '', object)
            if not recognise(path, content):
                remarks.leave_out('JSON files that are not of COCO', str(path))
            elif len(files) and not _has_keypoints(content):
                remarks.leave_out('COCO files without keypoints', str(path))
            else:
                files.append(path)
    labels = Labels([], [])
    splits: dict[str, Path] = {}
    for path in files:
        split = ''
        if len(files) > 1:
            near = path.relative_to(source).parts
            split = find_split(reversed(near)) or clean_name(path.stem)
        if split in splits:
            raise AnnotationError(
                f'{path}: is of the same split {split!r} as {splits[split]}; convert '
                'the files one by one.'
            )
        splits[split] = path
        _read_file(path, split, labels, remarks)
    return labels


def _has_keypoints(content: Mapping) -> bool:
    return any(
        isinstance(each, Mapping) and each.get('keypoints')
        for key in ('categories', 'annotations')
        for each in content.get(key) or ()
    )


def _read_file(path: Path, split: str, labels: Labels, remarks: Remarks) -> None:
    file = str(path)
    content = dict(read_json(file, 'give a COCO file'))
    for key in ('images', 'annotations', 'categories'):
        if key in content or key != 'categories':
            content[key] = get_records(file, content, key)
    _mend(content, file, remarks)
    images = read_images(file, content)
    categories = read_categories(file, content)
    records = read_annotations(
        file, content['annotations'], [each['id'] for each in images], categories
    )
    check_categories_known(file, records, categories)
    names = {each['id']: each.get('name') or 'object' for each in categories}
    templates = {}
    for category in categories:
        name = names[category['id']]
        mine = [each for each in records if each['category_id'] == category['id']]
        templates[name] = _read_template(file, category, mine, remarks)
    if not categories:
        names = {each['category_id']: 'object' for each in records}
        templates['object'] = _read_template(file, {'id': 1}, records, remarks)
    for name, template in templates.items():
        known = labels.templates.setdefault(name, template)
        if known.keypoints != template.keypoints and template.keypoints:
            if known.keypoints:
                raise AnnotationError(
                    f'{file}: the category {name!r} has the keypoints '
                    f'{", ".join(template.keypoints)}, and another file of the source '
                    f'{", ".join(known.keypoints)}; correct one of them.'
                )
            labels.templates[name] = template
        elif known.flip_idx is None:
            known.flip_idx = template.flip_idx
        elif template.flip_idx not in (None, known.flip_idx):
            raise AnnotationError(
                f'{file}: flip_idx={quote(template.flip_idx)} of the category '
                f'{name!r} is {quote(known.flip_idx)} in another file of the source; '
                'correct one of them.'
            )
    base = path.parent
    stem = path.stem.removeprefix('person_keypoints_')
    words = dict.fromkeys([stem, find_split([stem]), *([split] if split else [])])
    folders = [
        folder
        for root in (base / 'images', base, base.parent / 'images', base.parent)
        for folder in (*(root / word for word in words if word), root)
    ]
    by_image = {
        each['id']: LabelledImage(
            [*each['_names'], each['file_name']],
            folders=folders,
            size=None
            if each['width'] == _NO_SIZE or each['height'] == _NO_SIZE
            else (each['width'], each['height']),
            split=split,
            id=each['id'],
            where=file,
        )
        for each in images
    }
    for category_id, name in names.items():
        mine = [each for each in records if each['category_id'] == category_id]
        _read_objects(file, mine, name, templates[name], by_image)
    labels.images += by_image.values()


def _read_objects(
    file: str,
    records: Sequence[dict],
    category: str,
    template: Template,
    by_image: Mapping[int, LabelledImage],
) -> None:
    number = len(template.keypoints)
    table = read_table(
        file,
        records,
        'keypoints',
        3 * number,
        f'the category {category!r} has {number} keypoints, each written x, y, '
        'visibility',
    )
    check_visibility(file, records, table)
    has_box = [each for each in records if 'bbox' in each]
    boxes = read_table(
        file, has_box, 'bbox', 4, 'a box is written [x, y, width, height]'
    )
    box_of = {each['id']: tuple(map(float, box)) for each, box in zip(has_box, boxes)}
    for record, row in zip(records, table.reshape(len(records), number, 3)):
        one = LabelledObject(
            category,
            box=box_of.get(record['id']),
            is_crowd=bool(record['iscrowd']),
            area=record.get('area') or None,
            segmentation=record.get('segmentation') or None,
            id=record['id'],
            where=f'{file}: annotation id={record["id"]}',
        )
        for name, (x, y, visibility) in zip(template.keypoints, row.tolist()):
            if visibility != UNLABELLED:
                one.keypoints[name] = Keypoint(x, y, int(visibility))
        by_image[record['image_id']].objects.append(one)


def _read_template(
    file: str, category: Mapping, records: Sequence[dict], remarks: Remarks
) -> Template:
    names = list(category.get('keypoints') or ())
    number = max((len(each['keypoints']) for each in records), default=0) // 3
    are_numbers = not names and number > 0
    if are_numbers:
        names = [f'keypoint_{place + 1}' for place in range(number)]
        remarks.say(
            f'keypoints of {category.get("name", "the annotations")} have no names; '
            'give them in order with --keypoints'
        )
    if len(set(names)) < len(names):
        raise AnnotationError(
            f'{file}: the category id={category["id"]} has two keypoints of one name '
            f'({quote(names)}); give every keypoint a name of its own.'
        )
    # people without any have zeros
    for each in records:
        each['keypoints'] = each['keypoints'] or [0] * (3 * len(names))
    flip_idx = category.get('flip_idx') if names else None
    if flip_idx is not None:
        where = f'{file}: the category id={category["id"]}'
        pair_sides(names, flip_idx=flip_idx, source=where)
    template = Template(
        names,
        flip_idx=flip_idx,
        are_numbers=are_numbers or all(name.isdecimal() for name in names),
        id=category['id'],
    )
    for link in category.get('skeleton') or ():
        fits = (
            isinstance(link, list)
            and len(link) == 2
            and all(isinstance(n, int) and 1 <= n <= len(names) for n in link)
        )
        if fits:
            template.skeleton.append((names[link[0] - 1], names[link[1] - 1]))
        else:
            remarks.leave_out(
                'lines of a skeleton that are not two numbers from 1 to the number of '
                'keypoints',
                f'{file}: {quote(link)}',
            )
    return template


def _mend(content: dict, file: str, remarks: Remarks) -> None:
    """Put right what the reader would refuse though only one thing can be meant."""
    images = [dict(each) for each in content['images']]
    # COCO-Annotator keeps what was deleted
    gone = {_plain(e.get('id')) for e in images if e.get('deleted') is True}
    kept = []
    for image in images:
        if image.get('deleted') is True:
            remarks.leave_out('images that are marked as deleted', file)
            continue
        for key in ('width', 'height'):
            image[key] = _plain(image.get(key)) or _NO_SIZE
        name = image.get('file_name')
        if isinstance(name, str) and name:
            image['_names'] = [name]
            image['file_name'] = clean_name(name) or name
        kept.append(image)
    annotations = []
    for record in content['annotations']:
        if record.get('deleted') is True or _plain(record.get('image_id')) in gone:
            remarks.leave_out('annotations that are marked as deleted', file)
        else:
            annotations.append(dict(record))
    content['images'], content['annotations'] = kept, annotations
    categories = [dict(each) for each in content.get('categories') or ()]
    if categories:
        content['categories'] = categories
    to_image = _mend_ids(kept, 'images', file, remarks)
    to_category = _mend_ids(categories, 'categories', file, remarks)
    _mend_ids(annotations, 'annotations', file, remarks)
    number_of = {
        each.get('id'): len(each['keypoints'])
        for each in categories
        if isinstance(each.get('keypoints'), list)
    }
    for place, record in enumerate(annotations):
        where = f'{file}: annotation id={record["id"]}'
        for key, known in (('image_id', to_image), ('category_id', to_category)):
            if key in record:
                value = _plain(record[key])
                record[key] = known.get(_hashable(record[key]), value)
        flag = record.get('iscrowd')
        if isinstance(flag, str):
            record['iscrowd'] = _FLAGS.get(flag.casefold(), _plain(flag))
        for key in ('area', 'num_keypoints'):
            if key in record:
                record[key] = _plain(record[key])
        if not record.get('area'):
            record.pop('area', None)
        box = record.get('bbox')
        box = [_plain(value) for value in box] if isinstance(box, list) else box
        if not box or box == [0, 0, 0, 0]:
            record.pop('bbox', None)
        else:
            record['bbox'] = box
        record['keypoints'] = _mend_keypoints(
            record.get('keypoints'), number_of.get(record.get('category_id')), where
        )
        stated = record.get('num_keypoints')
        flags = record['keypoints'][2::3]
        if stated is not None and stated != sum(bool(flag) for flag in flags):
            remarks.note(
                'num_keypoints are not the number of labelled keypoints', where
            )
        annotations[place] = record


def _mend_keypoints(values: Any, number: int | None, where: str) -> list:
    """Return x, y, visibility of all keypoints in one list, as numbers."""
    if values is None:
        return []
    if not isinstance(values, list):
        raise AnnotationError(
            f'{where} has keypoints={quote(values)}; expected a list of numbers.'
        )
    if values and all(isinstance(each, list) for each in values):
        values = [
            value
            for each in values
            for value in (each if len(each) > 2 else [*each, 2])
        ]
    values = [_plain(value) for value in values]
    if number and len(values) == 2 * number:
        pairs = np.reshape(values, (number, 2)).tolist()
        return [
            value for x, y in pairs for value in (x, y, 0 if (x, y) == (0, 0) else 2)
        ]
    return values


def _mend_ids(
    records: Sequence[dict], kind: str, file: str, remarks: Remarks
) -> dict[Any, int]:
    """Give records integer ids; return the new one of each that was no integer."""
    given = [record.get('id') for record in records]
    plain = [_plain(id_) for id_ in given]
    renamed: dict[Any, int] = {}
    if all(isinstance(id_, (int, float)) for id_ in plain):
        for record, id_ in zip(records, plain):
            record['id'] = id_
        if plain != given:
            remarks.say(f'{file}: ids of "{kind}" are text: read as numbers')
        return renamed
    if kind != 'annotations' and None in given:
        # the reader names it
        return renamed
    for number, record in enumerate(records, 1):
        if record.get('id') is not None:
            known = renamed.setdefault(_hashable(record['id']), number)
            if known != number:
                raise AnnotationError(
                    f'{file}: the id {quote(record["id"])} of "{kind}" occurs '
                    'more than once; ids must be unique, so renumber them.'
                )
        record['id'] = number
    remarks.say(f'{file}: ids of "{kind}" are not numbers, or missing: numbered anew')
    return renamed


def _hashable(value: Any) -> Any:
    return quote(value) if isinstance(value, (list, dict)) else value


def _plain(value: Any) -> Any:
    """Return text that is a number as that number; anything else as it is."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
