# Copyright (c) onestage_pose contributors.
"""What mmpose's inferencers take, and what they do with videos.

Upstream: mmpose 1.3.2, ``BaseMMPoseInferencer``. ``_inputs_to_list`` knows text and
arrays: a :class:`pathlib.Path` is "not iterable", PIL images and tensors are refused,
and a folder that holds a file without a known extension fails with ``'NoneType' object
has no attribute 'split'``. A video that cannot be decoded gives no results and no
error, and one with a turn in its header lies. Nobody looks whether the drawn video is
whole, and what is being written when the program ends is torn. ``draw_heatmap`` shows
also people who are left out by ``bbox_thr``. Can go once mmpose takes paths and PIL
images, names a broken video and turns one, and writes files whole.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .hooks import when_imported

#: The methods that are replaced, and the modules that define them.
METHODS = {
    '_inputs_to_list': 'base_mmpose_inferencer:BaseMMPoseInferencer',
    '_finalize_video_processing': 'base_mmpose_inferencer:BaseMMPoseInferencer',
    'save_visualization': 'base_mmpose_inferencer:BaseMMPoseInferencer',
    'postprocess': 'base_mmpose_inferencer:BaseMMPoseInferencer',
    'update_model_visualizer_settings': 'pose2d_inferencer:Pose2DInferencer',
}

_PACKAGE = 'mmpose.apis.inferencers'


def install(load: Callable[[], ModuleType]) -> None:
    """Replace the methods once mmpose's inferencers are imported.

    Args:
        load: Gives the module with a function of each name in :data:`METHODS` (without
            its underscore), which takes the method that was there before and then what
            that takes.
    """
    for name, place in METHODS.items():
        module, _, owner = place.partition(':')
        when_imported(
            f'{_PACKAGE}.{module}',
            functools.partial(_replace, owner=owner, name=name, load=load),
        )


def _replace(
    module: ModuleType, owner: str, name: str, load: Callable[[], ModuleType]
) -> None:
    inferencer = getattr(module, owner)
    original = getattr(inferencer, name)
    if getattr(original, 'replaced', False):
        return

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        replacement = getattr(load(), name.lstrip('_'))
        return replacement(original, self, *args, **kwargs)

    method.replaced = True
    setattr(inferencer, name, method)
