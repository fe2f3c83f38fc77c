# Copyright (c) onestage_pose contributors.
import os.path as osp
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmpose.registry import HOOKS

from ...checkpoints.atomic import AtomicBackend, write_text
from ...checkpoints.lock import lock_folder
from ...utils.arguments import check_arguments, find_options
from ...utils.errors import ConfigNameError, ConfigValueError
from ...utils.suggestions import did_you_mean

# Images of a step over all processes, in the checkpoint's message hub.
_BATCH_SIZE = 'total_batch_size'
#: Name of the state that is saved between two regular checkpoints.
LATEST = 'latest.pth'


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """Save checkpoints so that an interruption destroys nothing; mmengine's hook.

    - Files are written by :class:`AtomicBackend`, so that none is truncated, unless
      ``backend_args`` or ``file_client_args`` say otherwise or the target is an
      address.
    - Old checkpoints are removed only after the new one is complete.
    - Before an evaluation the state is saved (as ``latest.pth``, if there is no regular
      checkpoint of this iteration), and once more after it. A run that stopped during
      an evaluation runs it first when it is resumed; one that stopped later does not.

    Args:
        interval (int): Iterations or epochs from one checkpoint to the next; -1 for
            none.
        by_epoch (bool): Whether ``interval`` counts epochs.
        **kwargs: Those of mmengine's, which passes over those that it does not know.

    Raises:
        ConfigNameError: An argument is unknown.
        ConfigValueError: A value is of another kind, or ``interval`` is 0.
    """

    @check_arguments
    def __init__(
        self, interval: int = -1, by_epoch: bool = True, *args: Any, **kwargs: Any
    ) -> None:
        known = find_options(SafeCheckpointHook)
        for name in kwargs:
            if name not in known:
                raise ConfigNameError(
                    f'SafeCheckpointHook has no option `{name}`.'
                    f'{did_you_mean(name, known)}'
                )
        if interval < 1 and interval != -1:
            raise ConfigValueError(
                f'SafeCheckpointHook: interval={interval} would never save; give a '
                'whole number above 0, or -1 to save nothing.'
            )
        super().__init__(interval, by_epoch, *args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Choose the output folder and backend, and run a missed evaluation."""
        folder = str(self.out_dir or runner.work_dir)
        if self.backend_args is None and self.file_client_args is None:
            self.backend_args = None if '://' in folder else dict(backend='atomic')
        if is_main_process() and '://' not in folder:
            lock_folder(folder)
        kept = runner.message_hub.runtime_info.get('keep_ckpt_ids')
        if kept is not None:
            # of a resumed checkpoint; mmengine deletes files of these numbers
            kept = kept if isinstance(kept, list) else []
            kept = [number for number in kept if isinstance(number, int)]
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        super().before_train(runner)
        self._keep_to_own_files()
        _check_batch_size(runner)
        if isinstance(self.file_backend, AtomicBackend) and is_main_process():
            self.file_backend.remove_unfinished(self.out_dir)
        self.file_backend = _LateRemoval(self.file_backend)
        self._saved = self._resumed_from(runner)
        if runner.iter >= runner.max_iters:
            runner.logger.info(
                f'The training is at iteration {runner.iter} of {runner.max_iters}: '
                'nothing is left to do. A larger max_iters or max_epochs continues it.'
            )
        if runner.iter > 0 and _is_evaluation_due(runner):
            evaluated = runner.message_hub.runtime_info.get('evaluated_iter')
            if evaluated != runner.iter:
                runner.logger.info(
                    f'The run was interrupted before it was evaluated at iteration '
                    f'{runner.iter}; the evaluation runs first.'
                )
                runner.val_loop.run()

    def _keep_to_own_files(self) -> None:
        """Forget files elsewhere that a resumed checkpoint calls the best ones.

        mmengine deletes the best checkpoint so far once there is a better one, by the
        path that the resumed file states. A copied work dir states the original's.
        """
        if getattr(self, 'best_ckpt_path', None) is not None:
            self.best_ckpt_path = self._own(self.best_ckpt_path)
        for key, path in getattr(self, 'best_ckpt_path_dict', {}).items():
            self.best_ckpt_path_dict[key] = self._own(path)

    def _own(self, path: Any) -> str | None:
        name = osp.basename(path) if isinstance(path, str) else ''
        own = self.file_backend.join_path(self.out_dir, name)
        is_best = name.startswith('best_') and self.file_backend.isfile(own)
        return own if is_best else None

    def _resumed_from(self, runner: Runner) -> tuple[int, str] | None:
        """Return iteration and name of the resumed file if this hook has written it."""
        if not (runner._resume and runner._load_from):
            return None
        step = runner.epoch if self.by_epoch else runner.iter
        for name in (LATEST, self.filename_tmpl.format(step)):
            path = self.file_backend.join_path(self.out_dir, name)
            if osp.abspath(runner._load_from) == osp.abspath(path):
                return runner.iter, name
        return None

    def before_val(self, runner: Runner) -> None:
        """Save the state, which an interrupted evaluation would lose."""
        if self._is_training() and not self._is_saved(runner):
            self.save_latest(runner, runner.iter)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, Any] | None = None
    ) -> None:
        """Save the best checkpoint, and the fact that this evaluation is done."""
        if not self._is_training():
            super().after_val_epoch(runner, metrics)
            return
        runner.message_hub.update_info('evaluated_iter', runner.iter)
        before = self._saved
        super().after_val_epoch(runner, metrics)
        if self._saved is not before or before is None:
            # With the best one mmengine has saved the last one again.
            return
        iteration, name = before
        if name == LATEST:
            self.save_latest(runner, iteration)
        else:
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            step = runner.epoch if self.by_epoch else runner.iter
            self._save_checkpoint_with_step(runner, step, meta)

    def save_latest(self, runner: Runner, iteration: int) -> None:
        """Save the state as ``latest.pth``, until the next regular checkpoint.

        Args:
            runner (Runner): The runner.
            iteration (int): Number of iterations that are done.
        """
        runner.save_checkpoint(
            self.out_dir,
            LATEST,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=dict(epoch=runner.epoch, iter=iteration),
            by_epoch=False,
            backend_args=self.backend_args,
        )
        self._saved = iteration, LATEST
        if is_main_process():
            # as mmengine does for regular ones; with `out_dir` nothing else tells
            path = self.file_backend.join_path(self.out_dir, LATEST)
            write_text(str(path), Path(runner.work_dir, 'last_checkpoint'))

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        # Saving adds to it.
        meta = dict(meta)
        super()._save_checkpoint_with_step(runner, step, meta)
        self._saved = meta['iter'], osp.basename(self.last_ckpt)
        if is_main_process():
            latest = self.file_backend.join_path(self.out_dir, LATEST)
            if self.file_backend.isfile(latest):
                self.file_backend.remove(latest)
            self._remove_outdated()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        several = getattr(self, 'best_ckpt_path_dict', {}).values()
        one = getattr(self, 'best_ckpt_path', None)
        self.file_backend.remove_outdated(keep={self.last_ckpt, one, *several})

    def _is_training(self) -> bool:
        # `runner.val()` has no `before_train`.
        return isinstance(getattr(self, 'file_backend', None), _LateRemoval)

    def _is_saved(self, runner: Runner) -> bool:
        return self._saved is not None and self._saved[0] == runner.iter


class _LateRemoval:
    """A file backend that removes files when told to, and not before."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._outdated: dict[str, Any] = {}

    def remove(self, path: str) -> None:
        self._outdated[str(path)] = self._backend.remove

    def rmtree(self, path: str) -> None:
        self._outdated[str(path)] = self._backend.rmtree

    def remove_outdated(self, keep: set[str | None]) -> None:
        for path, remove in self._outdated.items():
            if path not in keep:
                remove(path)
        self._outdated.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def _is_evaluation_due(runner: Runner) -> bool:
    """Return whether a loop evaluates at its present iteration."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    if isinstance(loop, IterBasedTrainLoop):
        done, last = loop.iter, loop.max_iters
    elif loop.iter == loop.epoch * len(loop.dataloader):
        done, last = loop.epoch, loop.max_epochs
    else:
        # in the middle of an epoch
        return False
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == last)


def _check_batch_size(runner: Runner) -> None:
    """Warn where a resumed run continues with another batch size."""
    cfg = runner.cfg.get('train_dataloader')
    size = cfg.get('batch_size') if isinstance(cfg, dict) else None
    if size is None:
        return
    size *= get_world_size()
    before = runner.message_hub.runtime_info.get(_BATCH_SIZE)
    if isinstance(before, int) and before != size:
        runner.logger.warning(
            f'The run had batches of {before} images, over all processes, and goes on '
            f'with {size}: the learning rate and the number of iterations stay as they '
            'are in the config.'
        )
    runner.message_hub.update_info(_BATCH_SIZE, size)
