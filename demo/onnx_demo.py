# Copyright (c) onestage_pose contributors.
"""Find people with an exported model. Needs onnxruntime, numpy and OpenCV alone.

Of the project it takes two modules that need nothing but Python: keep it in a checkout.

onestage-pose export nano nano.onnx
python demo/onnx_demo.py nano.onnx IMAGE [IMAGE ...]
"""

import argparse
import os
import sys
import time
import types
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

# Modules of the checkout without the package around them, which needs MMPose.
light = types.ModuleType('onestage_pose_light')
light.__path__ = [str(Path(__file__).resolve().parents[1] / 'onestage_pose' / 'utils')]
sys.modules[light.__name__] = light

from onestage_pose_light.image_formats import MAX_PIXELS, check_image  # noqa: E402
from onestage_pose_light.onnx_format import check_onnx  # noqa: E402

# Left, right, middle, BGR: those of onestage_pose.visualization.palette.
COLOURS = ((0, 255, 0), (0, 128, 255), (255, 153, 51))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('model', type=Path, help='file of onestage-pose export')
    parser.add_argument('images', type=Path, nargs='+')
    parser.add_argument('--out-dir', type=Path, default=Path('outputs'))
    parser.add_argument(
        '--bbox-thr',
        '--score-thr',
        type=float,
        default=0.3,
        help='leave out people whose score is under this (default: %(default)s)',
    )
    parser.add_argument(
        '--print-people',
        action='store_true',
        help='also print the score, the box and the keypoints (x, y, score) of each',
    )
    parser.add_argument(
        '--kpt-thr',
        type=float,
        default=0.3,
        help='leave out keypoints under this (0.05 suits the codec score_mode peak)',
    )
    parser.add_argument(
        '--max-pixels',
        type=int,
        default=MAX_PIXELS,
        help='refuse images of more pixels (default: %(default)s)',
    )
    return parser.parse_args()


class PoseModel:
    """An exported model.

    Args:
        path: The file.

    Raises:
        ValueError: It is not as ``onestage-pose export`` writes it.
    """

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        metadata = check_onnx(content, str(path))
        self.names, self.skeleton, self.resize = metadata
        self.categories = metadata.categories
        try:
            # of the bytes that were checked, so that no other file is opened
            self.session = onnxruntime.InferenceSession(
                content, providers=onnxruntime.get_available_providers()
            )
        except Exception as error:  # onnxruntime's own have no common base
            raise ValueError(
                f'{path} is not a model for ONNX Runtime: {error}'
            ) from error
        outputs = {
            output.name
            for output in self.session.get_outputs()
            if output.type == 'tensor(float)'
        }
        missing = {'bboxes', 'scores', 'keypoints', 'keypoint_scores'} - outputs
        if missing or [each.name for each in self.session.get_inputs()] != ['image']:
            raise ValueError(
                f'{path}: expected the input "image" and the outputs of '
                f'onestage-pose export; missing {sorted(missing)}.'
            )

    def __call__(self, image: np.ndarray) -> dict:
        """Find people.

        Args:
            image (np.ndarray): (height, width, 3) uint8, BGR.

        Returns:
            dict: Of N people with K keypoints, in pixels: ``bboxes`` (N, 4),
            ``scores`` (N,), ``keypoints`` (N, K, 2), the centre of the first pixel
            being (0, 0), ``keypoint_scores`` (N, K); ``labels`` (N,), the places of
            their categories; of a model with a visibility branch ``keypoint_presence``
            and ``keypoints_visible`` (N, K). Of several categories, keypoints of others
            than an instance's own are 0.

        Raises:
            ValueError: The graph fails on the image, or gives something else.
        """
        height, width = image.shape[:2]
        new_width, new_height = self._new_size(width, height)
        inputs = resize(image, new_width, new_height)
        inputs = inputs.transpose(2, 0, 1)[None].astype(np.float32)
        names = [output.name for output in self.session.get_outputs()]
        try:
            people = dict(zip(names, self.session.run(names, dict(image=inputs))))
        except Exception as error:  # onnxruntime's own have no common base
            raise ValueError(f'the model fails on it: {error}') from error
        self._check(people)
        scale = np.array([new_width / width, new_height / height], np.float32)
        people['bboxes'] = people['bboxes'] / np.tile(scale, 2)
        people['keypoints'] = (people['keypoints'] + 0.5) / scale - 0.5
        return people

    def _check(self, people: dict) -> None:
        number, keypoints = people['scores'].size, len(self.names)
        shapes = dict(
            scores=(number,),
            bboxes=(number, 4),
            keypoints=(number, keypoints, 2),
            keypoint_scores=(number, keypoints),
        )
        for name in ('keypoint_presence', 'keypoints_visible'):
            if name in people:
                shapes[name] = number, keypoints
        if self.categories and not (
            'labels' in people
            and people['labels'].shape == (number,)
            and np.isin(people['labels'], range(len(self.categories))).all()
        ):
            raise ValueError(
                f'the model gives no labels of its {len(self.categories)} categories'
            )
        for name, shape in shapes.items():
            if people[name].shape != shape or not np.isfinite(people[name]).all():
                raise ValueError(
                    f'the model gives {name} of shape {people[name].shape}, where '
                    f'{shape} and finite numbers are expected'
                )

    def _new_size(self, width: int, height: int) -> tuple:
        if self.resize is None:
            return width, height
        longer, shorter = self.resize
        factor = min(shorter / min(width, height), longer / max(width, height))
        return max(1, int(factor * width + 0.5)), max(1, int(factor * height + 0.5))


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize as Pillow's bilinear filter does, which smooths what it shrinks."""

    def shrink(rows: np.ndarray, new: int) -> np.ndarray:
        # row by row: a matrix of all weights may be larger than any image
        old = len(rows)
        flat, scale = rows.reshape(old, -1), old / new
        reach = max(scale, 1.0)
        shrunk = np.empty((new, flat.shape[1]), np.float32)
        for i in range(new):
            center = (i + 0.5) * scale - 0.5
            start = max(0, int(np.ceil(center - reach)))
            near = np.arange(start, min(old, int(center + reach) + 1))
            triangle = np.clip(1 - abs(near - center) / reach, 0, None)
            weights = (triangle / triangle.sum()).astype(np.float32)
            shrunk[i] = weights @ flat[near[0] : near[-1] + 1].astype(np.float32)
        return np.rint(shrunk).reshape(new, *rows.shape[1:])

    across = shrink(image.transpose(1, 0, 2), width)
    return shrink(across.transpose(1, 0, 2), height)


