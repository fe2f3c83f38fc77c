# Copyright (c) onestage_pose contributors.
"""What users upload and download, by area, and what becomes of each.

``python -m tests.malformed_inputs`` prints the table of
docs/reference/malformed_inputs.md.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw

NAN, INFINITY = float('nan'), float('inf')


class Case(NamedTuple):
    """An input and its outcome.

    Attributes:
        name: What the input is.
        make: Gives the input; what it takes and gives depends on the area.
        outcome: What the user sees, in words.
        error: Pattern of the message; None where the input is used.
    """

    name: str
    make: Callable[..., Any]
    outcome: str
    error: str | None = None


# ------------------------------------------------------------------ pictures
# make() -> (suffix, bytes)


def scene(mode: str = 'RGB', size: tuple[int, int] = (128, 96)) -> Image.Image:
    """A figure on grey."""
    picture = Image.new('RGB', size, (90, 90, 90))
    ImageDraw.Draw(picture).ellipse((40, 20, 80, 90), fill=(200, 120, 40))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def jpeg() -> bytes:
    return encoded(scene(), 'JPEG', quality=90)


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    return encoded(scene(), 'JPEG', exif=exif)


def sixteen_bit() -> bytes:
    values = np.linspace(0, 65535, 128 * 96).reshape(96, 128).astype(np.uint16)
    return encoded(Image.fromarray(values), 'PNG')


def animated() -> bytes:
    frames = [scene(), Image.new('RGB', (128, 96))]
    return encoded(frames[0], 'GIF', save_all=True, append_images=frames[1:])


def png_bomb(side: int = 60000) -> bytes:
    """A few bytes that say they are so many pixels wide and high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack('>I', zlib.crc32(kind + content))
        return struct.pack('>I', len(content)) + kind + content + checksum

    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', header)
        + chunk(b'IDAT', body)
        + chunk(b'IEND', b'')
    )


