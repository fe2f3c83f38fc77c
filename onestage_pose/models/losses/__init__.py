# Copyright (c) onestage_pose contributors.
from .gaussian_cross_entropy_loss import GaussianCrossEntropyLoss
from .known_bce_loss import KnownBCELoss

__all__ = ['GaussianCrossEntropyLoss', 'KnownBCELoss']
