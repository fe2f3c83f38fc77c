# Copyright (c) onestage_pose contributors.
"""Find the name that was probably meant, for the messages of errors."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

#: Likeness from which on a name counts as misspelt, from 0 to 1, as ``difflib`` has it.
LIKENESS = 0.6
# Names of files share their endings, which makes them alike.
_LIKENESS_OF_FILES = 0.75

#: What other programs call the options; the first one that there is, is meant.
_THRESHOLDS = ('bbox_thr', 'score_thr')
_ELSEWHERE: dict[str, str | tuple[str, ...]] = {
    'conf': _THRESHOLDS,
    'conf_thres': _THRESHOLDS,
    'confidence': _THRESHOLDS,
    'score_thr': 'bbox_thr',
    'score_threshold': _THRESHOLDS,
    'thr': _THRESHOLDS,
    'thresh': _THRESHOLDS,
    'threshold': _THRESHOLDS,
    'det_score_thr': _THRESHOLDS,
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
    'output': ('out', 'out_dir'),
    'output_dir': ('out_dir', 'out'),
    'outdir': ('out_dir', 'out'),
    'gpu': 'device',
    'pretrained': 'model',
    'lr': 'cfg_options',
}


def find_similar(
    name: str, known: Iterable[str], number: int = 3, likeness: float = LIKENESS
) -> list[str]:
    """Find the names that are spelt like another one.

    Args:
        name (str): What was typed.
        known (Iterable[str]): The names there are.
        number (int): How many to return at most.
        likeness (float): The least likeness, from 0 (any) to 1 (equal).

    Returns:
        list[str]: The most similar one first; empty where none is similar enough.
    """
    return difflib.get_close_matches(name, list(known), n=number, cutoff=likeness)


def find_similar_options(name: str, known: Iterable[str]) -> list[str]:
    """Find the options of a prediction that were probably meant.

    Args:
        name (str): What was typed.
        known (Iterable[str]): The names there are.

    Returns:
        list[str]: What is meant by the name in other programs, where that is known;
        else as :func:`find_similar`.
    """
    known = list(known)
    likely = _ELSEWHERE.get(name, ())
    likely = (likely,) if isinstance(likely, str) else likely
    found = [each for each in likely if each in known]
    return found[:1] or find_similar(name, known)


def did_you_mean(name: str, known: Iterable[str], likeness: float = LIKENESS) -> str:
    """Return a sentence with the similar names, to be put after an error message.

    Args:
        name (str): What was typed.
        known (Iterable[str]): The names there are.
        likeness (float): As in :func:`find_similar`.

    Returns:
        str: ``' Did you mean a or b?'`` with a leading space, or an empty string.
    """
    similar = find_similar(name, known, likeness=likeness)
    return f' Did you mean {" or ".join(similar)}?' if similar else ''


def suggest_path(path: str | Path) -> str:
    """Return a sentence with the files whose names are like a missing file's.

    Args:
        path (str | Path): A path that does not exist.

    Returns:
        str: As :func:`did_you_mean`, or that the folder does not exist either.
    """
    folder, name = os.path.split(os.path.abspath(os.path.expanduser(path)))
    if not os.path.isdir(folder):
        return f' Its folder {folder} does not exist either.'
    return did_you_mean(name, os.listdir(folder), _LIKENESS_OF_FILES)


def quote_names(names: Iterable[str]) -> str:
    """Return names as ```a` or `b```."""
    return ' or '.join(f'`{name}`' for name in names)
