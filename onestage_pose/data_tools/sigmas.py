# Copyright (c) onestage_pose contributors.
"""The sigma of object keypoint similarity (OKS) where none is known."""

#: Of a keypoint that COCO-WholeBody does not name: between COCO's eyes and hips.
DEFAULT_SIGMA = 0.05
