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
