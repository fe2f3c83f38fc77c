# Copyright (c) onestage_pose contributors.
"""Make COCO files of what a converter has read."""

from __future__ import annotations

import os
import os.path as osp
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ..codecs.decoders.options import PERSON_AREA_RATIO
from ..datasets.coco_file import parse_coco_keypoints
from ..structures.metainfo import COCO_METAINFO, resolve_metainfo
from ..utils.errors import AnnotationError, UsageError
from ..utils.suggestions import did_you_mean
from .images import clean_name, find_image, fit_to_file
from .labels import (
    Keypoint,
    LabelledImage,
    LabelledObject,
    Labels,
    Remarks,
    Template,
    first,
)

#: How far a box that is made from keypoints reaches beyond them, as a share of the
#: longer side of what they span.
BOX_MARGIN = 0.1
#: Its least side, as a share of the longer side of the image.
LEAST_BOX = 0.02
#: Name of the file where a source has no splits, and of the class where it names none.
WHOLE, UNNAMED = 'annotations', 'object'
# Share of the objects under which a label may be another one, misspelt.
_RARE = 0.1
# More annotations of an image than any source has; the reader counts them for training.
_ANY_NUMBER = 10**9


@dataclass
class Assembled:
    """COCO files that are not yet written.

    Attributes:
        contents (dict[str, dict]): By split, what the JSON file holds.
        image_root (Path | None): The folder that ``file_name`` starts from; None where
            no image was found.
        paths (dict[str, Path]): Of the images that were found, by ``file_name``.
        boxes_made (dict[str, int]): By split, boxes that were made from keypoints.
    """

    contents: dict[str, dict]
    image_root: Path | None
    paths: dict[str, Path] = field(default_factory=dict)
    boxes_made: dict[str, int] = field(default_factory=dict)


def assemble(
    labels: Labels,
    remarks: Remarks,
    image_folder: Path | None = None,
    keypoints: Sequence[str] | None = None,
    category: str | None = None,
) -> Assembled:
    """Find the images, and make COCO files that the data set's reader takes.

    Args:
        labels (Labels): What a converter has read. Its objects are changed.
        remarks (Remarks): Is told what is left out and what is made up.
        image_folder (Path | None): Where to look for images before anywhere else.
        keypoints (Sequence[str] | None): The names of the keypoints, in order.
        category (str | None): The only category that is kept; also that of objects
            without one.

    Returns:
        Assembled: At least one image with at least one keypoint.

    Raises:
        UsageError: An option names what the source does not have.
        AnnotationError: Nothing is left, or the reader refuses it.
    """
    kept: list[tuple[LabelledImage, Path]] = []
    missing = []
    for image in labels.images:
        folders = [*image.folders, *labels.folders]
        if image_folder is not None:
            folders.insert(0, image_folder)
        path = find_image(image.names, folders)
        if fit_to_file(image, path, remarks):
            if path is None:
                missing.append(image.names[0])
                path = _expected_path(image.names[0], folders)
            kept.append((image, path))
    if missing:
        remarks.say(
            f'{len(missing)} images were not found ({first(missing)}); they are '
            'written with the size that the source has; give their folder with --images'
        )
    if not kept:
        raise AnnotationError(
            f'none of the {len(labels.images)} images of the source can be used: '
            f'{"; ".join(remarks.left_out) or "it has none"}.'
        )
    _check_paths(kept)
    templates = _choose_categories(labels, remarks, keypoints, category)
    names, root = _name_images(kept, len(missing) == len(kept))
    ids = {name: number for number, name in enumerate(templates, 1)}
    given = [each.id for each in templates.values()]
    if None not in given and len(set(given)) == len(given):
        ids = dict(zip(templates, given))
    categories = [
        _make_category(name, ids[name], template)
        for name, template in templates.items()
    ]
    contents, boxes_made = {}, {}
    for split in dict.fromkeys(image.split for image, _ in kept):
        mine = [(i, names[p]) for i, p in kept if i.split == split]
        key = split or WHOLE
        contents[key], boxes_made[key] = _make_content(
            mine, templates, ids, categories, remarks
        )
        for remark in _check_content(f'{key}.json', contents[key]):
            remarks.say(remark)
    left = set(missing)
    paths = {names[path]: path for i, path in kept if i.names[0] not in left}
    return Assembled(contents, root if paths else None, paths, boxes_made)


