# Copyright (c) onestage_pose contributors.
"""Read and check a keypoint annotation file in COCO's format."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from mmengine.logging import print_log

from ..codecs.decoders.options import PERSON_AREA_RATIO
from ..structures.categories import Category, match_categories
from ..structures.coco_records import (
    MAX_PEOPLE,
    check_categories_known,
    check_crowding,
    check_visibility,
    fill_areas,
    get_records,
    quote,
    read_annotations,
    read_categories,
    read_images,
    read_json,
    read_table,
)
from ..structures.skeleton_schema import compare_names
from ..utils.errors import AnnotationError

# Room around a box in which its keypoints are looked for, as a share of its sides.
_MARGIN = 0.1
# Pixels by which a box may lie beyond its image without being suspicious.
_SLACK = 2


@dataclass
class CocoKeypointFile:
    """The checked content of a COCO keypoint file: I images, A people.

    Attributes:
        images (list[dict]): The I image records as they stand in the file.
        annotations (list[dict]): The A annotation records, as
            ``structures/coco_records.py`` normalises them, each with an area.
        categories (list[dict]): The category records; empty where the file has none.
        image_index (np.ndarray): (A,) int64, the place in ``images`` each person
            belongs to.
        bboxes (np.ndarray): (A, 4) float64 xyxy in edge coordinates of the image, in
            pixels, not clipped.
        keypoints (np.ndarray): (A, K, 3) float32: x, y in pixels (the centre of the
            top-left pixel is 0, 0) and COCO's visibility flag (0 is not labelled).
        iscrowd (np.ndarray): (A,) bool.
        labels (np.ndarray): (A,) int64, the categories of the metainfo; 0 where it has
            one skeleton.
        area_ratio (float | None): Mean area over that of the box, of the people whose
            area the file has; None where it has none.
        remarks (list[str]): What was read otherwise than it stands there, to be
            logged.
    """

    images: list[dict]
    annotations: list[dict]
    categories: list[dict]
    image_index: np.ndarray
    bboxes: np.ndarray
    keypoints: np.ndarray
    iscrowd: np.ndarray
    labels: np.ndarray
    area_ratio: float | None = None
    remarks: list[str] = field(default_factory=list)


def is_remote(path: str) -> bool:
    """Return whether ``path`` is an address, such as ``s3://`` or ``https://``."""
    return '://' in path


def load_coco_keypoints(
    ann_file: str,
    num_keypoints: int,
    dataset_name: str | None,
    need_annotations: bool = True,
    keypoint_names: Sequence[str] | None = None,
    max_people: int = MAX_PEOPLE,
    categories: Sequence[Category] = (),
) -> CocoKeypointFile:
    """Read a COCO keypoint file and check all of it before any work starts.

    Args:
        ann_file (str): Path or address of the JSON file.
        num_keypoints (int): K, the number of keypoints every person must have.
        dataset_name (str | None): Name of the metainfo that says K, for messages; None
            where the file itself says it, and no config is to be corrected.
        need_annotations (bool): False allows a file without ``annotations`` (such as
            COCO's image_info_test-dev2017.json), which then has no people.
        keypoint_names (Sequence[str] | None): The K names of the metainfo, to compare
            with those of the file's category.
        max_people (int): Most people of an image; one with more is an error.
        categories (Sequence[Category]): Of the metainfo, where it has several: an
            annotation has the keypoints of its category, which stand in their places
            among all K, and the ``category_id`` of the metainfo.

    Returns:
        CocoKeypointFile: The images and people of the file.

    Raises:
        FileNotFoundError: There is no such file.
        AnnotationError: The file is a folder, no JSON, breaks a rule of the format or
            contradicts the metainfo or itself; the message names the file, the record,
            the key and what to do.
    """
    remedy = 'set ann_file (and data_root) of the dataset in the config'
    if not ann_file:
        raise AnnotationError(f'The dataset has no annotation file: {remedy}.')
    return parse_coco_keypoints(
        ann_file,
        read_json(ann_file, remedy, max_people=max_people),
        num_keypoints,
        dataset_name,
        need_annotations,
        keypoint_names,
        max_people,
        model_categories=categories,
    )


