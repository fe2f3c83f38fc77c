# Copyright (c) onestage_pose contributors.
"""The numbers on the pages, from the files that the tools wrote.

``docs/data/*.json`` hold what was measured, each with command, machine and date.

    python docs/measured.py

puts them into README.md and the pages of the documentation: tables between lines
``<!-- model_table -->`` and ``<!-- /model_table -->``, numbers between ``<!--
nano.keypoint_ap -->`` and ``<!-- / -->``. ``make docs`` does it, and a test fails where
a page differs from the data. After a new ``nano`` is published, one command changes
the data, every page and the table of models:

    python docs/measured.py --nano-test TEST.json --nano-evaluation EVALUATION.json

TEST.json comes from ``tools/test.py nano --out TEST.json --cfg-options
model.test_cfg.output_covariances=True``, EVALUATION.json from ``onestage-pose evaluate
ANN_FILE nano --json EVALUATION.json``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
DATA = DOCS / 'data'
README = ROOT / 'README.md'
R50 = 'keypoint-rcnn_r50_fpn_3x_coco'
ZOO = ROOT / 'onestage_pose/zoo/models.json'


def read(name: str) -> dict:
    """Read ``docs/data/NAME.json``."""
    return json.loads((DATA / f'{name}.json').read_text(encoding='utf-8'))


def table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table in Markdown."""
    lines = [heading, ['---'] * len(heading), *rows]
    return '\n'.join(f'| {" | ".join(map(str, line))} |' for line in lines)


def percent(value: float, digits: int = 1) -> str:
    """Write a share in percent: ``'41.9'``."""
    return f'{100 * value:.{digits}f}'


def substitutions() -> dict[str, Any]:
    """Return what a page may have, by name: tables, and numbers by two names."""
    nano, benchmark = read('nano'), read('benchmark')
    tracking, serving, ablation = read('tracking'), read('serving'), read('ablation')
    return dict(
        nano=nano_numbers(nano),
        nano_source=source(nano, 'test'),
        nano_table=nano_table(nano),
        evaluation_source=source(nano, 'evaluation'),
        evaluation_table=evaluation_table(nano['evaluation']),
        threshold_table=threshold_table(nano['evaluation']['people']),
        keypoint_errors_table=keypoint_errors_table(nano['evaluation']),
        calibration_table=calibration_table(nano['evaluation']),
        visibility_table=visibility_table(nano),
        model_table=model_table(),
        readme_table=readme_table(),
        benchmark_table=benchmark_table(benchmark),
        benchmark_source=source(benchmark, 'table'),
        busy_source=source(benchmark['busy'], 'busy'),
        targets_table=targets_table(benchmark),
        speed=speed_numbers(benchmark),
        cpu=dict(seconds_r50=read('cpu_seconds')['of'][R50]['seconds']),
        bulk_table=bulk_table(read('bulk')),
        bulk_source=source(read('bulk'), 'ratios'),
        tracking_table=tracking_table(tracking),
        tracking_source=source(tracking, 'tracking'),
        tiles_table=tiles_table(tracking),
        tiles_source=source(tracking, 'tiles'),
        ablation=ablation_numbers(ablation['runs']),
        ablation_table=ablation_table(ablation['runs']),
        ablation_source=source(ablation, 'test'),
        serving=serving_numbers(serving),
        serving_table=serving_table(serving),
        serving_source=source(serving, 'load'),
        serving_memory_source=source(serving, 'memory'),
        float16=float16_numbers(read('onnx_weights')),
        float16_source=source(read('onnx_weights'), 'weights'),
    )


def tracking_table(tracking: dict) -> str:
    """Write who is who and how keypoints shake, with and without tracking."""
    figures = tracking['tracking']['figures']
    columns = dict(
        HOTA='HOTA',
        IDF1='IDF1',
        switches='switches',
        fragmentations='fragmentations',
        recall='recall',
        precision='precision',
        shake='shake',
        error='error',
        lag='lag (ms)',
    )
    whole = ('switches', 'fragmentations')
    return table(
        ['', *columns.values()],
        [
            [way, *(f'{row[key]:.{0 if key in whole else 1}f}' for key in columns)]
            for way, row in figures.items()
        ],
    )


