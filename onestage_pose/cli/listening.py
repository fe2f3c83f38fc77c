# Copyright (c) onestage_pose contributors.
"""Open the port of a command that serves, before anything that takes long."""

from __future__ import annotations

import os
import socket

from ..utils.errors import UsageError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host (str): An address of this machine, of IPv4 or IPv6, or a name.
        port (int): 0 for a free one.

    Raises:
        UsageError: It cannot be listened on, with the reason.
    """
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        # the resolver's own numbers are negative
        reason = os.strerror(error.errno) if error.errno > 0 else 'no such name'
        raise UsageError(
            f'cannot listen on --host {host} --port {port} ({reason}); give another.'
        ) from error


def get_address(listener: socket.socket) -> str:
    """Return the address of a socket that listens, as ``'http://127.0.0.1:8000'``."""
    host, port = listener.getsockname()[:2]
    return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'