def parse_coco_keypoints(
    ann_file: str,
    content: Mapping,
    num_keypoints: int,
    dataset_name: str | None,
    need_annotations: bool = True,
    keypoint_names: Sequence[str] | None = None,
    max_people: int = MAX_PEOPLE,
    log_remarks: bool = True,
    model_categories: Sequence[Category] = (),
) -> CocoKeypointFile:
    """Check the content of a COCO keypoint file.

    Args:
        ann_file (str): What messages call the file.
        content (Mapping): What the JSON file holds.
        num_keypoints, dataset_name, need_annotations, keypoint_names, max_people: As in
            :func:`load_coco_keypoints`.
        log_remarks (bool): Log what was read otherwise than it stands there.
        model_categories (Sequence[Category]): ``categories`` of
            :func:`load_coco_keypoints`.

    Returns:
        CocoKeypointFile: The images and people.

    Raises:
        AnnotationError: As :func:`load_coco_keypoints`.
    """
    images = read_images(ann_file, content)
    records = []
    if need_annotations or 'annotations' in content:
        records = get_records(ann_file, content, 'annotations')
    check_crowding(ann_file, records, max_people)
    categories = read_categories(ann_file, content)
    place_of = {image['id']: place for place, image in enumerate(images)}
    annotations = read_annotations(ann_file, records, place_of, categories)
    index = np.array([place_of[ann['image_id']] for ann in annotations], np.int64)
    bboxes = read_table(
        ann_file, annotations, 'bbox', 4, 'a box is written [x, y, width, height]'
    )
    labels = np.zeros(len(annotations), np.int64)
    if model_categories:
        annotations, labels, keypoints, remarks = _read_by_category(
            ann_file,
            annotations,
            categories,
            model_categories,
            num_keypoints,
            dataset_name,
        )
    else:
        keypoints = _read_keypoints(
            ann_file, annotations, num_keypoints, _describe(dataset_name), dataset_name
        )
        remarks = _check_category(
            ann_file, annotations, categories, dataset_name, keypoint_names
        )
    _check_boxes(ann_file, annotations, bboxes, images, index)
    bboxes[:, 2:] += bboxes[:, :2]
    keypoints = keypoints.reshape(-1, num_keypoints, 3)
    remarks += _check_places(ann_file, annotations, bboxes, keypoints)
    area_ratio = _measure_area_ratio(annotations)
    annotations, filled = fill_areas(annotations, PERSON_AREA_RATIO)
    if filled:
        remarks.append(
            f'{filled} people have no "area" or 0; {PERSON_AREA_RATIO} of their boxes '
            'is taken for it'
        )
    for remark in remarks if log_remarks else ():
        print_log(f'{ann_file}: {remark}.', logger='current', level=logging.WARNING)
    return CocoKeypointFile(
        images=images,
        annotations=annotations,
        categories=categories,
        image_index=index,
        bboxes=bboxes,
        keypoints=keypoints.astype(np.float32),
        iscrowd=np.array([ann['iscrowd'] for ann in annotations], bool),
        labels=labels,
        area_ratio=area_ratio,
        remarks=remarks,
    )


def _read_keypoints(
    ann_file: str,
    annotations: Sequence[dict],
    num_keypoints: int,
    described_by: str,
    dataset_name: str | None,
) -> np.ndarray:
    """Return (A, 3 K): x, y and visibility of annotations of one skeleton."""
    keypoints = read_table(
        ann_file,
        annotations,
        'keypoints',
        3 * num_keypoints,
        f'{described_by} has {num_keypoints} keypoints, each written x, y, visibility: '
        f'{_remedy(dataset_name)} the annotations (a person without keypoints has '
        'zeros in all places)',
    )
    check_visibility(ann_file, annotations, keypoints)
    return keypoints


