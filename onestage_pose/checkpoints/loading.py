# Copyright (c) onestage_pose contributors.
"""Load checkpoints of every origin without running anything that is in them."""

import io
import os
import os.path as osp
import pickle
import re
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, BinaryIO
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.fileio import get_file_backend
from mmengine.logging import print_log
from mmengine.runner.checkpoint import (
    _get_mmengine_home,
    _process_mmcls_checkpoint,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)
from torch._weights_only_unpickler import _get_allowed_globals

from ..utils.errors import (
    BrokenCheckpointError,
    CheckpointError,
    OversizedCheckpointError,
    UnsafeCheckpointError,
)
from ..utils.suggestions import did_you_mean, suggest_path
from .declared_sizes import check_declared_sizes
from .safe_objects import STAND_INS, OversizedError, unwrap

MapLocation = None | str | torch.device | dict | Callable

#: Where a checkpoint keeps a config's text, which mmengine would run.
CONFIG_TEXTS = (
    ('message_hub', 'runtime_info', 'cfg'),
    ('meta', 'cfg'),
    ('meta', 'config'),
)
_REFUSED_NAME = re.compile(r'GLOBAL (\S+) (?:was not an allowed|whose module)')
_UNKNOWN_BYTE = 'Unsupported operand'
_ALLOW_LIST_LOCK = threading.RLock()
_KEEPS_CONFIG_TEXTS: ContextVar[bool] = ContextVar('keeps_config_texts', default=False)


@contextmanager
def keeping_config_texts() -> Iterator[None]:
    """Let checkpoints that are loaded within it keep their configs' texts.

    They are left out otherwise: mmengine runs what it finds there, in ``Runner.resume``
    and in an inferencer that is given weights alone.
    """
    token = _KEEPS_CONFIG_TEXTS.set(True)
    try:
        yield
    finally:
        _KEEPS_CONFIG_TEXTS.reset(token)


def load_from_local(
    filename: str, map_location: MapLocation = None, mmap: bool = False
) -> Any:
    """Load a checkpoint file: tensors, numbers, text, and plain numpy arrays.

    Config text in the file is left out (:func:`keeping_config_texts`), so that a file
    of weights never decides what is built.

    Args:
        filename (str): Path of a file that ``torch.save`` wrote.
        map_location (MapLocation): Where the tensors go, as in ``torch.load``.
        mmap (bool): Read tensors from the disk when they are used, as in
            ``torch.load``.

    Returns:
        Any: What was saved, usually a dict.

    Raises:
        FileNotFoundError: There is no such file; the message suggests similar names.
        UnsafeCheckpointError: The file holds anything else. No code in it is run.
        BrokenCheckpointError: The file is truncated or damaged.
        OversizedCheckpointError: The file would need far more memory or time than its
            own size.
    """
    filename = osp.expanduser(filename)
    if not osp.isfile(filename):
        raise FileNotFoundError(
            f'checkpoint {filename} does not exist.{suggest_path(filename)}'
        )
    if mmap:
        return _load(filename, filename, map_location)
    with open(filename, 'rb') as file:
        return _load(file, filename, map_location)


def load_from_http(filename: str, map_location: MapLocation = None) -> Any:
    """Download a checkpoint into torch's hub folder, once, and load it.

    Of several processes rank 0 downloads first; the others find its file, or
    fetch their own where they do not share a disk with it.
    """
    rank, _ = get_dist_info()
    if rank == 0:
        path = _download(filename)
    barrier()
    if rank > 0:
        path = _download(filename)
    return load_from_local(path, map_location)


def load_from_torchvision(filename: str, map_location: MapLocation = None) -> Any:
    """Load ``torchvision://NAME``, e.g. ``torchvision://resnet50``."""
    urls = get_torchvision_models()
    return load_from_http(_look_up(filename, urls), map_location)


