# Copyright (c) onestage_pose contributors.
"""The option ``bbox_thr`` of mmpose's 2D inferencers, for every model.

Upstream: mmpose 1.3.2, ``Pose2DInferencer``. Its ``forward`` leaves out people whose
box score is not over ``bbox_thr``, and its ``__call__`` and that of
``MMPoseInferencer`` hand on what ``forward_kwargs`` names, which that option is not:
only top-down models and the class ``BottomupPoseEstimator`` get to see it. Can go once
it is named there.
"""

from __future__ import annotations

from types import ModuleType

from .hooks import when_imported


def install() -> None:
    """Name ``bbox_thr`` as an option, once mmpose's inferencer is imported."""
    when_imported('mmpose.apis.inferencers.pose2d_inferencer', add_option)


def add_option(pose2d_inferencer: ModuleType) -> None:
    """Name ``bbox_thr`` as an option; changes nothing for calls without it.

    Args:
        pose2d_inferencer: ``mmpose.apis.inferencers.pose2d_inferencer``.
    """
    inferencer = pose2d_inferencer.Pose2DInferencer
    inferencer.forward_kwargs = inferencer.forward_kwargs | {'bbox_thr'}
