# Copyright (c) onestage_pose contributors.
"""Find the configs, tools and web page of this package, in a checkout or installed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from .errors import UsageError
from .renamed_configs import find_renamed_config, warn_renamed
from .suggestions import find_similar, suggest_path

PACKAGE = Path(__file__).resolve().parents[1]


def get_data_root() -> Path:
    """Return the folder that holds ``configs``, ``tools`` and ``web``.

    Returns:
        Path: Absolute; ``onestage_pose/.mim`` of an installed package, the root of the
        repository in a checkout.

    Raises:
        FileNotFoundError: Neither has configs; the message names both places and the
            remedy.
    """
    installed, checkout = PACKAGE / '.mim', PACKAGE.parent
    for root in (installed, checkout):
        if (root / 'configs' / '_base_' / 'default_runtime.py').is_file():
            return root
    raise FileNotFoundError(
        f'no configs in {installed} nor in {checkout}: install onestage_pose with pip, '
        'or import it from a complete checkout'
    )


def get_config_root() -> Path:
    """Return the absolute folder of the configs, see :func:`get_data_root`."""
    return get_data_root() / 'configs'


def get_config_path(name: str) -> Path:
    """Find a config of this package by its name.

    Args:
        name (str): Path below ``configs/``, such as
            ``'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'``, or from
            ``configs/`` or ``projects/`` on; the folder and the ``.py`` may be left out
            where that is unambiguous. A former name of a config finds the new
            one, with a ``FutureWarning``.

    Returns:
        Path: Absolute.

    Raises:
        FileNotFoundError: There is no such config; the message suggests similar names.
        ValueError: Several configs have this name without its folder.
    """
    data_root, root = get_data_root(), get_config_root()
    file_name = name if name.endswith('.py') else f'{name}.py'
    # an absolute path is taken as it is
    for folder in (root, data_root):
        if (folder / file_name).is_file():
            return folder / file_name
    configs = {path.relative_to(root): path for path in sorted(root.rglob('*.py'))}
    for path in sorted(data_root.glob('projects/*/configs/**/*.py')):
        configs[path.relative_to(data_root)] = path
    if Path(file_name) in configs:
        return configs[Path(file_name)]
    found = [path for path in configs if path.name == file_name]
    if len(found) == 1:
        return configs[found[0]]
    if found:
        choices = ', '.join(path.as_posix() for path in found)
        raise ValueError(f'{name!r} is the name of several configs: {choices}')
    renamed = find_renamed_config(name)
    if renamed is not None:
        warn_renamed(name, renamed)
        return data_root / renamed
    names = {p.name: p.as_posix() for p in configs if '_base_' not in p.parts}
    similar = find_similar(Path(file_name).name, names, likeness=0.5)
    hint = ', '.join(names[match] for match in similar) or 'none is spelt alike'
    raise FileNotFoundError(f'no config {name!r} in {root}; near: {hint}')


def find_config(filename: str) -> str:
    """Find a config by its path, or by its name as :func:`get_config_path` does.

    Args:
        filename (str): The path, or the name of a config of this package; a former one
            is answered by the new one, with a warning.

    Returns:
        str: A path that exists.

    Raises:
        UsageError: There is no such config; the message suggests similar names.
    """
    if Path(filename).is_file():
        return filename
    try:
        return str(get_config_path(filename))
    except ValueError as error:
        raise UsageError(f'config {error}') from None
    except FileNotFoundError as error:
        hint = suggest_path(filename) or f' ({error})'
        raise UsageError(f'config {filename} does not exist.{hint}') from None


def check_config_exists(filename: str) -> None:
    """Raise ``UsageError`` as :func:`find_config` does, and warn of no former name."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)
        find_config(filename)


def check_exists(path: str | Path, name: str) -> None:
    """Raise where a path does not exist.

    Args:
        path (str | Path): What was given.
        name (str): What it is of a command line, such as ``'--val'``.

    Raises:
        UsageError: The message suggests similar names.
    """
    if not Path(path).exists():
        raise UsageError(f'{name}: {path} does not exist.{suggest_path(path)}')


def check_folder(path: str | Path | None, name: str) -> None:
    """Raise where a path is not a folder.

    Args:
        path (str | Path | None): What was given; None is not checked.
        name (str): What it is of a command line, such as ``'--images'``.

    Raises:
        UsageError: The message suggests similar names.
    """
    if path is not None and not Path(path).is_dir():
        raise UsageError(f'{name}: there is no folder {path}.{suggest_path(path)}')


def is_same_file(path: str | Path, other: str | Path) -> bool:
    """Return whether two paths lead to one file, which exists."""
    return (
        os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)
    )


def is_listed_file(path: str | os.PathLike) -> bool:
    """Return whether what a folder lists is a file, or a link that is broken.

    A broken link is a file that cannot be read, and to be named, not left out.
    """
    return os.path.isfile(path) or not os.path.exists(path)


def list_files(folder: str | Path, recursive: bool = False) -> list[Path]:
    """Return the files of a folder, see :func:`is_listed_file`, in order.

    Args:
        folder (str | Path): The folder.
        recursive (bool): Include its subfolders.

    Returns:
        list[Path]: Without hidden files, and those of hidden folders below it.
    """
    folder = Path(folder)
    return [
        path
        for path in sorted(folder.rglob('*') if recursive else folder.iterdir())
        if is_listed_file(path)
        and not any(part.startswith('.') for part in path.relative_to(folder).parts)
    ]


def check_input_exists(text: str) -> None:
    """Raise where there are no images to read.

    Args:
        text (str): Path of a file or a folder; ``~`` is the home.

    Raises:
        UsageError: Neither exists; the message suggests similar names.
    """
    path = os.path.expanduser(text)
    if not os.path.exists(path):
        raise UsageError(f'there is no folder or file {text}.{suggest_path(path)}')
