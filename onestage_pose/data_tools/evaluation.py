# Copyright (c) onestage_pose contributors.
"""Evaluate a model, or results that any program has written, and say why."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from ..apis.predictor import PosePredictor
from ..apis.writing import write_json
from ..datasets import PersonKeypointsDataset
from ..evaluation.analysis import Analysis
from ..evaluation.metrics import KeypointReport
from ..structures.categories import get_categories
from ..structures.coco_records import (
    get_records,
    read_categories,
    read_images,
    read_json,
    read_results,
)
from ..structures.metainfo import load_sigmas
from ..utils.errors import AnnotationError, UsageError
from .fine_tuning.skeleton import find_unknown_sigmas, join_metainfo, make_metainfo
from .sides import pair_sides
from .sigmas import DEFAULT_SIGMA

# What of a config's keypoint metric decides which number AP is.
_OPTIONS = (
    'use_area',
    'score_mode',
    'keypoint_score_thr',
    'nms_mode',
    'nms_thr',
    'pred_converter',
    'gt_converter',
)
_METRICS = ('KeypointReport', 'KeypointCocoMetric', 'CocoMetric')
# Scores are taken as they are, and nobody is left out.
_AS_GIVEN = dict(score_mode='bbox', nms_mode='none')


def evaluate(
    ann_file: str | os.PathLike,
    predictor: PosePredictor | None = None,
    results: str | os.PathLike | None = None,
    *,
    images: str | os.PathLike | None = None,
    metainfo: str | None = None,
    html_file: str | os.PathLike | None = None,
    json_file: str | os.PathLike | None = None,
    results_file: str | os.PathLike | None = None,
    score_thr: float = 0.3,
    num_cases: int = 6,
    num_images: int | None = None,
    source: Mapping[str, Any] | None = None,
    track: Callable[[Iterable, str, int], Iterable] | None = None,
) -> Analysis | dict[str, Analysis]:
    """Compare predictions with ground truth and report the errors.

    Args:
        ann_file (str | os.PathLike): COCO keypoint file of the ground truth.
        predictor (PosePredictor | None): The model; its ``bbox_thr`` should be 0, since
            AP counts every prediction.
        results (str | os.PathLike | None): COCO keypoint results, instead of a model.
        images (str | os.PathLike | None): Folder that the file's image names are
            relative to. By default it is looked for beside ``ann_file``. Results can be
            evaluated without images; the page then shows none.
        metainfo (str | None): MMPose's metainfo file of the keypoints. By default that
            of the model's config. For results, the default is the keypoints of the
            file's categories, or COCO's if the only category names none or 17.
        html_file (str | os.PathLike | None): HTML page to write.
        json_file (str | os.PathLike | None): JSON file to write, with all numbers.
        results_file (str | os.PathLike | None): File to write the model's predictions
            to, as COCO results.
        score_thr (float): Count false people and doubles with a score over this.
        num_cases (int): Largest number of images of each kind of error on the page.
        num_images (int | None): Evaluate a model on the first images of the file, this
            many; by default on all.
        source (Mapping | None): Facts to show on the page, such as the model's name.
        track (Callable | None): Wraps the loop over images:
            ``track(items, description, total)``.

    Returns:
        Analysis | dict[str, Analysis]: The analysis; with several categories, one for
        each by its name. Each category then has files of its own, such as
        ``report_dog.html``.

    Raises:
        FileNotFoundError: There is no such file.
        UsageError: Neither or both of ``predictor`` and ``results`` are given, or the
            folder of images is not found.
        AnnotationError: The ground truth or the results are not in COCO's format.
    """
    if (predictor is None) == (results is None):
        raise UsageError('Give either a model or results to evaluate.')
    folder = find_images(Path(ann_file), images, is_needed=predictor is not None)
    dataset = _open_dataset(str(ann_file), folder, metainfo, predictor)
    number = len(dataset) if num_images is None else min(num_images, len(dataset))
    infos = [dataset.get_data_info(index) for index in range(number)]
    options = dict(_AS_GIVEN)
    if predictor is None:
        samples = _read_samples(str(results), infos, dataset.metainfo)
    else:
        options = read_metric_options(predictor.model.cfg)
        samples = _predict(predictor, infos, track, results_file)
    facts = dict(source or {}, annotations=Path(ann_file).name, images=len(infos))
    metric = KeypointReport(
        **options,
        score_thr=score_thr,
        num_cases=num_cases,
        html_file=None if html_file is None else str(html_file),
        json_file=None if json_file is None else str(json_file),
        source=facts,
    )
    metric.dataset_meta = dataset.metainfo
    if predictor is None:
        metric.nobody = f'{results} has nobody'
    for sample in samples:
        if folder is None:
            sample['img_path'] = None
        metric.process(None, [sample])
    metric.evaluate(len(infos))
    return metric.analyses or metric.analysis


def read_metric_options(cfg: Mapping) -> dict:
    """Return the options of a config's keypoint metric that AP depends on.

    Args:
        cfg (Mapping): The config of a model.

    Returns:
        dict: So that the report's AP is the one of ``tools/test.py``. Where the config
        has no such metric, scores are taken as they are and nobody is left out.
    """
    metrics = cfg.get('test_evaluator') or []
    for metric in [metrics] if isinstance(metrics, Mapping) else metrics:
        kind = metric.get('type')
        if getattr(kind, '__name__', kind) in _METRICS:
            return {key: metric[key] for key in _OPTIONS if key in metric}
    return dict(_AS_GIVEN)


def find_images(
    ann_file: Path, given: str | os.PathLike | None, is_needed: bool
) -> Path | None:
    """Find the folder that the image names of an annotation file start from.

    Args:
        ann_file (Path): The annotation file, ``.../annotations/NAME_val2017.json``.
        given (str | os.PathLike | None): The folder, where it is known.
        is_needed (bool): Whether it is an error if there is none.

    Returns:
        Path | None: The folder that is given; else the first that has the first image,
        of the file's own, ``images``, ``val2017`` and ``images/val2017`` (the last
        word of the file's name) beside it or one folder up; None for none.

    Raises:
        UsageError: There is none.
        AnnotationError: The file lists no images.
    """
    if given is not None:
        if not Path(given).is_dir():
            raise UsageError(f'--images {given}: there is no such folder.')
        return Path(given)
    name = _first_image(ann_file)
    last = ann_file.stem.split('_')[-1]
    here = ann_file.absolute().parent
    for root in (here, here.parent):
        for folder in (root, root / 'images', root / last, root / 'images' / last):
            if (folder / name).is_file():
                return folder
    if is_needed:
        raise UsageError(
            f'{ann_file}: its images, such as {name}, are not found beside it; give '
            'their folder by --images DIR.'
        )
    return None


def _first_image(ann_file: Path) -> str:
    content = read_json(str(ann_file), 'give the annotation file')
    images = read_images(str(ann_file), content)
    if not images:
        raise AnnotationError(
            f'{ann_file}: images is empty, so there is nothing to evaluate; give a '
            'file with images.'
        )
    return images[0]['file_name']


def _open_dataset(
    ann_file: str,
    folder: Path | None,
    metainfo: str | None,
    predictor: PosePredictor | None,
) -> PersonKeypointsDataset:
    described = None if metainfo is None else dict(from_file=metainfo)
    if described is None and predictor is not None:
        loader = predictor.model.cfg.get('test_dataloader') or {}
        described = loader.get('dataset', {}).get('metainfo')
    elif described is None:
        described = _describe_keypoints(ann_file)
    try:
        dataset = PersonKeypointsDataset(
            ann_file=ann_file,
            data_prefix=dict(img='' if folder is None else str(folder)),
            metainfo=described,
            check_images=folder is not None,
            test_mode=True,
        )
    except AnnotationError as error:
        if metainfo is None and 'from_file' in str(error):
            remedy = 'In this command: --metainfo FILE.'
            raise AnnotationError(f'{error} {remedy}') from error
        raise
    if predictor is not None:
        _compare_categories(predictor.dataset_meta, dataset.metainfo)
    return dataset


def _compare_categories(of_model: Mapping, of_data: Mapping) -> None:
    """Refuse metainfo by which a label of the model would mean something else."""
    shown = [
        [f'{each.name} ({each.num_keypoints})' for each in get_categories(metainfo)]
        for metainfo in (of_model, of_data)
    ]
    if shown[0] != shown[1]:
        ours, theirs = (', '.join(each) or 'one skeleton' for each in shown)
        raise UsageError(
            f'The model has the categories (and keypoints) {ours}; the metainfo of the '
            f'data has {theirs}. Give --metainfo FILE with those of the model, in the '
            'same order.'
        )


def _describe_keypoints(ann_file: str) -> dict | None:
    """Make metainfo of the categories of a file, unless it may be COCO's."""
    content = read_json(ann_file, 'give the annotation file')
    categories = read_categories(ann_file, content)
    records = get_records(ann_file, content, 'annotations')
    used = {record.get('category_id') for record in records}
    several = [each for each in categories if each['id'] in used]
    if len(several) > 1 and all(each.get('keypoints') for each in several):
        skeletons = [
            (each, _make_skeleton(ann_file, each, f'its category {each.get("name")!r}'))
            for each in several
        ]
        return join_metainfo(Path(ann_file).stem, skeletons)
    names = categories[0].get('keypoints') if len(categories) == 1 else None
    if not names or len(names) == len(load_sigmas()):
        return None
    return _make_skeleton(ann_file, categories[0])