def mean_of(rows: Iterable[dict], key: str) -> float:
    """Return the mean of a number that each row has."""
    return statistics.mean(row[key] for row in rows)


def ablation_table(runs: dict) -> str:
    """Write AP of the steps of the method: means of the seeds, and each seed's AP."""
    columns = {
        'coco/AP .5': 'AP50',
        'coco/AP .75': 'AP75',
        'coco/AP (M)': 'AP M',
        'coco/AP (L)': 'AP L',
        'bbox/AP': 'box AP',
    }

    return table(
        ['model', 'keypoint AP: mean (each seed)', *columns.values()],
        [
            [
                name,
                f'{percent(mean_of(seeds, "coco/AP"))} '
                f'({", ".join(percent(each["coco/AP"]) for each in seeds)})',
                *(percent(mean_of(seeds, key)) for key in columns),
            ]
            for name, seeds in runs.items()
        ],
    )


def ablation_numbers(runs: dict) -> dict[str, str]:
    """Return mean AP of steps of the method, and by how much P2 alone raises it."""
    plain, p2, _, full = (mean_of(seeds, 'coco/AP') for seeds in runs.values())
    return dict(
        plain=percent(plain),
        p2=percent(p2),
        full=percent(full),
        p2_gain=percent(p2 - plain),
    )


def tiles_table(tracking: dict) -> str:
    """Write COCO's figures of whole images and of tiles."""
    figures = tracking['tiles']['figures']
    columns = list(next(iter(figures.values())))
    return table(
        ['', *columns],
        [
            [way, *(f'{row[key]:.1f}' for key in columns)]
            for way, row in figures.items()
        ],
    )


def source(data: dict, part: str) -> str:
    """Write where numbers come from: command, machine, date."""
    return f'`{data["commands"][part]}`; {data["machine"]}; {data["date"]}.'


def nano_numbers(nano: dict) -> dict[str, str]:
    """Return the numbers of ``nano`` that stand in sentences."""
    test, found = nano['test'], nano['evaluation']
    errors, without, people = (
        found['keypoint_errors'],
        found['without'],
        found['people'],
    )
    ap = found['average_precision']['AP']
    numbers = dict(
        keypoint_ap=percent(test['coco/AP']),
        ap50=percent(test['coco/AP .5']),
        ap75=percent(test['coco/AP .75']),
        ap_medium=percent(test['coco/AP (M)']),
        ap_large=percent(test['coco/AP (L)']),
        box_ap=percent(test['bbox/AP']),
        box_ap_small=percent(test['bbox/AP (S)']),
        ap_with_right_keypoints=percent(without['keypoints']['AP']),
        missed=str(people['missed']),
        false=str(people['false_over_score_thr']),
        doubles=str(people['doubles_over_score_thr']),
        right=str(people['matched_over_score_thr']),
        people=str(people['true']),
        images=str(people['images']),
        matched=f'{test["keypoint/people/number"]:.0f}',
        presence_auroc=f'{test["keypoint/presence/AUROC"]:.3f}',
        presence_ece=f'{test["keypoint/presence/ECE"]:.3f}',
        inside_90=percent(test['keypoint/position/inside 90%'], 0),
        **nano['model'],
    )
    for kind in ('jitter', 'inversion', 'swap', 'miss'):
        numbers[kind] = percent(errors[kind] / errors['labelled'])
        numbers[f'gain_{kind}'] = percent(without[kind]['AP'] - ap)
    for group, name, key in (
        ('labelled keypoints', '16 to 17', 'recall_of_whole'),
        ('labelled keypoints', '1 to 5', 'recall_of_parts'),
        ('size', '32 to 96 px', 'recall_of_small'),
        ('crowding', '1 or 2', 'recall_in_crowds'),
    ):
        [row] = [row for row in found['recall'][group] if row['group'] == name]
        numbers[key] = percent(row['recall'], 0)
    for kind in ('doubles', 'false people', 'missed people', 'ranking'):
        numbers[f'gain_{kind.split()[0]}'] = percent(without[kind]['AP'] - ap)
    return numbers


