# Copyright (c) onestage_pose contributors.
"""Convert a Keypoint R-CNN of Detectron2 or torchvision to this project, and back.

    python tools/model_converters/detectron2_to_mmpose.py model_final_a6e10b.pkl r50.pth
    python tools/model_converters/detectron2_to_mmpose.py model_final.pth gcm.pth
    python tools/model_converters/detectron2_to_mmpose.py --reverse gcm.pth back.pth
    python tools/model_converters/detectron2_to_mmpose.py keypointrcnn_x.pth tv.pth
    python tools/model_converters/detectron2_to_mmpose.py --reverse --to torchvision \\
        tv.pth back.pth

SRC is a `.pkl` of Detectron2's model zoo or a `.pth` of a training, the released ones
of arXiv 2301.04842 among them; ResNet-50, ResNet-101 or ResNeXt-101-32x8d, told apart
by their arrays. Nothing that a file might hold beside weights is run. The file written
goes with the config that is named at the end. With --reverse SRC is a checkpoint of
this project; DST is read by Detectron2, `.pkl` or `.pth`, or by torchvision's
`load_state_dict`.
"""

import argparse

from onestage_pose.cli.convert import run
from onestage_pose.cli.parsers import add_convert_arguments, parse
from onestage_pose.cli.run import run_tool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    return parse(add_convert_arguments, argv, __doc__)


def main(argv: list[str] | None = None) -> None:
    """Check the paths, convert, and print what was written."""
    run(parse_args(argv))


if __name__ == '__main__':
    run_tool(main)
