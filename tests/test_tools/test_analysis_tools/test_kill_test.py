# Copyright (c) onestage_pose contributors.
import subprocess
import sys

from onestage_pose.utils.paths import get_data_root

import pytest


def kill(*args):
    return subprocess.run(
        [sys.executable, 'tools/analysis_tools/kill_test.py', *map(str, args)],
        cwd=get_data_root(),
        capture_output=True,
        text=True,
    )


def test_an_earlier_report_is_not_overwritten(tmp_path):
    run = kill('--work-dir', tmp_path)
    assert run.returncode != 0
    assert f'{tmp_path} exists' in run.stderr


@pytest.mark.slow
def test_killed_runs_end_as_the_untouched_one(tmp_path):
    # One at a random moment, one while it writes a checkpoint.
    run = kill('--kills', 2, '--work-dir', tmp_path / 'work')
    assert run.returncode == 0, run.stdout + run.stderr
    assert '2 of 2 identical' in (tmp_path / 'work/report.md').read_text()
