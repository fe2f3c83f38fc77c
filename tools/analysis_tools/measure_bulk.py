# Copyright (c) onestage_pose contributors.
"""Measure ``onestage-pose bulk``: two workers against one, and Ray against none.

    python tools/analysis_tools/measure_bulk.py IMAGES out.json --ray

Each way does the same images, in turn, ``--repeat`` times. Counted is from the first
partition that is done on: to start processes and load models takes its time once,
whatever the number of images. Ratios are of one round, since the machine may be busy.
Set RAY_worker_niceness=0 where other programs run, or Ray's workers, of niceness 15,
wait for them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from onestage_pose.apis.writing import write_json
from onestage_pose.bulk import Job, WorkerOptions, open_source, run_on_ray
from onestage_pose.bulk.sources import PathSource
from onestage_pose.cli.args import positive
from onestage_pose.cli.run import run_tool


def main(argv: list[str] | None = None) -> None:
    """Measure, and write the rates and ratios after each round."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', help='a folder')
    parser.add_argument('out', type=Path, help='a JSON file')
    parser.add_argument('--number', type=positive, default=60, help='of images')
    parser.add_argument('--repeat', type=positive, default=3)
    parser.add_argument('--ray', action='store_true', help='measure Ray too')
    args = parser.parse_args(argv)
    paths = list(open_source(args.images).names())[: args.number]
    ways = {'1 worker': 1, '2 workers': 2}
    if args.ray:
        ways['2 actors of Ray'] = 2
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(args.repeat):
        for way, workers in ways.items():
            rates[way].append(measure(paths, workers, 'Ray' in way))
        ratios = {
            f'{way} / {other}': [a / b for a, b in zip(rates[way], rates[other])]
            for way, other in zip(list(ways)[1:], ways)
        }
        medians = {name: statistics.median(each) for name, each in ratios.items()}
        write_json(
            args.out,
            dict(
                images=len(paths),
                images_a_second=rates,
                ratios=ratios,
                median_ratios=medians,
            ),
        )
        print(rates, medians, flush=True)


def measure(paths: list[str], workers: int, is_ray: bool) -> float:
    """Return the images a second of one way."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(PathSource(paths), WorkerOptions(folder), partition_size=3)
        found = run_on_ray(job, None, workers) if is_ray else job.run(workers)
        start, images = None, 0
        for summary in found:
            if start is None:
                start = time.perf_counter()
            else:
                images += summary.images
                end = time.perf_counter()
    return images / (end - start)


if __name__ == '__main__':
    run_tool(main)
