# Copyright (c) onestage_pose contributors.
"""Images of a drawn object of four keypoints, with a COCO keypoint file."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

NAMES = ['tip', 'left_corner', 'right_corner', 'tail']
SKELETON = [[1, 2], [1, 3], [2, 4], [3, 4]]
# half as wide as high, about its centre
_SHAPE = np.array([[0, -1], [-0.6, -0.2], [0.6, -0.2], [0, 1]])
_WIDTH, _HEIGHT = 160, 120


def write_kites(folder: Path, number: int = 6, seed: int = 0, **category: Any) -> Path:
    """Draw kites on noise, one in an image.

    Args:
        folder: Gets ``annotations.json`` and ``images``.
        number: Of images.
        seed: Of where they are.
        category: Instead of what the file says of it. With other than four names of
            keypoints, these lie at the four corners in turn.

    Returns:
        The folder.
    """
    (folder / 'images').mkdir(parents=True)
    generator = np.random.default_rng(seed)
    kite = dict(id=1, name='kite', keypoints=NAMES, skeleton=SKELETON) | category
    corners = [place % len(NAMES) for place in range(len(kite['keypoints']))]
    images, annotations = [], []
    for id_ in range(number):
        noise = generator.integers(60, 160, (8, 10, 3), dtype=np.uint8)
        image = cv2.resize(noise, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
        size, angle = generator.uniform(24, 44), generator.uniform(-0.6, 0.6)
        cos, sin = np.cos(angle), np.sin(angle)
        center = generator.uniform(size, np.array([_WIDTH, _HEIGHT]) - size)
        points = size * _SHAPE @ np.array([[cos, sin], [-sin, cos]]) + center
        points = np.rint(points).astype(np.int32)
        for corner, color in ((1, (40, 60, 230)), (2, (230, 180, 40))):
            cv2.fillPoly(image, [points[[0, corner, 3]]], color, cv2.LINE_AA)
        cv2.circle(image, points[0].tolist(), 3, (0, 255, 255), cv2.FILLED)
        name = f'{id_}.png'
        cv2.imwrite(str(folder / 'images' / name), image)
        near, far = points.min(0), points.max(0)
        images.append(dict(id=id_, file_name=name, width=_WIDTH, height=_HEIGHT))
        annotations.append(
            dict(
                id=id_,
                image_id=id_,
                category_id=1,
                bbox=[*near.tolist(), *(far - near).tolist()],
                area=float(1.2 * size**2),
                iscrowd=0,
                keypoints=[v for x, y in points[corners].tolist() for v in (x, y, 2)],
            )
        )
    content = dict(images=images, annotations=annotations, categories=[kite])
    (folder / 'annotations.json').write_text(json.dumps(content))
    return folder
