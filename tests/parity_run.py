# Copyright (c) onestage_pose contributors.
"""Computes here what an original program computed for the file of golden values."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

from onestage_pose.checkpoints.converters import (
    DetectronNames,
    check_against_config,
    default_config,
    from_detectron2,
)
from onestage_pose.structures import (
    continuous_to_pixel_index,
    pixel_index_to_continuous,
)

import numpy as np
import torch
from mmdet.structures.bbox import bbox2roi
from mmengine.config import Config
from mmengine.registry import MODELS
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

LEVELS = ('p2', 'p3', 'p4', 'p5', 'p6')


class ParityRun:
    """This project's model on one golden file's picture and weights.

    Args:
        path: ``ARCH_BACKBONE_IMAGE.npz``; ``detectron2_weights.py`` and
            ``ARCH_BACKBONE.shapes.json`` lie beside it.
        device: Where the model computes; what it gives comes back to the CPU.
    """

    def __init__(self, path: Path, device: str = 'cpu') -> None:
        self.path, self.device = path, torch.device(device)
        self.arch, self.backbone = path.stem.split('_')[:2]
        with np.load(path) as arrays:
            self.golden = {
                name: torch.from_numpy(arrays[name])
                for name in arrays
                if name != 'grad_names'
            }
            self.golden_gradients = dict(
                zip(map(str, arrays['grad_names']), arrays['grad_norms'].tolist())
            )
        weights = from_detectron2(self._detectron2_arrays(), str(path)).weights
        self.config_path = default_config(weights)
        config = Config.fromfile(self.config_path)
        config.model.backbone.init_cfg = None
        check_against_config(weights, config)
        self.model = MODELS.build(config.model)
        self.model.load_state_dict(weights)
        self.model.to(self.device)
        self.inputs, self.samples = self._preprocess()

    def _detectron2_arrays(self) -> dict[str, Tensor]:
        """The weights that the original program had, by its names."""
        place = self.path.parent / 'detectron2_weights.py'
        spec = importlib.util.spec_from_file_location('detectron2_weights', place)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        shapes = self.path.parent / f'{self.arch}_{self.backbone}.shapes.json'
        return {
            name: torch.from_numpy(np.asarray(module.fill(name, tuple(shape))))
            for name, shape in json.loads(shapes.read_text()).items()
        }

    def _preprocess(self) -> tuple[Tensor, list[PoseDataSample]]:
        picture = self.golden['image'].permute(2, 0, 1)
        size = tuple(picture.shape[1:])
        meta = dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0), img_id=0)
        sample = PoseDataSample(metainfo=dict(meta, flip_indices=list(range(17))))
        batch = dict(inputs=[picture], data_samples=[sample])
        batch = self.model.data_preprocessor(batch)
        return batch['inputs'], batch['data_samples']

    def given(self, name: str) -> Tensor:
        """A golden value that the model is given, where the model is."""
        return self.golden[name].to(self.device)

    def afresh(self) -> ParityRun:
        """The same model and picture with nothing computed yet."""
        other = copy.copy(self)
        for name, attribute in vars(type(self)).items():
            if isinstance(attribute, cached_property):
                vars(other).pop(name, None)
        return other

    @cached_property
    def features(self) -> tuple[Tensor, ...]:
        with torch.no_grad():
            return self.model.eval().extract_feat(self.inputs)

    @cached_property
    def arrays(self) -> dict[str, Tensor]:
        """Inside the network in inference mode, by the golden file's names."""
        model, roi_head, x = self.model.eval(), self.model.roi_head, self.features
        with torch.no_grad():
            result = {
                level: feature[0, ::16, ::3, ::3] for level, feature in zip(LEVELS, x)
            }
            logits, deltas = model.rpn_head(x)
            result.update(rpn_logits_p3=logits[1][0], rpn_deltas_p4=deltas[2][0])
            box = roi_head._bbox_forward(x, bbox2roi([self.given('proposals')]))
            result.update(roi_cls=box['cls_score'], roi_deltas=box['bbox_pred'])
        result.update(
            kpt_roi_feats=self.keypoint_features[:, ::16],
            kpt_logits=self.keypoint_logits[:, ::4],
        )
        return {name: array.cpu() for name, array in result.items()}

    @property
    def keypoint_boxes(self) -> Tensor:
        """The given boxes (N, 4), enlarged."""
        return self.model.roi_head.enlarge(self.given('kpt_boxes'))

    @cached_property
    def keypoint_features(self) -> Tensor:
        """(N, 256, 14, 14) of :attr:`keypoint_boxes`."""
        extractor = self.model.roi_head.keypoint_roi_extractor
        rois = bbox2roi([self.keypoint_boxes])
        return extractor(self.features[: extractor.num_inputs], rois)

    @cached_property
    def keypoint_logits(self) -> Tensor:
        """(N, 17, 56, 56) of :attr:`keypoint_boxes`."""
        with torch.no_grad():
            head = self.model.eval().roi_head.keypoint_head
            return head(self.keypoint_features).logits

    @cached_property
    def decoded(self) -> tuple[Tensor, Tensor]:
        """Keypoints (N, 17, 2) and scores (N, 17) in the given boxes."""
        codec = self.model.roi_head.codec
        found = codec.decode(self.keypoint_logits, self.keypoint_boxes)
        return tuple(each.cpu() for each in found)

    @cached_property
    def detections(self) -> SimpleNamespace:
        """The whole model: ``boxes``, ``scores``, ``keypoints``."""
        with torch.no_grad():
            samples = [sample.clone() for sample in self.samples]
            (sample,) = self.model.eval().predict(self.inputs, samples)
        found = sample.pred_instances
        return SimpleNamespace(
            boxes=torch.from_numpy(found.bboxes),
            scores=torch.from_numpy(found.bbox_scores),
            keypoints=pixel_index_to_continuous(torch.from_numpy(found.keypoints)),
        )

    @cached_property
    def training(self) -> tuple[float, dict[str, float]]:
        """Loss of the keypoint branch and its gradient's norms by Detectron2's names.

        The model is as it was afterwards.
        """
        model = self.model.train()
        with self._kept_statistics():
            loss = self._get_loss(model.extract_feat(self.inputs))
            loss.backward()
        gradients = {
            name: parameter.grad
            for name, parameter in model.named_parameters()
            if parameter.grad is not None
        }
        pairs = DetectronNames.of_mmpose(model.state_dict()).pairs()
        names = {ours: theirs for theirs, ours in pairs}
        norms = {names[name]: grad.norm().item() for name, grad in gradients.items()}
        model.zero_grad()
        return loss.item(), norms

    @cached_property
    def loss(self) -> float:
        """That of :attr:`training`, from :attr:`features`: the backbone's norms are
        frozen, so they are those of a training.
        """
        features = self.features
        self.model.train()
        with torch.no_grad(), self._kept_statistics():
            return self._get_loss(features).item()

    @contextmanager
    def _kept_statistics(self) -> Iterator[None]:
        statistics = [(buffer, buffer.clone()) for buffer in self.model.buffers()]
        yield
        for buffer, before in statistics:
            buffer.copy_(before)

    def _get_loss(self, features: tuple[Tensor, ...]) -> Tensor:
        """The loss of the keypoint branch of a model in training mode."""
        keypoints = self.given('gt_keypoints').float()
        people = InstanceData(
            bboxes=self.given('gt_boxes'),
            keypoints=continuous_to_pixel_index(keypoints[..., :2]),
            keypoints_visible=keypoints[..., 2],
        )
        sampled = SimpleNamespace(
            pos_priors=self.given('train_proposals'),
            pos_assigned_gt_inds=self.given('train_gt_index'),
        )
        losses = self.model.roi_head.keypoint_loss(features, [sampled], [people])
        return losses['loss_keypoint']['loss_keypoint']

    @cached_property
    def training_in_float64(self) -> tuple[float, dict[str, float]]:
        """:attr:`training` but for RoIAlign in float64, whatever the CPU's rounding."""
        other = self.afresh()
        other.model = copy.deepcopy(self.model).double()
        other.inputs = self.inputs.double()
        # after RoIAlign, which is always in float32
        other.model.roi_head.keypoint_head.register_forward_pre_hook(
            lambda head, args: (args[0].double(),)
        )
        return other.training
