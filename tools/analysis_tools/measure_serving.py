# Copyright (c) onestage_pose contributors.
"""Measure ``onestage-pose serve`` in a process of its own, over the loopback address.

    python tools/analysis_tools/measure_serving.py IMAGES out.json
    python tools/analysis_tools/measure_serving.py IMAGES out.json --parts memory

The client needs httpx. Parts:

- load: throughput and times to an answer, by batch size. Servers of all batch sizes run
  at once and are asked in turn, ``--repeat`` times; ratios are of one round, since the
  machine may be busy;
- malformed: requests that are no image, each of which must get a status from 400 to 499
  and a reason, and an image after them;
- hanging: connections that send nothing, half a header or half a body. Images are sent
  before and meanwhile; in the end the server must have closed all connections;
- stop: SIGTERM while all clients wait, each of which must be answered;
- memory: of the server, over ``--memory-requests`` requests.

The program ends with an error if a part does not hold what it must.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from onestage_pose.apis.writing import write_json
from onestage_pose.cli.args import positive
from onestage_pose.cli.files import find_images
from onestage_pose.cli.run import run_tool
from onestage_pose.utils.errors import OnestagePoseError

import cv2
import httpx
import numpy as np

_TIMEOUT = 300.0
_MEMORY_POINTS = 20
_MB = 2**20


class ServerFaultError(OnestagePoseError):
    """The server does not do what it must."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', type=Path, help='a folder')
    parser.add_argument('out', type=Path, help='a JSON file')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=[*PARTS])
    parser.add_argument('--num-images', type=positive, default=20)
    parser.add_argument('--concurrency', type=positive, default=8, help='of requests')
    parser.add_argument('--batch-sizes', type=positive, nargs='+', default=[1, 8])
    parser.add_argument(
        '--requests', type=positive, default=40, help='of load, in a round'
    )
    parser.add_argument('--repeat', type=positive, default=3, help='rounds of load')
    parser.add_argument('--malformed', type=positive, default=200)
    parser.add_argument('--hanging', type=positive, default=60, help='connections')
    parser.add_argument('--memory-requests', type=positive, default=10_000)
    parser.add_argument(
        '--serve',
        nargs=argparse.REMAINDER,
        default=[],
        help='the last option: words for "onestage-pose serve", such as a config',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Measure, and write what was found after each part.

    Raises:
        ServerFaultError: A part does not hold what it must; its figures are written.
    """
    args = parse_args(argv)
    paths = find_images(args.images, args.num_images, 'IMAGES')
    images = [path.read_bytes() for path in paths]
    found, faults = {}, []
    for part in args.parts:
        with ExitStack() as stack:
            sizes = args.batch_sizes if part == 'load' else args.batch_sizes[-1:]
            servers = {
                size: stack.enter_context(
                    Server([*args.serve, '--batch-size', str(size)])
                )
                for size in sizes
            }
            found[part] = asyncio.run(PARTS[part](servers, images, args))
        write_json(args.out, found)
        print(part, json.dumps(found[part]), flush=True)
        faults += [f'{part}: {each}' for each in found[part].get('faults', [])]
    if faults:
        raise ServerFaultError('\n'.join(faults))


class Server:
    """A server in a process of its own, which runs inside a ``with`` statement.

    Args:
        words (Sequence[str]): Of the command line.

    Attributes:
        url (str): Where images are sent.
        process (subprocess.Popen): The process.
    """

    def __init__(self, words: Sequence[str]) -> None:
        command = [sys.executable, '-m', 'onestage_pose', 'serve', *words]
        self.process = subprocess.Popen(
            [*command, '--port', '0'], stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if line.startswith('POST an image to'):
                self.url = line.split()[4].rstrip(';')
                return
        raise ServerFaultError(f'it does not start: {" ".join(command)}')

    def __enter__(self) -> Server:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(_TIMEOUT)
        finally:
            self.process.kill()
            self.process.stdout.close()

    @property
    def address(self) -> tuple[str, int]:
        """tuple[str, int]: Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname, parts.port

    async def read_metrics(self, client: httpx.AsyncClient) -> dict[str, float]:
        """Return what it tells Prometheus, by name."""
        text = (await client.get(self.url.replace('/predict', '/metrics'))).text
        lines = (line.rpartition(' ') for line in text.splitlines() if line[0] != '#')
        return {name: float(value) for name, _, value in lines}


def open_client() -> httpx.AsyncClient:
    """Return a client that opens a connection for each request.

    A connection that is used again may be closed by the server in the moment in which
    the next request goes out.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=_TIMEOUT, limits=limits)


async def ask(
    client: httpx.AsyncClient,
    url: str,
    images: Sequence[bytes],
    number: int,
    concurrency: int,
) -> tuple[list[float], Counter]:
    """Send images, several at once, in turn.

    Returns:
        tuple[list[float], Counter]: Seconds to each answer, and how many had which
        status.
    """
    seconds, statuses, left = [], Counter(), iter(range(number))

    async def send() -> None:
        for index in left:
            start = time.perf_counter()
            answer = await client.post(url, content=images[index % len(images)])
            seconds.append(time.perf_counter() - start)
            statuses[answer.status_code] += 1

    await asyncio.gather(*(send() for _ in range(concurrency)))
    return seconds, statuses


async def measure_load(
    servers: dict[int, Server], images: list[bytes], args: argparse.Namespace
) -> dict[str, Any]:
    """Measure throughput and times to an answer by batch size."""
    seconds = {size: [] for size in servers}
    rates = {size: [] for size in servers}
    statuses, batches = Counter(), {}
    async with open_client() as client:
        for server in servers.values():
            await ask(client, server.url, images, args.concurrency, args.concurrency)
        for _ in range(args.repeat):
            for size, server in servers.items():
                start = time.perf_counter()
                taken, answered = await ask(
                    client, server.url, images, args.requests, args.concurrency
                )
                rates[size].append(args.requests / (time.perf_counter() - start))
                seconds[size] += taken
                statuses += answered
        for size, server in servers.items():
            metrics = await server.read_metrics(client)
            batches[size] = (
                metrics['onestage_pose_batch_images_sum']
                / metrics['onestage_pose_batch_images_count']
            )
    first, *others = servers
    ratios = {
        f'batches of {size} / of {first}': [
            a / b for a, b in zip(rates[size], rates[first])
        ]
        for size in others
    }
    return dict(
        concurrency=args.concurrency,
        by_batch_size={
            size: dict(
                requests=len(seconds[size]),
                images_a_second=rates[size],
                mean_batch=batches[size],
                p50_seconds=float(np.percentile(seconds[size], 50)),
                p99_seconds=float(np.percentile(seconds[size], 99)),
            )
            for size in servers
        },
        ratios=ratios,
        median_ratios={name: statistics.median(each) for name, each in ratios.items()},
        faults=_not_all_right(statuses),
    )


def _not_all_right(statuses: Counter) -> list[str]:
    wrong = {status: number for status, number in statuses.items() if status != 200}
    return [f'images were answered with {wrong}'] if wrong else []


async def measure_malformed(
    servers: dict[int, Server], images: list[bytes], args: argparse.Namespace
) -> dict[str, Any]:
    """Count the answers to requests that are no image."""
    [server] = servers.values()
    statuses, faults = Counter(), []
    async with open_client() as client:
        for kind, request in itertools.islice(make_malformed(), args.malformed):
            answer = await client.post(server.url, **request)
            statuses[answer.status_code] += 1
            has_reason = 'json' in answer.headers['Content-Type'] and bool(
                answer.json().get('detail')
            )
            if not 400 <= answer.status_code < 500 or not has_reason:
                faults.append(f'{kind}: {answer.status_code} {answer.text[:200]}')
        _, after = await ask(client, server.url, images, 1, 1)
    return dict(
        requests=statuses.total(),
        by_status=dict(sorted(statuses.items())),
        faults=faults + _not_all_right(after),
    )


def make_malformed() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield requests that are no image, each another one, without end.

    Yields:
        tuple[str, dict[str, Any]]: Its kind, and arguments of ``httpx.post``.
    """
    draw = random.Random(0)
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    jpeg, png = (cv2.imencode(each, noise)[1].tobytes() for each in ('.jpg', '.png'))

    def cut(whole: bytes) -> bytes:
        return whole[: draw.randrange(1, len(whole) * 9 // 10)]

    def disturbed(whole: bytes) -> bytes:
        place = draw.randrange(100, len(whole) - 100)
        return whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]

    def kinds() -> Iterator[tuple[str, dict[str, Any]]]:
        text = {'Content-Type': 'multipart/form-data; boundary=x'}
        json_text = {'Content-Type': 'application/json'}
        size = draw.randrange(1, 5000)
        side = draw.randrange(20_000, 2**31)
        yield 'nothing', dict(content=b'')
        yield 'noise', dict(content=draw.randbytes(size))
        yield 'a JPEG that is cut', dict(content=cut(jpeg))
        yield 'a PNG that is cut', dict(content=cut(png))
        yield 'a PNG with a wrong byte', dict(content=disturbed(png))
        yield (
            'the first bytes of a JPEG, then noise',
            dict(content=jpeg[:4] + draw.randbytes(size)),
        )
        yield 'a PNG of too many pixels', dict(content=make_huge_png(side))
        yield 'a web page', dict(content=b'<html>' + draw.randbytes(size))
        yield 'a PDF', dict(content=b'%PDF-1.7\n' + draw.randbytes(size))
        yield 'a form without an image', dict(files={f'field{size}': jpeg})
        yield 'a form with an image that is cut', dict(files={'image': cut(jpeg)})
        yield 'a form that is cut', dict(content=b'--x\r\n' + jpeg[:size], headers=text)
        yield 'an address', dict(json={'url': f'http://images.example/{size}.jpg'})
        yield 'JSON without an address', dict(json={'url': size})
        yield 'JSON that is cut', dict(content=b'{"url": ' * size, headers=json_text)
        yield 'a wrong threshold', dict(content=jpeg, params={'bbox_thr': size + 1})
        yield 'no threshold', dict(content=jpeg, params={'bbox_thr': f'x{size}'})

    while True:
        yield from kinds()


def make_huge_png(side: int) -> bytes:
    """Return a PNG of a few bytes whose header states (side, side) pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = struct.pack('>I', zlib.crc32(name + data))
        return struct.pack('>I', len(data)) + name + data + checked

    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    ends = chunk(b'IDAT', zlib.compress(bytes(100))), chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + b''.join(ends)


async def measure_hanging(
    servers: dict[int, Server], images: list[bytes], args: argparse.Namespace
) -> dict[str, Any]:
    """Measure how long an image takes beside connections that hang."""
    [server] = servers.values()
    size = b'Content-Length: %d\r\n\r\n' % len(images[0])
    header = b'POST /predict HTTP/1.1\r\nHost: test\r\n' + size
    begun = [b'', header[:30], header + images[0][: len(images[0]) // 2]]
    number = min(len(images), 10)
    async with open_client() as client:
        await ask(client, server.url, images, number, 1)
        before, statuses = await ask(client, server.url, images, number, 1)
        start = time.perf_counter()
        hanging = []
        for index in range(args.hanging):
            reader, writer = await asyncio.open_connection(*server.address)
            writer.write(begun[index % len(begun)])
            hanging.append((reader, writer))
        meanwhile, others = await ask(client, server.url, images, number, 1)
        ends = await asyncio.gather(*(_await_end(*each) for each in hanging))
    ended = [end - start for end in ends if end is not None]
    faults = _not_all_right(statuses + others)
    if len(ended) < args.hanging:
        faults.append(f'{args.hanging - len(ended)} connections are open still')
    return dict(
        connections=args.hanging,
        images=number,
        seconds_before=statistics.median(before),
        seconds_meanwhile=statistics.median(meanwhile),
        closed=len(ended),
        last_closed_after_seconds=max(ended, default=None),
        faults=faults,
    )


async def _await_end(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> float | None:
    """When the server has closed a connection; None: it does not."""
    try:
        await asyncio.wait_for(reader.read(), 120)
        return time.perf_counter()
    except asyncio.TimeoutError:
        return None
    except OSError:
        return time.perf_counter()
    finally:
        writer.close()


async def measure_stop(
    servers: dict[int, Server], images: list[bytes], args: argparse.Namespace
) -> dict[str, Any]:
    """Count the answers to requests that are under way at a SIGTERM."""
    [server] = servers.values()
    number = args.concurrency
    async with open_client() as client, open_client() as watching:
        await ask(client, server.url, images, number, number)
        seen = await server.read_metrics(watching)
        asking = asyncio.create_task(ask(client, server.url, images, number, number))

        async def has_all() -> bool:
            metrics = await server.read_metrics(watching)
            name = 'onestage_pose_batch_images_sum'
            begun = metrics[name] - seen[name]
            return begun + metrics['onestage_pose_waiting'] == number

        while not asking.done() and not await has_all():
            await asyncio.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        under_way = not asking.done()
        _, statuses = await asking
    status = await asyncio.to_thread(server.process.wait, _TIMEOUT)
    faults = _not_all_right(statuses)
    if not under_way:
        faults.append('all were answered before the signal: send larger images')
    if status not in (0, -signal.SIGTERM):
        faults.append(f'it ends with status {status}')
    try:
        socket.create_connection(server.address, 10).close()
        faults.append('its port is still open')
    except OSError:
        pass
    return dict(requests=number, answered=statuses[200], faults=faults)


async def measure_memory(
    servers: dict[int, Server], images: list[bytes], args: argparse.Namespace
) -> dict[str, Any]:
    """Follow the server's memory over many requests."""
    [server] = servers.values()
    step = max(args.memory_requests // _MEMORY_POINTS, 1)
    resident, statuses = {}, Counter()
    async with open_client() as client:
        for done in range(0, args.memory_requests + 1, step):
            if done:
                _, answered = await ask(
                    client, server.url, images, step, args.concurrency
                )
                statuses += answered
            metrics = await server.read_metrics(client)
            resident[done] = metrics['process_resident_memory_bytes'] / _MB
            print(f'{done} requests: {resident[done]:.1f} MB', flush=True)
    later = [mb for done, mb in resident.items() if done >= args.memory_requests / 10]
    return dict(
        requests=statuses.total(),
        resident_mb=resident,
        after_a_tenth_mb=later[0],
        in_the_end_mb=later[-1],
        most_mb=max(later),
        image_sizes=len({_size(each) for each in images}),
        files_in_the_end=metrics['process_open_fds'],
        faults=_not_all_right(statuses),
    )


def _size(image: bytes) -> tuple[int, ...]:
    return cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR).shape


PARTS = {
    'load': measure_load,
    'malformed': measure_malformed,
    'hanging': measure_hanging,
    'stop': measure_stop,
    'memory': measure_memory,
}

if __name__ == '__main__':
    run_tool(main)
