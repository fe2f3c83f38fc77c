# Copyright (c) onestage_pose contributors.
from ..engine.checkpoint import CheckpointError


class ConversionError(CheckpointError):
    """A checkpoint of a model that is not known here; names file and arrays."""