def _make_skeleton(
    ann_file: str, category: Mapping, what: str = 'its category'
) -> dict:
    names = category['keypoints']
    pairs = pair_sides(
        names, flip_idx=category.get('flip_idx'), source=f'{ann_file}: categories'
    )
    number = len(find_unknown_sigmas(names))
    print_log(
        f'{ann_file}: the keypoints are those of {what}. Sigmas of OKS: '
        f"{len(names) - number} by COCO's names, {number} are {DEFAULT_SIGMA:g}. "
        '--metainfo FILE gives others.',
        logger='current',
    )
    return make_metainfo(Path(ann_file).stem, names, pairs=pairs, sigma=DEFAULT_SIGMA)


def _predict(
    predictor: PosePredictor,
    infos: list[dict],
    track: Callable | None,
    results_file: str | os.PathLike | None,
) -> Iterator[dict]:
    found = predictor([info['img_path'] for info in infos], on_error='raise')
    if track is not None:
        found = track(found, 'Images', len(infos))
    records = []
    for info, result in zip(infos, found):
        size = info['height'], info['width']
        if tuple(result.shape) != size:
            raise AnnotationError(
                f'{info["img_path"]}: this image is {result.shape[1]}x{result.shape[0]}'
                f' pixels (width x height), its annotation says {size[1]}x{size[0]}; '
                'give the images that were annotated, or annotations of these.'
            )
        people = result.to_sample().pred_instances
        yield _sample(info, people)
        if results_file is not None:
            category = None
            if not result.categories:
                found_ids = {ann['category_id'] for ann in info['raw_ann_info']}
                category = min(found_ids, default=1)
            records += result.to_coco(info['img_id'], category)
    if results_file is not None:
        write_json(Path(results_file), records)


