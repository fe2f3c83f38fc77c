# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...utils.arguments import check_arguments
from ...utils.errors import ConfigValueError
from ...utils.suggestions import did_you_mean
from ...utils.wrapped_model import unwrap


@HOOKS.register_module()
class TrainOnlyHook(Hook):
    """Train some parts of a model and keep the others unchanged.

    The others get no gradient and stay in evaluation mode, so that batch norms keep
    their statistics too.

    Args:
        modules (Sequence[str]): Names of the parts to train, such as
            ``'roi_head.keypoint_head.visibility_branch'``.

    Raises:
        ConfigValueError: The model has no such module; raised before the first
            iteration.
    """

    priority = 'LOW'

    @check_arguments
    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = tuple(modules)

    def before_train(self, runner: Runner) -> None:
        """Switch the gradient of all other weights off."""
        model = unwrap(runner.model)
        known = dict(model.named_modules())
        for name in self.modules:
            if name not in known:
                raise ConfigValueError(
                    f'TrainOnlyHook: modules has {name!r}, which the model has not.'
                    f'{did_you_mean(name, known)}'
                )
        model.requires_grad_(False)
        for name in self.modules:
            known[name].requires_grad_(True)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Set the other parts to evaluation mode again, in case an evaluation changed
        it.
        """
        model = unwrap(runner.model)
        for module in model.modules():
            module.training = False
        for name in self.modules:
            model.get_submodule(name).train()
        # a detector that is not in training mode gives no losses in some of mmdet's
        model.training = True
