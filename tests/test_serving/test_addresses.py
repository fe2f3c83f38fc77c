# Copyright (c) onestage_pose contributors.
"""A stranger's address leads to public servers alone."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from onestage_pose.serving import addresses
from onestage_pose.serving.addresses import fetch_public
from onestage_pose.utils.errors import ImageError

import pytest

PRIVATE = [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    'fd00::1',
    'fe80::1%eth0',
    '::ffff:127.0.0.1',
    '2002:7f00:1::',
]


def resolve_to(monkeypatch, *ips):
    found = [(0, 0, 0, '', (ip, 80)) for ip in ips]
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *args, **options: found)


def no_connection(*args, **options):
    raise AssertionError('connected')


@pytest.mark.parametrize('ip', PRIVATE)
def test_no_private_network_is_reached(monkeypatch, ip):
    resolve_to(monkeypatch, ip)
    monkeypatch.setattr(socket, 'create_connection', no_connection)
    with pytest.raises(ImageError, match='not on a public network'):
        fetch_public('http://images.example/a.jpg', 100, 5)


def test_a_name_with_a_public_and_a_private_address_is_refused(monkeypatch):
    resolve_to(monkeypatch, '93.184.215.14', '10.0.0.1')
    monkeypatch.setattr(socket, 'create_connection', no_connection)
    with pytest.raises(ImageError, match='not on a public network'):
        fetch_public('http://images.example/a.jpg', 100, 5)


@pytest.mark.parametrize(
    ('address', 'reason'),
    [
        ('file:///etc/passwd', 'must begin with http'),
        ('ftp://images.example/a.jpg', 'must begin with http'),
        ('http://', 'must begin with http'),
        ('http://images.example:8080/a.jpg', 'only the usual port'),
        ('http://me:secret@images.example/a.jpg', 'user name'),
        ('http://images.example:99999/a.jpg', 'not an address'),
    ],
)
def test_other_addresses_are_refused(monkeypatch, address, reason):
    monkeypatch.setattr(socket, 'getaddrinfo', no_connection)
    with pytest.raises(ImageError, match=reason):
        fetch_public(address, 100, 5)


class Handler(BaseHTTPRequestHandler):
    """/image is 100 bytes, /moved leads there."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers['Host']))
        self.send_response(302 if self.path == '/moved' else 200)
        self.send_header('Location', '/image')
        self.end_headers()
        self.wfile.write(b'x' * 100)

    def log_message(self, *args):
        pass


@pytest.fixture
def public(monkeypatch):
    """A server on the loopback address that passes for a public one."""
    server = HTTPServer(('127.0.0.1', 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    connect = socket.create_connection
    monkeypatch.setattr(
        addresses, '_resolve_public', lambda host, port, address: '127.0.0.1'
    )
    monkeypatch.setattr(
        socket,
        'create_connection',
        lambda place, timeout: connect((place[0], server.server_port), timeout),
    )
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_content_is_read_from_the_address_that_was_checked(public):
    content = fetch_public('http://images.example/image?size=1#part', 100, 30)
    assert content == b'x' * 100
    assert public.seen == [('/image?size=1', 'images.example')]


def test_too_much_is_not_read(public):
    with pytest.raises(ImageError, match='more than 99 bytes'):
        fetch_public('http://images.example/image', 99, 30)


def test_redirections_are_not_followed(public):
    with pytest.raises(ImageError, match='status 302'):
        fetch_public('http://images.example/moved', 100, 30)
    assert len(public.seen) == 1
