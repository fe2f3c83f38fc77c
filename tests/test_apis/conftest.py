# Copyright (c) onestage_pose contributors.
"""Models that find three people in any picture: paths of config and checkpoint."""

import pytest

from tests.test_apis.tiny_model import (
    COCO,
    SYNTHETIC,
    write_tiny_model,
    write_tiny_of_categories,
)


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """Takes the picture as it is."""
    return write_tiny_model(tmp_path_factory.mktemp('synthetic'), SYNTHETIC)


@pytest.fixture(scope='session')
def tiny_coco(tmp_path_factory):
    """Enlarges the picture first."""
    return write_tiny_model(tmp_path_factory.mktemp('coco'), COCO)


@pytest.fixture(params=['tiny', 'tiny_coco'])
def each_tiny(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope='session')
def tiny_nobody(tmp_path_factory):
    """Finds nobody."""
    folder = tmp_path_factory.mktemp('nobody')
    return write_tiny_model(folder, SYNTHETIC, score_thr=2.0)


@pytest.fixture(scope='session')
def tiny_of_categories(tmp_path_factory):
    """Finds kites and bars."""
    return write_tiny_of_categories(tmp_path_factory.mktemp('categories'))
