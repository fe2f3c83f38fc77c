# Copyright (c) onestage_pose contributors.
"""The data set of a top-down model that is tested on a detector's boxes."""

import os.path as osp

import numpy as np
from mmpose.datasets import CocoDataset
from mmpose.registry import DATASETS

from ..structures.coco_records import (
    get_records,
    read_annotations,
    read_categories,
    read_detections,
    read_images,
    read_json,
)
from ..structures.metainfo import check_dataset_metainfo, resolve_metainfo
from ..utils.arguments import check_arguments
from ..utils.errors import AnnotationError, ConfigValueError


@DATASETS.register_module()
class DetectedPeopleDataset(CocoDataset):
    """mmpose's CocoDataset with a checked ``bbox_file``.

    mmpose's class unpickles a file whose name does not end in ``.json``, and silently
    drops boxes whose category is not 1. Here the file must be JSON, and boxes of the
    annotation file's category count as people. Without ``bbox_file`` it behaves as
    mmpose's.

    Raises:
        AnnotationError: ``bbox_file`` breaks the schema of
            docs/reference/input_formats.md, or has no box of a person.
        ConfigValueError: The metainfo breaks its schema, or has several categories.
    """

    __init__ = check_arguments(CocoDataset.__init__)

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        metainfo = cls.METAINFO if metainfo is None else metainfo
        check_dataset_metainfo(metainfo)
        parsed = super()._load_metainfo(resolve_metainfo(metainfo))
        if 'categories' in parsed:
            raise ConfigValueError(
                f'{cls.__name__}: a top-down model has one skeleton, and the metainfo '
                'has several categories; give metainfo of one.'
            )
        return parsed

    def _load_detection_results(self) -> list[dict]:
        content = read_json(self.ann_file, 'set ann_file of the dataset in the config')
        images = {each['id']: each for each in read_images(self.ann_file, content)}
        self._metainfo['CLASSES'] = read_categories(self.ann_file, content)
        people = self._people_category(content, images)
        detections, boxes = read_detections(
            self.bbox_file,
            'set bbox_file of the dataset in the config to the file of detected boxes',
            images,
            self.ann_file,
        )
        boxes[:, 2:] += boxes[:, :2]
        shape = (1, self.metainfo['num_keypoints'])
        found = []
        for detection, box in zip(detections, boxes.astype(np.float32)):
            if detection['category_id'] != people:
                continue
            image = images[detection['image_id']]
            found.append(
                dict(
                    img_id=image['id'],
                    img_path=osp.join(self.data_prefix['img'], image['file_name']),
                    img_shape=(image['height'], image['width']),
                    bbox=box[None],
                    bbox_score=np.array([detection['score']], np.float32),
                    keypoints=np.zeros((*shape, 2), np.float32),
                    keypoints_visible=np.ones(shape, np.float32),
                    id=len(found),
                )
            )
        if detections and not found:
            raise AnnotationError(
                f'{self.bbox_file}: none of its {len(detections)} boxes has '
                f'category_id={people}, which people have in {self.ann_file}; correct '
                'it.'
            )
        return found

    def _people_category(self, content: dict, images: dict) -> int:
        categories = self._metainfo['CLASSES']
        records = []
        if 'annotations' in content:
            records = get_records(self.ann_file, content, 'annotations')
        people = read_annotations(self.ann_file, records, images, categories)
        used = {ann['category_id'] for ann in people}
        if len(used) == 1:
            return used.pop()
        named = [each['id'] for each in categories if each.get('name') == 'person']
        return named[0] if named else 1
