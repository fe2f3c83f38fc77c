# Copyright (c) onestage_pose contributors.
"""Small videos, upright and stored lying as a telephone does it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np


def write_video(path: Path, frames: Iterable[np.ndarray], codec: str = 'mp4v') -> Path:
    """Writes frames (h, w, 3) BGR of one size, five a second."""
    writer = None
    for frame in frames:
        if writer is None:
            size = frame.shape[1], frame.shape[0]
            fourcc = cv2.VideoWriter_fourcc(*codec)
            writer = cv2.VideoWriter(str(path), fourcc, 5.0, size)
            assert writer.isOpened()
        writer.write(frame)
    writer.release()
    return path


def turn_in_header(path: Path, degrees: int) -> Path:
    """Has the header of an MP4 file say that the frames are to be turned clockwise.

    The matrix of the track header (ISO 14496-12, 8.3.2) says it; frames stay as they
    are.
    """
    content = bytearray(path.read_bytes())
    begin = content.index(b'tkhd') + 4
    assert content[begin] == 0, 'version 1 has longer fields'
    angle = math.radians(degrees)
    cos, sin = round(math.cos(angle)), round(math.sin(angle))
    one, whole = 1 << 16, 1 << 30
    matrix = cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, whole
    struct.pack_into('>9i', content, begin + 40, *matrix)
    path.write_bytes(content)
    return path


def quarters(height: int = 64, width: int = 96) -> np.ndarray:
    """A frame whose four quarters differ in brightness, which a video keeps."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[: height // 2, width // 2 :] = 80
    frame[height // 2 :, : width // 2] = 160
    frame[height // 2 :, width // 2 :] = 240
    return frame


def set_durations(path: Path, durations: list[int]) -> Path:
    """Has an MP4 file show its frames for unequal times.

    Rewrites the table of durations (ISO 14496-12, 8.6.1.2), whose unit is the track's;
    the boxes around it grow with it, which moves nothing as they are the last.
    """
    content = path.read_bytes()
    entries = b''.join(struct.pack('>II', 1, duration) for duration in durations)
    table = struct.pack('>II', 0, len(durations)) + entries
    new = struct.pack('>I4s', 8 + len(table), b'stts') + table
    begin = content.index(b'stts') - 4
    (size,) = struct.unpack_from('>I', content, begin)
    changed = bytearray(content[:begin] + new + content[begin + size :])
    for name in (b'moov', b'trak', b'mdia', b'minf', b'stbl'):
        place = content.index(name) - 4
        (before,) = struct.unpack_from('>I', content, place)
        struct.pack_into('>I', changed, place, before + len(new) - size)
    path.write_bytes(changed)
    return path


def time_scale(path: Path) -> int:
    """Units a second of the durations of an MP4 file's track."""
    content = path.read_bytes()
    (units,) = struct.unpack_from('>I', content, content.index(b'mdhd') + 16)
    return units
