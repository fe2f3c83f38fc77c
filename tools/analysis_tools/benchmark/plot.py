# Copyright (c) onestage_pose contributors.
"""Plot times against the number of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .models import TIMED_MODELS
from .timing import Case


def plot_times(seconds: dict[Case, list[float]], path: Path) -> None:
    """Write a figure of the median milliseconds against the number of people.

    Args:
        seconds (dict[Case, list[float]]): Of predictions, at least one.
        path (Path): Of the image.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    colours = {name: f'C{i}' for i, name in enumerate(TIMED_MODELS)}
    for name, dtype in dict.fromkeys(case[:2] for case in seconds):
        numbers = sorted(case[2] for case in seconds if case[:2] == (name, dtype))
        medians = [1000 * np.median(seconds[(name, dtype, n)]) for n in numbers]
        style = '-' if dtype == 'float32' else '--'
        label = f'{name}, {dtype}'
        axes.plot(numbers, medians, style, c=colours[name], marker='o', label=label)
    axes.set(xlabel='people', ylabel='ms', ylim=(0, None))
    axes.legend(fontsize=8, handlelength=3.5, loc='upper left', bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
