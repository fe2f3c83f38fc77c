# Copyright (c) onestage_pose contributors.
"""Ground truth in COCO's form, and what both metrics ask of it."""

import logging
import os.path as osp
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mmengine.logging import print_log

from ..codecs.decoders.options import PERSON_AREA_RATIO
from ..structures.categories import Category, match_categories
from ..structures.coco_records import (
    check_categories_known,
    check_visibility,
    fill_areas,
    get_records,
    read_annotations,
    read_categories,
    read_images,
    read_json,
    read_table,
)
from ..utils.errors import AnnotationError


def read_ground_truth(ann_file: str, metric: str, need_keypoints: bool) -> dict:
    """Read the annotation file of a metric, as the data set reads its own.

    Args:
        ann_file: Path or address of the file.
        metric: Name of the metric, for messages.
        need_keypoints: Whether every annotation has to have keypoints.

    Returns:
        The content of the file, with normalised records, each with an area.

    Raises:
        AnnotationError: The file breaks the schema of ``structures/coco_records.py``;
            names file, record and key.
    """
    content = read_json(ann_file, f'set ann_file of {metric} in the config')
    images = read_images(ann_file, content, need_names=False)
    categories = read_categories(ann_file, content)
    annotations = read_annotations(
        ann_file,
        get_records(ann_file, content, 'annotations'),
        [image['id'] for image in images],
        categories,
    )
    check_categories_known(ann_file, annotations, categories)
    for category_id in sorted({ann['category_id'] for ann in annotations}):
        own = [ann for ann in annotations if ann['category_id'] == category_id]
        check_lists(ann_file, own, need_keypoints)
    annotations, filled = fill_areas(annotations, PERSON_AREA_RATIO)
    if filled:
        print_log(
            f'{ann_file}: {filled} annotations have no "area" or 0; '
            f'{PERSON_AREA_RATIO} of their boxes is used instead.',
            logger='current',
            level=logging.WARNING,
        )
    return {
        **content,
        'images': images,
        'annotations': annotations,
        # COCO's programs measure the categories that a file has, and so none of these
        'categories': categories or _categories_of(annotations),
    }


def check_lists(source: str, annotations: Sequence[dict], need_keypoints: bool) -> None:
    """Refuse boxes and keypoints that are not lists of numbers.

    Args:
        source: The file or the metric that they come through, for messages.
        annotations: Annotation records.
        need_keypoints: Whether every one has to have keypoints.

    Raises:
        AnnotationError: Naming the annotation and the value.
    """
    read_table(source, annotations, 'bbox', 4, 'a box is written [x, y, width, height]')
    if need_keypoints:
        remedy = 'keypoints are written x, y, visibility, as many for everyone'
        table = read_table(source, annotations, 'keypoints', None, remedy)
        check_visibility(source, annotations, table)


def take_truth(content: Mapping, category: Category) -> dict:
    """Take the annotations of one category.

    Args:
        content: With ``annotations``, and maybe ``categories``.
        category: Of the metainfo, whose ids the annotations have.

    Returns:
        The same with these annotations, and this category, alone.
    """
    taken = {
        **content,
        'annotations': [
            ann for ann in content['annotations'] if ann['category_id'] == category.id
        ],
    }
    if 'categories' in content:
        taken['categories'] = [dict(id=category.id, name=category.name)]
    return taken


def renumber_categories(
    file: str, content: Mapping, categories: Sequence[Category]
) -> dict:
    """Give the annotations of a file the category ids that the metainfo has.

    Args:
        file: Path of the file, for messages.
        content: What it holds.
        categories: Of the metainfo.

    Returns:
        A copy, without the categories that the metainfo has not.

    Raises:
        AnnotationError: Annotations are of one of those.
    """
    annotations = content['annotations']
    used = [ann['category_id'] for ann in annotations]
    found, _ = match_categories(file, content.get('categories') or (), used, categories)
    return {
        **content,
        'annotations': [
            {**ann, 'category_id': found[ann['category_id']].id} for ann in annotations
        ],
        'categories': [
            {**record, 'id': found[record['id']].id}
            for record in content.get('categories') or ()
            if record['id'] in found
        ],
    }


def average_metrics(
    found: Mapping[str, Mapping[str, float]], counts: Collection[str] = ()
) -> dict[str, float]:
    """Return the means of metrics over categories, and those of each category.

    Args:
        found: By the category's name; below 0 where there is nothing to measure.
        counts: Names of those that are summed.

    Returns:
        ``AP``, the mean of the categories with something to measure, and so on; then
        ``CATEGORY/AP`` and so on.
    """
    metrics = {}
    for name in next(iter(found.values()), ()):
        known = [each[name] for each in found.values() if each[name] >= 0]
        number = 1 if name in counts else len(known)
        metrics[name] = sum(known) / number if known else -1.0
    return metrics | {
        f'{category}/{name}': value
        for category, own in found.items()
        for name, value in own.items()
    }


