# Copyright (c) onestage_pose contributors.
"""Draw the people in images, videos and streams, and write their keypoints."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from mmpose.structures import split_instances

from ..apis.building import choose_device
from ..apis.inputs import ImageItem, Inputs, open_inputs
from ..apis.predictor import PosePredictor
from ..apis.result import PoseResult, add_presence, can_write
from ..apis.writing import JsonList, NameTooLongError, write_image, write_json
from ..utils.errors import RunInterruptedError, UsageError
from ..visualization.video_file import VideoFile
from .files import check_writable, count
from .progress import track

_NAMES_SHOWN = 3


class Job(NamedTuple):
    """An image or a video and the files that are made of it."""

    source: ImageItem | None
    drawing: Path
    predictions: Path | None


def run(args: argparse.Namespace) -> None:
    """Draw what the command line asks for.

    Raises:
        UsageError: Something that was typed cannot be used, or some images could
            not be read; they are named, and the others are done.
    """
    if args.device is not None:
        choose_device(args.device, '--device')
    source = read_source(args.input)
    inputs = open_inputs(source, recursive=args.recursive)
    jobs = plan(inputs, args.out_dir, args.save_predictions, args.input)
    _say_left_out(args.input, inputs)
    predictor = build_predictor(args)
    options = dict(
        kpt_thr=predictor.kpt_thr if args.kpt_thr is None else args.kpt_thr,
        draw_bbox=args.draw_bbox,
        draw_scores=args.draw_scores,
        draw_heatmap=args.draw_heatmap,
        color_by=args.color_by,
        radius=args.radius,
        thickness=args.thickness,
    )
    if inputs.video is None:
        draw_images(predictor, jobs, options)
    else:
        draw_video(predictor, inputs, jobs[0], options)


def build_predictor(args: argparse.Namespace) -> PosePredictor:
    """Build the predictor, everything checked before.

    Raises:
        UsageError: The config, the checkpoint or the device does not exist, or the
            model is not one that finds people by itself.
        ConfigNameError: A name in the config or in an option is misspelt.
        CheckpointError: The checkpoint is broken, or of another model.
    """
    return PosePredictor(
        args.config,
        args.checkpoint,
        device=args.device,
        batch_size=args.batch_size,
        bbox_thr=args.bbox_thr,
        flip_test=True if args.flip_test else None,
        cfg_options=args.cfg_options,
    )


def plan(
    inputs: Inputs, out_dir: Path, save_predictions: bool, source: str
) -> list[Job]:
    """List what is to be done, and create the folders for it.

    A drawing has the image's name, or ``NAME.png`` where OpenCV cannot write that
    kind; that of a video ends in ``.mp4``. Images of folders within a folder are drawn
    into folders of these names. Predictions are ``STEM.json``, or ``NAME.json`` where
    several images share the stem.

    Args:
        inputs (Inputs): Images, or a video.
        out_dir (Path): Holds ``visualizations`` and ``predictions``.
        save_predictions (bool): Whether predictions are written.
        source (str): What was typed.

    Returns:
        list[Job]: One for each image, or one for the video.

    Raises:
        UsageError: A folder that cannot be written to, or a file that would be written
            over one that is read, or twice.
    """
    video = inputs.video
    if video is not None:
        stem = Path(video.name.replace(' ', '_')).stem
        names = [(None, Path(f'{stem}.mp4'))]
    else:
        root = Path(source) if os.path.isdir(source) else None
        names = [(item, _name_of(item, root)) for item in inputs.items]
    stems = Counter(name.with_suffix('') for _, name in names)
    jobs = []
    for item, name in names:
        stem = name.with_suffix('')
        if stems[stem] > 1:
            stem = name
        drawn = name if can_write(name.name) or video else Path(f'{name}.png')
        predictions = out_dir / 'predictions' / f'{stem}.json'
        jobs.append(
            Job(
                source=item,
                drawing=out_dir / 'visualizations' / drawn,
                predictions=predictions if save_predictions else None,
            )
        )
    _check_outputs(jobs, [] if video is None or video.path is None else [video.path])
    for folder in {path.parent for job in jobs for path in job[1:] if path}:
        check_writable(str(folder), '--out-dir')
    return jobs


def draw_images(
    predictor: PosePredictor, jobs: list[Job], options: dict[str, Any]
) -> None:
    """Draw images; invalid ones are left out and named at the end.

    Args:
        predictor (PosePredictor): Finds the people.
        jobs (list[Job]): One for each image.
        options (dict): Of :meth:`PoseResult.plot`.

    Raises:
        UsageError: Some images could not be read, or a name is too long for what is
            made of it; with their names.
        OutputError: Nothing can be written any more.
        RunInterruptedError: Ctrl-C; what was drawn before is complete.
    """
    failures = []
    done = people = 0
    results = predictor(
        Inputs([job.source for job in jobs]),
        heatmaps=options['draw_heatmap'],
        on_error='return',
    )
    try:
        with closing(results):
            for job, result in zip(jobs, track(results, 'Images', len(jobs))):
                failure = _draw_image(job, result, options)
                done += 1
                if failure is None:
                    people += len(result)
                else:
                    failures.append(failure)
    except KeyboardInterrupt:
        raise RunInterruptedError(
            f'Interrupted after {done} of {count(len(jobs), "image", "images")}.'
        ) from None
    drawn = len(jobs) - len(failures)
    if drawn:
        found = count(people, 'person', 'people')
        _report(f'{count(drawn, "image", "images")}, {found}', jobs)
    if drawn and not people:
        print(
            f'No person has a score over {predictor.bbox_thr}: lower --bbox-thr; '
            'docs/how_to/predict.md says how to detect small people.'
        )
    if failures:
        raise UsageError(
            f'{len(failures)} of {count(len(jobs), "image", "images")} could not '
            'be read or drawn:\n  ' + '\n  '.join(failures)
        )


def _draw_image(job: Job, result: PoseResult, options: dict[str, Any]) -> str | None:
    """Write what is made of an image; return why it is left out, if it is."""
    if result.error is not None:
        return str(result.error)
    try:
        write_image(job.drawing, result.plot(**options))
        if job.predictions is not None:
            write_json(job.predictions, _instances(result))
    except NameTooLongError as error:
        return str(error)
    return None


def draw_video(
    predictor: PosePredictor, inputs: Inputs, job: Job, options: dict[str, Any]
) -> None:
    """Draw a video, a stream or a camera's images; Ctrl-C ends what has no end.

    Args:
        predictor (PosePredictor): Finds the people.
        inputs (Inputs): Of the video.
        job (Job): What is made of it.
        options (dict): Of :meth:`PoseResult.plot`.

    Raises:
        OutputError: The drawn one, or the predictions, cannot be written.
        RunInterruptedError: Ctrl-C ended a video that has an end.
    """
    video = inputs.video
    results = predictor(inputs, heatmaps=options['draw_heatmap'])
    frames = people = 0
    try:
        with (
            closing(results),
            VideoFile(job.drawing, video.fps, video.is_live) as drawing,
            JsonList(job.predictions, video.is_live) as predictions,
        ):
            for result in track(results, 'Frames', video.num_frames):
                drawing.write(result.plot(**options))
                predictions.write(
                    dict(frame_id=result.frame, instances=_instances(result))
                )
                frames += 1
                people += len(result)
    except KeyboardInterrupt:
        if not video.is_live:
            raise RunInterruptedError(_say_interrupted(job, frames)) from None
    if video.frames_missing:
        print(video.frames_missing)
    found = count(people, 'person', 'people')
    _report(f'{count(frames, "frame", "frames")}, {found} in all of them', [job])


def _say_interrupted(job: Job, frames: int) -> str:
    text = f'Interrupted at frame {frames}; no video was written'
    if job.predictions is not None:
        text += f', predictions are in {job.predictions.with_suffix(".jsonl")}'
    return f'{text}.'


def read_source(text: str) -> str | int:
    """Return what is typed; a number that is no file is a camera's."""
    return int(text) if text.isdecimal() and not os.path.exists(text) else text


