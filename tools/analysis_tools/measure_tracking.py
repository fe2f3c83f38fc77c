# Copyright (c) onestage_pose contributors.
"""Measure who is who, and how keypoints shake, in videos of known people.

A view pans and zooms over images of a COCO keypoint file, so that the place of
everybody in every frame is known:

    python tools/analysis_tools/measure_tracking.py ANN_FILE IMAGES out.json

Compared are the people of each frame by themselves (numbered by their score), mmdet's
ByteTrack as it is, this project's tracker, and the latter with smoothing. Needs lap and
trackeval (pip install lap trackeval). Everything but the figures stays in --work-dir:
a second run with the same options predicts nothing again.

- HOTA, IDF1, identity switches and fragmentations are trackeval's, by the boxes. Found
  people who overlap nobody annotated are left out, since COCO's files leave out people.
- shake: how far the acceleration of a found keypoint is from the true one, in
  thousandths of the person's size (square root of the box's area) a frame squared.
- error: how far a found keypoint is from the annotated one, in hundredths of that size.
- lag: how far a keypoint is behind the one that is not smoothed, in milliseconds of the
  person's motion, of people who move by more than a size a second.

Keypoints are those that are annotated and in the view, of people who are found.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.apis import PosePredictor, PoseResult
from onestage_pose.apis.writing import write_json
from onestage_pose.cli.args import above_zero, positive
from onestage_pose.cli.progress import track
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.tables import format_table
from onestage_pose.datasets.coco_file import CocoKeypointFile, load_coco_keypoints
from onestage_pose.tracking import PoseTracker
from onestage_pose.tracking.pose_tracker import LOW_THR
from onestage_pose.tracking.similarity import pairwise_iou
from onestage_pose.utils.errors import UsageError
from onestage_pose.visualization.video_file import VideoFile

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

HEIGHT, WIDTH = 240, 320
# Somebody of whom less is in the view is not asked for, nor counted as false.
_MIN_SEEN = 0.5
_MIN_PIXELS = 24
_FAST = 1.0
# Who overlaps no annotated person by more is somebody whom nobody has annotated.
_ALONE = 0.1


@dataclass
class Scene:
    """A view that moves over an image: T frames, P people.

    Attributes:
        name (str): Of the image.
        fps (float): Frames a second.
        boxes (np.ndarray): (T, P, 4) xyxy in the view, cut at its border.
        keypoints (np.ndarray): (T, P, K, 3): x, y in the view, and COCO's visibility.
        is_asked (np.ndarray): (T, P) bool, who has to be found.
        is_there (np.ndarray): (T, P) bool, who may be found.
    """

    name: str
    fps: float
    boxes: np.ndarray
    keypoints: np.ndarray
    is_asked: np.ndarray
    is_there: np.ndarray

    @property
    def is_labelled(self) -> np.ndarray:
        """np.ndarray: (T, P, K) bool, which keypoints are annotated and in the view."""
        places, size = self.keypoints[..., :2], [WIDTH - 1, HEIGHT - 1]
        is_inside = ((places >= 0) & (places <= size)).all(-1)
        return is_inside & (self.keypoints[..., 2] > 0)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('ann_file', type=Path, help='COCO keypoint file')
    parser.add_argument('images', type=Path, help='the folder of its images')
    parser.add_argument('out', type=Path, help='JSON file of the figures')
    parser.add_argument('--config', default='nano', help='name of a model')
    parser.add_argument('--scenes', type=positive, default=16)
    parser.add_argument('--frames', type=positive, default=60, help='of a scene')
    parser.add_argument('--fps', type=above_zero, default=30.0)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/tracking'))
    return parser.parse_args(argv)


def choose_images(coco: CocoKeypointFile, number: int) -> list[int]:
    """Choose images of two to eight people who all have keypoints, spread evenly."""
    labelled = (coco.keypoints[..., 2] > 0).sum(1) >= 5
    chosen = []
    for index in range(len(coco.images)):
        people = coco.image_index == index
        is_fit = labelled[people].all() and not coco.iscrowd[people].any()
        if is_fit and 2 <= people.sum() <= 8:
            chosen.append(index)
    if len(chosen) < number:
        raise UsageError(f'only {len(chosen)} images are fit: --scenes {len(chosen)}')
    return [chosen[place * len(chosen) // number] for place in range(number)]


def views(height: int, width: int, frames: int, seed: int) -> np.ndarray:
    """Return where the view is: (T, 2, 3), from coordinates of the image to its own.

    It swings from side to side, so that people leave and come back, and nears and goes
    away.
    """
    random = np.random.default_rng(seed)
    turns = random.uniform(0.8, 1.6), random.uniform(0.5, 1.5)
    begin = random.uniform(0, 2 * np.pi, 3)
    phase = 2 * np.pi * np.linspace(0, 1, frames)
    share = 0.62 + 0.18 * np.sin(turns[1] * phase + begin[0])
    largest = min(width / WIDTH, height / HEIGHT)
    scale = 1 / (share * largest)
    half = np.stack([WIDTH, HEIGHT], -1) / scale[:, None] / 2
    swing = np.stack(
        [np.sin(turns[0] * phase + begin[1]), np.sin(phase / 2 + begin[2])], -1
    )
    middle = np.array([width, height]) / 2
    center = middle + 0.95 * swing * (middle - half)
    matrices = np.zeros((frames, 2, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = scale
    matrices[:, :, 2] = np.array([WIDTH, HEIGHT]) / 2 - center * scale[:, None]
    return matrices


def make_scene(
    coco: CocoKeypointFile, index: int, image: np.ndarray, frames: int, fps: float
) -> tuple[Scene, list[np.ndarray]]:
    """Move a view over an image; return what is known of it, and its frames."""
    matrices = views(*image.shape[:2], frames, seed=index)
    people = coco.image_index == index
    corners = coco.bboxes[people].reshape(-1, 2, 2)
    scale, shift = matrices[:, 0, 0], matrices[:, :, 2]
    boxes = corners * scale[:, None, None, None] + shift[:, None, None]
    cut = boxes.clip(0, [WIDTH, HEIGHT])
    whole, seen = ((b[..., 1, :] - b[..., 0, :]).prod(-1) for b in (boxes, cut))
    share = seen / np.maximum(whole, 1)
    points = np.broadcast_to(
        coco.keypoints[people], (frames, *coco.keypoints[people].shape)
    ).astype(float)
    # of pixels' centres, where boxes are of edges
    points[..., :2] = (points[..., :2] + 0.5) * scale[:, None, None, None]
    points[..., :2] += shift[:, None, None] - 0.5
    scene = Scene(
        name=coco.images[index]['file_name'],
        fps=fps,
        boxes=cut.reshape(frames, -1, 4),
        keypoints=points,
        is_asked=(share >= _MIN_SEEN) & (seen >= _MIN_PIXELS**2),
        is_there=share > 0,
    )
    drawn = []
    for matrix in matrices:
        pixels = matrix.copy()
        pixels[:, 2] += 0.5 * matrix[0, 0] - 0.5
        # without aliasing: twice the size, then the mean of four
        large = cv2.warpAffine(
            image, _twice(pixels), (2 * WIDTH, 2 * HEIGHT), flags=cv2.INTER_LINEAR
        )
        drawn.append(cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
    return scene, drawn


def _twice(matrix: np.ndarray) -> np.ndarray:
    doubled = 2 * matrix
    doubled[:, 2] += 0.5
    return doubled


def detect(predictor: PosePredictor, video: Path, lines: Path) -> list[PoseResult]:
    """Return the people of a video, found once and kept as lines of JSON."""
    if not lines.exists():
        found = predictor(video, bbox_thr=LOW_THR / 2)
        text = ''.join(json.dumps(result.to_dict()) + '\n' for result in found)
        lines.write_text(text)
    return [
        _read(json.loads(line), predictor) for line in lines.read_text().splitlines()
    ]


def _read(record: dict, predictor: PosePredictor) -> PoseResult:
    people, names = record['people'], predictor.names
    points = np.float32([each['keypoints'] for each in people])
    points = points.reshape(-1, len(names), 3)
    return PoseResult(
        boxes=np.float32([each['box'] for each in people]).reshape(-1, 4),
        scores=np.float32([each['score'] for each in people]),
        keypoints=points[..., :2],
        keypoint_scores=points[..., 2],
        names=names,
        shape=(record['height'], record['width']),
        frame=record['frame'],
        time=record['time'],
        dataset_meta=predictor.dataset_meta,
    )


def number_by_score(results: Iterable[PoseResult], thr: float) -> list[PoseResult]:
    """Give the people of each frame numbers by their place: no tracking."""
    found = []
    for result in results:
        rows = np.flatnonzero(result.scores > thr)
        found.append(_choose(result, rows, rows + 1))
    return found


def follow_by_mmdet(results: Iterable[PoseResult], thr: float) -> list[PoseResult]:
    """Give people numbers by mmdet's ByteTrack as it is, by boxes alone."""
    import torch
    from mmdet.models.task_modules import KalmanFilter
    from mmdet.models.trackers import ByteTracker
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    tracker = ByteTracker(
        motion=dict(type=KalmanFilter),
        obj_score_thrs=dict(high=thr, low=LOW_THR),
        init_track_thr=thr,
        num_frames_retain=30,
    )
    found = []
    for number, result in enumerate(results):
        sample = DetDataSample(metainfo=dict(frame_id=number))
        sample.pred_instances = InstanceData(
            bboxes=torch.as_tensor(result.boxes),
            scores=torch.as_tensor(result.scores),
            # mmdet hands categories through: here they tell the rows
            labels=torch.zeros(len(result), dtype=torch.long),
        )
        people = tracker.track(sample)
        ids = people.instances_id.numpy()
        same = (people.bboxes.numpy()[:, None] == result.boxes[None]).all(-1)
        rows = same.argmax(1) if len(ids) else np.zeros(0, int)
        found.append(_choose(result, rows, ids + 1))
    return found


