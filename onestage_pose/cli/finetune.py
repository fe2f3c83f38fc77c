# Copyright (c) onestage_pose contributors.
"""Fine-tune a published model to the keypoints of one's own annotations."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ..apis.predictor import PosePredictor
from ..apis.writing import write_image
from ..checkpoints.atomic import write_text
from ..data_tools.fine_tuning.config import (
    DataFacts,
    Part,
    make_config,
    make_model,
    write_relative,
)
from ..data_tools.fine_tuning.exported import Data, convert, find_data
from ..data_tools.fine_tuning.record import claim_folder, compute_digest
from ..data_tools.fine_tuning.schedule import Schedule, choose_schedule
from ..data_tools.fine_tuning.skeleton import (
    find_unknown_sigmas,
    get_keypoint_names,
    join_metainfo,
    make_metainfo,
    read_skeleton,
)
from ..data_tools.fine_tuning.source import Source, read_source
from ..data_tools.fine_tuning.split import split_images, take_images
from ..data_tools.fine_tuning.verdict import (
    Verdict,
    draw_sheet,
    get_truth,
    measure,
)
from ..data_tools.fine_tuning.weights import make_start, publish
from ..data_tools.sides import (
    describe_pairs,
    find_sides_without_partner,
    pair_sides,
)
from ..datasets.coco_file import CocoKeypointFile, load_coco_keypoints
from ..datasets.image_files import find_meant
from ..engine.hooks import PreemptionHook
from ..structures.categories import get_categories
from ..structures.coco_records import quote
from ..utils.errors import AnnotationError, UsageError
from ..zoo import get_model_files
from .files import count
from .parsers import add_train_arguments, parse
from .runner import build_runner
from .tables import format_table
from .train import build_training
from .training_progress import TrainingProgress, printing_to, show_warnings_only

CONFIG, START, MODEL, ONNX = 'config.py', 'start.pth', 'model.pth', 'model.onnx'
SHEET, README, TRAINING, DATA = 'validation.jpg', 'README.md', 'training', 'data'
# Images of a step where the model's own config is for several GPUs.
_BATCH, _LARGE_BATCH, _LARGE = 4, 2, 800
# Validation images that are measured in pixels, and that are drawn.
_MEASURED, _DRAWN = 200, 12
# A better checkpoint on the way is taken where it is better by so much AP, measured on
# so many validation images.
_MARGIN, _ENOUGH = 0.01, 10
# Rows of the table of keypoints, the worst first.
_ROWS = 20
# Iterations that --minutes is measured by, and those of them that are left out.
_TIMED, _WARM_UP = 8, 3


def run(args: argparse.Namespace) -> None:
    """Prepare, train, evaluate and write what is needed to go on.

    Raises:
        UsageError: Something that was typed cannot be used.
        AnnotationError: The annotations break a rule of their format.
    """
    data, val = find_data(args.data, args.images), None
    if args.val is not None:
        val = find_data(args.val, args.val_images or args.images)
    elif data.val is not None:
        val = Data(data.val, None, args.val_images or args.images)
    out = args.out or Path('work_dirs', f'finetune_{_name_of(args.data)}')
    out = out.absolute()
    for each in (data, val):
        if each is not None and each.format and out.is_relative_to(each.path):
            raise UsageError(
                f'{out} is in {each.path}, which is converted: give a folder elsewhere '
                'with --out.'
            )
    described = _describe(args, data.path, val and val.path)
    was_begun = claim_folder(out, described, CONFIG)
    if (out / README).is_file():
        print(f'{out}: this run is finished.')
        print((out / README).read_text(encoding='utf-8'))
        return
    (out / TRAINING).mkdir(exist_ok=True)
    if (out / CONFIG).is_file():
        print(f'{out}: resuming the interrupted run.')
    else:
        if was_begun:
            print(f'{out}: starting again, since the run had not reached its training.')
        prepare(args, out, *_convert(args, out, data, val))
    metrics = train(out)
    conclude(out, metrics, args.model)


def prepare(args: argparse.Namespace, out: Path, data: Data, val: Data | None) -> None:
    """Read the data, and write config and starting weights into ``out``."""
    source = read_source(data.path, data.images, args.category)
    if len(source.categories) > 1 and args.keypoints:
        raise UsageError(
            f'--keypoints: {data.path} has several categories, and the keypoints of '
            'each are named there; choose one with --category NAME.'
        )
    dataset_name = f'finetune_{_name_of(args.data)}'
    skeletons = [
        _read_skeleton(args, data.path, source, category, dataset_name)
        for category in source.categories
    ]
    names = [name for each in skeletons for name in each.names]
    metainfo = skeletons[0].metainfo
    if len(skeletons) > 1:
        metainfo = join_metainfo(
            dataset_name,
            [(c, each.metainfo) for c, each in zip(source.categories, skeletons)],
        )
    categories = get_categories(parse_pose_metainfo(metainfo))
    # without pairs, the corners of a mirrored thing would be learned in wrong places
    flip = all(each.pairs for each in skeletons) if args.flip is None else args.flip
    parts = _write_parts(args, out, source, val)
    train_part, val_part = parts
    contents = [
        load_coco_keypoints(
            part.ann_file,
            len(names),
            None,
            True,
            names,
            categories=categories,
        )
        for part in parts
    ]
    for part, content in zip(parts, contents):
        _check_part(part, content)
    _say_data(source, skeletons, flip, contents, args.sigma)

    files = get_model_files(args.model)
    base = Config.fromfile(files.config)
    facts = _get_facts(names, contents[0], len(skeletons))
    batch_size = args.batch_size or _choose_batch(base)
    sizes = dict(num_images=train_part.num_images, num_val=val_part.num_images)
    schedule = choose_schedule(**sizes, batch_size=batch_size, epochs=args.epochs)
    model = make_model(base, facts)
    known = _known_names(base)
    kept = make_start(model, files.weights, out / START, names, known, args.seed)
    new = [name for name in names if name not in kept]
    print(
        f'Model: starts from {args.model}; output channels kept: {_some(kept)}; new: '
        f'{_some(new)}.'
    )

    def write_config(name: str, schedule: Schedule) -> None:
        text = make_config(
            base,
            metainfo,
            *(
                part._replace(
                    ann_file=write_relative(Path(part.ann_file), out),
                    image_folder=write_relative(Path(part.image_folder), out),
                )
                for part in parts
            ),
            facts,
            schedule,
            flip,
            args.seed,
            min(2, max(1, (os.cpu_count() or 1) - 1)),
            _head(args),
        )
        write_text(text, out / name)

    if args.minutes is not None:
        write_config('timing.py', schedule)
        seconds = measure_seconds(out / 'timing.py')
        (out / 'timing.py').unlink()
        iters = round(60 * args.minutes / seconds)
        schedule = choose_schedule(**sizes, batch_size=batch_size, max_iters=iters)
    seen = schedule.max_iters * schedule.batch_size / train_part.num_images
    is_usual = schedule.max_iters == schedule.usual_iters
    usual = '' if is_usual else f' ({schedule.usual_iters} by default)'
    print(
        f'Schedule: {schedule.max_iters} iterations{usual} of '
        f'{count(schedule.batch_size, "image", "images")}, each image {seen:.3g} times.'
    )
    if schedule.is_short and new:
        print('Warning: so few iterations hardly teach new keypoints.')
    write_config(CONFIG, schedule)


def measure_seconds(config: Path) -> float:
    """Measure how long an iteration takes, by a few that are thrown away.

    Args:
        config (Path): Of the training.

    Returns:
        float: Seconds.
    """
    cfg = Config.fromfile(config)
    cfg.train_cfg.update(max_iters=_TIMED, val_interval=_TIMED + 1)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    cfg.default_hooks.checkpoint.update(interval=_TIMED + 1, save_last=False)
    cfg.default_hooks.checkpoint.pop('save_best')
    cfg.param_scheduler = []
    # mmengine has one of a name, and this one's folder goes away
    cfg.visualizer.name = 'timing'
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        with printing_to(Path(folder, 'printed.txt')):
            runner = build_runner(cfg)
            show_warnings_only(runner.logger, sys.stderr)
            runner.train()
        _close_log(runner.logger)
    times, _ = runner.message_hub.get_scalar('train/time').data
    return float(np.median(times[_WARM_UP:]))


def train(out: Path) -> dict[str, list[float]]:
    """Train, or go on with a training, by the config in ``out``.

    Args:
        out (Path): The folder of the run.

    Returns:
        dict[str, list[float]]: ``coco/AP`` and ``bbox/AP`` of each evaluation, in turn.
    """
    print(f'Training; the log is in {out / TRAINING}.')
    words = [out / CONFIG, '--resume', '--work-dir', out / TRAINING]
    args = parse(add_train_arguments, [str(word) for word in words])
    with printing_to(out / TRAINING / 'printed.txt') as terminal:
        runner = build_training(args)
        show_warnings_only(runner.logger, sys.stderr)
        runner.register_hook(TrainingProgress(terminal))
        for hook in runner.hooks:
            if isinstance(hook, PreemptionHook):
                hook.resumed_by = 'the same command'
        runner.train()
    scalars = runner.message_hub.log_scalars
    return {
        name: [float(value) for value in scalars[f'val/{name}'].data[0]]
        for name in ('coco/AP', 'bbox/AP')
        if f'val/{name}' in scalars
    }


def conclude(out: Path, metrics: dict[str, list[float]], model: str) -> None:
    """Write the model, say how good it is, draw it, and say what comes next.

    Args:
        out (Path): The folder of the run.
        metrics (dict[str, list[float]]): Of its evaluations.
        model (str): What it started from.
    """
    val = json.loads(
        Path(Config.fromfile(out / CONFIG).val_dataloader.dataset.ann_file).read_bytes()
    )
    checkpoint, place = _choose_checkpoint(
        out / TRAINING, metrics['coco/AP'], len(val['images'])
    )
    publish(checkpoint, out / MODEL)
    predictor = PosePredictor(out / CONFIG, out / MODEL)
    verdict = _judge(out, predictor)
    text = _say_choice(checkpoint, place == len(metrics['coco/AP']) - 1)
    text += _verdict_text(verdict, metrics, place, predictor.names)
    print(text)
    onnx = _export(predictor, out / ONNX)
    readme = _readme(out, model, text, onnx, predictor.model.cfg)
    write_text(readme, out / README)
    print(readme[readme.index('## What is here') :])


def _convert(
    args: argparse.Namespace, out: Path, data: Data, val: Data | None
) -> tuple[Data, Data | None]:
    """Convert what a labelling tool has exported, for training and validation."""
    if data.format:
        data = convert(data, out / DATA, args.keypoints, args.category)
        if val is None and data.val is not None:
            val = Data(data.val, None, data.images)
    if val is not None and val.format:
        val = convert(val, out / DATA / 'val', args.keypoints, args.category)
    return data, val


def _describe(args: argparse.Namespace, data: Path, val: Path | None) -> dict[str, Any]:
    """Return what tells a run from another, for its record."""
    return dict(
        data=str(data),
        data_sha256=compute_digest(data),
        val=str(val or ''),
        val_sha256=compute_digest(val) if val else '',
        images=str(args.images.absolute()) if args.images else '',
        val_images=str(args.val_images.absolute()) if args.val_images else '',
        model=args.model,
        epochs=args.epochs,
        minutes=args.minutes,
        batch_size=args.batch_size,
        category=args.category,
        keypoints=args.keypoints,
        sides=args.sides,
        swap=args.swap,
        flip=args.flip,
        sigma=args.sigma,
        seed=args.seed,
    )


def _write_parts(
    args: argparse.Namespace, out: Path, source: Source, val: Data | None
) -> tuple[Part, Part]:
    """Return the data to train and to validate on, split where that is asked for."""
    if val is not None:
        other = read_source(val.path, val.images, args.category)
        return tuple(
            _part_of(each, out / 'annotations' / f'{name}.json')
            for name, each in (('train', source), ('val', other))
        )
    content = source.content
    labelled = {
        each['image_id']
        for each in content['annotations']
        if any(flag for flag in (each.get('keypoints') or ())[2::3])
    }
    is_val = split_images(
        [image['id'] in labelled for image in content['images']], args.seed
    )
    parts = []
    for name, wanted in (('train', ~is_val), ('val', is_val)):
        path = out / 'annotations' / f'{name}.json'
        _write_annotations(path, take_images(content, wanted))
        parts.append(Part(str(path), str(source.image_folder), int(wanted.sum())))
    return tuple(parts)


def _part_of(source: Source, path: Path) -> Part:
    file = source.ann_file
    if not source.is_whole:
        file = path
        _write_annotations(path, source.content)
    return Part(str(file), str(source.image_folder), len(source.content['images']))


def _write_annotations(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    write_text(json.dumps(content), path)


def _check_part(part: Part, content: CocoKeypointFile) -> None:
    """Raise where images or keypoints are missing, before the model is made."""
    if not (content.keypoints[..., 2] > 0).any():
        raise AnnotationError(
            f'{part.ann_file}: no keypoint is labelled (its visibility is 0 '
            'everywhere), so there is nothing to learn or to measure.'
        )
    paths = [Path(part.image_folder, each['file_name']) for each in content.images]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        meant = find_meant(str(missing[0]))
        hint = f' In the place of the first one, {meant} exists.' if meant else ''
        raise UsageError(
            f'{len(missing)} of {len(paths)} images of {part.ann_file} do not exist, '
            f'first {missing[0]}.{hint} Complete them, or give their folder with '
            '--images.'
        )


class _Skeleton(NamedTuple):
    """The keypoints of a category."""

    names: list[str]
    pairs: dict[str, str]
    remark: str
    metainfo: dict[str, Any]


def _read_skeleton(
    args: argparse.Namespace,
    file: Path,
    source: Source,
    category: dict[str, Any],
    dataset_name: str,
) -> _Skeleton:
    """Read what a category and its annotations say of its keypoints."""
    lengths = [
        len(each.get('keypoints') or ())
        for each in source.content['annotations']
        if len(source.categories) == 1 or each['category_id'] == category['id']
    ]
    number = max(lengths) // 3
    if number == 0:
        raise AnnotationError(
            f'{file}: its annotations have no "keypoints"; a keypoint file has '
            'x, y, visibility for each keypoint of each annotation.'
        )
    names = get_keypoint_names(category, number, args.keypoints)
    pairs = pair_sides(
        names, args.sides, args.swap, category.get('flip_idx'), str(file)
    )
    skeleton, remark = read_skeleton(category.get('skeleton'), names)
    metainfo = make_metainfo(dataset_name, names, skeleton, pairs, args.sigma)
    return _Skeleton(names, pairs, remark, metainfo)


def _say_data(
    source: Source,
    skeletons: list[_Skeleton],
    flip: bool,
    contents: list[CocoKeypointFile],
    sigma: float,
) -> None:
    """Print what was understood of the data."""
    train, val = contents
    print(
        f'Data: {source.ann_file}: {len(train.images)} images with '
        f'{len(train.annotations)} instances to train on, {len(val.images)} with '
        f'{len(val.annotations)} to validate on; images in {source.image_folder}.'
    )
    empty = len(train.images) - len(np.unique(train.image_index))
    if empty:
        print(
            f'{empty} of the training images have no instance and teach what is none: '
            'if they are not annotated yet, leave them out of the file.'
        )
    labelled = (train.keypoints[..., 2] > 0).any(axis=0)
    start = 0
    for category, (names, pairs, remark, _) in zip(source.categories, skeletons):
        if len(skeletons) > 1:
            print(f'Category {quote(category["name"])}:')
        _say_skeleton(names, pairs, remark, flip, sigma)
        own = labelled[start : start + len(names)]
        start += len(names)
        never = [name for name, any_ in zip(names, own) if not any_]
        if never:
            print(
                f'Warning: never labelled in training, so not learned: {_some(never)}.'
            )


def _say_skeleton(
    names: list[str], pairs: dict[str, str], remark: str, flip: bool, sigma: float
) -> None:
    print(f'Keypoints: {len(names)}: {_some(names, 20)}.')
    if remark:
        print(f'Warning: {remark}.')
    paired = describe_pairs(pairs) if pairs else 'no pairs found (--sides, --swap)'
    print(
        f'Left and right: {paired}; images '
        f'are {"" if flip else "not "}mirrored in training.'
    )
    single = find_sides_without_partner(names, pairs)
    if single and flip:
        print(
            f'Warning: {_some(single)}: no keypoint of the other side, though images '
            'are mirrored; name it with --swap, or give --no-flip.'
        )
    unknown = find_unknown_sigmas(names)
    of_coco = len(names) - len(unknown)
    print(
        f"Sigmas of OKS: {of_coco} by COCO's names, {len(unknown)} are {sigma:g} "
        '(--sigma).'
    )


def _get_facts(
    names: list[str], train: CocoKeypointFile, num_categories: int
) -> DataFacts:
    sizes = np.array([[each['width'], each['height']] for each in train.images])
    sides = (train.bboxes[:, 2:] - train.bboxes[:, :2]).max(axis=1)
    shares = sides / sizes.max(axis=1)[train.image_index]
    instances = np.bincount(train.image_index, minlength=1)
    return DataFacts(
        names=names,
        area_ratio=train.area_ratio,
        most_instances=int(instances.max()),
        object_share=float(np.median(shares)) if len(shares) else 1.0,
        num_bytes=3.0 * float(sizes.prod(axis=1).sum()),
        num_categories=num_categories,
    )


def _choose_batch(base: Config) -> int:
    scales = [
        max(each['scale'])
        for each in base.test_dataloader.dataset.pipeline
        if 'scale' in each
    ]
    return _LARGE_BATCH if max(scales) >= _LARGE else _BATCH


def _known_names(base: Config) -> list[str]:
    """Return the keypoints of a published model: COCO's 17, of all there are."""
    category = dict(name='person')
    number = base.model.roi_head.keypoint_head.get('num_keypoints', 17)
    return get_keypoint_names(category, number)


