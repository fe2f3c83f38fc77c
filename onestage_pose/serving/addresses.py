# Copyright (c) onestage_pose contributors.
"""Fetch what a stranger's address points to, from public networks alone."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from urllib.parse import urlsplit

from ..utils.errors import ImageError

_PORTS = {'http': 80, 'https': 443}
_CHUNK = 2**16


def fetch_public(address: str, max_bytes: int, timeout: float) -> bytes:
    """Read what is behind an address.

    A server that fetches for strangers must not become their way into its own network:
    the name is resolved once, every address that it has must be a public one, and the
    connection goes to that very address. Redirections are not followed.

    Args:
        address (str): http or https, on the usual port.
        max_bytes (int): Most bytes that are read.
        timeout (float): Seconds for all of it.

    Returns:
        bytes: The content.

    Raises:
        ImageError: It is not such an address, or cannot be read.
    """
    end = time.monotonic() + timeout
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise ImageError(f'{address}: this is not an address ({error}).') from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ImageError(f'{address}: the address must begin with http:// or https://.')
    if port != _PORTS[parts.scheme] or parts.username is not None:
        raise ImageError(
            f'{address}: only the usual port is read, and no address with a user name.'
        )
    ip = _resolve_public(parts.hostname, port, address)
    kind = http.client.HTTPConnection
    if parts.scheme == 'https':
        kind = http.client.HTTPSConnection
    connection = kind(parts.hostname, port, timeout=timeout)
    try:
        connection.sock = _connect(ip, port, parts, timeout)
        path = parts._replace(scheme='', netloc='', fragment='').geturl() or '/'
        connection.request('GET', path, headers={'User-Agent': 'onestage_pose'})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ImageError(
                f'{address}: the server answers with status {answer.status}.'
            )
        return _read(answer, address, max_bytes, end)
    except ImageError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ImageError(f'{address}: cannot be read ({error}).') from error
    finally:
        connection.close()


def _resolve_public(host: str, port: int, address: str) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ImageError(f'{address}: there is no such server ({error}).') from error
    ips = [each[4][0] for each in found]
    if not all(_is_public(ip) for ip in ips):
        raise ImageError(f'{address}: this server is not on a public network.')
    return ips[0]


def _is_public(text: str) -> bool:
    ip = ipaddress.ip_address(text.partition('%')[0])
    # an IPv6 address may stand for an IPv4 one
    inner = [getattr(ip, name, None) for name in ('ipv4_mapped', 'sixtofour')]
    return all(
        each.is_global and not each.is_multicast for each in (ip, *inner) if each
    )


def _connect(ip: str, port: int, parts, timeout: float) -> socket.socket:
    connected = socket.create_connection((ip, port), timeout)
    if parts.scheme == 'http':
        return connected
    try:
        context = ssl.create_default_context()
        return context.wrap_socket(connected, server_hostname=parts.hostname)
    except BaseException:
        connected.close()
        raise


def _read(
    answer: http.client.HTTPResponse, address: str, max_bytes: int, end: float
) -> bytes:
    content = bytearray()
    while chunk := answer.read1(_CHUNK):
        content += chunk
        if len(content) > max_bytes:
            raise ImageError(f'{address}: this file has more than {max_bytes} bytes.')
        if time.monotonic() > end:
            raise ImageError(f'{address}: the server is too slow.')
    return bytes(content)
