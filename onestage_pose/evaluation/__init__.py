# Copyright (c) onestage_pose contributors.
"""Metrics, registered in mmpose's METRICS."""

from .metrics import KeypointCocoMetric, KeypointVisibilityMetric, PersonBoxMetric

__all__ = ['KeypointCocoMetric', 'KeypointVisibilityMetric', 'PersonBoxMetric']
