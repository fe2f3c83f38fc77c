# Copyright (c) onestage_pose contributors.
"""Render one image of synthetic people with its annotations."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import Canvas
from .figure import OWN_TRUNK, SEEN_ON, STRIDE, Figure, Placed
from .outfit import sample_outfit
from .poses import sample_pose
from .scene import Scene
from .skeleton import Camera, sample_body

MAX_PEOPLE = 255 // STRIDE - 1  # ids are uint8
# A person of whom less than this part is seen gets no keypoints.
_LEAST_SEEN = 0.08


@dataclass
class RenderedPerson:
    """One person of an image.

    Attributes:
        keypoints (np.ndarray): (17, 3) float32, x and y in the pixel-index convention
            and COCO's visibility: 0 unlabelled (then x = y = 0), 1 hidden, 2 seen.
        bbox (np.ndarray): (4,) float32 x1, y1, x2, y2, continuous edges around the
            pixels that are seen of the person.
        area (int): Number of those pixels.
        number (int): The person's ids are from ``STRIDE * number`` on.
        yaw (float): Degrees, 0 for a front view, 180 for a back view.
    """

    keypoints: np.ndarray
    bbox: np.ndarray
    area: int
    number: int
    yaw: float

    @property
    def num_keypoints(self) -> int:
        """Return the number of labelled keypoints."""
        return int((self.keypoints[:, 2] > 0).sum())

    def mask(self, ids: np.ndarray) -> np.ndarray:
        """Return (H, W) bool, where the image's id buffer shows the person."""
        return ids // STRIDE == self.number


