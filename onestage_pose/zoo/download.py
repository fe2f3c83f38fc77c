# Copyright (c) onestage_pose contributors.
"""Download a file so that it exists whole and verified, or not at all."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ..utils.errors import DownloadError, SaveError, WrongWeightsError
from .digest import Digest
from .progress import show_progress

#: What the name of an unfinished download ends in.
PART_SUFFIX = '.part'
#: Seconds without a byte after which a connection counts as lost.
TIMEOUT = 30.0
#: Attempts in a row that bring nothing new before it is given up.
MAX_ATTEMPTS = 4
#: Seconds before the second attempt; twice that before the third, and so on.
PAUSE = 1.0

_BLOCK = 2**18
_RANGE = re.compile(r'bytes (\d+)-\d+/(\d+|\*)')
# Refused for now, not for good.
_TEMPORARY = {408, 425, 429}

Report = Callable[[int, 'int | None'], None]


def download(url: str, target: Path, digest: Digest, remedy: str = '') -> None:
    """Download a file, or go on with a download that was interrupted.

    What has arrived is in ``target`` with ``.part`` behind its name, also when the
    program is killed; the next call goes on from there where the server allows it. The
    file takes its name once its hash is right.

    Args:
        url (str): Its address.
        target (Path): File to write, in a folder that exists.
        digest (Digest): Its hash.
        remedy (str): What to do where there is no way to the address, for the error.

    Raises:
        WrongWeightsError: The hash is another; nothing is kept.
        DownloadError: There is no connection or no such file, or the server fails.
        SaveError: The disk is full.
    """
    part = target.with_name(target.name + PART_SUFFIX)
    resumed = part.exists()
    while True:
        _download_part(url, part, remedy)
        try:
            digest.check(part, url, 'Nothing of it was kept.')
        except WrongWeightsError:
            part.unlink()
            if not resumed:
                raise
            # The part was perhaps of another file: once more from the beginning.
            resumed = False
            continue
        part.replace(target)
        return


def _download_part(url: str, part: Path, remedy: str) -> None:
    """Download a whole file to ``part``, by as many connections as it takes."""
    before = furthest = _size(part)
    attempts = 0
    with show_progress(url.rpartition('/')[2]) as report:
        while True:
            try:
                return _receive(url, part, report)
            except urllib.error.HTTPError as error:
                reason = f'the server answers {error.code} {error.reason}'
                if error.code == 416:
                    # What is here is not the beginning of what is there.
                    part.unlink(missing_ok=True)
                elif error.code < 500 and error.code not in _TEMPORARY:
                    raise _failed(url, reason, remedy) from error
            except (OSError, http.client.HTTPException) as error:
                reason = str(getattr(error, 'reason', error)) or type(error).__name__
                if isinstance(error, urllib.error.URLError) and furthest == before:
                    # There is no way there: asking again does not help.
                    raise _failed(url, reason, remedy) from error
            attempts = 1 if _size(part) > furthest else attempts + 1
            furthest = max(furthest, _size(part))
            if attempts >= MAX_ATTEMPTS:
                raise _failed(url, f'{reason} ({attempts} attempts)', remedy)
            time.sleep(PAUSE * 2 ** (attempts - 1))


def _receive(url: str, part: Path, report: Report) -> None:
    """Append to ``part`` what is missing, by one connection.

    Raises:
        OSError, http.client.HTTPException: The connection failed or ended early.
    """
    start = _size(part)
    headers = {'User-Agent': 'onestage_pose', 'Accept-Encoding': 'identity'}
    if start:
        headers['Range'] = f'bytes={start}-'
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if response.status != 206:
            # From the beginning, whatever was asked for.
            start = 0
        elif _range_start(response.headers.get('Content-Range')) != start:
            part.unlink()
            raise OSError('the server sends another part than requested')
        length = response.headers.get('Content-Length')
        total = start + int(length) if length else None
        done = start
        report(done, total)
        with _open(part, 'ab' if start else 'wb') as file:
            while block := response.read(_BLOCK):
                _write(file, block, part)
                done += len(block)
                report(done, total)
    if total is not None and done < total:
        raise OSError(f'the connection ended after {done:,} of {total:,} bytes')


def _open(part: Path, mode: str):
    try:
        return open(part, mode, buffering=0)
    except OSError as error:
        raise SaveError(f'{part} cannot be written: {error.strerror}.') from error


def _write(file, block: bytes, part: Path) -> None:
    try:
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise SaveError(
            f'{part} cannot be written: {error.strerror}. Free some space; the '
            'download then continues from here.'
        ) from error


def _range_start(header: str | None) -> int | None:
    match = _RANGE.match(header or '')
    return int(match.group(1)) if match else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _failed(url: str, reason: str, remedy: str) -> DownloadError:
    return DownloadError(f'{url} cannot be downloaded: {reason}. {remedy}'.rstrip())