def _choose_checkpoint(
    folder: Path, history: list[float], num_images: int
) -> tuple[Path, int]:
    """Return the last checkpoint, or a better one, and the place of its evaluation."""
    best = int(np.argmax(history))
    found = sorted(folder.glob('best_coco_AP_iter_*.pth'))
    is_better = history[best] > history[-1] + _MARGIN
    if found and is_better and num_images >= _ENOUGH:
        return found[-1], best
    last = (folder / 'last_checkpoint').read_text(encoding='utf-8').strip()
    # a folder that was moved names its former place
    return folder / Path(last).name, len(history) - 1


def _say_choice(checkpoint: Path, is_last: bool) -> str:
    if is_last:
        return f'Model: the last checkpoint, {checkpoint.name}.\n'
    return (
        f'Model: {checkpoint.name}, the checkpoint with the best keypoint AP on the '
        'validation images.\n'
    )


def _judge(out: Path, predictor: PosePredictor) -> Verdict:
    """Predict validation images; measure them, and draw some."""
    cfg = predictor.model.cfg
    dataset = cfg.val_dataloader.dataset
    names = list(predictor.names)
    content = load_coco_keypoints(
        dataset.ann_file,
        len(names),
        dataset.metainfo.dataset_name,
        True,
        names,
        categories=get_categories(predictor.dataset_meta),
    )
    labelled = np.flatnonzero(
        np.bincount(
            content.image_index[(content.keypoints[..., 2] > 0).any(axis=1)],
            minlength=len(content.images),
        )
    )
    step = max(1, len(labelled) // _MEASURED)
    places = labelled[::step][:_MEASURED]
    drawn = {int(place) for place in places[:: max(1, len(places) // _DRAWN)][:_DRAWN]}
    folder = dataset.data_prefix.img
    paths = [os.path.join(folder, content.images[p]['file_name']) for p in places]
    results, shown = [], []
    for place, result in zip(places, predictor(paths, on_error='raise')):
        truth = get_truth(content, place)
        if int(place) in drawn:
            shown.append((result, truth))
        else:
            result.image = None
        results.append((result, truth))
    write_image(out / SHEET, draw_sheet(*zip(*shown)))
    return measure(*zip(*results), len(names))


def _verdict_text(
    verdict: Verdict, metrics: dict[str, list[float]], place: int, names: tuple
) -> str:
    rows = [
        (
            name,
            len(errors),
            round(float(np.median(errors)), 1) if len(errors) else '-',
            round(float(np.quantile(errors, 0.9)), 1) if len(errors) else '-',
        )
        for name, errors in zip(names, verdict.errors)
    ]
    rows.sort(key=lambda row: -row[2] if row[1] else -float('inf'))
    table = format_table(
        ('keypoint', 'number', 'median error, px', '90 % below, px'), rows[:_ROWS]
    )
    left_out = f' The worst {_ROWS} are shown.' if len(rows) > _ROWS else ''
    scores = ', '.join(
        f'{what} AP {metrics[name][place]:.3f}'
        for name, what in (('coco/AP', 'keypoint'), ('bbox/AP', 'box'))
        if name in metrics
    )
    median = f'{verdict.median:.1f} px' if verdict.num_found else 'unknown'
    return (
        f'Validation: {scores}; found {verdict.num_found} of '
        f'{count(verdict.num_instances, "instance", "instances")}; median error '
        f'{median}.{left_out}\n\n{table}\n'
    )


def _export(predictor: PosePredictor, target: Path) -> str:
    """Write the ONNX graph; return what the README says of it."""
    from ..deployment import export_onnx

    try:
        import onnx  # noqa: F401

        export_onnx(predictor.model.cpu(), target)
    except (ImportError, ValueError) as error:
        reason = str(error)
        print(f'No ONNX file: {reason}. `onestage-pose export` writes it later.')
        return f'No ONNX file was written: {reason}.'
    return (
        f'`{target.name}`: the model as one ONNX graph, see docs/how_to/export_onnx.md.'
    )


def _readme(out: Path, model: str, verdict: str, onnx: str, cfg: Config) -> str:
    config, weights = (shlex.quote(str(out / name)) for name in (CONFIG, MODEL))
    val = cfg.test_dataloader.dataset
    val_file, images = map(shlex.quote, (val.ann_file, val.data_prefix['img']))
    return f"""# A model fine-tuned from {model}

{verdict}
## What is here

- `{CONFIG}`: the config, in OpenMMLab's form. Edit it as you like.
- `{MODEL}`: the weights for prediction.
- {onnx}
- `{SHEET}`: validation images, annotation on the left, prediction on the right.
- `{TRAINING}`: logs and checkpoints; `{START}`: the weights that it started from.

## Next

    onestage-pose predict IMAGES {config} {weights}
    onestage-pose evaluate {val_file} {config} {weights} --images {images}
    onestage-pose train {config} --work-dir ANOTHER_FOLDER

In Python:

    from onestage_pose import PosePredictor
    predictor = PosePredictor({str(out / CONFIG)!r}, {str(out / MODEL)!r})
"""


def _head(args: argparse.Namespace) -> str:
    return (
        f'# {args.model}, fine-tuned to the keypoints of {args.data}.\n'
        '# Written by `onestage-pose finetune`. Train it anew, edited or not:\n'
        '#     onestage-pose train THIS_FILE --work-dir ANOTHER_FOLDER'
    )


def _name_of(data: Path) -> str:
    name = data.absolute().stem if data.is_file() else data.absolute().name
    return re.sub(r'\W+', '_', name).strip('_') or 'data'


def _some(names: list[str], number: int = 6) -> str:
    text = ', '.join(names[:number]) or 'none'
    rest = len(names) - number
    return f'{text} and {rest} more' if rest > 0 else text


def _close_log(logger: MMLogger) -> None:
    """Close the file of a log whose folder goes away."""
    for handler in list(logger.handlers):
        if hasattr(handler, 'baseFilename'):
            handler.close()
            logger.removeHandler(handler)
