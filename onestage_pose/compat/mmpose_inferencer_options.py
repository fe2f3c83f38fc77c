# Copyright (c) onestage_pose contributors.
"""Options of mmpose's inferencers: all are known, and drawings go by the image.

Upstream: mmpose 1.3.2, ``Pose2DInferencer``. Its ``forward`` leaves out people whose
box score is not over ``bbox_thr``, and its ``__call__`` and that of
``MMPoseInferencer`` hand on what ``forward_kwargs`` names, which that option is not:
only top-down models and the class ``BottomupPoseEstimator`` get to see it.
``MMPoseInferencer`` drops the options that the inferencer it has chosen does not know,
so that ``kpt_treshold=0.5`` has no effect and no error, and ``bbox_thr=30`` finds
nobody. Its drawings have lines of one
pixel whatever the size of the image, and the heatmaps are those of everybody, drawn or
not. Can go once ``bbox_thr`` is named there, unknown options are refused, and sizes and
heatmaps go by what is drawn.
"""

from __future__ import annotations

import functools
import inspect
import numbers
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from ..utils.errors import UsageError
from ..utils.suggestions import find_similar_options, quote_names
from .hooks import when_imported

_SETS = (
    'preprocess_kwargs',
    'forward_kwargs',
    'visualize_kwargs',
    'postprocess_kwargs',
)
# mmpose's default, which keeps all, and the most that a box's score or an IoU can be.
# Scores of keypoints exceed 1 in some of mmpose's models.
_LEAST, _MOST = -1, 1


def install() -> None:
    """Make the changes once mmpose's inferencers are imported."""
    when_imported('mmpose.apis.inferencers.pose2d_inferencer', add_option)
    when_imported('mmpose.apis.inferencers.pose2d_inferencer', refuse_unknown_2d)
    when_imported('mmpose.apis.inferencers.pose2d_inferencer', fit_drawings)
    when_imported('mmpose.apis.inferencers.mmpose_inferencer', refuse_unknown)


def add_option(pose2d_inferencer: ModuleType) -> None:
    """Name ``bbox_thr`` as an option; changes nothing for calls without it.

    Args:
        pose2d_inferencer: ``mmpose.apis.inferencers.pose2d_inferencer``.
    """
    inferencer = pose2d_inferencer.Pose2DInferencer
    inferencer.forward_kwargs = inferencer.forward_kwargs | {'bbox_thr'}


def refuse_unknown_2d(pose2d_inferencer: ModuleType) -> None:
    """Have ``Pose2DInferencer`` say which option was probably meant.

    Args:
        pose2d_inferencer: ``mmpose.apis.inferencers.pose2d_inferencer``.
    """
    inferencer = pose2d_inferencer.Pose2DInferencer
    _check_calls(inferencer, lambda: _names(inferencer))


def refuse_unknown(mmpose_inferencer: ModuleType) -> None:
    """Have ``MMPoseInferencer`` refuse an option that no inferencer knows.

    One that another kind of inferencer knows (``num_instances`` is of 3D ones) is still
    dropped, for mmpose's demo gives all of them to all.

    Args:
        mmpose_inferencer: ``mmpose.apis.inferencers.mmpose_inferencer``.
    """
    inferencer = mmpose_inferencer.MMPoseInferencer
    kinds = [inferencer] + [
        vars(mmpose_inferencer)[name]
        for name in ('Pose2DInferencer', 'Pose3DInferencer', 'Hand3DInferencer')
        if name in vars(mmpose_inferencer)
    ]
    _check_calls(inferencer, lambda: set().union(*map(_names, kinds)))


def fit_drawings(pose2d_inferencer: ModuleType) -> None:
    """Draw in proportion to the image, and the heatmaps of those who are drawn.

    A radius and a thickness that are given count. Only visualizers and models of this
    project can do so; with others nothing changes.

    Args:
        pose2d_inferencer: ``mmpose.apis.inferencers.pose2d_inferencer``.
    """
    inferencer = pose2d_inferencer.Pose2DInferencer
    visualize, update = (
        inferencer.visualize,
        inferencer.update_model_visualizer_settings,
    )
    if getattr(visualize, 'fits_drawings', False):
        return

    @functools.wraps(visualize)
    def fitting(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self.visualizer, 'scales_with_image', False):
            kwargs = {'radius': None, 'thickness': None, **kwargs}
        return visualize(self, *args, **kwargs)

    @functools.wraps(update)
    def updating(self: Any, **kwargs: Any) -> None:
        update(self, **kwargs)
        if hasattr(self.model, 'test_options'):
            self.model.test_cfg['heatmap_thr'] = kwargs.get('bbox_thr')

    fitting.fits_drawings = True
    inferencer.visualize = fitting
    inferencer.update_model_visualizer_settings = updating


def _check_calls(inferencer: type, known: Any) -> None:
    original = inferencer.__call__
    if getattr(original, 'refuses_unknown', False):
        return
    given = {
        name
        for name, parameter in inspect.signature(original).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        who = type(self).__name__
        _check_names(who, kwargs, (given | known()) - {'self'})
        _check_thresholds(who, kwargs)
        return original(self, *args, **kwargs)

    call.refuses_unknown = True
    inferencer.__call__ = call


def _check_thresholds(who: str, options: Mapping[str, Any]) -> None:
    for name in ('bbox_thr', 'nms_thr'):
        value = options.get(name, _LEAST)
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_number or not _LEAST <= value <= _MOST:
            raise UsageError(
                f'{who} got {name}={value!r}: give a number from {_LEAST} to {_MOST}.'
            )


def _names(inferencer: type) -> set[str]:
    return set().union(*(getattr(inferencer, name) for name in _SETS))


def _check_names(who: str, options: Iterable[str], known: set[str]) -> None:
    for name in options:
        if name in known:
            continue
        close = find_similar_options(name, known)
        advice = (
            f'did you mean {quote_names(close)}?'
            if close
            else f'it knows {quote_names(sorted(known))}.'
        )
        raise UsageError(f'{who} has no option `{name}`: {advice}')
