# Copyright (c) onestage_pose contributors.
"""Draw images of a kite, annotated as LabelMe exports them.

``python docs/tutorials/draw_kites.py kites`` writes 40 images of 320x240 pixels with a
JSON file each: a rectangle and four points. They are what the tutorial on your own
keypoints starts from when you have no annotations at hand.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

NAMES = ['tip', 'left_corner', 'right_corner', 'tail']
SHAPE = np.array([[0, -1], [-0.6, -0.2], [0.6, -0.2], [0, 1]])
WIDTH, HEIGHT = 320, 240


def draw(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a kite on noise; return the image and its keypoints (4, 2), in pixels."""
    noise = generator.integers(60, 160, (8, 10, 3), dtype=np.uint8)
    image = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    size, angle = generator.uniform(48, 88), generator.uniform(-0.6, 0.6)
    cos, sin = np.cos(angle), np.sin(angle)
    center = generator.uniform(size, np.array([WIDTH, HEIGHT]) - size)
    points = size * SHAPE @ np.array([[cos, sin], [-sin, cos]]) + center
    points = np.rint(points).astype(np.int32)
    for corner, color in ((1, (40, 60, 230)), (2, (230, 180, 40))):
        cv2.fillPoly(image, [points[[0, corner, 3]]], color, cv2.LINE_AA)
    cv2.circle(image, points[0].tolist(), 6, (0, 255, 255), cv2.FILLED)
    return image, points


def annotate(name: str, points: np.ndarray) -> dict:
    """Return what LabelMe writes for an image with one kite."""
    corners = [points.min(0).tolist(), points.max(0).tolist()]
    shapes = [dict(label='kite', shape_type='rectangle', points=corners, group_id=1)]
    shapes += [
        dict(label=label, shape_type='point', points=[point], group_id=1)
        for label, point in zip(NAMES, points.tolist())
    ]
    return dict(
        version='5.5.0',
        flags={},
        shapes=shapes,
        imagePath=name,
        imageData=None,
        imageHeight=HEIGHT,
        imageWidth=WIDTH,
    )


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__.splitlines()[0]
    )
    parser.add_argument('folder', type=Path)
    parser.add_argument('--number', type=int, default=40, help='of images')
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    (args.folder / 'labels.txt').write_text('\n'.join(NAMES) + '\n')
    generator = np.random.default_rng(0)
    for number in range(args.number):
        image, points = draw(generator)
        name = f'{number:03}.png'
        cv2.imwrite(str(args.folder / name), image)
        content = json.dumps(annotate(name, points), indent=1)
        (args.folder / f'{number:03}.json').write_text(content)


if __name__ == '__main__':
    main()
