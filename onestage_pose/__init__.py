# Copyright (c) onestage_pose contributors.
"""One-stage human pose estimation for MMPose and MMDetection.

Importing the package makes mmcv-lite answer for the operators that its models
use, makes loading checkpoints safe, and registers its models, codec, datasets,
transforms and metrics.
"""

from . import compat  # noqa: I001  (has to come before mmengine and mmpose)

compat.install()

from . import ops  # noqa: F401, E402, I001  (has to come before mmdet)
from . import apis, codecs, datasets, engine, evaluation, models  # noqa: F401, E402
from .checkpoints.loading import install as _install_checkpoint_loaders  # noqa: E402
from .version import __version__  # noqa: E402

_install_checkpoint_loaders()
apis.install()

__all__ = ['__version__']
