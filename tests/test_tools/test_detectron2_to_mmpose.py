# Copyright (c) onestage_pose contributors.
"""tools/model_converters/detectron2_to_mmpose.py, from file to file."""

import pickle

from onestage_pose.checkpoints.check import check_checkpoint
from onestage_pose.checkpoints.converters import read_detectron2
from onestage_pose.utils.errors import CheckpointError, UsageError

import numpy as np
import pytest
import torch
from mmpose.apis import MMPoseInferencer, Pose2DInferencer, init_model

from tests.detectron2_arrays import constants, narrow_arrays, narrow_config
from tests.tool_runs import run_tool

TOOL = 'model_converters/detectron2_to_mmpose'


def convert(*argv):
    run_tool(TOOL, *argv)


def write(path, arrays):
    """A checkpoint as Detectron2 writes it."""
    if path.suffix == '.pkl':
        path.write_bytes(pickle.dumps(dict(model=arrays, __author__='zoo'), 2))
    else:
        model = {name: torch.from_numpy(array) for name, array in arrays.items()}
        torch.save(dict(model=model, optimizer={}, iteration=90000), path)
    return path


@pytest.fixture(params=[True, False], ids=['gcm', 'baseline'])
def gcm(request):
    return request.param


@pytest.fixture
def config(tmp_path, gcm):
    return narrow_config(tmp_path, gcm)


@pytest.fixture
def source(tmp_path, gcm):
    return write(tmp_path / 'theirs.pth', {**narrow_arrays(gcm), **constants()})


@pytest.fixture
def converted(tmp_path, source, config):
    convert(source, tmp_path / 'ours.pth', '--config', config)
    return tmp_path / 'ours.pth'


def test_init_model_takes_it(converted, config, gcm):
    model = init_model(str(config), str(converted), device='cpu')
    weight = narrow_arrays(gcm)['roi_heads.keypoint_head.score_lowres.weight']
    assert np.array_equal(model.roi_head.keypoint_head.deconv.weight.detach(), weight)
    assert model.dataset_meta['keypoint_id2name'][16] == 'right_ankle'


def test_it_has_every_weight_that_tools_test_looks_for(converted, config):
    model = init_model(str(config), device='cpu')
    # raises where one is missing
    assert check_checkpoint(str(converted), model) is None


def test_an_inferencer_takes_it(converted, config):
    inferencer = MMPoseInferencer(str(config), str(converted), device='cpu')
    (result,) = inferencer(np.zeros((64, 64, 3), np.uint8))
    assert isinstance(result['predictions'], list)


def test_it_holds_its_own_config(converted, gcm):
    inferencer = Pose2DInferencer(
        None, str(converted), device='cpu', trust_checkpoint_config=True
    )
    assert inferencer.model.roi_head.box_scale == (1.3 if gcm else 1.0)


def test_what_is_left_out_is_listed(capsys, tmp_path, source, config, gcm):
    convert(source, tmp_path / 'ours.pth', '--config', config)
    counted, left_out, used = capsys.readouterr().out.strip().splitlines()
    assert counted.endswith(f'all {len(narrow_arrays(gcm))} arrays of the model')
    names = left_out.removeprefix('left out: ').split(', ')
    assert names == [*constants(), 'optimizer', 'iteration']
    assert used.endswith(str(config))


@pytest.mark.parametrize('suffix', ['.pth', '.pkl'])
def test_the_way_back_is_equal_bit_for_bit(tmp_path, config, gcm, suffix):
    arrays = narrow_arrays(gcm)
    source = write(tmp_path / f'theirs{suffix}', arrays)
    convert(source, tmp_path / 'ours.pth', '--config', config)
    back = tmp_path / f'back{suffix}'
    convert('--reverse', tmp_path / 'ours.pth', back, '--config', config)
    tensors, _ = read_detectron2(back)
    assert {name: tensor.numpy().tobytes() for name, tensor in tensors.items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }


class TestRefusals:
    gcm = pytest.fixture(lambda self: True)

    def test_an_existing_file(self, tmp_path, source, config):
        (tmp_path / 'ours.pth').write_text('precious')
        with pytest.raises(UsageError, match=r'ours\.pth exists.*--force'):
            convert(source, tmp_path / 'ours.pth', '--config', config)
        assert (tmp_path / 'ours.pth').read_text() == 'precious'

    def test_force_writes_over_it(self, tmp_path, source, config):
        (tmp_path / 'ours.pth').write_text('worthless')
        convert(source, tmp_path / 'ours.pth', '--config', config, '--force')
        assert 'state_dict' in torch.load(tmp_path / 'ours.pth', weights_only=False)

    def test_writing_over_the_source(self, source, config):
        with pytest.raises(UsageError, match='another file'):
            convert(source, source, '--config', config, '--force')

    def test_a_missing_source(self, tmp_path, source):
        with pytest.raises(UsageError, match=r'SRC: .*their\.pth.*mean .*theirs\.pth'):
            convert(tmp_path / 'their.pth', tmp_path / 'ours.pth')

    def test_a_missing_config(self, tmp_path, source):
        with pytest.raises(UsageError, match='--config: no.py does not exist'):
            convert(source, tmp_path / 'ours.pth', '--config', 'no.py')

    def test_a_name_that_mmengine_does_not_load(self, tmp_path, source):
        with pytest.raises(UsageError, match=r'DST: .*\.pth'):
            convert(source, tmp_path / 'ours.pkl')

    def test_weights_of_the_default_config_in_another_width(self, tmp_path, source):
        with pytest.raises(CheckpointError, match='of another shape.*--config'):
            convert(source, tmp_path / 'ours.pth')
        assert not (tmp_path / 'ours.pth').exists()

    def test_an_unexpected_array(self, tmp_path, config):
        arrays = {**narrow_arrays(True), 'roi_heads.mask_head.bias': np.zeros(2)}
        source = write(tmp_path / 'theirs.pkl', arrays)
        with pytest.raises(CheckpointError, match='1 .roi_heads.mask_head.bias. unexp'):
            convert(source, tmp_path / 'ours.pth', '--config', config)

    def test_pixels_of_another_scale(self, tmp_path, config):
        arrays = {**narrow_arrays(True), **constants(std=57.375)}
        source = write(tmp_path / 'theirs.pkl', arrays)
        with pytest.raises(CheckpointError, match='pixel_std .*data_preprocessor.std'):
            convert(source, tmp_path / 'ours.pth', '--config', config)
