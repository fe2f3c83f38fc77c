# Copyright (c) onestage_pose contributors.
"""Loading a checkpoint gives its data and runs nothing of it."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any
from urllib.error import URLError

import onestage_pose  # noqa: F401  makes mmengine load safely
from onestage_pose.checkpoints.loading import keeping_config_texts
from onestage_pose.utils import get_config_path
from onestage_pose.utils.errors import (
    BrokenCheckpointError,
    CheckpointError,
    UnsafeCheckpointError,
)

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, load_checkpoint
from mmpose.apis import init_model

PLAIN_CONFIG = "model = dict(type='ToyModel', sizes=[1, -2.5], extra={'a-b': None})\n"


def load(path: Any, **options: Any) -> Any:
    return CheckpointLoader.load_checkpoint(str(path), logger='silent', **options)


def training_checkpoint() -> dict:
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    return dict(
        meta=dict(
            epoch=1,
            iter=2,
            cfg=PLAIN_CONFIG,
            dataset_meta=dict(
                flip_indices=[0, 2, 1],
                sigmas=np.array([0.1, 0.2, 0.3], dtype=np.float32),
                names=np.array(['nose', 'left', 'right']),
                none=np.zeros((0, 2)),
                best=np.float64(0.5),
            ),
        ),
        state_dict=OrderedDict(weight=torch.arange(3.0)),
        message_hub=dict(
            log_scalars=OrderedDict(loss=history),
            runtime_info=OrderedDict(cfg=PLAIN_CONFIG, best=0.5),
            resumed_keys=OrderedDict(loss=True),
        ),
    )


class Program:
    """Pickles as a call, which a plain unpickler makes when it loads it."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


def write_mark(path: str) -> None:
    Path(path).touch()


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that exists once a checkpoint's program has run."""
    return tmp_path / 'the_program_ran'


@pytest.fixture
def malicious(tmp_path: Path, mark: Path) -> Path:
    path = tmp_path / 'malicious.pth'
    torch.save(dict(state_dict=Program(os.system, f'touch {mark}')), path)
    return path


def test_mmengines_own_checkpoint_loads(tmp_path: Path) -> None:
    torch.save(training_checkpoint(), tmp_path / 'epoch_1.pth')

    loaded = load(tmp_path / 'epoch_1.pth')

    meta = loaded['meta']['dataset_meta']
    assert meta['sigmas'].dtype == np.float32
    assert meta['sigmas'].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert meta['names'].tolist() == ['nose', 'left', 'right']
    assert meta['none'].shape == (0, 2)
    assert isinstance(meta['best'], np.float64)
    assert loaded['message_hub']['log_scalars']['loss'].mean() == 2.0
    assert loaded['message_hub']['runtime_info'] == dict(best=0.5)
    assert torch.equal(loaded['state_dict']['weight'], torch.arange(3.0))


def test_loaded_checkpoint_can_be_saved_for_others(tmp_path: Path) -> None:
    torch.save(training_checkpoint(), tmp_path / 'first.pth')

    torch.save(load(tmp_path / 'first.pth'), tmp_path / 'second.pth')

    content = zipfile.ZipFile(tmp_path / 'second.pth').read('second/data.pkl')
    assert b'onestage_pose' not in content


@pytest.mark.parametrize(
    'program',
    [
        pytest.param(lambda mark: Program(os.system, f'touch {mark}'), id='os.system'),
        pytest.param(
            lambda mark: Program(eval, f"open({str(mark)!r}, 'w')"), id='eval'
        ),
        pytest.param(
            lambda mark: Program(getattr, torch.Tensor, 'register_hook'), id='getattr'
        ),
        pytest.param(
            lambda mark: np.array([Program(write_mark, str(mark))], dtype=object),
            id='numpy array of objects',
        ),
    ],
)
def test_program_is_refused_and_not_run(
    tmp_path: Path, mark: Path, program: Any
) -> None:
    path = tmp_path / 'malicious.pth'
    torch.save(dict(state_dict=program(mark)), path)

    with pytest.raises(CheckpointError, match='malicious.pth'):
        load(path)

    assert not mark.exists()


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('form', ['zip', 'legacy', 'bare'])
@pytest.mark.filterwarnings('error')
def test_program_of_any_protocol_is_called_refused_and_not_truncated(
    tmp_path: Path, mark: Path, protocol: int, form: str
) -> None:
    path = tmp_path / 'malicious.pth'
    content = dict(state_dict=Program(os.system, f'touch {mark}'))
    if form == 'bare':
        path.write_bytes(pickle.dumps(content, protocol))
    else:
        options = dict(_use_new_zipfile_serialization=form == 'zip')
        torch.save(content, path, pickle_protocol=protocol, **options)

    with pytest.raises(UnsafeCheckpointError, match=r'asks for `\w+\.system`') as error:
        load(path)

    assert 'truncated' not in str(error.value)
    assert not mark.exists()


