# Copyright (c) onestage_pose contributors.
"""Run a model in a web page, which this machine serves or which is written out."""

from __future__ import annotations

import argparse
import signal
import tempfile
from pathlib import Path
from typing import NoReturn

from ..apis.building import find_model
from ..deployment.web import build_page, get_page_model, get_runtime, make_server
from ..utils.errors import OutputError, UsageError
from .extras import needs_extra
from .files import check_writable
from .listening import get_address, listen


def run(args: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C or SIGTERM, or write it to a folder.

    Raises:
        UsageError: Something that was typed cannot be used, or the extra ``onnx`` is
            not installed.
    """
    with needs_extra('onnx', 'the export of the model'):
        import onnx  # noqa: F401
    if args.build is not None:
        _check_target(args.build, args.force)
        _build(args, args.build)
        size = sum(path.stat().st_size for path in args.build.rglob('*'))
        print(
            f'{args.build}: {size / 1e6:.0f} MB, for any server of files. '
            'docs/how_to/browser.md names the headers that it should send.'
        )
        return
    # before the model is exported
    with listen(args.host, args.port) as listener:
        with tempfile.TemporaryDirectory(prefix='onestage-pose-web-') as folder:
            _build(args, Path(folder))
            # SIGTERM ends it as Ctrl-C does, and the folder is removed.
            before = signal.signal(signal.SIGTERM, _interrupt)
            try:
                with make_server(listener, Path(folder)) as server:
                    print(f'Open {get_address(listener)}/ in a browser.', flush=True)
                    server.serve_forever()
            except KeyboardInterrupt:
                pass
            finally:
                signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _build(args: argparse.Namespace, folder: Path) -> None:
    # the runtime first: where there is no network, that shows at once
    runtime = get_runtime(args.ort)
    config, checkpoint = find_model(args.config, args.checkpoint)
    model = get_page_model(config, checkpoint, args.cfg_options, args.weights)
    name = args.config if args.checkpoint is None else Path(args.config).stem
    try:
        build_page(folder, name, model, runtime)
    except OSError as error:
        raise OutputError(f'{folder} cannot be written: {error.strerror}.') from error


def _check_target(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f'--build: {folder} is a file; give a folder.')
    check_writable(folder, '--build')
    if any(folder.iterdir()) and not force:
        raise UsageError(
            f'--build: {folder} is not empty: give another folder, or --force to '
            'overwrite the files of the page in it.'
        )
