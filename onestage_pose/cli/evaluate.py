# Copyright (c) onestage_pose contributors.
"""Evaluate a model or results on a COCO keypoint file, and report their errors."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..apis.building import find_model
from ..apis.predictor import PosePredictor
from ..data_tools.evaluation import evaluate
from ..evaluation.analysis.errors import KINDS
from ..evaluation.analysis.summary import percent
from ..evaluation.analysis.without import PEOPLE_KINDS
from ..evaluation.ground_truth import name_of_category
from ..utils.errors import UsageError
from ..zoo.digest import compute_hash
from .evaluate_outputs import get_evaluate_outputs
from .files import count
from .progress import track
from .tables import format_table


def run(args: argparse.Namespace) -> None:
    """Evaluate, which logs a summary, and write what is asked for.

    Raises:
        UsageError: Something that was typed cannot be used.
        AnnotationError: The annotations or the results break their schema.
    """
    predictor, source = None, {}
    if args.results is None:
        predictor, source = _build_predictor(args)
    elif (args.config, args.save_results, args.num_images) != (None, None, None):
        raise UsageError(
            '--results evaluates a file of results: leave the model, --save-results '
            'and --num-images out.'
        )
    else:
        source = dict(results=args.results.name)
    found = evaluate(
        args.ann_file,
        predictor,
        args.results,
        images=args.images,
        metainfo=args.metainfo,
        html_file=args.html,
        json_file=args.json,
        results_file=args.save_results,
        score_thr=args.score_thr,
        num_cases=args.cases,
        num_images=args.num_images,
        source=source,
        track=track,
    )
    analyses = found if isinstance(found, dict) else {}
    if args.markdown is not None:
        parts = [
            f'## {name}\n\n{_make_table(each.values)}'
            for name, each in analyses.items()
        ]
        args.markdown.write_text(
            '\n'.join(parts) if parts else _make_table(found.values)
        )
    written = list(get_evaluate_outputs(args).values())
    for path in (args.html, args.json):
        if analyses and path is not None:
            written.remove(path)
            written += [name_of_category(str(path), name) for name in analyses]
    print(f'Written: {", ".join(map(str, written))}')


def _make_table(values: Mapping) -> str:
    return f'{format_table(("what", "value"), list_numbers(values))}\n'


def list_numbers(values: Mapping) -> Iterator[tuple[str, str]]:
    """Yield the rows of a table of the most important numbers.

    Args:
        values (Mapping): Of an :class:`onestage_pose.evaluation.analysis.Analysis`.

    Yields:
        What a number is, and the number; shares and AP in percent.
    """
    yield from ((name, str(value)) for name, value in values['source'].items())
    whole, people = values['average_precision'], values['people']
    *keypoints, everything = values['per_keypoint']
    yield 'people with keypoints', str(people['true'])
    yield (
        'keypoint AP, AP50, AP75, AR',
        ', '.join(percent(whole[key]) for key in ('AP', 'AP50', 'AP75', 'AR')),
    )
    for share, value in everything['PCK'].items():
        of_all = percent(everything['PCK_of_all'][share])
        yield (
            f'PCK at {share}: detected people (all people)',
            f'{percent(value)} ({of_all})',
        )
    counts = values['keypoint_errors']
    total = max(1, counts['labelled'])
    yield 'good keypoints of detected people', percent(counts['good'] / total)
    for kind in KINDS:
        share, without = counts[kind] / total, values['without'][kind]
        yield (
            f'{kind}: share of keypoints; AP without it (as in the paper)',
            f'{percent(share)}; {percent(without["AP"])} '
            f'({percent(without["AP_paper"])})',
        )
    threshold = people['score_thr']
    for kind in PEOPLE_KINDS:
        number = percent(values['without'][kind]['AP'])
        what = f'{kind}: AP without'
        if kind == 'missed people':
            what = f'{kind}: number; AP without'
            number = f'{people["missed"]}; {number}'
        elif kind != 'ranking':
            key = kind.split()[0]
            what = f'{kind}: number, over a score of {threshold}; AP without'
            number = f'{people[key]}, {people[f"{key}_over_score_thr"]}; {number}'
        yield what, number
    for group, rows in values['recall'].items():
        for row in rows:
            number = count(row['number'], 'person', 'people')
            yield (
                f'recall by {group}, {row["group"]} ({number})',
                percent(row['recall']),
            )
    for key, calibration in values['calibration'].items():
        error = '-' if calibration is None else f'{calibration["error"]:.3f}'
        yield f'calibration error of {key}', error
    for row in keypoints:
        median = row['median_px']
        distance = '-' if median is None else f'{median:.1f} px'
        yield f'{row["name"]}: AP; median distance', f'{percent(row["AP"])}; {distance}'


def _build_predictor(args: argparse.Namespace) -> tuple[PosePredictor, dict]:
    if args.config is None and args.checkpoint is None:
        print('No model and no --results given: evaluating nano.')
    config, checkpoint = find_model(args.config or 'nano', args.checkpoint)
    predictor = PosePredictor(
        config,
        checkpoint,
        device=args.device,
        batch_size=args.batch_size,
        bbox_thr=0.0,
        flip_test=True if args.flip_test else None,
        cfg_options=args.cfg_options,
        keep_images=False,
    )
    name = args.config or 'nano'
    source = dict(model=Path(name).stem, checkpoint=Path(checkpoint).name)
    if '://' not in checkpoint:
        source['SHA-256'] = compute_hash(Path(checkpoint))[:8]
    if args.flip_test:
        source['flip test'] = 'yes'
    return predictor, source
