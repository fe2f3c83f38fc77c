# Copyright (c) onestage_pose contributors.
"""mmpose's inference with a model that another process has made.

Upstream: mmpose 1.3.2, ``mmpose/apis/inference.py``: ``inference_topdown`` sets the
default scope before it builds the pipeline, ``inference_bottomup`` relies on
``init_model`` having done so. Where a model was pickled to a spawned process, nobody
has, and none of mmpose's transforms is found. Can go once ``inference_bottomup`` sets
it, too.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from .hooks import replace_function, when_imported

_NAME = 'inference_bottomup'


def install() -> None:
    """Let the function look in the model's scope, once mmpose's is imported."""
    when_imported('mmpose.apis.inference', set_scope)


def set_scope(inference: ModuleType) -> None:
    """Replace ``inference_bottomup`` by one that sets the default scope for its time.

    Args:
        inference: mmpose's module of this name.
    """
    original = getattr(inference, _NAME)
    if getattr(original, 'sets_scope', False):
        return

    @functools.wraps(original)
    def inference_bottomup(model: Any, *args: Any, **kwargs: Any) -> Any:
        from mmengine.registry import DefaultScope

        scope = model.cfg.get('default_scope', 'mmpose')
        current = DefaultScope.get_current_instance()
        if current is not None and current.scope_name == scope:
            scope = None
        with DefaultScope.overwrite_default_scope(scope):
            return original(model, *args, **kwargs)

    inference_bottomup.sets_scope = True
    replace_function(inference, _NAME, inference_bottomup)
