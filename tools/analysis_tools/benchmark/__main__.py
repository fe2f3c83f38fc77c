# Copyright (c) onestage_pose contributors.
"""Time this project's models beside alternatives, in one run.

    python tools/analysis_tools/benchmark.py --out-dir work_dirs/benchmark

Weights are random, and the same people are detected by all models, so that each has as
much to do. The models take turns, repetition by repetition; the report gives medians
with quartiles, and the median of each turn's ratio. With --memory, each model is loaded
into a process of its own, whose peak memory is measured.

Tables are printed and written as they are complete; on Ctrl-C or SIGTERM, what was
measured is written.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.cli.args import positive
from onestage_pose.cli.files import check_writable
from onestage_pose.cli.run import run_tool
from onestage_pose.models.utils.precision import tensor_float32
from onestage_pose.utils.mixed_precision import can_autocast

import torch
from mmengine.logging import MMLogger

from .models import DEFAULT_MODELS, DTYPES, TIMED_MODELS
from .plot import plot_times
from .report import describe_run, report_all, report_field, write_json
from .timing import Results, build_models, measure, print_peak_memory


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog='benchmark.py',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--models', nargs='+', choices=TIMED_MODELS, default=list(DEFAULT_MODELS)
    )
    parser.add_argument('--people', nargs='+', type=positive, default=[1, 8, 32])
    parser.add_argument(
        '--dtypes',
        nargs='+',
        choices=DTYPES,
        help='(default: float32, and bfloat16 unless a CPU would imitate it)',
    )
    parser.add_argument(
        '--size',
        nargs=2,
        type=positive,
        default=(800, 1088),
        metavar=('HEIGHT', 'WIDTH'),
    )
    parser.add_argument('--repeat', type=positive, default=9, help='turns (default: 9)')
    parser.add_argument('--warm-up', type=int, default=2, help='turns not counted')
    parser.add_argument('--device', default='cpu')
    parser.add_argument(
        '--tf32',
        action='store_true',
        help='let a GPU round float32 to TF32 in products, in all models',
    )
    parser.add_argument('--train', action='store_true', help='time a training step')
    parser.add_argument(
        '--train-batch',
        type=positive,
        default=2,
        metavar='IMAGES',
        help='images of a training step (default: 2)',
    )
    parser.add_argument(
        '--profile',
        action='store_true',
        help='time by operator: matrix products and the rest',
    )
    parser.add_argument('--memory', action='store_true', help='measure peak memory')
    parser.add_argument(
        '--batches',
        nargs='*',
        type=positive,
        default=[],
        help='measure the throughput at these batch sizes',
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/benchmark'))
    parser.add_argument('--peak', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.warm_up < 0:
        parser.error(f'--warm-up: {args.warm_up} is given, 0 or more is needed')
    args.people = sorted(set(args.people))
    try:
        torch.empty(0, device=args.device)
    except (RuntimeError, AssertionError) as error:
        parser.error(f'--device {args.device}: {str(error).splitlines()[0]}')
    if args.dtypes is None:
        device_type = torch.device(args.device).type
        able = can_autocast(device_type, torch.bfloat16, 'measures')
        args.dtypes = ['float32', *['bfloat16'] * able]
    return args


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise ``SystemExit`` with status 143, as shells name that end."""
    previous = signal.signal(
        signal.SIGTERM, lambda number, frame: sys.exit(128 + number)
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def run(args: argparse.Namespace, results: Results) -> None:
    """Measure, and print and write each table when it is complete."""
    print(describe_run(args), flush=True)
    with tensor_float32(args.tf32, torch.device(args.device).type):
        for name in measure(build_models(args), args, results):
            if text := report_field(results, name):
                print(f'\n{text}', flush=True)
                write(results, args, 'Not all is measured yet.')


def write(results: Results, args: argparse.Namespace, note: str = '') -> str:
    """Write the report, all values and the figure to ``--out-dir``.

    Returns:
        str: The report in Markdown.
    """
    text = report_all(results, args, note)
    (args.out_dir / 'benchmark.md').write_text(text + '\n')
    write_json(results, args.out_dir / 'benchmark.json')
    if results.seconds:
        plot_times(results.seconds, args.out_dir / 'people.png')
    return text


def main(argv: list[str] | None = None) -> None:
    """Measure, print and write.

    Raises:
        UsageError: ``--out-dir`` cannot be written to.
        SystemExit: It was interrupted, and what was measured is written: status 130
            after Ctrl-C, 143 after SIGTERM.
    """
    args = parse_args(argv)
    MMLogger.get_current_instance().setLevel('ERROR')
    if args.peak:
        print_peak_memory(args)
        return
    check_writable(str(args.out_dir), '--out-dir')
    results = Results()
    try:
        with exit_on_sigterm():
            run(args, results)
    except (KeyboardInterrupt, SystemExit) as error:
        status = error.code if isinstance(error, SystemExit) else 130
        text = write(results, args, 'Interrupted: this report is incomplete.')
        print(f'\n{text}\n\nwritten to {args.out_dir}', flush=True)
        raise SystemExit(status) from None
    write(results, args)


if __name__ == '__main__':
    run_tool(main)
