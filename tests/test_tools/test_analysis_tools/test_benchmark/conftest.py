# Copyright (c) onestage_pose contributors.
"""Small models in the place of those of the benchmark."""

import pytest
from benchmark import models

from tests.test_apis.tiny_model import write_tiny_model

SIZE = (64, 96)
BOXES = models.make_boxes(SIZE, 3)


@pytest.fixture(scope='session')
def tiny_configs(tmp_path_factory):
    """By the name of the benchmark's config, that of a narrow model."""
    return {
        config: write_tiny_model(tmp_path_factory.mktemp('tiny'), config)[0]
        for config in (models.GCM, models.PLAIN)
    }


@pytest.fixture(scope='session')
def build_tiny(tiny_configs):
    """Builds a narrow model of a class of the benchmark, for 3 people, once."""
    built = {}

    def build(kind):
        if kind not in built:
            narrow = kind
            if hasattr(kind, 'config'):
                file = tiny_configs[kind.config]
                methods = dict(get_config_file=lambda self: file)
                narrow = type(kind.__name__, (kind,), methods)
            built[kind] = narrow(SIZE, BOXES, 'cpu')
        return built[kind]

    return build


@pytest.fixture
def gcm(build_tiny):
    """The narrow one-stage model, for 3 people."""
    model = build_tiny(models.GCMKeypointRCNN)
    model.num_people = 3
    return model
