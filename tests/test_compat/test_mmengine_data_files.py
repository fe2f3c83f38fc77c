# Copyright (c) onestage_pose contributors.
"""YAML and the files of detections are data: nothing of them is run."""

import importlib
import os
import pickle
from pathlib import Path
from typing import Any

from onestage_pose.compat.mmengine_data_files import READERS, replace_load
from onestage_pose.utils.errors import UnsafeCheckpointError

import mmengine
import numpy as np
import pytest
import yaml
from mmengine.config import Config
from mmengine.fileio.handlers import pickle_handler


class Program:
    """Pickles as a call, which a plain unpickler makes when it loads it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A folder that exists once a file's program has run."""
    return tmp_path / 'the_program_ran'


@pytest.mark.parametrize('read', [mmengine.load, Config.fromfile])
def test_tag_of_python_in_yaml_is_refused(
    tmp_path: Path, mark: Path, read: Any
) -> None:
    path = tmp_path / 'config.yaml'
    path.write_text(f'model: !!python/object/apply:os.mkdir ["{mark}"]')

    with pytest.raises(yaml.YAMLError, match='python/object/apply'):
        read(str(path))

    assert not mark.exists()


def test_what_mmengine_writes_as_yaml_is_read(tmp_path: Path) -> None:
    content = dict(model=dict(type='A', sizes=(1, 2)), names=['a', None, 0.5])
    mmengine.dump(content, str(tmp_path / 'a.yaml'))

    assert mmengine.load(str(tmp_path / 'a.yaml')) == content


@pytest.mark.parametrize('name', READERS)
def test_program_in_a_pickle_of_a_data_set_is_refused(
    tmp_path: Path, mark: Path, name: str
) -> None:
    path = tmp_path / 'boxes.pkl'
    path.write_bytes(pickle.dumps([Program(mark)]))

    with pytest.raises(UnsafeCheckpointError, match=r'boxes\.pkl.*mkdir'):
        importlib.import_module(name).load(str(path))

    assert not mark.exists()


@pytest.mark.parametrize('suffix', ['pkl', 'json'])
def test_detections_are_read(tmp_path: Path, suffix: str) -> None:
    boxes = [dict(image_id=1, category_id=1, bbox=[1.0, 2, 3, 4], score=0.5)]
    path = tmp_path / f'boxes.{suffix}'
    mmengine.dump(boxes, str(path))

    assert importlib.import_module(READERS[1]).load(str(path)) == boxes


def test_arrays_of_a_pickle_are_read(tmp_path: Path) -> None:
    path = tmp_path / 'boxes.pkl'
    mmengine.dump(dict(a=np.eye(3)), str(path))

    loaded = importlib.import_module(READERS[1]).load(path)

    np.testing.assert_array_equal(loaded['a'], np.eye(3))


def test_installing_again_changes_nothing() -> None:
    module = importlib.import_module(READERS[0])
    before = module.load

    replace_load(module, 'somewhere:else')

    assert module.load is before


def test_mmengine_still_unpickles() -> None:
    assert pickle_handler.pickle is pickle, 'the patch of data sets can go'
