# Copyright (c) onestage_pose contributors.
"""Synthetic people: images with exact annotations, drawn on the fly.

Importing it registers :class:`SyntheticPeople` in mmpose's DATASETS; in a config by
``custom_imports = dict(imports=['onestage_pose.projects.synthetic_people'])``.
"""

from .dataset import SyntheticPeople

__all__ = ['SyntheticPeople']
