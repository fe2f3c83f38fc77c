# Copyright (c) onestage_pose contributors.
"""Measure what PosePredictor's batches and its decoding ahead are worth.

    python tools/analysis_tools/time_predictor.py IMAGES [NAME | CONFIG CHECKPOINT]

The same images are predicted one by one without threads, one by one with decoding
ahead, and in batches with decoding ahead; the three take turns, in the opposite order
every second time. Printed are medians over the turns, of ratios within a turn, which do
not depend on the load of the machine as the times do:

- throughput: images a second in batches over images a second one by one;
- hidden: the share of decoding and resizing for which the network does not wait; 1
  where the next image is always there. Where the network's threads keep all cores
  busy, decoding still takes their time;
- time: of decoding ahead, over that without threads.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.apis import PosePredictor
from onestage_pose.cli.args import positive
from onestage_pose.cli.files import find_images
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.tables import format_table

from torch.utils.benchmark import timer


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', type=Path, help='a folder')
    parser.add_argument('config', nargs='?', default='nano', help='name, or config')
    parser.add_argument('checkpoint', nargs='?', help='beside a config')
    parser.add_argument('--num-images', type=positive, default=100)
    parser.add_argument('--batch-size', type=positive, default=8)
    parser.add_argument('--num-threads', type=positive, default=2)
    parser.add_argument('--repeat', type=positive, default=3, help='turns (default: 3)')
    parser.add_argument('--device')
    return parser.parse_args(argv)


class TimedPredictor(PosePredictor):
    """A predictor that adds up the time that its images take to load.

    Attributes:
        waited (float): Seconds in which nothing but loading went on for the caller.
    """

    waited = 0.0

    def _load_all(self, items: Iterable[Any], ahead: int) -> Iterator[Any]:
        loaded = super()._load_all(items, ahead)
        with closing(loaded):
            while True:
                start = timer()
                each = next(loaded, None)
                self.waited += timer() - start
                if each is None:
                    return
                yield each


def time_call(
    predictor: TimedPredictor, images: Sequence[str], num_threads: int, batch_size: int
) -> tuple[float, float]:
    """Return the seconds of all, and those in which the network waited for images."""
    predictor.num_threads, predictor.waited = num_threads, 0.0
    start = timer()
    for _ in predictor(images, batch_size=batch_size):
        pass
    return timer() - start, predictor.waited


def measure_turn(
    predictor: TimedPredictor,
    images: Sequence[str],
    args: argparse.Namespace,
    backwards: bool = False,
) -> dict[str, float]:
    """Run the three ways once, ``backwards`` in the opposite order.

    Returns:
        dict[str, float]: Seconds by way, ``'decoding'``, and the ratios
        ``'throughput'``, ``'hidden'`` and ``'time'``.
    """
    ways = {
        'alone': (0, 1),
        'ahead': (args.num_threads, 1),
        'batches': (args.num_threads, args.batch_size),
    }
    order = reversed(ways) if backwards else ways
    times = {name: time_call(predictor, images, *ways[name]) for name in order}
    (alone, decoding), (ahead, waited) = times['alone'], times['ahead']
    batches, _ = times['batches']
    return {
        'alone': alone,
        'ahead': ahead,
        'batches': batches,
        'decoding': decoding,
        'throughput': ahead / batches,
        'hidden': 1 - waited / decoding,
        'time': ahead / alone,
    }


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    args = parse_args(argv)
    paths = [str(path) for path in find_images(args.images, args.num_images)]
    predictor = TimedPredictor(
        args.config, args.checkpoint, device=args.device, keep_images=False
    )
    # the first batches of each size choose algorithms and fill caches
    time_call(predictor, paths[: 2 * args.batch_size], 0, args.batch_size)
    turns = []
    for number in range(1, args.repeat + 1):
        turns.append(measure_turn(predictor, paths, args, number % 2 == 0))
        print(
            f'turn {number} of {args.repeat}: throughput '
            f'{turns[-1]["throughput"]:.2f}, hidden {100 * turns[-1]["hidden"]:.0f}%, '
            f'time {turns[-1]["time"]:.2f}',
            flush=True,
        )
    medians = {
        name: statistics.median(turn[name] for turn in turns) for name in turns[0]
    }
    ways = {
        'alone': 'one by one, no threads',
        'ahead': f'one by one, {args.num_threads} threads ahead',
        'batches': f'batches of {args.batch_size}, {args.num_threads} threads ahead',
        'decoding': 'decoding and resizing alone',
    }
    rows = [
        (ways[name], f'{1000 * medians[name] / len(paths):.1f}')
        for name in ('alone', 'ahead', 'batches', 'decoding')
    ]
    print(format_table(('way', 'ms an image'), rows))
    print(
        f'{len(paths)} images, medians of {args.repeat} turns: throughput in batches '
        f'{medians["throughput"]:.2f} of that one by one; '
        f'{100 * medians["hidden"]:.0f}% of the decoding time is hidden, and decoding '
        f'ahead takes {medians["time"]:.2f} of the time without.'
    )


if __name__ == '__main__':
    run_tool(main)
