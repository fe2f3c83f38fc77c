# Copyright (c) onestage_pose contributors.
"""The web application: images in, people out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from ..apis.predictor import PosePredictor
from ..apis.result import PoseResult
from ..version import __version__
from .batcher import Batcher, QueueFullError
from .body import BodyLimit, read_image
from .limits import ServerLimits

_BINARY = {'schema': {'type': 'string', 'format': 'binary'}}
_BODY = {
    'required': True,
    'content': {
        'image/*': _BINARY,
        'multipart/form-data': {
            'schema': {'type': 'object', 'properties': {'image': _BINARY['schema']}}
        },
        'application/json': {
            'schema': {'type': 'object', 'properties': {'url': {'type': 'string'}}}
        },
    },
}
_ERRORS = {
    400: 'It is not an image that can be decoded.',
    403: 'Addresses are not read.',
    408: 'The body took too long.',
    413: 'The body is too long.',
    503: 'Too many requests wait; come back.',
    504: 'The model took too long.',
}


def create_app(
    predictor: PosePredictor,
    limits: ServerLimits | None = None,
    batch_size: int = 8,
    max_delay: float = 0.0,
    allow_urls: bool = False,
) -> FastAPI:
    """Create the web application that serves a model, for an ASGI server.

    ``POST /predict`` takes an encoded image as the body, a form with one in the field
    ``image``, or JSON with its ``url``, and answers with what
    :meth:`PoseResult.to_dict` returns. ``GET /health`` answers if it is running,
    ``/metrics`` has counters for Prometheus, ``/docs`` describes the interface. Images
    of concurrent requests form batches.

    Args:
        predictor (PosePredictor): The model.
        limits (ServerLimits, optional): Limits of a request.
        batch_size (int): Largest number of images in a batch.
        max_delay (float): Seconds that an incomplete batch waits for more images.
        allow_urls (bool): Also read images from addresses of public servers.

    Returns:
        FastAPI: The application.
    """
    limits = limits or ServerLimits()
    metrics = _Metrics()

    def predict_all(images: list[np.ndarray]) -> list[PoseResult]:
        return list(
            predictor(images, batch_size=batch_size, bbox_thr=0.0, on_error='return')
        )

    batcher = Batcher(
        predict_all, batch_size, limits.max_waiting, max_delay, metrics.batches.observe
    )
    metrics.waiting.set_function(lambda: batcher.waiting)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with batcher:
            yield

    app = FastAPI(
        title='onestage_pose',
        version=__version__,
        description='People and their keypoints in images.',
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, limits=limits)

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        # as text, as all other refusals are
        faults = [f'{each["loc"][-1]}: {each["msg"]}' for each in error.errors()]
        return JSONResponse({'detail': '; '.join(faults)}, 422)

    @app.middleware('http')
    async def count(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        start = time.perf_counter()
        response = await call_next(request)
        if request.url.path == '/predict':
            metrics.requests.labels(response.status_code).inc()
            metrics.seconds.observe(time.perf_counter() - start)
        return response

    @app.post(
        '/predict',
        openapi_extra={'requestBody': _BODY},
        responses={status: {'description': text} for status, text in _ERRORS.items()},
    )
    async def predict(
        request: Request,
        bbox_thr: float = Query(
            predictor.bbox_thr, ge=0, le=1, description="people's least score"
        ),
    ) -> dict[str, Any]:
        """Find the people of an image."""
        _refuse_unknown(request)
        image = await read_image(request, limits, allow_urls)
        try:
            result = await asyncio.wait_for(batcher(image), limits.timeout)
        except QueueFullError:
            raise HTTPException(503, _ERRORS[503], {'Retry-After': '1'}) from None
        except asyncio.TimeoutError:
            raise HTTPException(504, _ERRORS[504]) from None
        return _describe(result, bbox_thr)

    @app.get('/', include_in_schema=False)
    async def show_docs() -> RedirectResponse:
        return RedirectResponse('docs')

    @app.get('/health')
    async def health() -> dict[str, Any]:
        """Say that the server is there, and what it finds."""
        return dict(status='ok', version=__version__, keypoints=list(predictor.names))

    @app.get('/metrics')
    async def show_metrics() -> Response:
        """Count requests, batches and seconds, for Prometheus."""
        return Response(
            generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST
        )

    return app


def _refuse_unknown(request: Request) -> None:
    unknown = sorted({*request.query_params} - {'bbox_thr'})
    if unknown:
        raise HTTPException(
            422, f'/predict has the parameter bbox_thr only, not {", ".join(unknown)}.'
        )


class _Metrics:
    """What Prometheus is told, of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # memory, files and CPU time of the process
        ProcessCollector(registry=self.registry)
        shared = dict(registry=self.registry, namespace='onestage_pose')
        self.requests = Counter(
            'requests', 'Answers to /predict by status.', ['status'], **shared
        )
        self.seconds = Histogram(
            'request_seconds', 'From a request to its answer.', **shared
        )
        self.batches = Histogram(
            'batch_images',
            'Images that the network looked at together.',
            buckets=(1, 2, 4, 8, 16, 32, 64),
            **shared,
        )
        self.waiting = Gauge('waiting', 'Requests that wait for the model.', **shared)


def _describe(result: PoseResult, bbox_thr: float) -> dict[str, Any]:
    if result.error is not None:
        raise HTTPException(400, str(result.error))
    described = result.to_dict()
    for name in ('path', 'index', 'frame', 'time'):
        del described[name]
    described['people'] = [
        person for person in described['people'] if person['score'] > bbox_thr
    ]
    return described