def follow(
    results: Iterable[PoseResult], predictor: PosePredictor, **options: Any
) -> list[PoseResult]:
    """Give people numbers by this project's tracker."""
    tracker = PoseTracker(predictor.dataset_meta, **options)
    return [tracker(result) for result in results]


def _choose(result: PoseResult, rows: np.ndarray, ids: np.ndarray) -> PoseResult:
    names = ('boxes', 'scores', 'keypoints', 'keypoint_scores')
    chosen = {name: getattr(result, name)[rows] for name in names}
    return replace(result, ids=ids, **chosen)


def match(scene: Scene, results: list[PoseResult]) -> list[dict[str, np.ndarray]]:
    """Compare found people with true ones; leave out who is not asked for.

    Returns:
        list[dict]: Of each frame ``truth`` (G,), rows of the scene; ``found`` (D,),
        rows of the result; ``similarity`` (G, D), the IoU of the boxes; and ``pairs``
        (M, 2) of those matched at an IoU of 0.5.
    """
    frames = []
    for time, result in enumerate(results):
        asked, there = scene.is_asked[time], scene.is_there[time]
        similarity = pairwise_iou(scene.boxes[time], result.boxes)
        preferred = np.where(similarity >= 0.5, similarity + asked[:, None], 0)
        rows, columns = linear_sum_assignment(-preferred)
        is_match = preferred[rows, columns] > 0
        pairs = np.stack([rows, columns], 1)[is_match]
        # who is hardly in the view is not counted, nor who is alone: COCO's files
        # leave out people
        spared = pairs[~asked[pairs[:, 0]] & there[pairs[:, 0]], 1]
        alone = np.flatnonzero(similarity.max(0, initial=0) < _ALONE)
        spared = np.union1d(spared, alone)
        truth = np.flatnonzero(asked)
        found = np.setdiff1d(np.arange(len(result)), spared)
        frames.append(
            dict(
                truth=truth,
                found=found,
                similarity=similarity[truth][:, found],
                pairs=pairs[asked[pairs[:, 0]]],
            )
        )
    return frames


