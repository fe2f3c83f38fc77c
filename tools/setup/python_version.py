# Copyright (c) onestage_pose contributors.
"""Which Pythons the pinned packages are there for."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from messages import SetupError

OLDEST, NEWEST = (3, 9), (3, 12)


def source_packages() -> list:
    """Packages that may come as source for this Python."""
    if sys.version_info < (3, 12):
        return ['chumpy']
    return ['chumpy', 'xtcocotools']  # the second has no wheel, and needs a compiler


def check_python(lint: bool) -> None:
    """Raises SetupError where this Python cannot be used."""
    version = sys.version_info[:2]
    text = f'Python {version[0]}.{version[1]} ({sys.executable})'
    if not OLDEST <= version <= NEWEST:
        found = other_pythons()
        hint = f'PYTHON={found}' if found else 'PYTHON=/path/to/python3.11'
        raise SetupError(
            '{} cannot be used: the pinned packages are there for Python {}.{} to '
            '{}.{}. Name another one: {}'.format(text, *OLDEST, *NEWEST, hint)
        )
    if not lint and len(source_packages()) > 1 and not can_compile():
        raise SetupError(
            '{} needs a C compiler and Python.h, because {} has no ready package for '
            'it. Install them (Debian, Ubuntu: apt-get install gcc python3-dev), or '
            'take Python 3.9 to 3.11, which need none: PYTHON={}'.format(
                text, source_packages()[-1], other_pythons((3, 11)) or 'python3.11'
            )
        )


def can_compile() -> bool:
    """Whether a C compiler and the header files of this Python are here."""
    header = Path(sysconfig.get_paths()['include']) / 'Python.h'
    compilers = (os.environ.get('CC') or 'cc gcc').split()
    return any(map(shutil.which, compilers)) and header.exists()


def other_pythons(newest: tuple = NEWEST) -> str:
    """Command of the newest usable Python on PATH, or ''."""
    for minor in range(newest[1], OLDEST[1] - 1, -1):
        name = f'python3.{minor}'
        # Asked, not only found: version managers put stubs of absent ones on PATH.
        if shutil.which(name) and not subprocess.call(
            [name, '-c', 'import venv, ensurepip'],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            return name
    return ''
