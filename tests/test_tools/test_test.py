# Copyright (c) onestage_pose contributors.
"""tools/test.py: MMPose's options, and errors before the long work."""

import json
import os
import pickle
from pathlib import Path

from onestage_pose.utils.errors import (
    CheckpointMismatchError,
    UnsafeCheckpointError,
    UsageError,
)

import mmcv
import pytest
import torch

from tests.tool_runs import run_tool
from tests.toy_pose import ToyModel, write_config

NO_DATA = dict(test_dataloader__dataset=dict(_delete_=True, type='NoSuchDataset'))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=ToyModel().state_dict()), path)
    return path


class Program:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.mark}',)


def test_out_holds_the_metrics(tmp_path: Path, checkpoint: Path) -> None:
    out = tmp_path / 'metrics.json'

    run_tool('test', write_config(tmp_path), checkpoint, '--out', out)

    assert json.loads(out.read_text())['coco/pictures'] == 5


def test_dump_holds_a_prediction_of_every_picture(
    tmp_path: Path, checkpoint: Path
) -> None:
    dump = tmp_path / 'predictions.pkl'

    run_tool('test', write_config(tmp_path), checkpoint, '--dump', dump)

    predictions = pickle.loads(dump.read_bytes())
    assert sorted(item['img_id'] for item in predictions) == list(range(5))
    assert predictions[0]['pred_instances']['keypoints'].shape == (1, 3, 2)


def test_show_dir_holds_a_picture_of_the_original_size_each(
    tmp_path: Path, checkpoint: Path
) -> None:
    run_tool('test', write_config(tmp_path), checkpoint, '--show-dir', tmp_path / 'vis')

    drawn = sorted((tmp_path / 'vis').iterdir())
    assert [path.name for path in drawn] == [f'{i:03d}_0.png' for i in range(5)]
    assert mmcv.imread(str(drawn[1])).shape == (24, 32, 3)


def test_amp_gives_the_metrics_too(tmp_path: Path, checkpoint: Path) -> None:
    out = tmp_path / 'metrics.json'

    run_tool('test', write_config(tmp_path), checkpoint, '--amp', '--out', out)

    assert 0 < json.loads(out.read_text())['coco/AP'] <= 1


def test_a_published_models_name_stands_for_config_and_checkpoint(
    tmp_path: Path,
) -> None:
    root = f'test_dataloader.dataset.data_root={tmp_path}'

    # The config of that name is the one whose data is missed.
    with pytest.raises(UsageError, match='person_keypoints_val.* does not exist'):
        run_tool('test', 'nano', '--work-dir', tmp_path, '--cfg-options', root)


def test_a_misspelt_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match='Did you mean nano'):
        run_tool('test', 'nanno')


def test_missing_checkpoint_names_the_close_one(
    tmp_path: Path, checkpoint: Path
) -> None:
    config = write_config(tmp_path, **NO_DATA)

    with pytest.raises(UsageError, match='weigths.pth .*Did you mean weights.pth'):
        run_tool('test', config, tmp_path / 'weigths.pth')


def test_checkpoint_of_another_model_is_an_error_before_the_data(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, **NO_DATA)
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict=ToyModel(num_outputs=3).state_dict()), other)

    with pytest.raises(CheckpointMismatchError, match='2 .* of another shape'):
        run_tool('test', config, other)


def test_malicious_checkpoint_is_refused_and_not_run(tmp_path: Path) -> None:
    mark, bad = tmp_path / 'ran', tmp_path / 'bad.pth'
    torch.save(dict(state_dict=Program(mark)), bad)

    with pytest.raises(UnsafeCheckpointError, match='bad.pth'):
        run_tool('test', write_config(tmp_path), bad)

    assert not mark.exists()


@pytest.mark.parametrize(
    'words, message',
    [
        (['--out', 'metrics.txt'], '--out metrics.txt: the name has to end in'),
        (['--dump', 'all.json'], '--dump all.json: the name has to end in'),
    ],
)
def test_file_of_an_unknown_kind_is_an_error(
    tmp_path: Path, checkpoint: Path, words: list, message: str
) -> None:
    config = write_config(tmp_path, **NO_DATA)

    with pytest.raises(UsageError, match=message):
        run_tool('test', config, checkpoint, *words)


def test_config_without_a_test_set_is_an_error(
    tmp_path: Path, checkpoint: Path
) -> None:
    config = write_config(tmp_path, test_dataloader=None)

    with pytest.raises(UsageError, match='toy.py has no test_dataloader'):
        run_tool('test', config, checkpoint)
