# Copyright (c) onestage_pose contributors.
"""NMS and RoIAlign without compiled mmcv, on CPU and CUDA.

Where only mmcv-lite is installed, ``mmcv.ops`` gets torchvision's operators, but for
RoIAlign in float32 on a CPU, which is :mod:`.roi_align`. Importing
:mod:`onestage_pose` is enough (``onestage_pose.compat.mmcv_operators``).
"""

from .backend import backend, describe_backend, log_backend

__all__ = ['backend', 'describe_backend', 'log_backend']
