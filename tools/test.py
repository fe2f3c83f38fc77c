# Copyright (c) onestage_pose contributors.
"""Evaluate a checkpoint. The options are those of MMPose's test.py."""

import argparse

from onestage_pose.cli.parsers import add_test_arguments, parse
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.test import merge_args, run

__all__ = ['main', 'merge_args', 'parse_args']


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    return parse(add_test_arguments, argv, 'Test (and evaluate) a pose model')


def main(argv: list[str] | None = None) -> None:
    """Evaluate, and write the metrics where that is asked for."""
    run(parse_args(argv))


if __name__ == '__main__':
    run_tool(main)
