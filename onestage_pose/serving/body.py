# Copyright (c) onestage_pose contributors.
"""The image in a request."""

from __future__ import annotations

import asyncio

import numpy as np
from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..apis.inputs import decode_image
from ..utils.errors import ImageError
from .addresses import fetch_public
from .limits import ServerLimits

_NAME = 'the image'


class BodyLimit:
    """ASGI middleware that ends a body which is too long or too slow.

    Args:
        app (ASGIApp): What is behind it.
        limits (ServerLimits): How long and how slow.
    """

    def __init__(self, app: ASGIApp, limits: ServerLimits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; reading its body raises ``HTTPException``."""
        if scope['type'] != 'http':
            await self.app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + self.limits.body_timeout
        left, is_whole = self.limits.max_bytes, False

        async def limited() -> Message:
            nonlocal left, is_whole
            if is_whole:
                # what comes after the body is that the client has gone
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), end - loop.time())
            except asyncio.TimeoutError:
                raise HTTPException(408, 'The body took too long.') from None
            left -= len(message.get('body', b''))
            if left < 0:
                raise HTTPException(
                    413, f'The body has more than {self.limits.max_bytes} bytes.'
                )
            is_whole = not message.get('more_body', False)
            return message

        await self.app(scope, limited, send)


async def read_image(
    request: Request, limits: ServerLimits, allow_urls: bool
) -> np.ndarray:
    """Read the image of a request.

    Args:
        request (Request): Its body is an encoded image, a form with one in the field
            ``image``, or JSON with the ``url`` of one.
        limits (ServerLimits): On its size.
        allow_urls (bool): Whether addresses are read.

    Returns:
        np.ndarray: (h, w, 3) uint8, BGR.

    Raises:
        HTTPException: Status 400 for what is no image, 403 for an address where none
            is read, 408 and 413 for a body that is too slow or too long.
    """
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    try:
        if kind == 'application/json':
            content = await _read_address(request, limits, allow_urls)
        elif kind == 'multipart/form-data':
            content = await _read_form(request, limits)
        else:
            content = await request.body()
        return await run_in_threadpool(decode, content, limits.max_pixels)
    except ImageError as error:
        raise HTTPException(400, str(error)) from error
    except ClientDisconnect:
        raise HTTPException(400, 'The client has gone.') from None


def decode(content: bytes, max_pixels: int) -> np.ndarray:
    """Decode an image.

    Args:
        content (bytes): Encoded.
        max_pixels (int): Most pixels that its header may state.

    Returns:
        np.ndarray: (h, w, 3) uint8, BGR, turned as its EXIF orientation says.

    Raises:
        ImageError: It is none, is truncated, or too large.
    """
    if not content:
        raise ImageError('there is no image in the request: its body is empty.')
    return decode_image(content, _NAME, max_pixels, '--max-pixels')


async def _read_form(request: Request, limits: ServerLimits) -> bytes:
    async with request.form(max_files=1, max_fields=1) as form:
        given = form.get('image')
        if given is None or isinstance(given, str):
            raise ImageError('the form has no file in a field named "image".')
        return await given.read()


async def _read_address(
    request: Request, limits: ServerLimits, allow_urls: bool
) -> bytes:
    try:
        given = await request.json()
        address = given['url']
    except (ValueError, KeyError, TypeError, RecursionError):
        address = None
    if not isinstance(address, str):
        raise ImageError('JSON must be {"url": "https://..."}.')
    if not allow_urls:
        raise HTTPException(403, 'This server reads no addresses: send the image.')
    return await run_in_threadpool(
        fetch_public, address, limits.max_bytes, limits.body_timeout
    )