def measure_identities(
    scenes: list[Scene], followed: list[list[PoseResult]]
) -> dict[str, float]:
    """Compute trackeval's figures over all scenes."""
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise UsageError('needs trackeval: pip install trackeval') from error
    metrics = dict(
        HOTA=HOTA(),
        CLEAR=CLEAR({'PRINT_CONFIG': False}),
        Identity=Identity({'PRINT_CONFIG': False}),
    )
    sequences = [_for_trackeval(*pair) for pair in zip(scenes, followed)]
    results = {
        name: metric.combine_sequences(
            {str(n): metric.eval_sequence(each) for n, each in enumerate(sequences)}
        )
        for name, metric in metrics.items()
    }
    return dict(
        HOTA=100 * float(np.mean(results['HOTA']['HOTA'])),
        IDF1=100 * float(results['Identity']['IDF1']),
        switches=int(results['CLEAR']['IDSW']),
        fragmentations=int(results['CLEAR']['Frag']),
        recall=100 * float(results['CLEAR']['CLR_Re']),
        precision=100 * float(results['CLEAR']['CLR_Pr']),
    )


def _for_trackeval(scene: Scene, results: list[PoseResult]) -> dict[str, Any]:
    frames = match(scene, results)
    ids = [result.ids[each['found']] for result, each in zip(results, frames)]
    # trackeval wants numbers without gaps
    truths = np.unique(np.concatenate([each['truth'] for each in frames]))
    numbers = np.unique(np.concatenate(ids))
    return dict(
        num_timesteps=len(frames),
        num_gt_ids=len(truths),
        num_tracker_ids=len(numbers),
        num_gt_dets=sum(len(each['truth']) for each in frames),
        num_tracker_dets=sum(map(len, ids)),
        gt_ids=[np.searchsorted(truths, each['truth']) for each in frames],
        tracker_ids=[np.searchsorted(numbers, each) for each in ids],
        similarity_scores=[each['similarity'] for each in frames],
    )


