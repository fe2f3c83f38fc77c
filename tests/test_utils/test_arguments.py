# Copyright (c) onestage_pose contributors.
"""Arguments of another kind than annotated are refused by their key."""

import inspect
import math
import typing
from collections.abc import Callable, Sequence
from typing import Literal

from onestage_pose.utils.arguments import (
    NonNegativeFloat,
    PositiveInt,
    Share,
    check_arguments,
    check_keys,
)
from onestage_pose.utils.errors import ConfigValueError

import numpy as np
import pytest
from mmengine.config import ConfigDict

from tests.faults import fault_of


class Base:
    def __init__(self, width: int = 1, sizes: typing.List = (), at: typing.Dict = None):  # noqa: UP006
        self.width = width


class Thing(Base):
    @check_arguments
    def __init__(
        self,
        count: PositiveInt = 1,
        weight: NonNegativeFloat = 1.0,
        share: Share = 0.5,
        flag: bool = False,
        name: str | None = None,
        size: PositiveInt | tuple[PositiveInt, PositiveInt] = 1,
        scales: Sequence[float] = (),
        mode: Literal['a', 'b'] = 'a',
        options: dict | None = None,
        paths: dict[str, str] | None = None,
        steps: Sequence[dict | Callable] = (),
        anything=None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.count = count


@pytest.mark.parametrize(
    'arguments',
    [
        dict(count=np.int64(3), weight=2, share=1),
        dict(flag=True, name='x', mode='b'),
        dict(flag=np.bool_(True), name=None),
        dict(size=[2, 3], scales=[1, 2.5]),
        dict(size=(2, 3), scales=np.ones(2)),
        dict(options=ConfigDict(a=1), paths=dict(img='x')),
        dict(steps=[dict(type='A'), print]),
        dict(anything=math.nan, width=2, sizes=[1], at={}),
    ],
)
def test_what_is_annotated_is_taken(arguments):
    assert fault_of(Thing, **arguments) is None


@pytest.mark.parametrize(
    ('key', 'value', 'expected'),
    [
        ('count', 0, 'a whole number above 0'),
        ('count', True, 'a whole number above 0'),
        ('count', 2.0, 'a whole number above 0'),
        ('count', 10**400, 'a whole number above 0'),
        ('weight', '3', 'a number from 0 on'),
        ('weight', math.nan, 'a number from 0 on'),
        ('share', 1.5, 'a number from 0 to 1'),
        ('flag', 'False', 'True or False'),
        ('flag', None, 'True or False'),
        ('name', 3, 'text or None'),
        ('size', [2, 3, 4], 'a whole number above 0 or a list of 2, each a whole'),
        ('scales', '12', 'a list, each item a number'),
        ('scales', [1, None], 'a list, each item a number'),
        ('mode', 'c', "'a' or 'b'"),
        ('options', [], 'a dict or None'),
        ('paths', dict(img=3), 'a dict, each value text or None'),
        ('steps', ['A'], 'a list, each item a dict or a function'),
        ('width', 'wide', 'a whole number'),
        ('sizes', 3, 'a list'),
        ('at', [], 'a dict'),
    ],
)
def test_another_kind_is_refused_by_its_key(key, value, expected):
    with pytest.raises(ConfigValueError) as error:
        Thing(**{key: value})

    assert str(error.value).startswith(f'Thing: {key}=')
    assert f'is invalid, give {expected}' in str(error.value)


def test_positions_are_checked_as_names_are():
    with pytest.raises(ConfigValueError, match='Thing: weight=-1 is invalid'):
        Thing(3, -1)


def test_an_unknown_option_is_named_by_python():
    with pytest.raises(TypeError, match=r"Base.__init__\(\) got .* 'cuont'"):
        Thing(cuont=3)


def test_the_signature_stays():
    """mmengine refuses a visualizer without ``name`` among the arguments."""
    assert 'count' in inspect.getfullargspec(Thing).args


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(thr='0.5'), "model.x.thr='0.5' is invalid, give a number."),
        (dict(tgr=0.5), r'model.x.tgr is unknown. Did you mean thr\?'),
    ],
)
def test_options_in_a_dict_are_refused_by_their_place(values, message):
    with pytest.raises(ConfigValueError, match=message):
        check_keys(values, dict(thr=float), 'model.x')


def test_options_in_a_dict_that_resemble_none_pass():
    values = dict(thr=0.5, own_words='x')

    assert fault_of(check_keys, values, dict(thr=float), 'model.x') is None
