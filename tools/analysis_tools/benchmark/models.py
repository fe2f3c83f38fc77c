# Copyright (c) onestage_pose contributors.
"""The models that are timed, with random weights and fixed detections.

Symbols: B images of a batch, N people in each, K = 17 keypoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.codecs import RoIHeatmap
from onestage_pose.models.layers import RelativePositionAttention
from onestage_pose.models.roi_heads import KeypointRoIHead
from onestage_pose.structures.metainfo import COCO_METAINFO, resolve_metainfo
from onestage_pose.utils import get_config_path

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.models.roi_heads import StandardRoIHead
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.apis import inference_topdown
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn
from torchvision.models.detection import keypointrcnn_resnet50_fpn
from torchvision.models.detection.roi_heads import RoIHeads

GCM = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'
PLAIN = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'
SIMPLE_BASELINE = 'simple_baseline/td-hm_res50_8xb64-210e_coco-256x192.py'
NUM_KEYPOINTS = 17

#: dtypes that a model computes in, by their names on the command line
DTYPES = {
    'float32': torch.float32,
    'bfloat16': torch.bfloat16,
    'float16': torch.float16,
}


def make_boxes(size: tuple[int, int], number: int, seed: int = 0) -> Tensor:
    """Return random boxes of standing people.

    Args:
        size (tuple[int, int]): Height and width of the image in pixels.
        number (int): Boxes N.
        seed (int): Of the random numbers.

    Returns:
        Tensor: (N, 4) float32, x1, y1, x2, y2 in pixels, inside the image.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    heights = rng.uniform(0.15, 0.6, number) * height
    widths = heights * rng.uniform(0.3, 0.6, number)
    left = rng.uniform(0, 1, number) * (width - widths)
    top = rng.uniform(0, 1, number) * (height - heights)
    return torch.tensor(np.stack((left, top, left + widths, top + heights), 1)).float()


def make_keypoints(boxes: Tensor) -> Tensor:
    """Return random keypoints (N, K, 2) inside boxes (N, 4), in the same frame."""
    generator = torch.Generator().manual_seed(0)
    fraction = torch.rand(len(boxes), NUM_KEYPOINTS, 2, generator=generator)
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes[:, None, :2] + fraction.to(boxes) * size[:, None]


def shrink_residual_branches(model: nn.Module) -> nn.Module:
    """Scale the last norm of each residual block down, and return the model.

    With random weights the activations of a deep residual network would otherwise
    grow until they overflow.
    """
    for name, module in model.named_modules():
        weight = getattr(module, 'weight', None)
        if name.endswith(('bn3', 'norm3')) and weight is not None:
            weight.data.fill_(0.1)
    return model


