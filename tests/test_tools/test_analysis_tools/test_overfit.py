# Copyright (c) onestage_pose contributors.
import json
import subprocess
import sys

from onestage_pose.utils.paths import get_data_root

import pytest


def overfit(*args):
    return subprocess.run(
        [sys.executable, 'tools/analysis_tools/overfit.py', *map(str, args)],
        cwd=get_data_root(),
        capture_output=True,
        text=True,
    )


def test_a_missing_data_set_is_named_with_the_remedy(tmp_path):
    run = overfit(tmp_path / 'nowhere', '--work-dir', tmp_path / 'out')
    assert run.returncode != 0
    assert 'nowhere' in run.stderr and '--ann-file' in run.stderr


@pytest.mark.slow
def test_eight_real_pictures_are_learnt_to_a_keypoint_ap_of_090(shared_dir, tmp_path):
    run = overfit(shared_dir / 'data' / 'coco_pool', '--work-dir', tmp_path)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    pictures = json.loads((tmp_path / 'pictures.json').read_text())
    people = [ann['image_id'] for ann in pictures['annotations']]
    assert len(pictures['images']) == 8
    assert sum(people.count(image['id']) > 1 for image in pictures['images']) == 4
