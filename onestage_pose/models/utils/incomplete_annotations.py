# Copyright (c) onestage_pose contributors.
"""Training on images whose annotations are incomplete.

An image whose metainfo says ``keypoints_only`` trains the keypoint branch and what
feeds it, in boxes about the annotated instances; neither the RPN nor the box branch
learns from it that there is nobody elsewhere.
"""

from __future__ import annotations

import copy

import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn


def completely_annotated(batch_data_samples: list) -> list[int]:
    """Return the indices of the images that train all branches."""
    return [
        i
        for i, sample in enumerate(batch_data_samples)
        if not sample.metainfo.get('keypoints_only', False)
    ]


def zero_loss(module: nn.Module, x: tuple[Tensor, ...]) -> Tensor:
    """Return 0 with a gradient for all parameters of ``module`` and the maps ``x``.

    Processes that train together must agree on what takes part in a step.
    """
    return 0 * sum(t.sum() for t in (*module.parameters(), *x))


def jitter_boxes(boxes: Tensor, jitter: float) -> InstanceData:
    """Return proposals near boxes, for instances that are not looked for.

    Args:
        boxes (Tensor): (N, 4) x1, y1, x2, y2.
        jitter (float): How far a side may move, as a fraction of the box.

    Returns:
        InstanceData: ``priors`` (N, 4) and ``scores`` (N,) of 1.
    """
    size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    moved = boxes + size * jitter * (2 * torch.rand_like(boxes) - 1)
    return InstanceData(priors=moved, scores=boxes.new_ones(len(boxes)))


def rpn_loss_and_predict(
    rpn_head: nn.Module,
    x: tuple[Tensor, ...],
    batch_data_samples: list,
    proposal_cfg: dict,
) -> tuple[dict[str, Tensor], list[InstanceData | None]]:
    """Compute the RPN's losses and proposals on the completely annotated images.

    Args:
        rpn_head (nn.Module): mmdet's.
        x (tuple[Tensor]): Feature maps, each (B, C, H, W).
        batch_data_samples (list): Data samples with ``gt_instances``; not changed.
        proposal_cfg (dict): As mmdet's heads take it.

    Returns:
        tuple[dict[str, Tensor], list[InstanceData | None]]: Losses, named ``rpn_...``,
        ``loss_rpn_...`` or alike, and the proposals of each image, None of those that
        train the keypoint branch alone.
    """
    proposals: list[InstanceData | None] = [None] * len(batch_data_samples)
    complete = completely_annotated(batch_data_samples)
    if not complete:
        return dict(loss_rpn_cls=zero_loss(rpn_head, x)), proposals
    if len(complete) < len(batch_data_samples):
        x = tuple(feat[complete] for feat in x)
    samples = copy.deepcopy([batch_data_samples[i] for i in complete])
    for sample in samples:
        # the RPN knows one class
        sample.gt_instances.labels.zero_()
    losses, found = rpn_head.loss_and_predict(x, samples, proposal_cfg=proposal_cfg)
    for i, result in zip(complete, found):
        proposals[i] = result
    return {
        name if 'rpn' in name else f'rpn_{name}': loss for name, loss in losses.items()
    }, proposals