def _read_by_category(
    ann_file: str,
    annotations: Sequence[dict],
    records: Sequence[Mapping],
    categories: Sequence[Category],
    num_keypoints: int,
    dataset_name: str | None,
) -> tuple[list[dict], np.ndarray, np.ndarray, list[str]]:
    """Read the keypoints of each category into their places among all K.

    Returns:
        tuple: The A annotations with the ids that the metainfo has; their labels (A,);
        (A, 3 K) float64, 0 for the keypoints of other categories; and remarks.
    """
    ids = np.array([ann['category_id'] for ann in annotations], np.int64)
    found, remarks = match_categories(ann_file, records, ids.tolist(), categories)
    labels = np.zeros(len(ids), np.int64)
    keypoints = np.zeros((len(ids), num_keypoints, 3))
    for id_, category in found.items():
        mine = np.flatnonzero(ids == id_)
        described_by = f'the category {category.name!r} of the metainfo'
        labels[mine] = category.label
        read = _read_keypoints(
            ann_file,
            [annotations[place] for place in mine],
            category.num_keypoints,
            described_by,
            dataset_name,
        )
        keypoints[mine, category.places] = read.reshape(len(mine), -1, 3)
        given = [each.get('keypoints') for each in records if each['id'] == id_]
        if any(given):
            remark = _compare(
                ann_file,
                given[0],
                category.keypoint_names,
                described_by,
                dataset_name,
            )
            remarks += [f'category {category.name!r}: {remark}'] if remark else []
    annotations = [
        {**ann, 'category_id': found[id_].id}
        for ann, id_ in zip(annotations, ids.tolist())
    ]
    return annotations, labels, keypoints.reshape(len(ids), -1), remarks


def _compare(
    ann_file: str,
    given: Sequence[str],
    expected: Sequence[str],
    described_by: str,
    dataset_name: str | None,
) -> str:
    """Return what to say of the names in a file; raise where they are others."""
    agrees, remark = compare_names(given, expected)
    if not agrees:
        raise AnnotationError(
            f'{ann_file}: "categories" and {described_by} disagree: '
            f'{remark}. The file has {", ".join(given)}; '
            f'{"the metainfo has" if dataset_name else "expected are"} '
            f'{", ".join(expected)}: {_remedy(dataset_name)} the file.'
        )
    return remark


def _check_category(
    ann_file: str,
    annotations: Sequence[dict],
    categories: Sequence[Mapping],
    dataset_name: str,
    keypoint_names: Sequence[str] | None,
) -> list[str]:
    """Raise where the people are of several categories, or of one of something else."""
    found = sorted({ann['category_id'] for ann in annotations})
    if len(found) > 1:
        raise AnnotationError(
            f'{ann_file}: its annotations are of several categories, category_id='
            f'{", ".join(map(str, found))}, and {_describe(dataset_name)} has one '
            'skeleton; keep the annotations of one category, or give metainfo of '
            'several categories (docs/how_to/several_categories.md).'
        )
    check_categories_known(ann_file, annotations, categories)
    category = next((each for each in categories if each['id'] in found), None)
    if category is None:
        return []
    where = f'{ann_file}: annotation id={annotations[0]["id"]} is of category '
    where += f'{quote(category.get("name"))} (category_id={category["id"]})'
    for other in categories:
        is_better = not category.get('keypoints') and (
            other.get('keypoints') or _is_person(other)
        )
        if other is not category and is_better and not _is_person(category):
            raise AnnotationError(
                f'{where}, though the file has the category {quote(other.get("name"))} '
                f'(id {other["id"]}); correct category_id, or keep one category in '
                '"categories".'
            )
    if (dataset_name or '').startswith('coco') and _is_other_thing(category):
        raise AnnotationError(
            f'{where}, and the metainfo "{dataset_name}" describes people: '
            f'{_remedy(dataset_name)} the category.'
        )
    given = category.get('keypoints')
    if not given or keypoint_names is None:
        return []
    remark = _compare(
        ann_file, given, keypoint_names, _describe(dataset_name), dataset_name
    )
    return [remark] if remark else []


def _describe(dataset_name: str | None) -> str:
    if dataset_name is None:
        return 'the data set'
    return f'the metainfo "{dataset_name}"'


def _remedy(dataset_name: str | None) -> str:
    """What to do, up to the object of "correct"."""
    if dataset_name is None:
        return 'correct'
    return (
        'set metainfo=dict(from_file=...) of the dataset in the config to the file '
        'that describes these keypoints in this order, or correct'
    )


def _is_person(category: Mapping) -> bool:
    return str(category.get('name')).casefold() == 'person'


