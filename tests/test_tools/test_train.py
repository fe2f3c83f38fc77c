# Copyright (c) onestage_pose contributors.
"""tools/train.py: MMPose's options, and errors before the long work."""

import os
import sys
from pathlib import Path
from typing import Any

from onestage_pose.cli.run import run_tool as run_as_a_program
from onestage_pose.utils.errors import (
    BrokenCheckpointError,
    CheckpointError,
    CheckpointMismatchError,
    ConfigNameError,
    UnsafeCheckpointError,
    UsageError,
)

import pytest
import torch
from mmengine.runner import CheckpointLoader

from tests.tool_runs import clear_global_state, load_tool, run_tool
from tests.toy_pose import ToyModel, write_config

#: A dataset that cannot be built: an error before it comes before the data is read.
NO_DATA = dict(train_dataloader__dataset=dict(_delete_=True, type='NoSuchDataset'))


def load(path: Path) -> dict:
    return CheckpointLoader.load_checkpoint(str(path), 'cpu', 'silent')


def learning_rate(path: Path) -> float:
    return load(path)['optimizer']['param_groups'][0]['initial_lr']


def save_weights(path: Path, model: torch.nn.Module) -> Path:
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def log_of(work_dir: Path) -> str:
    return ''.join(path.read_text() for path in work_dir.glob('*/*.log'))


class Program:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.mark}',)


def test_run_leaves_checkpoints_the_best_one_and_the_config(tmp_path: Path) -> None:
    run_tool('train', write_config(tmp_path))

    work = tmp_path / 'work'
    assert (work / 'toy.py').is_file()
    assert (work / 'last_checkpoint').read_text().endswith('epoch_2.pth')
    assert len(list(work.glob('best_coco_AP_epoch_*.pth'))) == 1


def test_amp_trains_on_this_device(tmp_path: Path) -> None:
    run_tool('train', write_config(tmp_path), '--amp')

    weights = load(tmp_path / 'work/epoch_2.pth')['state_dict']
    assert all(torch.isfinite(weight).all() for weight in weights.values())
    kind = 'Amp' if torch.cuda.is_available() else 'Bfloat16'
    assert f"type='{kind}OptimWrapper'" in log_of(tmp_path / 'work')


def test_no_validate_evaluates_nothing(tmp_path: Path) -> None:
    run_tool('train', write_config(tmp_path), '--no-validate')

    assert not list((tmp_path / 'work').glob('best_*'))


def test_no_validate_goes_with_options_of_the_validation(tmp_path: Path) -> None:
    options = ['--no-validate', '--cfg-options', 'val_dataloader.batch_size=1']

    run_tool('train', write_config(tmp_path), *options)

    assert (tmp_path / 'work/epoch_2.pth').is_file()


def test_auto_scale_lr_scales_by_the_batch_size(tmp_path: Path) -> None:
    # 2 pictures a batch, a rate for 4.
    run_tool('train', write_config(tmp_path), '--auto-scale-lr')

    assert learning_rate(tmp_path / 'work/epoch_2.pth') == pytest.approx(0.05)


def test_auto_scale_lr_without_a_base_says_what_to_add(tmp_path: Path) -> None:
    config = write_config(tmp_path, auto_scale_lr=None)

    with pytest.raises(UsageError, match='auto_scale_lr=dict'):
        run_tool('train', config, '--auto-scale-lr')


def test_cfg_options_change_the_run(tmp_path: Path) -> None:
    run_tool('train', write_config(tmp_path), '--cfg-options', 'train_cfg.max_epochs=1')

    assert not (tmp_path / 'work/epoch_2.pth').exists()


def test_misspelt_cfg_option_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path)

    with pytest.raises(ConfigNameError, match='Did you mean `max_epochs`'):
        run_tool('train', config, '--cfg-options', 'train_cfg.max_epoch=1')


def test_resume_goes_on_from_the_latest(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    run_tool('train', config, '--cfg-options', 'train_cfg.max_epochs=1')

    run_tool('train', config, '--resume')

    assert 'resumed epoch: 1, iter: 3' in log_of(tmp_path / 'work')
    assert load(tmp_path / 'work/epoch_2.pth')['meta']['iter'] == 6


def test_resume_with_nothing_there_starts_afresh_and_says_so(tmp_path: Path) -> None:
    run_tool('train', write_config(tmp_path), '--resume')

    assert 'training starts from the beginning' in log_of(tmp_path / 'work')
    assert (tmp_path / 'work/epoch_2.pth').is_file()


def test_resume_with_nothing_there_keeps_the_weights_to_start_from(
    tmp_path: Path,
) -> None:
    start = save_weights(tmp_path / 'start.pth', ToyModel())
    config = write_config(tmp_path, load_from=str(start))

    run_tool('train', config, '--resume')

    assert f'Load checkpoint from {start}' in log_of(tmp_path / 'work')


def test_resume_from_a_missing_file_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path, **NO_DATA)

    with pytest.raises(UsageError, match='--resume: .*a.pth does not exist'):
        run_tool('train', config, '--resume', tmp_path / 'a.pth')


def test_latest_checkpoint_that_was_deleted_is_named(tmp_path: Path) -> None:
    config = write_config(tmp_path, **NO_DATA)
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work/last_checkpoint').write_text('gone.pth')

    with pytest.raises(CheckpointError, match='last_checkpoint names gone.pth'):
        run_tool('train', config, '--resume')


