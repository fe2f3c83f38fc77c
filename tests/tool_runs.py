# Copyright (c) onestage_pose contributors.
"""Runs tools/*.py inside the test's own process, which saves their imports."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from onestage_pose.visualization.pose_visualizer import PoseVisualizer

import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer
from mmpose.visualization import PoseLocalVisualizer

REPOSITORY = Path(__file__).resolve().parents[1]


def load_tool(name: str) -> ModuleType:
    """Imports ``tools/NAME.py``, or ``NAME.py`` of a project: ``projects/...``."""
    folder = REPOSITORY if name.startswith('projects/') else REPOSITORY / 'tools'
    path = folder / f'{name}.py'
    spec = importlib.util.spec_from_file_location(f'tools_{name}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_tool(name: str, *argv: Any) -> None:
    """Runs ``python tools/NAME.py ARGV...``; errors are raised."""
    clear_global_state()
    load_tool(name).main([str(word) for word in argv])


def clear_global_state() -> None:
    """Makes mmengine forget the run before, and draws no seed from it."""
    visualizers = Visualizer, PoseLocalVisualizer, PoseVisualizer
    for kind in (DefaultScope, MessageHub, MMLogger, *visualizers):
        kind._instance_dict.clear()
    os.environ.pop('LOCAL_RANK', None)
    torch.manual_seed(torch.seed() % 2**31)
