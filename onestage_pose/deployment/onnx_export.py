# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.utils import to_2tuple
from torch import Tensor

from ..models import KeypointRCNN
from ..structures.categories import get_categories
from .onnx_model import OnnxKeypointRCNN, OnnxPeople

OUTPUTS = ('bboxes', 'scores', 'keypoints', 'keypoint_scores', 'labels')
VISIBILITY_OUTPUTS = ('keypoint_presence', 'keypoints_visible')
OPSET = 17


def export_onnx(model: KeypointRCNN, path: str | Path) -> None:
    """Write the whole model, from image to people, as one ONNX graph.

    Input ``image`` (1, 3, H, W) and the outputs are those of
    :class:`OnnxKeypointRCNN`, without those that the model does not predict; H, W and
    the number of people are dynamic. The file's metadata contain, as JSON, what a
    program needs to use the graph:

    - ``dataset_meta``: ``keypoint_names`` and ``skeleton``, pairs of their indices; of
      several categories also ``categories``, in the order of ``labels``: of each
      ``name``, ``id`` and ``keypoints``, the index of its first one and that behind its
      last;
    - ``resize``: how the test pipeline resizes an image: ``longer`` and ``shorter``,
      the bounds of the sides as in :class:`PoseResize`.

    Args:
        model (KeypointRCNN): Trained, with ``cfg`` and ``dataset_meta`` as
            ``mmpose.apis.init_model`` leaves them.
        path (str | Path): File to write.

    Raises:
        ValueError: The model has parts that the graph does not cover, or its test
            pipeline resizes by a factor or to another shape.
    """
    graph = _GivenOutputs(model).eval()
    outputs = OUTPUTS
    if model.roi_head.keypoint_head.visibility_branch is not None:
        outputs += VISIBILITY_OUTPUTS
    resize = _resize_of(model.cfg)
    device = next(model.parameters()).device
    # of no common size, so that none of them is taken for a constant
    image = torch.rand(1, 3, 200, 296, device=device) * 255
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            graph,
            (image,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=['image'],
            output_names=list(outputs),
            dynamic_axes={
                'image': {2: 'height', 3: 'width'},
                **{name: {0: 'people'} for name in outputs},
            },
        )
    _add_metadata(path, model, resize)


class _GivenOutputs(OnnxKeypointRCNN):
    """Without the outputs that are None, which a trace cannot hold."""

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        found: OnnxPeople = super().forward(image)
        return tuple(each for each in found if each is not None)


def _add_metadata(path: str | Path, model: KeypointRCNN, resize: dict | None) -> None:
    import onnx

    meta = model.dataset_meta
    names = [meta['keypoint_id2name'][i] for i in range(meta['num_keypoints'])]
    skeleton = [[int(a), int(b)] for a, b in meta['skeleton_links']]
    content: dict = dict(
        dataset_meta=dict(keypoint_names=names, skeleton=skeleton),
        resize=resize,
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
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


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
