# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from mmdet.models.backbones import ResNet
from mmdet.models.dense_heads import AnchorHead
from mmdet.models.detectors import TwoStageDetector
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.registry import MODELS
from mmengine.structures import InstanceData, PixelData
from mmengine.utils import apply_to
from mmpose.evaluation.functional import oks_nms, soft_oks_nms
from mmpose.evaluation.functional.nms import oks_iou
from torch import Tensor, nn

from ...ops import log_backend
from ...utils.errors import ConfigValueError
from ...utils.mixed_precision import can_autocast
from ...visualization import paste_heatmaps
from ..layers import WinogradConv2d, fold_norms
from ..roi_heads.keypoint_branch import indices_of_complete, no_loss


@MODELS.register_module()
class KeypointRCNN(TwoStageDetector):
    """Keypoint R-CNN: Mask R-CNN (arXiv 1703.06870) with a keypoint branch.

    Which Keypoint R-CNN it is, the RoI head says: Detectron2's, or with
    :class:`GCMKeypointHead`, P2 alone and enlarged boxes the one-stage method
    of arXiv 2301.04842.

    Args:
        backbone (dict): Backbone, mmdet's.
        neck (dict): Neck, mmdet's.
        rpn_head (dict): Region proposal network, mmdet's.
        roi_head (dict): :class:`KeypointRoIHead` or
            :class:`CascadeKeypointRoIHead`.
        train_cfg (dict, optional): ``rpn``, ``rpn_proposal`` and ``rcnn`` as in
            mmdet.
        test_cfg (dict): ``rpn`` and ``rcnn`` as in mmdet, and for what follows
            the network

            - ``flip_test`` (bool): also look at the mirrored picture; boxes
              are suppressed together, keypoint logits averaged. Default False.
            - ``rescore_thr`` (float): multiply a person's score by the mean
              score of the keypoints above this; 0 where none is. Default None,
              the score is the box's.
            - ``pose_nms`` (dict): suppress people by object keypoint similarity
              (OKS): ``type``, ``'oks_nms'`` or ``'soft_oks_nms'``, ``thr``, and
              ``sigmas`` for other skeletons than COCO's 17. The soft one keeps
              everybody and multiplies a score by ``exp(-OKS^2 / thr)`` for each
              better person (Soft-NMS, arXiv 1704.04503). Default None.
            - ``output_heatmaps`` (bool): give ``pred_fields.heatmaps`` for
              drawing. Default False.
            - ``winograd`` (bool): predict with Winograd's algorithm in the larger
              3x3 convolutions, see :class:`WinogradConv2d`. By default on a CPU
              with AVX2 or AVX-512, where it has been measured to be the faster.
            - ``amp_dtype`` (str): predict in mixed precision, ``'bfloat16'`` or
              ``'float16'``; boxes and keypoints are computed in float32 still. A
              CPU that cannot predicts in float32, and says so. Default None.
        data_preprocessor (dict, optional): mmdet's ``DetDataPreprocessor``.
        init_cfg (dict, optional): Initialisation.

    Raises:
        ConfigValueError: On an unknown key in ``test_cfg`` or ``pose_nms``, or where
            ``sigmas`` are not those of the head's keypoints.
    """

    TEST_KEYS = frozenset(
        (
            'rpn',
            'rcnn',
            'flip_test',
            'rescore_thr',
            'pose_nms',
            'output_heatmaps',
            'winograd',
            'amp_dtype',
        )
    )
    TARGET_KEYS = frozenset(('bboxes', 'labels', 'keypoints', 'keypoints_visible'))
    AMP_DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}
    POSE_NMS = ('oks_nms', 'soft_oks_nms')

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        rpn_head: dict,
        roi_head: dict,
        test_cfg: dict,
        train_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        self._check_test_cfg(test_cfg)
        super().__init__(
            backbone=backbone,
            neck=neck,
            rpn_head=rpn_head,
            roi_head=roi_head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        self._check_sigmas(test_cfg.get('pose_nms'))
        for module in self.modules():
            # mmdet computes anchors and boxes in the dtype of these outputs:
            # bfloat16 moves a corner at 1000 px by up to 4 px
            if isinstance(module, (AnchorHead, BBoxHead)):
                module.register_forward_hook(give_float32)
        winograd = test_cfg.get('winograd')
        if winograd is None:
            winograd = torch.backends.cpu.get_cpu_capability() in ('AVX2', 'AVX512')
        if winograd:
            WinogradConv2d.convert(self)
        if isinstance(self.backbone, ResNet):
            fold_norms(self.backbone)
        log_backend()

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of pictures (B, 3, H, W), each (B, C, h, w).

        On a CPU with the channels last in memory where nothing is learned, which
        convolutions keep up and are the faster for; the gradient of a 3x3 kernel is
        several times as slow with them.
        """
        if batch_inputs.device.type == 'cpu' and not torch.is_grad_enabled():
            batch_inputs = batch_inputs.contiguous(memory_format=torch.channels_last)
        return super().extract_feat(batch_inputs)

    def _check_test_cfg(self, test_cfg: dict) -> None:
        """Refuse what nothing would read."""
        unknown = set(test_cfg) - self.TEST_KEYS
        if unknown:
            raise ConfigValueError(
                f'model.test_cfg has unknown keys {sorted(unknown)}: known are '
                f'{sorted(self.TEST_KEYS)}.'
            )
        for name in ('flip_test', 'output_heatmaps', 'winograd'):
            if test_cfg.get(name) not in (None, False, True):
                raise ConfigValueError(
                    f'model.test_cfg.{name}={test_cfg[name]!r}: give True or False.'
                )
        amp_dtype = test_cfg.get('amp_dtype')
        if amp_dtype is not None and amp_dtype not in list(self.AMP_DTYPES):
            raise ConfigValueError(
                f'model.test_cfg.amp_dtype={amp_dtype!r} is unknown, use one of '
                f'{sorted(self.AMP_DTYPES)} or None.'
            )
        pose_nms = test_cfg.get('pose_nms')
        if pose_nms is None:
            return
        if pose_nms.get('type') not in self.POSE_NMS:
            raise ConfigValueError(
                f'model.test_cfg.pose_nms.type={pose_nms.get("type")!r} is '
                f'unknown, use one of {sorted(self.POSE_NMS)}.'
            )
        unknown = set(pose_nms) - {'type', 'thr', 'sigmas'}
        if unknown or 'thr' not in pose_nms:
            raise ConfigValueError(
                f'model.test_cfg.pose_nms takes type, thr and sigmas, got '
                f'{sorted(pose_nms)}.'
            )

    def _check_sigmas(self, pose_nms: dict | None) -> None:
        """Refuse OKS of a skeleton whose sigmas are not known."""
        if pose_nms is None:
            return
        sigmas, expected = pose_nms.get('sigmas'), self.roi_head.num_keypoints
        given = 17 if sigmas is None else len(sigmas)
        if given != expected:
            known = "by default COCO's 17" if sigmas is None else f'got {given}'
            raise ConfigValueError(
                f'model.test_cfg.pose_nms.sigmas: needed for the {expected} keypoints '
                f'of the keypoint head, {known}.'
            )

    def loss(self, batch_inputs: Tensor, batch_data_samples: list) -> dict:
        """Losses of all parts.

        A picture whose metainfo says ``keypoints_only`` trains the keypoint branch
        and what feeds it, in boxes about those annotated; neither the RPN nor the
        box branch learns from it that there is nobody elsewhere.

        Args:
            batch_inputs (Tensor): Normalised pictures (B, 3, H, W).
            batch_data_samples (list[PoseDataSample]): With
                ``gt_instance_labels`` in the network input's frame: ``bboxes``
                (N, 4), ``labels`` (N,), ``keypoints`` (N, K, 2) in pixel-index
                convention, ``keypoints_visible`` (N, K) and with a mask branch
                ``masks``.

        Returns:
            dict: Losses by name.

        Raises:
            ValueError: If the targets of a picture lack a key.
        """
        for sample in batch_data_samples:
            targets = sample.get('gt_instance_labels', InstanceData())
            missing = self.TARGET_KEYS - set(targets.keys())
            if missing:
                raise ValueError(
                    f'{sample.get("img_path")}: gt_instance_labels lack '
                    f'{sorted(missing)}: end the training pipeline with '
                    f'PackKeypointRCNNInputs, and resize with image_only=False.'
                )
            # mmdet's heads read their targets here, mmpose's annotations in
            # numpy have served by now
            sample.gt_instances = targets
        complete = indices_of_complete(batch_data_samples)
        if len(complete) == len(batch_data_samples):
            return super().loss(batch_inputs, batch_data_samples)
        x = self.extract_feat(batch_inputs)
        proposals = [None] * len(batch_data_samples)
        if complete:
            samples = copy.deepcopy([batch_data_samples[i] for i in complete])
            for sample in samples:
                # the RPN knows one class
                sample.gt_instances.labels.zero_()
            rpn_losses, found = self.rpn_head.loss_and_predict(
                tuple(feat[complete] for feat in x),
                samples,
                proposal_cfg=self.train_cfg.get('rpn_proposal', self.test_cfg.rpn),
            )
            losses = {
                name if 'rpn' in name else f'rpn_{name}': loss
                for name, loss in rpn_losses.items()
            }
            for i, results in zip(complete, found):
                proposals[i] = results
        else:
            losses = dict(loss_rpn_cls=no_loss(self.rpn_head, x))
        losses.update(self.roi_head.loss(x, proposals, batch_data_samples))
        return losses

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: list,
        rescale: bool = True,
    ) -> list:
        """Detect people and their keypoints.

        Args:
            batch_inputs (Tensor): Normalised pictures (B, 3, H, W).
            batch_data_samples (list[PoseDataSample]): With metainfo.
            rescale (bool): Whether the results are in the original picture's
                frame, otherwise in the network input's.

        Returns:
            list[PoseDataSample]: The same with ``pred_instances``, see
            :meth:`add_pred_to_datasample`.
        """
        with self.autocast(batch_inputs.device.type):
            x = self.extract_feat(batch_inputs)
            proposals = self.rpn_head.predict(x, batch_data_samples, rescale=False)
            flipped = None
            if self.test_cfg.get('flip_test'):
                mirrored = self.mirror(batch_inputs, batch_data_samples)
                flipped_x = self.extract_feat(mirrored)
                flipped = (
                    flipped_x,
                    self.rpn_head.predict(flipped_x, batch_data_samples, rescale=False),
                )
            results = self.roi_head.predict(
                x, proposals, batch_data_samples, rescale=rescale, flipped=flipped
            )
        return self.add_pred_to_datasample(batch_data_samples, results, rescale=rescale)

    def autocast(self, device_type: str) -> AbstractContextManager:
        """The mixed precision that ``test_cfg.amp_dtype`` asks for."""
        dtype = self.AMP_DTYPES.get(self.test_cfg.get('amp_dtype'))
        if dtype is None or not can_autocast(device_type, dtype, 'predicts'):
            return nullcontext()
        return torch.autocast(device_type, dtype)

    @staticmethod
    def mirror(batch_inputs: Tensor, batch_data_samples: list) -> Tensor:
        """Mirror each picture within its own width; padding stays right."""
        mirrored = batch_inputs.clone()
        for image, sample in zip(mirrored, batch_data_samples):
            width = sample.metainfo['img_shape'][1]
            image[..., :width] = image[..., :width].flip(-1)
        return mirrored

    def add_pred_to_datasample(
        self,
        data_samples: list,
        results_list: list[InstanceData],
        rescale: bool = True,
    ) -> list:
        """Post-process the results and store them the way mmpose does.

        Args:
            data_samples (list[PoseDataSample]): One for each picture.
            results_list (list[InstanceData]): What the RoI head predicts.
            rescale (bool): Whether they are in the original picture's frame.

        Returns:
            list[PoseDataSample]: With ``pred_instances`` of numpy arrays:
            ``bboxes`` (N, 4), ``bbox_scores`` (N,), ``keypoints`` (N, K, 2) in
            pixel-index convention, ``keypoint_scores`` (N, K) and the same as
            ``keypoints_visible``, ``labels`` (N,) where there is more than one
            class, ``masks`` where there is a mask branch; and
            ``pred_fields.heatmaps`` (K, H, W) on demand.
        """
        for sample, result in zip(data_samples, results_list):
            result = self.postprocess(result)
            if self.test_cfg.get('output_heatmaps'):
                meta = sample.metainfo
                size = meta['ori_shape'] if rescale else meta['img_shape']
                sample.pred_fields = PixelData(
                    heatmaps=paste_heatmaps(
                        result.keypoint_logits,
                        self.roi_head.enlarge(result.bboxes),
                        size[:2],
                    )
                )
            pred = InstanceData(
                bboxes=result.bboxes,
                bbox_scores=result.scores,
                keypoints=result.keypoints,
                keypoint_scores=result.keypoint_scores,
                # as mmpose's estimators do where no visibility is predicted; what
                # its visualizer compares to kpt_thr
                keypoints_visible=result.keypoint_scores,
            )
            if self.roi_head.num_classes > 1:
                pred.labels = result.labels
            if 'masks' in result:
                pred.masks = result.masks
            sample.pred_instances = pred.numpy()
        return data_samples

    def postprocess(self, result: InstanceData) -> InstanceData:
        """Rescore and suppress people by their poses, as ``test_cfg`` says.

        Args:
            result (InstanceData): People of one picture.

        Returns:
            InstanceData: Those left, by falling score.
        """
        rescore_thr = self.test_cfg.get('rescore_thr')
        if rescore_thr is not None:
            mean = mean_of_confident(result.keypoint_scores, rescore_thr)
            result.scores = result.scores * mean
            result = result[result.scores.argsort(descending=True)]
        pose_nms = self.test_cfg.get('pose_nms')
        if pose_nms is not None and len(result):
            result = self._pose_nms(result, **pose_nms)
        return result

    def _pose_nms(
        self,
        result: InstanceData,
        type: str,
        thr: float,
        sigmas: list[float] | None = None,
    ) -> InstanceData:
        """Suppress by mmpose's OKS-NMS, which gives indices and leaves scores."""
        sigmas = None if sigmas is None else np.array(sigmas)
        points = torch.cat((result.keypoints, result.keypoint_scores[..., None]), -1)
        points = points.flatten(1).cpu().numpy()
        scores = result.scores.cpu().numpy()
        extent = result.keypoints.amax(1) - result.keypoints.amin(1)
        areas = extent.prod(-1).cpu().numpy()
        people = [
            dict(keypoints=person, score=score, area=area)
            for person, score, area in zip(points, scores, areas)
        ]
        if type == 'oks_nms':
            keep = oks_nms(people, thr, sigmas=sigmas)
        else:
            keep = soft_oks_nms(people, thr, max_dets=len(people), sigmas=sigmas)
            points, areas = points[keep], areas[keep]
            decay = [
                oks_iou(points[i], points[:i], areas[i], areas[:i], sigmas) ** 2
                for i in range(len(keep))
            ]
            scores = scores.copy()
            scores[keep] *= np.exp([-overlap.sum() / thr for overlap in decay])
            result.scores = result.scores.new_tensor(scores)
        return result[torch.as_tensor(np.array(keep), device=result.scores.device)]


def mean_of_confident(keypoint_scores: Tensor, thr: float) -> Tensor:
    """Mean of each person's scores (N, K) above ``thr``, 0 where none is: (N,)."""
    confident = (keypoint_scores > thr).to(keypoint_scores)
    return (keypoint_scores * confident).sum(-1) / confident.sum(-1).clamp(min=1)


def give_float32(module: nn.Module, args: tuple, output: tuple) -> tuple:
    """Forward hook: tensors in ``output``, nested anyhow, as float32."""
    return apply_to(output, torch.is_tensor, torch.Tensor.float)
