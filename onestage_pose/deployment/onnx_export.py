# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from mmengine.config import Config
from mmengine.utils import to_2tuple
from torch import Tensor

from ..models import KeypointRCNN
from ..structures.categories import get_categories
from .onnx_contract import OUTPUTS, VERSION, VISIBILITY_OUTPUTS
from .onnx_model import OnnxKeypointRCNN, OnnxPeople

if TYPE_CHECKING:
    import onnx

OPSET = 17
WEIGHTS = ('float32', 'float16')
# Smaller tensors, such as means and biases, would save nothing.
MIN_FLOAT16_SIZE = 256


def export_onnx(
    model: KeypointRCNN, path: str | Path, weights: str = 'float32'
) -> None:
    """Write the whole model, from image to people, as one ONNX graph.

    Input ``image`` (B, 3, H, W) and the outputs are those of
    :class:`OnnxKeypointRCNN`, without those that the model does not predict; B, H, W
    and the number of people are dynamic. The file's metadata contain, as JSON, what a
    program needs to use the graph:

    - ``dataset_meta``: ``keypoint_names`` and ``skeleton``, pairs of their indices; of
      several categories also ``categories``, in the order of ``labels``: of each
      ``name``, ``id`` and ``keypoints``, the index of its first one and that behind its
      last;
    - ``resize``: how the test pipeline resizes an image: ``longer`` and ``shorter``,
      the bounds of the sides as in :class:`PoseResize`;
    - ``contract``: the version of :mod:`.onnx_contract`.

    Args:
        model (KeypointRCNN): Trained, with ``cfg`` and ``dataset_meta`` as
            ``mmpose.apis.init_model`` leaves them.
        path (str | Path): File to write.
        weights (str): ``'float32'``, or ``'float16'`` for a file of half the size. The
            graph computes in float32 with either.

    Raises:
        ValueError: The model has parts that the graph does not cover, or its test
            pipeline resizes by a factor or to another shape.
    """
    if weights not in WEIGHTS:
        raise ValueError(f'weights={weights!r}: expected one of {WEIGHTS}.')
    graph = _GivenOutputs(model).eval()
    outputs = list(OUTPUTS)
    if model.roi_head.keypoint_head.visibility_branch is None:
        outputs = [name for name in outputs if name not in VISIBILITY_OUTPUTS]
    resize = _resize_of(model.cfg)
    device = next(model.parameters()).device
    # of no common size, so that none of them is taken for a constant
    image = torch.rand(2, 3, 200, 296, device=device) * 255
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            graph,
            (image,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=['image'],
            output_names=outputs,
            dynamic_axes={
                'image': {0: 'batch', 2: 'height', 3: 'width'},
                **{name: {0: 'people'} for name in outputs},
            },
        )
    _finish(path, model, resize, weights)


class _GivenOutputs(OnnxKeypointRCNN):
    """Without the outputs that are None, which a trace cannot hold."""

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        found: OnnxPeople = super().forward(image)
        return tuple(each for each in found if each is not None)


def _finish(
    path: str | Path, model: KeypointRCNN, resize: dict | None, weights: str
) -> None:
    """Add the metadata to a file, and change the type of its weights."""
    import onnx

    meta = model.dataset_meta
    names = [meta['keypoint_id2name'][i] for i in range(meta['num_keypoints'])]
    skeleton = [[int(a), int(b)] for a, b in meta['skeleton_links']]
    content: dict = dict(
        dataset_meta=dict(keypoint_names=names, skeleton=skeleton),
        resize=resize,
        contract=VERSION,
    )
    categories = [
        dict(name=each.name, id=each.id, keypoints=[each.start, each.stop])
        for each in get_categories(meta)
    ]
    if categories:
        content['dataset_meta']['categories'] = categories
    graph = onnx.load(str(path))
    for key, value in content.items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    if weights == 'float16':
        _store_as_float16(graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def _store_as_float16(model: onnx.ModelProto) -> None:
    """Store large weights in float16, with a Cast to float32 behind each.

    Runtimes fold the casts when they load the graph, and none needs float16 kernels.
    """
    import onnx

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        limit = np.finfo(np.float16).max
        if values.size < MIN_FLOAT16_SIZE or abs(values).max() > limit:
            continue
        name, stored = tensor.name, f'{tensor.name}_float16'
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype('float16'), stored))
        casts.append(
            onnx.helper.make_node('Cast', [stored], [name], to=onnx.TensorProto.FLOAT)
        )
    # before the nodes that read them
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _resize_of(cfg: Config) -> dict | None:
    """Bounds of the sides that the test pipeline resizes to, None where it does not."""
    for transform in cfg.test_dataloader.dataset.pipeline:
        if transform['type'] != 'PoseResize':
            continue
        if not transform.get('scale') or not transform.get('keep_ratio'):
            raise ValueError(
                'test_dataloader.dataset.pipeline: the export supports only '
                'PoseResize with scale and keep_ratio=True.'
            )
        scale = to_2tuple(transform['scale'])
        return dict(longer=max(scale), shorter=min(scale))
    return None
