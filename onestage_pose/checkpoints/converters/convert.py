# Copyright (c) onestage_pose contributors.
"""Convert a checkpoint of whatever program, told by what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from ...utils.errors import ConversionError
from ...utils.paths import get_config_path
from .detectron2 import check_against_config, default_config, from_detectron2
from .detectron2.file import load_plain, parse_detectron2
from .mmpose_file import write_mmpose
from .renamed import Renamed
from .torchvision import from_torchvision, is_torchvision, parse_torchvision

TORCHVISION_CONFIG = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_torchvision_coco.py'


class Conversion(NamedTuple):
    """What was converted.

    Attributes:
        origin (str): Program that wrote the file, ``'Detectron2'`` or
            ``'torchvision'``.
        config (Config): Config of the model.
        number (int): Number of arrays written.
        left_out (list[str]): Names of other content of the file.
    """

    origin: str
    config: Config
    number: int
    left_out: list[str]


def convert_checkpoint(
    source: Path, target: Path, config: Path | None = None
) -> Conversion:
    """Convert a checkpoint of Detectron2 or torchvision to one of this project.

    No code in the file is run.

    Args:
        source (Path): A ``.pkl`` or ``.pth`` file; its array names tell which program
            wrote it.
        target (Path): The checkpoint to write, atomically.
        config (Path, optional): Config of the model; by default this project's config
            with the same backbone and head. For torchvision, the default is the config
            of ``COCO_V1``; a file of ``COCO_LEGACY`` looks the same and needs its
            config here.

    Returns:
        Conversion: What was converted.

    Raises:
        ConversionError: The file is not of a model that this project knows, or not of
            the config's model.
        CheckpointError: If it is broken or holds more than plain data.
        FileNotFoundError: If there is none.
    """
    loaded = load_plain(source)
    if is_torchvision(loaded):
        origin, (arrays, beside) = 'torchvision', parse_torchvision(loaded, source)
        renamed = from_torchvision(arrays, str(source))
        config = config or get_config_path(TORCHVISION_CONFIG)
        constants: Any = {}
    else:
        origin, (arrays, beside) = 'Detectron2', parse_detectron2(loaded, source)
        renamed = from_detectron2(arrays, str(source))
        config = config or default_config(renamed.weights)
        constants = renamed.left_out
    whole = Config.fromfile(config)
    if computes_as_torchvision(whole) != (origin == 'torchvision'):
        raise ConversionError(
            f'{source} is of {origin}, and the model of {whole.filename} has weights '
            'of the same shapes but computes otherwise: leave --config out, or give '
            'the config of this model.'
        )
    check_against_config(renamed.weights, whole, constants)
    write_mmpose(renamed.weights, whole, target)
    return Conversion(origin, whole, len(renamed.weights), _names(renamed, beside))


def computes_as_torchvision(config: Config) -> bool:
    """Return whether a config's model is torchvision's, and not Detectron2's."""
    head = config.model.roi_head.keypoint_head
    return head.get('continuous_keypoints', False)


def _names(renamed: Renamed, beside: list[str]) -> list[str]:
    return [*renamed.left_out, *beside]
