# Copyright (c) onestage_pose contributors.
"""``onestage-pose doctor`` says what there is and what is missing."""

from onestage_pose.cli import doctor
from onestage_pose.cli.main import main

import pytest
import torch


def test_says_that_all_is_there(capsys):
    main(['doctor'])

    told = capsys.readouterr().out
    assert told.endswith('Everything needed is installed and works.\n')
    for word in (f'torch {torch.__version__.split("+")[0]}', 'OpenMMLab: ', 'CPU: '):
        assert word in told


@pytest.mark.parametrize(
    'cores, threads, told',
    [
        (2, 1, 'CPU: 2 cores; PyTorch computes in 1 thread'),
        (1, 4, 'CPU: 1 core; PyTorch computes in 4 threads'),
    ],
)
def test_counts_cores_and_threads(monkeypatch, cores, threads, told):
    monkeypatch.setattr(doctor.os, 'cpu_count', lambda: cores)
    monkeypatch.setattr(doctor.torch, 'get_num_threads', lambda: threads)

    assert doctor.describe_devices()[0] == told


def test_names_an_optional_package_and_what_it_is_for(capsys, monkeypatch):
    find = doctor.find_version
    monkeypatch.setattr(
        doctor, 'find_version', lambda *names: None if 'onnx' in names else find(*names)
    )

    main(['doctor'])

    assert 'onnx is not installed (for export to ONNX)' in capsys.readouterr().out


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a distribution by its metadata, before what is there."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name, version, *lines):
        folder = tmp_path / f'{name}-{version}.dist-info'
        folder.mkdir()
        head = ['Metadata-Version: 2.1', f'Name: {name}', f'Version: {version}']
        (folder / 'METADATA').write_text('\n'.join([*head, *lines]) + '\n')

    return install


def test_each_extra_says_what_it_needs_and_what_is_missing(installed):
    installed('first', '2.1')
    installed('second', '1.0')
    installed(
        'onestage_pose',
        '0.2.0',
        'Provides-Extra: lite',
        'Provides-Extra: bulk',
        'Requires-Dist: needed-always',
        'Requires-Dist: mmcv-lite; extra == "lite"',
        'Requires-Dist: first>=2; extra == "bulk"',
        'Requires-Dist: second>=1.5; extra == "bulk"',
        'Requires-Dist: no-such-package[data]; extra == "bulk"',
        'Requires-Dist: other; extra == "bulk" and python_version < "3"',
    )

    assert doctor.describe_extras() == [
        'Extra "bulk" (pip install "onestage_pose[bulk]"): first 2.1, '
        'second 1.0 is not >=1.5, no-such-package is missing'
    ]


def test_extras_are_not_known_of_a_clone_that_is_not_installed(monkeypatch):
    def fail(name):
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, 'metadata', fail)

    assert doctor.describe_extras()[0].startswith('Extras: not known')


def test_a_needed_package_that_is_missing_is_an_error(monkeypatch):
    find = doctor.find_version
    monkeypatch.setattr(
        doctor, 'find_version', lambda *names: None if 'timm' in names else find(*names)
    )

    with pytest.raises(SystemExit, match='missing: timm'):
        main(['doctor'])


def test_an_operator_that_does_not_work_is_an_error(monkeypatch):
    monkeypatch.setattr(doctor, 'nms', lambda *_, **__: (None, torch.tensor([1])))

    with pytest.raises(SystemExit, match=r'nms kept the boxes \[1\]'):
        main(['doctor'])