DRAWN = 'drawn'
PICTURES = (
    Case(
        'JPEG cut off in the middle',
        lambda: ('.jpg', jpeg()[: len(jpeg()) // 2]),
        'named as truncated, the others drawn',
        'is truncated',
    ),
    Case(
        'JPEG of which the end is missing',
        lambda: ('.jpg', jpeg()[:-40]),
        'named as truncated, the others drawn',
        'is truncated',
    ),
    Case(
        'PNG cut off in the middle',
        lambda: ('.png', encoded(scene(), 'PNG')[:200]),
        'named as truncated, the others drawn',
        'is truncated',
    ),
    Case(
        'empty file',
        lambda: ('.jpg', b''),
        'named as not decodable, the others drawn',
        'cannot be decoded',
    ),
    Case(
        'text named .jpg',
        lambda: ('.jpg', b'I am not a picture.\n' * 50),
        'named as not decodable, the others drawn',
        'cannot be decoded',
    ),
    Case(
        'random bytes named .png',
        lambda: ('.png', np.random.RandomState(0).bytes(2000)),
        'named as not decodable, the others drawn',
        'cannot be decoded',
    ),
    Case(
        'animated GIF',
        lambda: ('.gif', animated()),
        DRAWN,
    ),
    Case(
        'PNG of 1 kB that says it has 60,000 x 60,000 pixels',
        lambda: ('.png', png_bomb()),
        'named as not decodable, the others drawn',
        'cannot be decoded',
    ),
    Case(
        'PNG that says it has 30,000 x 30,000 pixels',
        lambda: ('.png', png_bomb(30000)),
        'named with its size, the others drawn; an option raises the limit',
        'over the limit of 200,000,000',
    ),
    Case(
        'JPEG 2000 named .jpg',
        lambda: ('.jpg', encoded(scene(), 'JPEG2000')),
        'named as of another format, the others drawn',
        'none of JPEG, PNG',
    ),
    Case(
        'PNG with transparency',
        lambda: ('.png', encoded(scene('RGBA'), 'PNG')),
        DRAWN,
    ),
    Case('grey PNG', lambda: ('.png', encoded(scene('L'), 'PNG')), DRAWN),
    Case('PNG with a palette', lambda: ('.png', encoded(scene('P'), 'PNG')), DRAWN),
    Case('black and white PNG', lambda: ('.png', encoded(scene('1'), 'PNG')), DRAWN),
    Case('16-bit PNG', lambda: ('.png', sixteen_bit()), DRAWN),
    Case('CMYK JPEG', lambda: ('.jpg', encoded(scene('CMYK'), 'JPEG')), DRAWN),
    Case('JPEG turned by EXIF', lambda: ('.jpg', rotated()), 'drawn upright'),
    Case('JPEG named .png', lambda: ('.png', jpeg()), DRAWN),
    Case('JPEG with bytes after its end', lambda: ('.jpg', jpeg() + b'x' * 99), DRAWN),
    Case('1 x 1 pixel', lambda: ('.png', encoded(scene(size=(1, 1)), 'PNG')), DRAWN),
    Case(
        '1 x 5,000 pixels',
        lambda: ('.png', encoded(scene(size=(1, 5000)), 'PNG')),
        DRAWN,
    ),
    Case(
        '20,000 x 20 pixels',
        lambda: ('.png', encoded(scene(size=(20000, 20)), 'PNG')),
        DRAWN,
    ),
)

# ---------------------------------------------------------------- annotations
# make(content) changes a good COCO file's content or gives bytes in its place;
# pictures 1 and 2 of 120 x 80 pixels, with a person each


def setting(part: str, place: int, **values: Any) -> Callable[[dict], None]:
    """Changes values of an entry."""
    return lambda content: content[part][place].update(values)


def without(part: str, place: int, key: str) -> Callable[[dict], None]:
    """Takes a key out of an entry."""

    def change(content: dict) -> None:
        del content[part][place][key]

    return change


def keypoint(**values: float) -> Callable[[dict], None]:
    """Changes x, y or visibility of the first person's third keypoint."""

    def change(content: dict) -> None:
        for name, value in values.items():
            content['annotations'][0]['keypoints'][6 + 'xyv'.index(name)] = value

    return change


def person(**values: Any) -> Callable[[dict], None]:
    return setting('annotations', 0, **values)


def image(**values: Any) -> Callable[[dict], None]:
    return setting('images', 0, **values)


def category(**values: Any) -> Callable[[dict], None]:
    return setting('categories', 0, **values)


def every_person(**values: Any) -> Callable[[dict], None]:
    """Changes values of both people."""

    def change(content: dict) -> None:
        for ann in content['annotations']:
            ann.update(values)

    return change


def fractions(content: dict) -> None:
    """Divides the keypoints by the size of the image."""
    for ann in content['annotations']:
        ann['keypoints'] = [20 / 120, 20 / 80, 2] * 17


def another_category(content: dict) -> None:
    """Makes people of another category than the file's person."""
    content['categories'].append(dict(id=3, name='car'))
    every_person(category_id=3)(content)


def nested(content: dict) -> str:
    return '[' * 100_000 + ']' * 100_000


def long_integer(content: dict) -> str:
    return json.dumps(content).replace('"id": 1', f'"id": 1{"0" * 5000}', 1)


COCO_NAMES = (
    'nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder '
    'left_elbow right_elbow left_wrist right_wrist left_hip right_hip left_knee '
    'right_knee left_ankle right_ankle'
).split()


def all_crowd(content: dict) -> None:
    for ann in content['annotations']:
        ann['iscrowd'] = 1


ANNOTATIONS = (
    Case('JSON cut off', lambda c: json.dumps(c)[:500], 'named', 'not valid JSON'),
    Case('empty file', lambda c: '', 'named', 'not valid JSON'),
    Case('binary file', lambda c: bytes(range(256)), 'named', 'not valid JSON'),
    Case(
        'result file, a list',
        lambda c: json.dumps(c['annotations']),
        'named, with what it is taken for',
        'form of result files',
    ),
    Case(
        'JSON of another form',
        lambda c: json.dumps(dict(shapes=[], version='5.0')),
        'named, with the missing key',
        'no key "images"',
    ),
    Case(
        'no "annotations"',
        lambda c: c.pop('annotations') and None,
        'named, with the missing key',
        'no key "annotations"',
    ),
    Case(
        '"images" is a dict',
        lambda c: c.update(images={}),
        'named, with the key',
        '"images" is a dict, expected a list',
    ),
    Case(
        'no images',
        lambda c: c.update(images=[], annotations=[]),
        'named; nothing is left to train on',
        'no image is left',
    ),
    Case(
        'no people',
        lambda c: c.update(annotations=[]),
        'named; nothing is left to train on',
        'no image is left of 2',
    ),
    Case('crowds only', all_crowd, 'named; nothing is left', 'no image is left of 2'),
    Case(
        'file_name with "..", to a file outside',
        image(file_name='../../../etc/hostname'),
        'refused',
        r'file_name=.*etc/hostname.* without ".."',
    ),
    Case(
        'file_name with ".." in its middle',
        image(file_name='a/../../secret.png'),
        'refused',
        'file_name=.*within the folder',
    ),
    Case(
        'absolute file_name',
        image(file_name='/etc/hostname'),
        'refused',
        'file_name=./etc/hostname.*within the folder',
    ),
    Case(
        'file_name is an address',
        image(file_name='http://127.0.0.1:9/a.jpg'),
        'refused',
        'file_name=.http://127.0.0.1:9/a.jpg.*within the folder',
    ),
    Case(
        'file_name is a number',
        image(file_name=17),
        'named, with the key',
        'file_name=17',
    ),
    Case(
        'image that is not there',
        image(file_name='gone.png'),
        'named',
        '1 of 2 images .* do not exist, first .*gone.png',
    ),
    Case(
        'image without file_name',
        without('images', 0, 'file_name'),
        'named, with the key',
        'image id=1 .* no "file_name"',
    ),
    Case(
        'image without width',
        without('images', 0, 'width'),
        'named, with the key',
        'image id=1 .* no "width"',
    ),
    Case('width is 0', image(width=0), 'named, with the key', 'image id=1 has width=0'),
    Case(
        'width is NaN',
        image(width=NAN),
        'named, with the key',
        'image id=1 has width=nan',
    ),
    Case(
        'id of an image is text',
        image(id='one'),
        'named, with the key',
        "image id='one' is not an integer",
    ),
    Case(
        'two images of one id',
        setting('images', 1, id=1),
        'named, with the id',
        r'ids of "images" occur more than once, first \[1\]',
    ),
    Case(
        'two people of one id',
        setting('annotations', 1, id=1),
        'named, with the id',
        r'ids of "annotations" occur more than once, first \[1\]',
    ),
    Case(
        'person of an image that is not in the file',
        person(image_id=99),
        'named, with the id',
        'annotation id=1 belongs to image_id=99, which is not',
    ),
    Case(
        'image_id is a list',
        person(image_id=[1]),
        'named, with the key',
        r'image_id=\[1\], which is not an integer',
    ),
    Case(
        'person without keypoints',
        without('annotations', 0, 'keypoints'),
        'named, with the key and what to write',
        'annotation id=1 .* no "keypoints" .* zeros in all places',
    ),
    Case(
        '16 keypoints in the place of 17',
        person(keypoints=[1] * 48),
        'named, with both numbers and the metainfo',
        '48 numbers as "keypoints" where 51 .*metainfo',
    ),
    Case(
        'visibility 3',
        keypoint(v=3),
        'named, with the keypoint',
        'annotation id=1 has visibility 3 for keypoint 2',
    ),
    Case(
        'visibility -1',
        keypoint(v=-1),
        'named, with the keypoint',
        'annotation id=1 has visibility -1 for keypoint 2',
    ),
    Case(
        'x of a keypoint is NaN',
        keypoint(x=NAN),
        'named, with the value',
        'annotation id=1 .* nan in "keypoints"',
    ),
    Case(
        'x of a keypoint is text',
        keypoint(x='left'),
        'named, with the value',
        'annotation id=1 .* \'left\' in "keypoints"',
    ),
    Case(
        'keypoint far outside the image',
        keypoint(x=5000.0),
        'kept; it trains nothing, as no bin holds it',
    ),
    Case(
        'person without box',
        without('annotations', 0, 'bbox'),
        'named, with the key',
        'annotation id=1 .* no "bbox"',
    ),
    Case(
        'box of three numbers',
        person(bbox=[1, 2, 3]),
        'named, with the number',
        '3 numbers as "bbox" where 4',
    ),
    Case(
        'NaN in a box',
        person(bbox=[NAN, 2, 3, 4]),
        'named, with the value',
        'annotation id=1 .* nan in "bbox"',
    ),
    Case(
        'infinite box',
        person(bbox=[0, 0, INFINITY, 4]),
        'named, with the value',
        'annotation id=1 .* inf in "bbox"',
    ),
    Case(
        'box of negative width',
        person(bbox=[60, 10, -50, 60]),
        'left out and counted in the log',
    ),
    Case(
        'box without area',
        person(bbox=[10, 10, 0, 60]),
        'left out and counted in the log',
    ),
    Case(
        'box outside the image',
        person(bbox=[500, 500, 60, 60]),
        'left out and counted in the log',
    ),
    Case(
        'box of a billion pixels',
        person(bbox=[-1e9, -1e9, 2e9, 2e9]),
        'clipped to the image',
    ),
    Case(
        'several categories',
        person(category_id=18),
        'named, with the ids',
        'several categories, category_id=1, 18',
    ),
    Case(
        'area is text',
        person(area='large'),
        'named, with the value',
        "annotation id=1 has area='large'",
    ),
    Case(
        'area 0 beside a box',
        every_person(area=0),
        'read as 0.53 of the box, said in the log',
    ),
    Case(
        'no area',
        without('annotations', 0, 'area'),
        'read as 0.53 of the box, said in the log',
    ),
    Case('negative ids', person(id=-7), 'read; the metrics renumber'),
    Case(
        'id written as a float, such as 1.0',
        person(id=1.0, image_id=1.0),
        'read as what it means',
    ),
    Case('iscrowd is false', person(iscrowd=False), 'read as 0'),
    Case('iscrowd is null', person(iscrowd=None), 'read as 0'),
    Case(
        'iscrowd is text',
        person(iscrowd='0'),
        'named, with the value',
        "annotation id=1 has iscrowd='0', expected 0 or 1",
    ),
    Case(
        'iscrowd is 2',
        person(iscrowd=2),
        'named, with the value',
        'annotation id=1 has iscrowd=2, expected 0 or 1',
    ),
    Case('category_id is null', person(category_id=None), 'read as the only category'),
    Case(
        'category_id is text',
        person(category_id='1'),
        'named, with the value',
        "annotation id=1 has category_id='1', which is not an integer",
    ),
    Case(
        'category_id is a list',
        person(category_id=[1]),
        'named, with the value',
        r'annotation id=1 has category_id=\[1\], which is not an integer',
    ),
    Case(
        'category_id of no category',
        every_person(category_id=3),
        'named, with the ids',
        r'id=1 has category_id=3, which is not in "categories" \(ids \[1\]\)',
    ),
    Case(
        'cars beside a category "person"',
        another_category,
        'named, with both',
        "id=1 is of category 'car' .* though the file has the category 'person'",
    ),
    Case(
        "category of COCO's that is no person",
        category(name='car'),
        'named, with the metainfo',
        'is of category \'car\' .* the metainfo "coco" describes people',
    ),
    Case(
        'two categories of one id',
        lambda c: c['categories'].append(dict(id=1, name='man')),
        'named, with the id',
        r'ids of "categories" occur more than once',
    ),
    Case(
        'keypoints of the category in another order',
        category(keypoints=['nose', *COCO_NAMES[:0:-1]]),
        'named, with both orders',
        'the same keypoints in another order. The file has nose, right_ankle, .*'
        'the metainfo has nose, left_eye',
    ),
    Case(
        'keypoints of the category with other names',
        category(keypoints=[f'{name}_x' for name in COCO_NAMES[1:]] + ['tail']),
        'named, with both lists',
        "other keypoints, first 'left_eye_x' instead of 'nose'",
    ),
    Case(
        'keypoints of the category in another spelling',
        category(keypoints=[name.replace('_', ' ').title() for name in COCO_NAMES]),
        'read as the same',
    ),
    Case(
        'keypoints as fractions of the image',
        fractions,
        'named, with the first person',
        '2 of 2 people have all labelled keypoints between 0 and 1, .*multiply',
    ),
    Case(
        'keypoints of another image',
        every_person(keypoints=[100.0, 75.0, 2] * 17),
        'named, with the first person',
        '2 of 2 people have all labelled keypoints outside their boxes, first',
    ),
    Case(
        'boxes as fractions of the image',
        every_person(bbox=[0.1, 0.1, 0.5, 0.5]),
        'named, with the first person',
        '2 of 2 boxes seem to be fractions of the image; first annotation id=1',
    ),
    Case(
        'boxes as x1, y1, x2, y2',
        every_person(bbox=[60, 10, 110, 70]),
        'named, with the first person',
        '2 of 2 boxes seem to be x1, y1, x2, y2: .* subtract',
    ),
    Case(
        'box as text',
        person(bbox=['10', '10', '60', '60']),
        'named, with the value',
        """annotation id=1 .* has '10' in "bbox", which is not a finite number""",
    ),
    Case(
        'keypoints as booleans',
        person(keypoints=[True] * 51),
        'named, with the value',
        'annotation id=1 .* has True in "keypoints"',
    ),
    Case(
        'x of a keypoint is 1e39',
        keypoint(x=1e39),
        'named, with the value',
        r'has 1e\+39 in "keypoints", which is not a position in an image',
    ),
    Case(
        'box of integers of 400 digits',
        person(bbox=[10**400, 10, 60, 60]),
        'named, with the start of the value',
        r'has 1000.*\.\.\..*000 in "bbox"',
    ),
    Case('width is true', image(width=True), 'named', 'image id=1 has width=True'),
    Case(
        'size of the image is wrong, so that people lie outside',
        image(width=8, height=8),
        'named, with both sizes',
        'image id=1 has width=8 and height=8, but .*1.png is 120x80 pixels',
    ),
    Case(
        'file_name with a separator of Windows',
        image(file_name='images\\1.png'),
        'named, with the file that exists',
        r"do not exist.* '[^']*images/1\.png' exists",
    ),
    Case(
        'file_name with %20 and the like',
        image(file_name='%31.png'),
        'named, with the file that exists',
        r"do not exist.* '[^']*images/1\.png' exists",
    ),
    Case(
        'file_name with the folder of the images in it',
        image(file_name='images/1.png'),
        'named, with the file that exists',
        r"does not exist .*'[^']*images/1\.png' exists",
    ),
    Case(
        'JSON nested 100,000 deep',
        nested,
        'named',
        'lists or objects within each other, deeper than Python reads',
    ),
    Case(
        'integer of 5,000 digits',
        long_integer,
        'named',
        'is not valid JSON .Exceeds the limit',
    ),
    Case(
        'annotation is no object',
        lambda c: c['annotations'].append(None),
        'named, with its place',
        'entry 2 of "annotations" is a NoneType',
    ),
)

# ------------------------------------------------------------------- metainfo
# make(info) changes the metainfo of a nose and two eyes


def eye(**values: Any) -> Callable[[dict], None]:
    return lambda info: info['keypoint_info'][1].update(values)


def renumbered(*numbers: int) -> Callable[[dict], None]:
    def change(info: dict) -> None:
        entries = info['keypoint_info'].values()
        info['keypoint_info'] = dict(zip(numbers, entries))

    return change


METAINFO = (
    Case(
        'no sigmas',
        lambda info: info.pop('sigmas') and None,
        'named, with the key',
        'has no `sigmas`',
    ),
    Case(
        'no joint_weights',
        lambda info: info.pop('joint_weights') and None,
        'named, with the key',
        'has no `joint_weights`',
    ),
    Case(
        'no skeleton_info',
        lambda info: info.pop('skeleton_info') and None,
        'named, with the key',
        'has no `skeleton_info`',
    ),
    Case(
        'two sigmas for three keypoints',
        lambda info: info['sigmas'].pop() and None,
        'named, with both numbers',
        '`sigmas` has 2 values, keypoint_info has 3 keypoints',
    ),
    Case(
        'swap partner that is misspelt',
        eye(swap='rigth_eye'),
        'named, with the likely one',
        "swap='rigth_eye', which is not a keypoint. Did you mean right_eye",
    ),
    Case(
        'swap on one side only',
        eye(swap=''),
        'named, with the pair',
        "'right_eye' has swap='left_eye', but 'left_eye' has swap=''",
    ),
    Case(
        'swap partners that are not mutual',
        eye(swap='nose'),
        'named, with the pair',
        "'left_eye' has swap='nose', but 'nose' has swap=''",
    ),
    Case(
        'keypoints counted from 1',
        renumbered(1, 2, 3),
        'named, with the numbers',
        'has the numbers 1, 2, 3; count the keypoints from 0',
    ),
    Case(
        'keypoints listed in another order',
        renumbered(0, 2, 1),
        'named, with the numbers',
        'has the numbers 0, 2, 1; count the keypoints from 0 on, in the order',
    ),
    Case(
        'two keypoints of one name',
        eye(name='nose'),
        'named, with both',
        r"\[1\] and \[0\] are both named 'nose'",
    ),
    Case(
        'link to a keypoint that there is not',
        lambda info: info['skeleton_info'][0].update(link=('nose', 'left_ear')),
        'named, with the link',
        "links 'left_ear', which is not a keypoint",
    ),
    Case(
        'swap is null',
        eye(swap=None),
        'named',
        'swap=None, which is not a keypoint',
    ),
    Case(
        'color that is a name',
        eye(color='red'),
        'named, with what is expected',
        "has color='red'; give three whole numbers from 0 to 255",
    ),
)

# ------------------------------------------------------------------- outlines
# make(outline) gives what stands in the place of a person's polygon, in 120 x 80

OUTLINES = (
    Case('polygon without the list around it', lambda outline: outline[0], 'drawn'),
    Case(
        'polygon of one point',
        lambda outline: [[3, 3]],
        'named, with the annotation',
        'at least three points',
    ),
    Case(
        'polygon of four numbers, which pycocotools takes for a box',
        lambda outline: [[10, 10, 40, 40]],
        'named, with the annotation',
        'at least three points',
    ),
    Case(
        'run lengths of another size',
        lambda outline: dict(size=[120, 80], counts=[9600]),
        'named, with both sizes',
        r'size \(height, width\) \[120, 80\] in an image of 80x120',
    ),
    Case(
        'run lengths beyond the image',
        lambda outline: dict(size=[80, 120], counts=[0, 20000]),
        'named, with the number of pixels',
        'their sum the 9600 pixels',
    ),
)

# --------------------------------------------------------------------- configs
# make() -> words for tools/train.py after a good config, or a config's text


def option(text: str) -> Callable[[], list[str]]:
    return lambda: ['--cfg-options', text]


def toy(text: str) -> Callable[[], str]:
    """A config that inherits the tests' toy."""
    return lambda: f"_base_ = './toy.py'\n{text}\n"


CONFIGS = (
    Case(
        'file that is not there',
        lambda: 'nowhere.py',
        'named, with names that look alike',
        'nowhere.py does not exist',
    ),
    Case(
        'text that is no Python',
        lambda: 'model = dict(type=\n',
        'named as no Python',
        'config.py is not valid Python: ',
    ),
    Case(
        'base that is not there',
        lambda: "_base_ = './gone.py'\n",
        'named, with the config that has it',
        r'config.py inherits .*gone\.py, which does not exist',
    ),
    Case(
        'unknown key at the top',
        lambda: 'train_dataloder = dict()\n',
        'named, with the likely one',
        'nothing reads `train_dataloder`.* Did you mean `train_dataloader`',
    ),
    Case(
        'unknown key in --cfg-options',
        option('train_cfg.max_epoch=3'),
        'named, with the likely one',
        'no `max_epoch` in train_cfg.* Did you mean `max_epochs`',
    ),
    Case(
        'part of a number in --cfg-options',
        option('optim_wrapper.optimizer.lr.start=3'),
        'named',
        'lr is 0.1 and has no parts',
    ),
    Case(
        'option that a class does not know',
        option('model.hiden=3'),
        'named, with the likely one',
        'no option `hiden`.* did you mean `hidden`',
    ),
    Case(
        'class that is not there',
        option('model.type=NoSuchModel'),
        'named',
        "type='NoSuchModel', which is not in the registry",
    ),
    Case(
        'option that a class needs, missing',
        toy("param_scheduler = [dict(type='MultiStepLR', by_epoch=False)]"),
        'named, with the class',
        'a MultiStepLR .* cannot be built: .* missing .* .milestones',
    ),
    Case(
        'value that a class refuses',
        toy('optim_wrapper = dict(optimizer=dict(momentum=-1.0))'),
        'named, with the class',
        'a SGD .* cannot be built: ValueError: Invalid momentum value: -1',
    ),
    Case(
        'value of another kind than a class takes',
        toy("model = dict(hidden='many')"),
        'named, with the class',
        'a ToyModel .* cannot be built: TypeError: ',
    ),
    Case(
        'part without type',
        toy("val_evaluator = dict(_delete_=True, metric='AP')"),
        'named',
        "the config has a part without a class, .*'AP'",
    ),
    Case(
        'number for a part of the run',
        toy('val_cfg = 5'),
        'named, with the kind expected',
        'config.py: val_cfg=5 is not a dict',
    ),
    Case(
        'no optimizer',
        toy('optim_wrapper = None'),
        'named, with the missing part',
        'config.py has no optim_wrapper',
    ),
    Case(
        'validation without its metric',
        toy('val_evaluator = None'),
        'named, with the missing part',
        'config.py has val_dataloader, val_cfg and no val_evaluator',
    ),
    Case(
        'name that its base does not have',
        toy('pipeline = {{_base_.train_pipeline}}'),
        'named, with the name',
        'config.py ends with an error.*train_pipeline',
    ),
    Case(
        'Python that ends with an error',
        toy('rate = 1 / 0'),
        'named, with the line',
        r'config.py ends with an error at \S*config.py:2: ZeroDivisionError',
    ),
    Case(
        'import of a module that is not there',
        toy("custom_imports = dict(imports=['gone'], allow_failed_imports=False)"),
        'named, with the module',
        'config.py imports what cannot be imported.*gone.*PYTHONPATH',
    ),
    Case(
        'learning rate that is text',
        option('optim_wrapper.optimizer.lr=fast'),
        'named, with what is expected',
        "lr='fast'.*number",
    ),
    Case(
        'batch size 0',
        option('train_dataloader.batch_size=0'),
        'named, with what is expected',
        'train_dataloader.batch_size=0.* at least 1',
    ),
    Case(
        'number of iterations that is text',
        option('train_cfg.max_epochs=many'),
        'named, with what is expected',
        "train_cfg.max_epochs='many'.*number",
    ),
    Case(
        'work dir that is a file',
        lambda: ['--work-dir', __file__],
        'named, with the option',
        'cannot write to .*--work-dir',
    ),
)

# ----------------------------------------------------------------- checkpoints
# make(path, state) writes it; state is that of the config's model


class Program:
    """Runs a command where a pickle of it is loaded with trust."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.mark}',)


def mark_of(path: Path) -> Path:
    """The file that a malicious checkpoint would make."""
    return path.with_name('ran')


def saved(change: Callable[[dict], Any]) -> Callable[[Path, dict], None]:
    """Saves what a function makes of the state."""

    def make(path: Path, state: dict) -> None:
        torch.save(change(dict(state)), path)

    return make


def cut(kept: float) -> Callable[[Path, dict], None]:
    def make(path: Path, state: dict) -> None:
        torch.save(dict(state_dict=state), path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])

    return make


def with_nan(state: dict) -> dict:
    state['head.bias'] = torch.full_like(state['head.bias'], NAN)
    return dict(state_dict=state)


def malicious(path: Path, state: dict) -> None:
    torch.save(dict(state_dict=state, meta=Program(mark_of(path))), path)


def malicious_pickle(path: Path, state: dict) -> None:
    path.write_bytes(pickle.dumps(Program(mark_of(path)), 2))


def malicious_config(path: Path, state: dict) -> None:
    text = f'import os\nos.system("touch {mark_of(path)}")\n'
    torch.save(dict(state_dict=state, meta=dict(cfg=text, config=text)), path)


CHECKPOINTS = (
    Case(
        'file that is not there',
        lambda path, state: None,
        'named, with names that look alike',
        'weights.pth does not exist',
    ),
    Case('empty file', cut(0), 'named as truncated', 'weights.pth .*is truncated'),
    Case('cut off', cut(0.5), 'named as truncated', 'weights.pth .*is truncated'),
    Case(
        'last bytes missing',
        cut(0.99),
        'named as truncated',
        'weights.pth .*is truncated',
    ),
    Case(
        'text named .pth',
        lambda path, state: path.write_text('hello'),
        'named',
        'weights.pth .*was not written by torch.save',
    ),
    Case(
        'folder named .pth',
        lambda path, state: path.mkdir(),
        'named',
        'weights.pth does not exist',
    ),
    Case(
        'weights of another architecture',
        saved(lambda state: dict(state_dict=dict(weight=torch.ones(2)))),
        'named, with counts and names',
        'weights.pth holds 0 of the 8 weights',
    ),
    Case(
        'a part of the model missing',
        saved(lambda s: dict(state_dict={k: s[k] for k in s if 'head' not in k})),
        'named, with the missing ones',
        r'2 \(head.weight, head.bias\) missing',
    ),
    Case(
        'weights of another shape',
        saved(lambda s: dict(state_dict={**s, 'head.weight': torch.ones(2, 4)})),
        'named, with both shapes',
        'head.weight 2x4 instead of 1x4',
    ),
    Case(
        'NaN in the weights',
        saved(with_nan),
        'named, with the weights',
        'NaN or infinity in 1 ',
    ),
    Case(
        'a list in the place of a dict',
        saved(lambda state: [1, 2]),
        'named',
        'holds a list, not a dict',
    ),
    Case(
        'program in a checkpoint',
        malicious,
        'refused by name, nothing run',
        'weights.pth was not loaded: it asks for `posix.system`',
    ),
    Case(
        'program in a bare pickle',
        malicious_pickle,
        'refused, nothing run',
        'weights.pth',
    ),
    Case(
        'program in the config text of a checkpoint',
        malicious_config,
        'the text is left out, nothing run; the weights are used',
    ),
)

# ------------------------------------------------------------------- converter
# make(path, arrays) writes a Detectron2 file; arrays are those of a narrow model


def pickled(change: Callable[[dict], Any]) -> Callable[[Path, dict], None]:
    def make(path: Path, arrays: dict) -> None:
        path.write_bytes(pickle.dumps(change(dict(arrays)), 2))

    return make


def renamed(arrays: dict) -> dict:
    name = next(iter(arrays))
    arrays[f'{name}.extra'] = arrays[name]
    return dict(model=arrays)


def reshaped(arrays: dict) -> dict:
    name = next(name for name, array in arrays.items() if array.ndim == 4)
    arrays[name] = arrays[name][:, :, :, :0]
    return dict(model=arrays)


def lacking(arrays: dict) -> dict:
    arrays.popitem()
    return dict(model=arrays)


def objects(arrays: dict) -> dict:
    arrays[next(iter(arrays))] = np.array([None])
    return dict(model=arrays)


DETECTRON2_FILES = (
    Case(
        'file that is not there',
        lambda path, arrays: None,
        'named',
        'theirs.pkl does not exist',
    ),
    Case(
        'empty .pkl', lambda path, a: path.touch(), 'named as truncated', 'is truncated'
    ),
    Case(
        '.pkl cut off',
        lambda path, a: path.write_bytes(pickle.dumps(dict(model=a), 2)[:1000]),
        'named as truncated',
        'theirs.pkl .*is truncated',
    ),
    Case(
        'program in a .pkl',
        pickled(lambda a: dict(model=a, extra=Program(Path('ran')))),
        'refused by name, nothing run',
        'theirs.pkl was not loaded: it asks for `posix.system`',
    ),
    Case(
        'array of Python objects',
        pickled(objects),
        'refused by dtype, nothing run',
        "theirs.pkl .*a numpy array of dtype 'O",
    ),
    Case(
        'no "model" in it',
        pickled(lambda a: dict(weights=a)),
        'named, with what is there',
        "has no dict 'model'",
    ),
    Case(
        'array that no model has',
        pickled(renamed),
        'named, with the array',
        r'\.extra',
    ),
    Case('array missing', pickled(lacking), 'named, with the array', 'missing'),
    Case(
        'array of another shape',
        pickled(reshaped),
        'named, with both shapes',
        r'shape|instead of|\d x \d',
    ),
)

# ----------------------------------------------------------------- inferencer
# make(good) gives what MMPoseInferencer is called with; good is a picture's path

INFERENCER = (
    Case(
        'list with a text named .jpg',
        lambda good: [good, str(Path(good).with_name('text.jpg'))],
        'named; the images before it are done',
        'text.jpg: this image cannot be decoded',
    ),
    Case(
        'path that is not there',
        lambda good: [f'{good}.gone.png'],
        'named',
        'gone.png: this image does not exist',
    ),
    Case(
        'array of two dimensions',
        lambda good: [np.zeros((20, 30), np.uint8)],
        'refused, with its shape',
        r'must be \(height, width, 3\), BGR; got \(20, 30\)',
    ),
    Case(
        'array of four channels',
        lambda good: [np.zeros((20, 30, 4), np.uint8)],
        'refused, with its shape',
        r'got \(20, 30, 4\)',
    ),
    Case(
        'array without pixels',
        lambda good: [np.zeros((0, 30, 3), np.uint8)],
        'refused, with its shape',
        r'got \(0, 30, 3\)',
    ),
    Case(
        'array of NaN',
        lambda good: [np.full((20, 30, 3), NAN, np.float32)],
        'refused',
        'NaN or infinity',
    ),
    Case(
        'standardised array',
        lambda good: [(np.arange(1800).reshape(20, 30, 3) % 256 - 117) / 58],
        'refused, with its range and what is expected',
        'from -2.0.* before it was standardised',
    ),
    Case(
        'array of 12 bits in uint16',
        lambda good: [np.arange(1800, dtype=np.uint16).reshape(20, 30, 3) * 2],
        'refused, with how to scale it',
        'uint16 from 0 to 3598.* for 12 bits',
    ),
    Case(
        'float array of 0 and 1 alone',
        lambda good: [np.eye(20)[..., None].repeat(3, 2)],
        'refused: it may be of either range',
        r'float64 from 0 to 1.*astype\(bool\)',
    ),
    Case(
        'tensor with the channels last',
        lambda good: [torch.zeros(20, 30, 3)],
        'refused, with how to turn it',
        r'\(3, height, width\), RGB; got \(20, 30, 3\)',
    ),
    Case(
        'number in the list',
        lambda good: [good, 3],
        'named with its place; the images before it are done',
        'image 1 of the input: .* got int',
    ),
    Case('empty list', lambda good: [], 'an empty result'),
)

AREAS: dict[str, Iterable[Case]] = {
    'image in a folder': PICTURES,
    'annotation file': ANNOTATIONS,
    'metainfo': METAINFO,
    'outline of a person': OUTLINES,
    'config': CONFIGS,
    'checkpoint': CHECKPOINTS,
    "Detectron2's file": DETECTRON2_FILES,
    'inferencer': INFERENCER,
}


def table() -> str:
    """The table of docs/reference/malformed_inputs.md."""
    rows = [
        f'| {area} | {case.name} | {case.outcome} |'
        for area, cases in AREAS.items()
        for case in cases
    ]
    return '\n'.join(('| where | what | outcome |', '|---|---|---|', *rows))


if __name__ == '__main__':
    print(table())
