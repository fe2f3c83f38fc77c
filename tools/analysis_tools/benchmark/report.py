# Copyright (c) onestage_pose contributors.
"""Write results as tables in Markdown and as JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from onestage_pose.cli.tables import format_table

import numpy as np
import torch

from .models import REFERENCE
from .timing import Case, Results

#: operators that multiply matrices, convolutions among them
PRODUCTS = {
    'mkldnn_convolution',
    'cudnn_convolution',
    '_slow_conv2d_forward',
    'mm',
    'bmm',
    'addmm',
    'baddbmm',
}

Seconds = dict[Case, list[float]]


def format_ms(seconds: float) -> str:
    """Return seconds in milliseconds, with a decimal place where they are few."""
    ms = 1000 * seconds
    return f'{ms:.0f}' if abs(ms) >= 100 else f'{ms:.1f}'


def ratios(seconds: Seconds, case: Case, other: Case) -> np.ndarray:
    """Return the quartiles (3,) of the ratio of two models' seconds, turn by turn.

    A turn that was interrupted before both were timed does not count.
    """
    pairs = list(zip(seconds[case], seconds[other]))
    return np.percentile([one / two for one, two in pairs], [25, 50, 75])


def describe_ratio(seconds: Seconds, case: Case, other: Case) -> str:
    """Return the median of :func:`ratios`, and the quartiles, in words."""
    low, median, high = ratios(seconds, case, other)
    return f'{median:.2f} ({low:.2f} to {high:.2f})'


def report_times(seconds: Seconds) -> str:
    """Return the table of times and of their ratios to torchvision's in float32."""
    rows = []
    for case, values in sorted(seconds.items(), key=lambda item: item[0][::-1]):
        low, median, high = map(format_ms, np.percentile(values, [25, 50, 75]))
        reference = Case(REFERENCE, 'float32', case[2])
        ratio = describe_ratio(seconds, case, reference) if reference in seconds else ''
        rows.append((*case, f'{median} ({low} to {high})', ratio))
    columns = ('model', 'dtype', 'people', 'ms (quartiles)', f'of {REFERENCE} float32')
    return format_table(columns, rows)


def report_per_person(seconds: Seconds) -> str:
    """Return the table of milliseconds for each further person, from 8 to 32.

    It is empty where either number was not measured.
    """
    rows = []
    for name, dtype, number in seconds:
        many, few = (seconds.get(Case(name, dtype, n), []) for n in (32, 8))
        if number == 8 and many:
            each = np.median([a - b for a, b in zip(many, few)]) / 24
            rows.append((name, dtype, f'{1000 * each:.1f}'))
    columns = ('model', 'dtype', 'ms for each further person, 8 to 32')
    return format_table(columns, rows) if rows else ''


def report_against_two_stage(seconds: Seconds) -> str:
    """Return one-stage against two-stage in the same precision: medians of ratios."""
    lines = []
    for case in seconds:
        other = Case('two-stage', *case[1:])
        if case[0] == 'gcm' and other in seconds:
            ratio = describe_ratio(seconds, case, other)
            lines.append(f'gcm of two-stage, {case[1]}, {case[2]} people: {ratio}')
    return '\n\n'.join(lines)


def report_stages(stages: dict[Case, dict[str, float]]) -> str:
    """Return the table of milliseconds by stage."""
    columns = list(dict.fromkeys(stage for parts in stages.values() for stage in parts))
    rows = [
        (*case, *(format_ms(parts[stage]) for stage in columns))
        for case, parts in stages.items()
    ]
    return 'ms by stage:\n\n' + format_table(
        ('model', 'dtype', 'people', *columns), rows
    )


def report_operators(operators: dict[Case, dict[str, float]]) -> str:
    """Return :func:`describe_operators` of each case."""
    return '\n\n'.join(
        describe_operators(case, spent) for case, spent in operators.items()
    )


def describe_operators(case: Case, spent: dict[str, float], number: int = 8) -> str:
    """Return what products of matrices take, and the costliest of all else, in ms.

    Args:
        case (Case): What was measured.
        spent (dict[str, float]): Seconds by operator.
        number (int): How many of the others are named.
    """
    products = sum(spent.get(name, 0) for name in PRODUCTS)
    rest = {name: value for name, value in spent.items() if name not in PRODUCTS}
    costliest = sorted(rest, key=rest.get, reverse=True)[:number]
    named = ', '.join(f'{name} {format_ms(rest[name])}' for name in costliest)
    return (
        f'{case[0]}, {case[1]}, {case[2]} people, ms by operator: convolutions and '
        f'products {format_ms(products)}, all else {format_ms(sum(rest.values()))}, '
        f'of which {named}'
    )


def report_medians(values: dict[Case, list[float]], columns: Sequence[str]) -> str:
    """Return the table of medians, with three digits."""
    rows = [(*case, f'{np.median(each):.3g}') for case, each in values.items()]
    return format_table(('model', 'dtype', *columns), rows)


def report_field(results: Results, name: str) -> str:
    """Return what is to be said about one field of the results, in Markdown.

    Args:
        results (Results): Perhaps incomplete.
        name (str): Name of the field.

    Returns:
        str: Paragraphs, empty where nothing was measured.
    """
    values = getattr(results, name)
    if not values:
        return ''
    if name == 'seconds':
        parts = (
            report_times(values),
            report_per_person(values),
            report_against_two_stage(values),
        )
        return '\n\n'.join(filter(None, parts))
    if name == 'stages':
        return report_stages(values)
    if name == 'operators':
        return report_operators(values)
    columns = {
        'throughput': ('batch size', 'throughput, images a second'),
        'training': ('people', 'training step, s'),
        'memory': ('people', 'peak memory, MiB'),
    }
    return report_medians(values, columns[name])


def report_all(results: Results, args: argparse.Namespace, note: str = '') -> str:
    """Return everything, in Markdown.

    Args:
        results (Results): Perhaps incomplete.
        args (argparse.Namespace): The command line.
        note (str): A paragraph that is put first.
    """
    sections = (
        report_field(results, field.name) for field in dataclasses.fields(results)
    )
    return '\n\n'.join(filter(None, (note, describe_run(args), *sections)))


def describe_run(args: argparse.Namespace) -> str:
    """Return the machine, the size of the image and the number of turns."""
    height, width = args.size
    return f'{describe_machine()}; an image of {height}x{width}, {args.repeat} turns'


def describe_machine() -> str:
    """Return the processor or GPU, the number of threads, and PyTorch's version."""
    name = platform.processor()
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                name = line.split(':', 1)[1].strip()
                break
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    of = f'{threads} threads of {os.cpu_count()} CPUs'
    return f'{name}, {of}, PyTorch {torch.__version__}'


def write_json(results: Results, path: Path) -> None:
    """Write all values by field and case; memory only where it was measured."""
    content = {
        field.name: {', '.join(map(str, case)): value for case, value in values.items()}
        for field in dataclasses.fields(results)
        if (values := getattr(results, field.name)) or field.name != 'memory'
    }
    path.write_text(json.dumps(content, indent=1))