def load_from_openmmlab(filename: str, map_location: MapLocation = None) -> Any:
    """Load ``open-mmlab://NAME``, e.g. ``open-mmlab://detectron2/resnet50_caffe``."""
    scheme, name = filename.split('://', 1)
    name = get_deprecated_model_names().get(name, name)
    place = _look_up(f'{scheme}://{name}', get_external_models())
    if place.startswith(('http://', 'https://')):
        return load_from_http(place, map_location)
    return load_from_local(osp.join(_get_mmengine_home(), place), map_location)


def load_from_mmcls(filename: str, map_location: MapLocation = None) -> Any:
    """Load the backbone of ``mmcls://NAME``."""
    checkpoint = load_from_http(_look_up(filename, get_mmcls_models()), map_location)
    return _process_mmcls_checkpoint(checkpoint)


def load_from_ceph(filename: str, map_location: MapLocation = None) -> Any:
    """Load a checkpoint from a Ceph store through mmengine's petrel backend."""
    backend = get_file_backend(filename, backend_args={'backend': 'petrel'})
    return _load(io.BytesIO(backend.get(filename)), filename, map_location)


def load_from_pavi(filename: str, map_location: MapLocation = None) -> Any:
    """Refuse ``pavi://``, whose client cannot be tried outside its network."""
    raise CheckpointError(
        f'{filename}: checkpoints are not loaded from pavi; download the file and '
        'give its path.'
    )


def _load(file: str | BinaryIO, name: str, map_location: MapLocation) -> Any:
    names = check_declared_sizes(name) if osp.isfile(name) else set()
    try:
        checkpoint = unwrap(_read(file, map_location))
    except pickle.UnpicklingError as error:
        # torch wraps the reason in advice to trust the file; the bare one is inside.
        raise _explain_refusal(name, error.__context__ or error, names) from None
    except OversizedError as error:
        raise OversizedCheckpointError(
            f'checkpoint {name} was not loaded: it holds {error}.'
        ) from None
    except MemoryError:
        raise
    except Exception as error:
        if _is_readable(file):
            # The file is valid: it is `map_location`'s device that is missing, or
            # the one that the file names.
            if map_location is not None:
                raise
            raise CheckpointError(
                f'checkpoint {name}: its tensors cannot be put where they were saved; '
                f'load them with map_location="cpu". torch says: {error}'
            ) from error
        raise _broken(name, error) from error
    if not _KEEPS_CONFIG_TEXTS.get():
        _drop_config_texts(checkpoint)
    return checkpoint


def _read(file: str | BinaryIO, map_location: MapLocation) -> Any:
    # Of a path the tensors are read when they are used.
    mmap = isinstance(file, str)
    if not mmap:
        file.seek(0)
    with _allow_list(), warnings.catch_warnings():
        # What it warns of (a protocol, an old tar file) is refused or read.
        warnings.simplefilter('ignore', UserWarning)
        return torch.load(file, map_location, weights_only=True, mmap=mmap)


def _is_readable(file: str | BinaryIO) -> bool:
    try:
        _read(file, 'cpu')
    except Exception:
        return False
    return True


@contextmanager
def _allow_list() -> Iterator[None]:
    # Ours stand in front of, not beside, what a user's program has allowed: the
    # common advice for mmengine's checkpoints is to allow the real getattr.
    ours = {name for _, name in STAND_INS}
    with _ALLOW_LIST_LOCK:
        before = torch.serialization.get_safe_globals()
        theirs = [item for item in before if _pickled_name(item) not in ours]
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals([*theirs, *STAND_INS])
        try:
            yield
        finally:
            torch.serialization.clear_safe_globals()
            torch.serialization.add_safe_globals(before)


def _pickled_name(item: Any) -> str:
    if isinstance(item, tuple):
        return item[1]
    return f'{item.__module__}.{item.__qualname__}'


