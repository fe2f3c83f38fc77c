# Copyright (c) onestage_pose contributors.
"""Draw the people in an image, in a folder of images, or in a video."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from onestage_pose.cli.args import add_config_options, positive, probability
from onestage_pose.cli.files import check_writable, count, find_images, get_file_kind
from onestage_pose.cli.model import BuiltModelInferencer, build_model, find_model
from onestage_pose.cli.run import run_tool
from onestage_pose.datasets import LoadPoseImage
from onestage_pose.utils.errors import UsageError

import cv2
import mmcv
import mmengine
import torch
from mmengine.device import get_device
from mmpose.apis import Pose2DInferencer
from PIL import Image, UnidentifiedImageError
from rich.progress import track


class Job(NamedTuple):
    """An image or a video and the files that are made of it."""

    source: Path
    drawing: Path
    predictions: Path | None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='docs/inference.md says what the scores mean and what the files hold.',
    )
    parser.add_argument('input', type=Path, help='an image, a folder or a video')
    parser.add_argument(
        'config',
        nargs='?',
        default='nano',
        help='the config of the model, a Python file, or the name of a published '
        'model (default: nano)',
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
        type=probability,
        default=0.3,
        help='leave out people whose score is not over this (default: 0.3)',
    )
    parser.add_argument(
        '--kpt-thr',
        type=probability,
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
        '--flip-test', action='store_true', help='also look at the mirrored image'
    )
    parser.add_argument(
        '--save-predictions',
        action='store_true',
        help='write keypoints, boxes and scores as JSON as well',
    )
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Draw what the command line asks for.

    Raises:
        UsageError: Something that was typed cannot be used, or some images could
            not be read; they are named, and the others are done.
    """
    args = parse_args(argv)
    args.config, args.checkpoint = find_model(args.config, args.checkpoint)
    kind = get_file_kind(args.input)
    if args.input.is_file() and kind not in ('image', 'video'):
        raise UsageError(
            f'{args.input} is neither an image nor a video by its name; give it the '
            'extension of what it is (.jpg, .png, .mp4).'
        )
    is_video = args.input.is_file() and kind == 'video'
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
        draw_images(inferencer, jobs, options)


def plan(
    source: Path, out_dir: Path, save_predictions: bool, is_video: bool = False
) -> list[Job]:
    """List what is to be done, and create the folders for it.

    A drawing has the image's name, or ``NAME.png`` where OpenCV cannot write that
    kind; that of a video ends in ``.mp4``. Predictions are ``STEM.json``, or
    ``NAME.json`` where several images share the stem.

    Args:
        source (Path): An image, a folder of images (not those in folders within it)
            or a video.
        out_dir (Path): Holds ``visualizations`` and ``predictions``.
        save_predictions (bool): Whether predictions are written.
        is_video (bool): Whether ``source`` is a video.

    Returns:
        list[Job]: One for each image, or one for the video.

    Raises:
        UsageError: Nothing to draw, a folder that cannot be written to, or a file
            that would be written over one that is read, or twice.
    """
    sources = [source] if is_video else find_images(source)
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


def build_inferencer(args: argparse.Namespace) -> Pose2DInferencer:
    """Build mmpose's inferencer, everything checked before.

    Raises:
        UsageError: The config, the checkpoint or the device does not exist, or the
            model is not one that finds people by itself.
        ConfigNameError: A name in the config or in an option is misspelt.
        CheckpointError: The checkpoint is broken, or of another model.
    """
    device = _device(args.device)
    if args.flip_test:
        args.cfg_options.setdefault('model.test_cfg.flip_test', True)
    model = build_model(args.config, args.checkpoint, args.cfg_options, device)
    return BuiltModelInferencer(model)


def draw_images(inferencer: Pose2DInferencer, jobs: list[Job], options: dict) -> None:
    """Draw images; invalid ones are left out and named at the end.

    Raises:
        UsageError: Some images could not be read, with their names.
    """
    failures = []
    people = 0
    load = LoadPoseImage()
    for job in track(jobs, description='Images'):
        try:
            _check_complete(job.source)
            # Decoded once, for the model and for the drawing.
            image = load(dict(img_path=str(job.source)))['img']
            result = next(iter(inferencer(image, return_vis=True, **options)))
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
    done = count(len(jobs) - len(failures), 'image', 'images')
    _report(f'{done}, {count(people, "person", "people")}', jobs[0])
    if not people and len(failures) < len(jobs):
        print(
            f'Nobody scores over {options["bbox_thr"]}: --bbox-thr lowers that, and '
            'docs/inference.md says how small people are found.'
        )
    if failures:
        raise UsageError(
            f'{len(failures)} of {count(len(jobs), "image", "images")} could not '
            'be read:\n  ' + '\n  '.join(failures)
        )


def draw_video(inferencer: Pose2DInferencer, job: Job, options: dict) -> None:
    """Draw a video, frame by frame.

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
            f'{job.source} ends after {count(frames, "frame", "frames")}, though it '
            f'says that it has {len(video)}.'
        )
    found = count(people, 'person', 'people')
    _report(f'{count(frames, "frame", "frames")}, {found} in all of them', job)


def _check_outputs(jobs: Iterable[Job]) -> None:
    """Raise where a file would be written over one that is read, or twice."""
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


def _check_complete(path: Path) -> None:
    """Raise ``ValueError`` for a truncated image, whose end OpenCV fills with grey."""
    try:
        with Image.open(path) as image:
            if image.format == 'PNG':
                # Its parts carry checksums, which need no decoding.
                image.verify()
            else:
                # Of a JPEG every eighth pixel, which reads all of the file.
                image.draft('L', (1, 1))
                image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        # Not Pillow's kind or size of image; LoadPoseImage has to tell.
        return
    except (OSError, SyntaxError) as error:
        raise ValueError(f'{path}: this image is truncated ({error}).') from error


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


def _report(what: str, job: Job) -> None:
    text = f'{what}: drawn in {job.drawing.parent}'
    if job.predictions is not None:
        text += f', predictions in {job.predictions.parent}'
    print(f'{text}.')


if __name__ == '__main__':
    run_tool(main)
