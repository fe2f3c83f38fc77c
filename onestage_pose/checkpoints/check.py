# Copyright (c) onestage_pose contributors.
"""Check a checkpoint against the model that is to take it, before it does."""

import logging
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.runner.checkpoint import _load_checkpoint, _load_checkpoint_to_model
from torch import Tensor, nn

from ..structures.categories import has_whole_categories
from ..utils.errors import CheckpointMismatchError
from ..utils.wrapped_model import unwrap
from .comparison import compare_weights, get_state_dict, list_names

_OF_A_TRAINING = {'state_dict', 'meta', 'message_hub', 'optimizer'}
# The mean magnitude of an array of weights. Trained ones stay far below: 11 is the
# largest in the package, of a bias that batch norms were folded into.
_LARGEST_MEAN = 1000


def check_checkpoint(
    filename: str,
    model: nn.Module,
    *,
    fine_tune: bool = False,
    may_lack: Sequence[str] = (),
    resumes: bool = False,
) -> None:
    """Raise unless a checkpoint holds every weight of a model.

    mmengine loads what fits and only logs the rest, so a checkpoint of another model
    would give low accuracy instead of an error.

    Args:
        filename (str): Path or address of the checkpoint, as ``load_from`` takes it.
        model (nn.Module): The model, wrapped for several processes or not.
        fine_tune (bool): Accept weights of another shape (they keep their initial
            values, as in training for another number of keypoints) and name
            them in a warning.
        may_lack (Sequence[str]): Parts of the model, as prefixes of weight names such
            as ``'roi_head.keypoint_head'``, that the checkpoint need not hold.
        resumes (bool): Also require the training state, such as the optimizer's.

    Raises:
        CheckpointMismatchError: Weights are missing, unexpected or of another shape; or
            they are not dense finite floating-point numbers, are negative variances, or
            are too large for trained weights; or there is no training state to resume.
            The message has the counts and the first names.
        CheckpointError: The file cannot be read, or holds more than plain data.
    """
    checkpoint = _load_checkpoint(filename, map_location='cpu', logger='silent')
    _check(checkpoint, filename, model, fine_tune, may_lack, resumes)


def load_checkpoint(filename: str, model: nn.Module) -> dict[str, Any]:
    """Read a checkpoint once, check it, and load its weights into a model.

    Args:
        filename (str): Path or address of the checkpoint.
        model (nn.Module): The model, changed in place.

    Returns:
        dict[str, Any]: Content of the checkpoint, such as ``meta``; tensors are on the
        CPU.

    Raises:
        CheckpointError: As :func:`check_checkpoint`; the model is unchanged then.
    """
    checkpoint = _load_checkpoint(filename, map_location='cpu', logger='silent')
    _check(checkpoint, filename, model)
    _load_checkpoint_to_model(model, checkpoint, logger='silent')
    return checkpoint


def check_loaded(checkpoint: Any, filename: str, model: nn.Module) -> None:
    """Raise unless a checkpoint that has been read fits a model that is to predict.

    Args:
        checkpoint (Any): What the file holds.
        filename (str): Its path or address, for the message.
        model (nn.Module): The model. One without a part of this package may lack
            buffers: MMPose and MMDetection have added some since they published
            checkpoints.

    Raises:
        CheckpointMismatchError: As :func:`check_checkpoint`.
    """
    package = __name__.split('.')[0]
    is_ours = any(type(m).__module__.startswith(package) for m in model.modules())
    parameters = {name for name, _ in model.named_parameters()}
    buffers = [name for name in get_state_dict(model) if name not in parameters]
    check_dataset_meta(checkpoint, filename)
    _check(checkpoint, filename, model, may_lack=() if is_ours else buffers)


def check_dataset_meta(checkpoint: Any, filename: str) -> dict[str, Any]:
    """Raise where the skeleton in a checkpoint is not what MMPose writes.

    Args:
        checkpoint (Any): What the file holds.
        filename (str): Its path or address, for the message.

    Returns:
        dict[str, Any]: ``meta.dataset_meta``; empty where the checkpoint has none.

    Raises:
        CheckpointMismatchError: Naming the file and the key; also where it names a file
            that would be run.
    """
    meta = checkpoint.get('meta') if isinstance(checkpoint, Mapping) else None
    if not isinstance(meta or {}, Mapping):
        raise _meta_error(filename, 'meta', 'is not a dict', meta)
    found = (meta or {}).get('dataset_meta') or {}
    if not isinstance(found, Mapping) or 'from_file' in found:
        raise CheckpointMismatchError(
            f'checkpoint {filename}: meta.dataset_meta does not describe keypoints but '
            f'is {str(found)[:100]}. A checkpoint never names a file to open: '
            'take dataset_meta out, and the one of the config is used.'
        )
    names = found.get('keypoint_id2name')
    if names is None:
        # of a detector
        return dict(found)
    if not isinstance(names, Mapping) or set(names) != set(range(len(names))):
        fault = 'does not name the keypoints 0, 1, 2, ...'
        raise _meta_error(filename, 'keypoint_id2name', fault, names)
    for key, wanted in (('num_keypoints', len(names)), ('flip_indices', set(names))):
        value = found.get(key)
        try:
            agrees = value is None or wanted == (
                set(map(int, value)) if key == 'flip_indices' else int(value)
            )
        except (TypeError, ValueError):
            agrees = False
        if not agrees:
            fault = f'is not of the {len(names)} keypoints of keypoint_id2name'
            raise _meta_error(filename, key, fault, value)
    if not has_whole_categories(found):
        fault = f'do not share the {len(names)} keypoints of keypoint_id2name'
        value = found.get('categories'), found.get('keypoint_categories')
        raise _meta_error(filename, 'categories', fault, value)
    return dict(found)


