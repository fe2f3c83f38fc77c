# Copyright (c) onestage_pose contributors.
"""The sound of a video, for the drawn one: FFmpeg copies it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def find_ffmpeg() -> str | None:
    """Return the path of the program ``ffmpeg``, None where there is none."""
    return shutil.which('ffmpeg')


def add_sound(drawn: Path, source: Path) -> str | None:
    """Give a video the sound of another one; it stays as it is where that fails.

    Args:
        drawn (Path): A video without sound, which is replaced as a whole.
        source (Path): A file with or without sound.

    Returns:
        str | None: Why it has none, to be said; None where all went well, also if
        ``source`` is silent.
    """
    ffmpeg = find_ffmpeg()
    if ffmpeg is None:
        return f'{drawn} has no sound: ffmpeg, which copies it, is not installed.'
    part = drawn.with_name(f'.{os.getpid()}.sound{drawn.suffix}')
    try:
        # a kind of sound that MP4 does not hold is encoded
        for codec in ('copy', 'aac'):
            done = _run(ffmpeg, drawn, source, part, codec)
            if done.returncode == 0:
                os.replace(part, drawn)
                return None
        last = done.stderr.strip().splitlines() or [f'status {done.returncode}']
        return f'{drawn} has no sound: ffmpeg says {last[-1]}'
    except OSError as error:
        return f'{drawn} has no sound: {ffmpeg} cannot be run ({error.strerror}).'
    finally:
        part.unlink(missing_ok=True)


def _run(
    ffmpeg: str, drawn: Path, source: Path, part: Path, codec: str
) -> subprocess.CompletedProcess:
    # neither file may send it elsewhere
    local = ['-protocol_whitelist', 'file']
    words = [ffmpeg, '-v', 'error', '-nostdin', '-y']
    for path in (drawn, source):
        words += [*local, '-i', f'file:{path.absolute()}']
    words += ['-map', '0:v:0', '-map', '1:a?', '-c:v', 'copy', '-c:a', codec]
    words += ['-shortest', f'file:{part.absolute()}']
    return subprocess.run(
        words, capture_output=True, text=True, errors='replace', check=False
    )
