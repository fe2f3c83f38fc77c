# Copyright (c) onestage_pose contributors.
"""Find people with the model that comes with the package: what ``make demo`` runs.

Draws the people and their skeletons on photographs that matplotlib and scikit-image
ship and on synthetic images, or with ``--input`` on an image, a folder of images or a
video of your own.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onestage_pose.cli.files import check_writable
from onestage_pose.cli.run import run_tool
from onestage_pose.projects.synthetic_people import SyntheticPeople

import cv2
import image_demo
import numpy as np
from matplotlib import cbook

PHOTO = 'grace_hopper.jpg'
# of scikit-image, where that is installed
MORE_PHOTOS = ('astronaut', 'camera')
SEED = 3  # of the synthetic images
SHEET_WIDTH = 1600  # in pixels
# in the output folder: what a run has written, for the next one to remove
WRITTEN = '.written_by_run_demo'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--input', type=Path, help='an image, a folder or a video to draw on instead'
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument(
        '--num-drawn',
        type=int,
        default=3,
        help='synthetic images (default: 3)',
    )
    parser.add_argument(
        '--bbox-thr',
        default='0.4',
        help='leave out people whose score is not over this (default: %(default)s)',
    )
    args = parser.parse_args(argv)
    if args.num_drawn < 0:
        parser.error('--num-drawn must not be negative')
    return args


def make_images(folder: Path, num_drawn: int) -> list[list[str]]:
    """Write photographs and synthetic images to ``folder``.

    Returns:
        list[list[str]]: The names of the photographs, and of the synthetic images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    photo = cbook.get_sample_data(PHOTO, asfileobj=False)
    (folder / PHOTO).write_bytes(Path(photo).read_bytes())
    photos, drawn = [PHOTO], []
    if importlib.util.find_spec('skimage') is not None:
        from skimage import data, io

        for name in MORE_PHOTOS:
            photos.append(f'{name}.png')
            io.imsave(folder / photos[-1], getattr(data, name)(), check_contrast=False)
    people = SyntheticPeople(num_images=max(1, num_drawn), seed=SEED, test_mode=True)
    for index in range(num_drawn):
        drawn.append(f'drawn_{index}.png')
        cv2.imwrite(str(folder / drawn[-1]), people.get_data_info(index)['img'])
    return [photos, drawn]


def remove_former(folder: Path) -> None:
    """Remove what an earlier run wrote, but for files that were changed since."""
    listed = folder / WRITTEN
    if not listed.is_file():
        return
    for line in listed.read_text(errors='surrogateescape').split('\n'):
        changed, _, name = line.partition(' ')
        path = folder / name
        if path.is_file() and str(path.stat().st_mtime_ns) == changed:
            path.unlink()
    listed.unlink()


def is_within(path: Path, folder: Path) -> bool:
    """Return whether a path lies in a folder, or is the folder."""
    return path.expanduser().resolve().is_relative_to(folder.resolve())


def find_files(folder: Path) -> dict[str, int]:
    """Return the files in a folder, and when each was changed, in nanoseconds."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob('*')
        if path.is_file()
    }


@contextmanager
def listing_outputs(folder: Path) -> Iterator[None]:
    """Remove what an earlier run wrote, and list what this one writes."""
    remove_former(folder)
    before = find_files(folder)
    try:
        yield
    finally:
        written = find_files(folder).items() - before.items()
        lines = [f'{changed} {name}\n' for name, changed in sorted(written)]
        (folder / WRITTEN).write_text(''.join(lines), errors='surrogateescape')


def make_sheet(rows: list[list[Path]], path: Path) -> None:
    """Lay out images in rows of :data:`SHEET_WIDTH`, those of a row of one height."""
    strips = []
    for row in filter(None, rows):
        images = [cv2.imread(str(image)) for image in row]
        ratios = [image.shape[1] / image.shape[0] for image in images]
        height = round(SHEET_WIDTH / sum(ratios))
        ends = np.round(np.cumsum([0, *ratios]) / sum(ratios) * SHEET_WIDTH).astype(int)
        strips.append(
            np.hstack(
                [
                    cv2.resize(
                        image, (int(width), height), interpolation=cv2.INTER_AREA
                    )
                    for image, width in zip(images, np.diff(ends))
                ]
            )
        )
    cv2.imwrite(str(path), np.vstack(strips))


def main(argv: list[str] | None = None) -> None:
    """Make the images, draw on them, and print where the drawings are."""
    args = parse_args(argv)
    check_writable(str(args.out_dir), '--out-dir')
    if args.input is not None and is_within(args.input, args.out_dir):
        # what an earlier run wrote is what this one looks at
        draw(args)
        return
    with listing_outputs(args.out_dir):
        draw(args)


def get_command() -> str:
    """Return how ``onestage-pose`` is called, from here."""
    script = Path(sys.executable).with_name('onestage-pose')
    if not script.is_file():
        return 'onestage-pose'
    if script.is_relative_to(Path.cwd()):
        script = script.relative_to(Path.cwd())
    return str(script)


def draw(args: argparse.Namespace) -> None:
    """Draw what the command line asks for."""
    source = None if args.input is None else args.input.expanduser()
    if source is None:
        source = args.out_dir / 'images'
        rows = make_images(source, args.num_drawn)
    options = ['--bbox-thr', args.bbox_thr]
    image_demo.main([str(source), '--out-dir', str(args.out_dir), *options])
    if args.input is None:
        sheet = args.out_dir / 'sheet.jpg'
        drawings = args.out_dir / 'visualizations'
        make_sheet([[drawings / name for name in names] for names in rows], sheet)
        print(
            f'All on {sheet}.\n'
            'An image of your own: make demo INPUT=path. Training: make demo-train.\n'
            f'In a web page, with the camera too: {get_command()} web'
        )


if __name__ == '__main__':
    run_tool(main)
