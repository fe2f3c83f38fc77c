# Copyright (c) onestage_pose contributors.
"""Keypoint R-CNN from image to people without a decision taken by Python."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmdet.models.task_modules.prior_generators import AnchorGenerator
from mmengine.config import ConfigDict
from torch import Tensor, nn

from ..models import KeypointRCNN, KeypointRoIHead, RoIFeatureExtractor
from ..models.roi_heads.roi_feature_extractor import ZeroExtendedRoIAlign
from ..models.test_time_augs import average_flipped
from ..models.utils.own_keypoints import find_own_keypoints
from ..models.utils.postprocessing import mean_confident_score
from ..structures.coordinates import continuous_to_pixel_index


class OnnxPeople(NamedTuple):
    """What the graph gives of the N people of all images.

    They are in the order of the images, and best first within an image.

    Of a model of several categories, what is predicted of other keypoints than those of
    an instance's own category is 0.

    Attributes:
        bboxes (Tensor): (N, 4) x1, y1, x2, y2 in pixels of the graph's input.
        scores (Tensor): (N,).
        keypoints (Tensor): (N, K, 2) in its pixels, the centre of the first being 0.
        keypoint_scores (Tensor): (N, K).
        labels (Tensor): (N,) int64.
        keypoint_presence (Tensor, optional): (N, K), the probability that a keypoint is
            in the image, of a model with a visibility branch.
        keypoints_visible (Tensor, optional): (N, K), that it is seen, likewise.
        image_indices (Tensor): (N,) int64, which image of the batch each is in.
    """

    bboxes: Tensor
    scores: Tensor
    keypoints: Tensor
    keypoint_scores: Tensor
    labels: Tensor
    keypoint_presence: Tensor | None
    keypoints_visible: Tensor | None
    image_indices: Tensor


class _Detections(NamedTuple):
    """Boxes (N, 4), scores, labels and images' indices (N,) of the box branch."""

    bboxes: Tensor
    scores: Tensor
    labels: Tensor
    images: Tensor

    def take(self, index: Tensor) -> _Detections:
        return _Detections(*(each[index] for each in self))


