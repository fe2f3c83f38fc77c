# Copyright (c) onestage_pose contributors.
"""The command that converts tells programs apart, and does not mix them up."""

from pathlib import Path

from onestage_pose.checkpoints.converters import convert_checkpoint, read_mmpose
from onestage_pose.utils.errors import ConversionError, UsageError

import pytest
import torch

from tests.detectron2_arrays import constants, narrow_arrays, narrow_config
from tests.tool_runs import run_tool

TOOL = 'model_converters/detectron2_to_mmpose'
TORCHVISION = 'configs/keypoint_rcnn/keypoint-rcnn_r50_fpn_torchvision_coco.py'


def narrow_torchvision_config(folder: Path) -> Path:
    text = narrow_config(folder, gcm=False).read_text()
    path = folder / 'narrow_torchvision.py'
    path.write_text(
        text.replace('keypoint-rcnn_r50_fpn_3x_coco.py', Path(TORCHVISION).name)
    )
    return path


@pytest.fixture
def ours(tmp_path):
    """A checkpoint of Detectron2, narrow, converted."""
    arrays = {**narrow_arrays(gcm=False), **constants()}
    model = {name: torch.from_numpy(array) for name, array in arrays.items()}
    torch.save(dict(model=model), tmp_path / 'theirs.pth')
    config = narrow_config(tmp_path, gcm=False)
    convert_checkpoint(tmp_path / 'theirs.pth', tmp_path / 'ours.pth', config)
    return tmp_path / 'ours.pth'


@pytest.fixture
def torchvisions(ours, tmp_path):
    """The same weights as torchvision would have them."""
    config = narrow_torchvision_config(tmp_path)
    path = tmp_path / 'torchvisions.pth'
    words = ['--reverse', '--to', 'torchvision', '--config', config]
    run_tool(TOOL, *words, ours, path)
    return path


def test_a_file_of_torchvision_is_told_by_its_arrays(torchvisions, ours, tmp_path):
    config = narrow_torchvision_config(tmp_path)

    done = convert_checkpoint(torchvisions, tmp_path / 'back.pth', config)

    (expected, _), (found, _) = read_mmpose(ours), read_mmpose(tmp_path / 'back.pth')
    assert done.origin == 'torchvision'
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_torchvisions_weights_do_not_go_with_a_config_of_detectron2(
    torchvisions, tmp_path
):
    config = narrow_config(tmp_path, gcm=False)

    with pytest.raises(ConversionError, match='is of torchvision.* computes otherwise'):
        convert_checkpoint(torchvisions, tmp_path / 'back.pth', config)

    assert not (tmp_path / 'back.pth').exists()


def test_going_back_to_the_other_program_is_refused(ours, tmp_path):
    config = narrow_torchvision_config(tmp_path)

    with pytest.raises(UsageError, match='computes as torchvision.*--to torchvision'):
        run_tool(TOOL, '--reverse', '--config', config, ours, tmp_path / 'back.pth')


def test_a_program_is_only_given_for_the_way_back(ours, tmp_path):
    with pytest.raises(UsageError, match='add --reverse'):
        run_tool(TOOL, '--to', 'torchvision', ours, tmp_path / 'x.pth')
