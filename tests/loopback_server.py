# Copyright (c) onestage_pose contributors.
"""A server of files on the loopback address, which fails as it is told to."""

from __future__ import annotations

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LoopbackServer:
    """Serves files by name, ranges too; to be used as a context.

    Attributes:
        files (dict[str, bytes]): By name.
        acts (deque[int | str]): What the next answers are: a status such as 500;
            ``'cut'``, half of what was asked for; ``'no range'``, all of the file
            whatever was asked for; ``'half'``, both; ``'wrong range'``, another part
            than was asked for. Answers are right once there are no more.
        requests (list[tuple[str, str | None]]): Name and ``Range`` of each request.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.acts: deque[int | str] = deque()
        self.requests: list[tuple[str, str | None]] = []
        handler = type('Handler', (_Handler,), dict(owner=self))
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs=dict(poll_interval=0.01)
        )

    @property
    def url(self) -> str:
        """Address of the files, without a slash behind."""
        return f'http://127.0.0.1:{self._server.server_port}'

    def __enter__(self) -> LoopbackServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: the address refuses connections then."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: LoopbackServer

    def do_GET(self) -> None:
        name, asked = self.path.rpartition('/')[2], self.headers.get('Range')
        self.owner.requests.append((name, asked))
        act = self.owner.acts.popleft() if self.owner.acts else None
        content = self.owner.files.get(name)
        if isinstance(act, int) or content is None:
            return self.send_error(act if isinstance(act, int) else 404)
        start = 0
        if asked and act not in ('no range', 'half'):
            start = int(asked.removeprefix('bytes=').rstrip('-'))
            if start >= len(content):
                return self.send_error(416)
            if act == 'wrong range':
                start += 1
        body = content[start:]
        self.send_response(206 if asked and act not in ('no range', 'half') else 200)
        if start:
            last = len(content) - 1
            self.send_header('Content-Range', f'bytes {start}-{last}/{len(content)}')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if act in ('cut', 'half') else body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
