# Copyright (c) onestage_pose contributors.
"""Read and check a keypoint annotation file in COCO's format."""

import json
import math
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine import fileio


@dataclass
class CocoKeypointFile:
    """The checked content of a COCO keypoint file: I images, A people.

    Attributes:
        images (list[dict]): The I image records as they stand in the file.
        annotations (list[dict]): The A annotation records as they stand in the file.
        categories (list[dict]): The category records; empty where the file has none.
        image_index (np.ndarray): (A,) int64, the place in ``images`` each person
            belongs to.
        bboxes (np.ndarray): (A, 4) float64 xyxy in edge coordinates of the image, in
            pixels, not clipped.
        keypoints (np.ndarray): (A, K, 3) float32: x, y in pixels (the centre of the
            top-left pixel is 0, 0) and COCO's visibility flag (0 is not labelled).
        iscrowd (np.ndarray): (A,) bool.
    """

    images: list[dict]
    annotations: list[dict]
    categories: list[dict]
    image_index: np.ndarray
    bboxes: np.ndarray
    keypoints: np.ndarray
    iscrowd: np.ndarray


def is_remote(path: str) -> bool:
    """Return whether ``path`` is an address, such as ``s3://`` or ``https://``."""
    return '://' in path


def load_coco_keypoints(
    ann_file: str,
    num_keypoints: int,
    dataset_name: str,
    need_annotations: bool = True,
) -> CocoKeypointFile:
    """Read a COCO keypoint file and check all of it before any work starts.

    Args:
        ann_file (str): Path or address of the JSON file.
        num_keypoints (int): K, the number of keypoints every person must have.
        dataset_name (str): Name of the metainfo that says K, for the error message.
        need_annotations (bool): False allows a file without ``annotations`` (such as
            COCO's image_info_test-dev2017.json), which then has no people.

    Returns:
        CocoKeypointFile: The images and people of the file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is a folder, no JSON, or breaks a rule of the format;
            the message names the file, the record, the key and what to do.
    """
    content = _read_json(ann_file)
    images = _records(ann_file, content, 'images')
    if need_annotations or 'annotations' in content:
        annotations = _records(ann_file, content, 'annotations')
    else:
        annotations = []
    categories = content.get('categories') or []

    _check_images(ann_file, images)
    image_index = _image_index(ann_file, images, annotations)
    bboxes = _number_table(
        ann_file, annotations, 'bbox', 4, 'a box is written [x, y, width, height]'
    )
    bboxes[:, 2:] += bboxes[:, :2]
    keypoints = _number_table(
        ann_file,
        annotations,
        'keypoints',
        3 * num_keypoints,
        f'the metainfo "{dataset_name}" has {num_keypoints} keypoints, each written '
        'x, y, visibility: set metainfo=dict(from_file=...) of the dataset in the '
        'config to the file that describes these keypoints, or correct the '
        'annotations (a person without keypoints has zeros in all places)',
    )
    _check_visibility(ann_file, annotations, keypoints)
    _check_categories(ann_file, annotations)
    _check_areas(ann_file, annotations)
    return CocoKeypointFile(
        images=images,
        annotations=annotations,
        categories=categories,
        image_index=image_index,
        bboxes=bboxes,
        keypoints=keypoints.astype(np.float32).reshape(-1, num_keypoints, 3),
        iscrowd=np.array([bool(ann.get('iscrowd', 0)) for ann in annotations], bool),
    )


def _read_json(ann_file: str) -> dict:
    remedy = 'set ann_file (and data_root) of the dataset in the config'
    if not ann_file:
        raise ValueError(f'The dataset has no annotation file: {remedy}.')
    if not is_remote(ann_file):
        if osp.isdir(ann_file):
            raise ValueError(
                f'{ann_file}: is a folder where an annotation file is expected; '
                f'{remedy} to the JSON file itself.'
            )
        if not osp.isfile(ann_file):
            raise FileNotFoundError(
                f'{ann_file}: this annotation file does not exist; {remedy}, or put '
                'the data there (docs/datasets.md).'
            )
    try:
        content = json.loads(fileio.get(ann_file))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f'{ann_file}: is not valid JSON ({error}); is the download complete?'
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f'{ann_file}: holds a JSON {type(content).__name__} where an object with '
            'the keys "images" and "annotations" is expected; a list is the form of '
            'result files, not of annotation files.'
        )
    return content


def _records(ann_file: str, content: dict, key: str) -> list[dict]:
    if key not in content:
        raise ValueError(
            f'{ann_file}: has no key "{key}" (only {sorted(content)}); a COCO '
            'keypoint file has "images", "annotations" and "categories".'
        )
    records = content[key]
    if not isinstance(records, list):
        raise ValueError(
            f'{ann_file}: "{key}" is a {type(records).__name__}, expected a list.'
        )
    for place, record in enumerate(records):
        if not isinstance(record, dict):
            raise ValueError(
                f'{ann_file}: entry {place} of "{key}" is a '
                f'{type(record).__name__}, expected an object.'
            )
    return records


