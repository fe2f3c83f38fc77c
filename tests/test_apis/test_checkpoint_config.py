# Copyright (c) onestage_pose contributors.
"""What is built for a checkpoint without config is said by its hash, or by its user."""

from pathlib import Path

from onestage_pose.apis import find_checkpoint_config, get_model_files
from onestage_pose.utils.errors import UsageError

import pytest
import torch
from mmengine.config import Config


def test_a_published_model_is_known_by_its_file(tmp_path: Path) -> None:
    files = get_model_files('nano')
    copy = tmp_path / 'renamed.pth'
    copy.write_bytes(files.weights.read_bytes())

    found = find_checkpoint_config(str(copy))

    assert found.filename == str(files.config)


def test_another_checkpoint_needs_a_config(tmp_path: Path) -> None:
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(meta=dict(cfg='model = dict()'), state_dict={}), path)

    with pytest.raises(UsageError, match='epoch_1.pth.*trust_checkpoint_config=True'):
        find_checkpoint_config(str(path))


def test_an_address_needs_a_config_and_is_not_fetched() -> None:
    with pytest.raises(UsageError, match='somewhere.example'):
        find_checkpoint_config('https://somewhere.example/epoch_1.pth')


def test_a_trusted_one_has_its_own(tmp_path: Path) -> None:
    config = Config.fromfile(get_model_files('nano').config)
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(meta=dict(cfg=config.pretty_text), state_dict={}), path)

    found = find_checkpoint_config(str(path), trust_checkpoint_config=True)

    assert found.model.roi_head == config.model.roi_head
