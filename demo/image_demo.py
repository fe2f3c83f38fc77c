# Copyright (c) onestage_pose contributors.
"""Draws the people of a picture, of a folder of pictures, or of a video."""

from __future__ import annotations

import argparse
import mimetypes
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from onestage_pose.cli.common import (
    OptionAction,
    check_writable,
    find_model,
    positive,
    read_model,
    run_tool,
)
from onestage_pose.utils.errors import UsageError

import cv2
import mmcv
import mmengine
import torch
from mmengine.device import get_device
from mmpose.apis import Pose2DInferencer
from PIL import Image, UnidentifiedImageError
from rich.progress import track

# Not in every system's table of types.
mimetypes.add_type('video/x-matroska', '.mkv')

_NAMES_SHOWN = 3


class Job(NamedTuple):
    """A picture or a video and the files that are made of it."""

    source: Path
    drawing: Path
    predictions: Path | None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='docs/inference.md says what the scores mean and what the files hold.',
    )
    parser.add_argument('input', type=Path, help='a picture, a folder or a video')
    parser.add_argument(
        'config',
        nargs='?',
        default='nano',
        help='the config of the model, a Python file, or the name of a model that '
        'comes with onestage_pose (default: nano)',
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='the checkpoint, a file or an address; not for a model given by name',
    )
    parser.add_argument(
        '--out-dir',
        type=Path,
        default=Path('outputs'),
        help='the drawings go to visualizations/ in it, and with --save-predictions '
        'the numbers to predictions/ (default: outputs)',
    )
    parser.add_argument('--device', help='cpu, cuda:0 (default: a GPU if there is one)')
    parser.add_argument(
        '--bbox-thr',
        type=_probability,
        default=0.3,
        help='leave out people whose score is not over this (default: 0.3)',
    )
    parser.add_argument(
        '--kpt-thr',
        type=_probability,
        help='do not draw keypoints whose score is under this (default: 0.05 for a '
        "codec with score_mode='peak', whose scores are low, else 0.3)",
    )
    parser.add_argument('--draw-bbox', action='store_true', help='draw the boxes too')
    parser.add_argument(
        '--draw-heatmap', action='store_true', help='draw the heatmaps below'
    )
    parser.add_argument(
        '--radius', type=positive, default=3, help='of a keypoint, in pixels'
    )
    parser.add_argument(
        '--thickness', type=positive, default=1, help='of a limb, in pixels'
    )
    parser.add_argument(
        '--flip-test', action='store_true', help='also look at the mirrored picture'
    )
    parser.add_argument(
        '--save-predictions',
        action='store_true',
        help='write keypoints, boxes and scores as JSON as well',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change the config: model.test_cfg.rcnn.max_per_img=20',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Draws.

    Raises:
        UsageError: Something that was typed cannot be used, or some pictures could
            not be read; they are named, and the others are done.
    """
    args = parse_args(argv)
    args.config, args.checkpoint = find_model(args.config, args.checkpoint)
    is_video = args.input.is_file() and _kind(args.input) == 'video'
    jobs = plan(args.input, args.out_dir, args.save_predictions, is_video)
    inferencer = build_inferencer(args)
    options = dict(
        bbox_thr=args.bbox_thr,
        kpt_thr=_keypoint_threshold(inferencer, args.kpt_thr),
        draw_bbox=args.draw_bbox,
        draw_heatmap=args.draw_heatmap,
        radius=args.radius,
        thickness=args.thickness,
    )
    if is_video:
        draw_video(inferencer, jobs[0], options)
    else:
        draw_pictures(inferencer, jobs, options)


def plan(
    source: Path, out_dir: Path, save_predictions: bool, is_video: bool = False
) -> list[Job]:
    """Lists what is to be done, and makes the folders for it.

    A drawing has the picture's name, or ``NAME.png`` where OpenCV cannot write that
    kind; that of a video ends in ``.mp4``. Predictions are ``STEM.json``, or
    ``NAME.json`` where several pictures share the stem.

    Args:
        source: A picture, a folder of pictures (not those in folders within it) or
            a video.
        out_dir: Holds ``visualizations`` and ``predictions``.
        save_predictions: Whether predictions are written.
        is_video: Whether ``source`` is a video.

    Raises:
        UsageError: Nothing to draw, a folder that cannot be written to, or a file
            that would be written over one that is read, or twice.
    """
    sources = [source] if is_video else find_pictures(source)
    stems = Counter(path.stem for path in sources)
    jobs = []
    for path in sources:
        stem = path.stem if stems[path.stem] == 1 else path.name
        if is_video:
            name = f'{path.stem}.mp4'
        else:
            writable = cv2.haveImageWriter(path.name)
            name = path.name if writable else f'{path.name}.png'
        predictions = out_dir / 'predictions' / f'{stem}.json'
        jobs.append(
            Job(
                source=path,
                drawing=out_dir / 'visualizations' / name,
                predictions=predictions if save_predictions else None,
            )
        )
    _check_outputs(jobs)
    check_writable(str(jobs[0].drawing.parent), '--out-dir')
    if save_predictions:
        check_writable(str(jobs[0].predictions.parent), '--out-dir')
    return jobs


def find_pictures(source: Path) -> list[Path]:
    """Gives the picture itself, or those in a folder in order of their names.

    Raises:
        UsageError: There is none.
    """
    if source.is_file():
        if _kind(source) != 'image':
            raise UsageError(
                f'{source} is neither a picture nor a video by its name; give it the '
                'extension of what it is (.jpg, .png, .mp4).'
            )
        return [source]
    if not source.is_dir():
        raise UsageError(f'there is no picture, folder or video {source}.')
    files = [
        path
        for path in sorted(source.iterdir())
        if path.is_file() and not path.name.startswith('.')
    ]
    pictures = [path for path in files if _kind(path) == 'image']
    others = [path.name for path in files if _kind(path) != 'image']
    if not pictures:
        raise UsageError(
            f'the folder {source} holds no picture{_also(others)}; folders within it '
            'are not looked into.'
        )
    if others:
        count = _count(len(pictures), 'picture', 'pictures')
        print(f'{source} holds {count}{_also(others)}.')
    return pictures


def build_inferencer(args: argparse.Namespace) -> Pose2DInferencer:
    """Builds mmpose's inferencer, everything checked before.

    Raises:
        UsageError: The config, the checkpoint or the device is not there, or the
            model is not one that finds people by itself.
        ConfigNameError: A name in the config or in an option is misspelt.
        CheckpointError: The checkpoint is broken, or of another model.
    """
    device = _device(args.device)
    if args.flip_test:
        args.cfg_options.setdefault('model.test_cfg.flip_test', True)
    cfg = read_model(args.config, args.checkpoint, args.cfg_options)
    return Pose2DInferencer(cfg, args.checkpoint, device=device)


def draw_pictures(inferencer: Pose2DInferencer, jobs: list[Job], options: dict) -> None:
    """Draws pictures; broken ones are left out and named at the end.

    Raises:
        UsageError: Some pictures could not be read, with their names.
    """
    failures = []
    people = 0
    for job in track(jobs, description='Pictures'):
        try:
            _check_whole(job.source)
            # A list, for a bare path has to be of a type in the system's table.
            calls = inferencer([str(job.source)], return_vis=True, **options)
            result = next(iter(calls))
        except (OSError, ValueError) as error:
            failures.append(str(error))
            continue
        drawing = mmcv.rgb2bgr(result['visualization'][0])
        if not mmcv.imwrite(drawing, str(job.drawing)):
            raise OSError(f'{job.drawing} could not be written.')
        instances = result['predictions'][0]
        people += len(instances)
        if job.predictions is not None:
            mmengine.dump(instances, str(job.predictions), indent='  ')
    done = _count(len(jobs) - len(failures), 'picture', 'pictures')
    _report(f'{done}, {_count(people, "person", "people")}', jobs[0])
    if not people and len(failures) < len(jobs):
        print(
            f'Nobody scores over {options["bbox_thr"]}: --bbox-thr lowers that, and '
            'docs/inference.md says how small people are found.'
        )
    if failures:
        raise UsageError(
            f'{len(failures)} of {_count(len(jobs), "picture", "pictures")} could not '
            'be read:\n  ' + '\n  '.join(failures)
        )


def draw_video(inferencer: Pose2DInferencer, job: Job, options: dict) -> None:
    """Draws a video.

    Raises:
        UsageError: It cannot be decoded, or the drawn one not be encoded.
    """
    video = mmcv.VideoReader(str(job.source))
    if video.read() is None:
        raise UsageError(f'{job.source}: this video cannot be decoded.')
    calls = inferencer(
        str(job.source),
        vis_out_dir=str(job.drawing),
        pred_out_dir=str(job.predictions.parent) if job.predictions else '',
        **options,
    )
    frames = people = 0
    job.drawing.unlink(missing_ok=True)
    for result in track(calls, total=len(video), description='Frames'):
        frames += 1
        people += len(result['predictions'][0])
    if not job.drawing.is_file():
        raise UsageError(f'{job.drawing}: OpenCV could not write this video here.')
    if frames < len(video):
        print(
            f'{job.source} ends after {_count(frames, "frame", "frames")}, though it '
            f'says that it has {len(video)}.'
        )
    found = _count(people, 'person', 'people')
    _report(f'{_count(frames, "frame", "frames")}, {found} in all of them', job)


def _kind(path: Path) -> str | None:
    """What a file is by its name: image, video, ..."""
    kind, _ = mimetypes.guess_type(path.name, strict=False)
    return None if kind is None else kind.split('/')[0]


def _also(others: list[str]) -> str:
    if not others:
        return ''
    more = ', ...' if len(others) > _NAMES_SHOWN else ''
    names = ', '.join(others[:_NAMES_SHOWN])
    count = _count(len(others), 'other file', 'other files')
    return f' and {count}, left out ({names}{more})'


def _check_outputs(jobs: Iterable[Job]) -> None:
    """Raises where a file would be written over one that is read, or twice."""
    sources = {_identity(job.source) for job in jobs}
    outputs = [path for job in jobs for path in job[1:] if path is not None]
    for output, times in Counter(outputs).items():
        if output.exists() and _identity(output) in sources:
            raise UsageError(
                f'{output} is one of the inputs and would be overwritten; give '
                'another folder with --out-dir.'
            )
        if times > 1:
            raise UsageError(
                f'{output} would be written for {times} of the inputs, whose names '
                'are too much alike; rename them.'
            )


def _identity(path: Path) -> tuple[int, int]:
    # Tells one file under two names, be it by links or by a folder's other name.
    status = path.stat()
    return status.st_dev, status.st_ino


def _check_whole(path: Path) -> None:
    """Raises ``ValueError`` for a torn picture, whose end OpenCV fills with grey."""
    try:
        with Image.open(path) as picture:
            picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        # Not Pillow's kind or size of picture; the model's pipeline has to tell.
        return
    except (OSError, SyntaxError) as error:
        raise ValueError(f'{path}: this picture is torn ({error}).') from error


def _device(name: str | None) -> str:
    if name is None:
        return get_device()
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f'--device {name} cannot be used ({reason}); leave it out, or give cpu.'
        ) from error
    return name


def _keypoint_threshold(inferencer: Pose2DInferencer, given: float | None) -> float:
    if given is not None:
        return given
    codec = getattr(getattr(inferencer.model, 'roi_head', None), 'codec', None)
    return 0.05 if getattr(codec, 'score_mode', None) == 'peak' else 0.3


def _count(number: int, one: str, several: str) -> str:
    return f'{number} {one if number == 1 else several}'


def _report(what: str, job: Job) -> None:
    text = f'{what}: drawn in {job.drawing.parent}'
    if job.predictions is not None:
        text += f', predictions in {job.predictions.parent}'
    print(f'{text}.')


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{text} is no number between 0 and 1')
    return value


if __name__ == '__main__':
    run_tool(main)
