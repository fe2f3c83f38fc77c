# Copyright (c) onestage_pose contributors.
"""What is typed is checked before the model is exported."""

import socket

from onestage_pose.cli.main import main

import pytest

pytest.importorskip('onnx', reason='onnx is not installed')


@pytest.fixture(autouse=True)
def _no_model_is_looked_for(monkeypatch):
    monkeypatch.setattr('onestage_pose.cli.web.find_model', None)


def test_a_port_that_is_taken_is_an_error_before_the_model_is_looked_for():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        with pytest.raises(
            SystemExit, match='cannot listen on .*Address already in use'
        ):
            main(['web', 'nano', '--port', str(taken.getsockname()[1])])


def test_a_host_without_an_address_is_named():
    with pytest.raises(SystemExit, match='no.such.host.invalid .*no such name'):
        main(['web', '--host', 'no.such.host.invalid', '--port', '0'])


def test_files_of_another_kind_are_not_written_over(tmp_path):
    (tmp_path / 'mine').write_text('mine')

    with pytest.raises(SystemExit, match='is not empty: give another folder'):
        main(['web', 'nano', '--build', str(tmp_path)])


def test_a_runtime_that_is_not_there_is_an_error_before_the_model_is_looked_for(
    tmp_path,
):
    words = ['--build', str(tmp_path / 'page'), '--ort', str(tmp_path / 'none')]

    with pytest.raises(SystemExit, match='--ort: there is no folder or file'):
        main(['web', 'nano', *words])
