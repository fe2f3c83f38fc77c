# Copyright (c) onestage_pose contributors.
"""The server of the page gives its files, and the headers that threads need."""

import socket
import threading
import urllib.error
import urllib.request

from onestage_pose.deployment.web import HEADERS, make_server

import pytest


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / 'page'
    (folder / 'ort').mkdir(parents=True)
    for name in ('index.html', 'app.js', 'ort/ort.mjs', 'ort/ort.wasm'):
        (folder / name).write_text(name)
    (tmp_path / 'secret').write_text('secret')
    listener = socket.create_server(('127.0.0.1', 0))
    with make_server(listener, folder) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs=dict(poll_interval=0.01)
        )
        thread.start()
        yield f'http://127.0.0.1:{listener.getsockname()[1]}'
        server.shutdown()
        thread.join()


def read(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, timeout=30)


@pytest.mark.parametrize(
    ('path', 'kind'),
    [
        ('/', 'text/html'),
        ('/app.js', 'text/javascript'),
        ('/ort/ort.mjs', 'text/javascript'),
        ('/ort/ort.wasm', 'application/wasm'),
    ],
)
def test_a_file_has_its_type_and_all_headers(base, path, kind):
    with read(base + path) as answer:
        found = answer.headers

    assert found['Content-Type'] == kind
    assert {name: found.get(name) for name in HEADERS} == HEADERS


def test_the_page_is_isolated_and_reaches_no_other_origin():
    assert HEADERS['Cross-Origin-Opener-Policy'] == 'same-origin'
    assert HEADERS['Cross-Origin-Embedder-Policy'] == 'require-corp'
    policy = dict(
        each.strip().split(' ', 1)
        for each in HEADERS['Content-Security-Policy'].split(';')
    )
    sources = {word for value in policy.values() for word in value.split()}
    assert policy['default-src'] == "'none'"
    assert policy['connect-src'] == "'self'"
    assert sources <= {"'none'", "'self'", "'wasm-unsafe-eval'", 'blob:'}


@pytest.mark.parametrize('path', ['/ort/', '/none', '/../secret', '/%2e%2e/secret'])
def test_nothing_else_is_given(base, path):
    with pytest.raises(urllib.error.HTTPError, match='404'):
        read(base + path)