def _check_images(ann_file: str, images: Sequence[dict]) -> None:
    for place, image in enumerate(images):
        for key in ('id', 'file_name', 'width', 'height'):
            if key not in image:
                raise ValueError(
                    f'{ann_file}: image id={image.get("id", "?")} (entry {place} of '
                    f'"images") has no "{key}"; every image needs id, file_name, '
                    'width and height.'
                )
        _check_file_name(ann_file, image)
        if not isinstance(image['id'], int):
            raise ValueError(
                f'{ann_file}: image id={image["id"]!r} is no integer; COCO results '
                'refer to images by integer ids, so number them.'
            )
        for key in ('width', 'height'):
            if not _is_number(image[key]) or image[key] <= 0:
                raise ValueError(
                    f'{ann_file}: image id={image["id"]} has {key}={image[key]!r}, '
                    'expected the size of the image in pixels.'
                )
    _check_unique(ann_file, images, 'images')


def _check_file_name(ann_file: str, image: dict) -> None:
    """Refuse names by which a downloaded file would reach for others of the disk."""
    name = image['file_name']
    if (
        not isinstance(name, str)
        or not name
        or osp.isabs(name)
        or osp.normpath(name).split(osp.sep)[0] == osp.pardir
    ):
        raise ValueError(
            f'{ann_file}: image id={image["id"]} has file_name={name!r}, expected a '
            'path within the folder of the images; write it relative to '
            'data_root/data_prefix, without "..".'
        )


def _check_unique(ann_file: str, records: Sequence[dict], key: str) -> None:
    ids = [record['id'] for record in records]
    if len(set(ids)) == len(ids):
        return
    twice = [id_ for id_, count in Counter(ids).items() if count > 1]
    raise ValueError(
        f'{ann_file}: {len(twice)} ids of "{key}" stand there more than once, first '
        f'{twice[:3]}; ids must be unique, so renumber them.'
    )


def _image_index(
    ann_file: str, images: Sequence[dict], annotations: Sequence[dict]
) -> np.ndarray:
    place_of = {image['id']: place for place, image in enumerate(images)}
    for place, ann in enumerate(annotations):
        for key in ('id', 'image_id'):
            if key not in ann:
                raise ValueError(
                    f'{ann_file}: annotation id={ann.get("id", "?")} (entry {place} '
                    f'of "annotations") has no "{key}"; give every person its own '
                    'integer id and the image_id of its image.'
                )
            if not isinstance(ann[key], int):
                raise ValueError(
                    f'{ann_file}: entry {place} of "annotations" has {key}='
                    f'{ann[key]!r}, which is no integer; number people and images.'
                )
        if ann['image_id'] not in place_of:
            raise ValueError(
                f'{ann_file}: annotation id={ann["id"]} belongs to '
                f'image_id={ann["image_id"]!r}, which is not in "images"; add the '
                'image there or remove the annotation.'
            )
    _check_unique(ann_file, annotations, 'annotations')
    return np.array([place_of[ann['image_id']] for ann in annotations], np.int64)


def _check_visibility(
    ann_file: str, annotations: Sequence[dict], keypoints: np.ndarray
) -> None:
    flags = keypoints[:, 2::3]
    wrong = ~np.isin(flags, (0, 1, 2))
    if not wrong.any():
        return
    person, keypoint = np.argwhere(wrong)[0]
    raise ValueError(
        f'{ann_file}: annotation id={annotations[person]["id"]} has visibility '
        f'{flags[person, keypoint]:g} for keypoint {keypoint} in "keypoints"; COCO '
        'knows 0 (not labelled), 1 (hidden) and 2 (seen), so translate the flags.'
    )


def _check_categories(ann_file: str, annotations: Sequence[dict]) -> None:
    found = sorted({str(ann.get('category_id', 1)) for ann in annotations})
    if len(found) > 1:
        raise ValueError(
            f'{ann_file}: its annotations are of several categories, category_id='
            f'{", ".join(found)}; the model knows people alone, so keep the '
            'annotations of one category.'
        )


def _check_areas(ann_file: str, annotations: Sequence[dict]) -> None:
    for ann in annotations:
        area = ann.get('area', 0)
        if not _is_number(area) or area < 0:
            raise ValueError(
                f'{ann_file}: annotation id={ann["id"]} has area={area!r}, expected '
                'square pixels; correct it, or leave "area" out and set '
                'use_area=False of KeypointCocoMetric.'
            )


def _number_table(
    ann_file: str, annotations: Sequence[dict], key: str, length: int, remedy: str
) -> np.ndarray:
    """Collect ``ann[key]`` of all annotations: (A, length) float64."""
    if not annotations:
        return np.zeros((0, length))
    # Converting all at once is what makes 150,000 people a matter of seconds; only
    # a file that fails is looked through one by one, to name the first culprit.
    try:
        table = np.array([ann[key] for ann in annotations], np.float64)
    except (KeyError, TypeError, ValueError):
        table = None
    if (
        table is not None
        and table.shape == (len(annotations), length)
        and np.isfinite(table).all()
    ):
        return table
    for ann in annotations:
        fault = _list_fault(ann, key, length)
        if fault is not None:
            raise ValueError(
                f'{ann_file}: annotation id={ann["id"]} (image_id='
                f'{ann["image_id"]}) {fault}; {remedy}.'
            )
    raise ValueError(f'{ann_file}: "{key}" of its annotations is wrong; {remedy}.')


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _list_fault(ann: dict, key: str, length: int) -> str | None:
    if key not in ann:
        return f'has no "{key}" where {length} numbers are expected'
    values: Any = ann[key]
    if not isinstance(values, list):
        return f'has a {type(values).__name__} as "{key}" where a list is expected'
    if len(values) != length:
        return f'has {len(values)} numbers as "{key}" where {length} are expected'
    for value in values:
        if not _is_number(value):
            return f'has {value!r} in "{key}", which is no finite number'
    return None