def test_refusal_names_the_file_the_name_and_a_safe_remedy(malicious: Path) -> None:
    with pytest.raises(UnsafeCheckpointError) as error:
        load(malicious)

    message = str(error.value)
    assert str(malicious) in message
    assert f'{os.system.__module__}.system' in message
    assert 'state_dict' in message
    assert 'weights_only' not in message


def test_environment_variable_does_not_open_the_door(
    malicious: Path, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')

    with pytest.raises(UnsafeCheckpointError):
        load(malicious)

    assert not mark.exists()


def test_lookup_in_a_history_buffer_looks_nothing_up(tmp_path: Path) -> None:
    torch.save(Program(getattr, HistoryBuffer, 'update'), tmp_path / 'lookup.pth')

    assert load(tmp_path / 'lookup.pth') is None


def test_getattr_that_the_caller_allowed_is_not_used(tmp_path: Path) -> None:
    # Common advice for loading mmengine's checkpoints.
    path = tmp_path / 'malicious.pth'
    torch.save(Program(getattr, torch.Tensor, 'register_hook'), path)

    with torch.serialization.safe_globals([getattr]):
        with pytest.raises(UnsafeCheckpointError, match='getattr'):
            load(path)


def test_class_that_the_caller_allowed_is_loaded(tmp_path: Path) -> None:
    torch.save(Path('harmless'), tmp_path / 'path.pth')

    with torch.serialization.safe_globals([type(Path())]):
        assert load(tmp_path / 'path.pth') == Path('harmless')


def test_process_wide_allow_list_is_left_as_it_was(malicious: Path) -> None:
    before = set(torch.serialization.get_safe_globals())

    with pytest.raises(UnsafeCheckpointError):
        load(malicious)

    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize(
    'place', ['meta.config', 'meta.cfg', 'message_hub.runtime_info.cfg']
)
def test_config_text_is_left_out(tmp_path: Path, place: str) -> None:
    checkpoint = training_checkpoint()
    *parents, key = place.split('.')
    holder = checkpoint
    for parent in parents:
        holder = holder[parent]
    holder[key] = PLAIN_CONFIG
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')

    loaded = load(tmp_path / 'epoch_1.pth')

    for parent in parents:
        loaded = loaded[parent]
    assert key not in loaded


def test_config_text_is_there_for_who_asks(tmp_path: Path) -> None:
    torch.save(training_checkpoint(), tmp_path / 'epoch_1.pth')

    with keeping_config_texts():
        loaded = load(tmp_path / 'epoch_1.pth')

    assert loaded['meta']['cfg'] == PLAIN_CONFIG


@pytest.mark.parametrize(
    'scheme, catalogue',
    [
        ('https://somewhere.example/malicious.pth', None),
        ('torchvision://toy', 'get_torchvision_models'),
        ('open-mmlab://toy', 'get_external_models'),
        ('mmcls://toy', 'get_mmcls_models'),
    ],
)
def test_downloads_are_loaded_as_carefully(
    scheme: str,
    catalogue: Any,
    malicious: Path,
    mark: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Already in torch's folder of downloads, so nothing is fetched.
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    cache = tmp_path / 'hub' / 'checkpoints'
    cache.mkdir(parents=True)
    malicious.rename(cache / 'malicious.pth')
    if catalogue is not None:
        monkeypatch.setattr(
            f'onestage_pose.checkpoints.loading.{catalogue}',
            lambda: dict(toy='https://somewhere.example/malicious.pth'),
        )

    with pytest.raises(UnsafeCheckpointError):
        load(scheme)

    assert not mark.exists()


def test_a_failed_download_names_address_place_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))

    def no_network(*args: Any, **kwargs: Any) -> None:
        raise URLError('no network')

    monkeypatch.setattr('torch.hub.download_url_to_file', no_network)

    with pytest.raises(CheckpointError, match='init_cfg=None') as error:
        load('https://somewhere.example/resnet.pth')

    assert 'https://somewhere.example/resnet.pth' in str(error.value)
    assert str(tmp_path / 'hub' / 'checkpoints' / 'resnet.pth') in str(error.value)


