# Copyright (c) onestage_pose contributors.
"""The config in a checkpoint, for users who say that they trust the checkpoint."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import CheckpointLoader

from ..utils.errors import CheckpointError, UnsafeCheckpointError
from .loading import CONFIG_TEXTS, keeping_config_texts
from .plain_config import ConfigTextError, parse_plain_config

#: Packages whose registries a type may be of, beside this one's, which are theirs.
SCOPES = ('mmengine', 'mmcv', 'mmdet', 'mmpose')

# Of mmcv.ops, found by their names without a registry.
_OPERATORS = {'nms', 'soft_nms', 'RoIAlign', 'RoIPool'}
# Registered, and fetch or open what an option names.
_FETCHING = {'BertModel'}
# The weights are those of the checkpoint, and the files those of the caller.
_LEFT_OUT = ('init_cfg', 'pretrained', 'backend_args', 'file_client_args')
_NAME = re.compile(r'(?:(\w+)\.)?([A-Za-z_]\w*)')
# Letters, digits and a dot inside: no path, no address, no file that is a program.
_WORD = re.compile(r'[\w+\- ]*(?:\.(?!py$|json$|ya?ml$|pkl$|pickle$|pth?$)[\w]+)?')


def read_trusted_config(filename: str) -> Config:
    """Read the config in a checkpoint that the caller trusts, as far as it is plain.

    Trust goes as far as the classes of OpenMMLab's registries and their numbers:

    - The text is parsed, not run; it may state values only.
    - Every ``type`` in it is a name that a registry of mmengine, mmcv, mmdet, mmpose
      or this package holds (``mmdet.`` and the like may stand before it). Names of
      modules are refused, as are ``custom_imports``, ``_base_`` and unknown scopes.
    - Of it are taken ``model``, the test pipeline, ``data_mode``, ``dataset_type`` and
      ``default_scope``: what prediction needs. Initial weights (``init_cfg``,
      ``pretrained``) and storage backends are left out; no other text in it may be a
      path or an address.

    Args:
        filename (str): Path or address of the checkpoint.

    Returns:
        Config: For an inferencer or ``init_model``; its visualizer writes nothing.

    Raises:
        CheckpointError: The checkpoint cannot be read, or has no config.
        UnsafeCheckpointError: The config asks for more than the above. Nothing of it
            was built or imported.
    """
    try:
        values = parse_plain_config(_read_text(filename))
        _check_names(values)
        return Config(_take_for_prediction(values))
    except ConfigTextError as error:
        raise UnsafeCheckpointError(
            f'checkpoint {filename}: the config in it was not used: {error}. Nothing '
            'of it was run. Give the config as a file that you have read.'
        ) from None


def _read_text(filename: str) -> str:
    with keeping_config_texts():
        checkpoint = CheckpointLoader.load_checkpoint(filename, 'cpu', logger='silent')
    for *parents, key in CONFIG_TEXTS:
        place = checkpoint
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict) and isinstance(place.get(key), str):
            return place[key]
    raise CheckpointError(f'checkpoint {filename} has no config in it: give one.')


def _check_names(values: dict[str, Any]) -> None:
    known = _registered_names()
    for path, key, value in _items(values):
        place = '.'.join([*path, str(key)])
        if key == 'custom_imports' and isinstance(value, dict):
            imports = value.get('imports')
            # is imported already
            value = None if imports in ('onestage_pose', ['onestage_pose']) else imports
        if key in ('custom_imports', '_base_') and value:
            raise ConfigTextError(f'{place} would import {value!r}')
        if key in ('_scope_', 'default_scope') and value not in (None, *SCOPES):
            raise ConfigTextError(f'{place}={value!r} is none of {", ".join(SCOPES)}')
        # in a metainfo, `type` is the part of the body that a keypoint belongs to
        if key == 'type' and 'keypoint_info' not in path:
            _check_type(place, value, known)


def _check_type(place: str, value: Any, known: dict[str, set[str]]) -> None:
    match = _NAME.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        scope, name = match.groups()
        names = (
            known.get(scope, ()) if scope else set().union(_OPERATORS, *known.values())
        )
        if name in names and name not in _FETCHING:
            return
    raise ConfigTextError(
        f'{place}={value!r} is not a name in the registries of {", ".join(SCOPES)} and '
        'onestage_pose'
    )


def _registered_names() -> dict[str, set[str]]:
    """Return the names in each scope's registries."""
    names: dict[str, set[str]] = {'mmengine': set(), 'mmcv': set()}
    for scope in ('mmengine', 'mmdet', 'mmpose'):
        module = importlib.import_module(f'{scope}.registry')
        names[scope] = set()
        for registry in vars(module).values():
            if isinstance(registry, Registry):
                registry.import_from_location()
                names[scope].update(registry.module_dict)
    # mmcv registers its parts in mmengine's
    names['mmcv'] = names['mmengine']
    return names


def _take_for_prediction(values: dict[str, Any]) -> dict[str, Any]:
    taken = {
        key: values[key]
        for key in ('model', 'data_mode', 'dataset_type', 'default_scope')
        if key in values
    }
    try:
        pipeline = values['test_dataloader']['dataset']['pipeline']
        taken['model']['type']
    except (KeyError, TypeError) as error:
        raise ConfigTextError(
            f'it has no model and test_dataloader.dataset.pipeline (missing: {error})'
        ) from error
    taken['test_dataloader'] = dict(dataset=dict(pipeline=pipeline))
    for path, key, value in _items(taken):
        if key not in _LEFT_OUT and not set(path) & set(_LEFT_OUT):
            _check_word('.'.join([*path, str(key)]), key, value)
    taken = _without_files(taken)
    # the checkpoint's own may write to wherever it names
    taken['visualizer'] = dict(type='PoseLocalVisualizer')
    return taken


def _check_word(place: str, key: Any, value: Any) -> None:
    values = value if isinstance(value, (list, tuple, set)) else [value]
    for each in values:
        if isinstance(each, (str, bytes)) and key not in ('type', '_scope_'):
            if isinstance(each, bytes) or _WORD.fullmatch(each) is None:
                raise ConfigTextError(f'{place}={each!r} could be a file or an address')


def _without_files(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key in _LEFT_OUT else _without_files(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_without_files(item) for item in value)
    return value


def _items(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple]:
    """Yield (path, key, value) of every entry of nested dicts and lists."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = enumerate(value)
    else:
        return
    for key, item in pairs:
        yield path, key, item
        yield from _items(item, (*path, str(key)))
