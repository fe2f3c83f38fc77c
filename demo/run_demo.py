# Copyright (c) onestage_pose contributors.
"""Find people with the model that comes with the package: what ``make demo`` runs.

Draws the people and their skeletons on a photo that matplotlib ships and on synthetic
images, or with ``--input`` on an image, a folder of images or a video of your own.
"""

import argparse
from pathlib import Path

import onestage_pose  # noqa: F401  (has to come before mmdet)
from onestage_pose.cli.files import check_writable
from onestage_pose.cli.run import run_tool
from onestage_pose.projects.synthetic_people import SyntheticPeople

import cv2
import image_demo
import numpy as np
from matplotlib import cbook

PHOTO = 'grace_hopper.jpg'
SEED = 3  # of the synthetic images
ROW_HEIGHT = 480  # of the sheet, in pixels


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--input', type=Path, help='an image, a folder or a video to draw on instead'
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument(
        '--num-drawn', type=int, default=3, help='how many synthetic images'
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


def make_images(folder: Path, num_drawn: int) -> None:
    """Write the photo and the synthetic images to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    photo = cbook.get_sample_data(PHOTO, asfileobj=False)
    (folder / PHOTO).write_bytes(Path(photo).read_bytes())
    drawn = SyntheticPeople(num_images=max(1, num_drawn), seed=SEED, test_mode=True)
    for index in range(num_drawn):
        image = drawn.get_data_info(index)['img']
        cv2.imwrite(str(folder / f'drawn_{index}.png'), image)


def make_sheet(images: list[Path], path: Path) -> None:
    """Lay images side by side, of one height."""
    columns = []
    for image in images:
        img = cv2.imread(str(image))
        width = round(img.shape[1] * ROW_HEIGHT / img.shape[0])
        columns.append(cv2.resize(img, (width, ROW_HEIGHT)))
    cv2.imwrite(str(path), np.hstack(columns))


def main(argv: list[str] | None = None) -> None:
    """Make the images, draw on them, and print where the drawings are."""
    args = parse_args(argv)
    check_writable(str(args.out_dir), '--out-dir')
    source = None if args.input is None else args.input.expanduser()
    if source is None:
        source = args.out_dir / 'images'
        make_images(source, args.num_drawn)
    options = ['--bbox-thr', args.bbox_thr, '--radius', '4', '--thickness', '2']
    image_demo.main([str(source), '--out-dir', str(args.out_dir), *options])
    if args.input is None:
        drawings = args.out_dir / 'visualizations'
        sheet = args.out_dir / 'sheet.jpg'
        # the photo first
        names = sorted(path.name for path in source.iterdir())
        names.sort(key=lambda name: name != PHOTO)
        make_sheet([drawings / name for name in names], sheet)
        print(
            f'All on {sheet}.\n'
            'An image of your own: make demo INPUT=path. Training: make demo-train.'
        )


if __name__ == '__main__':
    run_tool(main)
