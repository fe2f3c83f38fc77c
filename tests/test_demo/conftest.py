# Copyright (c) onestage_pose contributors.
"""The model of the inference tests, and files to draw on."""

import cv2
import pytest

from tests.test_apis.tiny_model import COCO, picture, write_tiny_model


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """Config and checkpoint of a model that finds three people in any picture."""
    return write_tiny_model(tmp_path_factory.mktemp('tiny'))


@pytest.fixture(scope='session')
def tiny_coco(tmp_path_factory):
    """The same for a config whose keypoint scores are Detectron2's."""
    return write_tiny_model(tmp_path_factory.mktemp('coco'), COCO)


@pytest.fixture
def folder(tmp_path):
    """Two pictures, a.png and b.jpg."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for seed, name in enumerate(('a.png', 'b.jpg')):
        cv2.imwrite(str(folder / name), picture(seed=seed))
    return folder


@pytest.fixture
def video(tmp_path):
    """Three frames."""
    path = tmp_path / 'film.avi'
    height, width = picture().shape[:2]
    fourcc = cv2.VideoWriter_fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), fourcc, 5.0, (width, height))
    for seed in range(3):
        writer.write(picture(seed=seed))
    writer.release()
    return path