def _explain_refusal(
    name: str, error: BaseException, names: set[str]
) -> CheckpointError:
    reason = str(error)
    refused = _REFUSED_NAME.search(reason)
    what = f'`{refused.group(1)}`' if refused else reason
    if reason.startswith(_UNKNOWN_BYTE):
        # a pickle of a protocol that torch does not write
        harmless = {known for _, known in STAND_INS} | set(_get_allowed_globals())
        programs = sorted(names - harmless)
        if not programs:
            return _of_another_protocol(name) or _broken(name, error)
        what = f'`{programs[0]}`'
    return UnsafeCheckpointError(
        f'checkpoint {name} was not loaded: it asks for {what}, which is neither a '
        'tensor nor plain data and could run a program of whoever wrote the file. '
        'Nothing of it was run. If it is your own, load it where you wrote it and '
        "save its 'state_dict' (tensors) alone with torch.save; otherwise do not "
        'use it.'
    )


def _of_another_protocol(name: str) -> BrokenCheckpointError | None:
    """Return what to say of a pickle of another protocol than 2; None for others."""
    begin = _first_bytes_of_pickle(name) if osp.isfile(name) else b''
    protocol = begin[1] if begin[:1] == pickle.PROTO and len(begin) > 1 else 2
    if not 2 < protocol <= pickle.HIGHEST_PROTOCOL:
        return None
    return BrokenCheckpointError(
        f'checkpoint {name} was not loaded: it is written with pickle protocol '
        f'{protocol}, which torch does not read without running it; torch.save writes '
        'protocol 2. If it is your own, load it where you wrote it and save it again '
        'with torch.save.'
    )


def _first_bytes_of_pickle(name: str) -> bytes:
    with open(name, 'rb') as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return file.read(2)
        with zipfile.ZipFile(file) as archive:
            for part in archive.namelist():
                if part.endswith('/data.pkl'):
                    with archive.open(part) as content:
                        return content.read(2)
    return b''


def _broken(name: str, error: BaseException) -> BrokenCheckpointError:
    size = f' ({osp.getsize(name)} bytes)' if osp.isfile(name) else ''
    reason = (str(error).strip() or type(error).__name__).split('. ')[0]
    # of text, torch says no more than the number of a byte
    is_number = ' ' not in reason or reason.startswith(_UNKNOWN_BYTE)
    says = '' if is_number else f' torch says: {reason}'
    return BrokenCheckpointError(
        f'checkpoint {name}{size} cannot be read: it is truncated (a download or a '
        'save that was cut short) or was not written by torch.save. Fetch or copy it '
        f'again, or give an earlier checkpoint.{says}'
    )


def _drop_config_texts(checkpoint: Any) -> None:
    for *parents, key in CONFIG_TEXTS:
        place = checkpoint
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(key, None)


def _download(url: str) -> str:
    folder = osp.join(torch.hub.get_dir(), 'checkpoints')
    path = osp.join(folder, osp.basename(urlparse(url).path))
    if not osp.isfile(path):
        print_log(f'Downloading {url} to {path}', logger='current')
        # Writes under another name and renames, so `path` is complete or absent.
        try:
            os.makedirs(folder, exist_ok=True)
            torch.hub.download_url_to_file(url, path, progress=os.isatty(0))
        except OSError as error:
            raise CheckpointError(
                f'{url} cannot be downloaded: {error}. Put the file at {path} by hand '
                '(TORCH_HOME=FOLDER chooses another place), or do without it: with '
                'model.backbone.init_cfg=None the backbone has the weights of '
                'load_from, or random ones; random layers should not be frozen '
                '(frozen_stages=-1, norm_cfg=dict(type="BN")).'
            ) from error
    return path


def _look_up(filename: str, places: dict[str, str]) -> str:
    name = filename.split('://', 1)[1]
    if name not in places:
        raise CheckpointError(
            f'{filename}: no such model in the catalogue.{did_you_mean(name, places)}'
        )
    return places[name]
