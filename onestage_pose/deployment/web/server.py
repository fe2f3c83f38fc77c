# Copyright (c) onestage_pose contributors.
"""A server of the page's files, with the headers that threads need."""

from __future__ import annotations

import functools
import socket
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .page import HEADERS


class PageHandler(SimpleHTTPRequestHandler):
    """Answers with files alone, each with :data:`.HEADERS`."""

    #: Seconds after which a client that says nothing is left.
    timeout = 60
    # Systems have other tables, and browsers run no script of another type.
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        '.js': 'text/javascript',
        '.mjs': 'text/javascript',
        '.wasm': 'application/wasm',
        '.css': 'text/css',
        '.svg': 'image/svg+xml',
    }

    def end_headers(self) -> None:
        """Add the headers of every answer."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        # asked again each time: another model may be served at this address
        self.send_header('Cache-Control', 'no-cache')
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Refuse: no folder but the page's own has something to show."""
        self.send_error(404)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def make_server(
    listener: socket.socket,
    folder: Path,
    handler: type[PageHandler] = PageHandler,
) -> ThreadingHTTPServer:
    """Return a server of a folder's files, which ``serve_forever()`` starts.

    Args:
        listener (socket.socket): Listens already; the server closes it.
        folder (Path): As :func:`.build_page` writes it.
        handler (type[PageHandler]): Answers the requests.
    """
    server = ThreadingHTTPServer(
        listener.getsockname()[:2],
        functools.partial(handler, directory=str(folder)),
        bind_and_activate=False,
    )
    server.socket.close()
    server.socket = listener
    return server
