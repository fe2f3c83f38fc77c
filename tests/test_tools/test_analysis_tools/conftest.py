# Copyright (c) onestage_pose contributors.
"""Makes the parts of the tools importable, as Python does when it runs a tool."""

import sys

from tests.tool_runs import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis_tools'))
