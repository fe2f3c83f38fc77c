# Copyright (c) onestage_pose contributors.
"""Time this project's models beside alternatives: see ``benchmark/__main__.py``."""

from onestage_pose.cli.run import run_tool

# the folder beside this file, which Python prefers to the file
from benchmark.__main__ import main

if __name__ == '__main__':
    run_tool(main)
