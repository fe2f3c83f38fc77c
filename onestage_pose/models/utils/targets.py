# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import functools
from collections.abc import Callable

from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

TARGETS = frozenset(('bboxes', 'labels', 'keypoints', 'keypoints_visible'))


def use_instance_labels(batch_data_samples: list) -> None:
    """Put the targets of each image where mmdet's heads read them, ``gt_instances``.

    mmpose's annotations in numpy, which stood there, have served by now.

    Args:
        batch_data_samples (list[PoseDataSample]): With ``gt_instance_labels`` in the
            network input's frame: ``bboxes`` (N, 4), ``labels`` (N,), ``keypoints``
            (N, K, 2) in pixel-index convention, ``keypoints_visible`` (N, K) and with a
            mask branch ``masks``.

    Raises:
        ValueError: If the targets of an image lack a key.
    """
    for sample in batch_data_samples:
        targets = sample.get('gt_instance_labels', InstanceData())
        missing = TARGETS - set(targets.keys())
        if missing:
            raise ValueError(
                f'{sample.get("img_path")}: gt_instance_labels lack '
                f'{sorted(missing)}: end the training pipeline with '
                f'PackKeypointRCNNInputs, and resize with image_only=False.'
            )
        sample.gt_instances = targets


def samples_optional(forward: Callable) -> Callable:
    """Let a detector's ``mode='tensor'`` do without data samples.

    Tools that count operations hand over a batch of images and nothing else, which
    stands for images that fill the batch and were not resized.

    Args:
        forward (Callable): mmdet's ``_forward`` of a detector, batch (B, 3, H, W) and
            B samples.

    Returns:
        Callable: The same, the samples being None by default.
    """

    @functools.wraps(forward)
    def forward_tensor(
        self, batch_inputs: Tensor, batch_data_samples: list | None = None
    ) -> tuple:
        samples = batch_data_samples
        if samples is None:
            number, _, height, width = map(int, batch_inputs.shape)
            names = ('img_shape', 'ori_shape', 'pad_shape', 'batch_input_shape')
            metainfo = dict.fromkeys(names, (height, width))
            metainfo['scale_factor'] = (1.0, 1.0)
            samples = [PoseDataSample(metainfo=metainfo) for _ in range(number)]
        return forward(self, batch_inputs, samples)

    return forward_tensor
