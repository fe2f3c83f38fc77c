# Copyright (c) onestage_pose contributors.
"""A checkpoint gives an inferencer weights, and decides nothing else."""

import inspect
from pathlib import Path
from typing import Any

from onestage_pose.compat.mmpose_inferencer_weights import (
    add_argument,
    check_api,
    check_inferencer,
    find_configs,
)
from onestage_pose.utils.errors import (
    CheckpointError,
    CheckpointMismatchError,
    UnsafeCheckpointError,
    UsageError,
)

import mmengine.infer.infer
import pytest
import torch
from mmdet.apis import init_detector
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.runner import CheckpointLoader, Runner
from mmpose.apis import MMPoseInferencer, Pose2DInferencer, init_model
from mmpose.apis import inference as pose_inference
from mmpose.apis.inferencers import base_mmpose_inferencer, pose2d_inferencer

PROGRAMS = {
    'os.system': "model = dict(type='os.system', command='touch {mark}')",
    'subprocess.check_call': (
        "model = dict(type='subprocess.check_call', args=['touch', '{mark}'])"
    ),
    'timeit.timeit': (
        "model = dict(type='timeit.timeit', stmt='open(\\'{mark}\\', \\'w\\')')"
    ),
    'custom_imports': "custom_imports = dict(imports=['the_program'])\nmodel = dict()",
    'statement': "open('{mark}', 'w')",
    'base': "_base_ = ['{program}']",
    'hook': (
        "model = dict(type='KeypointRCNN')\n"
        "default_hooks = dict(a=dict(type='os.system', command='touch {mark}'))"
    ),
    'visualizer': (
        "model = dict(type='KeypointRCNN')\n"
        "visualizer = dict(type='os.system', command='touch {mark}')"
    ),
    'metainfo': (
        "model = dict(type='KeypointRCNN')\ntrain_dataloader = dict(dataset=dict("
        "metainfo=dict(from_file='{program}')))"
    ),
}
PLACES = ('meta.cfg', 'meta.config', 'message_hub.runtime_info.cfg')


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that exists once a checkpoint's program has run."""
    return tmp_path / 'the_program_ran'


