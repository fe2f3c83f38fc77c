# Copyright (c) onestage_pose contributors.
"""Find people with the model that comes with the package: what ``make demo`` runs.

Draws the people and their skeletons on a photograph that matplotlib ships and on
drawn pictures, or with ``--input`` on a picture, a folder of pictures or a video of
one's own.
"""

import argparse
from pathlib import Path

import onestage_pose  # noqa: F401  (has to come before mmdet)
from onestage_pose.cli.common import check_writable, run_tool
from onestage_pose.projects.synthetic_people import SyntheticPeople

import cv2
import image_demo
import numpy as np
from matplotlib import cbook

PHOTOGRAPH = 'grace_hopper.jpg'
SEED = 3  # of the drawn pictures
ROW_HEIGHT = 480  # of the sheet, in pixels


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--input', type=Path, help='a picture, a folder or a video to look at instead'
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument(
        '--num-drawn', type=int, default=3, help='how many drawn pictures'
    )
    parser.add_argument(
        '--bbox-thr',
        default='0.5',
        help='leave out people whose score is not over this (default: 0.5)',
    )
    args = parser.parse_args(argv)
    if args.num_drawn < 0:
        parser.error('--num-drawn must not be negative')
    return args


def make_pictures(folder: Path, num_drawn: int) -> None:
    """Write the photograph and the drawn pictures to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    photograph = cbook.get_sample_data(PHOTOGRAPH, asfileobj=False)
    (folder / PHOTOGRAPH).write_bytes(Path(photograph).read_bytes())
    drawn = SyntheticPeople(num_images=max(1, num_drawn), seed=SEED, test_mode=True)
    for index in range(num_drawn):
        picture = drawn.get_data_info(index)['img']
        cv2.imwrite(str(folder / f'drawn_{index}.png'), picture)


def make_sheet(pictures: list[Path], path: Path) -> None:
    """Lay pictures side by side, of one height."""
    columns = []
    for picture in pictures:
        img = cv2.imread(str(picture))
        width = round(img.shape[1] * ROW_HEIGHT / img.shape[0])
        columns.append(cv2.resize(img, (width, ROW_HEIGHT)))
    cv2.imwrite(str(path), np.hstack(columns))


def main(argv: list[str] | None = None) -> None:
    """Make the pictures, look at them, tell."""
    args = parse_args(argv)
    check_writable(str(args.out_dir), '--out-dir')
    source = None if args.input is None else args.input.expanduser()
    if source is None:
        source = args.out_dir / 'pictures'
        make_pictures(source, args.num_drawn)
    options = ['--bbox-thr', args.bbox_thr, '--radius', '4', '--thickness', '2']
    image_demo.main([str(source), '--out-dir', str(args.out_dir), *options])
    if args.input is None:
        drawings = args.out_dir / 'visualizations'
        sheet = args.out_dir / 'sheet.jpg'
        # the photograph first
        names = sorted(path.name for path in source.iterdir())
        names.sort(key=lambda name: name != PHOTOGRAPH)
        make_sheet([drawings / name for name in names], sheet)
        print(
            f'All on {sheet}.\n'
            'A picture of your own: make demo INPUT=path. Training: make demo-train.'
        )


if __name__ == '__main__':
    run_tool(main)
