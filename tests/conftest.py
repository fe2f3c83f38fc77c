# Copyright (c) onestage_pose contributors.
"""What every test has: a seed, few threads, and the data folder where one is given."""

import contextlib
import io
import logging
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import onestage_pose  # noqa: F401  before anything imports mmdet

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from tests.program_server import ProgramServer


def pytest_addoption(parser):
    parser.addoption(
        '--shared-dir',
        type=Path,
        help='folder with the real data (data/coco_pool, parity); the tests that '
        'need it are skipped without',
    )
    parser.addoption(
        '--parity-dir',
        type=Path,
        help="folder of the original programs' golden values (test_parity.py)",
    )


def pytest_configure(config):
    for option in ('--shared-dir', '--parity-dir'):
        folder = config.getoption(option)
        if folder is not None and not folder.is_dir():
            raise pytest.UsageError(f'{option} {folder}: there is no such folder')
    parity = config.getoption('--parity-dir')
    if parity is not None and not any(parity.glob('*.npz')):
        raise pytest.UsageError(f'--parity-dir {parity}: there are no *.npz in it')
    # Shells start what runs in the background deaf to Ctrl-C, which some tests send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The networks of the tests are too small for more, and runs share the machine.
    workers = int(os.environ.get('PYTEST_XDIST_WORKER_COUNT', 1))
    threads = max(1, min(4, torch.get_num_threads() // workers))
    torch.set_num_threads(threads)
    if workers > 1:  # the programs that the tests start, too
        os.environ['OMP_NUM_THREADS'] = str(threads)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process a core, each with 3 GB of memory, up to 8 (``make test``)."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == 'linux' else os.cpu_count()
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return max(1, min(8, cores, int(memory / 3e9)))


@pytest.fixture(autouse=True)
def _seed():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _default_scope():
    """Puts back mmengine's scope, which whatever builds from a config changes."""
    before = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)


@pytest.fixture
def log():
    """What is logged from here on, to be read by ``log.getvalue()``."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield text
    logger.removeHandler(handler)


@pytest.fixture(scope='session')
def shared_dir(pytestconfig):
    """Absolute path of the folder given by ``--shared-dir``."""
    shared = pytestconfig.getoption('--shared-dir')
    if shared is None:
        pytest.skip('needs real data: give --shared-dir DIR')
    return shared.resolve()


@pytest.fixture(scope='session')
def program_server() -> Iterator[ProgramServer]:
    """Starts programs that find this package and mmpose imported."""
    with _open_server('everything') as server:
        yield server


@pytest.fixture(scope='session')
def bare_program_server() -> Iterator[ProgramServer]:
    """Starts programs that find torch imported, and nothing of OpenMMLab."""
    with _open_server('libraries') as server:
        yield server


def _open_server(imported: str) -> contextlib.closing:
    if sys.platform != 'linux':
        pytest.skip('forks programs, and reads /proc')
    return contextlib.closing(ProgramServer(imported))


def pytest_terminal_summary(terminalreporter):
    """The worst value of each bound of test_parity.py, file by file."""
    rows = [
        row
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, 'when', None) == 'call'
        for name, row in report.user_properties
        if name == 'parity'
    ]
    if not rows:
        return
    terminalreporter.section('parity with the original programs: worst values')
    for file, what, worst, bound in rows:
        verdict = 'ok' if worst <= bound else 'OVER'
        terminalreporter.write_line(
            f'{file:<26} {what:<38} {worst:8.2g}  bound {bound:<6g} {verdict}'
        )
