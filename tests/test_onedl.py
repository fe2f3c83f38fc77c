# Copyright (c) onestage_pose contributors.
"""``nano`` gives the same on the forks onedl-mmengine and onedl-mmdetection."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORKS = ['onedl-mmengine==0.10.12', 'onedl-mmdetection==3.5.1']
PREDICT = """
import sys
import onestage_pose
import numpy as np
from matplotlib import cbook
from mmpose.apis import inference_bottomup
import mmdet
import mmengine
photo = cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)
model = onestage_pose.load_model('nano', 'cpu')
people = inference_bottomup(model, str(photo))[0].pred_instances
np.savez(
    sys.argv[1],
    versions=[mmengine.__version__, mmdet.__version__],
    keypoints=people.keypoints,
    bboxes=people.bboxes,
    scores=people.keypoint_scores,
)
"""


def predict(path, *folders):
    """Return what ``nano`` finds in a fresh process with ``folders`` first."""
    import numpy as np

    env = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, [*folders, ROOT])))
    command = [sys.executable, '-c', PREDICT, path]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(np.load(path))


@pytest.fixture
def forks(tmp_path):
    """A folder with the forks, installed without a compiler."""
    folder = tmp_path / 'forks'
    command = [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps']
    env = dict(os.environ, CC='false', CXX='false')
    done = subprocess.run(
        [*command, '--target', folder, *FORKS], env=env, capture_output=True, text=True
    )
    if 'onnection' in done.stderr and done.returncode:
        pytest.skip('the package index cannot be reached')
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_predicts_the_same_on_the_forks(forks, tmp_path):
    usual = predict(tmp_path / 'usual.npz')

    forked = predict(tmp_path / 'forked.npz', forks)

    assert forked.pop('versions').tolist() == ['0.10.12', '3.5.1']
    usual.pop('versions')
    assert all((usual[name] == forked[name]).all() for name in usual)
    assert len(usual['keypoints'])