def test_resume_needs_every_weight(tmp_path: Path) -> None:
    config = write_config(tmp_path, **NO_DATA)
    other = save_weights(tmp_path / 'other.pth', ToyModel(num_outputs=2))

    with pytest.raises(CheckpointMismatchError, match='head.weight 2x4 instead of 1x4'):
        run_tool('train', config, '--resume', other)


def test_weights_alone_are_not_resumed(tmp_path: Path) -> None:
    config = write_config(tmp_path, **NO_DATA)
    weights = save_weights(tmp_path / 'weights.pth', ToyModel())

    with pytest.raises(CheckpointMismatchError, match='weights alone .* load_from'):
        run_tool('train', config, '--resume', weights)


def test_finished_training_says_that_nothing_is_left(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    run_tool('train', config)

    run_tool('train', config, '--resume')

    assert 'at iteration 6 of 6: nothing is left to do' in log_of(tmp_path / 'work')


def test_no_workers_are_not_kept(tmp_path: Path) -> None:
    config = write_config(tmp_path, train_dataloader__persistent_workers=True)

    run_tool('train', config, '--cfg-options', 'train_dataloader.num_workers=0')

    assert (tmp_path / 'work/epoch_2.pth').is_file()


def test_load_from_another_model_is_an_error_before_the_data(tmp_path: Path) -> None:
    other = save_weights(tmp_path / 'other.pth', torch.nn.Linear(2, 2))
    config = write_config(tmp_path, load_from=str(other), **NO_DATA)

    with pytest.raises(CheckpointMismatchError, match='other.pth holds 0 of the'):
        run_tool('train', config)


def test_load_from_with_another_head_trains(tmp_path: Path) -> None:
    other = save_weights(tmp_path / 'other.pth', ToyModel(num_outputs=2))
    config = write_config(tmp_path, load_from=str(other))

    run_tool('train', config)

    assert '2x4 instead of 1x4' in log_of(tmp_path / 'work')
    assert (tmp_path / 'work/epoch_2.pth').is_file()


def test_load_from_a_checkpoint_without_the_head_trains_where_allowed(
    tmp_path: Path,
) -> None:
    model = ToyModel()
    del model.head
    headless = save_weights(tmp_path / 'headless.pth', model)
    config = write_config(
        tmp_path, load_from=str(headless), load_from_may_lack=['head']
    )

    run_tool('train', config)

    assert (tmp_path / 'work/epoch_2.pth').is_file()


@pytest.mark.parametrize('way', ['resume', 'load_from'])
def test_malicious_checkpoint_is_refused_and_not_run(tmp_path: Path, way: str) -> None:
    mark, bad = tmp_path / 'ran', tmp_path / 'bad.pth'
    torch.save(dict(state_dict=Program(mark)), bad)
    config = write_config(tmp_path)
    words: dict[str, list[Any]] = dict(
        resume=['--resume', bad], load_from=['--cfg-options', f'load_from={bad}']
    )

    with pytest.raises(UnsafeCheckpointError, match='bad.pth'):
        run_tool('train', config, *words[way])

    assert not mark.exists()


def test_config_in_a_resumed_checkpoint_is_not_run(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    run_tool('train', config, '--cfg-options', 'train_cfg.max_epochs=1')
    mark, bad = tmp_path / 'ran', tmp_path / 'bad.pth'
    checkpoint = load(tmp_path / 'work/epoch_1.pth')
    checkpoint['meta']['config'] = f'open({str(mark)!r}, "w")'
    torch.save(checkpoint, bad)

    run_tool('train', config, '--resume', bad)

    assert not mark.exists()


def test_truncated_checkpoint_is_named(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    run_tool('train', config, '--cfg-options', 'train_cfg.max_epochs=1')
    truncated = tmp_path / 'work/epoch_1.pth'
    truncated.write_bytes(truncated.read_bytes()[:1000])

    with pytest.raises(CheckpointError, match='none of .*epoch_1.pth.* valid one'):
        run_tool('train', config, '--resume')


def test_truncated_checkpoint_given_by_name_is_named(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    truncated = tmp_path / 'epoch_1.pth'
    truncated.write_bytes(b'PK' * 500)

    with pytest.raises(BrokenCheckpointError, match='epoch_1.pth .* truncated'):
        run_tool('train', config, '--resume', truncated)


def test_misspelt_option_of_a_class_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path, optim_wrapper__optimizer__momentun=0.9)
    monkeypatch.setattr(sys, 'argv', ['train.py', str(config)])
    clear_global_state()

    with pytest.raises(SystemExit) as exit_:
        run_as_a_program(load_tool('train').main)

    assert 'SGD has no option `momentun`' in exit_.value.code
    assert 'did you mean `momentum`' in exit_.value.code


def test_tensorboard_is_a_backend_in_the_config(tmp_path: Path) -> None:
    pytest.importorskip('tensorboard')
    config = write_config(
        tmp_path,
        visualizer__vis_backends=[
            dict(type='LocalVisBackend'),
            dict(type='TensorboardVisBackend'),
        ],
    )

    run_tool('train', config)

    assert list((tmp_path / 'work').glob('*/vis_data/events.out.tfevents*'))