class OnnxKeypointRCNN(nn.Module):
    """A :class:`KeypointRCNN` that can be traced for images of any size.

    It has the model's weights and test configuration, takes one image and returns what
    ``predict(rescale=False)`` does. mmdet's heads handle sizes and counts in Python,
    which a traced graph would freeze.

    Args:
        model (KeypointRCNN): The model, in evaluation mode.

    Raises:
        ValueError: The model has parts or options that the graph does not cover; the
            message names them.
    """

    def __init__(self, model: KeypointRCNN) -> None:
        super().__init__()
        _check_supported(model)
        self.model = model.eval()
        preprocessor = model.data_preprocessor
        self.pad_divisor: int = preprocessor.pad_size_divisor
        self.swap_channels: bool = preprocessor._channel_conversion
        has_norm = preprocessor._enable_normalize
        like = next(model.parameters())
        mean, std = like.new_zeros(3, 1, 1), like.new_ones(3, 1, 1)
        self.register_buffer('mean', preprocessor.mean if has_norm else mean)
        self.register_buffer('std', preprocessor.std if has_norm else std)
        self.flip_indices: list[int] | None = None
        if model.test_cfg.get('flip_test'):
            self.flip_indices = list(model.dataset_meta['flip_indices'])
        metainfo = getattr(model, 'dataset_meta', {})
        self.owners: list[int] | None = metainfo.get('keypoint_categories')

    def forward(self, image: Tensor) -> OnnxPeople:
        """Find the people of images.

        Args:
            image (Tensor): (B, 3, H, W) float32, BGR from 0 to 255: images of one
                size, which may be any, as the test pipeline resizes them.

        Returns:
            OnnxPeople: The N people; N may be 0.
        """
        height, width = image.shape[2], image.shape[3]
        border = torch.stack((_scalar(width), _scalar(height)) * 2).to(image)
        feats = self.model.extract_feat(self._preprocess(image))
        people = self._detect(feats, border)
        mirrored = None
        if self.flip_indices is not None:
            mirrored = self.model.extract_feat(self._preprocess(image.flip(-1)))
            others = self._detect(mirrored, border)
            people = self._merge(people, others, border, _count(image))
        found = self._find_keypoints(feats, people, mirrored, border[0])
        options = self.model.test_options
        own = None
        if self.owners is not None:
            own = find_own_keypoints(people.labels, self.owners).to(found[1])
            found = found[0] * own[..., None], *(each * own for each in found[1:])
        if options.rescore_thr is not None:
            weights = found[2] if options.rescore_by_presence else own
            mean = _mean_score(found[1], options.rescore_thr, weights)
            scores, order = (people.scores * mean).sort(descending=True)
            people = people.take(order)._replace(scores=scores)
            by_image = _by_image(people.images, _count(image))
            people, order = people.take(by_image), order[by_image]
            found = tuple(each[order] for each in found)
        bboxes, scores, labels, images = people
        presence, visible = found[2:] or (None, None)
        return OnnxPeople(bboxes, scores, *found[:2], labels, presence, visible, images)

    def _preprocess(self, image: Tensor) -> Tensor:
        """Normalise, then zeros at the right and below up to a multiple."""
        if self.swap_channels:
            image = image[:, [2, 1, 0]]
        image = (image - self.mean) / self.std
        height, width = image.shape[2], image.shape[3]
        down, right = -height % self.pad_divisor, -width % self.pad_divisor
        return F.pad(image, (0, right, 0, down))

    def _propose(
        self, feats: tuple[Tensor, ...], border: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Proposals (N, 4) of the RPN, and the indices of their images (N,)."""
        head, cfg = self.model.rpn_head, self.model.rpn_head.test_cfg
        anchors_of = head.prior_generator
        feats = feats[-anchors_of.num_levels :]
        levels = zip(feats, anchors_of.base_anchors, anchors_of.strides)
        bboxes, scores, numbers, images = [], [], [], []
        image = torch.arange(feats[0].shape[0], device=border.device)[:, None]
        for number, (feat, base, stride) in enumerate(levels):
            logits, deltas = head.forward_single(feat)
            logits = logits.permute(0, 2, 3, 1).flatten(1)
            deltas = deltas.permute(0, 2, 3, 1).reshape(feat.shape[0], -1, 4)
            anchors = _anchors(base.to(feat), feat, stride)
            score, best = _top(logits.float(), cfg.nms_pre)
            deltas = deltas.float().gather(1, best[..., None].expand(-1, -1, 4))
            bboxes.append(_decode(anchors[best], deltas, head.bbox_coder, border))
            scores.append(score)
            numbers.append(torch.full_like(best, number))
            images.append(torch.zeros_like(best) + image)
        bboxes = torch.cat(bboxes, 1).reshape(-1, 4)
        scores, numbers, images = (
            torch.cat(each, 1).reshape(-1) for each in (scores, numbers, images)
        )
        if cfg.get('min_bbox_size', -1) >= 0:
            size = bboxes[:, 2:] - bboxes[:, :2]
            large = (size > cfg.min_bbox_size).all(-1).nonzero().squeeze(1)
            bboxes, scores = bboxes[large], scores[large]
            numbers, images = numbers[large], images[large]
        apart = _move_apart(bboxes, numbers, images, bboxes)
        keep = _nms(apart, scores, cfg.nms)
        keep = keep[_by_image(images[keep], _count(feats[0]), cfg.max_per_img)]
        return bboxes[keep], images[keep]

    def _detect(self, feats: tuple[Tensor, ...], border: Tensor) -> _Detections:
        """What the box branch finds."""
        proposals, images = self._propose(feats, border)
        roi_head = self.model.roi_head
        head, cfg = roi_head.bbox_head, roi_head.test_cfg
        pooled = _pool(roi_head.bbox_roi_extractor, feats, proposals, images)
        logits, deltas = head(pooled)
        classes = head.num_classes
        boxes_of = 1 if head.reg_class_agnostic else classes
        bboxes = _decode(
            proposals.repeat_interleave(boxes_of, 0),
            deltas.reshape(-1, 4),
            head.bbox_coder,
            border,
        )
        bboxes = bboxes.reshape(-1, boxes_of, 4).expand(-1, classes, 4).reshape(-1, 4)
        scores = logits.softmax(-1)[:, :-1].reshape(-1)
        labels = torch.arange(classes, device=scores.device)
        labels = labels.expand(logits.shape[0], classes).reshape(-1)
        images = images[:, None].expand(-1, classes).reshape(-1)
        sure = (scores > cfg.score_thr).nonzero().squeeze(1)
        found = _Detections(bboxes, scores, labels, images).take(sure)
        return self._suppress(found, border, _count(feats[0]))

    def _suppress(
        self, found: _Detections, border: Tensor, num_images: Tensor
    ) -> _Detections:
        """Those left, each class and image apart, in the order of the images."""
        cfg = self.model.roi_head.test_cfg
        # the border, because there may be no boxes
        extent = torch.cat((found.bboxes, border[None]))
        apart = _move_apart(found.bboxes, found.labels, found.images, extent)
        found = found.take(_nms(apart, found.scores, cfg.nms))
        return found.take(_by_image(found.images, num_images, cfg.max_per_img))

    def _merge(
        self,
        found: _Detections,
        others: _Detections,
        border: Tensor,
        num_images: Tensor,
    ) -> _Detections:
        """The detections of images and of their mirror images, suppressed together."""
        others = others._replace(bboxes=_mirror(others.bboxes, border[0]))
        both = _Detections(*(torch.cat(each) for each in zip(found, others)))
        return self._suppress(both, border, num_images)

    def _find_keypoints(
        self,
        feats: tuple[Tensor, ...],
        people: _Detections,
        mirrored: tuple[Tensor, ...] | None,
        width: Tensor,
    ) -> tuple[Tensor, ...]:
        """Keypoints (N, K, 2), their scores (N, K), and presence and visibility (N, K).

        The last two of a head with a visibility branch alone.

        Args:
            feats (tuple[Tensor]): Feature maps.
            people (_Detections): N of them.
            mirrored (tuple[Tensor], optional): Those of the mirrored image.
            width (Tensor): Of the image, in pixels.
        """
        head = self.model.roi_head
        # Runtimes cannot reshape what holds nobody: then one pixel is looked at.
        num_people = _count(people.bboxes)
        num_pixels = (num_people == 0).long()
        pixel = people.bboxes.new_tensor([[0, 0, 1, 1]])[:num_pixels]
        boxes = head.enlarge(torch.cat((people.bboxes, pixel)))
        images = torch.cat((people.images, people.images.new_zeros(1)[:num_pixels]))
        keypoint_head = head.keypoint_head
        extractor = head.keypoint_roi_extractor
        output = keypoint_head(_pool(extractor, feats, boxes, images))
        if mirrored is not None:
            mirrored_boxes = _mirror(boxes, width)
            flipped = keypoint_head(_pool(extractor, mirrored, mirrored_boxes, images))
            output = average_flipped(output, flipped, self.flip_indices)
        keypoints, scores = keypoint_head.decode(output, boxes)
        found = continuous_to_pixel_index(keypoints), scores
        if keypoint_head.visibility_branch is not None:
            found += keypoint_head.predict_visibility(output)
        return tuple(each[:num_people] for each in found)


def _check_supported(model: KeypointRCNN) -> None:
    """Refuse what the graph would leave out."""
    head, test_cfg = model.roi_head, model.test_cfg
    problems = []
    if type(head) is not KeypointRoIHead:
        problems.append(f'model.roi_head.type={type(head).__name__}')
    elif head.with_mask:
        problems.append('a mask branch')
    for name in ('bbox_roi_extractor', 'keypoint_roi_extractor'):
        extractor = getattr(head, name)
        if type(extractor) is not RoIFeatureExtractor:
            problems.append(f'model.roi_head.{name}.type={type(extractor).__name__}')
    for name in ('amp_dtype', 'pose_nms', 'output_heatmaps'):
        if test_cfg.get(name):
            problems.append(f'model.test_cfg.{name}')
    if type(model.rpn_head.prior_generator) is not AnchorGenerator:
        kind = type(model.rpn_head.prior_generator).__name__
        problems.append(f'model.rpn_head.anchor_generator.type={kind}')
    if head.keypoint_head.continuous_keypoints:
        problems.append('model.roi_head.keypoint_head.continuous_keypoints')
    if not model.rpn_head.use_sigmoid_cls:
        problems.append('an RPN with softmax')
    for name in ('rpn', 'rcnn'):
        nms = test_cfg[name].nms
        if nms.get('type', 'nms') != 'nms' or set(nms) - {'type', 'iou_threshold'}:
            problems.append(f'model.test_cfg.{name}.nms={dict(nms)}')
    if problems:
        raise ValueError(
            f'This model cannot be exported as one ONNX graph: {", ".join(problems)} '
            'is not supported; change it with --cfg-options, or use PyTorch.'
        )


def _mirror(boxes: Tensor, width: Tensor) -> Tensor:
    """Mirror boxes (N, 4) as mmdet's ``bbox_flip``, which a graph cannot index."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((width - x2, y1, width - x1, y2), -1)


def _mean_score(scores: Tensor, thr: float, weights: Tensor | None) -> Tensor:
    """Mean scores (N,) by :func:`mean_confident_score`, also of nobody.

    onnxruntime-web 1.30 sums (0, K) to (K,), so that one row is added and left out.
    """
    if weights is not None:
        weights = F.pad(weights, (0, 0, 0, 1))
    return mean_confident_score(F.pad(scores, (0, 0, 0, 1)), thr, weights)[:-1]


def _scalar(value: int | Tensor) -> Tensor:
    """A traced size as the tensor that it is, an int as a new one."""
    return value if isinstance(value, Tensor) else torch.tensor(value)


def _count(values: Tensor) -> Tensor:
    """Length of the first dimension, as a tensor that a trace keeps."""
    return torch._shape_as_tensor(values)[0].to(values.device)


def _by_image(images: Tensor, num_images: Tensor, most: int = -1) -> Tensor:
    """Places of indices of images (N,), sorted by them, the first ``most`` of each.

    Those of one image keep their order; ``most`` of 0 or less is no limit.
    """
    place = torch.arange(images.shape[0], device=images.device)
    order = (images * _count(images) + place).argsort()
    if most <= 0:
        return order
    images = images[order]
    # one more, because onnxruntime-web 1.30 cannot sum over nothing
    ends = torch.cat((images, num_images[None]))
    image = torch.arange(num_images, device=images.device)
    start = (ends < image[:, None]).sum(1)
    return order[((place - start[images]) < most).nonzero().squeeze(1)]


def _move_apart(
    boxes: Tensor, groups: Tensor, images: Tensor, extent: Tensor
) -> Tensor:
    """Move boxes (N, 4) so that those of two groups or images do not touch.

    Those of the first image move as mmcv's ``batched_nms`` moves groups, to the last
    digit. Others move to the right: coordinates stay small, and so their rounding.

    Args:
        boxes (Tensor): (N, 4).
        groups (Tensor): (N,) int64.
        images (Tensor): (N,) int64.
        extent (Tensor): (M, 4), of boxes that lie around all of them; M is not 0.
    """
    step = extent.max() - extent.min().clamp(max=0) + 1
    shift = torch.stack((groups + images, groups), -1) * step
    return boxes + torch.cat((shift, shift), -1)


def _anchors(base: Tensor, feat: Tensor, stride: tuple[int, int]) -> Tensor:
    """Anchors (H * W * A, 4) at every place of a map, as mmdet orders them."""
    y = torch.arange(feat.shape[2], device=base.device) * stride[1]
    x = torch.arange(feat.shape[3], device=base.device) * stride[0]
    x, y = x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :]
    shift = torch.stack((x, y, x, y), -1).reshape(-1, 1, 4).to(base)
    return (shift + base).reshape(-1, 4)


