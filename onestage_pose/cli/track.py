# Copyright (c) onestage_pose contributors.
"""Follow the people of a video or a camera: draw them, and write who is who."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from ..apis.building import choose_device
from ..apis.inputs import Inputs, open_inputs
from ..apis.predictor import PosePredictor
from ..apis.result import PoseResult
from ..apis.video import VideoSource
from ..tracking.lines import TrackLines, from_record
from ..tracking.pose_tracker import PoseTracker
from ..tracking.sound import add_sound
from ..tracking.video import PacedVideo, track_video
from ..tracking.window import Window, check_display
from ..utils.errors import RunInterruptedError, UsageError
from .files import count
from .predict import build_predictor, read_source
from .progress import track

# What is drawn and shown of one frame; returns whether to go on.
_Draw = Callable[[PoseResult], bool]


def run(args: argparse.Namespace) -> None:
    """Track what the command line asks for.

    Raises:
        UsageError: Something that was typed cannot be used.
        VideoError: The video cannot be opened.
        OutputError: A result cannot be written.
    """
    if args.show:
        check_display()
    if args.device is not None:
        choose_device(args.device, '--device')
    inputs = open_inputs(read_source(args.input))
    video = inputs.video
    if video is None:
        raise UsageError(
            f'{args.input} is not a video, a stream or a camera; onestage-pose predict '
            'detects people in images.'
        )
    if args.resume and video.is_live:
        raise UsageError(
            f'--resume: {video.name} cannot be read again from a position.'
        )
    lines = None
    if args.json is not None:
        settings = None if video.is_live else _settings(args, video)
        lines = TrackLines(args.json, settings, args.resume, args.force)
    predictor = build_predictor(args)
    tracker = PoseTracker(
        predictor.dataset_meta,
        bbox_thr=args.bbox_thr,
        max_gap=args.max_gap,
        smooth=args.smooth,
    )
    follow(predictor, tracker, inputs, lines, args)


def follow(
    predictor: PosePredictor,
    tracker: PoseTracker,
    inputs: Inputs,
    lines: TrackLines | None,
    args: argparse.Namespace,
) -> None:
    """Track a video; Ctrl-C and the window's key end what has no end.

    Args:
        predictor (PosePredictor): Finds the people.
        tracker (PoseTracker): Says who is who.
        inputs (Inputs): Of the video.
        lines (TrackLines | None): What is written of each frame.
        args (argparse.Namespace): How to draw.

    Raises:
        OutputError: The drawn one, or the lines, cannot be written.
        RunInterruptedError: Ctrl-C ended a video that has an end.
    """
    video = inputs.video
    ids: set[int] = set()
    frames = 0
    try:
        with ExitStack() as stack:
            draw = _open_drawing(stack, video, predictor, args)
            if lines is not None:
                stack.enter_context(lines)
                if lines.state is not None:
                    tracker.load_state_dict(lines.state)
            done = _redraw(predictor, inputs, lines)
            new = track_video(predictor, inputs, tracker, args.tiles)
            for result, is_new in track(_chain(done, new), 'Frames', video.num_frames):
                if is_new and lines is not None:
                    lines.write(result, tracker.state_dict)
                frames += 1
                ids.update(result.ids.tolist())
                if not draw(result):
                    break
            else:
                if lines is not None:
                    lines.finish()
    except KeyboardInterrupt:
        if not video.is_live:
            raise RunInterruptedError(_say_interrupted(lines, frames)) from None
    if video.frames_missing and frames == video.num_read:
        print(video.frames_missing)
    _report(args, video, frames, len(ids))


def _chain(
    done: Iterator[PoseResult], new: Iterator[PoseResult]
) -> Iterator[tuple[PoseResult, bool]]:
    yield from ((result, False) for result in done)
    yield from ((result, True) for result in new)


def _redraw(
    predictor: PosePredictor, inputs: Inputs, lines: TrackLines | None
) -> Iterator[PoseResult]:
    """Take the frames that have lines already; yield their people for drawing."""
    if lines is None or not lines.num_frames:
        return
    for record, item in zip(lines.records(), inputs.items):
        yield from_record(
            record,
            names=predictor.names,
            shape=item.pixels.shape[:2],
            path=item.path,
            image=item.pixels,
            kpt_thr=predictor.kpt_thr,
            dataset_meta=predictor.dataset_meta,
        )


def _open_drawing(
    stack: ExitStack,
    video: VideoSource,
    predictor: PosePredictor,
    args: argparse.Namespace,
) -> _Draw:
    """Return what draws a frame into the file and the window that are asked for."""
    file = window = None
    if args.out is not None:
        drawn = PacedVideo(args.out, video.fps, keep_interrupted=video.is_live)
        file = stack.enter_context(drawn)
    if args.show:
        window = stack.enter_context(Window(f'onestage-pose: {video.name}'))
    options = dict(
        kpt_thr=predictor.kpt_thr if args.kpt_thr is None else args.kpt_thr,
        draw_bbox=args.draw_bbox,
        draw_ids=True,
        color_by=args.color_by,
    )

    def draw(result: PoseResult) -> bool:
        if file is None and window is None:
            return True
        drawing: np.ndarray = result.plot(**options)
        if file is not None:
            file.write(drawing, result.time)
        return window is None or window.show(drawing)

    return draw


def _settings(args: argparse.Namespace, video: VideoSource) -> dict[str, Any]:
    """Return what the lines of a file depend on."""
    is_file = video.path is not None and os.path.isfile(video.path)
    return dict(
        video=video.name,
        bytes=os.path.getsize(video.path) if is_file else None,
        model=args.config,
        checkpoint=args.checkpoint,
        bbox_thr=args.bbox_thr,
        max_gap=args.max_gap,
        smooth=args.smooth,
        tiles=args.tiles,
        flip_test=args.flip_test,
        cfg_options=args.cfg_options,
    )


def _say_interrupted(lines: TrackLines | None, frames: int) -> str:
    if lines is None:
        return (
            f'Interrupted at frame {frames}; no file was written. With --json, '
            '--resume continues.'
        )
    saved = count(lines.num_saved, 'frame', 'frames')
    return f'Interrupted: {saved} saved; --resume continues.'


def _report(
    args: argparse.Namespace, video: VideoSource, frames: int, people: int
) -> None:
    places = []
    if args.out is not None and frames:
        is_file = video.path is not None and os.path.isfile(video.path)
        note = add_sound(args.out, Path(video.path)) if is_file else None
        if note:
            print(note)
        places.append(f'drawn in {args.out}')
    if args.json is not None:
        places.append(f'lines in {args.json}')
    where = f': {", ".join(places)}' if places else ''
    found = count(people, 'person', 'people')
    print(f'{count(frames, "frame", "frames")}, {found}{where}.')
