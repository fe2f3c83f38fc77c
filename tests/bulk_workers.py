# Copyright (c) onestage_pose contributors.
"""Workers that die, for processes that import nothing else."""

import os
import signal
from pathlib import Path
from typing import NamedTuple

from onestage_pose.utils.errors import OutputError


class Part(NamedTuple):
    """A partition of numbers; what a worker does with them says its name."""

    number: int
    images: tuple


class Worker:
    """Returns the images and what is skipped; dies at images that are text.

    Args:
        log: Where it appends a line for each call.
    """

    def __init__(self, log: str) -> None:
        self.log = Path(log)

    def __call__(self, part, skipped, announce):
        with self.log.open('a') as file:
            file.write(f'{part.number} {"careful" if announce else "together"}\n')
        for place, image in enumerate(part.images):
            if announce:
                announce(place)
            if place in skipped:
                continue
            if image == 'kill' or (image == 'once' and not announce):
                os.kill(os.getpid(), signal.SIGKILL)
            if image == 'full':
                raise OutputError('the disk is full')
        if announce:
            announce(None)
        if 'kill at the end' in part.images:
            os.kill(os.getpid(), signal.SIGKILL)
        return part.number, len(part.images), dict(skipped)


class NoWorker:
    """Dies as it is made."""

    def __init__(self) -> None:
        os._exit(3)