def _meta_error(
    filename: str, key: str, fault: str, value: Any
) -> CheckpointMismatchError:
    place = key if key == 'meta' else f'meta.dataset_meta.{key}'
    return CheckpointMismatchError(
        f'checkpoint {filename}: {place} {fault}: {str(value)[:100]}. Correct it, or '
        'take dataset_meta out, and the one of the config is used.'
    )


def _check(
    checkpoint: Any,
    filename: str,
    model: nn.Module,
    fine_tune: bool = False,
    may_lack: Sequence[str] = (),
    resumes: bool = False,
) -> None:
    saved = _get_weights(checkpoint, filename)
    found = compare_weights(saved, model)
    optional = tuple(f'{part.rstrip(".")}.' for part in may_lack)
    needed = [name for name in found.missing if not f'{name}.'.startswith(optional)]
    module = unwrap(model)
    summary = (
        f'checkpoint {filename} holds {found.matching} of the {found.number} weights '
        f'of {type(module).__name__}: {found}.'
    )
    if needed or not found.matching or (found.reshaped and not fine_tune):
        raise CheckpointMismatchError(f'{summary} {_remedy(fine_tune)}')
    if resumes and not _OF_A_TRAINING <= set(checkpoint):
        raise CheckpointMismatchError(
            f'checkpoint {filename} holds weights alone and no training that could be '
            'resumed; to start from these weights give it in load_from.'
        )
    _check_kind(saved, filename, model)
    _check_finite(saved, filename)
    if found.missing or found.reshaped or found.unexpected:
        print_log(summary, logger='current', level=logging.WARNING)


def _check_kind(saved: Mapping[str, Tensor], filename: str, model: nn.Module) -> None:
    state = get_state_dict(model)
    module = unwrap(model)
    parameters = {name for name, _ in module.named_parameters()}
    wrong = []
    for name, weight in saved.items():
        fault = _fault(weight, state.get(name))
        if fault is None and name.endswith('running_var') and (weight < 0).any():
            fault = 'negative, which a variance is not'
        # A norm's statistics may be large: they are those of the pixels.
        if fault is None and name in parameters:
            fault = _fault_of_size(weight)
        if fault is not None:
            wrong.append(f'{name} is {fault}')
    if wrong:
        raise CheckpointMismatchError(
            f'checkpoint {filename} holds weights that no training writes: '
            f'{list_names(wrong)}. Give the checkpoint as the training wrote it.'
        )


def _fault(saved: Tensor, wanted: Any) -> str | None:
    if saved.is_meta:
        return 'without values (a meta tensor)'
    if saved.layout is not torch.strided:
        return f'sparse ({saved.layout})'
    if saved.is_quantized:
        return f'quantized ({saved.dtype})'
    is_float = isinstance(wanted, Tensor) and wanted.is_floating_point()
    if is_float and not saved.is_floating_point():
        return f'of {saved.dtype} where floating-point numbers are expected'
    return None


def _fault_of_size(weight: Tensor) -> str | None:
    # in float32: the sum of many float16 is infinite
    mean = weight.abs().mean(dtype=torch.float32).item() if weight.numel() else 0.0
    if isfinite(mean) and mean > _LARGEST_MEAN:
        return f'{mean:,.0f} in the mean, which overflows in the network'
    return None


def _check_finite(saved: Mapping[str, Tensor], filename: str) -> None:
    wrong = [
        name
        for name, weight in saved.items()
        if weight.is_floating_point() and not weight.isfinite().all()
    ]
    if wrong:
        raise CheckpointMismatchError(
            f'checkpoint {filename} holds NaN or infinity in {list_names(wrong)} of '
            'its weights: it comes from a failed training. Give an earlier checkpoint.'
        )


def _get_weights(checkpoint: object, filename: str) -> dict[str, Tensor]:
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
        name.removeprefix('module.'): weight
        for name, weight in saved.items()
        if isinstance(weight, Tensor)
    }


def _remedy(fine_tune: bool) -> str:
    if not fine_tune:
        return 'Give the checkpoint of this config, or the config of this checkpoint.'
    return (
        'Give a checkpoint of this model in load_from; where a part of the model is '
        'meant to start from its initial weights, name the part in the config: '
        "load_from_may_lack=['roi_head.keypoint_head']."
    )
