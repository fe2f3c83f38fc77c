# Copyright (c) onestage_pose contributors.
"""A model, a dataset and a metric so small that a run takes a moment.

All three draw random numbers where real ones do: the data when a picture is
augmented, the model in its forward pass (dropout here, the sampling of RoIs there).
"""

import copy
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, METRICS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

REPOSITORY = Path(__file__).resolve().parents[1]
NUM_KEYPOINTS = 3


@DATASETS.register_module()
class ToyPictures(torch.utils.data.Dataset):
    """Noise with a target each; the metainfo holds numpy arrays as COCO's does."""

    def __init__(self, num_images: int, metric_name: str = 'coco') -> None:
        self.num_images = num_images
        self.metainfo = dict(
            dataset_name=metric_name,
            num_keypoints=NUM_KEYPOINTS,
            sigmas=np.full(NUM_KEYPOINTS, 0.05, dtype=np.float32),
            keypoint_colors=np.full((NUM_KEYPOINTS, 3), 255, dtype=np.uint8),
            skeleton_links=[(0, 1)],
            skeleton_link_colors=np.zeros((1, 3), dtype=np.uint8),
            flip_indices=[0, 2, 1],
        )

    def __len__(self) -> int:
        return self.num_images

    def get_data_info(self, index: int) -> dict:
        # Every third picture is upright, for AspectRatioBatchSampler.
        return dict(width=8 if index % 3 == 0 else 16, height=12)

    def __getitem__(self, index: int) -> dict:
        info = self.get_data_info(index)
        shape = (info['height'], info['width'])
        picture = np.random.RandomState(index).randint(0, 256, (3, *shape))
        if np.random.rand() < 0.5:
            picture = picture[:, :, ::-1].copy()
        sample = PoseDataSample(
            metainfo=dict(
                img_id=index,
                img_path=f'nowhere/{index:03d}.png',
                ori_shape=(24, 2 * shape[1]),
                img_shape=shape,
                target=float(index % 5),
            )
        )
        return dict(
            inputs=torch.from_numpy(picture.astype(np.uint8)), data_samples=sample
        )


@MODELS.register_module()
class ToyModel(BaseModel):
    """A convolution, batch norm, dropout and ``num_outputs`` numbers a picture.

    Training ends the process of rank ``dies_on_rank``, by SIGKILL where it is
    ``killed``, and sends SIGTERM to its parent at call ``sigterm_at``.
    """

    def __init__(
        self,
        num_outputs: int = 1,
        hidden: int = 4,
        dies_on_rank: int | None = None,
        killed: bool = False,
        sigterm_at: int | None = None,
    ) -> None:
        super().__init__()
        self.dies_on_rank = dies_on_rank
        self.killed = killed
        self.sigterm_at = sigterm_at
        self.calls = 0
        self.conv = nn.Conv2d(3, hidden, 3, bias=False)
        self.norm = nn.BatchNorm2d(hidden)
        self.head = nn.Linear(hidden, num_outputs)
        self.register_buffer('table', torch.arange(hidden))

    def forward(
        self,
        inputs: list[torch.Tensor],
        data_samples: list[PoseDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        if mode == 'loss' and get_rank() == self.dies_on_rank:
            if self.killed:
                os.kill(os.getpid(), signal.SIGKILL)
            raise SystemExit(f'the process of rank {get_rank()} dies')
        self.calls += mode == 'loss'
        if self.calls == self.sigterm_at and mode == 'loss' and get_rank() == 0:
            os.kill(os.getppid(), signal.SIGTERM)
        pooled = []
        for picture in inputs:
            features = self.conv(picture[None].float() / 255)
            features = torch.relu(self.norm(features))
            pooled.append(features.mean((2, 3)))
        outputs = self.head(
            nn.functional.dropout(torch.cat(pooled), 0.5, mode == 'loss')
        )
        if mode == 'loss':
            targets = outputs.new_tensor([sample.target for sample in data_samples])
            return dict(loss=((outputs.mean(1) - targets) ** 2).mean())
        for sample, output in zip(data_samples, outputs):
            keypoints = np.array([[[4, 4], [20, 4], [12, 20]]], dtype=np.float32)
            sample.pred_instances = InstanceData(
                keypoints=keypoints,
                keypoint_scores=np.ones((1, NUM_KEYPOINTS), dtype=np.float32),
                bboxes=np.array([[2, 2, 22, 22]], dtype=np.float32),
                bbox_scores=np.ones(1, dtype=np.float32),
            )
            sample.set_metainfo(dict(output=float(output.mean())))
        return data_samples


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Counts the pictures and measures how near the outputs come."""

    default_prefix = 'coco'

    def process(self, data_batch: dict, data_samples: list[dict]) -> None:
        for sample in data_samples:
            self.results.append(abs(sample['output'] - sample['target']))

    def compute_metrics(self, results: list[float]) -> dict:
        return dict(AP=1 / (1 + float(np.mean(results))), pictures=len(results))


def write_config(folder: Path, **changes: Any) -> Path:
    """Writes ``folder/toy.py``: this project's runtime around the toys.

    Args:
        folder: Where the config goes; its ``work_dir`` is ``folder/work``.
        changes: Dotted names, with ``__`` for the dots, and their values.
    """
    cfg = Config.fromfile(REPOSITORY / 'configs/_base_/default_runtime.py')
    loader = dict(batch_size=2, num_workers=0)
    shuffled = dict(type='DefaultSampler', shuffle=True)
    in_order = dict(type='DefaultSampler', shuffle=False)
    evaluation = dict(
        loader, sampler=in_order, dataset=dict(type='ToyPictures', num_images=5)
    )
    cfg.merge_from_dict(
        dict(
            custom_imports=dict(
                imports=['onestage_pose', 'tests.toy_pose'], allow_failed_imports=False
            ),
            work_dir=str(folder / 'work'),
            model=dict(type='ToyModel'),
            train_dataloader=dict(
                loader, sampler=shuffled, dataset=dict(type='ToyPictures', num_images=6)
            ),
            val_dataloader=evaluation,
            test_dataloader=evaluation,
            val_evaluator=dict(type='ToyMetric'),
            test_evaluator=dict(type='ToyMetric'),
            train_cfg=dict(by_epoch=True, max_epochs=2, val_interval=1),
            log_processor=dict(by_epoch=True),
            default_hooks=dict(checkpoint=dict(by_epoch=True, interval=1)),
            val_cfg=dict(),
            test_cfg=dict(),
            optim_wrapper=dict(
                type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9)
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=4),
                dict(type='MultiStepLR', by_epoch=False, milestones=[5]),
            ],
            auto_scale_lr=dict(enable=False, base_batch_size=4),
        )
    )
    # Copied, since merging takes `_delete_` out of what it is given.
    changes = copy.deepcopy(changes)
    cfg.merge_from_dict({key.replace('__', '.'): v for key, v in changes.items()})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'toy.py'
    cfg.dump(path)
    return path