def render(
    rng: np.random.Generator,
    size: tuple[int, int],
    min_people: int = 1,
    max_people: int = 4,
    person_height: tuple[float, float] = (0.25, 0.95),
    occlusion_prob: float = 0.3,
    crop_prob: float = 0.15,
    return_ids: bool = False,
) -> (
    tuple[np.ndarray, list[RenderedPerson]]
    | tuple[np.ndarray, list[RenderedPerson], np.ndarray]
):
    """Draw people over clutter.

    Args:
        rng (np.random.Generator): Source of all randomness; equal states give equal
            images.
        size (tuple[int, int]): Height and width in pixels.
        min_people, max_people: inclusive range of the number of people drawn;
            up to ``MAX_PEOPLE``.
        person_height (tuple[float, float]): Range of a standing person's height, part
            of the image's height.
        occlusion_prob (float): Chance that a person may stand close behind or in front
            of another, and that a person gets a thing put in front.
        crop_prob (float): Chance that a person reaches beyond the image.
        return_ids (bool): Whether to return the id buffer too.

    Returns:
        tuple[np.ndarray, list[RenderedPerson]] | tuple[np.ndarray,
        list[RenderedPerson], np.ndarray]: Image (H, W, 3) uint8 BGR; the people of whom
        anything is seen, from far to near; with ``return_ids`` also the (H, W) uint8 id
        buffer, 0 where nobody is seen.
    """
    h, w = size
    canvas = Canvas(h, w)
    angle = np.radians(rng.uniform(-150, -30))
    light = np.array([np.cos(angle), np.sin(angle)])
    scene = Scene(canvas, rng, light)
    scene.paint()

    placed = []
    places = _arrange(
        rng,
        scene,
        int(rng.integers(min_people, max_people + 1)),
        person_height,
        occlusion_prob,
        crop_prob,
    )
    for number, (figure, origin, height) in enumerate(places, 1):
        if figure.pose.lift < 0.2:
            canvas.darken(
                origin - light * (0.06 * height, 0), (0.24 * height, 0.05 * height)
            )
        person = figure.draw(canvas, origin, height, number, light)
        drawn = int(np.count_nonzero(canvas.ids // STRIDE == number))
        placed.append((person, drawn))
        if rng.random() < occlusion_prob * 0.5:
            box = figure.box * height
            x = origin[0] + rng.uniform(box[0], box[2])
            scene.foreground(x, origin[1] + 0.02 * height, height)

    people = []
    for person, drawn in placed:
        annotation = annotate(canvas.ids, person, drawn)
        if annotation is not None:
            people.append(annotation)
    image = _develop(rng, canvas.image())
    return (image, people, canvas.ids) if return_ids else (image, people)


def _sample_figure(rng: np.random.Generator) -> Figure:
    u = rng.random()
    if u < 0.4:
        yaw = rng.normal(0, 25)
    elif u < 0.55:
        yaw = 180 + rng.normal(0, 25)
    else:
        yaw = rng.uniform(0, 360)
    camera = Camera(yaw, rng.uniform(-4, 16), rng.uniform(3.5, 8))
    return Figure(sample_body(rng), sample_pose(rng), sample_outfit(rng), camera, yaw)


def _arrange(
    rng: np.random.Generator,
    scene: Scene,
    count: int,
    person_height: tuple[float, float],
    occlusion_prob: float,
    crop_prob: float,
) -> list[tuple[Figure, np.ndarray, float]]:
    """Return figures with the image points they stand on and heights, far to near."""
    h, w = scene.h, scene.w
    places: list[tuple[Figure, np.ndarray, float]] = []
    boxes: list[np.ndarray] = []
    low, high = person_height
    if count > 2:  # crowds stand farther away
        high = max(low, high * (1 - 0.07 * (count - 2)))
    for _ in range(count):
        figure = _sample_figure(rng)
        limit = 0.6 if rng.random() < occlusion_prob else 0.08
        cropped = rng.random() < crop_prob
        best: tuple[float, np.ndarray, np.ndarray, float] | None = None
        for _attempt in range(10):
            height = low * (high / low) ** rng.random() * h
            # Nothing but a crop may stick out of the image.
            span = figure.box[2:] - figure.box[:2]
            height = min(height, (w - 2) / span[0], (h - 2) / span[1])
            box = figure.box * height
            x = rng.uniform(1 - box[0], max(w - 1 - box[2], 1 - box[0]))
            eye = scene.horizon + height * rng.uniform(0.3, 1.1)
            lowest, highest = 1 - box[1], max(h - 1 - box[3], 1 - box[1])
            y = float(np.clip(eye, lowest, highest))
            if cropped:
                x, y, height = _crop(rng, box, (h, w), x, y, height)
            origin = np.array([x, y])
            box = figure.box * height + np.tile(origin, 2)
            overlap = max((_overlap(box, other) for other in boxes), default=0.0)
            if best is None or overlap < best[0]:
                best = overlap, box, origin, height
            if overlap <= limit:
                best = overlap, box, origin, height
                break
        assert best is not None
        boxes.append(best[1])
        places.append((figure, best[2], best[3]))
    places.sort(key=lambda place: place[1][1] + 0.2 * place[2])
    return places


def _crop(
    rng: np.random.Generator,
    box: np.ndarray,
    size: tuple[int, int],
    x: float,
    y: float,
    height: float,
) -> tuple[float, float, float]:
    """Move a person over one of the image's borders."""
    h, w = size
    side = rng.random()
    part = rng.uniform(0.15, 0.5)
    if side < 0.3:
        return -box[0] - part * (box[2] - box[0]), y, height
    if side < 0.6:
        return w - box[2] + part * (box[2] - box[0]), y, height
    if side < 0.9:  # the feet are below the image
        grow = rng.uniform(1.0, 1.6)
        bottom = h + part * (box[3] - box[1]) * grow
        return x, bottom - box[3] * grow, height * grow
    # The head is above the image, the feet stay where they are.
    grow = y / (-box[1] - 0.5 * part * (box[3] - box[1]))
    if 1 <= grow < 1.8:
        return x, y, height * grow
    return x, y, height


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the intersection over the smaller of two boxes."""
    side = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (side <= 0).any():
        return 0.0
    smaller = min(np.prod(a[2:] - a[:2]), np.prod(b[2:] - b[:2]))
    return float(side[0] * side[1] / smaller)


def annotate(ids: np.ndarray, person: Placed, drawn: int) -> RenderedPerson | None:
    """Return what is seen of a person in the finished id buffer; None for nothing."""
    h, w = ids.shape
    own = ids // STRIDE == person.number
    columns, rows = np.flatnonzero(own.any(0)), np.flatnonzero(own.any(1))
    if not len(rows):
        return None
    area = int(np.count_nonzero(own))
    bbox = np.array(
        [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float32
    )
    xy = person.keypoints
    pixel = np.rint(xy).astype(int)
    inside = ((pixel >= 0) & (pixel < (w, h))).all(1)
    pixel = np.clip(pixel, 0, (w - 1, h - 1))
    id_ = ids[pixel[:, 1], pixel[:, 0]]
    part = id_ % STRIDE
    seen = (id_ // STRIDE == person.number) & SEEN_ON[np.arange(17), part]
    # A shoulder or a hip behind the own trunk is hidden by it.
    seen &= ~(person.far & np.isin(part, OWN_TRUNK))
    v = np.where(seen, person.state, np.minimum(person.state, 1))
    v = np.where(inside, v, 0)
    if area < _LEAST_SEEN * drawn:
        v[:] = 0
    keypoints = np.concatenate([xy, v[:, None]], 1).astype(np.float32)
    keypoints[v == 0] = 0
    return RenderedPerson(keypoints, bbox, area, person.number, person.figure.yaw)


def _develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Apply light, colour, blur and noise of a camera."""
    h, w = image.shape[:2]
    corners = rng.uniform(0.78, 1.12, (2, 2, 1)) * rng.uniform(0.95, 1.05, (1, 1, 3))
    gain = cv2.resize(
        corners.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR
    )
    image = cv2.multiply(image, gain, dtype=cv2.CV_8U)
    u = rng.random(4)
    if u[0] < 0.2:
        sigma = 0.4 + 0.6 * u[1]
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    if u[2] < 0.35:
        strength = int(rng.integers(4, 20))
        noise = np.frombuffer(rng.bytes(image.size), np.uint8).reshape(image.shape)
        noise = cv2.multiply(noise, strength / 255.0)
        image = cv2.subtract(cv2.add(image, noise), (strength // 2,) * 4)
    if u[3] < 0.25:
        quality = int(rng.integers(45, 90))
        _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return image
