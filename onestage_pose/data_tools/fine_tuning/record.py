# Copyright (c) onestage_pose contributors.
"""Remember which run a folder is of, so that the same command goes on with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...checkpoints.atomic import write_text
from ...utils.errors import UsageError

RECORD = 'finetune.json'


# Endings of files that may be annotations.
_SUFFIXES = {'.json', '.xml', '.yaml', '.yml', '.csv', '.txt'}


def compute_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the annotation files in a folder."""
    digest = hashlib.sha256()
    files = [path]
    if path.is_dir():
        files = sorted(
            each
            for each in path.rglob('*')
            if each.suffix.lower() in _SUFFIXES and each.is_file()
        )
    for each in files:
        if path.is_dir():
            digest.update(str(each.relative_to(path)).encode('utf-8', 'replace'))
        with open(each, 'rb') as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def claim_folder(folder: Path, run: Mapping[str, Any], prepared: str) -> bool:
    """Make a folder that of a run, or find out that it is already.

    Args:
        folder (Path): May not exist.
        run (Mapping): What tells the run from others: data and options, for JSON.
        prepared (str): Name of the file that a run writes once its data and options
            have been understood. Without it, another run may take the folder over.

    Returns:
        bool: Whether the run was begun before.

    Raises:
        UsageError: The folder holds something else, or another run; names what differs.
    """
    record = folder / RECORD
    if not record.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f'{folder} exists and is not empty: give another folder with --out.'
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_text(json.dumps(run, indent=2) + '\n', record)
        except OSError as error:
            raise UsageError(
                f'cannot write to {folder} ({error.strerror}); give another with --out.'
            ) from error
        return False
    try:
        before = json.loads(record.read_text(encoding='utf-8'))
    except ValueError as error:
        raise UsageError(
            f'{record} is damaged, so it is unknown which run {folder} belongs '
            'to: give another folder with --out.'
        ) from error
    now = json.loads(json.dumps(run))
    other = [key for key in now if before.get(key) != now[key]]
    if other and not (folder / prepared).exists():
        write_text(json.dumps(run, indent=2) + '\n', record)
    elif other:
        key = other[0]
        raise UsageError(
            f'{folder} holds another run, of {key}={before.get(key)!r} and not '
            f'{now[key]!r}: give another folder with --out, or the command that '
            'started the run.'
        )
    return True
