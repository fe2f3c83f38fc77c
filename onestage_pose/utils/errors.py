# Copyright (c) onestage_pose contributors.
"""Every error that this project raises on purpose, under one base class.

A program can tell an error that its user can correct (:class:`OnestagePoseError`, shown
in one line) from a fault of the code (anything else, shown with a traceback) without
importing the part that raises it. Each class also derives from the built-in exception
that callers expect.
"""

from __future__ import annotations

import signal


class OnestagePoseError(Exception):
    """An error that the user can correct; the message names file, key and remedy."""


class UsageError(OnestagePoseError, ValueError):
    """An argument or option is wrong; the message says what to give instead."""


class ConfigValueError(OnestagePoseError, ValueError):
    """A value in a config or an option is invalid."""


class ConfigNameError(OnestagePoseError, KeyError):
    """A name in a config or an option is unknown, probably misspelt."""

    def __str__(self) -> str:
        # KeyError shows the repr of its message, with its quotes escaped.
        return str(self.args[0])


class ImageError(OnestagePoseError, ValueError):
    """An image cannot be used; the message names the file or what is expected."""


class VideoError(OnestagePoseError, ValueError):
    """A video cannot be read; the message names the file."""


class OnnxFileError(OnestagePoseError, ValueError):
    """An ONNX file was not exported by this project; it names file and part."""


class OutputError(OnestagePoseError, OSError):
    """A result could not be written; the message names the file."""


class AnnotationError(OnestagePoseError, ValueError):
    """An annotation or result is invalid or ambiguous; the message names file and
    record.
    """


class CheckpointError(OnestagePoseError, RuntimeError):
    """A checkpoint cannot be used; the message names the file."""


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint holds more than tensors and plain data."""


class BrokenCheckpointError(CheckpointError):
    """A file is truncated, or is not a checkpoint."""


class OversizedCheckpointError(CheckpointError):
    """A file needs far more memory or time than its own size."""


class CheckpointMismatchError(CheckpointError):
    """A checkpoint is of another model than the config's, or of a failed training."""


class WrongWeightsError(CheckpointError, ValueError):
    """The weights of a published model are not the published file."""


class DownloadError(CheckpointError):
    """A published file cannot be downloaded; the message names its address and the
    remedy.
    """


class ConversionError(CheckpointError):
    """A checkpoint is of an unknown model; the message names file and arrays."""


class SaveError(CheckpointError):
    """A checkpoint could not be written; what was there before is unchanged."""


class NonFiniteError(OnestagePoseError, FloatingPointError):
    """A network has NaN or infinite values; the message names the images."""


class PreemptedError(OnestagePoseError):
    """Training was asked to stop and has saved its state.

    Attributes:
        exit_status (int): 143, a shell's status after SIGTERM.
    """

    exit_status = 128 + signal.SIGTERM


class RunInterruptedError(OnestagePoseError):
    """Ctrl-C ended the work; the message says where, and how it continues.

    Attributes:
        exit_status (int): 130, a shell's status after SIGINT.
    """

    exit_status = 128 + signal.SIGINT
