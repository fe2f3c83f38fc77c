# Copyright (c) onestage_pose contributors.
"""Draw the people in images or in a video; ``onestage-pose predict`` does the same."""

import argparse

from onestage_pose.cli.parsers import add_predict_arguments, parse
from onestage_pose.cli.predict import run
from onestage_pose.cli.run import run_tool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    return parse(add_predict_arguments, argv, __doc__)


def main(argv: list[str] | None = None) -> None:
    """Draw what the command line asks for."""
    run(parse_args(argv))


if __name__ == '__main__':
    run_tool(main)