def _expected_path(name: str, folders: Sequence[Path]) -> Path:
    """Return where an image would be that was not found."""
    for folder in folders:
        if osp.isabs(name) and Path(name).is_relative_to(osp.abspath(folder)):
            return Path(osp.normpath(name))
    return Path(osp.abspath(folders[0]), clean_name(name))


def _check_paths(kept: Sequence[tuple[LabelledImage, Path]]) -> None:
    known: dict[tuple[str, Path], LabelledImage] = {}
    for image, path in kept:
        other = known.setdefault((image.split, path), image)
        if other is not image:
            where = f'{other.where} and {image.where}'
            if other.where == image.where:
                where = f'{image.where} ({other.names[0]} and {image.names[0]})'
            raise AnnotationError(
                f'{where}: describe the same image {path}; correct its name in one of '
                'them, or give the folder of the images with --images.'
            )


def _name_images(
    kept: Sequence[tuple[LabelledImage, Path]], are_missing: bool
) -> tuple[dict[Path, str], Path]:
    """Name images by their path below the folder that holds all of them."""
    paths = [path for _, path in kept]
    root = Path(os.path.commonpath([path.parent for path in paths]))
    return {path: path.relative_to(root).as_posix() for path in paths}, root


def _choose_categories(
    labels: Labels,
    remarks: Remarks,
    keypoints: Sequence[str] | None,
    category: str | None,
) -> dict[str, Template]:
    """Return the categories with keypoints, and take all other objects out."""
    objects = [one for image in labels.images for one in image.objects]
    known = {one.category for one in objects if one.category}
    known |= {name for name, each in labels.templates.items() if each.keypoints}
    unnamed = [one for one in objects if one.category is None]
    if unnamed:
        if category is None and len(known) > 1:
            raise AnnotationError(
                f'{unnamed[0].where}: an object has keypoints and no box, so its '
                f'class is not known, and there are several ({", ".join(sorted(known))}'
                '); draw its box, or give the class with --category.'
            )
        name = category or next(iter(known), UNNAMED)
        if not known and category is None:
            remarks.say(f'objects have no class: {name!r} is taken (--category)')
        known.add(name)
        for one in unnamed:
            one.category = name
    if category is not None and category not in known:
        raise UsageError(
            f'--category {category}: the source has {", ".join(sorted(known))}.'
            f'{did_you_mean(category, known)}'
        )
    used: dict[str, dict[str, None]] = {}
    for one in objects:
        used.setdefault(one.category, {}).update(dict.fromkeys(one.keypoints))
    templates = {}
    for name in sorted(known):
        template = labels.templates.get(name) or Template()
        names = used.get(name, {})
        if category not in (None, name):
            template = Template()
        elif not template.keypoints:
            template.keypoints = _put_in_order(names, labels.order)
            template.are_numbers = all(each.isdecimal() for each in names)
            mine = [one.keypoints for one in objects if one.category == name]
            for remark in _find_misspelt(template.keypoints, mine):
                remarks.say(remark)
        else:
            unknown = [each for each in names if each not in template.keypoints]
            if unknown:
                raise AnnotationError(
                    f'the category {name!r} has no keypoint {unknown[0]!r}, only '
                    f'{", ".join(template.keypoints)}.'
                    f'{did_you_mean(unknown[0], template.keypoints)}'
                )
        if template.keypoints and names:
            templates[name] = template
    for image in labels.images:
        for one in image.objects:
            if one.category not in templates:
                reason = 'without keypoints' if category in (None, one.category) else ''
                remarks.leave_out(
                    f'objects of the category {one.category!r}'
                    f'{reason and ", which has no keypoint anywhere"}',
                    one.where or image.names[0],
                )
        image.objects = [one for one in image.objects if one.category in templates]
    if not templates:
        raise AnnotationError(
            'the source has no labelled keypoint'
            f'{f" of the category {category!r}" if category else ""}; is it the right '
            'one, and are points or skeletons drawn in it?'
        )
    if keypoints is not None:
        _rename(templates, labels, list(keypoints))
    if len(templates) > 1:
        remarks.say(
            f'several categories have keypoints ({", ".join(templates)}); finetune '
            'trains on all of them: --category keeps one'
        )
    return templates


