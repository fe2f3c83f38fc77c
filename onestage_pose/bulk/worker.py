# Copyright (c) onestage_pose contributors.
"""What a worker does: the people of a partition's images, in a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.logging import MMLogger

from ..apis.inputs import ImageItem, Inputs
from ..apis.predictor import PosePredictor
from ..apis.result import PoseResult
from ..apis.thresholds import BBOX_THR
from ..apis.writing import to_json
from ..utils.errors import ImageError
from .destination import Folder, name_partition
from .partitions import Partition
from .tables import make_schema, to_parquet

#: The ending of a partition's file, by format.
ENDINGS = dict(parquet='.parquet', coco='.json')


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is told; see :class:`.PosePredictor`.

    Attributes:
        folder (str): Where the files go.
        file_format (str): One of :data:`ENDINGS`.
        num_threads (int | None): Of PyTorch; None leaves them.
    """

    folder: str
    file_format: str = 'parquet'
    model: str = 'nano'
    checkpoint: str | None = None
    device: str | None = None
    batch_size: int = 1
    bbox_thr: float = BBOX_THR
    flip_test: bool | None = None
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
    num_threads: int | None = None


class Summary(NamedTuple):
    """What was found in a partition.

    Attributes:
        number (int): The partition's.
        images (int): How many it has.
        errors (int): Those that could not be read.
        people (int): Those that were found.
        seconds (float): How long it took.
    """

    number: int
    images: int
    errors: int
    people: int
    seconds: float


class Worker:
    """Writes the people of partitions into files.

    Args:
        options (WorkerOptions): How.
        number (int): Place among the workers of this machine, from 0: each takes
            another GPU.
    """

    def __init__(self, options: WorkerOptions, number: int = 0) -> None:
        self.options = options
        if number:
            # the first one has said it
            MMLogger.get_current_instance().setLevel('WARNING')
        if options.num_threads is not None:
            torch.set_num_threads(options.num_threads)
        device = options.device
        if device is None and torch.cuda.device_count():
            device = f'cuda:{number % torch.cuda.device_count()}'
        self.predictor = PosePredictor(
            options.model,
            options.checkpoint,
            device=device,
            batch_size=options.batch_size,
            bbox_thr=options.bbox_thr,
            flip_test=options.flip_test,
            cfg_options=dict(options.cfg_options),
            keep_images=False,
        )
        self.folder = Folder(options.folder)
        [example] = self.predictor([np.zeros((64, 64, 3), np.uint8)])
        self.schema = make_schema(example)

    def __call__(
        self,
        partition: Partition,
        skipped: Mapping[int, str] | None = None,
        announce: Callable[[int | None], None] | None = None,
    ) -> Summary:
        """Write a partition's file.

        Args:
            partition (Partition): The images.
            skipped (Mapping | None): Why images are not looked at, by their place in
                the partition.
            announce (Callable | None): Is told the place of each image before it is
                looked at, alone; and None after the last one. By default images are
                looked at together.

        Returns:
            Summary: Of the partition.

        Raises:
            OutputError: The file cannot be written.
            Exception: Of a model that fails on every image.
        """
        start = time.perf_counter()
        names: list[str] = []

        def items() -> Iterator[ImageItem]:
            for place, item in enumerate(partition.items()):
                names.append(item.name)
                if place in (skipped or {}):
                    item = _failed(item, skipped[place])
                yield item

        if announce is None:
            try:
                results = list(self.predictor(Inputs(items()), on_error='return'))
            except Exception:
                # one image may be the reason
                names.clear()
                results = self._predict_each(items(), lambda place: None)
        else:
            results = self._predict_each(items(), announce)
        for place, (name, result) in enumerate(zip(names, results)):
            result.path, result.index = name, partition.start + place
        content = self._encode(list(zip(names, results)))
        ending = ENDINGS[self.options.file_format]
        self.folder.write(name_partition(partition.number, ending), content)
        return Summary(
            partition.number,
            len(results),
            sum(result.error is not None for result in results),
            sum(map(len, results)),
            time.perf_counter() - start,
        )

    def _predict_each(
        self, items: Iterator[ImageItem], announce: Callable[[int | None], None]
    ) -> list[PoseResult]:
        """Predict images one by one; a model that fails on one leaves an error."""
        results: list[PoseResult] = []
        failures: list[Exception] = []
        for place, item in enumerate(items):
            announce(place)
            try:
                found = self._predict(item)
            except Exception as error:
                failures.append(error)
                message = f'{item.name}: the model fails on this image ({error!r}).'
                found = self._predict(_failed(item, message))
            results.append(found)
        announce(None)
        if len(failures) > 1 and all(result.error for result in results):
            # not the images' fault
            raise failures[-1]
        return results

    def _predict(self, item: ImageItem) -> PoseResult:
        [result] = self.predictor(Inputs([item]), on_error='return')
        return result

    def _encode(self, results: list[tuple[str, PoseResult]]) -> bytes:
        if self.options.file_format == 'parquet':
            return to_parquet(results, self.schema)
        people, errors = [], []
        for name, result in results:
            if result.error is None:
                people.extend(result.to_coco())
            else:
                errors.append(dict(image=name, error=str(result.error)))
        return to_json(dict(results=people, errors=errors), indent=None).encode()


def _failed(item: ImageItem, message: str) -> ImageItem:
    return ImageItem(item.name, path=item.path, error=ImageError(message))
