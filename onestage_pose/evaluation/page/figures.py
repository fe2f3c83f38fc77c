# Copyright (c) onestage_pose contributors.
"""The figures of the page, as SVG that takes the colour of the page's text."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..analysis.errors import KINDS
from ..analysis.without import PEOPLE_KINDS

#: What each kind of error is drawn in, on light and on dark.
COLORS = {
    'jitter': '#4e9fd1',
    'inversion': '#d1749a',
    'swap': '#c9a227',
    'miss': '#d1603d',
}
_BAR = '#5b8def'
# Stands for the text's colour until the SVG is written; nothing else has it.
_TEXT = '#010203'
_WIDTH = 5.0  # inches; the page scales it
_STYLE = {
    'svg.fonttype': 'none',  # text stays text
    'svg.hashsalt': 'onestage_pose',
    'font.size': 9,
    'text.color': _TEXT,
    'axes.labelcolor': _TEXT,
    'axes.edgecolor': _TEXT,
    'xtick.color': _TEXT,
    'ytick.color': _TEXT,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'legend.frameon': False,
}


def draw_without(values: Mapping) -> str:
    """Draw AP as it is and without each kind of error, as SVG."""
    kinds = (*KINDS, *PEOPLE_KINDS)
    base = 100 * max(0, values['average_precision']['AP'])
    gains = [100 * max(0, values['without'][kind]['AP']) - base for kind in kinds]
    with rc_context(_STYLE):
        figure, axes = _new(2.9)
        axes.barh(range(len(kinds)), [base] * len(kinds), color='#8888884d')
        axes.barh(range(len(kinds)), gains, left=base, color=_BAR)
        axes.set_yticks(range(len(kinds)), kinds)
        axes.invert_yaxis()
        for place, gain in enumerate(gains):
            end = base + max(gain, 0)
            axes.text(end + 0.8, place, f'{gain:+.1f}', va='center')
        axes.set_xlim(0, min(115, 1.15 * (base + max([0, *gains])) + 5))
        axes.set_xlabel(f'keypoint AP without it (now {base:.1f})')
        return _svg(figure, 'Keypoint AP without each kind of error')


def draw_keypoint_errors(rows: Sequence[Mapping]) -> str:
    """Draw which share of each keypoint has which error, as SVG."""
    rows = [row for row in rows if row['number']]
    with rc_context(_STYLE):
        figure, axes = _new(0.9 + 0.2 * max(1, len(rows)))
        left = [0.0] * len(rows)
        for kind in KINDS:
            shares = [100 * row['errors'][kind] / row['number'] for row in rows]
            axes.barh(
                range(len(rows)), shares, left=left, color=COLORS[kind], label=kind
            )
            left = [start + share for start, share in zip(left, shares)]
        axes.set_yticks(range(len(rows)), [row['name'] for row in rows])
        axes.invert_yaxis()
        axes.set_xlabel('% of labelled keypoints of detected people')
        axes.legend(ncols=4, loc='lower center', bbox_to_anchor=(0.5, 1))
        return _svg(figure, 'Kinds of errors of each keypoint')


def draw_calibration(calibration: Mapping) -> str:
    """Draw scores beside the share that is right, as SVG."""
    names = {'bbox_scores': 'people', 'keypoint_scores': 'keypoints'}
    curves = {name: calibration[key] for key, name in names.items()}
    return draw_reliability(curves, 'score', 'share that is right')


def draw_reliability(
    curves: Mapping[str, Mapping | None], said: str, happened: str
) -> str:
    """Draw what is said beside the share that comes true, as SVG.

    Args:
        curves (Mapping[str, Mapping | None]): By label, as
            :func:`~onestage_pose.evaluation.analysis.calibration.measure_calibration`
            gives them; None is left out.
        said (str): Label of the horizontal axis.
        happened (str): Label of the vertical axis.
    """
    curves = {name: each for name, each in curves.items() if each is not None}
    with rc_context(_STYLE):
        figure, axes = _new(3.4)
        axes.plot([0, 1], [0, 1], color='#888888', linestyle=':', linewidth=1)
        for color, (name, values) in zip((_BAR, *COLORS.values()), curves.items()):
            axes.plot(
                [each['score'] for each in values['curve']],
                [each['right'] for each in values['curve']],
                marker='o',
                markersize=4,
                color=color,
                label=f'{name}: mean distance {values["error"]:.2f}',
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=said, ylabel=happened)
        if curves:
            axes.legend(loc='upper left')
        return _svg(figure, f'{said} and {happened}'.capitalize())


def draw_recall(recall: Mapping[str, Sequence[Mapping]]) -> str:
    """Draw recall by groups of people, as SVG."""
    rows = [
        (group, row) for group, rows in recall.items() for row in rows if row['number']
    ]
    with rc_context(_STYLE):
        figure, axes = _new(0.7 + 0.24 * max(1, len(rows)))
        places = range(len(rows))
        found = [100 * row['recall'] for _, row in rows]
        axes.barh(places, found, color='#8888884d', label='found (OKS 0.5)')
        means = [100 * row['AR'] for _, row in rows]
        axes.barh(places, means, height=0.45, color=_BAR, label='AR (OKS 0.5 to 0.95)')
        labels = [f'{row["group"]} ({row["number"]})' for _, row in rows]
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        for place in places[1:]:
            if rows[place][0] != rows[place - 1][0]:
                axes.axhline(place - 0.5, color='#888888', linewidth=0.5)
        axes.set_xlim(0, 100)
        axes.set_xlabel('% of people: by size, by crowding, by labelled keypoints')
        axes.legend(ncols=2, loc='lower center', bbox_to_anchor=(0.4, 1))
        return _svg(figure, 'Recall by size, crowding and labelled keypoints')


def _new(height: float) -> tuple:
    figure = Figure(figsize=(_WIDTH, height), layout='constrained')
    return figure, figure.add_subplot()


def _svg(figure: Figure, label: str) -> str:
    text = io.StringIO()
    # Without a date, so that the same numbers give the same page.
    figure.savefig(text, format='svg', transparent=True, metadata=dict(Date=None))
    svg = text.getvalue()
    svg = svg[svg.index('<svg') :].replace(_TEXT, 'currentColor')
    return svg.replace('<svg ', f'<svg role="img" aria-label="{label}" ', 1)
