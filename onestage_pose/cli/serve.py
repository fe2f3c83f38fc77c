# Copyright (c) onestage_pose contributors.
"""Serve a model over HTTP."""

from __future__ import annotations

import argparse
import functools

from ..apis.predictor import PosePredictor
from .extras import needs_extra
from .listening import get_address, listen


def run(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM; what is being looked at is answered first.

    Raises:
        UsageError: Something that was typed cannot be used, or the extra ``serve`` is
            not installed.
    """
    with needs_extra('serve', 'the server'):
        import uvicorn

        from ..serving import ServerLimits, create_app
        from ..serving.connections import TimedProtocol
    limits = ServerLimits(
        max_bytes=args.max_bytes,
        max_pixels=args.max_pixels,
        max_waiting=args.max_waiting,
        timeout=args.timeout,
    )
    # before the model is loaded
    with listen(args.host, args.port) as listener:
        predictor = PosePredictor(
            args.config,
            args.checkpoint,
            device=args.device,
            bbox_thr=args.bbox_thr,
            cfg_options=args.cfg_options,
            keep_images=False,
        )
        app = create_app(predictor, limits, args.batch_size, allow_urls=args.allow_urls)
        config = uvicorn.Config(
            app,
            http=functools.partial(TimedProtocol, header_timeout=limits.body_timeout),
            ws='none',
            log_level='warning',
            timeout_graceful_shutdown=int(args.timeout) + 1,
            # beyond those that wait, some that send or are refused
            limit_concurrency=4 * args.max_waiting,
        )
        base = get_address(listener)
        print(
            f'POST an image to {base}/predict; {base}/docs describes the interface.',
            flush=True,
        )
        uvicorn.Server(config).run([listener])
