# Copyright (c) onestage_pose contributors.
"""Methods of mmpose's inferencers, as this project has them.

Each takes the method of mmpose that it stands for, and then what that takes; see
:mod:`onestage_pose.compat.mmpose_inferencer_inputs`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from PIL import Image

from ..structures import to_bgr_image
from ..utils.errors import ImageError, UsageError
from ..utils.file_kinds import get_file_kind
from ..utils.suggestions import suggest_path
from ..visualization.video_file import check_video
from .video import VideoSource


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
    if kind != 'video' and not os.path.exists(path):
        raise UsageError(f'there is no folder or file {path}.{suggest_path(path)}')
    if kind != 'video':
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
    names = sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.is_file() and not entry.name.startswith('.')
    )
    images = [os.path.join(folder, n) for n in names if get_file_kind(n) == 'image']
    if not images:
        raise UsageError(
            f'the folder {folder} holds no image; folders within it are not looked '
            'into.'
        )
    return images


def finalize_video_processing(
    original: Callable, inferencer: Any, pred_out_dir: str = ''
) -> None:
    """Close the drawn video, and look whether all of it is there.

    Args:
        original (Callable): mmpose's method.
        inferencer (BaseMMPoseInferencer): Its ``video_info`` is that of the video.
        pred_out_dir (str): Folder of the predictions; none where empty.

    Raises:
        OutputError: Frames are missing in the file; the disk may be full.
    """
    original(inferencer, pred_out_dir)
    info = inferencer.video_info
    source = info.get('source')
    if source is None:
        # a camera's: nobody knows how many frames there were
        return
    if info['writer'] is not None:
        check_video(Path(info['output_file']), source.num_read)
    if source.frames_missing:
        print_log(source.frames_missing, logger='current', level=logging.WARNING)


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
