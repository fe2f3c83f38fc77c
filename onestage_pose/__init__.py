# Copyright (c) onestage_pose contributors.
"""One-stage human pose estimation for MMPose and MMDetection.

Importing the package lets MMPose and MMDetection find its models, codec, datasets,
transforms, hooks and metrics, provides NMS and RoIAlign where only mmcv-lite is
installed, lets pycocotools answer for xtcocotools where that is missing, and makes
loading checkpoints safe. All of this happens when OpenMMLab's packages are imported
and used: the package itself imports neither them nor PyTorch.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .compat import (
    installed,
    mmcv_operators,
    mmengine_checkpoint_loaders,
    mmengine_data_files,
    mmengine_package_utils,
    mmpose_function_registry,
    mmpose_inference_scope,
    mmpose_inferencer_inputs,
    mmpose_inferencer_options,
    mmpose_inferencer_weights,
    mmpose_metainfo,
    mmpose_metainfo_categories,
    mmpose_model_names,
    mmpose_opencv_visualizer,
    pkgutil_find_loader,
    registries,
    spawned_processes,
    torch_mps_fallback,
    xtcocotools,
)
from .compat.hooks import when_imported
from .version import __version__

__all__ = ['PosePredictor', '__version__', 'list_models', 'load_model']

# Where the names are that users want at the top.
_EXPORTS = {'PosePredictor': 'apis', 'list_models': 'zoo', 'load_model': 'zoo'}

# What each registry has to import to know this project's modules. mmengine looks in a
# registry's parent, but does not let that import anything.
_LOCATIONS = {
    'mmdet.registry': {
        'MODELS': 'models',
        'OPTIM_WRAPPERS': 'engine',
    },
    'mmpose.registry': {
        'DATASETS': 'datasets',
        'HOOKS': 'engine',
        'KEYPOINT_CODECS': 'codecs',
        'METRICS': 'evaluation',
        'OPTIM_WRAPPERS': 'engine',
        'TRANSFORMS': 'datasets',
        'VISUALIZERS': 'visualization.pose_visualizer',
    },
    'mmengine.registry': {'OPTIM_WRAPPERS': 'engine'},
}


def _install() -> None:
    installed.check_mmpose()
    torch_mps_fallback.install()
    xtcocotools.install()
    spawned_processes.install()
    mmengine_package_utils.install()
    pkgutil_find_loader.install()
    mmcv_operators.install(
        lambda: pkgutil.resolve_name(f'{__name__}.ops.fallback_module:FallbackModule')()
    )
    mmengine_data_files.install(f'{__name__}.checkpoints.safe_pickle:load_plain_pickle')
    mmengine_checkpoint_loaders.install(
        f'{__name__}.checkpoints.loading',
        {'zoo://': f'{__name__}.zoo.loading:load_from_zoo'},
    )
    # registers the backend that writes a file as a whole or not at all
    when_imported(
        'mmengine.fileio',
        lambda _: importlib.import_module(f'{__name__}.checkpoints.atomic'),
    )
    mmpose_function_registry.install()
    mmpose_inference_scope.install()
    mmpose_inferencer_inputs.install(
        lambda: importlib.import_module(f'{__name__}.apis.inferencer_inputs')
    )
    mmpose_inferencer_options.install()
    mmpose_inferencer_weights.install(
        _later('apis.checkpoint_config:find_checkpoint_config'),
        _later('checkpoints.check:check_loaded'),
    )
    mmpose_metainfo_categories.install(_later('structures.metainfo:parse_metainfo'))
    mmpose_metainfo.install()
    mmpose_model_names.install(_find_model, _refuse_model)
    mmpose_opencv_visualizer.install()
    registries.install(
        {
            module: {name: f'{__name__}.{room}' for name, room in rooms.items()}
            for module, rooms in _LOCATIONS.items()
        }
    )


def _later(name: str) -> Callable:
    """A function of this package, imported when it is called."""
    return lambda *args: pkgutil.resolve_name(f'{__name__}.{name}')(*args)


def _find_model(name: str) -> tuple[Path, Path] | None:
    from .zoo import get_model_files, list_models

    if name.lower() not in list_models():
        return None
    files = get_model_files(name)
    return files.config, files.weights


def _refuse_model(name: str, error: ValueError, others: Iterable[str]) -> Exception:
    from .utils.errors import UsageError
    from .utils.suggestions import did_you_mean
    from .zoo import list_models

    return UsageError(f'{error}.{did_you_mean(name, [*list_models(), *others])}')


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(f'.{_EXPORTS[name]}', __name__), name)
    # a part of the package: onestage_pose.ops.backend() needs no import of its own
    if not name.startswith('_') and importlib.util.find_spec(f'{__name__}.{name}'):
        return importlib.import_module(f'.{name}', __name__)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])


_install()
