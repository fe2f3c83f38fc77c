# Copyright (c) onestage_pose contributors.
"""A trained model is found by name, and built with its checkpoint read once."""

from pathlib import Path

from onestage_pose.apis import get_model_files
from onestage_pose.apis.building import build_model, choose_device, find_model
from onestage_pose.checkpoints import check
from onestage_pose.utils.errors import (
    CheckpointMismatchError,
    ConfigNameError,
    UsageError,
)

import pytest
import torch
from mmpose.apis import init_model

from tests.test_apis.tiny_model import write_tiny_model


class TestFindModel:
    def test_a_name_stands_for_config_and_checkpoint(self) -> None:
        files = get_model_files('nano')
        expected = str(files.config), str(files.weights)
        assert find_model('nano', None) == expected

    def test_a_config_with_its_checkpoint_is_taken_as_it_is(self) -> None:
        assert find_model('a.py', 'b.pth') == ('a.py', 'b.pth')

    def test_a_config_without_checkpoint_is_refused(self) -> None:
        with pytest.raises(UsageError, match='give a config with its checkpoint.*nano'):
            find_model('a.py', None)

    def test_a_name_with_a_checkpoint_is_refused(self) -> None:
        with pytest.raises(UsageError, match='nano is a published .* leave out b.pth'):
            find_model('nano', 'b.pth')


@pytest.fixture(scope='module')
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return write_tiny_model(tmp_path_factory.mktemp('tiny'))


class TestBuildModel:
    def test_is_what_mmpose_builds(self, tiny: tuple[str, str]) -> None:
        model, expected = build_model(*tiny, {}), init_model(*tiny, device='cpu')

        assert not model.training
        assert model.dataset_meta.keys() == expected.dataset_meta.keys()
        state = expected.state_dict()
        for name, weight in model.state_dict().items():
            assert torch.equal(weight, state[name]), name

    def test_checkpoint_is_read_once(
        self, tiny: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read, load = [], check._load_checkpoint

        def counted(filename: str, **options: object) -> object:
            read.append(filename)
            return load(filename, **options)

        monkeypatch.setattr(check, '_load_checkpoint', counted)
        monkeypatch.setattr('mmengine.infer.infer._load_checkpoint', counted)
        build_model(*tiny, {})

        assert read == [tiny[1]]

    def test_options_change_the_config(self, tiny: tuple[str, str]) -> None:
        model = build_model(*tiny, {'model.test_cfg.rcnn.max_per_img': 1})

        assert model.cfg.model.test_cfg.rcnn.max_per_img == 1

    def test_misspelt_option_is_named(self, tiny: tuple[str, str]) -> None:
        with pytest.raises(ConfigNameError, match='max_per_img'):
            build_model(*tiny, {'model.test_cfg.rcnn.max_per_imgs': 1})

    def test_checkpoint_of_another_model_is_refused(
        self, tiny: tuple[str, str], tmp_path: Path
    ) -> None:
        torch.save(dict(state_dict=dict(other=torch.ones(1))), tmp_path / 'other.pth')

        with pytest.raises(CheckpointMismatchError, match='other.pth holds 0 of'):
            build_model(tiny[0], str(tmp_path / 'other.pth'), {})

    @pytest.mark.parametrize(
        'meta, message',
        [
            ('text', 'weights.pth: meta is not a dict: text'),
            (dict(dataset_meta=['nose']), "dataset_meta does not .* is .'nose'"),
            (
                dict(dataset_meta=dict(keypoint_id2name=['nose'])),
                'meta.dataset_meta.keypoint_id2name does not name the keypoints 0, 1',
            ),
            (
                dict(dataset_meta=dict(keypoint_id2name={1: 'nose'})),
                'meta.dataset_meta.keypoint_id2name does not name the keypoints 0, 1',
            ),
            (
                dict(dataset_meta=dict(keypoint_id2name={0: 'nose'}, num_keypoints=2)),
                'meta.dataset_meta.num_keypoints is not of the 1 keypoints',
            ),
            (
                dict(dataset_meta=dict(keypoint_id2name={0: 'a'}, flip_indices=['a'])),
                'meta.dataset_meta.flip_indices is not of the 1 keypoints',
            ),
            (
                dict(dataset_meta=dict(keypoint_id2name={0: 'nose'})),
                'the model predicts 17 keypoints, but .* names 1',
            ),
        ],
    )
    def test_skeleton_that_is_none_is_named(
        self, tiny: tuple[str, str], tmp_path: Path, meta: object, message: str
    ) -> None:
        content = torch.load(tiny[1], weights_only=False)
        torch.save(dict(content, meta=meta), tmp_path / 'weights.pth')

        with pytest.raises(CheckpointMismatchError, match=message):
            build_model(tiny[0], str(tmp_path / 'weights.pth'), {})

    @pytest.mark.parametrize('meta', [None, {}, dict(dataset_meta=dict(classes=[]))])
    def test_skeleton_of_the_config_serves_where_the_checkpoint_has_none(
        self, tiny: tuple[str, str], tmp_path: Path, meta: object
    ) -> None:
        content = torch.load(tiny[1], weights_only=False)
        torch.save(dict(content, meta=meta), tmp_path / 'weights.pth')

        model = build_model(tiny[0], str(tmp_path / 'weights.pth'), {})

        assert model.dataset_meta['keypoint_id2name'][0] == 'nose'

    def test_missing_checkpoint_is_named(self, tiny: tuple[str, str]) -> None:
        with pytest.raises(UsageError, match='checkpoint: nowhere.pth does not exist'):
            build_model(tiny[0], 'nowhere.pth', {})

    def test_two_stage_model_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / 'it.py').write_text("data_mode = 'topdown'\n")
        (tmp_path / 'it.pth').touch()

        with pytest.raises(UsageError, match='not the config of a one-stage model'):
            build_model(str(tmp_path / 'it.py'), str(tmp_path / 'it.pth'), {})


class TestChooseDevice:
    def test_none_is_one_that_is_there(self) -> None:
        expected = 'cuda' if torch.cuda.is_available() else 'cpu'

        assert torch.empty(0, device=choose_device(None)).device.type == expected

    def test_one_that_is_not_there_is_named_with_the_reason(self) -> None:
        with pytest.raises(UsageError, match='--device nowhere cannot be used'):
            choose_device('nowhere', '--device')