def test_unknown_name_in_a_catalogue_names_the_close_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        'onestage_pose.checkpoints.loading.get_torchvision_models',
        lambda: dict(resnet50='https://somewhere.example/r50.pth'),
    )

    with pytest.raises(CheckpointError, match='Did you mean resnet50'):
        load('torchvision://resnet_50')


@pytest.mark.parametrize('kept', [0, 1, 0.5, -1], ids=str)
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_truncated_file_is_named_as_truncated(
    tmp_path: Path, kept: float, zipped: bool
) -> None:
    path = tmp_path / 'iter_7.pth'
    torch.save(training_checkpoint(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.5 else int(kept)])

    with pytest.raises(BrokenCheckpointError, match='iter_7.pth .* truncated'):
        load(path)


@pytest.mark.parametrize(
    'content',
    [b'<html>not found</html>', b'notes\n', pickle.dumps(dict(a=1))],
    ids=['html', 'text', 'dump'],
)
@pytest.mark.filterwarnings('error')
def test_file_that_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'page.pth'
    path.write_bytes(content)

    with pytest.raises(BrokenCheckpointError, match='page.pth') as error:
        load(path)

    assert not str(error.value)[-1].isdigit(), 'the number of a byte says nothing'


@pytest.mark.parametrize('protocol', range(4, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('form', ['zip', 'legacy', 'bare'])
@pytest.mark.filterwarnings('error')
def test_protocol_that_torch_does_not_read_is_not_called_truncated(
    tmp_path: Path, protocol: int, form: str
) -> None:
    path = tmp_path / 'other.pth'
    if form == 'bare':
        path.write_bytes(pickle.dumps(dict(weight=[1.0]), protocol))
    else:
        options = dict(_use_new_zipfile_serialization=form == 'zip')
        torch.save(
            dict(weight=torch.ones(2)), path, pickle_protocol=protocol, **options
        )

    with pytest.raises(
        BrokenCheckpointError,
        match=f'not loaded: .* pickle protocol {protocol}, .* again with torch.save',
    ):
        load(path)


def test_whole_file_for_a_missing_device_is_not_called_broken(tmp_path: Path) -> None:
    torch.save(training_checkpoint(), tmp_path / 'good.pth')

    with pytest.raises(Exception) as error:  # torch's own, of several classes
        load(tmp_path / 'good.pth', map_location='cuda:99')

    assert not isinstance(error.value, CheckpointError)


def test_missing_file_names_the_ones_that_look_alike(tmp_path: Path) -> None:
    (tmp_path / 'epoch_10.pth').touch()

    with pytest.raises(FileNotFoundError, match='epoch_01.pth.*Did you mean epoch_10'):
        load(tmp_path / 'epoch_01.pth')


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='folder .*nowhere does not exist'):
        load(tmp_path / 'nowhere' / 'a.pth')


def test_mmengine_functions_load_through_the_replaced_loaders(
    malicious: Path, mark: Path
) -> None:
    model = torch.nn.Linear(1, 1)

    with pytest.raises(UnsafeCheckpointError):
        load_checkpoint(model, str(malicious))

    assert not mark.exists()


def test_init_model_refuses_it_too(malicious: Path, mark: Path) -> None:
    config = get_config_path('gcm-keypoint-rcnn_r18-w32_fpn_synthetic')

    with pytest.raises(UnsafeCheckpointError):
        init_model(str(config), str(malicious), device='cpu')

    assert not mark.exists()


def test_a_cache_that_cannot_be_written_to_is_a_failed_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'hub').touch()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    with pytest.raises(CheckpointError, match='TORCH_HOME=FOLDER'):
        load('https://somewhere.example/resnet.pth')


@pytest.fixture(scope='module')
def wholes(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    """The bytes of a checkpoint in torch's zip format (True) and its old one."""
    path = tmp_path_factory.mktemp('whole') / 'whole.pth'
    contents = {}
    for in_zip in (True, False):
        torch.save(training_checkpoint(), path, _use_new_zipfile_serialization=in_zip)
        contents[in_zip] = path.read_bytes()
    return contents


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.data())
def test_any_damage_gives_a_checkpoint_or_a_named_error(
    wholes: dict[bool, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    content = bytearray(wholes[data.draw(st.booleans())])
    # most of what can go wrong stands in the last bytes of an archive
    places = st.integers(0, len(content) - 1) | st.integers(
        len(content) - 900, len(content) - 1
    )
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        start = data.draw(places)
        del content[start : start + data.draw(st.integers(1, 20))]
    path = tmp_path_factory.getbasetemp() / 'damaged.pth'
    path.write_bytes(content)

    try:
        load(path)
    except CheckpointError as error:
        assert str(path) in str(error)