def _read_samples(file: str, infos: list[dict], metainfo: Mapping) -> Iterator[dict]:
    if get_categories(metainfo):
        yield from _read_of_categories(file, infos, metainfo)
        return
    number = metainfo['num_keypoints']
    categories = {ann['category_id'] for info in infos for ann in info['raw_ann_info']}
    ids = [info['img_id'] for info in infos]
    groups = defaultdict(list)
    for record in read_results(file, ids, categories, number):
        groups[record['image_id'], record['category_id']].append(record)
    by_id = {info['img_id']: info for info in infos}
    for image_id in ids:
        mine = [key for key in groups if key[0] == image_id]
        for key in mine or [(image_id, min(categories, default=1))]:
            sample = _sample(by_id[image_id], _instances(groups[key], number))
            yield dict(sample, category_id=key[1])


def _read_of_categories(
    file: str, infos: list[dict], metainfo: Mapping
) -> Iterator[dict]:
    """Yield a sample for each image, with its instances of all categories."""
    categories = {each.id: each for each in get_categories(metainfo)}
    numbers = {id_: each.num_keypoints for id_, each in categories.items()}
    groups = defaultdict(list)
    ids = [info['img_id'] for info in infos]
    for record in read_results(file, ids, categories, numbers):
        category = categories[record['category_id']]
        points = np.zeros((metainfo['num_keypoints'], 3))
        points[category.places] = np.reshape(record['keypoints'], (-1, 3))
        groups[record['image_id']].append({**record, 'keypoints': points})
    for info in infos:
        records = groups[info['img_id']]
        people = _instances(records, metainfo['num_keypoints'])
        labels = [categories[record['category_id']].label for record in records]
        yield _sample(info, dict(people, labels=np.array(labels, int)))


def _instances(records: list[dict], number: int) -> dict[str, np.ndarray]:
    triples = np.array([record['keypoints'] for record in records], np.float64)
    triples = triples.reshape(len(records), number, 3)
    people = dict(
        keypoints=triples[..., :2],
        keypoint_scores=triples[..., 2],
        bbox_scores=np.array([record['score'] for record in records], np.float64),
    )
    if all('bbox' in record for record in records):
        boxes = np.array([record['bbox'] for record in records], np.float64)
        boxes = boxes.reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        people['bboxes'] = boxes
    return people


def _sample(info: Mapping, people: Mapping) -> dict:
    return dict(
        id=info['id'] or [0],
        img_id=info['img_id'],
        img_path=info['img_path'],
        ori_shape=(info['height'], info['width']),
        raw_ann_info=info['raw_ann_info'],
        gt_instances={},
        pred_instances=people,
    )
