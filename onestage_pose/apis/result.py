# Copyright (c) onestage_pose contributors.
"""What is detected in one image."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample

from ..structures import to_bgr_image
from ..structures.categories import Category, get_categories, take_category
from ..utils.errors import UsageError
from ..utils.paths import is_same_file
from ..utils.suggestions import did_you_mean
from ..visualization.pose_visualizer import PoseVisualizer
from .options import check_choice, check_number, refuse_unknown
from .writing import write_image

if TYPE_CHECKING:
    import pandas as pd
    import supervision as sv

# COCO's files are called by the numbers of their images: 000000129648.jpg.
_COCO_NAME = re.compile(r'(?:.*_)?(\d{6,})')


@dataclass(eq=False, repr=False)
class PoseResult:
    """The people detected in one image, as NumPy arrays, highest score first.

    A tracker sorts them by ``ids``.

    Boxes are x1, y1, x2, y2, measured at the edges: 0 is the left edge of the image.
    Keypoints are x, y, measured at the centres of pixels, as in COCO: 0 is the centre
    of the first pixel. Both are in pixels of the original image, as it is shown.

    If the model has several categories, K counts the keypoints of all of them, and
    those that an instance's category does not have are 0. Only an instance's own
    keypoints are written and drawn; :meth:`of_category` returns the instances of one
    category.

    Attributes:
        boxes (np.ndarray): (N, 4) float32.
        scores (np.ndarray): (N,) float32, 0 to 1.
        keypoints (np.ndarray): (N, K, 2) float32.
        keypoint_scores (np.ndarray): (N, K) float32, 0 to 1.
        names (tuple[str, ...]): Names of the K keypoints; ``CATEGORY/KEYPOINT`` if
            there are several categories.
        keypoint_presence (np.ndarray, optional): (N, K) float32, the probability that a
            keypoint is in the image; from a model with a visibility branch, such as
            ``nano``.
        keypoints_visible (np.ndarray, optional): (N, K) float32, the probability that
            it is visible; at most the presence. From the same models.
        keypoint_covariances (np.ndarray, optional): (N, K, 2, 2) float32, in square
            pixels, with ``covariances=True`` of the predictor.
        labels (np.ndarray, optional): (N,) index of each instance's category, from a
            model with several categories.
        masks (np.ndarray, optional): (N, h, w), from a model with a mask branch.
        heatmaps (np.ndarray, optional): (K, h, w) float32 of these people, with
            ``heatmaps=True`` of the predictor.
        shape (tuple[int, int]): Height and width of the image, in pixels.
        path (str, optional): Path or address of the image or the video.
        index (int): Position in the input, from 0.
        frame (int, optional): Number of the frame in the video, from 0.
        time (float, optional): Time of the frame, in seconds since the first one.
        ids (np.ndarray, optional): (N,) int64 track ids, from 1; set by
            :class:`onestage_pose.tracking.PoseTracker`.
        image (np.ndarray, optional): The image, (h, w, 3) uint8 BGR; None with
            ``keep_images=False`` of the predictor.
        error (Exception, optional): Why the image could not be read; there are no
            people then.
        kpt_thr (float): The model's default for drawing.
        dataset_meta (dict): mmpose's description of the skeleton.
    """

    boxes: np.ndarray
    scores: np.ndarray
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    names: tuple[str, ...]
    shape: tuple[int, int]
    path: str | None = None
    index: int = 0
    frame: int | None = None
    time: float | None = None
    ids: np.ndarray | None = None
    keypoint_presence: np.ndarray | None = None
    keypoints_visible: np.ndarray | None = None
    keypoint_covariances: np.ndarray | None = None
    labels: np.ndarray | None = None
    masks: np.ndarray | None = None
    heatmaps: np.ndarray | None = None
    image: np.ndarray | None = None
    error: Exception | None = None
    kpt_thr: float = 0.3
    dataset_meta: dict = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self.boxes)

    def __getitem__(self, people: int | slice | Sequence | np.ndarray) -> PoseResult:
        """Return some of the people: ``result[0]``, ``result[result.scores > 0.5]``.

        Args:
            people (int | slice | Sequence | np.ndarray): An index, a slice, indices, or
                a boolean for each person.

        Returns:
            PoseResult: Of the same image, in the order of the indices. It has no
            heatmaps, which are of all people together.

        Raises:
            IndexError: There is no such person, or not one boolean for each.
            UsageError: It is something else.
        """
        places = np.atleast_1d(np.arange(len(self))[people])
        if places.ndim > 1:
            raise UsageError(
                f'{people!r} selects no people: give an index, a slice, or one '
                'boolean for each person.'
            )
        names = ('labels', 'masks', 'ids', *dict(self._extras()))
        given = {name: getattr(self, name) for name in names}
        return replace(
            self,
            boxes=self.boxes[places],
            scores=self.scores[places],
            keypoints=self.keypoints[places],
            keypoint_scores=self.keypoint_scores[places],
            heatmaps=None,
            **{k: None if v is None else v[places] for k, v in given.items()},
        )

    def __repr__(self) -> str:
        """Name the image, and how many people are in it."""
        place = self.name if self.frame is None else f'{self.name} frame {self.frame}'
        if self.error is not None:
            return f'PoseResult({place}: {self.error})'
        height, width = self.shape
        found = f'{len(self)} people'
        if self.categories:
            counts = Counter(self.category_names)
            numbers = [f'{number} {name}' for name, number in counts.items()]
            found = ', '.join(numbers) or 'nothing'
        return f'PoseResult({place}, {width}x{height}: {found})'

    @property
    def name(self) -> str:
        """str: The name of the file without its folder; ``'image 3'`` without one."""
        return Path(self.path).name if self.path else f'image {self.index}'

    @property
    def categories(self) -> tuple[Category, ...]:
        """tuple[Category]: The model's categories, indexed by ``labels``; empty if it
        has one skeleton.
        """
        return get_categories(self.dataset_meta)

    @property
    def category_names(self) -> list[str]:
        """list[str]: Category of each of the N instances; empty if the model has one
        skeleton.
        """
        names = [category.name for category in self.categories]
        if len(names) < 2:
            # such a model gives no labels
            return names * len(self)
        return [names[label] for label in (() if self.labels is None else self.labels)]

    def of_category(self, name: str) -> PoseResult:
        """Return the instances of one category, with its own keypoints alone.

        Args:
            name (str): Name of one of :attr:`categories`.

        Returns:
            PoseResult: The result that a model of this category alone would give.

        Raises:
            UsageError: There is no such category.
        """
        known = [category.name for category in self.categories]
        if name not in known:
            raise UsageError(
                f'of_category: there is no category {name!r}, only '
                f'{", ".join(known) or "one skeleton"}.{did_you_mean(name, known)}'
            )
        category = self.categories[known.index(name)]
        mine = self[np.array([each == name for each in self.category_names], bool)]
        own: dict[str, Any] = {
            key: getattr(mine, key)[:, category.places]
            for key in ('keypoints', 'keypoint_scores', *dict(mine._extras()))
        }
        if self.heatmaps is not None:
            own['heatmaps'] = self.heatmaps[category.places]
        return replace(
            mine,
            names=category.keypoint_names,
            labels=None,
            dataset_meta=take_category(self.dataset_meta, category),
            **own,
        )

    def _places(self) -> list[slice]:
        """The places of each instance's own keypoints."""
        of_name = {category.name: category.places for category in self.categories}
        if not of_name:
            return [slice(None)] * len(self)
        return [of_name[name] for name in self.category_names]

    def to_dict(self) -> dict:
        """Return everything as plain numbers, lists and text, for JSON.

        Returns:
            dict: ``path``, ``index``, ``frame``, ``time``, ``height``, ``width``,
            ``keypoint_names`` and ``people``. Each person has ``box``, ``score`` and
            ``keypoints`` as [x, y, score], and if the result has them, ``id``,
            ``label``, ``keypoint_presence``, ``keypoints_visible`` and
            ``keypoint_covariances``.
            ``error`` is there if the image could not be read. With several categories,
            ``keypoint_names`` is a dict of lists by category, and each of ``people``
            has its ``category`` and only the keypoints of that category.
        """
        triples = np.dstack([self.keypoints, self.keypoint_scores])
        people = [
            dict(box=box.tolist(), score=float(score), keypoints=points[own].tolist())
            for box, score, points, own in zip(
                self.boxes, self.scores, triples, self._places()
            )
        ]
        for name, values in self._extras():
            for person, value, own in zip(people, values, self._places()):
                person[name] = value[own].tolist()
        if self.ids is not None:
            for person, number in zip(people, self.ids):
                person['id'] = int(number)
        if self.labels is not None:
            for person, label in zip(people, self.labels):
                person['label'] = int(label)
        for person, name in zip(people, self.category_names):
            person['category'] = name
        found = dict(
            path=self.path,
            index=self.index,
            frame=self.frame,
            time=self.time,
            height=int(self.shape[0]),
            width=int(self.shape[1]),
            keypoint_names=list(self.names),
            people=people,
        )
        if self.categories:
            found['keypoint_names'] = {
                each.name: list(each.keypoint_names) for each in self.categories
            }
        if self.error is not None:
            found['error'] = str(self.error)
        return found

    def to_coco(
        self, image_id: int | None = None, category_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the people in the format of COCO's results.

        Args:
            image_id (int | None): Id of the image; by default the number in its file
                name, as in COCO.
            category_id (int | None): Id of the category of people, 1 by default; with
                ``labels``, id of the first category. Not allowed if :attr:`categories`
                have their own ids.

        Returns:
            list[dict]: One for each person: ``image_id``, ``category_id``, ``bbox``
            (x, y, width, height), ``keypoints`` (3K: x, y, score) and ``score``, and
            the extra keys of :meth:`to_dict`, such as ``keypoint_presence``, which
            COCO's tools ignore.

        Raises:
            UsageError: ``image_id`` is missing and the file name has no number, or
                ``category_id`` is given although the categories have their own ids.
        """
        if image_id is None:
            image_id = self._read_image_id()
        if self.categories and category_id is not None:
            raise UsageError(
                'to_coco: the categories have ids in the metainfo '
                f'({", ".join(f"{each.name} {each.id}" for each in self.categories)}); '
                'leave category_id out.'
            )
        labels = np.zeros(len(self), int) if self.labels is None else self.labels
        first = 1 if category_id is None else category_id
        ids = {each.label: each.id for each in self.categories}
        sizes = self.boxes[:, 2:] - self.boxes[:, :2]
        boxes = np.hstack([self.boxes[:, :2], sizes])
        triples = np.dstack([self.keypoints, self.keypoint_scores])
        records = [
            dict(
                image_id=int(image_id),
                category_id=int(ids[label] if ids else first + label),
                bbox=box.tolist(),
                keypoints=points[own].ravel().tolist(),
                score=float(score),
            )
            for label, box, points, score, own in zip(
                labels, boxes, triples, self.scores, self._places()
            )
        ]
        for name, values in self._extras():
            for record, value, own in zip(records, values, self._places()):
                record[name] = value[own].tolist()
        return records

    def _extras(self) -> list[tuple[str, np.ndarray]]:
        """What not every model predicts of keypoints, by name."""
        names = ('keypoint_presence', 'keypoints_visible', 'keypoint_covariances')
        found = [(name, getattr(self, name)) for name in names]
        return [(name, values) for name, values in found if values is not None]

    def to_dataframe(self) -> pd.DataFrame:
        """Return a table with one row for each keypoint. Needs pandas.

        With several categories, it also has a column ``category`` before ``keypoint``,
        and rows only for the keypoints of the instance's own category.

        Returns:
            pandas.DataFrame: ``path``, ``index``, ``frame``, ``person`` (the place in
            this result), ``score``, ``x1``, ``y1``, ``x2``, ``y2`` (of the box),
            ``keypoint`` (its name), ``x``, ``y``, ``keypoint_score``, and, if the
            result has them, ``keypoint_presence``, ``keypoint_visible``, ``time`` after
            ``frame``, and ``id``, of a tracker, before ``person``.

        Raises:
            UsageError: pandas is not installed.
        """
        pandas = _import('pandas', 'to_dataframe')
        people, points = len(self), len(self.names)

        def each_person(values: np.ndarray) -> np.ndarray:
            return np.repeat(values, points)

        rows = people * points
        x1, y1, x2, y2 = self.boxes.T
        table = pandas.DataFrame(
            {
                'path': [self.path] * rows,
                'index': [self.index] * rows,
                'frame': [self.frame] * rows,
                **({} if self.time is None else {'time': [self.time] * rows}),
                **({} if self.ids is None else {'id': each_person(self.ids)}),
                'person': each_person(np.arange(people)),
                'score': each_person(self.scores),
                'x1': each_person(x1),
                'y1': each_person(y1),
                'x2': each_person(x2),
                'y2': each_person(y2),
                'keypoint': list(self.names) * people,
                'x': self.keypoints[..., 0].ravel(),
                'y': self.keypoints[..., 1].ravel(),
                'keypoint_score': self.keypoint_scores.ravel(),
                **{
                    name.replace('keypoints', 'keypoint'): values.ravel()
                    for name, values in self._extras()
                    if values.ndim == 2
                },
            }
        )
        if not self.categories:
            return table
        names = [name for each in self.categories for name in each.keypoint_names]
        place = table.columns.get_loc('keypoint')
        table.insert(place, 'category', each_person(self.category_names))
        table['keypoint'] = names * people
        own = np.zeros((people, points), bool)
        for row, places in zip(own, self._places()):
            row[places] = True
        return table[own.ravel()].reset_index(drop=True)

    def to_supervision(self) -> tuple[sv.KeyPoints, sv.Detections]:
        """Return the people as objects of Roboflow's supervision. Needs supervision.

        Returns:
            tuple[sv.KeyPoints, sv.Detections]: In the same order; the class of people
            is 0.

        Raises:
            UsageError: supervision is not installed.
        """
        sv = _import('supervision', 'to_supervision')
        labels = np.zeros(len(self), int) if self.labels is None else self.labels
        detections = sv.Detections(
            xyxy=self.boxes, confidence=self.scores, class_id=labels, mask=self.masks
        )
        keypoints = sv.KeyPoints(
            xy=self.keypoints, confidence=self.keypoint_scores, class_id=labels
        )
        return keypoints, detections

    def to_sample(self) -> PoseDataSample:
        """Return mmpose's ``PoseDataSample``, for its visualizer and metrics."""
        instances = InstanceData(
            bboxes=self.boxes,
            bbox_scores=self.scores,
            keypoints=self.keypoints,
            keypoint_scores=self.keypoint_scores,
            keypoints_visible=self.keypoint_scores,
        )
        for name, values in self._extras():
            instances.set_field(values, name)
        if self.ids is not None:
            # mmdet's name
            instances.instances_id = self.ids
        for name in ('labels', 'masks'):
            if getattr(self, name) is not None:
                instances.set_field(getattr(self, name), name)
        sample = PoseDataSample(metainfo=dict(img_path=self.path or self.name))
        sample.pred_instances = instances
        if self.heatmaps is not None:
            sample.pred_fields = PixelData(heatmaps=self.heatmaps)
        return sample

    def plot(
        self,
        *,
        kpt_thr: float | None = None,
        draw_bbox: bool = False,
        draw_scores: bool = False,
        draw_ids: bool = False,
        draw_heatmap: bool = False,
        draw_ellipses: bool = False,
        color_by: Literal['side', 'person'] = 'side',
        radius: int | None = None,
        thickness: int | None = None,
        skeleton_style: Literal['mmpose', 'openpose'] = 'mmpose',
        image: np.ndarray | None = None,
        **unknown: Any,
    ) -> np.ndarray:
        """Draw the people.

        If the model has a visibility branch, keypoints that are probably not in the
        image are left out, and hidden ones are rings.

        Args:
            kpt_thr (float | None): Leave out keypoints whose score is under this; by
                default :attr:`kpt_thr`.
            draw_bbox (bool): Draw the boxes.
            draw_scores (bool): Write each person's score at the box.
            draw_ids (bool): Write each person's track id at the box.
            draw_heatmap (bool): Draw the heatmaps below the image.
            draw_ellipses (bool): Draw where each keypoint lies in 9 of 10 cases.
            color_by (str): ``'side'``: left green, right orange, middle blue;
                ``'person'``: one colour for each person.
            radius (int | None): Of keypoints, in pixels; by default in proportion to
                the image.
            thickness (int | None): Of limbs, likewise.
            skeleton_style (str): ``'mmpose'``, or ``'openpose'`` for COCO's skeleton.
            image (np.ndarray | None): Background to draw on, (h, w, 3) BGR; by default
                the image itself.

        Returns:
            np.ndarray: (h, w, 3) uint8 BGR, twice as high with heatmaps.

        Raises:
            UsageError: An option is unknown or invalid, or there is no image to draw
                on.
            ImageError: The image could not be read, or ``image`` is not an image.
        """
        refuse_unknown(unknown, PLOT_OPTIONS, 'plot')
        check_number('kpt_thr', kpt_thr, 0, optional=True)
        check_number('radius', radius, 1, whole=True, optional=True)
        check_number('thickness', thickness, 1, whole=True, optional=True)
        check_choice('color_by', color_by, ('side', 'person'))
        check_choice('skeleton_style', skeleton_style, ('mmpose', 'openpose'))
        if self.error is not None:
            raise self.error
        image = self.image if image is None else to_bgr_image(image)
        if image is None:
            raise UsageError(
                f'{self.name}: the image was not kept; give it by image=..., or do not '
                'set keep_images=False.'
            )
        if draw_heatmap and self.heatmaps is None:
            raise UsageError(
                'draw_heatmap: the result has no heatmaps; call the predictor with '
                'heatmaps=True, and draw before people are selected.'
            )
        if draw_ellipses and self.keypoint_covariances is None:
            raise UsageError(
                'draw_ellipses: the result has no covariances; call the predictor '
                'with covariances=True.'
            )
        visualizer = PoseVisualizer(line_width=thickness, radius=radius)
        visualizer.set_dataset_meta(self.dataset_meta, skeleton_style)
        drawing = visualizer.add_datasample(
            self.name,
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB),
            self.to_sample(),
            draw_gt=False,
            draw_bbox=draw_bbox,
            draw_heatmap=draw_heatmap,
            draw_scores=draw_scores,
            draw_ids=draw_ids,
            draw_ellipses=draw_ellipses,
            color_by=color_by,
            kpt_thr=self.kpt_thr if kpt_thr is None else kpt_thr,
            skeleton_style=skeleton_style,
        )
        return cv2.cvtColor(drawing, cv2.COLOR_RGB2BGR)

    def save(self, target: str | os.PathLike, **options: Any) -> Path:
        """Draw the people and write the drawing, whole or not at all.

        Args:
            target (str | os.PathLike): An image file, or a folder, which is created
                (give it a slash at the end if its name has a dot). In a folder, the
                drawing has the name of the image (``NAME.png`` if OpenCV cannot write
                that format), ``NAME_000012.jpg`` for a frame, or the next free number,
                ``000012.jpg``, for an image without a name.
            **options: As :meth:`plot` takes them.

        Returns:
            Path: The file.

        Raises:
            UsageError, ImageError: As :meth:`plot`; or the file is the image itself, or
                of a format that cannot be written.
            OutputError: The file could not be written.
        """
        path = Path(os.fsdecode(target))
        is_folder = path.is_dir() or os.fsdecode(target).endswith(('/', os.sep))
        if is_folder or not path.suffix:
            path = path / self._file_name(path)
        elif not can_write(path.name):
            raise UsageError(
                f'{path}: no image of this kind can be written; give .jpg, .png, .webp '
                'or .bmp, or a folder (which ends in a slash).'
            )
        if self.path and is_same_file(path, self.path):
            raise UsageError(
                f'{path} is the image itself and would be overwritten; give '
                'another folder.'
            )
        drawing = self.plot(**options)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, drawing)
        return path

    def _file_name(self, folder: Path) -> str:
        if self.frame is not None:
            return f'{Path(self.name).stem}_{self.frame:06d}.jpg'
        if self.path is None:
            numbers = itertools.count(self.index)
            names = (f'{number:06d}.jpg' for number in numbers)
            return next(name for name in names if not (folder / name).exists())
        # of an address without what follows the path
        name = re.split('[?#]', self.name)[0] if '://' in self.path else self.name
        return name if can_write(name) else f'{name}.png'

    def _read_image_id(self) -> int:
        found = read_image_id(self.path or '')
        if found is None or self.frame is not None:
            raise UsageError(
                f'to_coco: the name {self.name} has no number, as the names of '
                "COCO's images have; give image_id."
            )
        return found


