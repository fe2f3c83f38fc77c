# Copyright (c) onestage_pose contributors.
"""Refuse arguments from a config that are of another kind than the constructor says.

Python does not look at annotations, so a text for a number, NaN or ``'False'`` would
come to light in the first iteration that uses it, or never.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import math
import numbers
import os
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union

import numpy as np

from .errors import ConfigValueError
from .suggestions import did_you_mean


@dataclass(frozen=True)
class Range:
    """Where a number may lie.

    Attributes:
        least (float): The smallest one.
        most (float): The largest one.
        is_open (bool): Whether the smallest one itself is out.
    """

    least: float
    most: float = math.inf
    is_open: bool = False

    def __contains__(self, value: float) -> bool:
        is_above = value > self.least or (value == self.least and not self.is_open)
        return is_above and value <= self.most

    def __str__(self) -> str:
        if self.is_open:
            return f'above {self.least}'
        end = 'on' if self.most == math.inf else f'to {self.most}'
        return f'from {self.least} {end}'


PositiveInt = Annotated[int, Range(0, is_open=True)]
NonNegativeInt = Annotated[int, Range(0)]
PositiveFloat = Annotated[float, Range(0, is_open=True)]
NonNegativeFloat = Annotated[float, Range(0)]
#: A probability, or a share of something.
Share = Annotated[float, Range(0, 1)]

_Init = TypeVar('_Init', bound=Callable)
# as in numpy's and torch's int64
_LARGEST = 2**63 - 1
_OTHERS = ('mmcv', 'mmdet', 'mmengine', 'mmpose', 'timm', 'torch')
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_LISTS = (tuple, list, collections.abc.Sequence)
_UNIONS = (Union, types.UnionType)
_WORDS = {
    bool: 'True or False',
    int: 'a whole number',
    float: 'a number',
    str: 'text',
    dict: 'a dict',
    list: 'a list',
    tuple: 'a list',
    collections.abc.Sequence: 'a list',
    type(None): 'None',
    collections.abc.Callable: 'a function',
}


def check_arguments(init: _Init) -> _Init:
    """Decorate a constructor to refuse arguments of another kind than annotated.

    Numbers are finite and true is none; ``float`` takes whole ones. Lists stand for
    tuples, as in configs that went through JSON. Classes other than those of JSON are
    not compared.

    Behind ``**kwargs`` are the options of base classes. Other packages take more than
    they annotate: there, ``int`` is any number, ``dict`` also a list, what is in a list
    is not looked at, and the default is always right, as is ``init_cfg=None``.

    Args:
        init (Callable): An ``__init__``; or another package's, to give a subclass
            without one the check.

    Returns:
        Callable: The same, which raises :class:`ConfigValueError` naming the class,
        the key, its value and what is expected.
    """
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            given = signature.bind(self, *args, **kwargs).arguments
        except TypeError:
            # Python names the class of a misspelt option where the call is made
            given = {}
        options = find_options(type(self))
        for key, value in {**kwargs, **given}.items():
            if key in options and not options[key].takes(value):
                raise ConfigValueError(
                    f'{type(self).__name__}: {key}={shorten(value)} is invalid, give '
                    f'{describe(options[key].hint)}.'
                )
        init(self, *args, **kwargs)

    # for those who ask without following what is wrapped, as mmengine does
    checked.__signature__ = signature
    return typing.cast(_Init, checked)


class Option(NamedTuple):
    """An argument of a constructor.

    Attributes:
        hint (Any): Its annotation; ``Any`` where there is none.
        default (Any): What stands for it.
        is_own (bool): Whether it is an argument of this project.
    """

    hint: Any
    default: Any
    is_own: bool

    def takes(self, value: Any) -> bool:
        """Return whether a value is of the kind that is annotated."""
        if not self.is_own and value is self.default:
            return True
        return _fits(value, self.hint, self.is_own)


def check_keys(values: Mapping[str, Any], hints: Mapping[str, Any], where: str) -> None:
    """Refuse values of another kind in a dict of options, and misspelt keys.

    Args:
        values (Mapping): The options; keys that resemble no known one pass, for they
            may be those of somebody's own class.
        hints (Mapping): Annotations of the known keys.
        where (str): The dict's place in the config, for the message.

    Raises:
        ConfigValueError: Naming the key and what is expected.
    """
    for key, value in values.items():
        hint = did_you_mean(key, hints) if key not in hints else ''
        if hint:
            raise ConfigValueError(f'{where}.{key} is unknown.{hint}')
        if not _fits(value, hints.get(key, Any), True):
            raise ConfigValueError(
                f'{where}.{key}={shorten(value)} is invalid, give '
                f'{describe(hints[key])}.'
            )


@functools.cache
def find_options(built: type) -> dict[str, Option]:
    """Return the arguments of a class, with those of its bases behind ``**kwargs``.

    Args:
        built (type): Any class.

    Returns:
        dict[str, Option]: By their names, the class's own first.
    """
    options: dict[str, Option] = {}
    for base in built.__mro__:
        if '__init__' not in vars(base):
            continue
        init = inspect.unwrap(vars(base)['__init__'])
        if not inspect.isfunction(init):
            continue
        try:
            hints = typing.get_type_hints(init, include_extras=True)
        except (NameError, TypeError):
            # of classes that are imported for annotations only
            hints = {}
        is_own = init.__module__.split('.')[0] not in _OTHERS
        parameters = list(inspect.signature(init).parameters.values())[1:]
        for each in parameters:
            if each.kind not in _VARIADIC:
                hint = hints.get(each.name, Any)
                if each.name == 'init_cfg' and not is_own:
                    # of mmengine's BaseModule; mmdet's heads do not repeat that
                    hint = hint | None
                options.setdefault(each.name, Option(hint, each.default, is_own))
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters):
            break
    return options


def shorten(value: Any) -> str:
    """Return the ``repr`` of a value in one line, cut where it is long."""
    return ' '.join(reprlib.repr(value).split())


def describe(hint: Any) -> str:
    """Return an annotation in words, such as "a whole number above 0"."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return f'{describe(args[0])} {args[1]}'
    if origin is Literal:
        return ' or '.join(map(repr, args))
    if origin in _UNIONS:
        return ' or '.join(map(describe, args))
    if origin is tuple and args and args[-1] is not Ellipsis:
        return f'a list of {len(args)}, each {describe(args[0])}'
    if origin in _LISTS and args:
        return f'a list, each item {describe(args[0])}'
    if origin is dict and args:
        return f'a dict, each value {describe(args[1])}'
    return _WORDS.get(origin or hint, getattr(hint, '__name__', str(hint)))


