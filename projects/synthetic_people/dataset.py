# Copyright (c) onestage_pose contributors.
"""Synthetic people with COCO's keypoints, made while they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onestage_pose.datasets  # noqa: F401  (registers the alias that this replaces)
from onestage_pose.datasets.visibility import VISIBILITIES, get_visibility_targets
from onestage_pose.structures.metainfo import resolve_metainfo

import numpy as np
from mmengine.dataset import force_full_init
from mmengine.logging import MessageHub
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from pycocotools import mask as mask_utils

from .drawing import MAX_PEOPLE, RenderedPerson, render

__all__ = ['SyntheticPeople', 'render']

_IDS_PER_IMAGE = 100
_NUM_KEYPOINTS = 17


@DATASETS.register_module(force=True)  # in the place of its alias
class SyntheticPeople(BaseCocoStyleDataset):
    """Articulated people drawn over clutter, seen whole, hidden or cut off.

    The image of an index depends on ``seed`` and the index alone, whatever
    process, worker or order it is drawn in; nothing is stored. An item holds, for
    N people from far to near:

    - ``img`` (H, W, 3) uint8 BGR, ``img_id`` = index, ``img_path``, a made-up name,
      ``width`` and ``height``;
    - ``bbox`` (N, 4) float32 xyxy, edge coordinates around the seen pixels;
      ``bbox_score`` (N,) float32, ones; ``bbox_label`` (N,) int64, zeros;
    - ``keypoints`` (N, 17, 2) float32 in COCO's order, the centre of the top-left
      pixel being (0, 0); ``keypoints_visible`` (N, 17) float32, 1 where labelled,
      else 0;
    - ``num_keypoints`` list of N counts of labelled keypoints; ``area`` (N,)
      float32, numbers of seen pixels; ``iscrowd`` list of N zeros; ``category_id``
      (N,) int64, ones; ``id``, list of N annotation ids unique over the dataset;
    - in training ``visibility_targets`` (N, 17, 2) int8: of each keypoint whether it
      is labelled, and seen, for a visibility branch;
    - ``raw_ann_info``, list of N records as in a COCO file, whose visibility is 0
      for unlabelled keypoints (outside the image, on the far side of the head, or
      of a person of whom almost nothing is seen), 1 for those hidden by a thing,
      another person or the own body, 2 for those seen. They are the ground truth
      that CocoMetric takes without an annotation file;
    - with ``with_segmentation``, ``segmentation``, list of N compressed RLEs.

    Args:
        num_images (int): Number of images.
        img_size (Sequence[int] | Sequence[Sequence[int]]): Height and width in pixels,
            or a list of several such pairs, of which each image takes one.
        seed (int): Names the series of images, 0 or more; use another one for testing.
        min_people (int): Least number of people drawn.
        max_people (int): Largest number of people drawn, up to 14.
        person_height (Sequence[float]): Range of a standing person's height, part of
            the image's.
        occlusion_prob (float): Chance that a person may stand close to another, and
            twice the chance that something is put in front of it.
        crop_prob (float): Chance that a person reaches beyond the image.
        with_segmentation (bool): Whether to give outlines, to train masks.
        metainfo (dict | None): As in mmpose's datasets. Default: COCO's 17 keypoints.
        indices (int | Sequence[int] | None): As in mmengine's BaseDataset: take only
            these images.
        serialize_data (bool): As in mmengine's BaseDataset.
        pipeline (Sequence[dict | Callable]): Transforms.
        test_mode (bool): As in mmengine's BaseDataset.
        lazy_init (bool): As in mmengine's BaseDataset.
        max_refetch (int): As in mmengine's BaseDataset.

    Raises:
        TypeError: An argument is misspelt.
        ValueError: An argument is out of its range.
    """

    METAINFO: dict = dict(from_file='configs/_base_/datasets/coco.py')

    def __init__(
        self,
        num_images: int = 2000,
        img_size: Sequence[int] | Sequence[Sequence[int]] = (320, 320),
        seed: int = 0,
        min_people: int = 1,
        max_people: int = 4,
        person_height: Sequence[float] = (0.25, 0.95),
        occlusion_prob: float = 0.3,
        crop_prob: float = 0.15,
        with_segmentation: bool = False,
        metainfo: dict | None = None,
        indices: int | Sequence[int] | None = None,
        serialize_data: bool = True,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        max_refetch: int = 1000,
    ) -> None:
        self.num_images = _whole('num_images', num_images, 1)
        self.img_sizes = _sizes(img_size)
        self.seed = _whole('seed', seed, 0)
        self.min_people = _whole('min_people', min_people, 0)
        self.max_people = _whole('max_people', max_people, 0)
        if not self.min_people <= self.max_people <= MAX_PEOPLE:
            raise ValueError(
                f'SyntheticPeople got min_people={min_people} and '
                f'max_people={max_people}; give min_people <= max_people <= '
                f'{MAX_PEOPLE}.'
            )
        self.person_height = _heights(person_height)
        self.occlusion_prob = _probability('occlusion_prob', occlusion_prob)
        self.crop_prob = _probability('crop_prob', crop_prob)
        self.with_segmentation = with_segmentation
        super().__init__(
            data_mode='bottomup',
            metainfo=metainfo,
            indices=indices,
            serialize_data=serialize_data,
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
            max_refetch=max_refetch,
        )
        if self._metainfo['num_keypoints'] != _NUM_KEYPOINTS:
            raise ValueError(
                f'SyntheticPeople draws {_NUM_KEYPOINTS} keypoints, but its metainfo '
                f"names {self._metainfo['num_keypoints']}; give metainfo with COCO's "
                'keypoints, or none.'
            )
        names = self._metainfo['keypoint_id2name']
        self._metainfo['CLASSES'] = [
            dict(
                id=1,
                name='person',
                supercategory='person',
                keypoints=[names[k] for k in range(_NUM_KEYPOINTS)],
                skeleton=[[a + 1, b + 1] for a, b in self._metainfo['skeleton_links']],
            )
        ]
        if test_mode:
            # There is no annotation file for CocoMetric to find; '' would pass for
            # one.
            name = self._metainfo['dataset_name']
            MessageHub.get_current_instance().update_info(f'{name}_ann_file', None)

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        metainfo = resolve_metainfo(cls.METAINFO if metainfo is None else metainfo)
        return super()._load_metainfo(metainfo)

    def load_data_list(self) -> list[dict]:
        """List the images without drawing them."""
        return [
            dict(
                img_id=index,
                img_path=f'synthetic_people/seed{self.seed}/{index:06d}.png',
            )
            for index in range(self.num_images)
        ]

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Draw an image.

        Args:
            idx (int): Index of the image in the dataset.

        Returns:
            dict[str, Any]: The item as the class describes it, with the metainfo that
            mmpose's transforms take.
        """
        info = super().get_data_info(idx)
        index = info['img_id']
        image, people, ids = self.draw(index)
        records = [
            self._record(person, ids, index, n) for n, person in enumerate(people, 1)
        ]
        n = len(people)
        keypoints = np.array(
            [person.keypoints for person in people], np.float32
        ).reshape(n, _NUM_KEYPOINTS, 3)
        height, width = image.shape[:2]
        info.update(
            img=image,
            width=width,
            height=height,
            id=[record['id'] for record in records],
            bbox=np.array([p.bbox for p in people], np.float32).reshape(n, 4),
            bbox_score=np.ones(n, np.float32),
            bbox_label=np.zeros(n, np.int64),
            keypoints=np.ascontiguousarray(keypoints[..., :2]),
            keypoints_visible=np.minimum(keypoints[..., 2], 1),
            num_keypoints=[person.num_keypoints for person in people],
            area=np.array([person.area for person in people], np.float32),
            iscrowd=[0] * n,
            category_id=np.ones(n, np.int64),
            raw_ann_info=records,
            invalid_segs=[],
        )
        if not self.test_mode:
            info['visibility_targets'] = get_visibility_targets(
                keypoints[..., 2],
                VISIBILITIES,
                trusted=np.ones(n, bool),
                annotated=np.ones(_NUM_KEYPOINTS, bool),
            )
        if self.with_segmentation:
            info['segmentation'] = [record['segmentation'] for record in records]
        return info

    def draw(self, index: int) -> tuple[np.ndarray, list[RenderedPerson], np.ndarray]:
        """Draw the image of an index, as :func:`render` with ``return_ids``."""
        sequence = np.random.SeedSequence([self.seed, index])
        rng = np.random.Generator(np.random.PCG64(sequence))
        size = self.img_sizes[int(rng.integers(len(self.img_sizes)))]
        return render(
            rng,
            size,
            min_people=self.min_people,
            max_people=self.max_people,
            person_height=self.person_height,
            occlusion_prob=self.occlusion_prob,
            crop_prob=self.crop_prob,
            return_ids=True,
        )

    def _record(
        self, person: RenderedPerson, ids: np.ndarray, index: int, n: int
    ) -> dict[str, Any]:
        """Return the annotation of a person as in a COCO file."""
        x1, y1, x2, y2 = (float(v) for v in person.bbox)
        keypoints = person.keypoints.astype(np.float64).round(3)
        flat = keypoints.reshape(-1).tolist()
        flat[2::3] = [int(v) for v in flat[2::3]]
        record: dict[str, Any] = dict(
            id=index * _IDS_PER_IMAGE + n,
            image_id=index,
            category_id=1,
            bbox=[x1, y1, x2 - x1, y2 - y1],
            keypoints=flat,
            num_keypoints=person.num_keypoints,
            area=float(person.area),
            iscrowd=0,
        )
        if self.with_segmentation:
            rle = mask_utils.encode(np.asfortranarray(person.mask(ids), np.uint8))
            rle['counts'] = rle['counts'].decode('ascii')
            record['segmentation'] = rle
        return record


