# Copyright (c) onestage_pose contributors.
"""The steps of the set-up, and what makes one of them due again."""

import hashlib
import json
from pathlib import Path

from python_version import source_packages

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / 'requirements'
BUILD = REQUIREMENTS / 'build.txt'


class Step:
    """One part of the set-up.

    Args:
        name (str): shown, and the key in setup.json.
        command (list): what follows ``VENV/bin/python``, as strings.
        files (tuple): paths whose content decides whether it must be run again.
        large (bool): it downloads gigabytes.
    """

    def __init__(self, name: str, command: list, files: tuple, large: bool = False):
        self.name = name
        self.command = command
        self.files = files
        self.large = large

    def key(self, before: str) -> str:
        """Hash of this step's inputs and of ``before``, the key of the last one."""
        digest = hashlib.sha256(before.encode())
        digest.update(json.dumps(self.command).encode())
        for path in self.files:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def pip_step(name: str, requirements: str, large: bool = False) -> Step:
    """A step that installs a file of requirements/, ready-made packages only."""
    wanted = REQUIREMENTS / requirements
    command = ['-m', 'pip', 'install', '--no-build-isolation']
    # chumpy, of mmpose, is there as source only; it has nothing to compile.
    command += ['--only-binary', ':all:', '--no-binary', ','.join(source_packages())]
    if wanted != BUILD:
        command += ['--constraint', str(BUILD)]
    return Step(name, command + ['--requirement', str(wanted)], (BUILD, wanted), large)


def plan(lint: bool) -> list:
    """The steps after the environment itself, in order."""
    if lint:
        return [pip_step('linter', 'lint.txt')]
    editable = ['-m', 'pip', 'install', '--no-build-isolation', '--constraint']
    editable += [str(BUILD), '--editable', str(ROOT)]
    check = ROOT / 'tools' / 'setup' / 'check_env.py'
    return [
        pip_step('build tools: setuptools, wheel, numpy', 'build.txt'),
        pip_step('PyTorch (2 to 4 GB of downloads)', 'torch.txt', large=True),
        pip_step('MMEngine, MMCV-lite, MMDetection, MMPose', 'openmmlab.txt'),
        pip_step('tests, notebook, TensorBoard', 'tests.txt'),
        Step(
            'onestage_pose, editable',
            editable,
            (ROOT / 'pyproject.toml', ROOT / 'setup.py'),
        ),
        Step('check: import everything, run an operator', [str(check)], (check,)),
    ]
