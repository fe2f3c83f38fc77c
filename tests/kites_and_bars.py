# Copyright (c) onestage_pose contributors.
"""Images of drawn objects of two categories, each with keypoints of its own."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.kites import NAMES, write_kites

BAR_NAMES = ['left_end', 'right_end']
#: The file's ids are in another order than the metainfo's categories.
KITE_ID, BAR_ID = 7, 3
METAINFO = dict(
    dataset_name='kites_and_bars',
    categories=[
        dict(
            name=name,
            id=id_,
            keypoint_info={
                place: dict(name=each, id=place, swap=swap)
                for place, (each, swap) in enumerate(points.items())
            },
            skeleton_info={0: dict(link=tuple(points)[:2], id=0)},
            joint_weights=[1.0] * len(points),
            sigmas=[sigma] * len(points),
        )
        for name, id_, sigma, points in (
            ('kite', KITE_ID, 0.05, dict(zip(NAMES, ['', *NAMES[2:0:-1], '']))),
            ('bar', BAR_ID, 0.1, dict(zip(BAR_NAMES, BAR_NAMES[::-1]))),
        )
    ],
)
#: Of the union: of each kite its four, then of each bar its two.
UNION = [f'kite/{name}' for name in NAMES] + [f'bar/{name}' for name in BAR_NAMES]
FLIP_INDICES = [0, 2, 1, 3, 5, 4]


def write_kites_and_bars(folder: Path, number: int = 6, seed: int = 0) -> Path:
    """Draw one kite and one bar in each image.

    Args:
        folder: Gets ``annotations.json`` and ``images``.
        number: Of images.
        seed: Of where they are.

    Returns:
        The folder.
    """
    write_kites(folder, number, seed)
    generator = np.random.default_rng(seed)
    path = folder / 'annotations.json'
    content: dict[str, Any] = json.loads(path.read_text())
    for kite in list(content['annotations']):
        kite['category_id'] = KITE_ID
        file = str(folder / 'images' / content['images'][kite['image_id']]['file_name'])
        image = cv2.imread(file)
        height, width = image.shape[:2]
        length = int(generator.integers(30, 50))
        left = int(generator.integers(4, width - length - 4))
        # above or below the kite, whichever has more room
        x, y, w, h = kite['bbox']
        top = y // 2 if y > height - y - h else (height + y + h) // 2
        bar = dict(x1=left, x2=left + length, y=int(np.clip(top, 9, height - 10)))
        near, far = (bar['x1'], bar['y'] - 8), (bar['x2'], bar['y'] + 8)
        cv2.rectangle(image, near, far, (40, 200, 60), cv2.FILLED)
        cv2.circle(image, (bar['x1'] + 4, bar['y']), 3, (255, 255, 255), cv2.FILLED)
        cv2.imwrite(file, image)
        content['annotations'].append(
            dict(
                id=100 + kite['id'],
                image_id=kite['image_id'],
                category_id=BAR_ID,
                bbox=[near[0], near[1], length, 16],
                area=float(16 * length),
                iscrowd=0,
                keypoints=[bar['x1'], bar['y'], 2, bar['x2'], bar['y'], 2],
            )
        )
    content['categories'] = [
        dict(id=BAR_ID, name='bar', keypoints=BAR_NAMES, skeleton=[[1, 2]]),
        dict(content['categories'][0], id=KITE_ID),
    ]
    path.write_text(json.dumps(content))
    return folder
