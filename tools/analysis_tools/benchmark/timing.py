# Copyright (c) onestage_pose contributors.
"""Time predictions, their stages and operators, training steps, and peak memory.

Models take turns, repetition by repetition, so that whatever else the machine does
meets all of them. ``torch.utils.benchmark.Timer`` would run each model by itself, and
twice more before each measurement; only its clock is used, which waits for the GPU.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from onestage_pose.models import KeypointRCNN

import numpy as np
import torch
from torch import nn
from torch.utils.benchmark import timer

from .models import DTYPES, TIMED_MODELS, TRAINED, TimedModel, make_boxes

SCRIPT = Path(__file__).resolve().parents[1] / 'benchmark.py'
MEMORY_PEOPLE = 8
TRAINING_PEOPLE = 8


class Case(NamedTuple):
    """What was measured.

    Attributes:
        model (str): A name of ``TIMED_MODELS``.
        dtype (str): A name of ``DTYPES``.
        number (int): People in the image; of the throughput, images in a batch.
    """

    model: str
    dtype: str
    number: int


@dataclass
class Results:
    """All that was measured, in seconds unless it says otherwise.

    Attributes:
        seconds: Predictions of one image, one value for each turn.
        stages: Medians by stage of a prediction.
        operators: Means by operator of a prediction.
        throughput: Images a second, one value for each turn.
        training: Steps of a batch, one value for each turn.
        memory: Peak MiB above the imports.
    """

    seconds: dict[Case, list[float]] = field(default_factory=lambda: defaultdict(list))
    stages: dict[Case, dict[str, float]] = field(default_factory=dict)
    operators: dict[Case, dict[str, float]] = field(default_factory=dict)
    throughput: dict[Case, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    training: dict[Case, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[Case, list[float]] = field(default_factory=dict)


def build_model(name: str, args: argparse.Namespace) -> TimedModel:
    """Build a model for the largest number of people."""
    torch.manual_seed(0)
    size = tuple(args.size)
    boxes = make_boxes(size, max(args.people))
    timed = TIMED_MODELS[name](size, boxes, args.device)
    if isinstance(timed.model, KeypointRCNN):
        # it rounds by its own option, not by PyTorch's
        timed.model.test_cfg.tf32 = args.tf32
    return timed


def build_models(args: argparse.Namespace) -> dict[str, TimedModel]:
    """Build each model once, for all dtypes."""
    models = {}
    for name in args.models:
        start = time.perf_counter()
        models[name] = build_model(name, args)
        print(f'{name}: built in {time.perf_counter() - start:.1f} s', file=sys.stderr)
    return models


def measure(
    models: dict[str, TimedModel], args: argparse.Namespace, results: Results
) -> Iterator[str]:
    """Measure all that is asked for.

    Args:
        models (dict[str, TimedModel]): By name.
        args (argparse.Namespace): The command line.
        results (Results): Filled value by value, so that an interruption leaves what
            was measured before.

    Yields:
        str: The name of the field of ``results`` that is complete now.
    """
    measure_predictions(models, args, results)
    yield 'seconds'
    for case, model in select_cases(models, args.dtypes, args.people):
        if case.model == 'gcm':
            results.stages[case] = time_stages(model, args.repeat)
    yield 'stages'
    if args.profile:
        for case, model in select_cases(models, args.dtypes, args.people):
            results.operators[case] = time_operators(model, args.repeat)
        yield 'operators'
    if args.batches:
        measure_throughput(models, args, results)
        yield 'throughput'
    if args.train:
        measure_training(models, args, results)
        yield 'training'
    if args.memory:
        for name in args.models:
            for dtype in args.dtypes:
                case = Case(name, dtype, MEMORY_PEOPLE)
                results.memory[case] = [measure_memory(name, dtype, args)]
        yield 'memory'


def select_cases(
    models: dict[str, TimedModel], dtypes: list[str], people: list[int]
) -> Iterator[tuple[Case, TimedModel]]:
    """Yield each case and its model, which is set to the case's dtype and people."""
    for number in people:
        for dtype in dtypes:
            for name, model in models.items():
                model.dtype, model.num_people = DTYPES[dtype], number
                yield Case(name, dtype, number), model


def measure_predictions(
    models: dict[str, TimedModel], args: argparse.Namespace, results: Results
) -> None:
    """Time predictions of one image, all models in each turn."""
    turns = args.warm_up + args.repeat
    for turn in range(turns):
        for number in args.people:
            measured = []
            for case, model in select_cases(models, args.dtypes, [number]):
                elapsed = time_prediction(model)
                if turn >= args.warm_up:
                    results.seconds[case].append(elapsed)
                measured.append(f'{case.model} {case.dtype} {1000 * elapsed:.1f}')
            warm_up = ' (warm-up)' * (turn < args.warm_up)
            print(
                f'turn {turn + 1} of {turns}{warm_up}, {number} people, ms: '
                + '; '.join(measured),
                file=sys.stderr,
            )


