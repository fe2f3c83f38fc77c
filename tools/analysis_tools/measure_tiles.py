# Copyright (c) onestage_pose contributors.
"""Measure what tiles give for small people, on images of a COCO keypoint file.

    python tools/analysis_tools/measure_tiles.py ANN_FILE IMAGES out.json

The same images are looked at whole, and whole and in tiles. Written are COCO's AP and
recall of boxes of small people (area under 32 x 32), medium ones (under 96 x 96) and
all, and AP of keypoints of medium people and all; COCO has none for small ones. Only
images with small people are looked at. Results stay in --work-dir: a second run with
the same options predicts nothing again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.apis import PosePredictor, PoseResult
from onestage_pose.apis.writing import write_json
from onestage_pose.cli.args import positive, tiles
from onestage_pose.cli.progress import track
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.tables import format_table
from onestage_pose.tracking import TiledPredictor
from onestage_pose.utils.errors import UsageError

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

_SMALL = 32**2
_SCORE_THR = 0.05
_FIND = Callable[[str], Iterator[PoseResult]]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('ann_file', type=Path, help='COCO keypoint file')
    parser.add_argument('images', type=Path, help='the folder of its images')
    parser.add_argument('out', type=Path, help='JSON file of the figures')
    parser.add_argument('--config', default='nano', help='name of a model')
    parser.add_argument('--tiles', type=tiles, nargs='+', default=[(2, 2)])
    parser.add_argument('--number', type=positive, default=60, help='of images')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/tiles'))
    return parser.parse_args(argv)


def choose_images(coco: COCO, number: int) -> list[int]:
    """Choose images with small people, spread evenly over the file."""
    small = {
        ann['image_id']
        for ann in coco.anns.values()
        if ann['area'] < _SMALL and not ann.get('iscrowd')
    }
    if len(small) < number:
        raise UsageError(
            f'{len(small)} images have small people: --number {len(small)}'
        )
    ids = sorted(small)
    return [ids[place * len(ids) // number] for place in range(number)]


def predict(find: _FIND, coco: COCO, ids: list[int], folder: Path, file: Path) -> list:
    """Return the people of the images in COCO's format, found once."""
    if not file.exists():
        found = []
        for image in track(ids, file.stem):
            path = folder / coco.imgs[image]['file_name']
            if not path.exists():
                raise UsageError(
                    f'there is no {path}; is this the folder of the images?'
                )
            [result] = find(str(path))
            found += result.to_coco(image)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, found, indent=None)
    return json.loads(file.read_text())


def evaluate(coco: COCO, results: list[dict], ids: list[int]) -> dict[str, float]:
    """Compute COCO's figures, in percent."""
    names = {
        'bbox': {3: 'AP small', 9: 'AR small', 4: 'AP medium', 0: 'AP'},
        'keypoints': {3: 'keypoint AP medium', 0: 'keypoint AP'},
    }
    figures = {}
    with contextlib.redirect_stdout(io.StringIO()):
        found = coco.loadRes(results)
        for kind, places in names.items():
            run = COCOeval(coco, found, kind)
            run.params.imgIds = ids
            run.evaluate(), run.accumulate(), run.summarize()
            for place, name in places.items():
                figures[name] = 100 * float(run.stats[place])
    return figures


def main(argv: list[str] | None = None) -> None:
    """Measure, print a table and write the figures."""
    args = parse_args(argv)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(args.ann_file))
    ids = choose_images(coco, args.number)
    predictor = PosePredictor(args.config, bbox_thr=_SCORE_THR)
    ways: dict[str, _FIND] = {'whole': predictor}
    for each in args.tiles:
        ways[f'{each[0]}x{each[1]} tiles'] = TiledPredictor(predictor, each)
    figures = {}
    for way, find in ways.items():
        name = f'{Path(args.config).stem}_{args.number}_{way}.json'.replace(' ', '_')
        results = predict(find, coco, ids, args.images, args.work_dir / name)
        figures[way] = evaluate(coco, results, ids)
    people = [
        ann
        for ann in coco.anns.values()
        if ann['image_id'] in ids and ann['area'] < _SMALL and not ann.get('iscrowd')
    ]
    settings = dict(model=args.config, images=args.number, small_people=len(people))
    write_json(args.out, dict(settings=settings, figures=figures))
    columns = list(next(iter(figures.values())))
    rows = [
        [way, *(round(value, 1) for value in each.values())]
        for way, each in figures.items()
    ]
    print(format_table(['', *columns], rows))


if __name__ == '__main__':
    run_tool(main)
