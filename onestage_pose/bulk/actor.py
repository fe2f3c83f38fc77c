# Copyright (c) onestage_pose contributors.
"""What Ray starts on its nodes.

Nothing here imports PyTorch, nor does what it is sent: that is for the process that
holds the model.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .processes import WorkerProcess


class Actor:
    """A worker's process, and what looks after it.

    Args:
        make_worker (bytes): Makes the worker; pickled.
    """

    def __init__(self, make_worker: bytes) -> None:
        self._process = WorkerProcess(partial(_make, make_worker))

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list]:
        """Do partitions.

        Args:
            batch (dict): Their ``number``, and they as ``partition``, pickled.

        Returns:
            dict: The columns of their summaries.
        """
        found = [
            self._process.run(bytes(partition), int(number))
            for partition, number in zip(batch['partition'], batch['number'])
        ]
        return {name: [each[name] for each in found] for name in found[0]}


def _make(make_worker: bytes) -> Callable[..., dict[str, Any]]:
    worker = pickle.loads(make_worker)()
    return lambda partition, *rest: worker(pickle.loads(partition), *rest)._asdict()
