# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from mmengine.structures import InstanceData

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