def _name_of(item: ImageItem, root: Path | None) -> Path:
    if '://' in item.path:
        return Path(Path(unquote(urlsplit(item.path).path)).name or 'image')
    path = Path(item.path)
    return Path(path.name) if root is None else path.relative_to(root.expanduser())


def _say_left_out(source: str, inputs: Inputs) -> None:
    others = inputs.left_out
    if not others:
        return
    found = count(inputs.total, 'image', 'images')
    more = ', ...' if len(others) > _NAMES_SHOWN else ''
    names = ', '.join(others[:_NAMES_SHOWN])
    files = count(len(others), 'other file', 'other files')
    print(f'{source} holds {found} and {files}, left out ({names}{more}).')


def _check_outputs(jobs: Iterable[Job], others: Iterable[str]) -> None:
    """Raise where a file would be written over one that is read, or twice."""
    read = [job.source.path for job in jobs if job.source is not None]
    sources = {_identity(path) for path in (*read, *others) if os.path.exists(path)}
    outputs = [path for job in jobs for path in job[1:] if path is not None]
    for output, times in Counter(outputs).items():
        if os.path.exists(output) and _identity(output) in sources:
            raise UsageError(
                f'{output} is one of the inputs and would be overwritten; give '
                'another folder with --out-dir.'
            )
        if times > 1:
            raise UsageError(
                f'{output} would be written for {times} of the inputs, whose names '
                'are too much alike; rename them.'
            )


def _identity(path: str | Path) -> tuple[int, int]:
    # Tells one file under two names, be it by links or by a folder's other name.
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _instances(result: PoseResult) -> list[dict]:
    """The people as mmpose's inferencers return them."""
    instances = result.to_sample().pred_instances
    people = split_instances(instances)
    add_presence(people, instances)
    return people


def _report(what: str, jobs: list[Job]) -> None:
    text = f'{what}: drawn in {_folder_of([job.drawing for job in jobs])}'
    if jobs[0].predictions is not None:
        text += f', predictions in {_folder_of([job.predictions for job in jobs])}'
    print(f'{text}.')


def _folder_of(files: list[Path]) -> str:
    return os.path.commonpath([file.parent for file in files])
