# Copyright (c) onestage_pose contributors.
"""A connection on which no request comes is closed; one that is answered stays."""

import asyncio
import functools
import socket

from onestage_pose.serving.connections import TimedProtocol

import pytest
import uvicorn

REQUEST = b'GET / HTTP/1.1\r\nHost: test\r\n\r\n'


class Application:
    """Answers once it is told to."""

    def __init__(self):
        self.asked, self.free = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.asked.set()
        await self.free.wait()
        head = {'type': 'http.response.start', 'status': 200}
        await send({**head, 'headers': [(b'content-length', b'2')]})
        await send({'type': 'http.response.body', 'body': b'ok'})


def serve(converse):
    """Let a client speak with a server that waits a tenth of a second for a header."""

    async def main():
        application = Application()
        config = uvicorn.Config(
            application,
            http=functools.partial(TimedProtocol, header_timeout=0.1),
            lifespan='off',
            log_config=None,
        )
        server = uvicorn.Server(config)
        with socket.create_server(('127.0.0.1', 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            try:
                address = listener.getsockname()
                await asyncio.wait_for(converse(application, address), 60)
            finally:
                server.should_exit = True
                await serving

    asyncio.run(main())


@pytest.mark.parametrize('begun', [b'', REQUEST[:20]], ids=['silent', 'half a header'])
def test_a_connection_without_a_request_is_closed(begun):
    async def converse(application, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(begun)
        assert await reader.read() == b''
        writer.close()

    serve(converse)


def test_so_is_one_whose_next_request_does_not_come():
    async def converse(application, address):
        application.free.set()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(REQUEST)
        assert (await reader.readuntil(b'ok')).startswith(b'HTTP/1.1 200')
        writer.write(REQUEST[:20])
        assert await reader.read() == b''
        writer.close()

    serve(converse)


def test_whoever_waits_for_an_answer_gets_it():
    async def converse(application, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(REQUEST)
        await application.asked.wait()
        # another's time, which began later, runs out
        silent, other = await asyncio.open_connection(*address)
        await silent.read()
        application.free.set()
        assert (await reader.readuntil(b'ok')).startswith(b'HTTP/1.1 200')
        writer.close()
        other.close()

    serve(converse)
