# Copyright (c) onestage_pose contributors.
"""A job from its list of images to its files, which goes on where it was ended."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
import torch

from ..apis.ahead import load_ahead
from ..apis.building import find_model
from ..apis.checkpoint_paths import check_checkpoint_path
from ..apis.result import read_image_id
from ..apis.writing import to_json
from ..utils.config_files import read_config
from ..utils.errors import UsageError
from ..version import __version__
from ..zoo.digest import compute_hash
from .destination import Folder, Manifest, name_partition, read_manifest
from .partitions import Partition
from .processes import run_in_processes
from .sources import Source
from .tables import count_in_parquet
from .worker import ENDINGS, Summary, Worker, WorkerOptions

# Where nothing is said, a partition has at least and at most so many images, ...
_SMALLEST, _LARGEST = 16, 1000
# ... there are so many partitions where that leaves a choice, ...
_USUAL = 256
# ... and so many at most.
_MOST = 100_000
# Files that are opened together, since a storage answers slowly, and read ahead.
_READERS, _AHEAD = 16, 64


class Job:
    """The people of many images, found by workers and written into a folder.

    Args:
        source (Source): The images.
        options (WorkerOptions): Where results go, and how they are made.
        partition_size (int | None): Most images of a partition; None takes that of the
            folder's manifest, or else :func:`choose_partition_size`.

    Attributes:
        partitions (list[Partition]): All.
        missing (list[Partition]): Those that are not done.
        done (list[Partition]): Those that an earlier run has done.
        is_finished (bool): All is done, and :meth:`finish` was called.

    Raises:
        UsageError: The folder cannot be used, another process writes into it, it holds
            results of another job, or there is no such model.
    """

    def __init__(
        self,
        source: Source,
        options: WorkerOptions,
        partition_size: int | None = None,
    ) -> None:
        self.source, self.options = source, options
        self.folder = Folder(options.folder)
        if options.file_format == 'coco':
            _check_image_ids(source)
        self.folder.lock()
        before = read_manifest(self.folder)
        size = partition_size
        if size is None and before is not None:
            size = before['asked'].get('partition_size')
        size = size or choose_partition_size(len(source))
        self._manifest = Manifest(self.folder, _describe(source, options, size))
        self.partitions = source.partitions(size)
        numbers = self.find_done()
        self.missing = [each for each in self.partitions if each.number not in numbers]
        self.done = [each for each in self.partitions if each.number in numbers]

    @property
    def is_finished(self) -> bool:
        """bool: See the class."""
        return self._manifest.is_finished

    @property
    def found(self) -> Mapping[str, int] | None:
        """Mapping, optional: What :meth:`finish` was told, of a finished job."""
        return self._manifest.found

    def run(self, workers: int | None = None) -> Iterator[Summary]:
        """Do what is missing, by processes of this machine.

        Args:
            workers (int | None): How many; by default one a GPU, or one.

        Yields:
            Summary: Of each partition when it is done.

        Raises:
            OutputError: A file cannot be written.
            WorkerDiedError: Workers die, and no image is the reason.
        """
        number = workers or torch.cuda.device_count() or 1
        number = max(1, min(number, len(self.missing)))
        options = self.options
        if 'OMP_NUM_THREADS' not in os.environ:
            threads = max(1, (os.cpu_count() or 1) // number)
            options = replace(options, num_threads=threads)
        make_workers = [partial(Worker, options, each) for each in range(number)]
        yield from run_in_processes(make_workers, self.missing)

    def find_done(self) -> set[int]:
        """Return the numbers of the partitions whose files are there now."""
        return self._manifest.done()

    def read_done(self) -> Iterator[Summary]:
        """Yield what is in the files of an earlier run, before :meth:`finish`.

        Of tables only the footers are read.

        Raises:
            UsageError: A file cannot be read.
        """
        return load_ahead(self.done, self._summarize, _READERS, _AHEAD)

    def _summarize(self, partition: Partition) -> Summary:
        file_format = self.options.file_format
        name = name_partition(partition.number, ENDINGS[file_format])
        try:
            if file_format == 'parquet':
                with self.folder.open(name) as file:
                    errors, people = count_in_parquet(file)
            else:
                found = json.loads(self.folder.read(name))
                errors, people = len(found['errors']), len(found['results'])
        except (pa.ArrowInvalid, ValueError, KeyError) as error:
            raise UsageError(
                f'{self.folder.address}/{name} cannot be read ({error}): remove it, '
                'and the same command makes it again.'
            ) from error
        return Summary(partition.number, len(partition), errors, people, 0.0)

    def finish(self, found: Mapping[str, int] | None = None) -> None:
        """Say that all is done; of COCO's format, join the partitions' files.

        Args:
            found (Mapping | None): How much there is in all, for the manifest.
        """
        is_coco = self.options.file_format == 'coco'
        if is_coco and not self.is_finished:
            self._join()
        if not self.is_finished:
            self._manifest.finish(found)
        if is_coco:
            # after all that is in them is elsewhere
            for name in self.folder.names().intersection(self._part_names()):
                self.folder.remove(name)

    def _part_names(self) -> list[str]:
        ending = ENDINGS[self.options.file_format]
        return [name_partition(each.number, ending) for each in self.partitions]

    def _join(self) -> None:
        for key in ('results', 'errors'):
            with self.folder.writing(f'{key}.json') as file:
                between = b'['
                for name in self._part_names():
                    for record in json.loads(self.folder.read(name))[key]:
                        file.write(between + to_json(record, indent=None).encode())
                        between = b',\n'
                file.write(b'[]' if between == b'[' else b']')


def choose_partition_size(images: int) -> int:
    """Return how many images a partition has at most where nothing is said."""
    usual = min(max(-(-images // _USUAL), _SMALLEST), _LARGEST)
    return max(usual, -(-images // _MOST))


def _describe(source: Source, options: WorkerOptions, size: int) -> dict[str, Any]:
    """Return what results depend on."""
    config, checkpoint = find_model(options.model, options.checkpoint)
    check_checkpoint_path(checkpoint, 'checkpoint')
    text = json.dumps(read_config(config).to_dict(), default=str, sort_keys=True)
    is_local = '://' not in checkpoint
    return dict(
        onestage_pose=__version__,
        images=len(source),
        list_sha256=source.digest(),
        partition_size=size,
        format=options.file_format,
        model=options.model,
        checkpoint=compute_hash(checkpoint) if is_local else checkpoint,
        config_sha256=hashlib.sha256(text.encode()).hexdigest(),
        bbox_thr=options.bbox_thr,
        flip_test=options.flip_test,
        cfg_options=options.cfg_options,
    )


def _check_image_ids(source: Source) -> None:
    for name in source.names():
        if name is None or read_image_id(name) is None:
            raise UsageError(
                f'--format coco: the name of {name or "an image without a name"} is no '
                'number, as 000000129648.jpg: rename it, or leave out --format to '
                'write Parquet.'
            )
