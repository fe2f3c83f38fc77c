# Copyright (c) onestage_pose contributors.
"""Metrics, registered in mmpose's METRICS."""

from .metrics import KeypointCocoMetric, PersonBoxMetric

__all__ = ['KeypointCocoMetric', 'PersonBoxMetric']
