# Copyright (c) onestage_pose contributors.
"""Fine-tune a published model to keypoints of your own: `onestage-pose finetune`."""

from onestage_pose.cli.finetune import run
from onestage_pose.cli.parsers import add_finetune_arguments, parse
from onestage_pose.cli.run import run_tool


def main(argv: list[str] | None = None) -> None:
    """Fine-tune, or resume."""
    run(parse(add_finetune_arguments, argv, __doc__))


if __name__ == '__main__':
    run_tool(main)
