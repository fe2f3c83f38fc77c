# Copyright (c) onestage_pose contributors.
"""The report in some lines of text, for a terminal and a log."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import KINDS
from .without import PEOPLE_KINDS


def summarize(values: Mapping) -> str:
    """Summarise an analysis in five lines of text.

    Args:
        values (Mapping): ``values`` of an :class:`Analysis`.

    Returns:
        str: Without a newline at the end.
    """
    whole = values['average_precision']
    people, errors = values['people'], values['keypoint_errors']
    everything = values['per_keypoint'][-1]
    total = max(1, errors['labelled'])
    kinds = ', '.join(f'{kind} {errors[kind] / total:.1%}' for kind in KINDS)
    gains = ', '.join(
        f'{kind} {percent(values["without"][kind]["AP"])}'
        for kind in (*KINDS, *PEOPLE_KINDS)
    )
    pck = ', '.join(
        f'{share}: {"-" if value is None else f"{value:.1%}"}'
        for share, value in everything['PCK'].items()
    )
    threshold = people['score_thr']
    return '\n'.join(
        [
            f'Keypoint AP {percent(whole["AP"])}, AP50 {percent(whole["AP50"])}, '
            f'AP75 {percent(whole["AP75"])}, AR {percent(whole["AR"])}',
            f'PCK of detected people, {pck}',
            f'Keypoints of detected people: good {errors["good"] / total:.1%}, {kinds}',
            f'People: {people["true"]} annotated, {people["missed"]} missed; '
            f'{people["false"]} false ({people["false_over_score_thr"]} over a score '
            f'of {threshold}), {people["doubles"]} doubles '
            f'({people["doubles_over_score_thr"]})',
            f'Keypoint AP without: {gains}',
        ]
    )


def percent(value: float | None) -> str:
    """Write a share as COCO's AP is written: ``'40.0'``, ``'-'`` for none."""
    return '-' if value is None or value < 0 else f'{100 * value:.1f}'
