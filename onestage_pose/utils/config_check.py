# Copyright (c) onestage_pose contributors.
"""Find misspelt names in configs and options before anything is built."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from mmengine.runner import Runner

from .errors import ConfigNameError, ConfigValueError
from .suggestions import find_similar, quote_names

#: Top-level names that mmengine, mmpose or this project's tools look up in a
#: config beside the arguments of ``Runner``.
_OTHER_TOP_LEVEL_NAMES = {
    'activation_checkpointing',
    'codec',
    'compile',
    'custom_imports',
    'data_mode',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'load_from_may_lack',
    'model_wrapper_cfg',
    'preprocess_cfg',
    'runner_type',
    'sync_bn',
}
_UNKNOWN_OPTION = re.compile(
    r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'"
)
# High enough to tell `max_iters` from `max_epochs`, low enough for one letter
# missing in `lr`-sized names and two exchanged in longer ones.
_LIKENESS = 0.8

#: Values that would fail late or with an error of another place: the least one, and
#: whether it has to be whole.
_NUMBERS = {
    'train_dataloader.batch_size': (1, True),
    'train_dataloader.num_workers': (0, True),
    'val_dataloader.batch_size': (1, True),
    'val_dataloader.num_workers': (0, True),
    'test_dataloader.batch_size': (1, True),
    'test_dataloader.num_workers': (0, True),
    'train_cfg.max_epochs': (1, True),
    'train_cfg.max_iters': (1, True),
    'train_cfg.val_interval': (1, True),
    'optim_wrapper.optimizer.lr': (0, False),
    'randomness.seed': (0, True),
}

# What a run is made of, and the kinds that mmengine takes.
_PARTS: dict[str, tuple[type, ...]] = {
    'model': (dict,),
    **{
        f'{name}_{part}': (dict, list) if part == 'evaluator' else (dict,)
        for name in ('train', 'val', 'test')
        for part in ('dataloader', 'cfg', 'evaluator')
    },
    'optim_wrapper': (dict,),
    'param_scheduler': (dict, list),
    'default_hooks': (dict,),
    'custom_hooks': (list,),
    'env_cfg': (dict,),
    'randomness': (dict,),
    'log_processor': (dict,),
    'visualizer': (dict,),
}


def known_top_level_names() -> set[str]:
    """Return the top-level config names that the programs read."""
    parameters = set(inspect.signature(Runner.__init__).parameters)
    return (parameters - {'self', 'cfg'}) | _OTHER_TOP_LEVEL_NAMES


def check_top_level_names(cfg: Mapping[str, Any], filename: str) -> None:
    """Raise where a config's top-level name is nearly one that is read.

    A config may hold variables of its own, so an unknown name is an error only
    where it looks like a slip: ``train_cgf``, but neither ``data_root`` nor
    ``train_cfg_short``.

    Args:
        cfg (Mapping[str, Any]): The config.
        filename (str): Its path, for the message.

    Raises:
        ConfigNameError: Naming the file, the name and what it resembles.
    """
    known = known_top_level_names()
    for name in cfg:
        if name in known or _is_variation(name, known):
            continue
        close = find_similar(name, known, likeness=_LIKENESS)
        if close:
            raise ConfigNameError(
                f'{filename}: nothing reads `{name}`. Did you mean '
                f'{quote_names(close)}? (Rename it if it is a variable of your own.)'
            )


def check_options(cfg: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raise where ``--cfg-options`` names nothing in a config.

    New names are allowed (``optim_wrapper.clip_grad.max_norm=35`` where there
    was no clipping), since what is built from them refuses the unknown; but not
    at the top level, and not where they look like a name that stands beside.

    Args:
        cfg (Mapping[str, Any]): The config that the options are for.
        options (Mapping[str, Any]): Dotted names and values, as ``DictAction`` gives
            them.

    Raises:
        ConfigNameError: Naming the option and what it resembles; or the option is a
            variable of the file, whose value has gone into other settings.
    """
    for option in options:
        _check_option(cfg, option)


