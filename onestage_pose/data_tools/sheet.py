# Copyright (c) onestage_pose contributors.
"""Draw images with their annotations side by side, what is suspicious first."""

from __future__ import annotations

import math
import os.path as osp
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from ..apis.writing import write_image
from ..datasets.transforms import LoadPoseImage
from ..utils.errors import UsageError
from ..visualization.pose_visualizer import PoseVisualizer
from .check import DataReport, SplitReport

# Pixels of a tile's image, and of the line below it.
_TILE, _LINE = 360, 22
_BLACK = (0, 0, 0)


def draw_sheet(report: DataReport, path: str | Path, number: int = 20) -> int:
    """Draw a contact sheet of a data set.

    Each image has its boxes, keypoints and lines, and below it its id and what was
    found. Images with findings come first, kind by kind in turn; the rest is filled up
    with images at equal distances.

    Args:
        report (DataReport): As :func:`..check.check_data` gives it.
        path (str | Path): The image to write.
        number (int): How many images at most.

    Returns:
        int: How many were drawn.

    Raises:
        UsageError: No image can be drawn.
        OutputError: The file cannot be written.
    """
    tiles = []
    for split, content in zip(report.splits, report.contents):
        if split.image_folder is None or not content:
            continue
        share = number - len(tiles) if split is report.splits[-1] else number // 2
        share = number if len(report.splits) == 1 else share
        tiles += _draw_split(split, content, share)
    if not tiles:
        raise UsageError('--sheet: no image can be drawn; give --images DIR.')
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    height, width = tiles[0].shape[:2]
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = row * height, column * width
        sheet[top : top + height, left : left + width] = tile
    write_image(Path(path), sheet)
    return len(tiles)


def _choose(
    split: SplitReport, images: Sequence[Mapping], number: int
) -> dict[int, str]:
    """Return the ids of the images to draw, and what is said of each."""
    chosen: dict[int, str] = {}
    queues = [
        [(found.kind, each) for each in found.examples if 'image_id' in each]
        for found in split.findings
    ]
    while any(queues) and len(chosen) < number:
        for queue in queues:
            if queue and len(chosen) < number:
                kind, example = queue.pop(0)
                chosen.setdefault(example['image_id'], kind)
    missing = max(number - len(chosen), 0)
    for place in np.linspace(0, len(images) - 1, missing).astype(int) if images else ():
        chosen.setdefault(images[place]['id'], '')
    return chosen


def _draw_split(split: SplitReport, content: Mapping, number: int) -> list[np.ndarray]:
    by_id = {image['id']: image for image in content['images']}
    by_image: dict[int, list[Mapping]] = {}
    for ann in content['annotations']:
        by_image.setdefault(ann['image_id'], []).append(ann)
    categories = {category['id']: category for category in content['categories']}
    names = {category.name: category.keypoint_names for category in split.categories}
    visualizer, load = PoseVisualizer(), LoadPoseImage()
    tiles = []
    for id_, kind in _choose(split, content['images'], number).items():
        record = by_id[id_]
        try:
            results = load(
                dict(img_path=osp.join(split.image_folder, record['file_name']))
            )
        except (OSError, ValueError):
            # said in the findings
            continue
        image = results['img'][..., ::-1].copy()
        objects = by_image.get(id_, [])
        for category_id in sorted({each['category_id'] for each in objects}):
            mine = [each for each in objects if each['category_id'] == category_id]
            category = categories.get(category_id, dict(id=category_id))
            known = names.get(str(category.get('name', category_id)), [])
            visualizer.set_dataset_meta(_make_meta(known, category.get('skeleton')))
            image = visualizer.add_datasample(
                'image', image, _make_sample(mine), draw_pred=False, draw_bbox=True
            )
        text = f'{id_} {record["file_name"]}'
        tiles.append(_make_tile(image[..., ::-1], f'{kind}: {text}' if kind else text))
    return tiles


def _make_meta(names: Sequence[str], skeleton: Iterable | None) -> dict:
    """Make what mmpose's visualizer takes of a data set."""
    links = [
        (link[0] - 1, link[1] - 1)
        for link in skeleton or ()
        if len(link) == 2 and all(1 <= end <= len(names) for end in link)
    ]
    grey = (51, 153, 255)
    return dict(
        keypoint_id2name=dict(enumerate(names)),
        keypoint_name2id={name: index for index, name in enumerate(names)},
        keypoint_colors=np.array([grey] * len(names)),
        skeleton_links=links,
        skeleton_link_colors=np.array([grey] * len(links)),
    )


def _make_sample(annotations: Sequence[Mapping]) -> PoseDataSample:
    keypoints = np.array([a['keypoints'] for a in annotations], np.float32)
    keypoints = keypoints.reshape(len(annotations), -1, 3)
    boxes = np.array([a['bbox'] for a in annotations], np.float32)
    boxes[:, 2:] += boxes[:, :2]
    sample = PoseDataSample()
    sample.gt_instances = InstanceData(
        bboxes=boxes,
        keypoints=keypoints[..., :2],
        keypoints_visible=(keypoints[..., 2] > 0).astype(np.float32),
    )
    return sample


def _make_tile(image: np.ndarray, text: str) -> np.ndarray:
    """Fit a BGR image into a tile, with a line of text below it."""
    height, width = image.shape[:2]
    scale = _TILE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(image), size, interpolation=mode)
    tile = np.full((_TILE + _LINE, _TILE, 3), 255, np.uint8)
    top, left = (_TILE - size[1]) // 2, (_TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    # OpenCV's letters are those of ASCII
    text = text.encode('ascii', 'replace').decode()
    place = 4, _TILE + _LINE - 7
    font = cv2.FONT_HERSHEY_SIMPLEX
    return cv2.putText(tile, text[:56], place, font, 0.4, _BLACK, 1, cv2.LINE_AA)
