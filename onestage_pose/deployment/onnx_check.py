# Copyright (c) onestage_pose contributors.
"""A graph in ONNX Runtime beside the model in PyTorch, on the same images."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment

from ..models import KeypointRCNN
from .onnx_contract import VISIBILITY_OUTPUTS, check_outputs

#: Pixels within which a graph agrees with its model.
TOLERANCE = 0.1


class Agreement(NamedTuple):
    """Compare the predictions of an ONNX graph and of PyTorch on one image.

    Attributes:
        image (str): Path of the image.
        size (tuple[int, int]): Height and width of the network's input, in pixels.
        people (tuple[int, int]): Number of people that PyTorch and the graph detect.
        bboxes (float): Largest difference of a box's side, in pixels of the input.
        keypoints (float): Largest difference of a keypoint's coordinate, in pixels of
            the input.
        scores (float): Largest difference of a person's or a keypoint's score.
        seconds (tuple[float, float]): Time of PyTorch and of the graph, from the
            network's input to the predictions.
        close (float): Share of the coordinates of keypoints that are within
            :data:`TOLERANCE`.
    """

    image: str
    size: tuple[int, int]
    people: tuple[int, int]
    bboxes: float
    keypoints: float
    scores: float
    seconds: tuple[float, float]
    close: float


def compare_with_onnx(
    model: KeypointRCNN, onnx_file: str | Path, images: Iterable[str | Path]
) -> Iterator[Agreement]:
    """Run a graph in ONNX Runtime and its model in PyTorch.

    Args:
        model (KeypointRCNN): The model, as ``mmpose.apis.init_model`` returns it, on
            the CPU.
        onnx_file (str | Path): The file that :func:`export_onnx` wrote.
        images (Iterable[str | Path]): Image files, which the model's test pipeline
            reads.

    Raises:
        OnnxFileError: The graph's outputs are not as :mod:`.onnx_contract` says.

    Yields:
        Agreement: One for each image. Differences are infinite if the numbers of people
        differ.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(onnx_file), providers=['CPUExecutionProvider']
    )
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    for file in images:
        data = pipeline(dict(img_path=str(file), **model.dataset_meta))
        batch = dict(inputs=[data['inputs']], data_samples=[data['data_samples']])
        image = data['inputs'][None].float().numpy()
        names = [output.name for output in session.get_outputs()]
        start = time.perf_counter()
        with torch.no_grad():
            batch = model.data_preprocessor(batch, training=False)
            [sample] = model.predict(
                batch['inputs'], batch['data_samples'], rescale=False
            )
        middle = time.perf_counter()
        found = dict(zip(names, session.run(names, dict(image=image))))
        seconds = middle - start, time.perf_counter() - middle
        check_outputs(found, 1, len(model.dataset_meta['keypoint_id2name']))
        *distances, close = _distances(sample.pred_instances, found)
        people = len(sample.pred_instances), len(found['bboxes'])
        size = image.shape[-2:]
        yield Agreement(str(file), size, people, *distances, seconds, close)


def _distances(expected: InstanceData, found: dict) -> tuple[float, ...]:
    """Of boxes, keypoints and scores; the share of keypoints that are close.

    People are matched by their boxes: two of nearly equal scores may change places.
    """
    if len(expected) != len(found['bboxes']):
        return *(float('inf'),) * 3, 0.0
    boxes = expected.bboxes[:, None] - found['bboxes'][None]
    _, partners = linear_sum_assignment(np.abs(boxes).max(-1))
    found = {name: values[partners] for name, values in found.items()}

    def distance(name: str, onnx_name: str) -> float:
        return float(np.abs(expected[name] - found[onnx_name]).max(initial=0))

    apart = np.abs(expected.keypoints - found['keypoints'])
    return (
        distance('bboxes', 'bboxes'),
        distance('keypoints', 'keypoints'),
        max(
            distance('bbox_scores', 'scores'),
            distance('keypoint_scores', 'keypoint_scores'),
            *(distance(name, name) for name in VISIBILITY_OUTPUTS if name in found),
        ),
        float((apart <= TOLERANCE).mean()) if apart.size else 1.0,
    )
