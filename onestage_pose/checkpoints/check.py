# Copyright (c) onestage_pose contributors.
"""Compares a checkpoint with the model that is to take it, before it does."""

import logging
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from ..utils.errors import CheckpointMismatchError

_NAMES_SHOWN = 5
_OF_A_TRAINING = {'state_dict', 'meta', 'message_hub', 'optimizer'}


def check_checkpoint(
    filename: str,
    model: nn.Module,
    *,
    fine_tune: bool = False,
    may_lack: Sequence[str] = (),
    resumes: bool = False,
) -> None:
    """Raises unless a checkpoint holds every weight of a model.

    mmengine loads what fits and mentions the rest in its log, so a run with a
    checkpoint of another model ends in low figures and not in an error.

    Args:
        filename: Path or address of the checkpoint, as ``load_from`` takes it.
        model: The model, wrapped for several processes or not.
        fine_tune: Accept weights of another shape (they keep their initial
            values, as in training for another number of keypoints) and name
            them in a warning.
        may_lack: Parts of the model, as prefixes of weight names such as
            ``'roi_head.keypoint_head'``, that the checkpoint need not hold.
        resumes: Ask for what a training keeps beside its weights, too.

    Raises:
        CheckpointMismatchError: With the counts and the first names of the
            weights that are missing, of another shape, and unexpected; or of
            those that are not finite; or if there is nothing to resume.
    """
    checkpoint = _load_checkpoint(filename, map_location='cpu', logger='silent')
    saved = _weights(checkpoint, filename)
    module = model.module if is_model_wrapper(model) else model
    wanted = {
        name: weight
        for name, weight in module.state_dict().items()
        # BatchNorm came without this counter once, and mmengine lets it be absent.
        if isinstance(weight, Tensor) and not name.endswith('num_batches_tracked')
    }
    optional = tuple(f'{part.rstrip(".")}.' for part in may_lack)
    absent = [name for name in wanted if name not in saved]
    missing = [name for name in absent if not name.startswith(optional)]
    reshaped = [
        f'{name} {_shape(saved[name])} instead of {_shape(weight)}'
        for name, weight in wanted.items()
        if name in saved and saved[name].shape != weight.shape
    ]
    unexpected = [name for name in saved if name not in module.state_dict()]
    found = len(wanted) - len(absent) - len(reshaped)
    summary = (
        f'checkpoint {filename} holds {found} of the {len(wanted)} weights of '
        f'{type(module).__name__}: '
        f'{_list(absent)} missing, {_list(reshaped)} of another shape, '
        f'{_list(unexpected)} unexpected.'
    )
    if missing or not found or (reshaped and not fine_tune):
        raise CheckpointMismatchError(f'{summary} {_remedy(fine_tune)}')
    if resumes and not _OF_A_TRAINING <= set(checkpoint):
        raise CheckpointMismatchError(
            f'checkpoint {filename} holds weights alone and no training that could be '
            'resumed; to start from these weights give it in load_from.'
        )
    _check_finite(saved, filename)
    if absent or reshaped or unexpected:
        print_log(summary, logger='current', level=logging.WARNING)


def _check_finite(saved: Mapping[str, Tensor], filename: str) -> None:
    wrong = [
        name
        for name, weight in saved.items()
        if weight.is_floating_point() and not weight.isfinite().all()
    ]
    if wrong:
        raise CheckpointMismatchError(
            f'checkpoint {filename} holds NaN or infinity in {_list(wrong)} of its '
            'weights: it comes from a training that had failed. Give an earlier one.'
        )


def _weights(checkpoint: object, filename: str) -> dict[str, Tensor]:
    saved = checkpoint
    if isinstance(saved, Mapping):
        saved = saved.get('state_dict', saved)
    if not isinstance(saved, Mapping):
        raise CheckpointMismatchError(
            f'checkpoint {filename} holds a {type(saved).__name__}, not a dict of '
            'weights.'
        )
    return {
        # As mmengine does: a model saved from its data-parallel wrapper.
        name[len('module.') :] if name.startswith('module.') else name: weight
        for name, weight in saved.items()
        if isinstance(weight, Tensor)
    }


def _shape(weight: Tensor) -> str:
    return 'x'.join(str(size) for size in weight.shape) or 'scalar'


def _list(names: list[str]) -> str:
    if not names:
        return '0'
    more = ', ...' if len(names) > _NAMES_SHOWN else ''
    return f'{len(names)} ({", ".join(names[:_NAMES_SHOWN])}{more})'


def _remedy(fine_tune: bool) -> str:
    if not fine_tune:
        return 'Give the checkpoint of this config, or the config of this checkpoint.'
    return (
        'Give a checkpoint of this model in load_from; where a part of the model is '
        'meant to start from its initial weights, name the part in the config: '
        "load_from_may_lack=['roi_head.keypoint_head']."
    )
