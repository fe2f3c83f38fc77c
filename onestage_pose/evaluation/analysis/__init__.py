# Copyright (c) onestage_pose contributors.
"""Why an evaluation gives the numbers it gives; numpy alone."""

from .analysis import Analysis, analyse
from .people import ImagePeople, read_people
from .summary import summarize

__all__ = ['Analysis', 'ImagePeople', 'analyse', 'read_people', 'summarize']