def _top(scores: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The highest ``number`` of each row (B, N), or all where there are fewer."""
    if torch.onnx.is_in_onnx_export():
        length = torch._shape_as_tensor(scores)[1:]
        number = torch.minimum(length, torch.full_like(length, number))[0]
    else:
        number = min(number, scores.shape[1])
    return scores.topk(number)


def _decode(boxes: Tensor, deltas: Tensor, coder: ConfigDict, border: Tensor) -> Tensor:
    """Move boxes (..., 4) by deltas (..., 4) and clip them to the image."""
    deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
    center = (boxes[..., :2] + boxes[..., 2:]) * 0.5
    size = boxes[..., 2:] - boxes[..., :2]
    limit = abs(math.log(16 / 1000))
    center = center + size * deltas[..., :2]
    half = size * deltas[..., 2:].clamp(-limit, limit).exp() * 0.5
    moved = torch.cat((center - half, center + half), -1)
    return moved.clamp(min=0).minimum(border) if coder.clip_border else moved


def _nms(boxes: Tensor, scores: Tensor, cfg: dict) -> Tensor:
    """Indices of the boxes kept, best first."""
    return torch.ops.torchvision.nms(boxes, scores, cfg['iou_threshold'])


def _pool(
    extractor: RoIFeatureExtractor,
    feats: tuple[Tensor, ...],
    boxes: Tensor,
    images: Tensor,
) -> Tensor:
    """RoI features (N, C, h, w) of boxes (N, 4), each from the level of its size."""
    rois = torch.cat((images[:, None].to(boxes), boxes), 1)
    layers, feats = extractor.roi_layers, extractor.pick(feats)
    if len(layers) == 1:
        return _align(layers[0], feats[0], rois)
    levels = extractor.map_roi_levels(rois, len(layers))
    pooled, order = [], []
    for number, (layer, feat) in enumerate(zip(layers, feats)):
        index = (levels == number).nonzero().squeeze(1)
        pooled.append(_align(layer, feat, rois[index]))
        order.append(index)
    return torch.cat(pooled)[torch.cat(order).argsort()]


def _align(layer: nn.Module, feat: Tensor, rois: Tensor) -> Tensor:
    feat = feat.float()
    if isinstance(layer, ZeroExtendedRoIAlign):
        # One row is enough: beyond it RoIAlign repeats it.
        feat = F.pad(feat, (1, 1, 1, 1), mode='replicate') * _inside(layer, feat, rois)
        rois = rois + rois.new_tensor([0, 1, 1, 1, 1]) / layer.spatial_scale
    return torch.ops.torchvision.roi_align(
        feat,
        rois,
        layer.spatial_scale,
        *layer.output_size,
        layer.sampling_ratio,
        layer.aligned,
    )


def _inside(layer: nn.Module, feat: Tensor, rois: Tensor) -> Tensor:
    """Masks (B, 1, H + 2, W + 2) of maps: 1 within, on the border 0 or 1.

    The border is 0 on the sides that any box of the image leaves, of RoIs (N, 5).
    """
    width, height = _scalar(feat.shape[3]), _scalar(feat.shape[2])
    far = torch.stack((width, height)).to(rois) / layer.spatial_scale
    image = torch.arange(feat.shape[0], device=rois.device)
    is_here = (rois[None, :, 0] == image[:, None]).to(rois)[..., None]
    leave_near = (rois[:, 1:3] < 0).to(rois) * is_here
    leave_far = (rois[:, 3:5] > far).to(rois) * is_here
    # a row more: of no boxes there is no maximum
    near = 1 - F.pad(leave_near, (0, 0, 0, 1)).amax(1)
    far = 1 - F.pad(leave_far, (0, 0, 0, 1)).amax(1)
    row, column = torch.ones_like(feat[:, 0, 0]), torch.ones_like(feat[:, 0, :, 0])
    row = torch.cat((near[:, :1], row, far[:, :1]), 1)
    column = torch.cat((near[:, 1:], column, far[:, 1:]), 1)
    return (column[:, :, None] * row[:, None])[:, None]