def measure_throughput(
    models: dict[str, TimedModel], args: argparse.Namespace, results: Results
) -> None:
    """Count images a second in batches, all models in each turn.

    Two stages are left out: mmpose predicts the second one image by image.
    """
    batched = {name: model for name, model in models.items() if name != 'two-stage'}
    for turn in range(args.repeat):
        for batch_size in args.batches:
            for case, model in select_cases(batched, args.dtypes, [max(args.people)]):
                images = batch_size / time_prediction(model, batch_size)
                results.throughput[case._replace(number=batch_size)].append(images)
        print(f'throughput: turn {turn + 1} of {args.repeat}', file=sys.stderr)


def measure_training(
    models: dict[str, TimedModel], args: argparse.Namespace, results: Results
) -> None:
    """Time training steps, all models in each turn."""
    trained = {name: model for name, model in models.items() if name in TRAINED}
    number = min(TRAINING_PEOPLE, max(args.people))
    turns = args.warm_up + args.repeat
    for turn in range(turns):
        for case, model in select_cases(trained, args.dtypes, [number]):
            elapsed = time_training_step(model, args.train_batch)
            if turn >= args.warm_up:
                results.training[case].append(elapsed)
        print(f'training: turn {turn + 1} of {turns}', file=sys.stderr)


def time_prediction(model: TimedModel, batch_size: int = 1) -> float:
    """Return the seconds from images as arrays to keypoints."""
    with torch.no_grad():
        start = timer()
        model.predict(batch_size)
        return timer() - start


def time_training_step(model: TimedModel, batch_size: int) -> float:
    """Return the seconds of a forward and a backward pass and a step of SGD."""
    parameters = [p for p in model.model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=1e-6, momentum=0.9)
    model.model.train()
    try:
        start = timer()
        with model.autocast():
            loss = model.loss(batch_size)
        loss.backward()
        optimizer.step()
        return timer() - start
    finally:
        optimizer.zero_grad()
        model.model.eval()


class StageClock:
    """Splits time into stages, each from the end of the one before.

    Attributes:
        seconds (dict[str, list[float]]): Of each stage, one value for each end.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.start()

    def start(self) -> None:
        """Begin the first stage."""
        self._last = timer()

    def end(self, stage: str) -> None:
        """End a stage and begin the next one."""
        now = timer()
        self.seconds[stage].append(now - self._last)
        self._last = now

    def end_at(
        self, module: nn.Module, when: str, stage: str
    ) -> torch.utils.hooks.RemovableHandle:
        """End a stage whenever a module runs.

        Args:
            module (nn.Module): Any.
            when (str): ``'before'`` or ``'after'`` it runs.
            stage (str): Name of the stage.

        Returns:
            RemovableHandle: Of the hook.
        """
        if when == 'before':
            return module.register_forward_pre_hook(lambda *_: self.end(stage))
        return module.register_forward_hook(lambda *_: self.end(stage))


def time_stages(model: TimedModel, repeat: int) -> dict[str, float]:
    """Return the median seconds of each stage of a prediction.

    ``'the rest'`` is what their sum lacks of the median of the whole; it may be
    negative.
    """
    clock = StageClock()
    hooks = [clock.end_at(*stage_end) for stage_end in model.stage_ends()]
    totals = []
    try:
        for _ in range(repeat):
            clock.start()
            totals.append(time_prediction(model))
            clock.end('decoding')
    finally:
        for hook in hooks:
            hook.remove()
    parts = {stage: float(np.median(values)) for stage, values in clock.seconds.items()}
    return {**parts, 'the rest': float(np.median(totals)) - sum(parts.values())}


def time_operators(model: TimedModel, repeat: int) -> dict[str, float]:
    """Return the mean seconds of a prediction by operator.

    ``'Python'`` is what no operator takes. The profiler adds a few microseconds to
    every call.
    """
    with torch.profiler.profile() as profiler:
        total = sum(time_prediction(model) for _ in range(repeat))
    on_cpu = model.device.type == 'cpu'
    spent = 'self_cpu_time_total' if on_cpu else 'self_device_time_total'
    found = {
        event.key.removeprefix('aten::'): getattr(event, spent) / 1e6 / repeat
        for event in profiler.key_averages()
    }
    found['Python'] = total / repeat - sum(found.values())
    return found


def measure_memory(name: str, dtype: str, args: argparse.Namespace) -> float:
    """Return the peak MiB of a model above the imports, in a process of its own."""
    words = ['--peak', '--models', name, '--dtypes', dtype, '--device', args.device]
    words += ['--people', str(MEMORY_PEOPLE), '--size', *map(str, args.size)]
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(run.stdout.splitlines()[-1])


def print_peak_memory(args: argparse.Namespace) -> None:
    """Print what a process of :func:`measure_memory` has to tell."""
    before = read_peak_memory()
    model = build_model(args.models[0], args)
    model.dtype = DTYPES[args.dtypes[0]]
    for _ in range(3):
        time_prediction(model)
    print((read_peak_memory() - before) / 1024)


def read_peak_memory() -> int:
    """Return the KiB that this process held at most.

    Linux keeps in ``ru_maxrss`` what the process had that started this one.
    """
    status = Path('/proc/self/status')
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith('VmHWM'):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
