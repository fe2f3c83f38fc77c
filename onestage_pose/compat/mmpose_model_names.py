# Copyright (c) onestage_pose contributors.
"""This project's models by their names in mmpose's 2D inferencers.

Upstream: mmpose 1.3.2, ``Pose2DInferencer``, which looks up names in the metafiles of
OpenMMLab's own packages alone. Can go once other packages can add names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

from .hooks import when_imported

#: Returns the config and the checkpoint of a model, or None if it is not one of ours.
FindModel = Callable[[str], tuple[Path, Path] | None]
#: Makes the error for a name that nobody knows: of the name, mmpose's own error and
#: the names that mmpose knows.
Refuse = Callable[[str, ValueError, Iterable[str]], Exception]


def install(find_model: FindModel, refuse: Refuse | None = None) -> None:
    """Let mmpose's 2D inferencers take models by name, once they are imported.

    ``MMPoseInferencer(pose2d='nano')`` is this project's model; mmpose's own names
    and aliases mean what they did. Without ``refuse`` mmpose's own error is raised for
    a name that nobody knows.
    """
    when_imported(
        'mmpose.apis.inferencers.pose2d_inferencer',
        functools.partial(add_names, find_model=find_model, refuse=refuse),
    )


def add_names(
    pose2d_inferencer: ModuleType,
    find_model: FindModel,
    refuse: Refuse | None = None,
) -> None:
    """Look up a model with ``find_model`` first.

    Args:
        pose2d_inferencer: ``mmpose.apis.inferencers.pose2d_inferencer``.
        find_model: As in :func:`install`.
        refuse: As in :func:`install`.
    """
    inferencer = pose2d_inferencer.Pose2DInferencer
    original = inferencer._load_model_from_metafile
    if getattr(original, 'knows_onestage_pose', False):
        return

    def load(self, model: str) -> tuple:
        found = find_model(model)
        if found is None:
            try:
                return original(self, model)
            except ValueError as error:
                if refuse is None:
                    raise
                raise refuse(model, error, _mmposes_names()) from error
        config, checkpoint = found
        return pose2d_inferencer.Config.fromfile(config), str(checkpoint)

    load.knows_onestage_pose = True
    inferencer._load_model_from_metafile = load


def _mmposes_names() -> Iterator[str]:
    from mmpose.apis.inferencers import Pose2DInferencer, get_model_aliases

    yield from get_model_aliases()
    folder = Pose2DInferencer._get_repo_or_mim_dir('mmpose')
    for model in Pose2DInferencer._get_models_from_metafile(folder):
        yield model['Name']
