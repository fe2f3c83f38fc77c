# Copyright (c) onestage_pose contributors.
"""Train a model from a config. The options are those of MMPose's train.py."""

import argparse

from onestage_pose.cli.parsers import add_train_arguments, parse
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.train import merge_args, run

__all__ = ['main', 'merge_args', 'parse_args']


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    return parse(add_train_arguments, argv, 'Train a pose model')


def main(argv: list[str] | None = None) -> None:
    """Train, or resume a training."""
    run(parse_args(argv))


if __name__ == '__main__':
    run_tool(main)