def check_values(cfg: Mapping[str, Any]) -> None:
    """Raise where a number of a run is none, or too small.

    Args:
        cfg (Mapping[str, Any]): The config with everything merged.

    Raises:
        ConfigValueError: Naming the key, the value and what is expected.
    """
    for name, (least, is_whole) in _NUMBERS.items():
        value: Any = cfg
        for part in name.split('.'):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            continue
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or value < least or (is_whole and value != int(value)):
            kind = 'a whole number' if is_whole else 'a number'
            raise ConfigValueError(
                f'the config has {name}={value!r}; give {kind} of at least {least}.'
            )


def check_parts(cfg: Mapping[str, Any], filename: str, needed: Sequence[str]) -> None:
    """Raise where a part of a run is missing, or is of another kind.

    Args:
        cfg (Mapping[str, Any]): The config, of plain dicts and lists.
        filename (str): Its path, for the message.
        needed (Sequence[str]): The parts that there must be.

    Raises:
        ConfigValueError: Naming the file and the part.
    """
    for name, kinds in _PARTS.items():
        value = cfg.get(name)
        if value is not None and not isinstance(value, kinds):
            expected = ' or '.join(kind.__name__ for kind in kinds)
            raise ConfigValueError(f'{filename}: {name}={value!r} is not a {expected}.')
        if value is None and name in needed:
            raise ConfigValueError(
                f'{filename} has no {name}, which this run needs: is it the whole '
                'config, or a part that others inherit?'
            )


def check_loops(cfg: Mapping[str, Any], filename: str) -> None:
    """Raise where training, validation or testing is described in part only.

    Args:
        cfg (Mapping[str, Any]): The config with everything merged.
        filename (str): Its path, for the message.

    Raises:
        ConfigValueError: Naming the file, what is there and what is missing.
    """
    for name in ('train', 'val', 'test'):
        parts = [f'{name}_dataloader', f'{name}_cfg']
        parts.append('optim_wrapper' if name == 'train' else f'{name}_evaluator')
        there = [part for part in parts if cfg.get(part) is not None]
        if there and len(there) < 3:
            missing = ', '.join(part for part in parts if part not in there)
            raise ConfigValueError(
                f'{filename} has {", ".join(there)} and no {missing}; give all three, '
                'or None for all three.'
            )


def find_schedule_beyond_end(cfg: Mapping[str, Any]) -> str | None:
    """Find a learning rate that never falls, since the training ends before.

    Args:
        cfg (Mapping[str, Any]): The config with everything merged.

    Returns:
        str | None: What to tell the user, with both numbers; None where all is well.
    """
    loop = cfg.get('train_cfg') or {}
    by_iteration = loop.get('max_iters') is not None
    length = loop.get('max_iters') if by_iteration else loop.get('max_epochs')
    schedulers = cfg.get('param_scheduler') or []
    if isinstance(schedulers, Mapping):
        schedulers = [schedulers]
    if length is None or not isinstance(schedulers, Sequence):
        return None
    option = 'train_cfg.max_iters' if by_iteration else 'train_cfg.max_epochs'
    for place, scheduler in enumerate(schedulers):
        by_epoch = scheduler.get('by_epoch', True)
        if by_epoch == by_iteration:
            # counted in other units
            continue
        key = 'milestones' if scheduler.get('milestones') else 'end'
        last = scheduler.get(key)
        last = max(last) if key == 'milestones' else last
        # a milestone at the end changes nothing either
        if isinstance(last, (int, float)) and last >= length + (key == 'end'):
            return (
                f'{option}={length}, but param_scheduler.{place} '
                f'({scheduler.get("type")}) goes on to {key}={last}: the learning rate '
                'does not reach its final value. Scale one to the other.'
            )
    return None


