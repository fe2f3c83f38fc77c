# Copyright (c) onestage_pose contributors.
"""Find the people of many images, by several processes or a cluster."""

from __future__ import annotations

import argparse

from ..apis.building import choose_device
from ..utils.errors import RunInterruptedError
from .extras import needs_extra
from .files import count
from .progress import track

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
    from ..bulk import Job, WorkerOptions, open_source, run_on_ray

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
    total = len(job.partitions)
    images = errors = people = 0
    if not job.is_finished:
        if len(job.missing) < total:
            print(f'{total - len(job.missing)} of {total} partitions are done already.')
        if args.ray is not None:
            summaries = run_on_ray(job, args.ray or None, args.workers)
        else:
            summaries = job.run(args.workers)
        try:
            for each in track(summaries, 'Partitions', len(job.missing)):
                images += each.images
                errors += each.errors
                people += each.people
        except KeyboardInterrupt:
            raise RunInterruptedError(
                'Interrupted; the same command goes on with what is missing.'
            ) from None
    job.finish()
    if not images:
        print(f'All is done already: {args.destination}')
        return
    print(
        f'{count(images, "image", "images")}, {count(people, "person", "people")}: '
        f'{args.destination}'
    )
    if errors:
        where = 'errors.json' if args.format == 'coco' else 'the column "error"'
        print(f'{count(errors, "image", "images")} could not be read: see {where}.')
