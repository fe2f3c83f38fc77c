# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/measure_serving.py: what it sends, and what it calls a fault."""

import asyncio
import itertools
from argparse import Namespace
from collections import Counter
from types import SimpleNamespace

from onestage_pose.serving import create_app

import httpx
import pytest

from tests.tool_runs import load_tool

KINDS = 17
URL = 'http://test/predict'


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/measure_serving')


@pytest.fixture
def open_client(tool, monkeypatch):
    """Let the tool's clients speak with an application in this process."""

    def use(app):
        monkeypatch.setattr(
            tool,
            'open_client',
            lambda: httpx.AsyncClient(transport=httpx.ASGITransport(app)),
        )

    return use


def test_each_kind_of_malformed_request_is_refused_with_a_reason(tool):
    predictor = SimpleNamespace(names=(), bbox_thr=0.3)
    transport = httpx.ASGITransport(create_app(predictor))
    requests = list(itertools.islice(tool.make_malformed(), 2 * KINDS))

    async def send():
        async with httpx.AsyncClient(transport=transport) as client:
            return [await client.post(URL, **request) for _, request in requests]

    answers = dict(zip((kind for kind, _ in requests), asyncio.run(send())))

    assert len(answers) == KINDS
    assert {
        kind: a.status_code for kind, a in answers.items() if a.status_code // 100 != 4
    } == {}
    assert all(answer.json()['detail'] for answer in answers.values())


def test_a_malformed_request_that_is_answered_with_200_is_a_fault(tool, open_client):
    async def app(scope, receive, send):
        head = [(b'content-type', b'application/json')]
        await send({'type': 'http.response.start', 'status': 200, 'headers': head})
        await send({'type': 'http.response.body', 'body': b'{}'})

    open_client(app)
    args = Namespace(malformed=2)

    found = asyncio.run(
        tool.measure_malformed({8: SimpleNamespace(url=URL)}, [b'x'], args)
    )

    assert found['by_status'] == {200: 2}
    assert [fault.partition(':')[0] for fault in found['faults']] == [
        'nothing',
        'noise',
    ]


def test_images_are_sent_several_at_once(tool, open_client):
    together, most = 0, []

    async def app(scope, receive, send):
        nonlocal together
        together += 1
        await asyncio.sleep(0)
        most.append(together)
        together -= 1
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': b''})

    open_client(app)

    async def ask():
        async with tool.open_client() as client:
            return await tool.ask(client, URL, [b'a', b'b'], 7, 3)

    seconds, statuses = asyncio.run(ask())

    assert len(seconds) == 7 and statuses == Counter({200: 7})
    assert max(most) == 3
