# Copyright (c) onestage_pose contributors.
from mmpose.apis import Pose2DInferencer


def install() -> None:
    """Makes ``bbox_thr`` of mmpose's 2D inferencers mean something here.

    In mmpose 1.3.2 ``Pose2DInferencer.forward`` leaves out people whose box score
    is not over ``bbox_thr``, and ``__call__`` of it and of ``MMPoseInferencer``
    hand the option on where ``forward_kwargs`` names it, which it does not: only
    top-down models and the class ``BottomupPoseEstimator`` get to see it. Naming
    it changes nothing for calls without ``bbox_thr``. Harmless when called again.
    """
    Pose2DInferencer.forward_kwargs = Pose2DInferencer.forward_kwargs | {'bbox_thr'}