def nano_table(nano: dict) -> str:
    """Write the row of ``nano`` with every AP."""
    numbers = nano_numbers(nano)
    names = ('keypoint_ap', 'ap50', 'ap75', 'ap_medium', 'ap_large', 'box_ap')
    return table(
        ['keypoint AP', 'AP50', 'AP75', 'AP M', 'AP L', 'box AP'],
        [[numbers[name] for name in names]],
    )


def threshold_table(people: dict) -> str:
    """Write who is left with a threshold of the score."""
    return table(
        ['`bbox_thr`', 'annotated people found', 'false people', 'doubles'],
        [
            [
                row['score_thr'],
                f'{row["matched"]} of {people["true"]}',
                row['false'],
                row['doubles'],
            ]
            for row in people['by_score_thr']
            if 0.2 <= row['score_thr'] <= 0.7
        ],
    )


def evaluation_table(found: dict) -> str:
    """Write the numbers of a report, in percent."""
    errors, without, people = (
        found['keypoint_errors'],
        found['without'],
        found['people'],
    )
    *keypoints, everything = found['per_keypoint']
    whole = found['average_precision']
    rows = [
        ['keypoint AP', percent(whole['AP'])],
        [
            'AP50, AP75, AR',
            ', '.join(percent(whole[k]) for k in ('AP50', 'AP75', 'AR')),
        ],
        ['good keypoints', f'{percent(errors["good"] / errors["labelled"])}%'],
    ]
    rows += [
        [
            f'PCK at {share}: detected people (all people)',
            f'{percent(value)} ({percent(everything["PCK_of_all"][share])})',
        ]
        for share, value in everything['PCK'].items()
    ]
    rows += [
        [
            f'{kind}: share of keypoints; AP without it (as in the paper)',
            f'{percent(errors[kind] / errors["labelled"])}%; '
            f'{percent(without[kind]["AP"])} ({percent(without[kind]["AP_paper"])})',
        ]
        for kind in ('jitter', 'inversion', 'swap', 'miss')
    ]
    for kind in ('doubles', 'false people'):
        key = kind.split()[0]
        rows.append(
            [
                f'{kind}: number, with a score over {people["score_thr"]}; AP without',
                f'{people[key]}, {people[f"{key}_over_score_thr"]}; '
                f'{percent(without[kind]["AP"])}',
            ]
        )
    rows += [
        [
            'missed people: number; AP without',
            f'{people["missed"]}; {percent(without["missed people"]["AP"])}',
        ],
        ['perfect ranking: AP', percent(without['ranking']['AP'])],
    ]
    rows += [
        [
            f'recall by {group}: {row["group"]} ({row["number"]} people)',
            percent(row['recall']),
        ]
        for group, parts in found['recall'].items()
        for row in parts
    ]
    rows += [
        [f'calibration error of `{key}`', f'{value["error"]:.3f}']
        for key, value in found['calibration'].items()
    ]
    rows += [
        [
            f'{row["name"]}: AP; median distance',
            f'{percent(row["AP"])}; {row["median_px"]:.1f} px',
        ]
        for row in keypoints
    ]
    return table(['what', 'value'], rows)


def keypoint_errors_table(found: dict) -> str:
    """Write the shares of the kinds of errors of each keypoint, in percent."""
    kinds = ('jitter', 'inversion', 'swap', 'miss')
    return table(
        ['keypoint', *kinds, 'PCK at 0.1'],
        [
            [
                row['name'].replace('_', ' '),
                *(percent(row['errors'][kind] / row['number'], 0) for kind in kinds),
                percent(row['PCK']['0.1'], 0),
            ]
            for row in found['per_keypoint'][:-1]
        ],
    )


