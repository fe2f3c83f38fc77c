# Copyright (c) onestage_pose contributors.
"""The parts of ``tools/analysis_tools/benchmark.py``.

``models`` builds what is timed, ``timing`` times it in turns, ``report`` writes the
tables, ``plot`` the figure, and ``command`` reads the command line.
"""
