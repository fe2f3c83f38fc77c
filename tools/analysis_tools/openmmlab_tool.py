# Copyright (c) onestage_pose contributors.
"""Run a tool of MMPose or MMDetection with this package imported before it.

    python tools/analysis_tools/openmmlab_tool.py mmpose get_flops CONFIG \
        --input-shape 640 640
    python tools/analysis_tools/openmmlab_tool.py mmdet browse_dataset CONFIG \
        --not-show --output-dir work_dirs/browse

The tools import mmcv's operators before they read a config, so that its custom_imports
come too late where only mmcv-lite is installed. The words behind the name are the
tool's own.
"""

import argparse
import importlib
import runpy
import sys
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.cli.run import run_tool
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.suggestions import did_you_mean

PACKAGES = ('mmpose', 'mmdet')


def find_tools(package: str) -> dict[str, Path]:
    """Find the tools that come with an installed package.

    Args:
        package (str): ``'mmpose'`` or ``'mmdet'``.

    Returns:
        dict[str, Path]: The programs by their names without ``.py``; of two with one
        name, the one deeper in the folders has its own before it
        (``mot/browse_dataset``).
    """
    root = Path(importlib.import_module(package).__file__).parent / '.mim' / 'tools'
    tools: dict[str, Path] = {}
    for path in sorted(root.rglob('*.py'), key=lambda path: (len(path.parts), path)):
        name = path.stem
        tools[f'{path.parent.name}/{name}' if name in tools else name] = path
    return tools


def main(argv: list[str] | None = None) -> None:
    """Run the tool in this process.

    Raises:
        UsageError: The package has no such tool.
    """
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('package', choices=PACKAGES)
    parser.add_argument('tool', help='its name, such as get_flops')
    parser.add_argument('words', nargs=argparse.REMAINDER, help="the tool's own")
    args = parser.parse_args(argv)
    tools = find_tools(args.package)
    path = tools.get(args.tool.removesuffix('.py'))
    if path is None:
        raise UsageError(
            f'{args.package} has no tool {args.tool!r}.'
            f'{did_you_mean(args.tool, tools)} It has {", ".join(tools)}.'
        )
    before = sys.argv
    sys.argv = [str(path), *args.words]
    try:
        runpy.run_path(str(path), run_name='__main__')
    finally:
        sys.argv = before


if __name__ == '__main__':
    run_tool(main)