def calibration_table(found: dict) -> str:
    """Write how often people of a score are right, in percent."""
    curve = found['calibration']['bbox_scores']['curve']
    return table(
        ['people with a score around', *(f'{point["score"]:.2f}' for point in curve)],
        [['are right in', *(f'{percent(point["right"], 0)}%' for point in curve)]],
    )


def visibility_table(nano: dict) -> str:
    """Write what ``KeypointVisibilityMetric`` measured, beside what was aimed at."""
    test = {
        name.removeprefix('keypoint/'): value for name, value in nano['test'].items()
    }

    def three(name: str) -> str:
        return f'{test[name]:.3f}'

    return table(
        ['what', '`nano`', '`keypoint_scores` instead', 'target'],
        [
            [
                'presence: area under the ROC curve',
                three('presence/AUROC'),
                three('presence/score AUROC'),
                '0.90',
            ],
            [
                'presence: expected calibration error',
                three('presence/ECE'),
                three('presence/score ECE'),
                '0.05',
            ],
            [
                'presence: average precision, Brier score',
                f'{three("presence/AP")}, {three("presence/Brier")}',
                '',
                '',
            ],
            [
                'visibility: area under the ROC curve',
                three('visibility/AUROC'),
                '',
                '0.75',
            ],
            ['visibility: expected calibration error', three('visibility/ECE'), '', ''],
            [
                'visibility: average precision, Brier score',
                f'{three("visibility/AP")}, {three("visibility/Brier")}',
                '',
                '',
            ],
            [
                'keypoints inside the 50% ellipse',
                f'{percent(test["position/inside 50%"], 0)}%',
                '',
                '',
            ],
            [
                'keypoints inside the 90% ellipse',
                f'{percent(test["position/inside 90%"], 0)}%',
                '',
                '85% to 95%',
            ],
            [
                'Ex-OKS; if every keypoint were placed; OKS',
                f'{three("people/Ex-OKS")}; {three("people/Ex-OKS without")}; '
                f'{three("people/OKS")}',
                '',
                '',
            ],
        ],
    )


def model_table() -> str:
    """Write the published models with their accuracy, as the program lists them."""
    models = json.loads(ZOO.read_text(encoding='utf-8'))
    return table(
        ['name', 'keypoint AP', 'box AP', 'on COCO', 'trained by', 'licence'],
        [
            [
                f'`{name}`',
                model['keypoint_ap'],
                model['box_ap'],
                model['evaluated_on'].replace('COCO ', ''),
                model['origin'],
                # the pages say below what the code's or the data's licence is
                re.sub(r'(; data| for the weights).*', '', model['licence']),
            ]
            for name, model in models.items()
        ],
    )


def readme_table() -> str:
    """Write the models of README.md: accuracy, and seconds an image on a CPU."""
    models = json.loads(ZOO.read_text(encoding='utf-8'))
    seconds = {name: row['seconds'] for name, row in read('cpu_seconds')['of'].items()}
    seconds['nano'] = read('nano')['model']['seconds']
    return table(
        ['name', 'keypoint AP', 'box AP', 'on COCO', 'trained by', 's an image'],
        [
            [
                f'`{name}`',
                model['keypoint_ap'],
                model['box_ap'],
                model['evaluated_on'].replace('COCO ', ''),
                model['origin'],
                seconds.get(name, ''),
            ]
            for name, model in models.items()
            if 'legacy' not in name
        ],
    )


def speed_numbers(benchmark: dict) -> dict[str, str]:
    """Return ratios that stand in sentences: ``speed.gcm_float32_8``."""
    numbers = {}
    for row in benchmark['table']:
        name = re.sub(r'\W+', '_', row['model'])
        key = f'{name}_{row["dtype"]}_{row["people"]}'
        numbers[key] = f'{row["of_torchvision"][0]:.2f}'
    busy = benchmark['busy']
    numbers |= dict(gcm_busy=busy['ratio'], gcm_busy_quartiles=busy['quartiles'])
    return numbers | benchmark['ratios']


