# Copyright (c) onestage_pose contributors.
"""Every error that this project raises on purpose, under one base class.

A program tells what its user can mend (:class:`OnestagePoseError`, said in one line)
from a fault of the code (anything else, shown with a traceback) without importing the
part that raises it. Each class also derives from the built-in exception that callers
would expect there.
"""

from __future__ import annotations

import signal


class OnestagePoseError(Exception):
    """Something that the user can mend; the message names file, key and remedy."""


class UsageError(OnestagePoseError, ValueError):
    """Something is wrong with what was typed; the message says what to type."""


class ConfigValueError(OnestagePoseError, ValueError):
    """A value in a config or an option that nothing can be done with."""


class ConfigNameError(OnestagePoseError, KeyError):
    """A name in a config or an option that means nothing, probably misspelt."""

    def __str__(self) -> str:
        # KeyError shows the repr of its message, with its quotes escaped.
        return str(self.args[0])


class ImageError(OnestagePoseError, ValueError):
    """An image that cannot be used; the message names the file or what is expected."""


class VideoError(OnestagePoseError, ValueError):
    """A video that cannot be read; the message names the file."""


class OnnxFileError(OnestagePoseError, ValueError):
    """An ONNX file that is not as this project exports it; names file and part."""


class OutputError(OnestagePoseError, OSError):
    """A result could not be written; the message names the file."""


class AnnotationError(OnestagePoseError, ValueError):
    """An annotation or result that nobody can be sure of; names file and record."""


class CheckpointError(OnestagePoseError, RuntimeError):
    """A checkpoint that cannot be used; the message names the file."""


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint that holds more than tensors and plain data."""


class BrokenCheckpointError(CheckpointError):
    """A file that is truncated, or no checkpoint at all."""


class OversizedCheckpointError(CheckpointError):
    """A file that asks for more memory or time than anything in it needs."""


class CheckpointMismatchError(CheckpointError):
    """A checkpoint of another model than the config's, or of a failed training."""


class WrongWeightsError(CheckpointError, ValueError):
    """Weights of a published model that are not the file that was published."""


class DownloadError(CheckpointError):
    """A published file that cannot be fetched; names its address and the remedy."""


class ConversionError(CheckpointError):
    """A checkpoint of a model that is not known here; names file and arrays."""


class SaveError(CheckpointError):
    """A checkpoint could not be written; what was there before is still there."""


class NonFiniteError(OnestagePoseError, FloatingPointError):
    """A network has come to NaN or infinity; the message names the images."""


class PreemptedError(OnestagePoseError):
    """A training was asked to end, has saved its state, and ends.

    Attributes:
        exit_status (int): 143, as a shell names the end by SIGTERM.
    """

    exit_status = 128 + signal.SIGTERM
