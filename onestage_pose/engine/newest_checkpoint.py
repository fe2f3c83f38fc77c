# Copyright (c) onestage_pose contributors.
"""Finds what a run can be resumed from."""

import glob
import logging
import os
import os.path as osp
import zipfile
from typing import Any, NamedTuple, Optional

from mmengine.logging import print_log

from .checkpoint import BrokenCheckpointError, CheckpointError, load_from_local


class _Candidate(NamedTuple):
    """A training checkpoint; sorts by how far the training was, then by age."""

    iteration: int
    modified: int
    path: str


def find_newest_checkpoint(folder: str) -> Optional[str]:
    """Finds the whole checkpoint of a work dir that is furthest in the training.

    mmengine believes what ``last_checkpoint`` says, which an interruption may
    have left empty, or pointing to a file that is torn. Here every file is asked
    itself. Those that are torn or refused are named in the log and passed over;
    weights alone (as ``best_*.pth`` and published ones) cannot be resumed from.

    Args:
        folder: The work dir. Where ``last_checkpoint`` in it points to another
            folder (``out_dir`` of the checkpoint hook), that one is searched too.

    Returns:
        Its path; None where there has been no checkpoint.

    Raises:
        CheckpointError: There are, or have been, checkpoints of trainings, and
            none is whole.
    """
    found, broken = [], []
    last = _last_checkpoint(folder)
    for place in _folders(folder, last):
        for path in sorted(glob.glob(osp.join(glob.escape(place), '*.pth'))):
            try:
                iteration = _iteration(path)
            except CheckpointError as error:
                broken.append(path)
                _warn(error)
                continue
            if iteration is not None:
                found.append(_Candidate(iteration, os.stat(path).st_mtime_ns, path))
    for candidate in sorted(found, reverse=True):
        try:
            _check_whole(candidate.path)
        except BrokenCheckpointError as error:
            broken.append(candidate.path)
            _warn(error)
            continue
        return candidate.path
    if broken:
        raise CheckpointError(
            f'none of the checkpoints in {folder} can be resumed from: '
            f'{", ".join(broken)}. Copy a whole one back, or move these away to start '
            'afresh.'
        )
    if last:
        raise CheckpointError(
            f'{folder}/last_checkpoint names {last}, which does not exist. Give a '
            'checkpoint to --resume, or delete last_checkpoint to start afresh.'
        )
    return None


def _last_checkpoint(folder: str) -> str:
    """What mmengine has written down, which may be empty or wrong."""
    path = osp.join(folder, 'last_checkpoint')
    if not osp.isfile(path):
        return ''
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read().strip()


def _folders(folder: str, last: str) -> list[str]:
    other = osp.dirname(last)
    elsewhere = osp.isdir(other) and not (
        osp.isdir(folder) and osp.samefile(other, folder)
    )
    return [folder, other] if elsewhere else [folder]


def _iteration(path: str) -> Optional[int]:
    """How far a training checkpoint is, None for another file."""
    checkpoint: Any = load_from_local(path, 'cpu', mmap=zipfile.is_zipfile(path))
    if not isinstance(checkpoint, dict) or 'optimizer' not in checkpoint:
        return None
    iteration = checkpoint.get('meta', {}).get('iter')
    return iteration if isinstance(iteration, int) else None


def _check_whole(path: str) -> None:
    """Reads a file to its end; its parts carry checksums."""
    if not zipfile.is_zipfile(path):
        # torch's old form, which has been read whole already
        return
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        raise BrokenCheckpointError(
            f'checkpoint {path} cannot be read: {error}'
        ) from error
    if damaged is not None:
        raise BrokenCheckpointError(
            f'checkpoint {path} is damaged: the checksum of {damaged} in it is wrong.'
        )


def _warn(error: CheckpointError) -> None:
    print_log(f'Passed over: {error}', logger='current', level=logging.WARNING)
