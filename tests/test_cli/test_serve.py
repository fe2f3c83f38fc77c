# Copyright (c) onestage_pose contributors.
"""The server as its users start and end it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from types import SimpleNamespace

from onestage_pose import PosePredictor
from onestage_pose.cli import serve
from onestage_pose.cli.main import main
from onestage_pose.serving.connections import TimedProtocol

import httpx
import pytest
import skimage.data
import uvicorn

REPOSITORY = Path(__file__).resolve().parents[2]
KITES = SimpleNamespace(names=('nose', 'tail'), bbox_thr=0.3)


def test_a_port_that_is_taken_is_an_error_before_the_model_is_loaded(monkeypatch):
    monkeypatch.setattr('onestage_pose.cli.serve.PosePredictor', None)
    with socket.create_server(('127.0.0.1', 0)) as taken:
        with pytest.raises(
            SystemExit, match='cannot listen on .*Address already in use'
        ):
            main(['serve', 'nano', '--port', str(taken.getsockname()[1])])


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, 'uvicorn', None)
    with pytest.raises(SystemExit, match=r"pip install 'onestage_pose\[serve\]'"):
        main(['serve'])


@pytest.mark.parametrize('port', ['-1', '65536', 'http'])
def test_no_port(port, capsys):
    with pytest.raises(SystemExit):
        main(['serve', f'--port={port}'])
    assert 'is not a port; give 0 to 65535' in capsys.readouterr().err


def test_the_server_closes_connections_on_which_no_request_comes(monkeypatch):
    configs = []
    monkeypatch.setattr(serve, 'PosePredictor', lambda *args, **options: KITES)
    monkeypatch.setattr(
        uvicorn.Server, 'run', lambda server, sockets: configs.append(server.config)
    )

    main(['serve', '--port', '0'])

    assert configs[0].http.func is TimedProtocol
    assert configs[0].http.keywords == {'header_timeout': 30}


@pytest.mark.slow
def test_a_server_answers_as_the_predictor_and_finishes_what_it_has_begun():
    """The process is told to end while a request is under way."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'onestage_pose', 'serve', '--port', '0'],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(REPOSITORY)},
    )
    try:
        lines = (line for line in process.stdout if line.startswith('POST'))
        url = next(lines).split()[4].rstrip(';')
        image = Path(skimage.data.__file__).parent / 'astronaut.png'
        content = image.read_bytes()
        answer = httpx.post(url, content=content, timeout=120)
        expected = next(iter(PosePredictor('nano')(image))).to_dict()
        assert answer.json()['people'] == expected['people'] != []

        # all but the last byte is sent before the signal
        begun, answers = threading.Event(), []

        def slowly():
            yield content[:-1]
            begun.set()
            process.send_signal(signal.SIGTERM)
            yield content[-1:]

        answers.append(httpx.post(url, content=slowly(), timeout=120))
        assert begun.is_set()
        assert answers[0].json()['people'] == expected['people']
        assert process.wait(60) == 0 or process.returncode == -signal.SIGTERM
        with pytest.raises(OSError):
            urllib.request.urlopen(url, timeout=10)
    finally:
        process.kill()
        process.wait()
