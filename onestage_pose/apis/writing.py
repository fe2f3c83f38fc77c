# Copyright (c) onestage_pose contributors.
"""Write results: whole or not at all, and with an error that names the file."""

from __future__ import annotations

import errno
import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import cv2
import numpy as np
from mmengine.fileio.handlers.json_handler import set_default

from ..checkpoints.atomic import replacing
from ..utils.errors import ImageError, OutputError


class NameTooLongError(OutputError):
    """A file whose name is longer than the file system allows; others can be written.

    File systems take 255 bytes, and what is made of an image may add to its name.
    """


def write_image(path: Path, image: np.ndarray) -> None:
    """Write an image, whole or not at all.

    Args:
        path (Path): In a folder that exists; its extension says the kind. The name
            need not be UTF-8, on which OpenCV's own writer crashes.
        image (np.ndarray): (h, w, 3) uint8 BGR.

    Raises:
        ImageError: OpenCV cannot encode it.
        NameTooLongError: The name has over 255 bytes.
        OutputError: The disk is full, or the folder cannot be written to.
    """
    try:
        encoded, data = cv2.imencode(path.suffix, image)
    except cv2.error as error:
        raise ImageError(f'{path}: OpenCV could not encode this image.') from error
    if not encoded:
        raise ImageError(f'{path}: OpenCV could not encode this image.')
    with _naming(path), replacing(path) as part:
        part.write_bytes(data)


def write_json(path: Path, value: Any, indent: str | None = '  ') -> None:
    """Write a value as JSON, whole or not at all.

    Args:
        path (Path): The file.
        value: Of lists, dicts, text and numbers, numpy's too.
        indent (str | None): None writes it in one line.

    Raises:
        NameTooLongError: The name has over 255 bytes.
        OutputError: The disk is full, or the folder cannot be written to.
    """
    with _naming(path), replacing(path) as part:
        part.write_text(to_json(value, indent), encoding='utf-8')


def to_json(value: Any, indent: str | None = '  ') -> str:
    """Return a value as JSON, with numpy's numbers as numbers."""
    return json.dumps(value, indent=indent, default=set_default)


class JsonList:
    """A JSON file of a list whose elements come one after the other.

    Each is written at once, as a line of ``STEM.jsonl``: what was done stays when the
    program is killed. At the end, ``STEM.json`` holds the list, and the lines go. Used
    as a context manager.

    Args:
        path (Path | None): ``STEM.json``; None writes nothing.
        keep_interrupted (bool): Ctrl-C completes the list, for a source that has no
            end. Else the lines stay, as after an error.

    Raises:
        NameTooLongError: The name has over 255 bytes.
        OutputError: The disk is full, or the folder cannot be written to. The lines
            that were written are still there.
    """

    def __init__(self, path: Path | None, keep_interrupted: bool = False) -> None:
        self.path = path
        self._completing = (None, KeyboardInterrupt) if keep_interrupted else (None,)
        self.lines = None if path is None else path.with_suffix('.jsonl')
        self._file: TextIO | None = None

    def write(self, value: Any) -> None:
        """Append an element."""
        if self._file is not None:
            with _naming(self.lines):
                self._file.write(to_json(value, indent=None) + '\n')
                self._file.flush()

    def __enter__(self) -> JsonList:
        if self.lines is not None:
            with _naming(self.lines):
                self._file = self.lines.open('w', encoding='utf-8')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            # of what could not be written before, which has been raised
            if kind is None:
                raise
        if kind in self._completing:
            with _naming(self.path):
                self._finish()

    def _finish(self) -> None:
        with (
            self.lines.open(encoding='utf-8') as lines,
            replacing(self.path) as part,
            part.open('w', encoding='utf-8') as file,
        ):
            between = '[\n'
            for line in lines:
                element = to_json(json.loads(line))
                file.write(between + textwrap.indent(element, '  '))
                between = ',\n'
            file.write('[]' if between == '[\n' else '\n]')
        self.lines.unlink()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn an error of the system into one that names the file."""
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        kind = NameTooLongError if error.errno == errno.ENAMETOOLONG else OutputError
        raise kind(f'{path} could not be written: {error.strerror}.') from error
