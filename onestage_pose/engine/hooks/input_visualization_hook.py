# Copyright (c) onestage_pose contributors.
import os.path as osp
from collections import Counter
from collections.abc import Sequence

import mmcv
import mmengine
import numpy as np
from mmengine import fileio
from mmengine.runner import Runner
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample, merge_data_samples
from torch import Tensor


@HOOKS.register_module()
class InputVisualizationHook(PoseVisualizationHook):
    """mmpose's hook, for images that have no file as well.

    Where ``img_path`` is a file, that file is drawn on; else the network's input,
    before normalisation, scaled back to the size of the original. Arguments, file
    names and folders are mmpose's (``--show-dir DIR`` ends in
    ``WORK_DIR/TIMESTAMP/DIR`` unless ``DIR`` is absolute), and ``interval`` counts
    images in testing too.
    """

    def before_run(self, runner: Runner) -> None:
        """Start to count how often a file name has been used."""
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
        self._visualizer.add_datasample(
            osp.basename(sample.get('img_path') or name) if self.show else name,
            self._get_image(network_input, sample),
            data_sample=sample,
            draw_gt=False,
            draw_bbox=True,
            draw_heatmap=True,
            show=self.show,
            wait_time=self.wait_time,
            kpt_thr=self.kpt_thr,
            out_file=out_file,
            step=step,
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
