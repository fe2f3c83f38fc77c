# Copyright (c) onestage_pose contributors.
"""Carries configs, projects, tools and web in ``onestage_pose/.mim``, as mim does.

Everything else about the package is in pyproject.toml.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CARRIED = ('configs', 'projects', 'tools', 'web', 'model-index.yml')


class BuildWithMim(build_py):
    """Copies :data:`CARRIED` into the wheel; an editable install reads the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        mim = Path(self.build_lib) / 'onestage_pose' / '.mim'
        shutil.rmtree(mim, ignore_errors=True)
        mim.mkdir(parents=True)
        ignored = shutil.ignore_patterns('__pycache__', '*.pyc', 'setup', '*.pth')
        for name in CARRIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, mim / name, ignore=ignored)
            else:
                shutil.copy2(source, mim / name)


setup(cmdclass={'build_py': BuildWithMim})
