# Copyright (c) onestage_pose contributors.
"""mmcv's compiled ``nms`` and ``roi_align_*``, answered by torchvision's operators.

The functions take the arguments of the functions of the same names in mmcv's
compiled module ``mmcv._ext``, under the same names, so that ``mmcv.ops`` calls them
without knowing. Boxes are xyxy in continuous edge coordinates. Arithmetic is done in
float32 (in float64 where the data are float64) and rounded once, on the way out:
half precision cannot hold box coordinates of a thousand pixels to a tenth of a pixel.

torchvision's RoIAlign runs on one thread of a CPU. In float32 there another one is
taken, of the module ``roi_align``, which sums in another order.
"""

from __future__ import annotations

import torch
import torchvision  # noqa: F401  registers torch.ops.torchvision.*
from torch import Tensor

from . import roi_align
from .cpu_fallback import call_operator
from .unsupported import raise_unsupported

_AVERAGE = 1  # mmcv's number for pool_mode='avg'; 0 is 'max'


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Greedy non-maximum suppression.

    Args:
        boxes (Tensor): (N, 4) xyxy, any floating dtype.
        scores (Tensor): (N,), any floating dtype.
        iou_threshold (float): a box goes if its IoU with a kept one is above this.
        offset (int): 0 or 1, what mmcv adds to ``x2 - x1`` for a box's width.

    Returns:
        Tensor: (M,) int64 indices of the kept boxes, best score first.
    """
    boxes = _at_least_float32(boxes)
    if offset:
        # A box that ends `offset` later has mmcv's width, and so have overlaps.
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    scores = scores.to(boxes.dtype)
    return call_operator(torch.ops.torchvision.nms, boxes, scores, float(iou_threshold))


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """RoIAlign (Mask R-CNN), average pooling, written into ``output``.

    Args:
        input (Tensor): (B, C, H, W) feature map.
        rois (Tensor): (N, 5): index of the image, then xyxy in pixels of the
            network's input.
        output (Tensor): (N, C, aligned_height, aligned_width), overwritten.
        argmax_y (Tensor): not used: max pooling's.
        argmax_x (Tensor): not used: max pooling's.
        aligned_height (int): rows of bins.
        aligned_width (int): columns of bins.
        spatial_scale (float): feature pixels per input pixel, 1/4 for stride 4.
        sampling_ratio (int): samples per bin and axis; 0: as many as it is pixels long.
        pool_mode (int): 1, average.
        aligned (bool): shift by half a feature pixel, as Detectron2 does.

    Raises:
        NotImplementedError: ``pool_mode`` is 0, max pooling.
    """
    _require_average(pool_mode)
    features = _at_least_float32(input)
    rois = rois.to(features.dtype)
    size = aligned_height, aligned_width
    if features.device.type == 'cpu' and features.dtype == torch.float32:
        roi_align.roi_align(
            features, rois, output, spatial_scale, sampling_ratio, aligned
        )
    else:
        output.copy_(
            call_operator(
                torch.ops.torchvision.roi_align,
                features,
                rois,
                spatial_scale,
                *size,
                sampling_ratio,
                aligned,
            )
        )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """The gradient of :func:`roi_align_forward`, added to ``grad_input``.

    Args:
        grad_output (Tensor): (N, C, aligned_height, aligned_width).
        rois (Tensor): (N, 5), as in the forward.
        argmax_y (Tensor): not used: max pooling's.
        argmax_x (Tensor): not used: max pooling's.
        grad_input (Tensor): (B, C, H, W), added to, as mmcv's operator does.
        aligned_height (int): rows of bins.
        aligned_width (int): columns of bins.
        spatial_scale (float): as in the forward.
        sampling_ratio (int): as in the forward.
        pool_mode (int): 1, average.
        aligned (bool): as in the forward.

    Raises:
        NotImplementedError: ``pool_mode`` is 0, max pooling.
    """
    _require_average(pool_mode)
    grad = _at_least_float32(grad_output)
    rois = rois.to(grad.dtype)
    shape = tuple(grad_input.shape)
    if grad.device.type == 'cpu' and grad.dtype == torch.float32:
        spread = roi_align.roi_align_backward(
            grad, rois, shape, spatial_scale, sampling_ratio, aligned
        )
    else:
        spread = call_operator(
            torch.ops.torchvision._roi_align_backward,
            grad,
            rois,
            spatial_scale,
            aligned_height,
            aligned_width,
            *shape,
            sampling_ratio,
            aligned,
        )
    grad_input.add_(spread)


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _require_average(pool_mode: int) -> None:
    if pool_mode != _AVERAGE:
        raise_unsupported('roi_align with pool_mode="max"')
