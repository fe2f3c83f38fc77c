# Copyright (c) onestage_pose contributors.
"""A small COCO-style set of keypoints to load."""

import json

import cv2
import numpy as np
import pytest


def make_person(id_, image_id=1, num_keypoints=17, **changes):
    """An annotation whose keypoints are all labelled, on the diagonal of its box."""
    steps = np.linspace(20, 60, num_keypoints)
    flat = np.stack([steps, steps, np.full(num_keypoints, 2)], axis=1)
    annotation = dict(
        id=id_,
        image_id=image_id,
        category_id=1,
        iscrowd=0,
        bbox=[10.0, 10.0, 60.0, 60.0],
        area=2000.0,
        num_keypoints=num_keypoints,
        keypoints=flat.ravel().tolist(),
        segmentation=[[10, 10, 70, 10, 70, 70, 10, 70]],
    )
    annotation.update(changes)
    return annotation


def make_image(id_, width=120, height=80):
    return dict(id=id_, file_name=f'{id_:04d}.png', width=width, height=height)


class CocoSet:
    """A folder with ``annotations.json`` and ``images/``.

    Args:
        root: The folder, pathlib's.
        images: Image records, each of which gets a grey image of its size.
        annotations: Person records.
    """

    def __init__(self, root, images, annotations):
        self.root = root
        self.content = dict(
            images=images,
            annotations=annotations,
            categories=[dict(id=1, name='person')],
        )
        (root / 'images').mkdir(exist_ok=True)
        for record in images:
            image = np.full((record['height'], record['width'], 3), 128, np.uint8)
            cv2.imwrite(str(self.image(record)), image)
        self.save(self.content)

    @property
    def ann_file(self):
        return self.root / 'annotations.json'

    def image(self, record):
        return self.root / 'images' / record['file_name']

    def save(self, content):
        self.ann_file.write_text(json.dumps(content))

    def options(self, **changes):
        """Arguments of a dataset on this folder."""
        return (
            dict(
                data_root=str(self.root),
                ann_file='annotations.json',
                data_prefix=dict(img='images/'),
            )
            | changes
        )


@pytest.fixture
def coco_set(tmp_path):
    """Make a CocoSet: ``coco_set(images, annotations)``."""
    return lambda images, annotations: CocoSet(tmp_path, images, annotations)


@pytest.fixture
def person():
    """Make an annotation: ``person(id, image_id=1, num_keypoints=17, **changes)``."""
    return make_person


@pytest.fixture
def image():
    """Make an image's record: ``image(id, width=120, height=80)``."""
    return make_image
