# Copyright (c) onestage_pose contributors.
"""What to install where MMPose is missing.

Upstream: mmpose 1.3.2 requires chumpy, which does not build, and xtcocotools, which has
no wheels for current Pythons. pip cannot leave them out, so that no dependency of this
package names mmpose, and it is easily forgotten.
"""

from __future__ import annotations

import importlib.util


def check_mmpose() -> None:
    """Check that MMPose is there, without importing it.

    Raises:
        ImportError: It is not; the message has the command that installs it.
    """
    if importlib.util.find_spec('mmpose') is None:
        raise ImportError(
            "onestage_pose needs MMPose: run pip install --no-deps 'mmpose>=1.3.2,<2'. "
            'Without --no-deps pip would try to build chumpy, which is not needed and '
            'does not build (docs/get_started/installation.md).',
            name='mmpose',
        )
