# Copyright (c) onestage_pose contributors.
"""Report what is installed, what it runs on, and what is missing."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata

import torch
from mmcv.ops import nms
from packaging.requirements import Requirement

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
#: Extras that are told otherwise: OpenMMLab's packages, of which one or the other do.
_OPENMMLAB = ('lite', 'full', 'mmpose')


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
    for line in describe_extras():
        print(line)
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


def describe_extras() -> list[str]:
    """Return a line for each extra: what it needs, and what is missing of that."""
    try:
        package = metadata.metadata('onestage_pose')
        requirements = metadata.requires('onestage_pose') or []
    except metadata.PackageNotFoundError:
        return ['Extras: not known, since onestage_pose runs without being installed']
    found: dict[str, list[str]] = {}
    for requirement in map(Requirement, requirements):
        for extra in package.get_all('Provides-Extra') or []:
            if extra not in _OPENMMLAB and _is_of(requirement, extra):
                found.setdefault(extra, []).append(_describe(requirement))
    return [
        f'Extra "{extra}" (pip install "onestage_pose[{extra}]"): {", ".join(packages)}'
        for extra, packages in found.items()
    ]


def _is_of(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    if marker is None or marker.evaluate({'extra': ''}):
        return False
    return marker.evaluate({'extra': extra})


def _describe(requirement: Requirement) -> str:
    name, version = requirement.name, find_version(requirement.name)
    if version is None:
        return f'{name} is missing'
    if not requirement.specifier.contains(version, prereleases=True):
        return f'{name} {version} is not {requirement.specifier}'
    return f'{name} {version}'


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
