# Copyright (c) onestage_pose contributors.
"""The data set of people with boxes and keypoints, from a file in COCO's format."""

import os
import os.path as osp
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from ..structures.categories import find_own_keypoints, get_categories
from ..structures.coco_records import MAX_PEOPLE
from ..structures.metainfo import check_dataset_metainfo, resolve_metainfo
from ..utils.arguments import NonNegativeInt, PositiveInt, check_arguments
from ..utils.errors import AnnotationError, ConfigValueError
from .coco_file import CocoKeypointFile, is_remote, load_coco_keypoints
from .image_files import find_meant, read_sizes
from .visibility import (
    VISIBILITIES,
    check_known_visibilities,
    get_visibility_targets,
)


@DATASETS.register_module()
class PersonKeypointsDataset(BaseCocoStyleDataset):
    """All people of an image, to train and test a keypoint detector.

    Instances can also be other objects. If the metainfo has ``categories``, each
    instance has the keypoints of its own category among all K; the others are not
    labelled.

    In training (``test_mode=False``) it filters as Detectron2's Keypoint R-CNN does:
    crowd regions are left out, unless ``keep_crowds`` is set; boxes are clipped to the
    image in edge coordinates, and empty ones are left out; images with fewer than
    ``filter_cfg['min_keypoints']`` labelled keypoints are left out; people without
    keypoints are kept and train the boxes. In testing everything is kept.

    An item holds, for N people with K keypoints:

    - ``img_id``, ``img_path``, ``width``, ``height`` and, where the file has it,
      ``crowd_index``; ``keypoints_only``;
    - ``bbox`` (N, 4) float32 xyxy in pixels, edge coordinates of the image;
      ``bbox_score`` (N,) float32, ones; ``bbox_label`` (N,) int64, the category's
      place in the metainfo, 0 where that has one skeleton;
    - ``keypoints`` (N, K, 2) float32 in pixels, the centre of the top-left pixel
      being (0, 0); ``keypoints_visible`` (N, K) float32, 1 where labelled, else 0;
    - in training ``visibility_targets`` (N, K, 2) int8, see
      ``onestage_pose.datasets.visibility.get_visibility_targets``;
    - ``num_keypoints`` (N,) int64, counted; ``area`` (N,) float32, the file's, else
      0.53 of the box's; ``iscrowd`` (N,) int64; ``category_id`` (N,) int64;
    - ``id``, list of the N annotation ids;
    - in testing ``raw_ann_info``, list of the N records of the file (without their
      outlines), which the metrics take as ground truth;
    - with ``with_segmentation``, ``segmentation``, list of N outlines as in the file.

    Args:
        ann_file (str): COCO keypoint file, absolute or relative to ``data_root``. In
            testing it may lack ``annotations`` (COCO's image_info_test-dev2017.json).
        data_mode (str): Only ``'bottomup'``: one item for each image.
        metainfo (dict | None): The keypoints, as in MMPose: ``dict(from_file=...)``
            with a file from MMPose's ``configs/_base_/datasets`` or your own; for
            several categories, see docs/how_to/several_categories.md. Default: COCO's
            17.
        data_root (str | None): Folder that ``ann_file`` and ``data_prefix`` are
            relative to.
        data_prefix (dict | None): ``dict(img=folder of the images)``.
        filter_cfg (dict | None): ``dict(min_keypoints=1)``: train only on images with
            at least so many labelled keypoints over all their people; 0 keeps every
            image, also those without people. Not used in testing.
        with_segmentation (bool): Keep the outlines for :class:`LoadPoseMasks`.
        keypoints_only (bool): The annotations are incomplete (no true boxes, or not
            every person is annotated): only the keypoint branch learns from them, see
            :meth:`KeypointRCNN.loss`.
        keep_crowds (bool): In training, keep crowd regions (``iscrowd`` 1) without
            their keypoints, see :class:`PackKeypointRCNNInputs`.
        known_visibilities (Sequence[int]): Which visibilities have COCO's meaning in
            this file, for a head with a visibility branch: 0 (not labelled: not in the
            image), 1 (hidden), 2 (visible). Use ``()`` for keypoints that another model
            predicted, or if some are not labelled for other reasons. Annotations with
            ``pseudo`` 1 teach no visibility.
        check_images (bool): Check before the work starts that all images exist, by
            listing their folders. Addresses, and images that the pipeline reads through
            ``backend_args``, are never checked.
        max_people (int): Largest number of people in an image, crowd regions included;
            more are an error. Training needs memory in proportion to people times
            anchors.
        indices (int | Sequence[int] | None): Use only these images, as in mmengine's
            BaseDataset.
        serialize_data (bool): As in mmengine's BaseDataset.
        pipeline (Sequence[dict | Callable]): Transforms.
        test_mode (bool): Keep everything, for testing.
        lazy_init (bool): Load the file only at the first use.
        max_refetch (int): How many other images to try if one is broken.
        sample_interval (int): Use only images whose id is a multiple of this.

    Raises:
        FileNotFoundError: The annotation file or images are missing.
        ValueError: An option is misspelt, the file is invalid, or no image is left to
            train on.
    """

    METAINFO: dict = dict(from_file='configs/_base_/datasets/coco.py')

    @check_arguments
    def __init__(
        self,
        ann_file: str = '',
        data_mode: str = 'bottomup',
        metainfo: dict | None = None,
        data_root: str | None = None,
        data_prefix: dict[str, str] | None = None,
        filter_cfg: dict[str, NonNegativeInt] | None = None,
        with_segmentation: bool = False,
        keypoints_only: bool = False,
        keep_crowds: bool = False,
        known_visibilities: Sequence[int] = VISIBILITIES,
        check_images: bool = True,
        max_people: PositiveInt = MAX_PEOPLE,
        indices: int | Sequence[int] | None = None,
        serialize_data: bool = True,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        max_refetch: NonNegativeInt = 1000,
        sample_interval: PositiveInt = 1,
    ) -> None:
        if data_mode != 'bottomup':
            raise ConfigValueError(
                f'{type(self).__name__} got data_mode={data_mode!r}; it gives whole '
                "images, data_mode='bottomup'; mmpose's CocoDataset has 'topdown'."
            )
        filter_cfg = dict(min_keypoints=1) | dict(filter_cfg or {})
        unknown = sorted(set(filter_cfg) - {'min_keypoints'})
        if unknown:
            raise ConfigValueError(
                f'{type(self).__name__} does not know filter_cfg {unknown}; it has '
                '"min_keypoints" only.'
            )
        self.with_segmentation = with_segmentation
        self.keypoints_only = keypoints_only
        self.keep_crowds = keep_crowds
        self.known_visibilities = check_known_visibilities(
            known_visibilities, type(self).__name__
        )
        self.check_images = check_images
        self.max_people = max_people
        super().__init__(
            ann_file=ann_file,
            data_mode=data_mode,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=dict(img='') if data_prefix is None else data_prefix,
            filter_cfg=filter_cfg,
            indices=indices,
            serialize_data=serialize_data,
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
            max_refetch=max_refetch,
            sample_interval=sample_interval,
        )

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        metainfo = cls.METAINFO if metainfo is None else metainfo
        check_dataset_metainfo(metainfo)
        return super()._load_metainfo(resolve_metainfo(metainfo))

    def get_data_info(self, idx: int) -> dict:
        """Return the item of an image, with the metainfo that the model needs.

        Args:
            idx (int): Index of the image.

        Returns:
            dict: The keys that the class describes; if the metainfo has categories,
            also ``keypoint_categories``, the category label of each keypoint.
        """
        info = super().get_data_info(idx)
        if 'keypoint_categories' in self._metainfo:
            info['keypoint_categories'] = list(self._metainfo['keypoint_categories'])
        return info

    def load_data_list(self) -> list[dict]:
        """Read the annotation file.

        Returns:
            list[dict]: One dict for each image, as the class describes.
        """
        content = load_coco_keypoints(
            self.ann_file,
            num_keypoints=self._metainfo['num_keypoints'],
            dataset_name=self._metainfo['dataset_name'],
            need_annotations=not self.test_mode,
            keypoint_names=list(self._metainfo['keypoint_id2name'].values()),
            max_people=self.max_people,
            categories=get_categories(self._metainfo),
        )
        # mmpose's own CocoMetric takes the categories from here.
        self._metainfo['CLASSES'] = content.categories
        if content.area_ratio is not None:
            self._metainfo['area_ratio'] = content.area_ratio
        self._visibility_targets = get_visibility_targets(
            content.keypoints[..., 2],
            self.known_visibilities,
            ~content.iscrowd
            & np.array([not ann.get('pseudo') for ann in content.annotations], bool),
            own=find_own_keypoints(content.labels, self._metainfo),
        )
        bboxes = _clip_to_images(content)
        self._check_sizes(content, bboxes)
        chosen = self._choose_people(content, bboxes)

        # People of one image stand together after the sort, in the file's order.
        order = np.flatnonzero(chosen)
        order = order[np.argsort(content.image_index[order], kind='stable')]
        ends = np.searchsorted(
            content.image_index[order], np.arange(len(content.images)), side='right'
        )
        data_list, start = [], 0
        for image, end in zip(content.images, ends.tolist()):
            people, start = order[start:end], end
            if image['id'] % self.sample_interval == 0:
                data_list.append(self._data_info(content, image, people, bboxes))
        return data_list

    def _check_sizes(self, content: CocoKeypointFile, bboxes: np.ndarray) -> None:
        """Raise where boxes lie outside of an image because its size is wrong.

        Such an image would be left out without being opened, so its file is looked at.
        """
        if not self.check_images or self._reads_elsewhere():
            return
        given = (content.bboxes[:, 2:] > content.bboxes[:, :2]).all(axis=1)
        left = (bboxes[:, 2:] > bboxes[:, :2]).all(axis=1)
        for person in np.flatnonzero(given & ~left):
            image = content.images[content.image_index[person]]
            path = osp.join(self.data_prefix['img'], image['file_name'])
            sizes = read_sizes(path)
            if sizes and (image['width'], image['height']) not in sizes:
                width, height = sizes[0]
                raise AnnotationError(
                    f'{self.ann_file}: image id={image["id"]} has width='
                    f'{image["width"]} and height={image["height"]}, but {path} is '
                    f'{width}x{height} pixels, and annotation id='
                    f'{content.annotations[person]["id"]} lies outside of the former; '
                    'correct the size.'
                )

    def _choose_people(
        self, content: CocoKeypointFile, bboxes: np.ndarray
    ) -> np.ndarray:
        """Return which of the A people to use, (A,) bool."""
        if self.test_mode:
            return np.ones(len(bboxes), bool)
        has_area = (bboxes[:, 2:] > bboxes[:, :2]).all(axis=1)
        wanted = np.full(len(bboxes), True) if self.keep_crowds else ~content.iscrowd
        self._left_out = {
            'crowd regions': int((~wanted).sum()),
            'boxes without area': int((~has_area & wanted).sum()),
        }
        return has_area & wanted

    def _data_info(
        self,
        content: CocoKeypointFile,
        image: dict,
        people: np.ndarray,
        bboxes: np.ndarray,
    ) -> dict:
        anns = [content.annotations[person] for person in people]
        boxes = bboxes[people]
        labelled = content.keypoints[people, :, 2] > 0
        if not self.test_mode:
            labelled &= ~content.iscrowd[people, None]
        info = dict(
            img_id=image['id'],
            img_path=osp.join(self.data_prefix['img'], image['file_name']),
            width=image['width'],
            height=image['height'],
            keypoints_only=self.keypoints_only,
            id=[ann['id'] for ann in anns],
            bbox=boxes,
            bbox_score=np.ones(len(anns), np.float32),
            bbox_label=content.labels[people],
            keypoints=content.keypoints[people, :, :2],
            keypoints_visible=labelled.astype(np.float32),
            num_keypoints=labelled.sum(axis=1),
            area=np.array([ann['area'] for ann in anns], np.float32),
            iscrowd=content.iscrowd[people].astype(np.int64),
            category_id=np.array([ann['category_id'] for ann in anns], np.int64),
        )
        if not self.test_mode:
            info['visibility_targets'] = self._visibility_targets[people]
        if 'crowdIndex' in image:
            info['crowd_index'] = image['crowdIndex']
        if self.test_mode:
            info['raw_ann_info'] = [
                {key: value for key, value in ann.items() if key != 'segmentation'}
                for ann in anns
            ]
        if self.with_segmentation:
            info['segmentation'] = [ann.get('segmentation') for ann in anns]
        return info

    def filter_data(self) -> list[dict]:
        """Leave out images without labelled keypoints, and check that the files exist.

        Returns:
            list[dict]: The images that are kept; all of them in testing.
        """
        found = self.data_list
        if self.test_mode:
            kept = found
        else:
            least = self.filter_cfg['min_keypoints']
            kept = [info for info in found if info['num_keypoints'].sum() >= least]
        if self.check_images and not self._reads_elsewhere():
            _check_files([info['img_path'] for info in kept], self.ann_file)
        self._log_choice(found, kept)
        if not kept:
            raise AnnotationError(
                f'{self.ann_file}: no image is left of {len(found)}; check "images" '
                'of the file, sample_interval, and in training filter_cfg='
                f'{self.filter_cfg}, which asks for labelled keypoints.'
            )
        return kept

    def _reads_elsewhere(self) -> bool:
        return is_remote(self.data_prefix['img']) or any(
            getattr(transform, 'backend_args', None)
            for transform in self.pipeline.transforms
        )

    def _log_choice(self, found: list[dict], kept: list[dict]) -> None:
        if self.test_mode:
            people = sum(len(info['id']) for info in kept)
            text = f'{len(kept)} images with {people} instances to test on'
            if people == 0:
                text += '; without any, only format_only of the metrics makes sense'
        else:
            posed = sum(int((info['num_keypoints'] > 0).sum()) for info in kept)
            people, all_people = (
                sum(int((info['iscrowd'] == 0).sum()) for info in infos)
                for infos in (kept, found)
            )
            gone = ', '.join(f'{n} {what}' for what, n in self._left_out.items())
            text = (
                f'{len(kept)} images with {people} instances ({posed} with keypoints) '
                f'to train on; left out: {gone}, {len(found) - len(kept)} images '
                f'({all_people - people} instances) with fewer labelled keypoints than '
                f'{self.filter_cfg["min_keypoints"]}'
            )
            if self.keep_crowds:
                crowds = sum(int(info['iscrowd'].sum()) for info in kept)
                text += f'; kept to be ignored: {crowds} crowd regions'
        print_log(f'{self.ann_file}: {text}', logger='current')


