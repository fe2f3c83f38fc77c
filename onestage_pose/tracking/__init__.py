# Copyright (c) onestage_pose contributors.
"""People of a video: who is who in each frame, and keypoints that do not shake."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'OneEuroFilter': 'smoothing',
    'PoseTracker': 'pose_tracker',
    'TiledPredictor': 'tiles',
    'track_video': 'video',
}
__all__ = list(_EXPORTS)
__getattr__ = lazy_exports(__name__, _EXPORTS)
