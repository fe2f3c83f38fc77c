# Copyright (c) onestage_pose contributors.
"""Find what a run can be resumed from."""

import glob
import logging
import os
import os.path as osp
import re
import zipfile
from typing import Any, NamedTuple

from mmengine.logging import print_log

from ..utils.errors import BrokenCheckpointError, CheckpointError
from .loading import load_from_local

_BEGINNING = re.compile(r'\d{8}_\d{6}$')


class _Candidate(NamedTuple):
    """A training checkpoint; sorts by its run, its iteration, then by age."""

    run: str
    iteration: int
    modified: int
    path: str


def find_latest_checkpoint(folder: str) -> str | None:
    """Find the latest valid checkpoint of the last run in a work dir.

    mmengine trusts the file ``last_checkpoint``, which may be empty or name a truncated
    file after an interruption. This function reads every checkpoint: when its run was
    started, and its iteration. A resumed run counts as a new run, so one that went back
    to an earlier checkpoint is later than the run that it left. Truncated and refused
    files are named in the log and skipped. Files with weights alone (``best_*.pth``,
    published models) cannot be resumed from.

    Args:
        folder (str): The work dir. If its ``last_checkpoint`` points to another folder
            (``out_dir`` of the checkpoint hook), that folder is searched too, unless
            the work dir has a file of the same name: a copied work dir is resumed from
            its own files.

    Returns:
        str | None: Path of the checkpoint; None if there has never been one.

    Raises:
        CheckpointError: There are or were training checkpoints, and none is valid.
    """
    found, broken = [], []
    last = _last_checkpoint(folder)
    for place in _folders(folder, last):
        for path in sorted(glob.glob(osp.join(glob.escape(place), '*.pth'))):
            try:
                progress = _progress(path)
            except CheckpointError as error:
                broken.append(path)
                _warn(error)
                continue
            if progress is not None:
                found.append(_Candidate(*progress, os.stat(path).st_mtime_ns, path))
    for candidate in sorted(found, reverse=True):
        try:
            _check_complete(candidate.path)
        except BrokenCheckpointError as error:
            broken.append(candidate.path)
            _warn(error)
            continue
        _warn_of_further(found, candidate)
        return candidate.path
    if broken:
        raise CheckpointError(
            f'none of the checkpoints in {folder} can be resumed from: '
            f'{", ".join(broken)}. Copy a valid one back, or move these away to start '
            'from the beginning.'
        )
    if last:
        raise CheckpointError(
            f'{folder}/last_checkpoint names {last}, which does not exist. Give a '
            'checkpoint to --resume, or delete last_checkpoint to start from the '
            'beginning.'
        )
    return None


def _last_checkpoint(folder: str) -> str:
    """Read what mmengine has written down, which may be empty or wrong."""
    path = osp.join(folder, 'last_checkpoint')
    if not osp.isfile(path):
        return ''
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read().strip()


def _folders(folder: str, last: str) -> list[str]:
    if osp.isfile(osp.join(folder, osp.basename(last))):
        return [folder]
    other = osp.dirname(last)
    elsewhere = osp.isdir(other) and not (
        osp.isdir(folder) and osp.samefile(other, folder)
    )
    return [folder, other] if elsewhere else [folder]


def _progress(path: str) -> tuple[str, int] | None:
    """Read when the run of a training checkpoint began, and its iteration.

    None for another file. The time, ``YYYYMMDD_HHMMSS``, is what mmengine puts at the
    end of a run's name, empty where there is none.
    """
    checkpoint: Any = load_from_local(path, 'cpu', mmap=zipfile.is_zipfile(path))
    if not isinstance(checkpoint, dict) or 'optimizer' not in checkpoint:
        return None
    meta = checkpoint.get('meta', {})
    began = _BEGINNING.search(str(meta.get('experiment_name', '')))
    if not isinstance(meta.get('iter'), int):
        return None
    return began.group() if began else '', meta['iter']


def _warn_of_further(found: list[_Candidate], chosen: _Candidate) -> None:
    further = max(found, key=lambda candidate: candidate.iteration)
    if further.iteration > chosen.iteration:
        print_log(
            f'{further.path} is of an earlier run, at the later iteration '
            f'{further.iteration}: to resume that run give it to --resume.',
            logger='current',
            level=logging.WARNING,
        )


def _check_complete(path: str) -> None:
    """Read a file to its end; its parts carry checksums."""
    if not zipfile.is_zipfile(path):
        # torch's old format, which has been read to its end already
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
