# Copyright (c) onestage_pose contributors.
"""Hashes of published files: of which kind, and as many digits as were published."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from ..utils.errors import WrongWeightsError


class Digest(NamedTuple):
    """What the hash of a file begins with.

    Attributes:
        kind (str): ``'sha256'``, ``'sha512'`` or ``'md5'``.
        value (str): Its first digits or all of them, hexadecimal, in lower case.
    """

    kind: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read a hash such as ``'md5:04e291'``."""
        kind, _, value = text.partition(':')
        return cls(kind, value)

    def __str__(self) -> str:
        return f'{self.kind}:{self.value}'

    def matches(self, path: Path) -> bool:
        """Return whether the hash of a file begins with this."""
        return compute_hash(path, self.kind).startswith(self.value)

    def check(self, path: Path, name: str, remedy: str) -> None:
        """Raise unless a file is the one that was published.

        Args:
            path (Path): The file.
            name (str): What to call it in the error.
            remedy (str): What to do about it, a sentence.

        Raises:
            WrongWeightsError: Names both hashes.
        """
        found = compute_hash(path, self.kind)
        if not found.startswith(self.value):
            raise WrongWeightsError(
                f'{name}: this is not the file that was published: its hash is '
                f'{self.kind}:{found} and should begin with {self}. {remedy}'
            )


def compute_hash(path: Path, kind: str = 'sha256') -> str:
    """Return the hash of a file in hexadecimal digits.

    Args:
        path (Path): The file.
        kind (str): ``'sha256'``, ``'sha512'`` or ``'md5'``.
    """
    # Nothing secret hangs on it: machines whose policy forbids MD5 allow it then.
    digest = hashlib.new(kind, usedforsecurity=False)
    with open(path, 'rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
