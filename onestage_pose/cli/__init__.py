# Copyright (c) onestage_pose contributors.
"""The command line: arguments, configs and files checked, processes, messages."""