def _whole(name: str, value: Any, least: int) -> int:
    good = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not good or value < least:
        raise ValueError(
            f'SyntheticPeople got {name}={value!r}; give a whole number of at least '
            f'{least}.'
        )
    return int(value)


def _probability(name: str, value: Any) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not 0 <= value <= 1:
        raise ValueError(
            f'SyntheticPeople got {name}={value!r}; give a number from 0 to 1.'
        )
    return float(value)


def _sizes(value: Any) -> list[tuple[int, int]]:
    sizes = value
    if isinstance(value, Sequence) and value and not isinstance(value[0], Sequence):
        sizes = [value]
    good = (
        isinstance(sizes, Sequence)
        and bool(sizes)
        and all(
            isinstance(size, Sequence)
            and len(size) == 2
            and all(isinstance(side, int) and side >= 32 for side in size)
            for size in sizes
        )
    )
    if not good:
        raise ValueError(
            f'SyntheticPeople got img_size={value!r}; give (height, width) in whole '
            'pixels, each at least 32, or a list of such pairs.'
        )
    return [(int(h), int(w)) for h, w in sizes]


def _heights(value: Any) -> tuple[float, float]:
    good = isinstance(value, Sequence) and len(value) == 2
    if not good or not 0 < value[0] <= value[1] <= 2:
        raise ValueError(
            f'SyntheticPeople got person_height={value!r}; give (low, high) with '
            "0 < low <= high <= 2, parts of the image's height."
        )
    return float(value[0]), float(value[1])
