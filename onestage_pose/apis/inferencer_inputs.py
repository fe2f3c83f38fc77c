# Copyright (c) onestage_pose contributors.
"""Methods of mmpose's inferencers, as this project has them.

Each takes the method of mmpose that it stands for, and then what that takes; see
:mod:`onestage_pose.compat.mmpose_inferencer_inputs`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.logging import print_log
from mmpose.structures import PoseDataSample
from PIL import Image

from ..structures import to_bgr_image
from ..utils.errors import ImageError, UsageError
from ..utils.file_kinds import get_file_kind
from ..utils.paths import check_input_exists, list_files
from ..visualization.video_file import VideoFile
from .result import add_presence
from .video import VideoSource
from .writing import NameTooLongError, write_image, write_json


class ImageInputs(Sequence):
    """A list of images as mmpose's inferencers want it: of paths and BGR arrays.

    Args:
        images (Sequence): Paths, arrays, PIL images and tensors, as
            :func:`to_bgr_image` takes them. They are converted when they are asked for.
    """

    def __init__(self, images: Sequence) -> None:
        self.images = images

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.images)

    def __getitem__(self, index: int) -> str | np.ndarray:
        """Return a path as text, or an image (h, w, 3) uint8 BGR.

        Raises:
            ImageError: It is no image; says which one.
        """
        image = self.images[index]
        if isinstance(image, (str, os.PathLike)):
            return os.fspath(image)
        try:
            return to_bgr_image(image)
        except ImageError as error:
            raise ImageError(f'image {index} of the input: {error}') from error


def inputs_to_list(original: Callable, inferencer: Any, inputs: Any) -> Any:
    """Turn what a user gives into a list of images, or an open video.

    Args:
        original (Callable): mmpose's method, for addresses.
        inferencer (BaseMMPoseInferencer): Gets ``_video_input``, and ``video_info``
            for a video.
        inputs (str | os.PathLike | array | Sequence): The path of an image, a folder or
            a video; an array, a PIL image, a tensor; or a list of images and paths.

    Returns:
        ImageInputs | VideoSource: Of files in a folder those with the name of an image,
        sorted.

    Raises:
        UsageError: It is none of these, or a folder without an image.
        FileNotFoundError: There is no such video.
        VideoError: The video cannot be decoded, or holds no frame.
    """
    if isinstance(inputs, os.PathLike):
        inputs = os.fspath(inputs)
    inferencer._video_input = False
    if isinstance(inputs, str):
        if '://' in inputs and get_file_kind(inputs) != 'video':
            return original(inferencer, inputs)
        return _open(inferencer, inputs)
    if isinstance(inputs, (np.ndarray, Image.Image, torch.Tensor)):
        return ImageInputs([inputs])
    if isinstance(inputs, Sequence) and not isinstance(inputs, bytes):
        return ImageInputs(inputs)
    raise UsageError(
        f'the input is of type {type(inputs).__name__}: give a path, an array (height, '
        'width, 3), a PIL image, a tensor (3, height, width), or a list of these.'
    )


def _open(inferencer: Any, path: str) -> ImageInputs | VideoSource:
    if os.path.isdir(path):
        return ImageInputs(_find_images(path))
    kind = get_file_kind(path)
    if kind == 'image':
        return ImageInputs([path])
    if kind != 'video':
        check_input_exists(path)
        raise UsageError(
            f'{path} is neither an image nor a video by its name; give it the '
            'extension of what it is (.jpg, .png, .mp4).'
        )
    video = VideoSource(path)
    inferencer._video_input = True
    inferencer.video_info = dict(
        fps=video.fps,
        name=video.name,
        writer=None,
        width=video.width,
        height=video.height,
        predictions=[],
        source=video,
    )
    return video


def _find_images(folder: str) -> list[str]:
    names = [path.name for path in list_files(folder)]
    images = [os.path.join(folder, n) for n in names if get_file_kind(n) == 'image']
    if not images:
        raise UsageError(
            f'the folder {folder} holds no image; its subfolders are not searched. '
            'Give a list of paths, or use PosePredictor with recursive=True.'
        )
    return images


def finalize_video_processing(
    original: Callable, inferencer: Any, pred_out_dir: str = ''
) -> None:
    """Close the drawn video and write the predictions: whole or not at all.

    Args:
        original (Callable): mmpose's method, whose work is all done here.
        inferencer (BaseMMPoseInferencer): Its ``video_info`` is that of the video.
        pred_out_dir (str): Folder of the predictions; none where empty.

    Raises:
        OutputError: A file cannot be written, or frames are missing in it; the disk may
            be full.
    """
    info = inferencer.video_info
    if info['writer'] is not None:
        info['writer'].__exit__(None, None, None)
        print_log(
            f'the output video has been saved at {info["output_file"]}', 'current'
        )
    if pred_out_dir:
        found = [
            dict(frame_id=number, instances=people)
            for number, people in enumerate(info['predictions'])
        ]
        name = os.path.splitext(os.path.basename(info['name']))[0]
        write_json(Path(pred_out_dir) / f'{name}.json', found)
    # a camera has none: nobody knows how many frames there were
    source = info.get('source')
    if source is not None and source.frames_missing:
        print_log(source.frames_missing, logger='current', level=logging.WARNING)


def save_visualization(
    original: Callable,
    inferencer: Any,
    visualization: np.ndarray,
    vis_out_dir: str,
    img_name: str | None = None,
) -> None:
    """Write a drawing, whole or not at all, or append it to the drawn video.

    Args:
        original (Callable): mmpose's method, whose work is all done here.
        inferencer (BaseMMPoseInferencer): With ``video_info`` for a video.
        visualization (np.ndarray): (h, w, 3) uint8 RGB.
        vis_out_dir (str): A folder, or a file where the name has an extension.
        img_name (str | None): The file's name in the folder.

    A name that is too long for the file system is named in the log.

    Raises:
        OutputError: The disk is full, or the folder cannot be written to.
    """
    target, image = Path(vis_out_dir), cv2.cvtColor(visualization, cv2.COLOR_RGB2BGR)
    if inferencer._video_input:
        info = inferencer.video_info
        if info['writer'] is None:
            if not target.suffix:
                target = target / os.path.basename(info['name'])
            target.parent.mkdir(parents=True, exist_ok=True)
            info['output_file'] = str(target)
            info['writer'] = VideoFile(target, info['fps'])
        info['writer'].write(image)
        return
    if not target.suffix:
        target = target / (img_name or 'visualization.jpg')
    target.parent.mkdir(parents=True, exist_ok=True)
    with _naming_what_is_not_written():
        write_image(target, image)
        print_log(f'the output image has been saved at {target}', 'current')


def postprocess(
    original: Callable,
    inferencer: Any,
    preds: list[PoseDataSample],
    *args: Any,
    pred_out_dir: str = '',
    **options: Any,
) -> dict:
    """Pack what was found, and write it: each file whole or not at all.

    Args:
        original (Callable): mmpose's method, which packs.
        inferencer (BaseMMPoseInferencer): Gathers the frames of a video.
        preds (list[PoseDataSample]): Of each image.
        *args: As mmpose's method takes them.
        pred_out_dir (str): Folder of the predictions; none where empty.
        **options: As mmpose's method takes them.

    Returns:
        dict: ``visualization`` and ``predictions``; each person of a model with a
        visibility branch has its ``keypoint_presence`` and ``keypoints_visible``.

    Raises:
        OutputError: The disk is full, or the folder cannot be written to.
    """
    packed = original(inferencer, preds, *args, **options)
    for found, sample in zip(packed['predictions'], preds):
        if isinstance(found, list):
            add_presence(found, sample.pred_instances)
    if not pred_out_dir:
        return packed
    for found, sample in zip(packed['predictions'], preds):
        if inferencer._video_input:
            inferencer.video_info['predictions'].append(found)
            continue
        name = os.path.splitext(os.path.basename(sample.metainfo['img_path']))[0]
        with _naming_what_is_not_written():
            write_json(Path(pred_out_dir) / f'{name}.json', found)
    return packed


@contextmanager
def _naming_what_is_not_written() -> Iterator[None]:
    # of many images, the others are written
    try:
        yield
    except NameTooLongError as error:
        print_log(str(error), 'current', logging.ERROR)


def update_model_visualizer_settings(
    original: Callable, inferencer: Any, **options: Any
) -> None:
    """Have the model give heatmaps of the people that are drawn, and no others.

    Args:
        original (Callable): mmpose's method.
        inferencer (Pose2DInferencer): With a model of any kind.
        **options: All options of the call.
    """
    original(inferencer, **options)
    if hasattr(inferencer.model, 'test_options'):
        inferencer.model.test_cfg['heatmap_thr'] = options.get('bbox_thr')
