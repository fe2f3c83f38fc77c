# Copyright (c) onestage_pose contributors.
"""Prints the versions in use; fails where a package or an operator does not work."""

from __future__ import annotations

import importlib
import platform

import onestage_pose.ops

import torch
from mmcv.ops import nms

PACKAGES = ('torch', 'torchvision', 'numpy', 'cv2', 'mmengine', 'mmcv', 'mmdet')
PACKAGES += ('mmpose',)


def main() -> None:
    """Raises whatever an import or the operator raises."""
    print(f'Python {platform.python_version()} on {platform.platform()}')
    for name in PACKAGES:
        print(f'{name} {importlib.import_module(name).__version__}')
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    _, kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]), iou_threshold=0.5)
    assert kept.tolist() == [0, 2], f'nms kept {kept.tolist()}, not [0, 2]'
    print(onestage_pose.ops.describe_backend())


if __name__ == '__main__':
    main()
