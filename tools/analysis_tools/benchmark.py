# Copyright (c) onestage_pose contributors.
"""Times this project's models beside what one would take instead, in one run.

    python tools/analysis_tools/benchmark.py --out-dir work_dirs/benchmark

Weights are random, and the same people are put in the place of those detected, so
that every model has as much to do. The models take turns, repetition by repetition;
medians and the median of each turn's ratio are given, with the quartiles. With
--memory each model is loaded into a process of its own and its peak is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.cli.common import check_writable, positive, run_tool
from onestage_pose.models.layers import RelativePositionAttention
from onestage_pose.models.layers.folded_norm import FoldedNorm, FoldingConv2d
from onestage_pose.utils import get_config_path
from onestage_pose.utils.mixed_precision import can_autocast

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.models.layers import FrozenBatchNorm2d
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

GCM = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'
PLAIN = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'
SIMPLE = 'simple_baseline/td-hm_res50_8xb64-210e_coco-256x192.py'
REFERENCE = 'torchvision'


def make_people(size: tuple[int, int], number: int, seed: int = 0) -> Tensor:
    """Boxes (number, 4) of people in a picture of (height, width) pixels."""
    rng = np.random.default_rng(seed)
    height, width = size
    tall = rng.uniform(0.15, 0.6, number) * height
    wide = tall * rng.uniform(0.3, 0.6, number)
    left = rng.uniform(0, 1, number) * (width - wide)
    top = rng.uniform(0, 1, number) * (height - tall)
    return torch.tensor(np.stack((left, top, left + wide, top + tall), 1)).float()


class Contestant:
    """A model that is timed.

    Args:
        size: Height and width of the picture.
        boxes: (N, 4), whom it takes to be found.
        dtype: float32, or what autocast computes in.
        device: Where.
    """

    def __init__(
        self, size: tuple[int, int], boxes: Tensor, dtype: torch.dtype, device: str
    ) -> None:
        self.size, self.dtype, self.device = size, dtype, device
        self.boxes = boxes.to(device)
        rng = np.random.default_rng(0)
        self.picture = rng.integers(0, 256, (*size, 3), np.uint8)
        self.stages: dict[str, list[float]] = defaultdict(list)
        self.model = self.build().to(device)

    def build(self) -> nn.Module:
        """The model with random weights."""
        raise NotImplementedError

    def run(self, batch: int = 1) -> None:
        """From pictures as arrays to keypoints."""
        raise NotImplementedError

    def loss(self, batch: int) -> Tensor:
        """The sum of all losses of a batch in which everybody is annotated."""
        raise NotImplementedError

    def timed(self, batch: int = 1) -> float:
        """Seconds of :meth:`run`."""
        return self._seconds(lambda: self.run(batch))

    def timed_training(self, batch: int = 2) -> float:
        """Seconds of a forward and a backward pass and a step of SGD."""
        self.model.train()
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(parameters, lr=1e-6, momentum=0.9)

        def step() -> None:
            optimizer.zero_grad()
            with self.autocast():
                loss = self.loss(batch)
            loss.backward()
            optimizer.step()

        return self._seconds(step, grad=True)

    def _seconds(self, work, grad: bool = False) -> float:
        self._synchronise()
        start = time.perf_counter()
        with torch.set_grad_enabled(grad):
            work()
        self._synchronise()
        return time.perf_counter() - start

    def _synchronise(self) -> None:
        if self.device.startswith('cuda'):
            torch.cuda.synchronize()

    def autocast(self):
        """Context in which the model computes in ``dtype``."""
        enabled = self.dtype != torch.float32
        device = self.device.split(':')[0]
        return torch.autocast(device, self.dtype if enabled else None, enabled=enabled)

    def watch(self, owner: object, name: str, stage: str) -> None:
        """Add the seconds of a method to a stage of every run."""
        method = getattr(owner, name)

        def watched(*args, **kwargs):
            self._synchronise()
            start = time.perf_counter()
            result = method(*args, **kwargs)
            self._synchronise()
            self.stages[stage].append(time.perf_counter() - start)
            return result

        object.__setattr__(owner, name, watched)


def tame(model: nn.Module) -> nn.Module:
    """Keep the activations of random residual networks from growing."""
    for name, module in model.named_modules():
        if (
            name.endswith(('bn3', 'norm3'))
            and getattr(module, 'weight', None) is not None
        ):
            module.weight.data.fill_(0.1)
    return model.eval()


class OneStage(Contestant):
    """This project's model of a config."""

    config = GCM

    def build(self) -> nn.Module:
        cfg = Config.fromfile(get_config_path(self.config))
        init_default_scope('mmpose')
        cfg.model.backbone.init_cfg = None
        cfg.model.test_cfg.rcnn.max_per_img = len(self.boxes)
        self.adapt(cfg.model)
        model = MODELS.build(cfg.model)
        model.init_weights()
        self.meta = parse_pose_metainfo(
            dict(from_file='configs/_base_/datasets/coco.py')
        )
        self._put_people(model.roi_head)
        return tame(model)

    def adapt(self, model: dict) -> None:
        """Change the config of the model before it is built."""

    def _put_people(self, roi_head: nn.Module) -> None:
        predict_bbox = roi_head.predict_bbox

        def predict(*args, **kwargs) -> list[InstanceData]:
            results = predict_bbox(*args, **kwargs)
            return [self._people(result) for result in results]

        object.__setattr__(roi_head, 'predict_bbox', predict)

    def _people(self, result: InstanceData) -> InstanceData:
        number = len(self.boxes)
        return InstanceData(
            bboxes=self.boxes.to(result.bboxes),
            scores=result.bboxes.new_ones(number),
            labels=torch.zeros(number, dtype=torch.long, device=self.device),
        )

    def _batch(self, batch: int, labelled: bool = False) -> dict:
        picture = torch.from_numpy(self.picture).permute(2, 0, 1)
        samples = []
        for _ in range(batch):
            sample = PoseDataSample(
                metainfo=dict(
                    img_shape=self.size,
                    ori_shape=self.size,
                    scale_factor=(1.0, 1.0),
                    flip_indices=self.meta['flip_indices'],
                )
            )
            if labelled:
                keypoints = random_keypoints(self.boxes)
                sample.gt_instance_labels = InstanceData(
                    bboxes=self.boxes,
                    labels=torch.zeros(len(self.boxes), dtype=torch.long),
                    keypoints=keypoints,
                    keypoints_visible=torch.ones(keypoints.shape[:2]),
                ).to(self.device)
            samples.append(sample)
        data = dict(inputs=[picture] * batch, data_samples=samples)
        return self.model.data_preprocessor(data, training=labelled)

    def run(self, batch: int = 1) -> None:
        with self.autocast():
            data = self._batch(batch)
            self.model.predict(data['inputs'], data['data_samples'])

    def loss(self, batch: int) -> Tensor:
        data = self._batch(batch, labelled=True)
        losses = self.model.loss(data['inputs'], data['data_samples'])
        return self.model.parse_losses(losses)[0]

    def watch_stages(self) -> None:
        """Tell the parts of a run apart."""
        model, head = self.model, self.model.roi_head
        self.watch(self, '_batch', 'preprocessing')
        self.watch(model, 'extract_feat', 'backbone and neck')
        self.watch(model.rpn_head, 'predict', 'RPN')
        self.watch(head, 'predict_bbox', 'box branch')
        self.watch(head, '_keypoint_forward', 'keypoint branch')
        self.watch(head.codec, 'decode', 'decoding')