@pytest.fixture
def program(tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / 'the_program.py'
    path.write_text(f"open({str(mark)!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    return path


@pytest.fixture
def weights(tiny: tuple[str, str]) -> dict:
    return CheckpointLoader.load_checkpoint(tiny[1], 'cpu', logger='silent')


def save(folder: Path, checkpoint: dict) -> str:
    torch.save(checkpoint, folder / 'epoch_1.pth')
    return str(folder / 'epoch_1.pth')


def with_text(checkpoint: dict, place: str, text: str) -> dict:
    checkpoint.setdefault('message_hub', dict(runtime_info={}))
    *parents, key = place.split('.')
    holder = checkpoint
    for parent in parents:
        holder = holder[parent]
    holder[key] = text
    return checkpoint


class TestConfigInACheckpoint:
    @pytest.mark.parametrize('trusts', [False, True], ids=['not trusted', 'trusted'])
    @pytest.mark.parametrize('place', PLACES)
    @pytest.mark.parametrize('text', PROGRAMS.values(), ids=PROGRAMS)
    def test_is_not_run_by_an_inferencer_without_config(
        self,
        tmp_path: Path,
        weights: dict,
        mark: Path,
        program: Path,
        text: str,
        place: str,
        trusts: bool,
    ) -> None:
        text = text.format(mark=mark, program=program)
        path = save(tmp_path, with_text(weights, place, text))

        with pytest.raises((UsageError, UnsafeCheckpointError), match='epoch_1.pth'):
            Pose2DInferencer(None, path, device='cpu', trust_checkpoint_config=trusts)

        assert not mark.exists()

    @pytest.mark.parametrize('text', PROGRAMS.values(), ids=PROGRAMS)
    def test_is_not_looked_at_where_there_is_a_config(
        self,
        tmp_path: Path,
        tiny: tuple[str, str],
        weights: dict,
        mark: Path,
        program: Path,
        text: str,
    ) -> None:
        text = text.format(mark=mark, program=program)
        path = save(tmp_path, with_text(weights, 'meta.cfg', text))

        init_model(tiny[0], path, device='cpu')
        MMPoseInferencer(tiny[0], path, device='cpu')

        assert not mark.exists()

    def test_builds_the_model_of_a_trusted_one(
        self, tmp_path: Path, tiny: tuple[str, str], weights: dict
    ) -> None:
        config = Config.fromfile(tiny[0])
        config.pop('custom_imports', None)
        for loader in ('train_dataloader', 'val_dataloader'):
            config.pop(loader)
        config.test_dataloader.dataset.pop('type')
        path = save(tmp_path, with_text(weights, 'meta.cfg', config.pretty_text))

        inferencer = Pose2DInferencer(
            None, path, device='cpu', trust_checkpoint_config=True
        )

        assert inferencer.model.roi_head.box_scale == config.model.roi_head.box_scale


class TestDatasetMeta:
    def test_file_that_it_names_is_not_opened(
        self,
        tmp_path: Path,
        tiny: tuple[str, str],
        weights: dict,
        mark: Path,
        program: Path,
    ) -> None:
        weights['meta']['dataset_meta'] = dict(from_file=str(program))

        path = save(tmp_path, weights)

        for load in (init_model, Pose2DInferencer):
            with pytest.raises(CheckpointError, match='epoch_1.pth.*dataset_meta'):
                load(tiny[0], path, device='cpu')
        assert not mark.exists()


def variance(weights: dict) -> None:
    weights['state_dict']['backbone.bn1.running_var'] -= 2.0


def change(function: Any) -> Any:
    def replace(weights: dict) -> None:
        weight = weights['state_dict']['backbone.conv1.weight']
        weights['state_dict']['backbone.conv1.weight'] = function(weight)

    return replace


@pytest.mark.parametrize(
    'spoil, message',
    [
        pytest.param(lambda w: w.clear(), 'holds 0 of the', id='empty'),
        pytest.param(lambda w: w['state_dict'].clear(), '0 of the', id='no weights'),
        pytest.param(
            lambda w: w['state_dict'].pop('backbone.conv1.weight'), 'missing', id='one'
        ),
        pytest.param(variance, 'running_var is negative', id='negative variance'),
        pytest.param(change(lambda w: w.to(torch.int8)), 'of torch.int8', id='int8'),
        pytest.param(change(lambda w: w.to_sparse()), 'sparse', id='sparse'),
        pytest.param(change(lambda w: w.to('meta')), 'without values', id='meta'),
        pytest.param(change(lambda w: w * torch.nan), 'NaN', id='NaN'),
        pytest.param(
            change(lambda w: torch.full_like(w, 60000)), '60,000 in the mean', id='huge'
        ),
    ],
)
class TestSpoiltWeights:
    @pytest.mark.parametrize('load', [init_model, Pose2DInferencer, MMPoseInferencer])
    def test_are_refused(
        self,
        tmp_path: Path,
        tiny: tuple[str, str],
        weights: dict,
        spoil: Any,
        message: str,
        load: Any,
    ) -> None:
        spoil(weights)
        path = save(tmp_path, weights)

        with pytest.raises(CheckpointMismatchError, match=message):
            load(tiny[0], path, device='cpu')


def test_a_detector_of_mmdet_is_checked(tmp_path: Path, tiny: tuple[str, str]) -> None:
    torch.save(dict(state_dict={}), tmp_path / 'empty.pth')

    with pytest.raises(CheckpointMismatchError, match='empty.pth'):
        init_detector(tiny[0], str(tmp_path / 'empty.pth'), device='cpu')


@pytest.mark.parametrize(
    'install',
    [
        lambda: find_configs(mmengine.infer.infer, None),
        lambda: add_argument(pose2d_inferencer),
        lambda: check_inferencer(base_mmpose_inferencer, 'BaseMMPoseInferencer', None),
        lambda: check_api(pose_inference, None),
    ],
)
def test_installing_again_changes_nothing(install: Any) -> None:
    def state() -> list:
        return [
            BaseInferencer._init_model,
            Pose2DInferencer.__init__,
            Pose2DInferencer._load_weights_to_model,
            pose_inference.load_checkpoint,
        ]

    before = state()

    install()

    assert state() == before


def test_mmengine_still_runs_the_text() -> None:
    original = inspect.unwrap(BaseInferencer._init_model)
    sources = inspect.getsource(original), inspect.getsource(Runner.resume)

    assert all('fromstring' in source for source in sources), 'the patch can go'