def name_of_category(path: str, category: str) -> str:
    """Return the name of a file that is of one category.

    Args:
        path: The file's, or the start of it.
        category: Its name, which is put before the suffix, without what the name of a
            file should not have.

    Returns:
        Such as ``report_dog.html``.
    """
    start, suffix = osp.splitext(path)
    name = re.sub(r'\W+', '_', category)
    return f'{start}_{name}{suffix}'


def check_ann_file(ann_file: str | None, metric: str) -> None:
    """Raise FileNotFoundError where a metric's annotation file does not exist.

    Args:
        ann_file: Path or address of the file; None needs no file.
        metric: Name of the metric, for the message.
    """
    if ann_file is None or '://' in ann_file or osp.isfile(ann_file):
        return
    raise FileNotFoundError(
        f'{ann_file}: the annotation file of {metric} does not exist; set its ann_file '
        'in the config, or leave it out to evaluate against what the dataset loads.'
    )


def sample_ground_truth(data_sample: Mapping[str, Any], metric: str) -> dict:
    """Take the ground truth of one image from its data sample.

    Args:
        data_sample: Holds ``img_id``, ``ori_shape`` (h, w) and ``raw_ann_info``: the
            image's COCO annotation records (a list, or one, or None for none).
        metric: Name of the metric, for the message.

    Returns:
        Dict of ``image`` and ``annotations`` as they stand in a COCO file, with
        normalised values.

    Raises:
        AnnotationError: The sample carries no ``raw_ann_info``, or a record of it
            breaks the schema of ``structures/coco_records.py``.
    """
    if 'raw_ann_info' not in data_sample:
        raise AnnotationError(
            f'{metric} has no ground truth for image {data_sample["img_id"]}: its data '
            'sample has no raw_ann_info. Set ann_file of the metric to the COCO file, '
            'or test_mode=True of the dataset.'
        )
    annotations = data_sample['raw_ann_info'] or []
    if isinstance(annotations, Mapping):
        annotations = [annotations]
    annotations = read_annotations(
        metric,
        # that of a sample without image_id is known
        [{'image_id': data_sample['img_id'], **ann} for ann in annotations if ann],
        [data_sample['img_id']],
    )
    height, width = data_sample['ori_shape'][:2]
    image = dict(id=data_sample['img_id'], width=width, height=height)
    if 'crowd_index' in data_sample:
        image['crowdIndex'] = data_sample['crowd_index']
    return dict(image=image, annotations=annotations)


def coco_content(ground_truths: Sequence[Mapping]) -> dict:
    """Join the ground truth of all images to the content of a COCO file.

    Args:
        ground_truths: What :func:`sample_ground_truth` gave; an image may come
            several times, with all its people or one of them each. An annotation that
            comes twice counts once.

    Returns:
        Dict of ``images``, ``annotations`` (copies) and ``categories``.
    """
    images = {truth['image']['id']: truth['image'] for truth in ground_truths}
    annotations = {
        (truth['image']['id'], ann['id']): dict(ann)
        for truth in ground_truths
        for ann in truth['annotations']
    }
    return dict(
        images=list(images.values()),
        annotations=list(annotations.values()),
        categories=_categories_of(annotations.values()),
    )


def _categories_of(annotations: Iterable[Mapping]) -> list[dict]:
    category_ids = sorted({ann['category_id'] for ann in annotations}) or [1]
    return [dict(id=id_, name='person') for id_ in category_ids]


def renumber(annotations: Sequence[Mapping]) -> list[dict]:
    """Number annotations from 1 on, for COCO's programs.

    They take a person of id 0 for one that nobody has found, and some of them one of a
    negative id.

    Args:
        annotations: Annotation records.

    Returns:
        Copies with ids from 1 on, in the same order.
    """
    return [{**ann, 'id': number} for number, ann in enumerate(annotations, 1)]


def person_category(content: Mapping) -> int:
    """Tell which category id the people of a COCO file have.

    Args:
        content: A COCO file's content.

    Returns:
        The only category in use; of several, the one named person; else 1.
    """
    used = {ann['category_id'] for ann in content.get('annotations', ())}
    if len(used) == 1:
        return used.pop()
    for category in content.get('categories') or ():
        if category.get('name') == 'person':
            return category['id']
    return 1


def metrics_table(title: str, metrics: Mapping[str, float]) -> str:
    """Write metrics as a table of two lines under a title.

    Args:
        title: First line.
        metrics: Values between 0 and 1 by name; -1 where there is nothing to measure.

    Returns:
        The text, to be logged.
    """
    names = '  '.join(f'{name:>7}' for name in metrics)
    values = '  '.join(
        f'{"-":>7}' if value < 0 else f'{value:7.4f}' for value in metrics.values()
    )
    return f'{title}\n{names}\n{values}'