def bulk_table(bulk: dict) -> str:
    """Write how ways to process many images compare: medians of rounds, and ranges."""
    return table(
        ['throughput', 'median', 'range'],
        [
            [
                name,
                f'{bulk["median_ratios"][name]:.2f}',
                f'{min(ratios):.2f} to {max(ratios):.2f}',
            ]
            for name, ratios in bulk['ratios'].items()
        ],
    )


def serving_table(serving: dict) -> str:
    """Write throughput and times to an answer of the server, by batch size."""
    first, *_ = serving['load']['by_batch_size'].values()
    rate = statistics.mean(first['images_a_second'])
    return table(
        ['`--batch-size`', 'throughput', 'mean batch', 'p50 (s)', 'p99 (s)'],
        [
            [
                size,
                f'{statistics.mean(row["images_a_second"]) / rate:.2f}',
                f'{row["mean_batch"]:.1f}',
                f'{row["p50_seconds"]:.1f}',
                f'{row["p99_seconds"]:.1f}',
            ]
            for size, row in serving['load']['by_batch_size'].items()
        ],
    )


def serving_numbers(serving: dict) -> dict[str, str]:
    """Return the numbers of the server that stand in sentences."""
    hanging, memory = serving['hanging'], serving['memory']
    malformed = serving['malformed']
    slower = hanging['seconds_meanwhile'] / hanging['seconds_before']
    return dict(
        concurrency=str(serving['load']['concurrency']),
        ratios=' and '.join(
            f'{ratio:.2f}' for ratio in next(iter(serving['load']['ratios'].values()))
        ),
        malformed=str(malformed['requests']),
        statuses=', '.join(
            f'{number} times {status}'
            for status, number in malformed['by_status'].items()
        ),
        hanging=str(hanging['connections']),
        slower=f'{slower:.2f}',
        stopped=f'{serving["stop"]["answered"]} of {serving["stop"]["requests"]}',
        memory_requests=f'{memory["requests"]:,}',
        memory_tenth=f'{memory["after_a_tenth_mb"]:.1f}',
        memory_end=f'{memory["in_the_end_mb"]:.1f}',
    )


def float16_numbers(found: dict) -> dict[str, str]:
    """Return what float16 weights change in a graph, for sentences."""
    half, whole = found['weights']['float16'], found['weights']['float32']
    return dict(
        megabytes=f'{half["megabytes"]:.1f}',
        megabytes_of_float32=f'{whole["megabytes"]:.1f}',
        images=str(found['images']),
        people=str(half['people']),
        other_people=str(half['other_people']),
        box=f'{half["largest_box_px"]:.3f}',
        median_keypoint=f'{half["median_keypoint_px"]:.3f}',
        keypoint=f'{half["largest_keypoint_px"]:.1f}',
    )


def benchmark_table(benchmark: dict) -> str:
    """Write the benchmark: medians and quartiles, and ratios to torchvision."""

    def spread(values: Sequence[float], digits: int) -> str:
        middle, low, high = (f'{value:.{digits}f}' for value in values)
        return f'{middle} ({low} to {high})'

    return table(
        ['model', 'dtype', 'people', 'ms (quartiles)', 'of torchvision float32'],
        [
            [
                row['model'],
                row['dtype'],
                row['people'],
                spread(row['ms'], 0),
                spread(row['of_torchvision'], 2),
            ]
            for row in benchmark['table']
        ],
    )


def targets_table(benchmark: dict) -> str:
    """Write what was aimed at and what was reached."""
    return table(
        ['what', 'target', 'AVX-512 and AMX', 'AVX2 alone, an earlier version'],
        [
            [row['what'], row['target'], row['avx512'], row['avx2']]
            for row in benchmark['targets']
        ],
    )


