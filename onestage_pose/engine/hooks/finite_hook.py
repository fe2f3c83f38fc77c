# Copyright (c) onestage_pose contributors.
import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...utils.errors import NonFiniteError


@HOOKS.register_module()
class FiniteHook(Hook):
    """Stop training if the loss, the gradient or the weights are NaN or infinite.

    The losses are checked after every iteration, and so is the gradient's norm if
    ``optim_wrapper.clip_grad`` computes it, except in float16, where loss scaling lets
    it overflow occasionally and skips the update itself. No checkpoint with weights
    that are not finite is written.

    mmdet's ``CheckInvalidLossHook`` only checks the sum of the losses every 50
    iterations, by an assertion.

    Raises:
        NonFiniteError: The message names the iteration, the values that are not finite,
            and the images of the batch.
    """

    priority = 'HIGH'

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Check the losses and the gradient."""
        values = {name: _number(value) for name, value in (outputs or {}).items()}
        if not isinstance(runner.optim_wrapper, AmpOptimWrapper):
            norm = runner.message_hub.log_scalars.get('train/grad_norm')
            if norm is not None:
                values['grad_norm'] = norm.current()
        wrong = {name: v for name, v in values.items() if not math.isfinite(v)}
        if wrong:
            told = ', '.join(f'{name}={value}' for name, value in wrong.items())
            raise NonFiniteError(
                f'iteration {runner.iter + 1}: {told}. The batch was '
                f'{_names(data_batch)}. Nothing was saved after it; a lower '
                'learning rate, or optim_wrapper.clip_grad=dict(max_norm=10), and '
                '--resume continue from the latest checkpoint. If it happens again '
                'with these images, check their annotations.'
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the weights that are about to be saved."""
        wrong = [
            name
            for name, weight in checkpoint['state_dict'].items()
            if torch.is_floating_point(weight) and not torch.isfinite(weight).all()
        ]
        if wrong:
            raise NonFiniteError(
                f'iteration {runner.iter + 1}: {len(wrong)} weights are not finite, '
                f'first {wrong[0]}. They were not saved; --resume continues from the '
                'latest checkpoint.'
            )


def _number(value: float | torch.Tensor) -> float:
    return value.item() if isinstance(value, torch.Tensor) else value


def _names(data_batch: Any) -> str:
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    if not samples:
        return 'of unknown images'
    return ', '.join(
        str(sample.get('img_path') or f'img_id={sample.get("img_id")}')
        for sample in samples
    )
