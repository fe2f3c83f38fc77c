# Copyright (c) onestage_pose contributors.
"""Write a whole model, from image to people, as one ONNX graph.

    python tools/deployment/export_onnx.py CONFIG CHECKPOINT OUT.onnx
    python tools/deployment/export_onnx.py nano OUT.onnx

Height and width of the image and the number of people are free. With --check the
graph is run by ONNX Runtime on the images of a folder and compared with PyTorch.
"""

import argparse

from onestage_pose.cli.export import check, run
from onestage_pose.cli.parsers import add_export_arguments, parse
from onestage_pose.cli.run import run_tool

__all__ = ['check', 'main', 'parse_args']


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    return parse(add_export_arguments, argv, __doc__)


def main(argv: list[str] | None = None) -> None:
    """Export, and compare where that is asked for."""
    run(parse_args(argv))


if __name__ == '__main__':
    run_tool(main)
