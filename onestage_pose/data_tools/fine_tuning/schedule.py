# Copyright (c) onestage_pose contributors.
"""How long to train, in which steps, by the size of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Images that a training sees: so many times the number of images to this power. 24
# images are seen 67 times each, 1,000 images 15 times, 100,000 images 2.4 times.
_SEEN, _POWER = 240, 0.6
_LEAST_ITERS, _EVALUATIONS, _CHECKPOINTS = 20, 5, 20
_LEAST_BETWEEN, _MOST_BETWEEN = 20, 2000
# A training so many times shorter than usual is called short.
_SHORT = 8


@dataclass(frozen=True)
class Schedule:
    """Iterations of a training, and what happens in between.

    Attributes:
        batch_size (int): Images of an iteration.
        max_iters (int): Iterations.
        usual_iters (int): Iterations that are chosen by the number of images.
        warmup (int): Iterations in which the rate rises.
        val_interval (int): Iterations between evaluations.
        checkpoint_interval (int): Iterations between checkpoints.
    """

    batch_size: int
    max_iters: int
    usual_iters: int
    warmup: int
    val_interval: int
    checkpoint_interval: int

    @property
    def is_short(self) -> bool:
        """bool: Whether new keypoints can hardly be learned in it."""
        return self.max_iters * _SHORT < self.usual_iters


def choose_schedule(
    num_images: int,
    batch_size: int,
    epochs: float | None = None,
    max_iters: int | None = None,
    num_val: int = 0,
) -> Schedule:
    """Choose the length of a training.

    Args:
        num_images (int): Images to train on.
        batch_size (int): Images of an iteration, at most.
        epochs (float | None): How often each image is seen; None chooses by the number
            of images.
        max_iters (int | None): Iterations, where they are known.
        num_val (int): Images to validate on. All evaluations together look at no more
            images than the training, unless one does.

    Returns:
        Schedule: Of 20 iterations at least.
    """
    batch_size = min(batch_size, num_images)
    usual = math.ceil(_SEEN * num_images**_POWER / batch_size)
    usual = max(_LEAST_ITERS, usual)
    if max_iters is None and epochs is None:
        max_iters = usual
    elif max_iters is None:
        max_iters = math.ceil(epochs * num_images / batch_size)
    max_iters = max(1, max_iters)
    affordable = max_iters * batch_size // max(1, num_val)
    evaluations = min(_EVALUATIONS, max(1, affordable))
    between = min(_MOST_BETWEEN, max(_LEAST_BETWEEN, max_iters // _CHECKPOINTS))
    return Schedule(
        batch_size=batch_size,
        max_iters=max_iters,
        usual_iters=usual,
        warmup=min(100, max_iters // 10),
        val_interval=math.ceil(max_iters / evaluations),
        checkpoint_interval=min(max_iters, between),
    )


def scale_rate(rate: float, optimizer: str, batch_size: int, base: int) -> float:
    """Return the learning rate for batches of another size.

    Args:
        rate (float): For batches of ``base`` images.
        optimizer (str): Name of its class.
        batch_size (int): Images of an iteration.
        base (int): See ``rate``.

    Returns:
        float: In proportion to the batch for SGD, to its root for Adam and the like.
        Two digits.
    """
    factor = batch_size / base
    factor = factor if optimizer == 'SGD' else math.sqrt(factor)
    return float(f'{rate * factor:.2g}')
