# Copyright (c) onestage_pose contributors.
"""Connections on which no request comes."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


class TimedProtocol(AutoHTTPProtocol):
    """uvicorn's HTTP protocol that closes a connection on which no request comes.

    uvicorn waits without limit for the end of a request's header, and counts the
    connection as one of ``limit_concurrency``: clients that connect and send nothing
    would keep out all others. The body has a limit of its own, see
    :class:`~.body.BodyLimit`.

    Args:
        header_timeout (float): Seconds from a connection, or from the first bytes after
            an answer, to the end of a request's header.
        options: As uvicorn gives them.
    """

    def __init__(self, *, header_timeout: float, **options: Any) -> None:
        super().__init__(**options)
        self.header_timeout = header_timeout
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Look whether a request has begun."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, error: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(error)
        self._stop_watching()

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._deadline is None:
            # not renewed by further bytes: they may come one at a time
            self._deadline = self.loop.call_later(
                self.header_timeout, self.transport.close
            )

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
