# Copyright (c) onestage_pose contributors.
"""Time models with their weights on one's own images, beside each other.

    python tools/analysis_tools/time_models.py IMAGES --model CONFIG CHECKPOINT \\
        --model nano --model nano model.test_cfg.flip_test=False

A model is a config with a checkpoint, or the name of one that comes with
onestage_pose, and settings of the config. Timed is the way from the decoded image to
the keypoints; the models take turns at every image. The report gives medians over the
images, medians of the ratios to the first model, and how far keypoints are from those
of the first model.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.apis.building import build_model, find_model
from onestage_pose.cli.args import positive
from onestage_pose.cli.files import find_images
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.tables import format_table
from onestage_pose.datasets import LoadPoseImage
from onestage_pose.utils.errors import UsageError

import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps
from mmengine.config import DictAction
from mmengine.device import get_device
from mmengine.structures import InstanceData
from mmpose.apis import inference_bottomup
from numpy import ndarray
from torch import nn
from torch.utils.benchmark import timer

# people and keypoints below are not compared; what the inferencers draw by default
MIN_SCORE = 0.3


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', type=Path, help='a folder of images')
    parser.add_argument(
        '--model',
        dest='models',
        nargs='+',
        action='append',
        required=True,
        metavar='WORD',
        help='CONFIG CHECKPOINT [KEY=VALUE ...] or NAME [KEY=VALUE ...]; once for each',
    )
    parser.add_argument(
        '--num-images',
        '--num-pictures',
        type=positive,
        default=30,
        help='how many of them (default: 30)',
    )
    parser.add_argument(
        '--repeat', type=positive, default=3, help='turns at each image (default: 3)'
    )
    return parser.parse_args(argv)


def load_model(words: list[str]) -> nn.Module:
    """Build a model as it is given on the command line, with its checkpoint.

    Args:
        words (list[str]): Of one ``--model``.

    Returns:
        nn.Module: On the best device of this machine.

    Raises:
        UsageError: It is not a config and a checkpoint, or a name.
    """
    files = [word for word in words if '=' not in word]
    if len(files) > 2 or not files or words[: len(files)] != files:
        raise UsageError(
            f'--model {" ".join(words)}: give CONFIG CHECKPOINT or NAME, then '
            'KEY=VALUE.'
        )
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument('--options', nargs='*', action=DictAction)
    options = parser.parse_args(['--options', *words[len(files) :]]).options
    config, checkpoint = find_model(files[0], files[1] if len(files) == 2 else None)
    return build_model(config, checkpoint, options, device=str(get_device()))


def load_images(folder: Path, number: int) -> list[ndarray]:
    """Decode the first images of a folder, in the order of their names.

    Args:
        folder (Path): The folder.
        number (int): How many at most.

    Returns:
        list[ndarray]: Images (H, W, 3) uint8, BGR.

    Raises:
        UsageError: There is none, or one cannot be decoded.
    """
    load, images = LoadPoseImage(), []
    for path in find_images(folder, number, 'IMAGES'):
        try:
            images.append(load(dict(img_path=str(path)))['img'])
        except (OSError, ValueError) as error:
            raise UsageError(str(error)) from error
    return images


def take_turns(
    models: list[nn.Module], images: list[ndarray], repeat: int
) -> tuple[list[list[float]], list[list[InstanceData]]]:
    """Time all models on each image before the next one.

    Args:
        models (list[nn.Module]): The models.
        images (list[ndarray]): Images (H, W, 3) uint8, BGR.
        repeat (int): Turns at each image.

    Returns:
        tuple[list[list[float]], list[list[InstanceData]]]: Of each model and image, the
        median seconds of its turns, and the people detected.
    """
    seconds, people = [[] for _ in models], [[] for _ in models]
    for model in models:
        inference_bottomup(model, images[0])
    for image in images:
        turns = [[] for _ in models]
        for turn in range(repeat):
            for model, taken, found in zip(models, turns, people):
                start = timer()
                (sample,) = inference_bottomup(model, image)
                taken.append(timer() - start)
                if turn == 0:
                    found.append(sample.pred_instances)
        for taken, of_model in zip(turns, seconds):
            of_model.append(statistics.median(taken))
    return seconds, people


def get_keypoint_names(model: nn.Module) -> list[str | None]:
    """Return the names of a model's keypoints, in order."""
    names = model.dataset_meta['keypoint_id2name']
    return [names.get(i) for i in range(model.roi_head.num_keypoints)]


def compare(
    expected: list[InstanceData], found: list[InstanceData]
) -> tuple[int, int, ndarray]:
    """Measure how far keypoints are from those of another model.

    Args:
        expected (list[InstanceData]): People of each image.
        found (list[InstanceData]): Those of the other model. A person is matched with
            the one of them whose box has the highest IoU with its own, 0.5 or more.

    Returns:
        tuple[int, int, ndarray]: People with a score above ``MIN_SCORE``, how many of
        them were found, and the distances of their keypoints above that score, in
        pixels of the images.
    """
    people, distances = 0, []
    for these, those in zip(expected, found):
        these = these[these.bbox_scores > MIN_SCORE]
        people += len(these)
        if not len(these) or not len(those):
            continue
        overlaps = bbox_overlaps(
            torch.as_tensor(these.bboxes), torch.as_tensor(those.bboxes)
        )
        overlap, index = (each.numpy() for each in overlaps.max(-1))
        for i in np.flatnonzero(overlap >= 0.5):
            away = np.linalg.norm(
                these.keypoints[i] - those.keypoints[index[i]], axis=-1
            )
            distances.append(away[these.keypoint_scores[i] > MIN_SCORE])
    return people, len(distances), np.concatenate([np.empty(0), *distances])


def report_times(seconds: list[list[float]], models: list[list[str]]) -> str:
    """Return the table of medians over the images.

    Args:
        seconds (list[list[float]]): Of each model and image.
        models (list[list[str]]): The words that each model was given by.
    """
    rows = []
    for taken, words in zip(seconds, models):
        ratio = statistics.median(a / b for a, b in zip(taken, seconds[0]))
        ms = 1000 * statistics.median(taken)
        rows.append((f'{ms:.0f}', f'{ratio:.2f}', ' '.join(words)))
    return format_table(('ms an image', 'ratio', 'model'), rows)


def report_distances(people: int, found: int, distances: ndarray) -> str:
    """Return what :func:`compare` has found, in words."""
    lines = [
        f"{found} of the first model's {people} people with a score above {MIN_SCORE:g}"
    ]
    if len(distances):
        lines.append(
            f'their {len(distances)} keypoints above it: median '
            f'{np.median(distances):.2f} px away, mean {distances.mean():.2f} px, '
            f'{100 * np.mean(distances > 5):.1f}% more than 5 px'
        )
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> None:
    """Time, compare, and report.

    Raises:
        UsageError: Something that was typed cannot be used.
    """
    args = parse_args(argv)
    images = load_images(args.images, args.num_images)
    models = [load_model(words) for words in args.models]
    seconds, people = take_turns(models, images, args.repeat)
    print(f'{len(images)} images, {args.repeat} turns; medians\n')
    print(report_times(seconds, args.models))
    for words, model, found in zip(args.models[1:], models[1:], people[1:]):
        if get_keypoint_names(model) == get_keypoint_names(models[0]):
            text = report_distances(*compare(people[0], found))
        else:
            text = "other keypoints than the first model's"
        print(f'\n{" ".join(words)}: {text}')


if __name__ == '__main__':
    run_tool(main)