def _fits(value: Any, hint: Any, is_own: bool) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _fits(value, args[0], is_own) and value in args[1]
    if origin is Literal:
        return value in args
    if origin in _UNIONS:
        return any(_fits(value, each, is_own) for each in args)
    # typing.List without what is in it has an origin and no arguments
    if origin in _LISTS and args and is_own:
        return _is_list_of(value, origin, args)
    if origin is dict and args and is_own:
        return isinstance(value, Mapping) and all(
            _fits(key, args[0], is_own) and _fits(item, args[1], is_own)
            for key, item in value.items()
        )
    kind = origin or hint
    if inspect.isclass(kind) and issubclass(kind, Mapping):
        kind = dict
    if not is_own and kind is int:
        kind = float
    if not is_own and kind is dict and _is_list(value):
        return True
    check = _CHECKS.get(kind)
    return check is None or check(value)


def _is_list_of(value: Any, origin: type, args: tuple) -> bool:
    if not _is_list(value):
        return False
    if origin is tuple and args[-1] is not Ellipsis:
        return len(value) == len(args) and all(
            _fits(item, hint, True) for item, hint in zip(value, args)
        )
    return all(_fits(item, args[0], True) for item in value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_)) or (_is_whole(value) and value in (0, 1))


def _is_whole(value: Any) -> bool:
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return is_whole and abs(value) <= _LARGEST


def _is_number(value: Any) -> bool:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)


_CHECKS: dict[Any, Callable[[Any], bool]] = {
    bool: _is_flag,
    int: _is_whole,
    float: _is_number,
    str: lambda value: isinstance(value, (str, os.PathLike)),
    dict: lambda value: isinstance(value, Mapping),
    type(None): lambda value: value is None,
    collections.abc.Callable: callable,
    list: _is_list,
    tuple: _is_list,
    collections.abc.Sequence: _is_list,
}