def explain_unknown_option(error: TypeError) -> str | None:
    """Explain in a config's terms which class does not know which option.

    Args:
        error (TypeError): What was raised while a registry built something.

    Returns:
        str | None: The class, the option and those of its options that look alike;
        None where ``error`` is about something else.
    """
    unknown = _UNKNOWN_OPTION.search(str(error))
    built = _innermost_built_class(error.__traceback__)
    if unknown is None or built is None:
        return None
    owner, name = unknown.groups()
    if owner not in [base.__name__ for base in built.__mro__]:
        # Made by what was built, as a loop makes its DataLoader.
        return f'{owner} has no option `{name}`.'
    options = _options_of(built)
    close = find_similar(name, options, likeness=_LIKENESS)
    advice = (
        f'did you mean {quote_names(close)}?'
        if close
        else f'it knows {quote_names(options)}.'
    )
    return f'{built.__name__} has no option `{name}` ({built.__module__}): {advice}'


def _check_option(cfg: Mapping[str, Any], option: str) -> None:
    place: Any = cfg
    parts = option.split('.')
    if parts[0] in cfg and parts[0] not in known_top_level_names() - {'codec'}:
        _check_variable(cfg, parts[0], option)
    for depth, part in enumerate(parts):
        above = '.'.join(parts[:depth])
        if isinstance(place, Sequence) and not isinstance(place, str):
            place = _list_item(place, part, option, above)
        elif isinstance(place, Mapping):
            if part not in place:
                _check_new_name(place, part, option, above)
                return
            place = place[part]
        elif place is None:
            # `clip_grad=None` in the config, `clip_grad.max_norm=35` wanted.
            return
        else:
            raise ConfigNameError(
                f'--cfg-options {option}: {above} is {place!r} and has no parts.'
            )


def _check_variable(cfg: Mapping[str, Any], name: str, option: str) -> None:
    """Raise where a variable's value stands in other settings, which would not change.

    Others may be read by somebody's own hook.
    """
    value = cfg[name]
    if value is None or isinstance(value, bool):
        return
    used = [place for place in _places_of(value, cfg) if place != name]
    if used:
        raise ConfigNameError(
            f'--cfg-options {option}: `{name}` is a variable of the config file, which '
            'is already evaluated; set the options that use it, such as '
            f'{quote_names(used[:3])}.'
        )


def _places_of(value: Any, place: Any, name: str = '') -> list[str]:
    """Find the settings that equal a value, itself among them, by dotted names."""
    if name and place == value:
        return [name]
    if isinstance(place, Mapping):
        parts: Iterable[tuple[Any, Any]] = place.items()
    elif isinstance(place, Sequence) and not isinstance(place, str):
        parts = enumerate(place)
    else:
        return []
    return [
        found
        for part, inner in parts
        for found in _places_of(value, inner, f'{name}.{part}' if name else str(part))
    ]


def _list_item(place: Sequence, part: str, option: str, above: str) -> Any:
    if not part.isdigit() or int(part) >= len(place):
        raise ConfigNameError(
            f'--cfg-options {option}: {above} is a list of {len(place)}; give a '
            f'number from 0 to {len(place) - 1} in the place of `{part}`.'
        )
    return place[int(part)]


def _check_new_name(
    place: Mapping[str, Any], part: str, option: str, above: str
) -> None:
    if part == '_delete_':
        return
    names = set(place)
    if not above:
        names |= known_top_level_names()
        if part in names:
            return
    close = find_similar(part, names, likeness=_LIKENESS)
    if close or not above:
        where = above or 'the config'
        advice = f' Did you mean {quote_names(close)}?' if close else ''
        raise ConfigNameError(
            f'--cfg-options {option}: there is no `{part}` in {where}.{advice}'
        )


def _is_variation(name: str, known: Iterable[str]) -> bool:
    return any(
        name.startswith(f'{other}_') or name.endswith(f'_{other}') for other in known
    )


def _innermost_built_class(traceback: TracebackType | None) -> type | None:
    built = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == 'build_from_cfg':
            candidate = frame.f_locals.get('obj_cls')
            built = candidate if inspect.isclass(candidate) else built
        traceback = traceback.tb_next
    return built


def _options_of(built: type) -> list[str]:
    # Behind **kwargs there are the base classes' options.
    names: list[str] = []
    for base in built.__mro__:
        if '__init__' not in vars(base):
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        names += [p.name for p in parameters if p.kind not in variadic]
        if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return names
