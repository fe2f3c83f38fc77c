# Copyright (c) onestage_pose contributors.
"""Find the people of many images, by several processes or a cluster."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..apis.building import choose_device
from ..utils.errors import RunInterruptedError
from .extras import needs_extra
from .files import count
from .progress import track

if TYPE_CHECKING:
    from ..bulk.job import Job
    from ..bulk.worker import Summary

_NAMES_SHOWN = 3


def run(args: argparse.Namespace) -> None:
    """Do what is not done yet.

    Raises:
        UsageError: Something that was typed cannot be used, the folder is another
            job's, or the extra ``bulk`` is not installed.
        OutputError: A file cannot be written.
        WorkerDiedError: Workers die, and no image is the reason.
    """
    with needs_extra('bulk'):
        import pyarrow  # noqa: F401

        if args.ray is not None:
            import ray.data  # noqa: F401
    from ..bulk import Job, WorkerOptions, open_source

    if args.device is not None and args.ray is None:
        choose_device(args.device, '--device')
    source = open_source(args.source, args.recursive, args.column, args.name_column)
    if source.left_out:
        names = ', '.join(source.left_out[:_NAMES_SHOWN])
        others = count(len(source.left_out), 'other file', 'other files')
        print(f'{args.source} holds {others}, left out ({names}).')
    options = WorkerOptions(
        folder=args.destination,
        file_format=args.format,
        model=args.config,
        checkpoint=args.checkpoint,
        device=args.device,
        batch_size=args.batch_size,
        bbox_thr=args.bbox_thr,
        flip_test=True if args.flip_test else None,
        cfg_options=args.cfg_options,
    )
    job = Job(source, options, args.partition_size)
    if job.is_finished:
        print('All partitions were finished before.')
        found = job.found
    else:
        found = _do_missing(job, args)
    job.finish(found)
    _report(found, args)


def _do_missing(job: Job, args: argparse.Namespace) -> dict[str, int]:
    """Do what is missing; return how much there is in all, also of earlier runs."""
    from ..bulk import run_on_ray

    if job.done:
        print(f'Partitions finished before: {len(job.done)} of {len(job.partitions)}.')
    found = Counter(images=0, errors=0, people=0)
    if args.ray is not None:
        summaries = run_on_ray(job, args.ray or None, args.workers)
    else:
        summaries = job.run(args.workers)
    try:
        for new in track(summaries, 'Partitions', len(job.missing)):
            _add(found, new)
        for old in track(job.read_done(), 'Earlier partitions', len(job.done)):
            _add(found, old)
    except KeyboardInterrupt:
        raise RunInterruptedError('Interrupted; the same command continues.') from None
    return dict(found)


def _add(found: Counter, summary: Summary) -> None:
    found.update({key: getattr(summary, key) for key in ('images', 'errors', 'people')})


def _report(found: Mapping[str, int] | None, args: argparse.Namespace) -> None:
    if found is None:
        # finished by a version that did not count
        print(f'The results are in {args.destination}.')
        return
    images = count(found['images'], 'image', 'images')
    people = count(found['people'], 'person', 'people')
    print(f'{images}, {people}: {args.destination}')
    if found['errors']:
        where = 'errors.json' if args.format == 'coco' else 'column error'
        errors = count(found['errors'], 'image', 'images')
        print(f'{errors} could not be read ({where}).')
