# Copyright (c) onestage_pose contributors.
"""What mmpose's inference needs beside the model."""

from .inferencer_options import install

__all__ = ['install']
