# Copyright (c) onestage_pose contributors.
"""Put the page, a graph and the runtime into one folder, for any server of files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ...apis.thresholds import BBOX_THR
from ...utils.onnx_format import check_onnx
from ...utils.paths import get_data_root
from ...version import __version__
from ...visualization.palette import SIDE_COLORS, get_side
from ...visualization.pose_visualizer import PRESENCE_THR
from .graph import PageModel
from .runtime import FILES

#: Most pixels of an image; browsers of phones end a page that takes more memory.
MAX_PIXELS = 50_000_000

#: With these the browser lets the page have threads, and lets nothing out of it.
HEADERS = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self'; img-src 'self' blob:; style-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    'Permissions-Policy': 'camera=(self)',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
}

_GRAPH = 'model.onnx'


def build_page(folder: Path, name: str, model: PageModel, runtime: Path) -> None:
    """Write the page with all that it needs.

    Args:
        folder (Path): To write to; created where it is missing. Files of the page that
            are there are replaced.
        name (str): Of the model, for the page.
        model (PageModel): As :func:`.get_page_model` gives it.
        runtime (Path): As :func:`.get_runtime` gives it.

    Raises:
        OnnxFileError: The graph is not as ``export_onnx`` writes it.
        OSError: The folder cannot be written to.
    """
    description = describe(name, model)
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((get_data_root() / 'web').iterdir()):
        shutil.copyfile(path, folder / path.name)
    (folder / 'ort').mkdir(exist_ok=True)
    for each in FILES:
        shutil.copyfile(runtime / each, folder / 'ort' / each)
    shutil.copyfile(model.onnx_file, folder / _GRAPH)
    (folder / 'model.json').write_text(json.dumps(description), encoding='utf-8')
    # as Netlify and Cloudflare Pages read it
    lines = [f'  {key}: {value}\n' for key, value in HEADERS.items()]
    (folder / '_headers').write_text('/*\n' + ''.join(lines), encoding='utf-8')


def describe(name: str, model: PageModel) -> dict[str, Any]:
    """Return what the page reads in ``model.json``.

    Args:
        name (str): Of the model.
        model (PageModel): Its graph.

    Returns:
        dict[str, Any]: Names and sides of the keypoints, skeleton, categories and
        ``resize`` as in :class:`.OnnxMetadata`, thresholds, colours by side.
    """
    content = model.onnx_file.read_bytes()
    metadata = check_onnx(content, str(model.onnx_file))
    names, skeleton, resize = metadata
    return dict(
        name=name,
        file=_GRAPH,
        bytes=len(content),
        version=__version__,
        keypoint_names=names,
        sides=[get_side(each) for each in names],
        skeleton=skeleton,
        categories=[each._asdict() for each in metadata.categories],
        resize=resize and dict(zip(('longer', 'shorter'), resize)),
        colors={side: f'rgb{color}' for side, color in SIDE_COLORS.items()},
        bbox_thr=BBOX_THR,
        kpt_thr=model.kpt_thr,
        presence_thr=PRESENCE_THR,
        max_pixels=MAX_PIXELS,
    )
