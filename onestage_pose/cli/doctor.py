# Copyright (c) onestage_pose contributors.
"""Report what is installed, what it runs on, and what is missing."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata

import torch
from mmcv.ops import nms

from ..ops import describe_backend
from ..utils.errors import UsageError
from ..utils.openmmlab import describe_openmmlab
from ..version import __version__
from ..zoo import get_home, is_on_disk, list_models
from .files import count

#: Needed packages, and the distributions that one may come from.
REQUIRED = {
    'torch': ('torch',),
    'torchvision': ('torchvision',),
    'numpy': ('numpy',),
    'opencv': (
        'opencv-python',
        'opencv-python-headless',
        'opencv-contrib-python',
        'opencv-contrib-python-headless',
    ),
    'pycocotools': ('pycocotools',),
    'timm': ('timm',),
}
#: Optional packages, and what each is for.
OPTIONAL = {
    'onnx': 'export to ONNX',
    'onnxruntime': 'export --check, demo/onnx_demo.py',
    'pandas': 'PoseResult.to_dataframe',
    'supervision': 'PoseResult.to_supervision',
    'tensorboard': 'curves of a training',
}


def run(args: argparse.Namespace) -> None:
    """Print what there is.

    Raises:
        UsageError: A package that is needed is missing, or an operator does not work.
    """
    print(f'onestage_pose {__version__}')
    print(f'Python {platform.python_version()} on {platform.platform()}')
    versions = {name: find_version(*REQUIRED[name]) for name in REQUIRED}
    versions |= {name: find_version(name) for name in OPTIONAL}
    print(', '.join(f'{name} {versions[name] or "missing"}' for name in REQUIRED))
    print(describe_openmmlab())
    print(describe_backend().removeprefix('onestage_pose.ops: '))
    for device in describe_devices():
        print(device)
    for name, purpose in OPTIONAL.items():
        print(f'{name} {versions[name] or "is not installed"} (for {purpose})')
    ready = [name for name in list_models() if is_on_disk(name)]
    print(f'Models on disk: {", ".join(ready)}; others go to {get_home()}')
    missing = [name for name in REQUIRED if versions[name] is None]
    if missing:
        raise UsageError(
            f'missing: {", ".join(missing)}. docs/get_started/installation.md '
            'says how to install them.'
        )
    check_operators()
    print('Everything needed is installed and works.')


def find_version(*distributions: str) -> str | None:
    """Return the version of the first distribution that is installed; None if none."""
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def describe_devices() -> list[str]:
    """Return a line for each kind of device that PyTorch can use here."""
    cores = count(os.cpu_count() or 1, 'core', 'cores')
    lines = [f'CPU: {cores}; PyTorch computes in {_threads()}']
    for index in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        lines.append(
            f'cuda:{index}: {torch.cuda.get_device_name(index)}, {memory:.0f} GiB'
        )
    if torch.backends.mps.is_available():
        lines.append('mps: of this Mac')
    return lines


def _threads() -> str:
    return count(torch.get_num_threads(), 'thread', 'threads')


def check_operators() -> None:
    """Raise ``UsageError`` where NMS does not keep the boxes that it has to."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    _, kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]), iou_threshold=0.5)
    if kept.tolist() != [0, 2]:
        raise UsageError(f'nms kept the boxes {kept.tolist()}, not [0, 2].')
