# Copyright (c) onestage_pose contributors.
"""One-stage human pose estimation for MMPose and MMDetection.

Importing the package makes mmcv-lite answer for the operators that its models
use, makes loading checkpoints safe, and registers its models, codec, datasets,
transforms and metrics.
"""

from . import ops  # noqa: F401, I001  (has to come before mmdet)
from . import apis, codecs, datasets, engine, evaluation, models  # noqa: F401
from .checkpoints.loading import install as _install_checkpoint_loaders
from .version import __version__

_install_checkpoint_loaders()
apis.install()

__all__ = ['__version__']
