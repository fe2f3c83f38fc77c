# Copyright (c) onestage_pose contributors.
"""mmengine's search for installed packages, without pkg_resources.

Upstream: mmengine 0.10.7, ``mmengine/utils/package_utils.py``. It imports
pkg_resources, which setuptools 82 no longer has and earlier ones warn about; configs
with ``_base_ = 'mmdet::...'`` and ``mmpose.apis`` need it. onedl-mmengine 0.10.12 has
done without it.
"""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path
from types import FunctionType, ModuleType

from .hooks import replace_function, when_imported


def install() -> None:
    """Do without pkg_resources, once mmengine's search is imported."""
    when_imported('mmengine.utils.package_utils', replace_functions)


def replace_functions(module: ModuleType) -> None:
    """Replace ``is_installed``, ``get_installed_path`` and ``package2module``.

    Does nothing where they do without pkg_resources.

    Args:
        module: ``mmengine.utils.package_utils``.
    """
    for replacement in (is_installed, get_installed_path, package2module):
        name = replacement.__name__
        original = getattr(module, name)
        if original is replacement or not _needs_pkg_resources(original):
            continue
        replace_function(module, name, replacement)


def is_installed(package: str) -> bool:
    """Tell whether a distribution or a module of this name is there.

    Args:
        package: Such as ``'mmcv-lite'`` or ``'mmcv'``.
    """
    if _distribution(package) is not None:
        return True
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None


def get_installed_path(package: str) -> str:
    """Find the folder of a package's module.

    Args:
        package: Name of a distribution or a module.

    Returns:
        Path of the folder.

    Raises:
        importlib.metadata.PackageNotFoundError: Neither is there.
        RuntimeError: It is a namespace package, which is in several folders.
    """
    distribution = _distribution(package)
    if distribution is not None:
        for name in (package, *_top_level(distribution)):
            folder = Path(distribution.locate_file(name))
            if folder.is_dir():
                return str(folder)
    # an editable installation, or a folder on PYTHONPATH
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise metadata.PackageNotFoundError(package)
    if spec.origin is None:
        raise RuntimeError(f'{package} is a namespace package: it has no one folder.')
    return str(Path(spec.origin).parent)


def package2module(package: str) -> str:
    """Tell the name of the module that a distribution installs.

    Args:
        package: Name of the distribution.

    Raises:
        importlib.metadata.PackageNotFoundError: There is none of this name.
        ValueError: It does not say what it installs.
    """
    modules = _top_level(metadata.distribution(package))
    if not modules:
        raise ValueError(f'{package} does not say which module it installs.')
    return modules[0]


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _top_level(distribution: metadata.Distribution) -> list[str]:
    return (distribution.read_text('top_level.txt') or '').split()


def _needs_pkg_resources(function: FunctionType) -> bool:
    return 'pkg_resources' in function.__code__.co_names
