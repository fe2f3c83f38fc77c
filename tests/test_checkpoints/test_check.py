# Copyright (c) onestage_pose contributors.
"""A checkpoint of another model is an error, and the error says what differs."""

from pathlib import Path
from typing import Any

from onestage_pose.checkpoints.check import check_checkpoint, load_checkpoint
from onestage_pose.utils.errors import CheckpointMismatchError

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from torch import nn


class Model(nn.Module):
    def __init__(self, outputs: int = 17, head: str = 'keypoint_head') -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.add_module(head, nn.Linear(4, outputs))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / 'epoch_9.pth'
    torch.save(dict(state_dict=Model().state_dict()), path)
    return path


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged; mmengine's loggers do not pass it on by themselves."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_own_checkpoint_passes_without_a_word(
    checkpoint: Path, warnings: pytest.LogCaptureFixture
) -> None:
    check_checkpoint(str(checkpoint), Model())

    assert not warnings.records


def test_missing_and_unexpected_weights_are_counted_and_named(checkpoint: Path) -> None:
    with pytest.raises(CheckpointMismatchError) as error:
        check_checkpoint(str(checkpoint), Model(head='box_head'))

    message = str(error.value)
    assert str(checkpoint) in message
    assert 'holds 6 of the 8 weights of Model' in message
    assert '2 (box_head.weight, box_head.bias) missing' in message
    assert '2 (keypoint_head.weight, keypoint_head.bias) unexpected' in message


def test_other_number_of_keypoints_is_an_error_in_testing(checkpoint: Path) -> None:
    with pytest.raises(
        CheckpointMismatchError, match='keypoint_head.weight 17x4 instead of 14x4'
    ):
        check_checkpoint(str(checkpoint), Model(outputs=14))


def test_other_number_of_keypoints_is_a_warning_in_fine_tuning(
    checkpoint: Path, warnings: pytest.LogCaptureFixture
) -> None:
    check_checkpoint(str(checkpoint), Model(outputs=14), fine_tune=True)

    assert 'keypoint_head.weight 17x4 instead of 14x4' in warnings.text
    assert warnings.records[0].levelname == 'WARNING'


def test_missing_weights_are_an_error_in_fine_tuning_too(checkpoint: Path) -> None:
    with pytest.raises(CheckpointMismatchError, match='load_from_may_lack'):
        check_checkpoint(str(checkpoint), Model(head='box_head'), fine_tune=True)


def test_part_that_may_be_lacking_is_a_warning(
    checkpoint: Path, warnings: pytest.LogCaptureFixture
) -> None:
    check_checkpoint(
        str(checkpoint),
        Model(head='box_head'),
        fine_tune=True,
        may_lack=['box_head'],
    )

    assert 'box_head.weight' in warnings.text


def test_checkpoint_with_nothing_of_the_model_is_an_error_always(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict=nn.Linear(2, 2).state_dict()), path)

    with pytest.raises(CheckpointMismatchError, match='holds 0 of the 8'):
        check_checkpoint(
            str(path), Model(), fine_tune=True, may_lack=['backbone', 'keypoint_head']
        )


def test_bare_state_dict_is_a_checkpoint(
    tmp_path: Path, warnings: pytest.LogCaptureFixture
) -> None:
    torch.save(Model().state_dict(), tmp_path / 'bare.pth')

    check_checkpoint(str(tmp_path / 'bare.pth'), Model())

    assert not warnings.records


def test_weights_saved_from_a_data_parallel_wrapper_pass(
    tmp_path: Path, warnings: pytest.LogCaptureFixture
) -> None:
    wrapped = {f'module.{name}': v for name, v in Model().state_dict().items()}
    torch.save(dict(state_dict=wrapped), tmp_path / 'wrapped.pth')

    check_checkpoint(str(tmp_path / 'wrapped.pth'), Model())

    assert not warnings.records


def test_batch_norm_counters_may_be_absent(
    tmp_path: Path, warnings: pytest.LogCaptureFixture
) -> None:
    weights = Model().state_dict()
    del weights['backbone.1.num_batches_tracked']
    torch.save(dict(state_dict=weights), tmp_path / 'old.pth')

    check_checkpoint(str(tmp_path / 'old.pth'), Model())

    assert not warnings.records


def test_wrapped_model_is_looked_into(
    checkpoint: Path, warnings: pytest.LogCaptureFixture
) -> None:
    wrapper = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    nn.Module.__init__(wrapper)
    wrapper.module = Model()

    check_checkpoint(str(checkpoint), wrapper)

    assert not warnings.records


def test_file_without_weights_is_named(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / 'list.pth')

    with pytest.raises(CheckpointMismatchError, match='list.pth holds a list'):
        check_checkpoint(str(tmp_path / 'list.pth'), Model())


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
def test_weights_of_a_size_that_no_training_gives_are_an_error(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    weights = Model().state_dict()
    weights['backbone.0.weight'] = torch.full((4, 3, 3, 3), -60000, dtype=dtype)
    torch.save(weights, tmp_path / 'huge.pth')

    with pytest.raises(CheckpointMismatchError, match='backbone.0.weight is 6.,... in'):
        check_checkpoint(str(tmp_path / 'huge.pth'), Model())


@pytest.mark.parametrize(
    'name, index, value',
    [
        # of a norm before which there were pixels from 0 to 255
        ('backbone.1.running_var', slice(None), 60000.0),
        # one channel, whose variance was nearly 0 when a norm was folded into it
        ('backbone.0.weight', (0, 0, 0, 0), 60000.0),
    ],
)
def test_large_values_that_trainings_give_pass(
    tmp_path: Path, name: str, index: Any, value: float
) -> None:
    model = Model()
    model.state_dict()[name][index] = value
    torch.save(model.state_dict(), tmp_path / 'large.pth')

    model = Model()
    load_checkpoint(str(tmp_path / 'large.pth'), model)

    assert model.state_dict()[name][index].max() == value