class PlainOneStage(OneStage):
    """This project's plain Keypoint R-CNN."""

    config = PLAIN


class SpelledOut(OneStage):
    """The GCM model laid out plainly.

    Attention as a chain of products, convolutions and norms as torch has them, and
    people upsampled and searched one by one.
    """

    def adapt(self, model: dict) -> None:
        model.test_cfg.winograd = False

    def build(self) -> nn.Module:
        model = super().build()
        for module in model.modules():
            if isinstance(module, RelativePositionAttention):
                module.__class__ = SpelledOutAttention
            elif isinstance(module, FoldingConv2d):
                module.__class__ = nn.Conv2d
            elif isinstance(module, FoldedNorm):
                module.__class__ = FrozenBatchNorm2d
        object.__setattr__(model.roi_head.codec, '_bicubic_maximum', one_by_one)
        return model


class SpelledOutAttention(RelativePositionAttention):
    """Content and position logits by themselves, then their sum."""

    def forward(self, x: Tensor) -> Tensor:
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


def one_by_one(logits: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Upsample and search each person's logits; see ``RoIHeatmap``."""
    positions, peaks = [], []
    for person, (width, height) in zip(logits, pixels.tolist()):
        upsampled = F.interpolate(
            person[None], (height, width), mode='bicubic', align_corners=False
        )[0]
        peak, index = upsampled.flatten(1).max(-1)
        place = torch.stack((index % width, index // width), -1) + 0.5
        positions.append(place / place.new_tensor([width, height]))
        peaks.append(peak)
    return torch.stack(positions), torch.stack(peaks)


class Torchvision(Contestant):
    """torchvision's ``keypointrcnn_resnet50_fpn``."""

    def build(self) -> nn.Module:
        from torchvision.models.detection import keypointrcnn_resnet50_fpn

        height, width = self.size
        model = keypointrcnn_resnet50_fpn(
            weights=None,
            weights_backbone=None,
            min_size=min(height, width),
            max_size=max(height, width),
            box_detections_per_img=len(self.boxes),
        )
        heads = model.roi_heads
        postprocess = heads.postprocess_detections

        def with_people(*args):
            boxes, _, _ = postprocess(*args)
            number = len(self.boxes)
            count = len(boxes)
            return (
                [self.boxes] * count,
                [torch.ones(number, device=self.device)] * count,
                [torch.ones(number, dtype=torch.long, device=self.device)] * count,
            )

        heads.postprocess_detections = with_people
        return tame(model)

    def _pictures(self, batch: int) -> list[Tensor]:
        picture = torch.from_numpy(self.picture).permute(2, 0, 1)
        return [(picture.to(self.device).float() / 255)] * batch

    def run(self, batch: int = 1) -> None:
        with self.autocast():
            self.model(self._pictures(batch))

    def loss(self, batch: int) -> Tensor:
        keypoints = random_keypoints(self.boxes)
        target = dict(
            boxes=self.boxes,
            labels=torch.ones(len(self.boxes), dtype=torch.long, device=self.device),
            keypoints=torch.cat((keypoints, torch.ones_like(keypoints[..., :1])), -1),
        )
        losses = self.model(self._pictures(batch), [dict(target) for _ in range(batch)])
        return sum(losses.values())


class TwoStage(PlainOneStage):
    """mmdet's Faster R-CNN R50, then mmpose's SimpleBaseline R50, without flip."""

    def build(self) -> nn.Module:
        detector = super().build()
        cfg = Config.fromfile(get_config_path(SIMPLE))
        cfg.model.backbone.init_cfg = None
        estimator = tame(MODELS.build(cfg.model))
        estimator.dataset_meta, estimator.cfg = self.meta, cfg
        forward = estimator.head.forward
        # mmpose decodes in numpy, which has no bfloat16
        object.__setattr__(estimator.head, 'forward', lambda x: forward(x).float())
        return nn.ModuleDict(dict(detector=detector, estimator=estimator))

    def adapt(self, model: dict) -> None:
        """Leave the keypoint branch out and take mmdet's own classes."""
        model.type = 'FasterRCNN'
        head = model.roi_head
        for name in [key for key in head if 'keypoint' in key] + ['codec', 'box_scale']:
            head.pop(name)
        head.type = 'StandardRoIHead'
        head.bbox_roi_extractor.type = 'SingleRoIExtractor'
        model.test_cfg.pop('flip_test')

    def run(self, batch: int = 1) -> None:
        from mmpose.apis import inference_topdown

        detector, estimator = self.model['detector'], self.model['estimator']
        self.model, both = detector, self.model
        try:
            data = self._batch(batch)
        finally:
            self.model = both
        with self.autocast():
            for sample in detector.predict(data['inputs'], data['data_samples']):
                bboxes = sample.pred_instances.bboxes.float().numpy(force=True)
                inference_topdown(estimator, self.picture, bboxes)


def random_keypoints(boxes: Tensor) -> Tensor:
    """(N, 17, 2) in the boxes."""
    generator = torch.Generator().manual_seed(0)
    inside = torch.rand(len(boxes), 17, 2, generator=generator).to(boxes)
    return boxes[:, None, :2] + inside * (boxes[:, 2:] - boxes[:, :2])[:, None]


CONTESTANTS = {
    'gcm': OneStage,
    'keypoint-rcnn': PlainOneStage,
    'gcm, spelled out': SpelledOut,
    REFERENCE: Torchvision,
    'two-stage': TwoStage,
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='+', choices=CONTESTANTS, default=CONTESTANTS)
    parser.add_argument('--people', nargs='+', type=positive, default=[1, 8, 32])
    parser.add_argument(
        '--dtypes',
        nargs='+',
        choices=DTYPES,
        help='(default: float32, and bfloat16 unless a CPU would imitate it)',
    )
    parser.add_argument(
        '--size',
        nargs=2,
        type=positive,
        default=(800, 1088),
        metavar=('HEIGHT', 'WIDTH'),
    )
    parser.add_argument('--repeat', type=positive, default=9, help='turns (default: 9)')
    parser.add_argument('--warm-up', type=int, default=2, help='turns not counted')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--train', action='store_true', help='a training step too')
    parser.add_argument(
        '--profile', action='store_true', help='by operator too: products and the rest'
    )
    parser.add_argument('--memory', action='store_true', help='peak memory too')
    parser.add_argument(
        '--batches',
        nargs='*',
        type=positive,
        default=[],
        help='throughput at these sizes',
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/benchmark'))
    parser.add_argument('--peak', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.warm_up < 0:
        parser.error(f'--warm-up: {args.warm_up} is given, 0 or more is needed')
    args.people = sorted(set(args.people))
    try:
        torch.empty(0, device=args.device)
    except (RuntimeError, AssertionError) as error:
        parser.error(f'--device {args.device}: {str(error).splitlines()[0]}')
    if args.dtypes is None:
        device_type = torch.device(args.device).type
        able = can_autocast(device_type, torch.bfloat16, 'measures')
        args.dtypes = ['float32', *['bfloat16'] * able]
    return args


DTYPES = {
    'float32': torch.float32,
    'bfloat16': torch.bfloat16,
    'float16': torch.float16,
}


def enter(name: str, dtype: str, args: argparse.Namespace) -> Contestant:
    """Build a contestant for the largest number of people."""
    torch.manual_seed(0)
    size = tuple(args.size)
    return CONTESTANTS[name](
        size, make_people(size, max(args.people)), DTYPES[dtype], args.device
    )


@contextmanager
def people(contestant: Contestant, number: int):
    """Let a contestant find so many people."""
    everybody = contestant.boxes
    contestant.boxes = everybody[:number]
    yield
    contestant.boxes = everybody


def take_turns(args: argparse.Namespace) -> dict:
    """Seconds by (model, dtype, people), one for each turn, and stages by the same."""
    entered = {
        (name, dtype): enter(name, dtype, args)
        for dtype in args.dtypes
        for name in args.models
    }
    seconds, stages = defaultdict(list), {}
    for turn in range(args.warm_up + args.repeat):
        for number in args.people:
            for key, contestant in entered.items():
                with people(contestant, number):
                    elapsed = contestant.timed()
                if turn >= args.warm_up:
                    seconds[(*key, number)].append(elapsed)
        print(f'turn {turn + 1} of {args.warm_up + args.repeat}', file=sys.stderr)
    for (name, dtype), contestant in entered.items():
        if name != 'gcm':
            continue
        contestant.watch_stages()
        for number in args.people:
            contestant.stages.clear()
            with people(contestant, number):
                total = np.median([contestant.timed() for _ in range(args.repeat)])
            parts = {k: np.median(v) for k, v in contestant.stages.items()}
            parts['the rest'] = total - sum(parts.values())
            stages[(name, dtype, number)] = parts
    operators = {}
    for key, contestant in entered.items() if args.profile else ():
        for number in args.people:
            with people(contestant, number):
                operators[(*key, number)] = time_operators(contestant, args.repeat)
    throughput = defaultdict(list)
    for _ in range(args.repeat if args.batches else 0):
        for key, contestant in entered.items():
            if key[0] == 'two-stage':
                continue
            for batch in args.batches:
                throughput[(*key, batch)].append(batch / contestant.timed(batch))
    training = defaultdict(list)
    number = min(8, max(args.people))
    for turn in range(args.warm_up + args.repeat if args.train else 0):
        for key, contestant in entered.items():
            if key[0] in TRAINED:
                with people(contestant, number):
                    elapsed = contestant.timed_training()
                if turn >= args.warm_up:
                    training[(*key, number)].append(elapsed)
    return dict(
        seconds=seconds,
        stages=stages,
        operators=operators,
        throughput=throughput,
        training=training,
    )


def time_operators(contestant: Contestant, repeat: int) -> dict[str, float]:
    """Seconds of a prediction by operator, ``Python`` being what no operator takes.

    The profiler adds a few microseconds to every call.
    """
    with torch.profiler.profile() as profiler:
        total = sum(contestant.timed() for _ in range(repeat))
    on_gpu = contestant.device.startswith('cuda')
    spent = 'self_device_time_total' if on_gpu else 'self_cpu_time_total'
    found = {
        event.key.removeprefix('aten::'): getattr(event, spent) / 1e6 / repeat
        for event in profiler.key_averages()
    }
    found['Python'] = total / repeat - sum(found.values())
    return found


# operators that multiply matrices, convolutions among them
PRODUCTS = {
    'mkldnn_convolution',
    'cudnn_convolution',
    '_slow_conv2d_forward',
    'mm',
    'bmm',
    'addmm',
    'baddbmm',
}
TRAINED = ('gcm', 'keypoint-rcnn', REFERENCE)


def measure_memory(args: argparse.Namespace) -> dict:
    """Peak MiB above the imports by (model, dtype, people), each in its own process."""
    found = {}
    for name in args.models:
        for dtype in args.dtypes:
            words = [sys.executable, __file__, '--peak', '--models', name]
            words += [
                '--dtypes',
                dtype,
                '--people',
                '8',
                '--size',
                *map(str, args.size),
                '--device',
                args.device,
            ]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            found[(name, dtype, 8)] = [float(done.stdout.splitlines()[-1])]
    return found


def print_peak(args: argparse.Namespace) -> None:
    """What a process of :func:`measure_memory` does."""
    before = peak_memory()
    contestant = enter(args.models[0], args.dtypes[0], args)
    for _ in range(3):
        contestant.timed()
    print((peak_memory() - before) / 1024)


def peak_memory() -> int:
    """KiB that this process held at most.

    Linux keeps in ``ru_maxrss`` what the process had that started this one.
    """
    status = Path('/proc/self/status')
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith('VmHWM'):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def ratios(seconds: dict, key: tuple, other: tuple) -> np.ndarray:
    """Quartiles of the ratio of two models' seconds, turn by turn."""
    return np.percentile(np.divide(seconds[key], seconds[other]), [25, 50, 75])


def describe_ratio(seconds: dict, key: tuple, other: tuple) -> str:
    """The median of :func:`ratios`, and the quartiles."""
    low, median, high = ratios(seconds, key, other)
    return f'{median:.2f} ({low:.2f} to {high:.2f})'


def report(results: dict, args: argparse.Namespace) -> str:
    """The tables, in Markdown."""
    seconds = results['seconds']
    lines = [
        f'{describe_machine()}; a picture of {args.size[0]}x{args.size[1]}, '
        f'{args.repeat} turns',
        '',
        f'| model | dtype | people | ms (quartiles) | of {REFERENCE} float32 |',
        '|---|---|---|---|---|',
    ]
    for key, values in sorted(seconds.items(), key=lambda item: item[0][::-1]):
        low, median, high = 1000 * np.percentile(values, [25, 50, 75])
        reference = (REFERENCE, 'float32', key[2])
        ratio = ''
        if reference in seconds:
            ratio = describe_ratio(seconds, key, reference)
        lines.append(
            f'| {key[0]} | {key[1]} | {key[2]} | {median:.0f} ({low:.0f} to '
            f'{high:.0f}) | {ratio} |'
        )
    lines += slopes(seconds, args) + against_two_stage(seconds)
    for key, parts in results['stages'].items():
        lines += ['', f'{key[0]}, {key[1]}, {key[2]} people, ms by stage: ']
        lines[-1] += ', '.join(f'{k} {1000 * v:.0f}' for k, v in parts.items())
    for key, spent in results['operators'].items():
        lines += ['', describe_operators(key, spent)]
    for title, unit in (
        ('throughput', 'pictures a second'),
        ('training', 's'),
        ('memory', 'MiB'),
    ):
        for key, values in results.get(title, {}).items():
            words = ', '.join(map(str, key))
            lines += ['', f'{title}: {words}: {np.median(values):.3g} {unit}']
    return '\n'.join(lines)


def describe_operators(key: tuple, spent: dict[str, float], number: int = 8) -> str:
    """What products of matrices take, and the costliest of all else, in ms."""
    products = sum(spent.get(name, 0) for name in PRODUCTS)
    rest = {name: value for name, value in spent.items() if name not in PRODUCTS}
    costliest = sorted(rest, key=rest.get, reverse=True)[:number]
    named = ', '.join(f'{name} {1000 * rest[name]:.0f}' for name in costliest)
    return (
        f'{key[0]}, {key[1]}, {key[2]} people, ms by operator: convolutions and '
        f'products {1000 * products:.0f}, all else {1000 * sum(rest.values()):.0f}, '
        f'of which {named}'
    )


def slopes(seconds: dict, args: argparse.Namespace) -> list[str]:
    """Milliseconds of each further person, from 8 to 32."""
    if not {8, 32} <= set(args.people):
        return []
    lines = [
        '',
        '| model | dtype | ms for each further person, 8 to 32 |',
        '|---|---|---|',
    ]
    for name, dtype, number in seconds:
        if number == 8:
            many, few = seconds[(name, dtype, 32)], seconds[(name, dtype, 8)]
            each = 1000 * np.median(np.subtract(many, few)) / 24
            lines.append(f'| {name} | {dtype} | {each:.1f} |')
    return lines


def against_two_stage(seconds: dict) -> list[str]:
    """One stage of two in the same precision: medians of each turn's ratio."""
    lines = []
    for key in seconds:
        if key[0] == 'gcm' and ('two-stage', *key[1:]) in seconds:
            ratio = describe_ratio(seconds, key, ('two-stage', *key[1:]))
            lines += ['', f'gcm of two-stage, {key[1]}, {key[2]} people: {ratio}']
    return lines


def describe_machine() -> str:
    """Processor or GPU, threads and PyTorch."""
    name = platform.processor()
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                name = line.split(':', 1)[1].strip()
                break
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    of = f'{threads} threads of {os.cpu_count()} CPUs'
    return f'{name}, {of}, PyTorch {torch.__version__}'


def plot(seconds: dict, path: Path) -> None:
    """Milliseconds against the number of people."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    colours = {name: f'C{i}' for i, name in enumerate(CONTESTANTS)}
    for name, dtype in dict.fromkeys(key[:2] for key in seconds):
        numbers = sorted(key[2] for key in seconds if key[:2] == (name, dtype))
        medians = [1000 * np.median(seconds[(name, dtype, n)]) for n in numbers]
        style = '-' if dtype == 'float32' else '--'
        label = f'{name}, {dtype}'
        axes.plot(numbers, medians, style, c=colours[name], marker='o', label=label)
    axes.set(xlabel='people', ylabel='ms', ylim=(0, None))
    axes.legend(fontsize=8, handlelength=3.5, loc='upper left', bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main(argv: list[str] | None = None) -> None:
    """Times, prints, writes."""
    args = parse_args(argv)
    MMLogger.get_current_instance().setLevel('ERROR')
    if args.peak:
        print_peak(args)
        return
    check_writable(str(args.out_dir), '--out-dir')
    results = take_turns(args)
    if args.memory:
        results['memory'] = measure_memory(args)
    text = report(results, args)
    print(text)
    (args.out_dir / 'benchmark.md').write_text(text + '\n')
    content = {
        title: {', '.join(map(str, key)): value for key, value in values.items()}
        for title, values in results.items()
    }
    (args.out_dir / 'benchmark.json').write_text(json.dumps(content, indent=1))
    plot(results['seconds'], args.out_dir / 'people.png')


if __name__ == '__main__':
    run_tool(main)
