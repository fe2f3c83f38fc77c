# Copyright (c) onestage_pose contributors.
"""A model behind HTTP. Needs the extra ``serve``."""

from .app import create_app
from .limits import ServerLimits

__all__ = ['ServerLimits', 'create_app']
