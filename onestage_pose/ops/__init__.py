# Copyright (c) onestage_pose contributors.
"""Makes mmcv-lite answer for the compiled operators of Mask R-CNN-style models.

Importing this package is enough, and has to come before the first import of
``mmcv.ops`` (so before mmdet): where mmcv is not compiled, nms and RoIAlign go to
torchvision's operators from then on, on CPU and CUDA, but for RoIAlign in float32 on a
CPU, which is :mod:`.roi_align`.
"""

from .backend import backend, describe_backend, install, log_backend

install()

__all__ = ['backend', 'describe_backend', 'log_backend']
