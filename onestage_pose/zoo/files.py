# Copyright (c) onestage_pose contributors.
"""The files of the published models: in the package, in the cache, or downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from ..utils.errors import WrongWeightsError
from ..utils.paths import PACKAGE, get_config_path
from .digest import compute_hash
from .fetching import fetch, say
from .home import get_home, locked
from .table import MODELS, PublishedModel, get_model_info

WEIGHTS = PACKAGE / 'weights'

#: Of what a converted checkpoint holds. A new number has all of them converted again.
FORMAT = 1


class ModelFiles(NamedTuple):
    """Paths of a published model on this machine.

    Attributes:
        config (Path): Absolute path of its config.
        weights (Path): Absolute path of its checkpoint, with weights (in half precision
            if it comes with the package) and ``dataset_meta``.
        sha256 (str): The SHA-256 of the checkpoint, in hexadecimal digits.
    """

    config: Path
    weights: Path
    sha256: str


def get_model_files(name: str = 'nano', *, keep_download: bool = False) -> ModelFiles:
    """Return the checked files of a published model; download them if needed.

    A model that does not come with the package is taken from the cache
    (:func:`.get_home`), or downloaded, verified, converted without running any code in
    it, and kept there. If several processes ask for it, one downloads.

    Args:
        name (str): One of :func:`.list_models`; case does not matter.
        keep_download (bool): Keep the downloaded file beside the converted checkpoint.

    Returns:
        ModelFiles: Its config and weights.

    Raises:
        UsageError: There is no such model (the message lists all), or the cache cannot
            be written to.
        WrongWeightsError: The file of weights is not the published one.
        FileNotFoundError: The weights that come with the package are missing.
        DownloadError: The weights cannot be downloaded; the message names the address
            and the place to put the file.
        CheckpointError: The weights cannot be converted.
    """
    model = get_model_info(name)
    if model.weights is not None:
        return _find_in_package(model)
    folder = get_folder(model)
    found = _find_converted(model, folder)
    if found is None:
        with locked(folder):
            # Perhaps another process has made it while this one waited.
            found = _find_converted(model, folder)
            if found is None:
                found = _make_converted(model, folder, keep_download)
    return found


def is_on_disk(name: str) -> bool:
    """Return whether a model can be used without a download; reads no weights.

    Args:
        name (str): One of :func:`.list_models`.

    Raises:
        UsageError: There is no such model.
    """
    model = get_model_info(name)
    if model.weights is not None:
        return True
    folder = get_folder(model)
    published = folder / model.file_name
    return published.is_file() or _read_record(model, folder) is not None


def find_published(path: Path) -> PublishedModel | None:
    """Recognise the checkpoint of a published model by its SHA-256.

    Args:
        path (Path): Any checkpoint.

    Returns:
        PublishedModel | None: The model, if its checkpoint comes with the package or is
        in the cache; otherwise None.
    """
    sha256 = compute_hash(path)
    for model in MODELS.values():
        if model.weights is not None:
            known = model.digest.value
        else:
            known = _read_record(model, get_folder(model))
        if known == sha256:
            return model
    return None


def get_folder(model: PublishedModel) -> Path:
    """Return the folder of the cache that a downloaded model is kept in."""
    return get_home() / model.name


def _find_in_package(model: PublishedModel) -> ModelFiles:
    weights = WEIGHTS / model.weights
    if not weights.is_file():
        raise FileNotFoundError(
            f'{weights}: the weights of {model.name!r} are missing; install '
            'onestage_pose again, or restore the file with git.'
        )
    sha256 = compute_hash(weights)
    if sha256 != model.digest.value:
        raise WrongWeightsError(
            f'{weights}: these are not the weights that onestage_pose was made with '
            f'(SHA-256 {model.digest.value}); install it again, or restore the file '
            'with git.'
        )
    return ModelFiles(get_config_path(model.config), weights, sha256)


def _find_converted(model: PublishedModel, folder: Path) -> ModelFiles | None:
    """Return a converted checkpoint that is as it was written; None where it is not."""
    sha256 = _read_record(model, folder)
    weights = _converted(model, folder)
    if sha256 is None or compute_hash(weights) != sha256:
        return None
    return ModelFiles(get_config_path(model.config), weights, sha256)


def _read_record(model: PublishedModel, folder: Path) -> str | None:
    """Return the SHA-256 that a converted checkpoint was written with."""
    path = _record(model, folder)
    if not path.is_file() or not _converted(model, folder).is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding='utf-8'))
        written_from = record['format'], record['published']
        sha256 = str(record['sha256'])
    except (ValueError, KeyError, TypeError):
        return None
    return sha256 if written_from == (FORMAT, str(model.digest)) else None


def _make_converted(
    model: PublishedModel, folder: Path, keep_download: bool
) -> ModelFiles:
    """Fetch and convert; the record is written last and makes it valid."""
    from ..checkpoints.atomic import write_text
    from ..checkpoints.converters import convert_checkpoint

    published, is_ours = fetch(model.name, model.url, model.digest, folder)
    target, config = _converted(model, folder), get_config_path(model.config)
    say(f'{model.name}: converting {published.name}')
    try:
        convert_checkpoint(published, target, config)
    except OSError:
        # No fault of the file: the next call need not download it again.
        raise
    except Exception:
        if is_ours:
            published.unlink()
        raise
    sha256 = compute_hash(target)
    record = dict(
        format=FORMAT, published=str(model.digest), url=model.url, sha256=sha256
    )
    write_text(json.dumps(record, indent=2) + '\n', _record(model, folder))
    if is_ours and not keep_download:
        published.unlink()
    say(f'{model.name}: {target}')
    return ModelFiles(config, target, sha256)


def _converted(model: PublishedModel, folder: Path) -> Path:
    return folder / f'{model.name}.pth'


def _record(model: PublishedModel, folder: Path) -> Path:
    return folder / f'{model.name}.json'
