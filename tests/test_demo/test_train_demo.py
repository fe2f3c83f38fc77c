# Copyright (c) onestage_pose contributors.
import subprocess
import sys

from onestage_pose.utils.paths import get_data_root

import pytest


@pytest.mark.slow
def test_demo_trains_evaluates_and_draws(tmp_path):
    run = subprocess.run(
        [sys.executable, 'demo/train_demo.py', '--out-dir', str(tmp_path)],
        cwd=get_data_root(),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    keypoint_ap = float(next(x for x in lines if x.startswith('keypoints ')).split()[1])
    assert keypoint_ap >= 0.5
    assert len(list((tmp_path / 'images').glob('[0-9]*.jpg'))) == 12
    assert (tmp_path / 'images' / 'sheet.jpg').is_file()
