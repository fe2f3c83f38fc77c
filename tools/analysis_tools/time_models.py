# Copyright (c) onestage_pose contributors.
"""Times models with their weights on one's own pictures, beside each other.

    python tools/analysis_tools/time_models.py PICTURES --model CONFIG CHECKPOINT \\
        --model nano --model nano model.test_cfg.flip_test=False

A model is a config with a checkpoint, or the name of one that comes with
onestage_pose, and settings of the config. From the decoded picture to the people; the
models take turns at every picture. Tells the median over the pictures and the median
of the ratios to the first model, and how far keypoints are from those of the first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.cli.common import (
    find_model,
    find_pictures,
    positive,
    read_model,
    run_tool,
)
from onestage_pose.datasets import LoadPoseImage
from onestage_pose.utils.errors import UsageError

import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.structures import InstanceData
from mmpose.apis import inference_bottomup, init_model
from numpy import ndarray
from torch import nn

# people and keypoints below are not compared; what the inferencers draw by default
MIN_SCORE = 0.3


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('pictures', type=Path, help='a folder of pictures')
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
        '--num-pictures',
        type=positive,
        default=30,
        help='how many of them (default: 30)',
    )
    parser.add_argument(
        '--repeat', type=positive, default=3, help='turns at each picture (default: 3)'
    )
    return parser.parse_args(argv)


def read_words(words: list[str]) -> Config:
    """Config of a model as it is given on the command line, checked.

    ``load_from`` in it is the checkpoint.

    Raises:
        UsageError: It is not a config and a checkpoint, or a name.
    """
    files = [word for word in words if '=' not in word]
    if len(files) > 2 or not files or words[: len(files)] != files:
        raise UsageError(
            f'--model {" ".join(words)}: give CONFIG CHECKPOINT or NAME, then '
            'KEY=VALUE.'
        )
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='*', action=DictAction)
    options = parser.parse_args(['--options', *words[len(files) :]]).options
    config, checkpoint = find_model(files[0], files[1] if len(files) == 2 else None)
    cfg = read_model(config, checkpoint, options)
    cfg.load_from = checkpoint
    return cfg


def read_pictures(folder: Path, number: int) -> list[ndarray]:
    """The first pictures of a folder by name, decoded.

    Raises:
        UsageError: There is none, or one is broken.
    """
    load, pictures = LoadPoseImage(), []
    for path in find_pictures(folder, number, 'PICTURES'):
        try:
            pictures.append(load(dict(img_path=str(path)))['img'])
        except (OSError, ValueError) as error:
            raise UsageError(str(error)) from error
    return pictures


def take_turns(
    models: list[nn.Module], pictures: list[ndarray], repeat: int
) -> tuple[list[list[float]], list[list[InstanceData]]]:
    """Seconds and people of each model, picture by picture: the median of its turns."""
    seconds, people = [[] for _ in models], [[] for _ in models]
    for model in models:
        inference_bottomup(model, pictures[0])
    for picture in pictures:
        turns = [[] for _ in models]
        for turn in range(repeat):
            for model, taken, found in zip(models, turns, people):
                start = time.perf_counter()
                # ends with results on the CPU
                (sample,) = inference_bottomup(model, picture)
                taken.append(time.perf_counter() - start)
                if turn == 0:
                    found.append(sample.pred_instances)
        for taken, of_model in zip(turns, seconds):
            of_model.append(statistics.median(taken))
    return seconds, people


def skeleton(model: nn.Module) -> list[str]:
    """The names of a model's keypoints, in order."""
    names = model.dataset_meta['keypoint_id2name']
    return [names.get(i) for i in range(model.roi_head.num_keypoints)]


def compare(
    expected: list[InstanceData], found: list[InstanceData]
) -> tuple[int, int, ndarray]:
    """How far keypoints are from those of another model.

    Args:
        expected (list[InstanceData]): People of each picture.
        found (list[InstanceData]): Those of the other model; of these the one whose
            box overlaps a person's most is taken, if half of both is common.

    Returns:
        tuple[int, int, ndarray]: People with a score above ``MIN_SCORE``, how many of
        them were found, and the distances of their keypoints above that score, in
        pixels of the pictures.
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


def main(argv: list[str] | None = None) -> None:
    """Times and compares.

    Raises:
        UsageError: Something that was typed cannot be used.
    """
    args = parse_args(argv)
    configs = [read_words(words) for words in args.models]
    pictures = read_pictures(args.pictures, args.num_pictures)
    models = [
        init_model(cfg, cfg.load_from, device=str(get_device())) for cfg in configs
    ]
    seconds, people = take_turns(models, pictures, args.repeat)
    print(f'{len(pictures)} pictures, {args.repeat} turns; medians')
    print('ms a picture  ratio  model')
    for words, taken in zip(args.models, seconds):
        ratio = statistics.median(a / b for a, b in zip(taken, seconds[0]))
        print(
            f'{1000 * statistics.median(taken):12.0f} {ratio:6.2f}  {" ".join(words)}'
        )
    for words, model, found in zip(args.models[1:], models[1:], people[1:]):
        if skeleton(model) != skeleton(models[0]):
            print(f"\n{' '.join(words)}: other keypoints than the first model's")
            continue
        total, again, distances = compare(people[0], found)
        print(
            f"\n{' '.join(words)}: {again} of the first model's {total} people with a "
            f'score above {MIN_SCORE:g}'
        )
        if len(distances):
            print(
                f'their {len(distances)} keypoints above it: median '
                f'{np.median(distances):.2f} px away, mean {distances.mean():.2f} px, '
                f'{100 * np.mean(distances > 5):.1f}% more than 5 px'
            )


if __name__ == '__main__':
    run_tool(main)
