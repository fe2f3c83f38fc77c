# Copyright (c) onestage_pose contributors.
"""Images, a model that takes moments, and what is found without this folder."""

import cv2
import pytest

from tests.test_apis.tiny_model import SYNTHETIC, picture, write_tiny_model

NUMBER = 7
BROKEN = 4


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """Paths of the config and the checkpoint of a model that finds three people."""
    return write_tiny_model(tmp_path_factory.mktemp('model'), SYNTHETIC)


@pytest.fixture(scope='session')
def images(tmp_path_factory):
    """A folder of seven images called by numbers, of which the fifth is broken."""
    folder = tmp_path_factory.mktemp('images')
    for number in range(NUMBER):
        path = folder / f'{number:06d}.png'
        cv2.imwrite(str(path), picture(64, 80, seed=number))
    path = folder / f'{BROKEN:06d}.png'
    path.write_bytes(path.read_bytes()[:200])
    return folder
