# Copyright (c) onestage_pose contributors.
"""The former place of ``SyntheticPeople``, which is a project of its own now.

Configs and programs that were written before still work: the project is imported when
it is asked for, with a ``FutureWarning`` that says what to write.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from mmpose.registry import DATASETS

from ..utils.deprecation import warn_deprecated
from ..utils.errors import ConfigNameError

PROJECT = 'onestage_pose.projects.synthetic_people'
_MOVED = {'SyntheticPeople': PROJECT, 'render': f'{PROJECT}.drawing'}


class SyntheticPeopleAlias:
    """Build a ``SyntheticPeople`` for a config that does not import the project.

    It is replaced in the registry once the project is imported. Arguments are those of
    the data set.

    Raises:
        ConfigNameError: The project is not in this installation.
    """

    METAINFO: dict = dict(from_file='configs/_base_/datasets/coco.py')

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Import the project and return an instance of its class."""
        dataset = import_project().SyntheticPeople
        warn_deprecated(
            "type='SyntheticPeople' without its project",
            f"the project {PROJECT}: add custom_imports = dict(imports=['{PROJECT}']) "
            'to the config',
        )
        return dataset(*args, **kwargs)


# Where the project was imported first, its class has the name already.
if 'SyntheticPeople' not in DATASETS.module_dict:
    DATASETS.register_module(name='SyntheticPeople', module=SyntheticPeopleAlias)


def import_project(name: str = PROJECT) -> ModuleType:
    """Import the project of the synthetic people.

    Args:
        name (str): The project's package, or a module of it.

    Returns:
        ModuleType: The module.

    Raises:
        ConfigNameError: The project is not in this installation; says where it is.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith(PROJECT):
            raise
        raise ConfigNameError(
            "type='SyntheticPeople' is the data set of projects/synthetic_people, "
            'which this installation does not have: run from a checkout of the '
            f"repository, or install that, and add '{PROJECT}' to the imports of "
            'custom_imports in the config.'
        ) from error


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    warn_deprecated(f'{__name__}.{name}', f'{_MOVED[name]}.{name}')
    return getattr(import_project(_MOVED[name]), name)