def _find_misspelt(
    names: Sequence[str], objects: Sequence[Iterable[str]]
) -> Iterator[str]:
    """Yield a remark for each label that seems to be another one, misspelt."""
    number = Counter(name for labelled in objects for name in labelled)
    known: dict[str, str] = {}
    for name in sorted(names, key=lambda name: -number[name]):
        other = known.setdefault(re.sub(r'[\s_-]+', '', name.casefold()), name)
        if other != name:
            yield (
                f'the keypoints {other!r} (in {number[other]} objects) and {name!r} '
                f'(in {number[name]}) differ only by case, blanks or hyphens; if one '
                'keypoint is meant, correct the label in the source'
            )
    total = sum(any(True for _ in labelled) for labelled in objects)
    often = [name for name in names if 2 * number[name] > total]
    for name in names:
        if number[name] < _RARE * total and 2 * len(often) > len(names):
            hint = did_you_mean(name, often) or ' Is it misspelt?'
            yield (
                f'the keypoint {name!r} is in {number[name]} of {total} objects, most '
                f'others are in most.{hint}'
            )


def _put_in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Order keypoints as the source says, else as COCO has them, else by name."""
    names = list(names)
    if set(names) <= set(order):
        return [name for name in dict.fromkeys(order) if name in names]
    coco = parse_pose_metainfo(resolve_metainfo(dict(from_file=COCO_METAINFO)))
    of_coco = [coco['keypoint_id2name'][i] for i in range(coco['num_keypoints'])]
    if set(names) <= set(of_coco):
        return [name for name in of_coco if name in names]
    return sorted(names, key=_natural)


def _natural(name: str) -> list[tuple[int, Any]]:
    """Return a key by which kp2 comes before kp10."""
    parts = re.split(r'(\d+)', name)
    return [(0, int(p)) if p.isdecimal() else (1, p) for p in parts if p]


def _rename(
    templates: Mapping[str, Template], labels: Labels, names: list[str]
) -> None:
    """Put keypoints in the order of ``--keypoints``, or name those without a name."""
    if len(set(names)) < len(names) or not all(names):
        raise UsageError(f'--keypoints {",".join(names)}: give every name once.')
    for category, template in templates.items():
        old = list(template.keypoints)
        if template.are_numbers and len(names) == len(old):
            new_of = dict(zip(old, names))
        elif set(old) <= set(names):
            new_of = {name: name for name in old}
        else:
            missing = [name for name in old if name not in names]
            raise UsageError(
                f'--keypoints: the {len(names)} names lack {", ".join(missing)}, which '
                f'{category!r} has; its {len(old)} keypoints are {", ".join(old)}.'
                f'{did_you_mean(missing[0], names)}'
            )
        if template.flip_idx is not None:
            other = {new_of[a]: new_of[old[b]] for a, b in zip(old, template.flip_idx)}
            template.flip_idx = [names.index(other.get(n, n)) for n in names]
        template.keypoints = names
        template.skeleton = [(new_of[a], new_of[b]) for a, b in template.skeleton]
        for image in labels.images:
            for one in image.objects:
                if one.category == category:
                    one.keypoints = {
                        new_of[name]: point for name, point in one.keypoints.items()
                    }


def _make_category(name: str, id_: int, template: Template) -> dict:
    names = template.keypoints
    category = dict(
        id=id_,
        name=name,
        supercategory=name,
        keypoints=names,
        # COCO counts from 1
        skeleton=[
            [names.index(a) + 1, names.index(b) + 1] for a, b in template.skeleton
        ],
    )
    if template.flip_idx is not None:
        category['flip_idx'] = template.flip_idx
    return category


def _make_content(
    images: Sequence[tuple[LabelledImage, str]],
    templates: Mapping[str, Template],
    ids: Mapping[str, int],
    categories: list[dict],
    remarks: Remarks,
) -> tuple[dict, int]:
    """Make a COCO file; also return how many boxes were made from keypoints."""
    image_ids = _number([image.id for image, _ in images])
    object_ids = iter(_number([one.id for image, _ in images for one in image.objects]))
    records: list[dict] = []
    annotations: list[dict] = []
    boxes_made = 0
    for (image, name), image_id in zip(images, image_ids):
        width, height = image.size
        records.append(dict(id=image_id, file_name=name, width=width, height=height))
        for one in image.objects:
            id_ = next(object_ids)
            if one.box is None:
                if not one.keypoints:
                    remarks.leave_out(
                        'objects without a box and without keypoints',
                        one.where or name,
                    )
                    continue
                one.box = surround(one.keypoints.values(), image.size)
                boxes_made += 1
            annotations.append(
                _make_annotation(
                    one, id_, image_id, ids[one.category], templates[one.category]
                )
            )
    content = dict(
        info=dict(description='converted by onestage-pose convert-data'),
        licenses=[],
        images=records,
        annotations=annotations,
        categories=categories,
    )
    return content, boxes_made


def _number(given: Sequence[int | None]) -> list[int]:
    """Return the ids that are given where all are and differ, else 1, 2, 3, ..."""
    if None in given or len(set(given)) < len(given):
        return list(range(1, len(given) + 1))
    return list(given)


def _make_annotation(
    one: LabelledObject, id_: int, image_id: int, category_id: int, template: Template
) -> dict:
    flat = []
    for name in template.keypoints:
        x, y, visibility = one.keypoints.get(name, (0, 0, 0))
        flat += [_round(x), _round(y), visibility]
    box = [_round(value) for value in one.box]
    area = one.area or PERSON_AREA_RATIO * max(box[2], 0) * max(box[3], 0)
    annotation = dict(
        id=id_,
        image_id=image_id,
        category_id=category_id,
        bbox=box,
        area=_round(area),
        iscrowd=int(one.is_crowd),
        num_keypoints=len(one.keypoints),
        keypoints=flat,
    )
    if one.segmentation:
        annotation['segmentation'] = one.segmentation
    return annotation


def surround(
    keypoints: Iterable[Keypoint], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Make the box of an object from its keypoints.

    It reaches :data:`BOX_MARGIN` of the longer side beyond them, has sides of at least
    :data:`LEAST_BOX` of the image's longer side, and ends at the border of the image.

    Args:
        keypoints (Iterable[Keypoint]): In pixels, at least one.
        size (tuple[int, int]): Width and height of the image.

    Returns:
        tuple: x, y, width, height in pixels, edges.
    """
    places = [(x, y) for x, y, _ in keypoints]
    spans = [(min(values), max(values)) for values in zip(*places)]
    longer = max(end - start for start, end in spans)
    least = LEAST_BOX * max(size)
    box = []
    for (start, end), side in zip(spans, size):
        reach = max(BOX_MARGIN * longer, (least - (end - start)) / 2)
        box.append((max(0.0, start - reach), min(float(side), end + reach)))
    (left, right), (top, bottom) = box
    return left, top, right - left, bottom - top


def _round(value: float) -> float | int:
    rounded = round(float(value), 3)
    return int(rounded) if rounded == int(rounded) else rounded


def _check_content(name: str, content: dict) -> list[str]:
    """Let the data set's reader look at a file before it is written."""
    remarks = []
    for category in content['categories']:
        mine = [
            each
            for each in content['annotations']
            if each['category_id'] == category['id']
        ]
        read = parse_coco_keypoints(
            name,
            {**content, 'annotations': mine, 'categories': [category]},
            len(category['keypoints']),
            None,
            keypoint_names=category['keypoints'],
            max_people=_ANY_NUMBER,
            log_remarks=False,
        )
        remarks += [f'{name}: {remark}' for remark in read.remarks]
    return remarks
