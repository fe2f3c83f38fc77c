# Copyright (c) onestage_pose contributors.
"""A model in a web page: its files, its runtime, and a server of files for it."""

from .graph import PageModel, get_page_model
from .page import HEADERS, build_page
from .runtime import get_runtime
from .server import PageHandler, make_server

__all__ = [
    'HEADERS',
    'PageHandler',
    'PageModel',
    'build_page',
    'get_page_model',
    'get_runtime',
    'make_server',
]
