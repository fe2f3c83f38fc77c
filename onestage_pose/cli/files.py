# Copyright (c) onestage_pose contributors.
"""Files and folders that are named on a command line, checked before the work."""

from __future__ import annotations

import os
import os.path as osp
from pathlib import Path
from typing import TYPE_CHECKING

from ..apis.checkpoint_paths import check_checkpoint_path
from ..utils.errors import UsageError
from ..utils.file_kinds import get_file_kind
from ..utils.paths import list_files

if TYPE_CHECKING:
    from mmengine.config import Config

__all__ = [
    'check_annotation_files',
    'check_checkpoint_path',
    'check_writable',
    'count',
    'find_images',
]

_NAMES_SHOWN = 3


def find_images(
    source: Path, number: int | None = None, option: str | None = None
) -> list[Path]:
    """Find the images of a folder, in the order of their names.

    Prints which other files of the folder are left out. Folders within it and hidden
    files are not looked at.

    Args:
        source (Path): A folder, or one image.
        number (int | None): How many at most; None for all.
        option (str | None): Where the folder was given, for the message.

    Returns:
        list[Path]: At least one path that has the name of an image.

    Raises:
        UsageError: There is none.
    """
    prefix = f'{option}: ' if option else ''
    if source.is_file():
        if get_file_kind(source) != 'image':
            raise UsageError(
                f'{prefix}{source} is not an image by its name; give it the extension '
                'of what it is (.jpg, .png).'
            )
        return [source]
    if not source.is_dir():
        raise UsageError(f'{prefix}there is no folder or file {source}.')
    files = list_files(source)
    images = [path for path in files if get_file_kind(path) == 'image']
    others = [path.name for path in files if get_file_kind(path) != 'image']
    if not images:
        raise UsageError(
            f'{prefix}the folder {source} holds no image{_left_out(others)}; its '
            'subfolders are not searched.'
        )
    if others:
        found = count(len(images), 'image', 'images')
        print(f'{source} holds {found}{_left_out(others)}.')
    return images[:number]


def count(number: int, one: str, several: str) -> str:
    """Return a number with its noun, such as ``'1 image'`` or ``'2 images'``."""
    return f'{number} {one if number == 1 else several}'


def check_writable(folder: str | Path, option: str = '--work-dir') -> None:
    """Create a folder, and raise where nothing can be written to it.

    Args:
        folder (str | Path): Its path.
        option (str): Where it was given, for the message.

    Raises:
        UsageError: With the reason.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
        reason = 'no permission'
    except OSError as error:
        writable, reason = False, error.strerror
    if not writable:
        raise UsageError(
            f'cannot write to {folder} ({reason}); give another with {option}.'
        )


def check_annotation_files(cfg: Config, loaders: tuple[str, ...]) -> None:
    """Raise where a data set's annotation file is not on the disk.

    Comes before a model is built; what is in the file is checked by the data set.

    Args:
        cfg (Config): The config with everything merged.
        loaders (tuple[str, ...]): The dataloaders that are going to be used, such as
            ``'train_dataloader'``; those that the config does not have are passed
            over.

    Raises:
        UsageError: Naming the key, the file and the remedy.
    """
    for loader in loaders:
        if cfg.get(loader):
            _check_dataset(cfg[loader].get('dataset'), f'{loader}.dataset')


def _check_dataset(dataset: object, key: str) -> None:
    if not isinstance(dataset, dict):
        return
    _check_dataset(dataset.get('dataset'), f'{key}.dataset')
    for number, part in enumerate(dataset.get('datasets') or ()):
        _check_dataset(part, f'{key}.datasets.{number}')
    name, root = dataset.get('ann_file'), dataset.get('data_root') or ''
    if not isinstance(name, str) or not name or '://' in name or '://' in root:
        return
    backend = (dataset.get('backend_args') or {}).get('backend', 'local')
    path = osp.join(root, name)
    if backend == 'local' and not osp.exists(path):
        raise UsageError(
            f'{key}.ann_file: {path}: this annotation file does not exist; set '
            'ann_file (and data_root) of the dataset in the config, or put the data '
            'there (docs/how_to/prepare_data.md).'
        )


def _left_out(others: list[str]) -> str:
    if not others:
        return ''
    more = ', ...' if len(others) > _NAMES_SHOWN else ''
    names = ', '.join(others[:_NAMES_SHOWN])
    files = count(len(others), 'other file', 'other files')
    return f' and {files}, left out ({names}{more})'
