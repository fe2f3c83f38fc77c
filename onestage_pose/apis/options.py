# Copyright (c) onestage_pose contributors.
"""Refuse options that nobody knows, with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from ..utils.errors import UsageError
from ..utils.suggestions import did_you_mean

#: What other programs call the options.
_ELSEWHERE = {
    'conf': 'bbox_thr',
    'conf_thres': 'bbox_thr',
    'confidence': 'bbox_thr',
    'score_thr': 'bbox_thr',
    'score_threshold': 'bbox_thr',
    'threshold': 'bbox_thr',
    'det_score_thr': 'bbox_thr',
    'kpt_thres': 'kpt_thr',
    'kpt_threshold': 'kpt_thr',
    'batch': 'batch_size',
    'line_width': 'thickness',
    'kpt_radius': 'radius',
    'boxes': 'draw_bbox',
    'weights': 'checkpoint',
    'workers': 'num_threads',
    'num_workers': 'num_threads',
    'augment': 'flip_test',
    'vid_stride': 'frame_step',
}


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise where an option is not known.

    Args:
        given (Iterable[str]): The names of what was given.
        known (Iterable[str]): The names that mean something.
        where (str): What they were given to, for the message.

    Raises:
        UsageError: Names the option, the likely one and all that there are.
    """
    known = sorted(known)
    for name in given:
        if name in known:
            continue
        likely = _ELSEWHERE.get(name)
        hint = did_you_mean(name, known)
        if likely in known:
            hint = f' Did you mean {likely}?'
        raise UsageError(
            f'{where} has no option {name!r}.{hint} Its options: {", ".join(known)}.'
        )
