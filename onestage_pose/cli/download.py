# Copyright (c) onestage_pose contributors.
"""Download published models before they are used."""

from __future__ import annotations

import argparse

from ..zoo import get_model_files, get_model_info, list_models


def run(args: argparse.Namespace) -> None:
    """Download, verify and convert models; print where each is.

    Raises:
        UsageError: A name is unknown: before anything is downloaded.
        CheckpointError: As :func:`onestage_pose.zoo.get_model_files`.
    """
    names = list_models() if args.all else args.names
    for name in names:
        get_model_info(name)
    for name in names:
        print(get_model_files(name, keep_download=args.keep_download).weights)
