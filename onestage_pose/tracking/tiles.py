# Copyright (c) onestage_pose contributors.
"""Small people: a second look at overlapping parts of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..apis.inputs import ImageItem, Inputs, InputsType, open_inputs
from ..apis.predictor import PosePredictor
from ..apis.result import PoseResult
from ..datasets import LoadPoseImage
from ..utils.errors import UsageError
from .similarity import pairwise_iou, pairwise_oks

#: Share of a tile that the next one has too. Who is larger is found in the whole image.
OVERLAP = 0.25
#: Two people of different parts are one from this similarity on, by box or by pose.
SAME_THR = 0.5

# Pixels within which a box touches the border of a tile.
_TOUCH = 3


class Tile(NamedTuple):
    """A part of an image, in its pixels: ``image[top:bottom, left:right]``."""

    left: int
    top: int
    right: int
    bottom: int


def cut_tiles(
    height: int, width: int, tiles: tuple[int, int], overlap: float = OVERLAP
) -> list[Tile]:
    """Cut an image into overlapping parts of one size.

    Args:
        height (int): Of the image, in pixels.
        width (int): Likewise.
        tiles (tuple[int, int]): How many side by side, and how many on top of each
            other.
        overlap (float): Share of a tile that the next one has too.

    Returns:
        list[Tile]: Row by row. Together they cover the image.
    """
    columns, rows = (
        _cut(length, number, overlap) for length, number in zip((width, height), tiles)
    )
    return [
        Tile(left, top, right, bottom)
        for top, bottom in rows
        for left, right in columns
    ]


def _cut(length: int, number: int, overlap: float) -> list[tuple[int, int]]:
    size = min(length, int(np.ceil(length / (number - (number - 1) * overlap))))
    begins = np.linspace(0, length - size, number).round().astype(int)
    return [(int(begin), int(begin) + size) for begin in begins]


class TiledPredictor:
    """Detect people in the whole image and in overlapping tiles of it.

    The network resizes its input to a fixed size, so people are larger in a tile. Each
    tile takes the time of an image.

    Args:
        predictor (PosePredictor): The predictor.
        tiles (tuple[int, int]): Number of columns and rows of tiles.

    Examples:
        >>> find = TiledPredictor(PosePredictor('nano'), (3, 2))
        >>> for result in find('images/'):
        ...     result.save('results')
    """

    def __init__(
        self, predictor: PosePredictor, tiles: tuple[int, int] = (2, 2)
    ) -> None:
        if min(tiles) < 1 or max(tiles) < 2:
            raise UsageError(f'tiles={tiles}: give two numbers, such as (2, 2).')
        self.predictor, self.tiles = predictor, tuple(tiles)

    def __call__(
        self, inputs: InputsType | Inputs, *, bbox_thr: float | None = None
    ) -> Iterator[PoseResult]:
        """Detect the people of each image.

        Args:
            inputs: See :class:`.PosePredictor`.
            bbox_thr (float | None): Overrides the predictor's.

        Yields:
            PoseResult: One for each image, in order. Masks and heatmaps are left out.

        Raises:
            ImageError, FileNotFoundError: The image cannot be read.
        """
        opened = inputs if isinstance(inputs, Inputs) else open_inputs(inputs)
        sizes: list[list[Tile]] = []
        found = self.predictor(
            Inputs(self._parts(opened, sizes)), bbox_thr=bbox_thr, on_error='raise'
        )
        for index, whole in enumerate(found):
            tiles = sizes.pop(0)
            parts = [next(found) for _ in tiles]
            yield merge_tiles(replace(whole, index=index), parts, tiles)

    def _parts(self, inputs: Inputs, sizes: list[list[Tile]]) -> Iterator[ImageItem]:
        """Yield each image and then its tiles, which ``sizes`` gets."""
        loader = LoadPoseImage()
        for item in inputs.items:
            image = item.load(loader)['img']
            tiles = cut_tiles(*image.shape[:2], self.tiles)
            # before the image: it is asked for when that is done
            sizes.append(tiles)
            yield replace(item, pixels=image, rgb=False)
            for left, top, right, bottom in tiles:
                yield ImageItem(item.name, pixels=image[top:bottom, left:right])


def merge_tiles(
    whole: PoseResult, parts: Sequence[PoseResult], tiles: Sequence[Tile]
) -> PoseResult:
    """Join the people of an image and of its tiles.

    Whoever touches a border of a tile that is none of the image is left to the other
    parts. Of two people from different parts who are alike the better one stays.

    Args:
        whole (PoseResult): Of the image.
        parts (Sequence[PoseResult]): Of the tiles.
        tiles (Sequence[Tile]): Where these are.

    Returns:
        PoseResult: In the frame of the image, by falling score.
    """
    placed = [_place(*pair, whole.shape) for pair in zip(parts, tiles)]
    people = [whole, *placed]
    names = ['boxes', 'scores', 'keypoints', 'keypoint_scores', 'labels']
    names += ['keypoint_presence', 'keypoints_visible', 'keypoint_covariances']
    names = [name for name in names if getattr(whole, name) is not None]
    joined = {
        name: np.concatenate([getattr(each, name) for each in people]) for name in names
    }
    part = np.repeat(np.arange(len(people)), [len(each) for each in people])
    order = np.argsort(-joined['scores'], kind='stable')
    joined = {name: values[order] for name, values in joined.items()}
    keep = _choose(joined, part[order], whole.dataset_meta.get('sigmas'))
    joined = {name: values[keep] for name, values in joined.items()}
    return replace(whole, masks=None, heatmaps=None, **joined)


def _place(result: PoseResult, tile: Tile, shape: tuple[int, int]) -> PoseResult:
    """Leave out those who are cut, and move the others to where the tile is."""
    height, width = shape
    corner = np.float32([tile.left, tile.top])
    boxes = result.boxes + np.tile(corner, 2)
    inner = np.array([tile.left > 0, tile.top > 0])
    outer = np.array([tile.right < width, tile.bottom < height])
    is_cut = (inner & (boxes[:, :2] < np.array(tile[:2]) + _TOUCH)).any(1)
    is_cut |= (outer & (boxes[:, 2:] > np.array(tile[2:]) - _TOUCH)).any(1)
    whole = np.flatnonzero(~is_cut)
    names = ('scores', 'keypoint_scores', 'labels', 'keypoint_presence')
    names += ('keypoints_visible', 'keypoint_covariances')
    rows = {
        name: getattr(result, name)[whole]
        for name in names
        if getattr(result, name) is not None
    }
    return replace(
        result,
        boxes=boxes[whole],
        keypoints=(result.keypoints + corner)[whole],
        **rows,
    )


def _choose(
    people: dict[str, np.ndarray], part: np.ndarray, sigmas: Sequence[float] | None
) -> list[int]:
    """Return the rows that stay, of people by falling score."""
    alike = pairwise_iou(people['boxes'], people['boxes'])
    if sigmas is not None and len(sigmas):
        points = np.concatenate(
            [people['keypoints'], people['keypoint_scores'][..., None]], -1
        )
        poses = pairwise_oks(points, points, people['boxes'], sigmas)
        alike = np.maximum(alike, poses)
    # the network has told those of one part apart already
    is_same = (alike >= SAME_THR) & (part[:, None] != part[None])
    if 'labels' in people:
        is_same &= people['labels'][:, None] == people['labels'][None]
    keep: list[int] = []
    for row in range(len(part)):
        if not is_same[row, keep].any():
            keep.append(row)
    return keep
