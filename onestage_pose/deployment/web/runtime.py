# Copyright (c) onestage_pose contributors.
"""The files of onnxruntime-web: from a folder, a package, the cache or jsDelivr."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from ...checkpoints.atomic import replacing
from ...utils.errors import DownloadError, UsageError, WrongWeightsError
from ...zoo import get_home
from ...zoo.digest import Digest
from ...zoo.fetching import fetch
from ...zoo.home import locked

NAME = 'onnxruntime-web'
VERSION = '1.30.0'
#: Folder of the files in a public copy of npm's packages.
URL = f'https://cdn.jsdelivr.net/npm/{NAME}@{VERSION}/dist'
#: Hash of the whole package, as ``npm view onnxruntime-web dist`` says (there in
#: base64).
PACKAGE = Digest(
    'sha512',
    'ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca'
    '590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61',
)
#: What of its folder ``dist`` the page needs: WebAssembly with threads and SIMD.
FILES = {
    'ort.wasm.min.mjs': Digest(
        'sha256', '219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b'
    ),
    'ort-wasm-simd-threaded.mjs': Digest(
        'sha256', 'e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b'
    ),
    'ort-wasm-simd-threaded.wasm': Digest(
        'sha256', '3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2'
    ),
}

_WITHOUT_NETWORK = (
    f'The simplest is one file with all {len(FILES)}: run `npm pack {NAME}@{VERSION}` '
    f'on a machine with a network, and give {NAME}-{VERSION}.tgz by --ort.'
)
_REMEDY = f'Give the files of {NAME} {VERSION}.'


def get_runtime(source: Path | None = None) -> Path:
    """Find :data:`FILES`, and check them; download them once.

    Args:
        source (Path | None): A folder that has them, itself or in ``dist``, or the
            npm package as a file; None for the cache, which is filled from the mirror
            (``ONESTAGE_POSE_MIRROR``) or :data:`URL`.

    Returns:
        Path: The folder that they lie in.

    Raises:
        UsageError: There are no such files in ``source``; or the cache cannot be
            written to.
        WrongWeightsError: A file is not the one that was published.
        DownloadError: A file cannot be downloaded; names the address, the place to
            put it, and ``--ort``.
    """
    if source is not None and not source.is_file():
        return _find_in_folder(source)
    folder = get_home() / f'{NAME}-{VERSION}'
    if source is None and _is_complete(folder):
        return folder
    with locked(folder):
        # Perhaps another process has filled it while this one waited.
        if source is not None:
            PACKAGE.check(source, str(source), _REMEDY)
            _extract(source, folder)
        else:
            try:
                _download(folder)
            except DownloadError as error:
                raise DownloadError(f'{error} {_WITHOUT_NETWORK}') from error
    return folder


def _download(folder: Path) -> None:
    """Write those of :data:`FILES` to a folder that it does not have."""
    for name, digest in FILES.items():
        target = folder / name
        if target.is_file() and digest.matches(target):
            continue
        target.unlink(missing_ok=True)
        found, is_ours = fetch(NAME, f'{URL}/{name}', digest, folder)
        if not is_ours:
            with replacing(target) as part:
                shutil.copyfile(found, part)


def _find_in_folder(source: Path) -> Path:
    if not source.is_dir():
        raise UsageError(f'--ort: there is no folder or file {source}. {_REMEDY}')
    for folder in (source, source / 'dist'):
        if all((folder / name).is_file() for name in FILES):
            break
    else:
        raise UsageError(
            f'--ort: {source} does not have {", ".join(FILES)}. {_REMEDY} They are in '
            'the folder "dist" of the npm package.'
        )
    for name, digest in FILES.items():
        digest.check(folder / name, f'--ort: {folder / name}', _REMEDY)
    return folder


def _is_complete(folder: Path) -> bool:
    return all(
        (folder / name).is_file() and digest.matches(folder / name)
        for name, digest in FILES.items()
    )


def _extract(package: Path, folder: Path) -> None:
    """Write :data:`FILES` of the package, whose hash is right, to a folder."""
    with tarfile.open(package) as archive:
        for name, digest in FILES.items():
            with replacing(folder / name) as part:
                part.write_bytes(archive.extractfile(f'package/dist/{name}').read())
                if not digest.matches(part):
                    raise WrongWeightsError(f'{package}: {name} is another file.')
