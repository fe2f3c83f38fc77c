# Copyright (c) onestage_pose contributors.
"""Two processes cannot train into one folder at a time."""

import os
import subprocess
import sys
from pathlib import Path

from onestage_pose.checkpoints.lock import lock_folder

import pytest

_LOCK = 'import sys; from onestage_pose.checkpoints.lock import lock_folder; '


def lock_elsewhere(folder: Path) -> subprocess.CompletedProcess:
    words = [sys.executable, '-c', _LOCK + 'lock_folder(sys.argv[1])', str(folder)]
    return subprocess.run(words, capture_output=True, text=True)


@pytest.fixture(autouse=True)
def _has_locks() -> None:
    pytest.importorskip('fcntl')


def test_second_process_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    lock_folder(tmp_path)

    other = lock_elsewhere(tmp_path)

    assert other.returncode != 0
    assert f'process {os.getpid()} trains into this folder' in other.stderr


def test_folder_is_free_once_a_process_has_ended(tmp_path: Path) -> None:
    assert lock_elsewhere(tmp_path).returncode == 0

    assert lock_elsewhere(tmp_path).returncode == 0


def test_same_process_may_train_again(tmp_path: Path) -> None:
    lock_folder(tmp_path)

    lock_folder(tmp_path)

    assert lock_elsewhere(tmp_path).returncode != 0, 'the lock is lost'
