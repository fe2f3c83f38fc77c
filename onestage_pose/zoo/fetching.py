# Copyright (c) onestage_pose contributors.
"""Fetch a published file into the cache, or find it where its user has put it."""

from __future__ import annotations

import sys
from pathlib import Path

from ..utils.errors import DownloadError
from .digest import Digest
from .download import download
from .home import HOME, MIRROR, get_mirror


def fetch(name: str, url: str, digest: Digest, folder: Path) -> tuple[Path, bool]:
    """Return a file as it was published, verified.

    It is looked for in the folder, then in the mirror (:func:`.get_mirror`), else
    downloaded to the folder.

    Args:
        name (str): What it is for, for messages.
        url (str): Its address, which ends in its name.
        digest (Digest): Its hash.
        folder (Path): Of the cache; it exists.

    Returns:
        tuple[Path, bool]: The file, and whether this function has put it there.

    Raises:
        WrongWeightsError: A file that somebody else has put there is another.
        DownloadError: It cannot be had; names its address and the place to put it.
    """
    file_name = url.rpartition('/')[2]
    target = folder / file_name
    if target.is_file():
        digest.check(target, str(target), 'Delete it, or put the right one here.')
        return target, False
    mirror = get_mirror()
    if isinstance(mirror, Path):
        path = mirror / file_name
        if not path.is_file():
            raise DownloadError(
                f'{path} does not exist; {MIRROR} names this folder. Put the file of '
                f'{url} there.'
            )
        digest.check(path, str(path), f'Put the file of {url} here.')
        return path, False
    source = url if mirror is None else f'{mirror}/{file_name}'
    say(f'{name}: downloading {source} to {folder}')
    remedy = (
        f'Without a network, put the file of {url} at {target}, or set {MIRROR} to '
        f'a folder or an address that has it; {HOME} chooses another cache.'
    )
    download(source, target, digest, remedy)
    return target, True


def say(text: str) -> None:
    """Print a line about progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
