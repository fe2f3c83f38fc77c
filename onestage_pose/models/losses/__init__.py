# Copyright (c) onestage_pose contributors.
from .gaussian_cross_entropy_loss import GaussianCrossEntropyLoss

__all__ = ['GaussianCrossEntropyLoss']
