# Copyright (c) onestage_pose contributors.
"""Analyse the errors behind an evaluation, with NumPy alone."""

from .analysis import Analysis, analyse
from .people import ImagePeople, read_people
from .summary import summarize

__all__ = ['Analysis', 'ImagePeople', 'analyse', 'read_people', 'summarize']
