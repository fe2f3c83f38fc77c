# Copyright (c) onestage_pose contributors.
"""Metrics, registered in mmpose's METRICS."""

from .metrics import (
    KeypointCocoMetric,
    KeypointReport,
    KeypointVisibilityMetric,
    PersonBoxMetric,
)

__all__ = [
    'KeypointCocoMetric',
    'KeypointReport',
    'KeypointVisibilityMetric',
    'PersonBoxMetric',
]