def _clip_to_images(content: CocoKeypointFile) -> np.ndarray:
    """Return the (A, 4) float32 xyxy boxes, clipped to [0, width] x [0, height]."""
    sizes = np.array(
        [[image['width'], image['height']] for image in content.images], np.float64
    ).reshape(-1, 2)
    limit = np.tile(sizes[content.image_index], 2)
    return np.clip(content.bboxes, 0, limit).astype(np.float32)


def _check_files(paths: Sequence[str], ann_file: str) -> None:
    """Raise where one of the image files ``ann_file`` refers to is missing.

    A folder is listed once: asking for 100,000 files one by one takes minutes on a
    network drive.
    """
    names_in = defaultdict(list)
    for path in paths:
        folder, name = osp.split(path)
        names_in[folder].append(name)
    missing = []
    for folder, names in names_in.items():
        if not osp.isdir(folder or '.'):
            meant = find_meant(osp.join(folder, names[0]))
            hint = f' {meant!r} exists: correct file_name, or' if meant else ''
            raise FileNotFoundError(
                f'{folder}: this folder of images does not exist ({ann_file} refers '
                f'to {names[0]} in it);{hint} set data_root and '
                'data_prefix=dict(img=...) of the dataset in the config.'
            )
        present = set(os.listdir(folder or '.'))
        missing += [osp.join(folder, name) for name in names if name not in present]
    if missing:
        meant = find_meant(missing[0])
        hint = f' In the place of the first one, {meant!r} exists.' if meant else ''
        raise FileNotFoundError(
            f'{len(missing)} of {len(paths)} images of {ann_file} do not exist, '
            f'first {missing[:3]}.{hint} Correct file_name, complete them, or set '
            'data_root and data_prefix=dict(img=...) of the dataset in the config.'
        )
