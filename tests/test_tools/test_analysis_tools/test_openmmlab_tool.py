# Copyright (c) onestage_pose contributors.
"""MMPose's and MMDetection's own tools run on this project's configs."""

from pathlib import Path

from onestage_pose.utils.errors import UsageError

import cv2
import pytest

from tests.test_apis.tiny_model import write_tiny_model
from tests.test_datasets.conftest import CocoSet, make_image, make_person
from tests.tool_runs import REPOSITORY, run_tool

TOOL = 'analysis_tools/openmmlab_tool'


def test_mmposes_get_flops_counts_a_models_operations(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config, _ = write_tiny_model(tmp_path)

    run_tool(TOOL, 'mmpose', 'get_flops', config, '--input-shape', 64, 96)

    text = capsys.readouterr().out
    assert 'Input shape: (1, 3, 64, 96)' in text
    assert 'Flops: ' in text
    # the keypoint branch is among what is counted
    assert 'keypoint_head' in text


def test_mmdets_browse_dataset_draws_the_annotations(tmp_path: Path) -> None:
    coco = CocoSet(tmp_path, [make_image(1), make_image(2)], [make_person(1)])
    base = REPOSITORY / 'configs/_base_'
    config = tmp_path / 'browse.py'
    config.write_text(
        f"_base_ = ['{base}/datasets/coco_keypoints.py', "
        f"'{base}/default_runtime.py']\n"
        "dataset = dict(ann_file='annotations.json', data_prefix=dict(img='images/'))\n"
        f"dataset['data_root'] = '{coco.root}'\n"
        'train_dataloader = dict(dataset=dataset)\n'
    )
    out = tmp_path / 'out'

    run_tool(TOOL, 'mmdet', 'browse_dataset', config, '--not-show', '--output-dir', out)

    drawn = cv2.imread(str(out / '0001.png'))
    assert {path.name for path in out.iterdir()} == {'0001.png'}
    # of an image that is grey all over
    assert drawn.std() > 0


def test_a_tool_that_there_is_not_is_named_with_the_likely_one() -> None:
    with pytest.raises(UsageError, match="mmpose has no tool 'get_flop'.* get_flops"):
        run_tool(TOOL, 'mmpose', 'get_flop')
