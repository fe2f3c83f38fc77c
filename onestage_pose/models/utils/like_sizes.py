# Copyright (c) onestage_pose contributors.
"""Images of one size go through the network together, of several sizes apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from torch import Tensor


def split_by_size(batch_inputs: Tensor, samples: list) -> Iterator[tuple[Tensor, list]]:
    """Split a batch into images of one padded size.

    A smaller image of a batch is padded to the largest. A convolution with a bias makes
    something of that padding, which the next one carries back over the border of the
    image, and the RPN finds boxes in it: people near the border, and which of them are
    found, would depend on the other images.

    Args:
        batch_inputs (Tensor): (B, 3, H, W), padded at the right and below with what a
            single image is padded with.
        samples (list): B data samples; ``pad_shape`` (h, w) in the metainfo is the size
            that the image would have alone. Without it the image fills the batch.

    Yields:
        tuple[Tensor, list]: Images (b, 3, h, w) as they are alone, and their samples;
        the batch itself where all are of its size.
    """
    whole = tuple(batch_inputs.shape[-2:])
    groups = defaultdict(list)
    for index, sample in enumerate(samples):
        size = sample.metainfo.get('pad_shape', whole)
        groups[tuple(size[:2])].append(index)
    if set(groups) <= {whole}:
        yield batch_inputs, samples
        return
    for (height, width), members in groups.items():
        images = batch_inputs[members, :, :height, :width]
        yield images, [samples[index] for index in members]