def draw(image: np.ndarray, people: dict, model: PoseModel, thr: float) -> np.ndarray:
    """Draw boxes and skeletons on a copy of the image."""
    drawn = image.copy()
    thickness = max(1, round(max(image.shape) / 400))
    shown = people['keypoint_scores']
    if 'keypoint_presence' in people:
        # probably not in the image
        shown = np.where(people['keypoint_presence'] < 0.5, -1, shown)
    if model.categories:
        starts, stops = np.array([each[2:] for each in model.categories]).T
        places = np.arange(len(model.names))
        labels = people['labels'][:, None]
        is_own = (places >= starts[labels]) & (places < stops[labels])
        shown = np.where(is_own, shown, -1)
    for box, points, scores in zip(people['bboxes'], people['keypoints'], shown):
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
    labels = people['labels'] if model.categories else ()
    for box, label in zip(people['bboxes'], labels):
        name = model.categories[label].name.encode('ascii', 'replace').decode()
        place = int(box[0]), max(12, int(box[1]) - 3)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(drawn, name, place, font, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn


def print_people(people: dict, names: tuple) -> None:
    """Print each person, in pixels."""
    points = np.concatenate(
        [people['keypoints'], people['keypoint_scores'][..., None]], -1
    )
    for score, box, found in zip(people['scores'], people['bboxes'], points):
        place = ', '.join(f'{value:.1f}' for value in box)
        print(f'  score {score:.2f}, box [{place}]')
        for name, (x, y, sure) in zip(names, found):
            print(f'    {name} {x:.1f} {y:.1f} {sure:.2f}')


def side_of(name: str) -> int:
    """Return 0 for a left keypoint, 1 for a right one, 2 for one in the middle."""
    return next((i for i, side in enumerate(('left', 'right')) if side in name), 2)


def read(path: Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read an image, (height, width, 3) uint8 BGR; raise ``ValueError`` for others."""
    # not by cv2.imread, which crashes on names that are not UTF-8
    content = path.read_bytes()
    check_image(content, str(path), max_pixels, option='--max-pixels')
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f'{path}: this image cannot be decoded; replace the file.')
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
    try:
        model = PoseModel(args.model)
    except ValueError as error:
        sys.exit(f'Error: {error}')
    failures = []
    for path, target in zip(args.images, targets):
        try:
            image = read(path, args.max_pixels)
            start = time.perf_counter()
            people = model(image)
            elapsed = time.perf_counter() - start
            sure = people['scores'] >= args.bbox_thr
            people = {name: values[sure] for name, values in people.items()}
            write(target, draw(image, people, model, args.kpt_thr))
        except (OSError, ValueError, cv2.error) as error:
            is_named = str(path) in str(error)
            failures.append(str(error) if is_named else f'{path}: {error}')
            continue
        number = '1 person' if sure.sum() == 1 else f'{sure.sum()} people'
        print(f'{path}: {number} in {1000 * elapsed:.0f} ms, see {target}')
        if args.print_people:
            print_people(people, model.names)
    if failures:
        sys.exit('Error: some images were not drawn:\n  ' + '\n  '.join(failures))


if __name__ == '__main__':
    main()
