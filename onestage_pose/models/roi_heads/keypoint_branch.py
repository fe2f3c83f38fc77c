# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from mmcv.ops import batched_nms
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi, scale_boxes
from mmengine.structures import InstanceData
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor, nn

from ...structures.coordinates import (
    continuous_to_pixel_index,
    pixel_index_to_continuous,
)


class KeypointBranchMixin:
    """A keypoint branch for any RoI head of mmdet.

    To the head it is mixed into, what mmdet's mask branch is: it takes the
    positives of the box branch in training and the detections in testing.

    Keypoints outside this class are in COCO's pixel-index convention (the
    centre of the first pixel is 0), inside in continuous coordinates (its
    centre is 0.5), in which boxes always are; Detectron2 shifts by the same
    half pixel when it reads and writes annotations.

    Args:
        keypoint_roi_extractor (dict): RoI extractor; its ``featmap_strides``
            choose the levels, ``[4]`` being P2 alone.
        keypoint_head (dict): Keypoint head.
        codec (dict): Keypoint codec, from mmpose's ``KEYPOINT_CODECS``.
        loss_keypoint (dict): Classification loss over the bins, averaged over
            the keypoints that count in the batch.
        box_scale (float): How much wider and higher than the box the region is
            that the branch sees, about the same centre; 1.3 in arXiv
            2301.04842. It is not clipped to the picture.
        box_jitter (float): In pictures that train the keypoint branch alone, how
            far the sides of a proposal are from the annotated ones, at most, as a
            fraction of the box.
        **kwargs: What the RoI head takes.
    """

    def __init__(
        self,
        *,
        keypoint_roi_extractor: dict,
        keypoint_head: dict,
        codec: dict = dict(type='RoIHeatmap'),  # noqa: B006
        loss_keypoint: dict = dict(type='CrossEntropyLoss', loss_weight=1.0),  # noqa: B006
        box_scale: float = 1.0,
        box_jitter: float = 0.1,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if box_scale <= 0:
            raise ValueError(
                f'{type(self).__name__}: box_scale={box_scale} must be positive.'
            )
        self.keypoint_roi_extractor = MODELS.build(keypoint_roi_extractor)
        self.keypoint_head = MODELS.build(keypoint_head)
        self.codec = KEYPOINT_CODECS.build({'_scope_': 'mmpose', **codec})
        self._check_sigmas()
        self.loss_keypoint = MODELS.build(loss_keypoint)
        self.box_scale = box_scale
        self.box_jitter = box_jitter

    def _check_sigmas(self) -> None:
        """Refuse what only the first evaluation would notice."""
        modes = [
            getattr(self.codec, f'{name}_mode', None) for name in ('decode', 'score')
        ]
        if 'expected_oks' in modes and len(self.codec.sigmas) != self.num_keypoints:
            raise ValueError(
                f'model.roi_head.codec.sigmas: needed for the {self.num_keypoints} '
                f"keypoints of the keypoint head, got {len(self.codec.sigmas)} (COCO's "
                "17 by default); decode_mode and score_mode 'expected_oks' need them."
            )

    @property
    def num_keypoints(self) -> int:
        """int: Keypoints K of a person."""
        return self.keypoint_head.num_keypoints

    @property
    def num_classes(self) -> int:
        """int: Categories that the box branch tells apart."""
        heads = self.bbox_head
        return (heads[-1] if isinstance(heads, nn.ModuleList) else heads).num_classes

    def sample_proposals(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_gt_instances: list[InstanceData],
        batch_gt_instances_ignore: list[InstanceData],
        assigner,
        sampler,
    ) -> list[SamplingResult]:
        """Assign the proposals of each picture to its people and sample some.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData | None]): Proposals ``bboxes`` of
                each picture; left unchanged. For None, boxes about the people.
            batch_gt_instances (list[InstanceData]): ``bboxes`` and ``labels``.
            batch_gt_instances_ignore (list[InstanceData]): Regions to ignore.
            assigner: mmdet's, such as ``MaxIoUAssigner``.
            sampler: mmdet's, such as ``RandomSampler``.

        Returns:
            list[SamplingResult]: One for each picture.
        """
        results = []
        for i, rpn_results in enumerate(rpn_results_list):
            if rpn_results is None:
                proposals = self._boxes_about(batch_gt_instances[i])
            else:
                proposals = rpn_results.new()
                proposals.priors = proposals.pop('bboxes')
            assigned = assigner.assign(
                proposals, batch_gt_instances[i], batch_gt_instances_ignore[i]
            )
            results.append(
                sampler.sample(
                    assigned,
                    proposals,
                    batch_gt_instances[i],
                    feats=[feat[i][None] for feat in x],
                )
            )
        return results

    def _boxes_about(self, gt: InstanceData) -> InstanceData:
        """Proposals for people who are not looked for: near their boxes."""
        boxes = gt.bboxes
        size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
        moved = boxes + size * self.box_jitter * (2 * torch.rand_like(boxes) - 1)
        return InstanceData(priors=moved, scores=boxes.new_ones(len(boxes)))

    def enlarge(self, boxes: Tensor) -> Tensor:
        """Widen boxes (N, 4) about their centres by ``box_scale``.

        The order of the operations is that of the released program: the last
        digit of a corner decides the sign of an activation here and there.
        """
        grow = (boxes[:, 2:] - boxes[:, :2]) * ((self.box_scale - 1) / 2)
        return torch.cat((boxes[:, :2] - grow, boxes[:, 2:] + grow), -1)

    def _keypoint_forward(self, x: tuple[Tensor, ...], boxes: list[Tensor]):
        """Logits for the (enlarged) boxes of each picture.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            boxes (list[Tensor]): (N_i, 4) of each picture, the network input's
                frame.

        Returns:
            KeypointOutput: Of all pictures' people in turn.
        """
        extractor = self.keypoint_roi_extractor
        feats = extractor(x[: extractor.num_inputs], bbox2roi(boxes))
        return self.keypoint_head(feats)

    def keypoint_loss(
        self,
        x: tuple[Tensor, ...],
        sampling_results: list[SamplingResult],
        batch_gt_instances: list[InstanceData],
    ) -> dict:
        """Loss of the keypoint branch.

        Positive proposals train it that hold, before they are enlarged, at
        least one labelled keypoint of their person.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            sampling_results (list[SamplingResult]): Of each picture.
            batch_gt_instances (list[InstanceData]): Of each picture, with
                ``keypoints`` (N, K, 2) and ``keypoints_visible`` (N, K).

        Returns:
            dict: ``loss_keypoint``, a dict of the loss. It is 0 with a gradient
            to every parameter where nothing counts, so that processes agree on
            what takes part.

        Raises:
            ValueError: If the people's number of keypoints is not the head's, or
                the head's logits are not of the codec's size.
        """
        boxes, keypoints, visible = [], [], []
        for sampled, gt in zip(sampling_results, batch_gt_instances):
            self._check_annotation(gt)
            matched = sampled.pos_assigned_gt_inds
            points = pixel_index_to_continuous(gt.keypoints[matched])
            labelled = gt.keypoints_visible[matched] > 0
            priors = sampled.pos_priors
            inside = (points >= priors[:, None, :2]) & (points <= priors[:, None, 2:])
            useful = (inside.all(-1) & labelled).any(-1)
            boxes.append(self.enlarge(priors[useful]))
            keypoints.append(points[useful])
            visible.append(labelled[useful])

        target = self.codec.encode(
            torch.cat(keypoints), torch.cat(visible), boxes=torch.cat(boxes)
        )
        counts = target['keypoint_weights'] > 0
        if not counts.any():
            loss = no_loss(self.keypoint_head, x)
            return dict(loss_keypoint=dict(loss_keypoint=loss))
        output = self._keypoint_forward(x, boxes)
        self.codec.check_size(output.logits)
        loss = self.loss_keypoint(
            output.logits.flatten(2)[counts].float(), target['keypoint_labels'][counts]
        )
        return dict(loss_keypoint=dict(loss_keypoint=loss))

    def _check_annotation(self, gt: InstanceData) -> None:
        """Refuse people of another skeleton than the head's."""
        if 'keypoints' not in gt or 'keypoints_visible' not in gt:
            raise ValueError(
                f'{type(self).__name__}: the annotations lack keypoints or '
                f'keypoints_visible: end the pipeline with PackKeypointRCNNInputs.'
            )
        if gt.keypoints.shape[1] != self.num_keypoints:
            raise ValueError(
                f'{type(self).__name__}: the annotations have '
                f'{gt.keypoints.shape[1]} keypoints, the keypoint head '
                f'{self.num_keypoints}: set num_keypoints of '
                f'model.roi_head.keypoint_head to that of the data set.'
            )

    def predict(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list,
        rescale: bool = False,
        flipped: tuple | None = None,
    ) -> list[InstanceData]:
        """Detect people and their keypoints.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData]): Proposals of each picture.
            batch_data_samples (list): Data samples with the pictures' metainfo.
            rescale (bool): Whether the results are in the original picture's
                frame, otherwise in the network input's.
            flipped (tuple, optional): Feature maps and proposals of the
                mirrored pictures. Boxes of both are pooled and suppressed
                together, logits averaged.

        Returns:
            list[InstanceData]: For each picture ``bboxes`` (N, 4), ``scores``
            (N,), ``labels`` (N,), ``keypoints`` (N, K, 2), ``keypoint_scores``
            (N, K), ``keypoint_logits`` (N, K, H, W) and with a mask branch
            ``masks``.
        """
        metas = [sample.metainfo for sample in batch_data_samples]
        # RoIs are pooled in float32: once for all branches
        x = tuple(feat.float() for feat in x)
        results = self.predict_bbox(
            x, metas, rpn_results_list, rcnn_test_cfg=self.test_cfg, rescale=False
        )
        if flipped is not None:
            flipped_x, flipped_rpn_results = flipped
            flipped_x = tuple(feat.float() for feat in flipped_x)
            others = self.predict_bbox(
                flipped_x,
                metas,
                flipped_rpn_results,
                rcnn_test_cfg=self.test_cfg,
                rescale=False,
            )
            results = [
                self._merge_flipped(*each) for each in zip(results, others, metas)
            ]
        results = self.predict_keypoint(
            x,
            metas,
            results,
            rescale=rescale,
            flipped_x=None if flipped is None else flipped_x,
        )
        if self.with_mask:
            # rescales the boxes along with the masks
            return self.predict_mask(x, metas, results, rescale=rescale)
        if rescale:
            for result, meta in zip(results, metas):
                result.bboxes = scale_boxes(
                    result.bboxes, [1 / s for s in meta['scale_factor']]
                )
        return results

    def _merge_flipped(
        self, result: InstanceData, other: InstanceData, meta: dict
    ) -> InstanceData:
        """Suppress the detections of a picture and its mirror image together."""
        other.bboxes = mirror_boxes(other.bboxes, meta['img_shape'][1])
        both = InstanceData.cat([result, other])
        if not len(both):
            return both
        dets, keep = batched_nms(
            both.bboxes, both.scores, both.labels, self.test_cfg.nms
        )
        if self.test_cfg.max_per_img > 0:
            keep = keep[: self.test_cfg.max_per_img]
        both = both[keep]
        both.scores = dets[: len(keep), -1]
        return both

    def predict_keypoint(
        self,
        x: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        results_list: list[InstanceData],
        rescale: bool = False,
        flipped_x: tuple[Tensor, ...] | None = None,
    ) -> list[InstanceData]:
        """Add keypoints to the people detected.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            batch_img_metas (list[dict]): Metainfo of each picture.
            results_list (list[InstanceData]): ``bboxes`` (N, 4) of each
                picture in the network input's frame; left as they are.
            rescale (bool): Whether the keypoints are in the original picture's
                frame.
            flipped_x (tuple[Tensor], optional): Maps of the mirrored pictures.

        Returns:
            list[InstanceData]: The same with ``keypoints``,
            ``keypoint_scores`` and ``keypoint_logits``.
        """
        num_people = [len(result) for result in results_list]
        boxes = [self.enlarge(result.bboxes) for result in results_list]
        logits = self._keypoint_forward(x, boxes).logits.float()
        if flipped_x is not None:
            mirrored = [
                mirror_boxes(box, meta['img_shape'][1])
                for box, meta in zip(boxes, batch_img_metas)
            ]
            other = self._keypoint_forward(flipped_x, mirrored).logits.float()
            flip_indices = batch_img_metas[0]['flip_indices']
            logits = (logits + other[:, flip_indices].flip(-1)) / 2
        keypoints, scores = self.codec.decode(logits, torch.cat(boxes))
        for result, meta, points, score, logit in zip(
            results_list,
            batch_img_metas,
            keypoints.split(num_people),
            scores.split(num_people),
            logits.split(num_people),
        ):
            if rescale:
                points = points / points.new_tensor(meta['scale_factor'])
            result.keypoints = continuous_to_pixel_index(points)
            result.keypoint_scores = score
            result.keypoint_logits = logit
        return results_list

    def forward(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list | None = None,
    ) -> tuple:
        """Raw outputs of all branches, for tracing and counting operations.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData]): Proposals of each picture.
            batch_data_samples (list, optional): Data samples.

        Returns:
            tuple: What the base head returns, then the logits of at most 100
            proposals of each picture.
        """
        results = super().forward(x, rpn_results_list, batch_data_samples)
        boxes = [self.enlarge(r.bboxes[:100]) for r in rpn_results_list]
        return (*results, self._keypoint_forward(x, boxes).logits)


def indices_of_complete(batch_data_samples: list) -> list[int]:
    """Which pictures train all branches: those not marked ``keypoints_only``."""
    return [
        i
        for i, sample in enumerate(batch_data_samples)
        if not sample.metainfo.get('keypoints_only', False)
    ]


def no_loss(module: nn.Module, x: tuple[Tensor, ...]) -> Tensor:
    """0 with a gradient, for all parameters of ``module`` and the feature maps ``x``.

    Processes that train together must agree on what takes part in a step.
    """
    return 0 * sum(t.sum() for t in (*module.parameters(), *x))


def mirror_boxes(boxes: Tensor, width: int) -> Tensor:
    """Boxes (N, 4) of a picture of ``width`` px in its mirror image."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((width - x2, y1, width - x1, y2), -1)