def pages() -> list[Path]:
    """Return the pages that may have numbers."""
    found = [path for path in DOCS.rglob('*.md') if '_build' not in path.parts]
    return [README, *sorted(found)]


def fill(text: str, values: dict[str, Any] | None = None) -> str:
    """Return a page of Markdown with its numbers as the data have them.

    Args:
        text (str): Tables stand between lines ``<!-- NAME -->`` and ``<!-- /NAME -->``,
            numbers between ``<!-- NAME.PART -->`` and ``<!-- / -->`` in a line.
        values (dict | None): Of :func:`substitutions`.

    Raises:
        ValueError: A name is unknown, an end is missing, or a line starts with a
            number, which Markdown would take for HTML.
    """
    values = substitutions() if values is None else values

    def look_up(name: str) -> str:
        value = values
        for part in name.split('.'):
            if not isinstance(value, dict) or part not in value:
                raise ValueError(f'docs/data has no number {name}')
            value = value[part]
        return value

    def insert_table(match: re.Match) -> str:
        name = match[1]
        return f'<!-- {name} -->\n{look_up(name)}\n<!-- /{name} -->'

    def insert(match: re.Match) -> str:
        return f'<!-- {match[1]} -->{look_up(match[1])}<!-- / -->'

    text = re.sub(r'(?ms)^<!-- (\w+) -->$.*?^<!-- /\1 -->$', insert_table, text)
    number = r'<!-- ([\w.]+) -->[^\n]*?<!-- / -->'
    text = re.sub(number, insert, text)
    first = re.search(rf'(?m)^[ >*-]*{number}', text)
    if first is not None:
        raise ValueError(f'a line starts with {first[1]}: put a word before it')
    return text


def publish_nano(test: Path, evaluation: Path, date: str) -> None:
    """Write ``docs/data/nano.json`` and the AP in the table of models.

    Args:
        test (Path): What ``tools/test.py nano --out`` wrote.
        evaluation (Path): What ``onestage-pose evaluate --json`` wrote.
        date (str): Of the measurement, YYYY-MM-DD.
    """
    nano = read('nano')
    nano['date'] = date
    nano['test'] = json.loads(test.read_text())
    found = json.loads(evaluation.read_text())
    found.pop('cases', None)  # single images, which no page needs
    nano['evaluation'] = found
    models = json.loads(ZOO.read_text(encoding='utf-8'))
    weights = ROOT / 'onestage_pose/weights' / models['nano']['weights']
    nano['model']['file_mb'] = f'{weights.stat().st_size / 1e6:.1f}'
    (DATA / 'nano.json').write_text(json.dumps(nano, indent=1) + '\n')
    models['nano']['keypoint_ap'] = round(100 * nano['test']['coco/AP'], 1)
    models['nano']['box_ap'] = round(100 * nano['test']['bbox/AP'], 1)
    ZOO.write_text(json.dumps(models, indent=2) + '\n')


def main(argv: Sequence[str] | None = None) -> None:
    """Write the pages, and first the data of a new ``nano``."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__.splitlines()[0]
    )
    parser.add_argument('--nano-test', type=Path, metavar='FILE')
    parser.add_argument('--nano-evaluation', type=Path, metavar='FILE')
    parser.add_argument(
        '--date',
        default=datetime.date.today().isoformat(),
        help='of the measurement (default: today)',
    )
    args = parser.parse_args(argv)
    if (args.nano_test is None) != (args.nano_evaluation is None):
        parser.error('give --nano-test and --nano-evaluation together')
    if args.nano_test is not None:
        publish_nano(args.nano_test, args.nano_evaluation, args.date)
    values = substitutions()
    for page in pages():
        text = page.read_text(encoding='utf-8')
        filled = fill(text, values)
        if filled != text:
            page.write_text(filled, encoding='utf-8')
            print(f'{page.relative_to(ROOT)} has new numbers')


if __name__ == '__main__':
    sys.exit(main())
