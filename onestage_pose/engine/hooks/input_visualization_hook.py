# Copyright (c) onestage_pose contributors.
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from typing import Any

import mmcv
import mmengine
import numpy as np
from mmengine import fileio
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample, merge_data_samples
from torch import Tensor

from ...utils.arguments import Share, check_arguments
from ...visualization.pose_visualizer import PoseVisualizer


@HOOKS.register_module()
class InputVisualizationHook(PoseVisualizationHook):
    """Draw evaluated images; mmpose's hook, also for images without a file.

    If ``img_path`` is a file, that image is drawn on; otherwise the network's input
    before normalisation, scaled back to the original size. File names and folders are
    mmpose's (``--show-dir DIR`` ends in ``WORK_DIR/TIMESTAMP/DIR`` unless ``DIR`` is
    absolute), and ``interval`` counts images in testing too.

    The ground truth, if the sample has it (``raw_ann_info``), is drawn to the left of
    the prediction. A :class:`PoseVisualizer` also draws the scores of predicted people.

    Args:
        *args: See mmpose's ``PoseVisualizationHook``.
        **kwargs: Likewise.
        bbox_thr (float): Draw people whose score is over this.
        draw_gt (bool): Draw the ground truth beside the prediction.
    """

    @check_arguments
    def __init__(
        self, *args: Any, bbox_thr: Share = 0.3, draw_gt: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.bbox_thr = bbox_thr
        self.draw_gt = draw_gt

    def before_run(self, runner: Runner) -> None:
        """Reset the count of uses of each file name."""
        self._drawn: Counter = Counter()

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[PoseDataSample],
    ) -> None:
        """Draw the first image of every ``interval``-th batch."""
        step = runner.iter + batch_idx
        if not self.enable or step % self.interval:
            return
        self._visualizer.set_dataset_meta(runner.val_evaluator.dataset_meta)
        out_file = self._out_file(runner, outputs[0])
        self._draw('val_img', data_batch['inputs'][0], outputs[0], step, out_file)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[PoseDataSample],
    ) -> None:
        """Draw every ``interval``-th image."""
        if not self.enable:
            return
        self._visualizer.set_dataset_meta(runner.test_evaluator.dataset_meta)
        for network_input, sample in zip(data_batch['inputs'], outputs):
            self._test_index += 1
            if self._test_index % self.interval:
                continue
            out_file = self._out_file(runner, sample)
            self._draw('test_img', network_input, sample, self._test_index, out_file)

    def _draw(
        self,
        name: str,
        network_input: Tensor,
        sample: PoseDataSample,
        step: int,
        out_file: str | None,
    ) -> None:
        if 'input_center' in sample:
            # Of a top-down model: brings its heatmaps into image coordinates.
            sample = merge_data_samples([sample])
        image = self._get_image(network_input, sample)
        sample = _over_threshold(sample, self.bbox_thr)
        truth = _true_people(sample) if self.draw_gt else None
        if truth is not None:
            sample.gt_instances = truth
        options = {}
        if isinstance(self._visualizer, PoseVisualizer):
            options['draw_scores'] = True
        self._visualizer.add_datasample(
            osp.basename(sample.get('img_path') or name) if self.show else name,
            image,
            data_sample=sample,
            draw_gt=truth is not None,
            draw_bbox=True,
            draw_heatmap=True,
            show=self.show,
            wait_time=self.wait_time,
            kpt_thr=self.kpt_thr,
            out_file=out_file,
            step=step,
            **options,
        )

    def _get_image(self, network_input: Tensor, sample: PoseDataSample) -> np.ndarray:
        """Return the original image, (h, w, 3) uint8 RGB."""
        path = sample.get('img_path')
        if path and fileio.exists(path, backend_args=self.backend_args):
            content = fileio.get(path, backend_args=self.backend_args)
            return mmcv.imfrombytes(content, channel_order='rgb')
        # (3, h, w) BGR
        image = network_input.permute(1, 2, 0).cpu().numpy()[..., ::-1]
        height, width = sample.ori_shape
        image = mmcv.imresize(np.ascontiguousarray(image), (width, height))
        return np.clip(np.rint(image), 0, 255).astype(np.uint8)

    def _out_file(self, runner: Runner, sample: PoseDataSample) -> str | None:
        if self.out_dir is None:
            return None
        folder = osp.join(runner.work_dir, runner.timestamp, self.out_dir)
        mmengine.mkdir_or_exist(folder)
        path = sample.get('img_path') or f'{sample.get("img_id", self._test_index)}.png'
        stem, extension = osp.splitext(osp.basename(path))
        # Images of two folders may have one name.
        number = self._drawn[stem]
        self._drawn[stem] += 1
        return osp.join(folder, f'{stem}_{number}{extension or ".png"}')


def _over_threshold(sample: PoseDataSample, threshold: float) -> PoseDataSample:
    """Return a copy that has the people to be drawn; those without a score stay."""
    kept = sample.new()
    people = sample.get('pred_instances')
    if people is not None and 'bbox_scores' in people:
        kept.pred_instances = people[np.asarray(people.bbox_scores) > threshold]
    return kept


def _true_people(sample: PoseDataSample) -> InstanceData | None:
    """Return the annotated people in the frame of the original, None where unknown.

    ``gt_instances`` of a sample may be in the frame of the network's input.
    """
    records = sample.get('raw_ann_info')
    if not isinstance(records, Sequence):
        return None
    records = [record for record in records if 'keypoints' in record]
    boxes = np.array([record['bbox'] for record in records], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    points = [record['keypoints'] for record in records]
    number = len(points[0]) // 3 if points else 0
    points = np.array(points, np.float32).reshape(len(records), number, 3)
    visible = (points[..., 2] > 0).astype(np.float32)
    return InstanceData(
        bboxes=boxes,
        keypoints=points[..., :2],
        keypoints_visible=visible,
        keypoint_scores=visible,
    )
