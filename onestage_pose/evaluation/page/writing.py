# Copyright (c) onestage_pose contributors.
"""Put the page together and write it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from html import escape

import mmcv
import numpy as np
from mmengine.fileio import get, put_text
from mmengine.logging import print_log

from ...utils.errors import ImageError
from ...utils.image_formats import check_image
from ..analysis.analysis import Analysis
from ..analysis.cases import CASE_KINDS
from ..analysis.errors import KINDS
from ..analysis.summary import percent
from .drawings import CaseDrawer, encode_jpeg
from .figures import draw_calibration, draw_keypoint_errors, draw_recall, draw_without
from .style import STYLE

# What each kind of case is, in a line above its images.
_EXPLAINED = {
    'jitter': 'Near its place, but not within the human margin: ks of 0.5 to 0.85.',
    'inversion': 'On the other side of the same person.',
    'swap': 'On another person.',
    'miss': 'Near no true keypoint: ks under 0.5 everywhere.',
    'false people': 'Found where nobody is annotated, of the highest scores.',
    'missed people': 'Annotated and not found, the largest. The left image shows who '
    'is found there.',
    'doubles': 'Found a second time, of the highest scores.',
}


def write_page(
    path: str,
    analysis: Analysis,
    dataset_meta: Mapping,
    img_paths: Mapping[int, str | None],
    title: str,
) -> None:
    """Write the report as one HTML file that needs no other.

    Args:
        path (str): Path or address of the file.
        analysis (Analysis): The analysis to report.
        dataset_meta (Mapping): mmpose's description of the skeleton.
        img_paths (Mapping[int, str | None]): File of each image by its id; cases of
            images without a file are listed but not drawn.
        title (str): Headline.
    """
    put_text(build_page(analysis, dataset_meta, img_paths, title), path)


def build_page(
    analysis: Analysis,
    dataset_meta: Mapping,
    img_paths: Mapping[int, str | None],
    title: str,
) -> str:
    """Return the page; see :func:`write_page`."""
    values = analysis.values
    facts = [
        f'{key}: {value}' for key, value in values.get('source', {}).items() if value
    ]
    body = [
        f'<h1>{escape(title)}</h1>',
        f'<p class="soft">{escape(" · ".join(facts))}</p>',
        _tiles(values),
        '<h2>What costs AP</h2>',
        '<p class="soft">Keypoint AP as it is (grey), and what it would gain without '
        'one kind of error (blue): keypoints put in their place; doubles, false or '
        'missed people left out; people ranked by their true OKS. The last column '
        'corrects keypoints in part, as Ronchi and Perona do (ICCV 2017).</p>',
        f'<figure>{draw_without(values)}</figure>',
        _errors_table(values),
        '<h2>Keypoints</h2>',
        f'<figure>{draw_keypoint_errors(values["per_keypoint"][:-1])}</figure>',
        _keypoints_table(values['per_keypoint']),
        '<p class="soft">AP: only this keypoint compared. PCK: share within 0.05, 0.1 '
        'and 0.2 of the longer side of the true box, of people who are found; in '
        'brackets with the keypoints of missed people as wrong. Median distance in '
        'pixels, and in OKS units of 2 σ √area.</p>',
        '<h2>People</h2>',
        '<div class="figures">',
        f'<figure>{draw_recall(values["recall"])}</figure>',
        f'<figure>{draw_calibration(values["calibration"])}</figure>',
        '</div>',
        '<p class="soft">Left: who is found, of whatever score; crowding counts '
        'annotated boxes of an IoU of 0.1 or more with the person’s. Right: a '
        'calibrated score lies on the dotted line. A person is right at an OKS of 0.5, '
        'a keypoint at a ks of 0.5.</p>',
        _thresholds_table(values['people']),
        '<p class="soft">People who would be left with a threshold, such as '
        '<code>--bbox-thr</code>. Matched: those of annotated people.</p>',
        *_case_sections(analysis, dataset_meta, img_paths),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n'
        + '\n'.join(body)
        + '\n</body></html>\n'
    )


def _tiles(values: Mapping) -> str:
    whole, people = values['average_precision'], values['people']
    pck = values['per_keypoint'][-1]['PCK']['0.1']
    over = f'over a score of {people["score_thr"]}'
    tiles = [
        (percent(whole['AP']), 'keypoint AP'),
        (percent(whole['AP50']), 'AP50'),
        (percent(whole['AP75']), 'AP75'),
        (percent(pck), 'PCK at 0.1'),
        (people['true'], f'people in {people["images"]} images'),
        (people['missed'], 'of them missed'),
        (people['false_over_score_thr'], f'false people {over}'),
        (people['doubles_over_score_thr'], f'doubles {over}'),
    ]
    cells = ''.join(
        f'<div class="tile"><b>{value}</b><span>{escape(name)}</span></div>'
        for value, name in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _errors_table(values: Mapping) -> str:
    counts, people = values['keypoint_errors'], values['people']
    numbers = {
        'doubles': people['doubles'],
        'false people': people['false'],
        'missed people': people['missed'],
    }
    base = values['average_precision']['AP']
    rows = []
    for kind, entry in values['without'].items():
        share, number = '', numbers.get(kind, '')
        if kind in KINDS:
            number = counts[kind]
            share = percent(number / max(1, counts['labelled'])) + ' %'
        gain = f'{100 * (entry["AP"] - base):+.1f}' if base >= 0 else '-'
        paper = percent(entry['AP_paper']) if 'AP_paper' in entry else ''
        name = 'all of jitter to miss' if kind == 'keypoints' else kind
        rows.append((name, percent(entry['AP']), gain, number, share, paper))
    heads = ('error', 'AP without', 'gain', 'number', 'of keypoints', 'AP, paper')
    return _table(heads, rows)


def _keypoints_table(rows: Sequence[Mapping]) -> str:
    def pck(row: Mapping, share: str) -> str:
        return f'{percent(row["PCK"][share])} ({percent(row["PCK_of_all"][share])})'

    def number(value: float | None) -> str:
        return '-' if value is None else f'{value:.2f}'

    cells = [
        (
            row['name'],
            percent(row['AP']),
            *(pck(row, share) for share in row['PCK']),
            number(row['median_px']),
            number(row['median_oks_units']),
            row['number_of_all'],
        )
        for row in rows
    ]
    shares = [f'PCK {share}' for share in rows[0]['PCK']]
    heads = ('keypoint', 'AP', *shares, 'median px', 'OKS units', 'labelled')
    return _table(heads, cells, 'wide total')


def _thresholds_table(people: Mapping) -> str:
    rows = [
        (
            f'over {row["score_thr"]}',
            row['matched'],
            people['true'] - row['matched'],
            row['false'],
            row['doubles'],
        )
        for row in people['by_score_thr']
    ]
    return _table(('score', 'matched', 'missed', 'false', 'doubles'), rows)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], kind: str = 'wide'
) -> str:
    head = ''.join(f'<th>{escape(name)}</th>' for name in heads)
    lines = [
        '<tr>' + ''.join(f'<td>{escape(str(cell))}</td>' for cell in row) + '</tr>'
        for row in rows
    ]
    return (
        f'<div class="{kind}"><table><thead><tr>{head}</tr></thead>'
        f'<tbody>{"".join(lines)}</tbody></table></div>'
    )


def _case_sections(
    analysis: Analysis, dataset_meta: Mapping, img_paths: Mapping[int, str | None]
) -> list[str]:
    threshold = analysis.values['people']['score_thr']
    drawer = CaseDrawer(analysis, dataset_meta, threshold)
    cards = {kind: [] for kind in CASE_KINDS}
    for case, entry in zip(analysis.cases, analysis.values['cases']):
        path = img_paths.get(entry['image_id'])
        image = None if path is None else _load(path)
        pair = ''
        if image is not None:
            drawings = zip(('prediction', 'ground truth'), drawer.draw(case, image))
            pair = ''.join(
                f'<div><img src="{encode_jpeg(drawing)}" loading="lazy" '
                f'alt="{name}"> {name}</div>'
                for name, drawing in drawings
            )
        card = f'<div class="pair">{pair}</div><p>{escape(_caption(entry))}</p>'
        cards[case.kind].append(f'<div class="case">{card}</div>')
    sections = []
    for kind, drawn in cards.items():
        if drawn:
            sections += [
                f'<h2>{escape(kind.capitalize())}</h2>',
                f'<p class="soft">{escape(_EXPLAINED[kind])}</p>',
                f'<div class="cases">{"".join(drawn)}</div>',
            ]
    return sections


def _caption(entry: Mapping) -> str:
    parts = [f'image {entry["image_id"]}']
    if 'annotation_id' in entry:
        parts.append(f'annotation {entry["annotation_id"]}')
    if 'score' in entry:
        parts.append(f'score {entry["score"]:.2f}')
    if 'OKS' in entry:
        parts.append(f'OKS {entry["OKS"]:.2f}, {entry["OKS_lost"]:.2f} lost')
    text = ', '.join(parts)
    if 'keypoints' in entry:
        names = ', '.join(name.replace('_', ' ') for name in entry['keypoints'])
        text = f'{text}: {names}'
    return text


def _load(path: str) -> np.ndarray | None:
    """Return the image, (h, w, 3) BGR, or None where it cannot be read."""
    try:
        content = get(path)
        check_image(content, path)
        return mmcv.imfrombytes(content)
    except (OSError, ImageError) as error:
        text = f'{path} is not drawn in the report: {error}'
        print_log(text, logger='current', level=logging.WARNING)
        return None