def measure_keypoints(
    scenes: list[Scene], followed: list[list[PoseResult]], raw: list[list[PoseResult]]
) -> dict[str, float]:
    """Compute shake, error and lag over all scenes, the last one behind ``raw``."""
    shakes, errors, lags = [], [], []
    for scene, results, plain in zip(scenes, followed, raw):
        found = _places(scene, results)
        labelled = scene.is_labelled
        size = np.sqrt((scene.boxes[..., 2:] - scene.boxes[..., :2]).prod(-1))
        size = np.maximum(size, 1)[..., None]
        truth = scene.keypoints[..., :2]
        off = np.where(labelled[..., None], found - truth, np.nan)
        errors.append(np.linalg.norm(off, axis=-1) / size)
        second = off[2:] - 2 * off[1:-1] + off[:-2]
        shakes.append(np.linalg.norm(second, axis=-1) / size[1:-1])
        speed = (truth[2:] - truth[:-2]) * scene.fps / 2
        pace = np.linalg.norm(speed, axis=-1)
        behind = ((_places(scene, plain) - found)[1:-1] * speed).sum(-1)
        fast = labelled[1:-1] & (pace > _FAST * size[1:-1])
        lags.append(behind[fast] / pace[fast] ** 2)
    return dict(
        shake=1000 * float(np.nanmean(np.concatenate([e.ravel() for e in shakes]))),
        error=100 * float(np.nanmean(np.concatenate([e.ravel() for e in errors]))),
        lag=1000 * float(np.nanmean(np.concatenate(lags))),
    )


def _places(scene: Scene, results: list[PoseResult]) -> np.ndarray:
    """Return the found keypoints of the true people (T, P, K, 2), NaN where nobody."""
    found = np.full(scene.keypoints[..., :2].shape, np.nan)
    for time, each in enumerate(match(scene, results)):
        rows, columns = each['pairs'].T
        found[time, rows] = results[time].keypoints[columns]
    return found


def make_videos(args: argparse.Namespace) -> tuple[list[Scene], list[Path]]:
    """Write the videos that are not there yet."""
    coco = load_coco_keypoints(str(args.ann_file), 17, 'coco')
    args.work_dir.mkdir(parents=True, exist_ok=True)
    scenes, videos = [], []
    for index in choose_images(coco, args.scenes):
        image = cv2.imread(str(args.images / coco.images[index]['file_name']))
        if image is None:
            name = args.images / coco.images[index]['file_name']
            raise UsageError(
                f'{name} cannot be read; is this the folder of the images?'
            )
        scene, frames = make_scene(coco, index, image, args.frames, args.fps)
        video = (
            args.work_dir / f'{Path(scene.name).stem}_{args.frames}_{args.fps:g}.mp4'
        )
        if not video.exists():
            with VideoFile(video, args.fps) as file:
                for frame in frames:
                    file.write(frame)
        scenes.append(scene)
        videos.append(video)
    return scenes, videos


def measure(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return the figures of each way."""
    scenes, videos = make_videos(args)
    predictor = PosePredictor(args.config)
    name = Path(args.config).stem
    raw = [
        detect(predictor, video, video.with_suffix(f'.{name}.jsonl'))
        for video in track(videos, 'Videos')
    ]
    thr = predictor.bbox_thr
    ways = {
        'each frame by itself': [number_by_score(each, thr) for each in raw],
        "mmdet's ByteTrack": [follow_by_mmdet(each, thr) for each in raw],
        'tracked': [follow(each, predictor, smooth=0) for each in raw],
    }
    for strength in (0.5, 1, 2):
        ways[f'tracked, smooth {strength:g}'] = [
            follow(each, predictor, smooth=strength) for each in raw
        ]
    return {
        way: {
            **measure_identities(scenes, followed),
            # smoothing lags behind what it smooths
            **measure_keypoints(
                scenes, followed, ways['tracked'] if 'smooth' in way else followed
            ),
        }
        for way, followed in ways.items()
    }


def main(argv: list[str] | None = None) -> None:
    """Measure, print a table and write the figures."""
    args = parse_args(argv)
    figures = measure(args)
    settings = dict(
        model=args.config,
        scenes=args.scenes,
        frames=args.frames,
        fps=args.fps,
        height=HEIGHT,
        width=WIDTH,
    )
    write_json(args.out, dict(settings=settings, figures=figures))
    columns = list(next(iter(figures.values())))
    rows = [
        [way, *(f'{v:.1f}' for v in each.values())] for way, each in figures.items()
    ]
    print(format_table(['', *columns], rows))


if __name__ == '__main__':
    run_tool(main)
