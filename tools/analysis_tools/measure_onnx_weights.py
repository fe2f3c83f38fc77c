# Copyright (c) onestage_pose contributors.
"""Measure what float16 weights change in an exported graph.

    python tools/analysis_tools/measure_onnx_weights.py IMAGES out.json

The model is exported with weights of float32 and of float16, and each graph is compared
with PyTorch in float32, image by image, over all people that both detect.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from onestage_pose.apis.building import build_model, find_model
from onestage_pose.apis.writing import write_json
from onestage_pose.cli.args import positive
from onestage_pose.cli.files import find_images
from onestage_pose.cli.run import run_tool
from onestage_pose.deployment import export_onnx
from onestage_pose.deployment.onnx_check import Agreement, compare_with_onnx


def main(argv: list[str] | None = None) -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', type=Path, help='a folder')
    parser.add_argument('out', type=Path, help='a JSON file')
    parser.add_argument('config', nargs='?', default='nano', help='name, or config')
    parser.add_argument('checkpoint', nargs='?', help='beside a config')
    parser.add_argument('--number', type=positive, default=40, help='of images')
    args = parser.parse_args(argv)
    images = find_images(args.images, args.number, 'IMAGES')
    model = build_model(*find_model(args.config, args.checkpoint), {})
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for weights in ('float32', 'float16'):
            graph = Path(folder, f'{weights}.onnx')
            export_onnx(model, graph, weights=weights)
            agreements = compare_with_onnx(model, graph, images)
            megabytes = graph.stat().st_size / 1e6
            figures[weights] = dict(megabytes=megabytes, **summarise(agreements))
            print(weights, json.dumps(figures[weights]), flush=True)
    write_json(args.out, dict(images=len(images), weights=figures))


def summarise(agreements: Iterable[Agreement]) -> dict[str, Any]:
    """Return how far apart a graph and PyTorch are, over all images.

    Args:
        agreements (Iterable[Agreement]): One for each image; at least one.

    Returns:
        dict: ``people`` of PyTorch; ``other_people``: images with another number of
        them; the largest difference of a box and of a keypoint in pixels; the median
        over images of their largest difference of a keypoint; the share of keypoints'
        coordinates that agree within the tolerance of ``export --check``.
    """
    each = list(agreements)
    people = [agreement.people[0] for agreement in each]
    total = sum(people)
    close = sum(number * agreement.close for number, agreement in zip(people, each))
    return dict(
        people=total,
        other_people=sum(a.people[0] != a.people[1] for a in each),
        largest_box_px=max(a.bboxes for a in each),
        largest_keypoint_px=max(a.keypoints for a in each),
        median_keypoint_px=statistics.median(a.keypoints for a in each),
        close=close / total if total else 1.0,
    )


if __name__ == '__main__':
    run_tool(main)
