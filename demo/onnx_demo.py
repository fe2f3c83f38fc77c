# Copyright (c) onestage_pose contributors.
"""Find people with an exported model. Needs onnxruntime, numpy and OpenCV alone.

python tools/deployment/export_onnx.py nano nano.onnx
python demo/onnx_demo.py nano.onnx IMAGE [IMAGE ...]
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

# Left, right, middle, BGR: those of onestage_pose.visualization.palette.
COLOURS = ((0, 255, 0), (0, 128, 255), (255, 153, 51))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', type=Path, help='file of tools/deployment')
    parser.add_argument('images', type=Path, nargs='+')
    parser.add_argument('--out-dir', type=Path, default=Path('outputs'))
    parser.add_argument(
        '--score-thr', type=float, default=0.3, help='leave out people under this'
    )
    parser.add_argument(
        '--kpt-thr',
        type=float,
        default=0.3,
        help='leave out keypoints under this (0.05 suits the codec score_mode peak)',
    )
    return parser.parse_args()


class PoseModel:
    """An exported model.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), providers=onnxruntime.get_available_providers()
            )
        except Exception as error:  # onnxruntime's own have no common base
            sys.exit(f'Error: {path} is no model for ONNX Runtime: {error}')
        meta = self.session.get_modelmeta().custom_metadata_map
        if 'resize' not in meta:
            sys.exit(f'Error: {path} was not made by tools/deployment/export_onnx.py.')
        self.resize = json.loads(meta['resize'])
        dataset = json.loads(meta['dataset_meta'])
        self.names: list = dataset['keypoint_names']
        self.skeleton: list = dataset['skeleton']

    def __call__(self, image: np.ndarray) -> dict:
        """Find people.

        Args:
            image (np.ndarray): (height, width, 3) uint8, BGR.

        Returns:
            dict: Of N people with K keypoints, in pixels: ``bboxes`` (N, 4),
            ``scores`` (N,), ``keypoints`` (N, K, 2), the centre of the first pixel
            being (0, 0), ``keypoint_scores`` (N, K).
        """
        height, width = image.shape[:2]
        new_width, new_height = self._new_size(width, height)
        inputs = resize(image, new_width, new_height)
        inputs = inputs.transpose(2, 0, 1)[None].astype(np.float32)
        names = [output.name for output in self.session.get_outputs()]
        people = dict(zip(names, self.session.run(names, dict(image=inputs))))
        scale = np.array([new_width / width, new_height / height], np.float32)
        people['bboxes'] = people['bboxes'] / np.tile(scale, 2)
        people['keypoints'] = (people['keypoints'] + 0.5) / scale - 0.5
        return people

    def _new_size(self, width: int, height: int) -> tuple:
        if self.resize is None:
            return width, height
        factor = self.resize['shorter'] / min(width, height)
        factor = min(factor, self.resize['longer'] / max(width, height))
        return max(1, int(factor * width + 0.5)), max(1, int(factor * height + 0.5))


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize as Pillow's bilinear filter does, which smooths what it shrinks."""

    def weights(old: int, new: int) -> np.ndarray:
        scale = old / new
        reach = max(scale, 1.0)
        centers = (np.arange(new)[:, None] + 0.5) * scale - 0.5
        triangle = np.clip(1 - abs(np.arange(old) - centers) / reach, 0, None)
        return (triangle / triangle.sum(1, keepdims=True)).astype(np.float32)

    rows, columns = weights(image.shape[0], height), weights(image.shape[1], width)
    across = np.rint(np.einsum('xw,hwc->hxc', columns, image, optimize=True))
    return np.rint(np.einsum('yh,hxc->yxc', rows, across, optimize=True))


def draw(image: np.ndarray, people: dict, model: PoseModel, thr: float) -> np.ndarray:
    """Draw boxes and skeletons on a copy of the image."""
    drawn = image.copy()
    thickness = max(1, round(max(image.shape) / 400))
    for box, points, scores in zip(
        people['bboxes'], people['keypoints'], people['keypoint_scores']
    ):
        x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
        cv2.rectangle(drawn, (x1, y1), (x2, y2), (255, 255, 255), 1)
        places = [tuple(place) for place in np.rint(points).astype(int).tolist()]
        sides = [side_of(name) for name in model.names]
        for a, b in model.skeleton:
            if min(scores[a], scores[b]) >= thr:
                colour = COLOURS[sides[a] if sides[a] == sides[b] else 2]
                cv2.line(drawn, places[a], places[b], colour, thickness, cv2.LINE_AA)
        for place, score, side in zip(places, scores, sides):
            if score >= thr:
                cv2.circle(drawn, place, 2 * thickness, COLOURS[side], -1, cv2.LINE_AA)
    return drawn


def side_of(name: str) -> int:
    """Return 0 for a left keypoint, 1 for a right one, 2 for one in the middle."""
    return next((i for i, side in enumerate(('left', 'right')) if side in name), 2)


def read(path: Path) -> np.ndarray:
    """Read an image, (height, width, 3) uint8 BGR; raise ``ValueError`` for others."""
    # not by cv2.imread, which crashes on names that are not UTF-8
    data = np.fromfile(path, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ValueError('no image that OpenCV can decode')
    return image


def write(path: Path, image: np.ndarray) -> None:
    """Write a PNG file, whole or not at all."""
    part = path.with_name(f'.{os.getpid()}.part')
    try:
        part.write_bytes(cv2.imencode('.png', image)[1])
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def plan(images: list, out_dir: Path) -> list:
    """Name a drawing for each image; end where one would replace another file."""
    targets = [out_dir / f'{path.stem}.png' for path in images]
    for target in targets:
        if os.path.exists(target) and any(
            os.path.exists(path) and path.samefile(target) for path in images
        ):
            sys.exit(f'Error: {target} is one of the images; give another --out-dir.')
        if targets.count(target) > 1:
            sys.exit(f'Error: {target} would be drawn of several images; rename them.')
    return targets


def main() -> None:
    """Find and draw the people of each image, and print how many there are."""
    # a file's name may hold what the terminal cannot show
    sys.stdout.reconfigure(errors='backslashreplace')
    args = parse_args()
    if not args.model.is_file():
        sys.exit(f'Error: there is no model {args.model}.')
    targets = plan(args.images, args.out_dir)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    model = PoseModel(args.model)
    failures = []
    for path, target in zip(args.images, targets):
        try:
            image = read(path)
            start = time.perf_counter()
            people = model(image)
            elapsed = time.perf_counter() - start
            sure = people['scores'] >= args.score_thr
            people = {name: values[sure] for name, values in people.items()}
            write(target, draw(image, people, model, args.kpt_thr))
        except (OSError, ValueError, cv2.error) as error:
            failures.append(f'{path}: {error}')
            continue
        print(f'{path}: {sure.sum()} people in {1000 * elapsed:.0f} ms, see {target}')
    if failures:
        sys.exit('Error: some images were not drawn:\n  ' + '\n  '.join(failures))


if __name__ == '__main__':
    main()
