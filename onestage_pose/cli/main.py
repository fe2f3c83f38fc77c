# Copyright (c) onestage_pose contributors.
"""The command ``onestage-pose``, which does what the scripts in ``tools/`` do."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..utils.errors import OnestagePoseError
from ..utils.file_kinds import get_file_kind
from ..utils.suggestions import did_you_mean
from ..version import __version__
from . import parsers
from .args import Parser
from .named_files import ONE_INPUT, check_named_files
from .run import run_tool


class Command(NamedTuple):
    """A command; the module with its name (``-`` as ``_``) has ``run(args)``.

    Attributes:
        summary (str): What it does, in one line.
        add_arguments (Callable): Adds its options to a parser.
    """

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]


#: By name, in the order of the help.
COMMANDS = {
    'predict': Command(
        'detect people in images, videos and streams, and draw them',
        parsers.add_predict_arguments,
    ),
    'track': Command(
        'follow people through a video, and write who is who',
        parsers.add_track_arguments,
    ),
    'bulk': Command(
        'find the people of many images, by several processes or a cluster',
        parsers.add_bulk_arguments,
    ),
    'models': Command('list the published models', parsers.add_models_arguments),
    'download': Command(
        'download published models before they are used',
        parsers.add_download_arguments,
    ),
    'convert': Command(
        'convert a checkpoint of Detectron2 or torchvision, or back',
        parsers.add_convert_arguments,
    ),
    'export': Command('write a model as one ONNX graph', parsers.add_export_arguments),
    'serve': Command('serve a model over HTTP', parsers.add_serve_arguments),
    'web': Command('run a model in a web page', parsers.add_web_arguments),
    'train': Command('train a model from a config', parsers.add_train_arguments),
    'finetune': Command(
        'fine-tune a published model to keypoints of your own',
        parsers.add_finetune_arguments,
    ),
    'test': Command('evaluate a checkpoint', parsers.add_test_arguments),
    'evaluate': Command(
        'report what a model or results get wrong, and how much AP it costs',
        parsers.add_evaluate_arguments,
    ),
    'convert-data': Command(
        'convert annotations of other programs to COCO keypoint files',
        parsers.add_convert_data_arguments,
    ),
    'check-data': Command(
        'report what is in a COCO keypoint file, and what is wrong with it',
        parsers.add_check_data_arguments,
    ),
    'doctor': Command(
        'report what is installed and what is missing', parsers.add_doctor_arguments
    ),
}


def build_parser() -> Parser:
    """Build the parser of all commands, without importing what they run."""
    return build_parsers()[0]


def build_parsers() -> tuple[Parser, dict[str, Parser]]:
    """Build the parsers, as :func:`build_parser` does.

    Returns:
        tuple[Parser, dict[str, Parser]]: The parser, and that of each command.
    """
    parser = Parser(
        allow_abbrev=False,
        prog='onestage-pose',
        description='One-stage human pose estimation.',
        epilog='onestage-pose COMMAND --help lists the options of a command.',
    )
    parser.add_argument(
        '--version', action='version', version=f'onestage_pose {__version__}'
    )
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    of_each = {}
    for name, command in COMMANDS.items():
        summary = command.summary
        of_each[name] = commands.add_parser(
            name,
            allow_abbrev=False,
            help=summary,
            description=f'{summary[0].upper()}{summary[1:]}.',
        )
        command.add_arguments(of_each[name])
    return parser, of_each


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command of the command line.

    Args:
        argv (Sequence[str] | None): The arguments, by default those of ``sys.argv``.

    Raises:
        SystemExit: Status 2 for a mistyped command line, 1 for an error that the user
            can correct, as :func:`onestage_pose.cli.run.run_tool` says.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser, of_each = build_parsers()
    if words and not words[0].startswith('-') and words[0] not in COMMANDS:
        hint = did_you_mean(words[0], COMMANDS)
        parser.error(f'there is no command {words[0]!r}.{hint}')
    args, unknown = parser.parse_known_args(words)
    if unknown:
        hint = ''
        if any(get_file_kind(word) in ('image', 'video') for word in unknown):
            hint = f'. {ONE_INPUT}'
        of_each[args.command].error(
            f'unrecognized arguments: {" ".join(unknown)}{hint}'
        )
    try:
        check_named_files(args)
    except OnestagePoseError as error:
        sys.exit(f'Error: {error}')
    module = args.command.replace('-', '_')

    def run(_: list[str] | None) -> None:
        # PyTorch and OpenMMLab are imported from here on
        importlib.import_module(f'.{module}', __package__).run(args)

    run_tool(run)
