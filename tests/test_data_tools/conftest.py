# Copyright (c) onestage_pose contributors.
"""Files as annotation programs write them, and what the reader makes of them."""

import json
from pathlib import Path
from typing import NamedTuple

from onestage_pose.data_tools.convert import Conversion, convert_data
from onestage_pose.datasets.coco_file import CocoKeypointFile, load_coco_keypoints

import pytest
from PIL import Image


def write_image(path, size=(100, 50), orientation=None, color=(90, 120, 60)):
    """Write an image; ``orientation`` is EXIF's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image, exif = Image.new('RGB', size, color), Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


class Converted(NamedTuple):
    """What a conversion has written, and the same read by the data set's reader."""

    done: Conversion
    content: dict
    read: CocoKeypointFile

    @property
    def keypoints(self):
        """Of the first object: x, y, visibility of each keypoint."""
        return self.read.keypoints[0].tolist()

    @property
    def names(self):
        return self.content['categories'][0]['keypoints']

    @property
    def file_names(self):
        return [image['file_name'] for image in self.content['images']]


@pytest.fixture
def convert(tmp_path):
    """Converts, and reads a split of the result as training does."""

    def run(source, split=None, **options):
        done = convert_data(source, tmp_path / 'converted', **options)
        path = done.files[split] if split else next(iter(done.files.values()))
        content = json.loads(Path(path).read_text(encoding='utf-8'))
        names = content['categories'][0]['keypoints']
        read = load_coco_keypoints(
            str(path), len(names), 'source', keypoint_names=names
        )
        return Converted(done, content, read)

    return run
