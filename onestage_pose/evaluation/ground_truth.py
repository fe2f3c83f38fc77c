# Copyright (c) onestage_pose contributors.
"""Ground truth in COCO's form, and what both metrics ask of it."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any


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
        Dict of ``image`` and ``annotations`` as they stand in a COCO file.

    Raises:
        ValueError: The sample carries no ``raw_ann_info``.
    """
    if 'raw_ann_info' not in data_sample:
        raise ValueError(
            f'{metric} has no ground truth for image {data_sample["img_id"]}: its data '
            'sample has no raw_ann_info. Set ann_file of the metric to the COCO file, '
            'or test_mode=True of the dataset.'
        )
    annotations = data_sample['raw_ann_info'] or []
    if isinstance(annotations, Mapping):
        annotations = [annotations]
    height, width = data_sample['ori_shape'][:2]
    image = dict(id=data_sample['img_id'], width=width, height=height)
    if 'crowd_index' in data_sample:
        image['crowdIndex'] = data_sample['crowd_index']
    return dict(image=image, annotations=annotations)


def coco_content(ground_truths: Sequence[Mapping]) -> dict:
    """Join the ground truth of all images to the content of a COCO file.

    Args:
        ground_truths: What :func:`sample_ground_truth` gave; an image that comes
            twice counts once.

    Returns:
        Dict of ``images``, ``annotations`` (copies) and ``categories``.
    """
    by_id = {truth['image']['id']: truth for truth in ground_truths}
    annotations = [
        dict(category_id=1, iscrowd=0) | dict(ann)
        for truth in by_id.values()
        for ann in truth['annotations']
    ]
    category_ids = sorted({ann['category_id'] for ann in annotations}) or [1]
    return dict(
        images=[truth['image'] for truth in by_id.values()],
        annotations=annotations,
        categories=[dict(id=id_, name='person') for id_ in category_ids],
    )


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
