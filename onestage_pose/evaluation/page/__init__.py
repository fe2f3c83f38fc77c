# Copyright (c) onestage_pose contributors.
"""The report as one HTML page that needs no other file."""

from .writing import write_page

__all__ = ['write_page']