def _is_other_thing(category: Mapping) -> bool:
    if _is_person(category):
        return False
    from mmdet.datasets import CocoDataset

    return str(category.get('name')).casefold() in CocoDataset.METAINFO['classes']


def _check_boxes(
    ann_file: str,
    annotations: Sequence[dict],
    boxes: np.ndarray,
    images: Sequence[Mapping],
    index: np.ndarray,
) -> None:
    """Raise where most boxes (A, 4) are not x, y, width, height in pixels."""
    if not annotations:
        return
    sizes = np.array([[image['width'], image['height']] for image in images])[index]
    has_area = (boxes[:, 2:] > 0).all(axis=1)
    far = boxes[:, :2] + boxes[:, 2:]
    are_shares = has_area & (far <= 1 + 1e-6).all(axis=1) & (sizes > 4).all(axis=1)
    reach_out = (far > sizes + _SLACK).any(axis=1)
    would_fit = (boxes[:, 2:] <= sizes + _SLACK) & (boxes[:, 2:] > boxes[:, :2])
    are_corners = has_area & reach_out & would_fit.all(axis=1)
    for wrong, what, remedy in (
        (are_shares, 'fractions of the image', 'multiply them by its size'),
        (
            are_corners,
            'x1, y1, x2, y2: as x, y, width, height they lie beyond the image',
            'subtract x1 and y1 from the others',
        ),
    ):
        if has_area.any() and wrong.sum() > has_area.sum() / 2:
            first = int(np.argmax(wrong))
            raise AnnotationError(
                f'{ann_file}: {wrong.sum()} of {has_area.sum()} boxes seem to be '
                f'{what}; first annotation id={annotations[first]["id"]} with bbox='
                f'{quote(annotations[first]["bbox"])} in an image of '
                f'{sizes[first][0]}x{sizes[first][1]} pixels. A box is written '
                f'[x, y, width, height] in pixels: {remedy}.'
            )


def _measure_area_ratio(annotations: Sequence[dict]) -> float | None:
    ratios = [
        ann['area'] / (ann['bbox'][2] * ann['bbox'][3])
        for ann in annotations
        if not ann['iscrowd'] and ann.get('area') and min(ann['bbox'][2:]) > 0
    ]
    return float(np.mean(ratios)) if ratios else None


def _check_places(
    ann_file: str,
    annotations: Sequence[dict],
    boxes: np.ndarray,
    keypoints: np.ndarray,
) -> list[str]:
    """Raise where most people (A, K, 3) have no keypoint in their box (A, 4) xyxy."""
    labelled = keypoints[..., 2] > 0
    points = keypoints[..., :2]
    sides = boxes[:, 2:] - boxes[:, :2]
    asked = labelled.any(axis=1) & (sides > 0).all(axis=1)
    in_one_pixel = ((points >= 0) & (points <= 1)).all(axis=-1)
    are_shares = asked & (in_one_pixel | ~labelled).all(axis=1)
    are_shares &= (sides > 2 * _SLACK).all(axis=1)
    margin = _MARGIN * sides + _SLACK
    near = points >= (boxes[:, :2] - margin)[:, None]
    inside = (near & (points <= (boxes[:, 2:] + margin)[:, None])).all(axis=-1)
    outside = asked & ~(inside & labelled).any(axis=1)
    for wrong, what, remedy in (
        (are_shares, 'between 0 and 1', 'multiply fractions by the size of the image'),
        (outside, 'outside their boxes', 'correct them or the boxes'),
    ):
        if not wrong.any():
            continue
        first = int(np.argmax(wrong))
        what = (
            f'{wrong.sum()} of {asked.sum()} people have all labelled keypoints '
            f'{what}, first annotation id={annotations[first]["id"]}'
        )
        if wrong.sum() <= asked.sum() / 2:
            return [f'{what}; these train no keypoint']
        raise AnnotationError(
            f'{ann_file}: {what} with bbox={quote(annotations[first]["bbox"])} and '
            f'keypoints={quote(annotations[first]["keypoints"])}; a keypoint is '
            f'written x, y, visibility in pixels of the image: {remedy}.'
        )
    return []
