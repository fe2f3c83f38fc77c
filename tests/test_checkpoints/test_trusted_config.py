# Copyright (c) onestage_pose contributors.
"""A trusted checkpoint's config builds registered classes, and opens no file."""

from pathlib import Path
from typing import Any

from onestage_pose.checkpoints.trusted_config import read_trusted_config
from onestage_pose.utils import get_config_path
from onestage_pose.utils.errors import CheckpointError, UnsafeCheckpointError

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

CONFIG = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'


@pytest.fixture(scope='module')
def config() -> Config:
    return Config.fromfile(get_config_path(CONFIG))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that exists once a program has run."""
    return tmp_path / 'the_program_ran'


def save(folder: Path, text: str, place: str = 'cfg') -> str:
    path = folder / 'epoch_1.pth'
    torch.save(dict(meta={place: text}, state_dict={}), path)
    return str(path)


def text_of(config: Config) -> str:
    """What ``pretty_text`` says, not laid out."""
    return '\n'.join(f'{key} = {value!r}' for key, value in config.to_dict().items())


def changed(config: Config, key: str, value: Any) -> str:
    """The text of a config in which one value is another."""
    other = Config(config.to_dict())
    other.merge_from_dict({key: value}, allow_list_keys=True)
    return text_of(other)


def test_model_and_test_pipeline_are_as_they_were(
    tmp_path: Path, config: Config
) -> None:
    taken = read_trusted_config(save(tmp_path, text_of(config)))

    pipeline = config.test_dataloader.dataset.pipeline
    assert len(taken.test_dataloader.dataset.pipeline) == len(pipeline)
    assert taken.model.roi_head == config.model.roi_head
    assert taken.data_mode == 'bottomup'


def test_initial_weights_are_left_out(tmp_path: Path, config: Config) -> None:
    assert config.model.backbone.init_cfg

    taken = read_trusted_config(save(tmp_path, text_of(config)))

    assert taken.model.backbone.init_cfg is None


def test_what_only_a_training_needs_is_left_out(tmp_path: Path, config: Config) -> None:
    taken = read_trusted_config(save(tmp_path, text_of(config)))

    assert not {'train_dataloader', 'default_hooks', 'load_from'} & set(taken)


def test_visualizer_does_not_write_where_the_text_says(
    tmp_path: Path, config: Config
) -> None:
    text = changed(config, 'visualizer.save_dir', '/somewhere')

    taken = read_trusted_config(save(tmp_path, text))

    assert taken.visualizer == dict(type='PoseLocalVisualizer')


def test_text_is_found_where_old_mmengine_has_it(
    tmp_path: Path, config: Config
) -> None:
    path = save(tmp_path, text_of(config), place='config')

    assert read_trusted_config(path).model.type == config.model.type


@pytest.mark.parametrize(
    'key, value',
    [
        ('model.type', 'os.system'),
        ('model.type', 'subprocess.check_call'),
        ('model.type', 'timeit.timeit'),
        ('model.type', 'mmdet.utils.tensor2obj'),
        ('model.type', 'evil.KeypointRCNN'),
        ('model.type', 'mmdet.NoSuchDetector'),
        ('model.type', 'BertModel'),
        ('model.type', ['KeypointRCNN']),
        ('model.roi_head.keypoint_head.type', 'builtins.exec'),
        ('model.test_cfg.rcnn.nms.type', '__import__("os").getcwd'),
        ('test_dataloader.dataset.pipeline.0.type', 'os.mkdir'),
        ('default_hooks.logger.type', 'os.mkdir'),
        ('visualizer.type', 'os.mkdir'),
        ('visualizer.vis_backends.0.type', 'os.mkdir'),
        ('train_dataloader.dataset.type', 'os.mkdir'),
        ('param_scheduler.0.type', 'os.mkdir'),
        ('optim_wrapper.optimizer.type', 'os.mkdir'),
        ('custom_hooks', [dict(type='os.mkdir')]),
        ('custom_imports', dict(imports=['the_program'])),
        ('custom_imports', dict(imports='the_program')),
        ('custom_imports', dict(imports=['onestage_pose', 'the_program'])),
        ('custom_imports', 'the_program'),
        ('model._base_', 'other.py'),
        ('model._scope_', 'the_program'),
        ('default_scope', 'the_program'),
        ('model.teacher_config', 'other.py'),
        ('model.metainfo', 'configs/_base_/datasets/coco.py'),
        ('model.roi_head.address', 'http://somewhere.example'),
        ('model.roi_head.names', ['a', '~/.profile']),
    ],
)
def test_what_could_run_open_or_fetch_is_refused_by_its_key(
    tmp_path: Path,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    mark: Path,
    key: str,
    value: Any,
) -> None:
    (tmp_path / 'the_program.py').write_text(f"open({str(mark)!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    path = save(tmp_path, changed(config, key, value))

    with pytest.raises(UnsafeCheckpointError) as error:
        read_trusted_config(path)

    assert path in str(error.value)
    assert key.split('.')[-1] in str(error.value)
    assert not mark.exists()


def test_program_is_refused_with_its_line(tmp_path: Path, mark: Path) -> None:
    path = save(tmp_path, f"a = 1\nopen({str(mark)!r}, 'w')")

    with pytest.raises(UnsafeCheckpointError, match='line 2'):
        read_trusted_config(path)

    assert not mark.exists()


def test_text_without_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeCheckpointError, match="missing: 'model'"):
        read_trusted_config(
            save(tmp_path, 'test_dataloader = dict(dataset=dict(pipeline=[]))')
        )


def test_checkpoint_without_config_is_named(tmp_path: Path) -> None:
    torch.save(dict(state_dict={}), tmp_path / 'bare.pth')

    with pytest.raises(CheckpointError, match='bare.pth has no config'):
        read_trusted_config(str(tmp_path / 'bare.pth'))


def test_class_that_the_caller_has_registered_may_be_named(
    tmp_path: Path, config: Config
) -> None:
    @MODELS.register_module()
    class ModelOfATest:
        pass

    try:
        taken = read_trusted_config(
            save(tmp_path, changed(config, 'model.type', 'ModelOfATest'))
        )
    finally:
        del MODELS._module_dict['ModelOfATest']

    assert taken.model.type == 'ModelOfATest'
