# Copyright (c) onestage_pose contributors.
"""NaN ends a training, with the names of the pictures, and nothing is saved."""

from pathlib import Path
from typing import Any

from onestage_pose.utils.errors import NonFiniteError

import pytest
import torch

from tests.tool_runs import run_tool
from tests.toy_pose import ToyModel, write_config

BY_ITERATION = dict(
    train_cfg=dict(
        _delete_=True, type='IterBasedTrainLoop', max_iters=4, val_interval=10
    ),
    log_processor__by_epoch=False,
    default_hooks__checkpoint=dict(by_epoch=False, interval=1),
    train_dataloader__sampler__shuffle=False,
)


@pytest.fixture
def loss_at(monkeypatch: pytest.MonkeyPatch):
    """Makes the toy's loss of the third iteration what a function makes of it."""

    def change(make: Any) -> None:
        forward, calls = ToyModel.forward, []

        def changed(self: Any, inputs: Any, data_samples: Any, mode: str) -> Any:
            outputs = forward(self, inputs, data_samples, mode)
            if mode == 'loss':
                calls.append(None)
                if len(calls) == 3:
                    outputs = {name: make(loss) for name, loss in outputs.items()}
            return outputs

        monkeypatch.setattr(ToyModel, 'forward', changed)

    return change


@pytest.mark.parametrize('wrong', [float('nan'), float('inf'), -float('inf')])
def test_loss_is_told_with_iteration_and_pictures(
    tmp_path: Path, loss_at: Any, wrong: float
) -> None:
    loss_at(lambda loss: loss * wrong)
    config = write_config(tmp_path, **BY_ITERATION)

    # Six pictures in order, two a batch.
    with pytest.raises(
        NonFiniteError, match=r'iteration 3: .*loss=.*nowhere/004.png, nowhere/005.png'
    ):
        run_tool('train', config)

    saved = sorted(path.name for path in (tmp_path / 'work').glob('*.pth'))
    assert saved == ['iter_1.pth', 'iter_2.pth']


def test_gradient_is_told(tmp_path: Path, loss_at: Any) -> None:
    # The square root has an infinite slope at 0.
    loss_at(lambda loss: loss + 0 * (loss * 0).sqrt())
    clip = dict(optim_wrapper__clip_grad=dict(max_norm=1e12))
    config = write_config(tmp_path, **BY_ITERATION, **clip)

    with pytest.raises(NonFiniteError, match='iteration 3: grad_norm=nan'):
        run_tool('train', config)


def test_weights_that_are_not_finite_are_not_saved(
    tmp_path: Path, loss_at: Any
) -> None:
    # Without `clip_grad` nobody looks at the gradient.
    loss_at(lambda loss: loss + 0 * (loss * 0).sqrt())
    config = write_config(tmp_path, **BY_ITERATION)

    with pytest.raises(NonFiniteError, match='weights are not finite, first conv'):
        run_tool('train', config)

    assert not (tmp_path / 'work/iter_3.pth').exists()
    assert (tmp_path / 'work/iter_2.pth').exists()


def test_gradient_norm_is_logged_and_clips_nothing_in_the_coco_schedules() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.full((3,), 1e6)
    from mmengine.config import Config

    schedule = Config.fromfile('configs/_base_/schedules/schedule_1x.py')

    torch.nn.utils.clip_grad_norm_([weight], **schedule.optim_wrapper.clip_grad)

    assert torch.equal(weight.grad, torch.full((3,), 1e6))