#: The names of the options of :meth:`PoseResult.plot`.
PLOT_OPTIONS = tuple(PoseResult.plot.__kwdefaults__)


def add_presence(people: list[dict], instances: InstanceData) -> None:
    """Add what mmpose's ``split_instances`` leaves out: presence and visibility.

    Args:
        people (list[dict]): N people, changed in place: each gets
            ``keypoint_presence`` and ``keypoints_visible``, K numbers from 0 to 1.
        instances (InstanceData): The same people. Without a presence, nothing is added:
            their ``keypoints_visible`` are the scores of the keypoints.
    """
    if 'keypoint_presence' not in instances:
        return
    for name in ('keypoint_presence', 'keypoints_visible'):
        for person, values in zip(people, instances[name]):
            person[name] = values.tolist()


def read_image_id(path: str) -> int | None:
    """Return the number that an image is called by, as COCO's are; None without."""
    found = _COCO_NAME.fullmatch(Path(path).stem)
    return int(found.group(1)) if found else None


def can_write(name: str) -> bool:
    """Return whether OpenCV can write the kind of image that a name says."""
    suffix = Path(name).suffix
    # by the suffix alone: OpenCV crashes on names that are not UTF-8
    return bool(suffix) and cv2.haveImageWriter(f'image{suffix}')


def _import(package: str, method: str) -> Any:
    try:
        return __import__(package)
    except ImportError as error:
        raise UsageError(
            f'{method} needs {package}, which is not installed: pip install {package}'
        ) from error