def to_float32(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    """Return the output in float32, as a forward hook."""
    return output.float()


class TimedModel(ABC):
    """A model that is timed from images as arrays to keypoints as arrays.

    It is built once and computes in any dtype, for any number of people: set ``dtype``
    and ``num_people`` between the calls.

    Args:
        size (tuple[int, int]): Height and width of the image in pixels.
        boxes (Tensor): (N, 4), the people that can be detected, x1, y1, x2, y2 in
            pixels of the image.
        device (str): Where the model and its inputs are, such as ``'cuda:0'``.

    Attributes:
        model (nn.Module): On the device, in evaluation mode between the calls.
        dtype (torch.dtype): ``torch.float32``, or the dtype of ``torch.autocast``.
        num_people (int): Only the first so many boxes are detected; all by default.
    """

    def __init__(self, size: tuple[int, int], boxes: Tensor, device: str) -> None:
        self.size, self.device = size, torch.device(device)
        self.all_boxes = boxes.to(self.device)
        self.num_people = len(boxes)
        self.dtype = torch.float32
        rng = np.random.default_rng(0)
        self.image = rng.integers(0, 256, (*size, 3), np.uint8)
        # Random numbers are drawn on the device: on a CPU they take most of the time
        # that building takes.
        with self.device:
            self.model = self.build()
        self.place()
        self.model.eval()

    @property
    def boxes(self) -> Tensor:
        """Tensor: (``num_people``, 4), the people that are detected."""
        return self.all_boxes[: self.num_people]

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the model with random weights."""

    def place(self) -> None:
        """Move the model to the device."""
        self.model.to(self.device)

    @abstractmethod
    def predict(self, batch_size: int = 1) -> None:
        """Run the model on ``batch_size`` copies of the image."""

    def loss(self, batch_size: int) -> Tensor:
        """Return the sum of all losses of a batch in which everybody is annotated.

        Raises:
            NotImplementedError: The model is not trained here.
        """
        raise NotImplementedError(f'{type(self).__name__} is not trained here')

    def autocast(self) -> AbstractContextManager:
        """Return the context in which the model computes in ``dtype``."""
        enabled = self.dtype != torch.float32
        return torch.autocast(
            self.device.type, self.dtype if enabled else None, enabled=enabled
        )


class FixedBoxesMixin:
    """Replaces what a RoI head of mmdet detects, after it has done its work.

    Attributes:
        get_boxes (Callable[[], Tensor]): Gives the boxes (N, 4) for each image, in the
            frame of the network's input.
    """

    def predict_bbox(self, *args: Any, **kwargs: Any) -> list[InstanceData]:
        """Detect boxes, and return the fixed ones; see mmdet's ``StandardRoIHead``."""
        return [
            self._replace(detected)
            for detected in super().predict_bbox(*args, **kwargs)
        ]

    def _replace(self, detected: InstanceData) -> InstanceData:
        boxes = self.get_boxes()
        return InstanceData(
            bboxes=boxes.to(detected.bboxes),
            scores=detected.bboxes.new_ones(len(boxes)),
            labels=torch.zeros(len(boxes), dtype=torch.long, device=boxes.device),
        )


class FixedBoxesKeypointRoIHead(FixedBoxesMixin, KeypointRoIHead):
    """The RoI head of this project's models, with fixed detections."""


class FixedBoxesStandardRoIHead(FixedBoxesMixin, StandardRoIHead):
    """The RoI head of mmdet's Faster R-CNN, with fixed detections."""


class GCMKeypointRCNN(TimedModel):
    """The one-stage model of this project."""

    config = GCM
    roi_head = FixedBoxesKeypointRoIHead

    def build(self) -> nn.Module:
        """Return the model of ``config`` with random weights."""
        config = Config.fromfile(self.get_config_file()).model
        init_default_scope('mmpose')
        config.backbone.init_cfg = None
        config.test_cfg.rcnn.max_per_img = self.num_people
        config.roi_head.type = self.roi_head
        self.change_config(config)
        model = MODELS.build(config)
        model.init_weights()
        self.metainfo = parse_pose_metainfo(
            resolve_metainfo(dict(from_file=COCO_METAINFO))
        )
        model.roi_head.get_boxes = lambda: self.boxes
        return shrink_residual_branches(model)

    def get_config_file(self) -> Path:
        """Return the path of ``config``."""
        return get_config_path(self.config)

    def change_config(self, config: dict) -> None:
        """Change the config of the model, in place, before it is built."""

    @property
    def detector(self) -> nn.Module:
        """nn.Module: The part that takes images and detects people."""
        return self.model

    def prepare(self, batch_size: int, annotated: bool = False) -> dict:
        """Return what the detector takes.

        Args:
            batch_size (int): Images B.
            annotated (bool): Whether the people are annotated, for training.

        Returns:
            dict: ``inputs`` (B, 3, H, W), normalised and padded, and ``data_samples``.
        """
        image = torch.from_numpy(self.image).permute(2, 0, 1)
        samples = []
        for _ in range(batch_size):
            sample = PoseDataSample(
                metainfo=dict(
                    img_shape=self.size,
                    ori_shape=self.size,
                    scale_factor=(1.0, 1.0),
                    flip_indices=self.metainfo['flip_indices'],
                )
            )
            if annotated:
                keypoints = make_keypoints(self.boxes)
                sample.gt_instance_labels = InstanceData(
                    bboxes=self.boxes,
                    labels=torch.zeros(len(self.boxes), dtype=torch.long),
                    keypoints=keypoints,
                    keypoints_visible=torch.ones(keypoints.shape[:2]),
                ).to(self.device)
            samples.append(sample)
        data = dict(inputs=[image] * batch_size, data_samples=samples)
        return self.detector.data_preprocessor(data, training=annotated)

    def predict(self, batch_size: int = 1) -> None:
        """Run the model on ``batch_size`` copies of the image."""
        with self.autocast():
            data = self.prepare(batch_size)
            self.model.predict(data['inputs'], data['data_samples'])

    def loss(self, batch_size: int) -> Tensor:
        """Return the sum of all losses of a batch in which everybody is annotated."""
        data = self.prepare(batch_size, annotated=True)
        losses = self.model.loss(data['inputs'], data['data_samples'])
        return self.model.parse_losses(losses)[0]

    def stage_ends(self) -> list[tuple[nn.Module, str, str]]:
        """Return where one stage of a prediction ends and the next one begins.

        Returns:
            list[tuple[nn.Module, str, str]]: In the order of the stages: a module,
            whether the stage ends ``'before'`` or ``'after'`` it runs, and the name of
            the stage. The last stage, which is not listed, ends with the prediction.
        """
        model, head = self.model, self.model.roi_head
        return [
            (model.data_preprocessor, 'after', 'preprocessing'),
            (model.neck, 'after', 'backbone and neck'),
            (head.bbox_roi_extractor, 'before', 'RPN'),
            (head.keypoint_roi_extractor, 'before', 'box branch'),
            (head.keypoint_head, 'after', 'keypoint branch'),
        ]


class CompiledGCMKeypointRCNN(GCMKeypointRCNN):
    """The one-stage model with its dense parts through ``torch.compile``."""

    def change_config(self, config: dict) -> None:
        """Compile."""
        config.test_cfg.compile = True


class PlainKeypointRCNN(GCMKeypointRCNN):
    """This project's plain Keypoint R-CNN."""

    config = PLAIN


class UnoptimizedGCMKeypointRCNN(GCMKeypointRCNN):
    """The one-stage model as one would write it down, for comparison.

    Attention is a chain of products, convolutions and norms are PyTorch's, and
    keypoints are decoded person by person.
    """

    def change_config(self, config: dict) -> None:
        """Decode person by person, with PyTorch's convolutions and norms."""
        config.test_cfg.update(winograd=False, folded_norms=False)
        config.roi_head.codec = dict(
            config.roi_head.get('codec', {}), type=PerPersonRoIHeatmap
        )

    def build(self) -> nn.Module:
        """Return the model with its optimized layers replaced."""
        model = super().build()
        for name, module in list(model.named_modules()):
            if isinstance(module, RelativePositionAttention):
                parent, _, child = name.rpartition('.')
                unfused = UnfusedAttention.from_fused(module)
                setattr(model.get_submodule(parent), child, unfused)
        return model


class UnfusedAttention(RelativePositionAttention):
    """Attention whose content and position logits are computed apart, then added."""

    @classmethod
    def from_fused(cls, fused: RelativePositionAttention) -> UnfusedAttention:
        """Return one with the weights of the fused attention."""
        unfused = cls(
            fused.to_qk.in_channels,
            fused.feat_size,
            fused.num_heads,
            fused.head_channels,
        )
        unfused.load_state_dict(fused.state_dict())
        return unfused

    def forward(self, x: Tensor) -> Tensor:
        """Attend over maps (B, C, H, W); see the base class."""
        height, width = self.feat_size
        query, key = self.to_qk(x).chunk(2, dim=1)
        value = self.to_v(x)
        query, key, value = (
            t.flatten(2).unflatten(1, (self.num_heads, -1)).mT
            for t in (query, key, value)
        )
        query = query * self.head_channels**-0.5
        grid = query.unflatten(2, (height, width))
        rows = self._by_offset(self.rel_height, height)
        cols = self._by_offset(self.rel_width, width)
        by_row = torch.einsum('nhijd,iud->nhiju', grid, rows)
        by_col = torch.einsum('nhijd,jvd->nhijv', grid, cols)
        position = by_row[..., :, None] + by_col[..., None, :]
        logits = query @ key.mT + position.flatten(4).flatten(2, 3)
        out = logits.softmax(-1) @ value
        return out.mT.flatten(1, 2).unflatten(2, self.feat_size)


class PerPersonRoIHeatmap(RoIHeatmap):
    """A codec that upsamples and searches the logits person by person."""

    def decode(self, encoded: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Find the maxima of the bicubically upsampled logits.

        Args:
            encoded (Tensor): Logits (N, K, H, W).
            boxes (Tensor): (N, 4); sides under 1 count as 1.

        Returns:
            tuple[Tensor, Tensor]: Keypoints (N, K, 2) in the frame of the boxes, and
            their scores (N, K) by softmax; both float32.
        """
        with torch.autocast(encoded.device.type, enabled=False):
            logits, boxes = encoded.float(), boxes.float()
            size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
            keypoints = boxes.new_zeros(*logits.shape[:2], 2)
            peaks = boxes.new_zeros(logits.shape[:2])
            pixels = size.ceil().long().tolist()
            for i, (width, height) in enumerate(pixels):
                upsampled = F.interpolate(
                    logits[i : i + 1], (height, width), mode='bicubic'
                )[0]
                peaks[i], index = upsampled.flatten(1).max(-1)
                pixel = torch.stack((index % width, index // width), -1) + 0.5
                position = pixel / pixel.new_tensor([width, height])
                keypoints[i] = boxes[i, :2] + position * size[i]
            return keypoints, (peaks - logits.flatten(2).logsumexp(-1)).exp()


class FixedBoxesRoIHeads(RoIHeads):
    """The RoI heads of torchvision's Keypoint R-CNN, with fixed detections.

    Attributes:
        get_boxes (Callable[[], Tensor]): Gives the boxes (N, 4) for each image, in the
            frame of the network's input.
    """

    def postprocess_detections(
        self, *args: Any
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Detect boxes, and return the fixed ones with their scores and labels."""
        number = len(super().postprocess_detections(*args)[0])
        boxes = self.get_boxes()
        scores = boxes.new_ones(len(boxes))
        return [boxes] * number, [scores] * number, [scores.long()] * number


class TorchvisionKeypointRCNN(TimedModel):
    """torchvision's ``keypointrcnn_resnet50_fpn``."""

    def build(self) -> nn.Module:
        """Return torchvision's model with random weights."""
        height, width = self.size
        model = keypointrcnn_resnet50_fpn(
            weights=None,
            weights_backbone=None,
            min_size=min(height, width),
            max_size=max(height, width),
        )
        heads = model.roi_heads
        # as KeypointRCNN's constructor builds it
        model.roi_heads = FixedBoxesRoIHeads(
            box_roi_pool=heads.box_roi_pool,
            box_head=heads.box_head,
            box_predictor=heads.box_predictor,
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.5,
            batch_size_per_image=512,
            positive_fraction=0.25,
            bbox_reg_weights=None,
            score_thresh=heads.score_thresh,
            nms_thresh=heads.nms_thresh,
            detections_per_img=self.num_people,
            keypoint_roi_pool=heads.keypoint_roi_pool,
            keypoint_head=heads.keypoint_head,
            keypoint_predictor=heads.keypoint_predictor,
        )
        model.roi_heads.get_boxes = lambda: self.boxes
        return shrink_residual_branches(model)

    def prepare(self, batch_size: int) -> list[Tensor]:
        """Return B images (3, H, W), float32 from 0 to 1."""
        image = torch.from_numpy(self.image).permute(2, 0, 1)
        return [image.to(self.device).float() / 255] * batch_size

    def predict(self, batch_size: int = 1) -> None:
        """Run the model on ``batch_size`` copies of the image."""
        with self.autocast():
            self.model(self.prepare(batch_size))

    def loss(self, batch_size: int) -> Tensor:
        """Return the sum of all losses of a batch in which everybody is annotated."""
        keypoints = make_keypoints(self.boxes)
        target = dict(
            boxes=self.boxes,
            labels=torch.ones(len(self.boxes), dtype=torch.long, device=self.device),
            keypoints=torch.cat((keypoints, torch.ones_like(keypoints[..., :1])), -1),
        )
        targets = [dict(target) for _ in range(batch_size)]
        return sum(self.model(self.prepare(batch_size), targets).values())


class TwoStage(GCMKeypointRCNN):
    """mmdet's Faster R-CNN R50, then mmpose's SimpleBaseline R50 without flip test."""

    config = PLAIN
    roi_head = FixedBoxesStandardRoIHead

    def build(self) -> nn.Module:
        """Return the detector and the top-down estimator."""
        detector = super().build()
        config = Config.fromfile(get_config_path(SIMPLE_BASELINE))
        config.model.backbone.init_cfg = None
        estimator = shrink_residual_branches(MODELS.build(config.model))
        estimator.dataset_meta, estimator.cfg = self.metainfo, config
        # mmpose decodes in numpy, which has no bfloat16
        estimator.head.final_layer.register_forward_hook(to_float32)
        return nn.ModuleDict(dict(detector=detector, estimator=estimator))

    def place(self) -> None:
        """Move both models, each by itself.

        A container moves parameters and buffers alone; mmengine's models also tell
        their preprocessors where inputs have to go.
        """
        for model in self.model.values():
            model.to(self.device)

    def change_config(self, config: dict) -> None:
        """Leave the keypoint branch out and take mmdet's own classes."""
        config.type = 'FasterRCNN'
        head = config.roi_head
        for name in [key for key in head if 'keypoint' in key] + ['codec', 'box_scale']:
            head.pop(name, None)
        head.bbox_roi_extractor.type = 'SingleRoIExtractor'
        config.test_cfg.pop('flip_test')

    @property
    def detector(self) -> nn.Module:
        """nn.Module: Faster R-CNN."""
        return self.model['detector']

    def predict(self, batch_size: int = 1) -> None:
        """Detect people in ``batch_size`` copies of the image, then find keypoints."""
        data = self.prepare(batch_size)
        with self.autocast():
            samples = self.detector.predict(data['inputs'], data['data_samples'])
            for sample in samples:
                boxes = sample.pred_instances.bboxes.float().numpy(force=True)
                inference_topdown(self.model['estimator'], self.image, boxes)


REFERENCE = 'torchvision'

#: models by their names on the command line and in results
TIMED_MODELS: dict[str, type[TimedModel]] = {
    'gcm': GCMKeypointRCNN,
    'gcm, compiled': CompiledGCMKeypointRCNN,
    'keypoint-rcnn': PlainKeypointRCNN,
    'gcm, spelled out': UnoptimizedGCMKeypointRCNN,
    REFERENCE: TorchvisionKeypointRCNN,
    'two-stage': TwoStage,
}
#: those that are timed unless others are asked for; compiling takes minutes
DEFAULT_MODELS = tuple(name for name in TIMED_MODELS if name != 'gcm, compiled')
#: those whose training step is timed
TRAINED = ('gcm', 'keypoint-rcnn', REFERENCE)
