# Copyright (c) onestage_pose contributors.
"""The schema of COCO keypoint files: what is read, as what, and what is refused.

The data set, in training and in testing, and the metrics read every record by these
tables. docs/reference/input_formats.md shows them; ``python -m
onestage_pose.structures.coco_records`` prints them.
"""

from __future__ import annotations

import json
import math
import os.path as osp
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from mmengine import fileio

from ..utils.errors import AnnotationError

#: Pixels from the origin that no coordinate exceeds: far outside of any image, and far
#: from where float32 becomes infinite.
FARTHEST = 1e10
#: Most people of an image. Dense public sets have some hundreds; training compares
#: every one of them with every anchor, which takes 1 MB a person in a large image.
MAX_PEOPLE = 1000
#: Bits of an id, as in numpy's int64 and in databases.
_ID_BITS = 63
# Stands for "there is no default".
_REQUIRED = object()


class Field(NamedTuple):
    """A key of a record.

    Attributes:
        key (str): Its name.
        read (Callable): Takes the value as JSON gives it, and returns what it means.
            Raises ``ValueError`` or ``TypeError`` for any other value.
        taken (str): The values that are taken, for the docs.
        fault (str): What an error says behind the value.
        default (Any): Stands for a missing key and for null. None leaves the key out.
    """

    key: str
    read: Callable[[Any], Any]
    taken: str
    fault: str
    default: Any = _REQUIRED

    @property
    def is_required(self) -> bool:
        """bool: Whether every record must have it."""
        return self.default is _REQUIRED


def _read_id(value: Any) -> int:
    number = _read_number(value)
    # A float comes from a table in which a column has empty cells.
    if number != int(number) or abs(number) >= 2**_ID_BITS:
        raise ValueError
    return int(number)


def _read_number(value: Any) -> int | float:
    # bool is a subclass of int
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError
    if not math.isfinite(value):
        raise ValueError
    return value


def _read_size(value: Any) -> int:
    number = _read_number(value)
    if number != int(number) or not 0 < number <= FARTHEST:
        raise ValueError
    return int(number)


def _read_area(value: Any) -> int | float:
    number = _read_number(value)
    if not 0 <= number <= FARTHEST**2:
        raise ValueError
    return number


def _read_score(value: Any) -> int | float:
    number = _read_number(value)
    if abs(number) > FARTHEST:
        # which float32 may not hold
        raise ValueError
    return number


def _read_flag(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    number = _read_number(value)
    if number not in (0, 1):
        raise ValueError
    return int(number)


def _read_count(value: Any) -> int:
    number = _read_id(value)
    if number < 0:
        raise ValueError
    return number


def _read_share(value: Any) -> int | float:
    number = _read_number(value)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _read_file_name(name: Any) -> str:
    """Refuse names by which a downloaded file would reach for others of the disk."""
    if not isinstance(name, str):
        raise TypeError
    if (
        not name
        or '\0' in name
        or '://' in name
        or osp.isabs(name)
        or osp.normpath(name).split(osp.sep)[0] == osp.pardir
    ):
        raise ValueError
    return name


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _read_names(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return [_read_text(name) for name in value]


_IS_NUMBER = 'which is not an integer; number people and images'
FILE_NAME = Field(
    'file_name',
    _read_file_name,
    'a path below the folder of the images, without `..`; no address',
    'expected a path within the folder of the images; write it relative to '
    'data_root/data_prefix, without ".."',
)
#: Records of "images".
IMAGE_FIELDS = (
    Field(
        'id',
        _read_id,
        'an integer, also written as a float; unique',
        'is not an integer; COCO results refer to images by integer ids, so number '
        'them',
    ),
    *(
        Field(
            key,
            _read_size,
            'a whole number above 0, also written as a float',
            'expected the size of the image in pixels',
        )
        for key in ('width', 'height')
    ),
    Field(
        'crowdIndex',
        _read_share,
        'a number from 0 to 1, of CrowdPose',
        'expected a number from 0 to 1, as in CrowdPose',
        None,
    ),
)
#: Records of "annotations", but for the lists of numbers, which are read as tables.
ANNOTATION_FIELDS = (
    Field('id', _read_id, 'an integer, also written as a float; unique', _IS_NUMBER),
    Field('image_id', _read_id, 'the `id` of an image of the file', _IS_NUMBER),
    Field(
        'category_id',
        _read_id,
        "the `id` of one of the file's categories; where it is missing or null, the "
        'only one',
        'which is not an integer; write the id of one of the "categories"',
        None,
    ),
    Field(
        'iscrowd',
        _read_flag,
        '0, 1, false or true; missing and null mean 0',
        'expected 0 or 1 (or false or true)',
        0,
    ),
    Field(
        'area',
        _read_area,
        'a number from 0 on, in square pixels; missing, null and 0 mean 0.53 of the '
        "box's",
        'expected square pixels; correct it, or leave "area" out and set '
        'use_area=False of KeypointCocoMetric',
        None,
    ),
    Field(
        'num_keypoints',
        _read_count,
        'a whole number from 0 on; counted where it is missing',
        'expected the number of labelled keypoints; correct it or leave it out',
        None,
    ),
)
#: Records of "categories".
CATEGORY_FIELDS = (
    Field(
        'id',
        _read_id,
        'an integer; unique',
        'which is not an integer; number categories',
    ),
    Field('name', _read_text, 'text', 'expected text', None),
    Field(
        'keypoints',
        _read_names,
        'a list of names, in the order of the metainfo; missing or empty says nothing',
        'expected a list of names; correct it or leave it out',
        None,
    ),
)
#: Records of a file of detector's boxes.
DETECTION_FIELDS = (
    Field('image_id', _read_id, 'the `id` of an image of the file', _IS_NUMBER),
    Field(
        'category_id',
        _read_id,
        'an integer; only those of the people are used',
        'which is not an integer',
    ),
    Field('score', _read_score, 'a number', 'expected a number up to 1e10'),
)
#: Lists of numbers of an annotation: key, what is taken.
TABLES = {
    'bbox': 'four numbers: x, y, width, height in pixels',
    'keypoints': 'x, y, visibility for every keypoint of the metainfo: numbers in '
    'pixels; visibility 0 (not labelled), 1 (hidden) or 2 (seen)',
}


def quote(value: Any) -> str:
    """Return the ``repr`` of a value, in at most 60 characters.

    Args:
        value (Any): From a file; may be an integer too long for Python to print.

    Returns:
        str: With ``...`` in its middle where it is longer.
    """
    try:
        text = repr(value)
    except ValueError:
        return 'an integer of thousands of digits'
    return text if len(text) <= 60 else f'{text[:40]}...{text[-15:]}'


def read_json(
    path: str, remedy: str, kind: type = dict, max_people: int | None = None
) -> Any:
    """Read a JSON file that holds an object, or a list of results.

    Args:
        path (str): Path or address.
        remedy (str): What to do where it is missing, for the message.
        kind (type): ``dict`` for annotations, ``list`` for results.
        max_people (int | None): Most people of an image, of annotations. Parsing stops
            at the first image that has more.

    Returns:
        dict | list: Its content.

    Raises:
        FileNotFoundError: There is no such file.
        AnnotationError: It is a folder, no JSON, or something else than an object; or
            an image has too many people.
    """
    if '://' not in path:
        if osp.isdir(path):
            raise AnnotationError(
                f'{path}: is a folder where an annotation file is expected; '
                f'{remedy} to the JSON file itself.'
            )
        if not osp.isfile(path):
            raise FileNotFoundError(
                f'{path}: this {"file" if kind is list else "annotation file"} does '
                f'not exist; {remedy}, or put the data there '
                '(docs/how_to/prepare_data.md).'
            )
    try:
        content = _parse(path, fileio.get(path), max_people)
    except AnnotationError:
        raise
    except RecursionError as error:
        raise AnnotationError(
            f'{path}: is JSON of lists or objects within each other, deeper than '
            'Python reads; no annotation file is: is it the right one?'
        ) from error
    # JSONDecodeError and UnicodeDecodeError are ValueErrors, as is an integer of
    # thousands of digits.
    except ValueError as error:
        reason = str(error).split(';')[0]
        raise AnnotationError(
            f'{path}: is not valid JSON ({reason}); is the download complete?'
        ) from error
    if kind is list and not isinstance(content, list):
        is_truth = isinstance(content, dict) and 'annotations' in content
        kind_of = f'holds a JSON {type(content).__name__}'
        raise AnnotationError(
            f'{path}: {"is an annotation file" if is_truth else kind_of} where a list '
            'of results is expected, [{"image_id": 1, "category_id": 1, "score": 0.9, '
            f'...}}, ...]; {remedy}.'
        )
    if kind is dict and not isinstance(content, dict):
        raise AnnotationError(
            f'{path}: holds a JSON {type(content).__name__} where an object with '
            'the keys "images" and "annotations" is expected; a list is the form of '
            'result files, not of annotation files.'
        )
    return content


class _CrowdedError(Exception):
    """An image has too many people; the arguments are its id and their number."""


class _PeopleCount:
    """Counts annotations while JSON is parsed, as ``object_hook``."""

    def __init__(self, max_people: int) -> None:
        self.max_people = max_people
        self.counts: Counter = Counter()

    def __call__(self, record: dict) -> dict:
        id_ = record.get('image_id')
        if 'id' in record and isinstance(id_, (int, float)):
            self.counts[id_] += 1
            if self.counts[id_] > self.max_people:
                raise _CrowdedError(id_, self.counts[id_])
        return record


def _parse(file: str, data: bytes, max_people: int | None) -> Any:
    """Parse JSON, of a crowded image only its first people.

    Tens of thousands of people take seconds to parse, only to be refused.
    """
    if max_people is None:
        return json.loads(data)
    text = data.decode(json.detect_encoding(data), 'surrogatepass')
    try:
        return json.loads(text, object_hook=_PeopleCount(max_people))
    except _CrowdedError:
        pass
    # such records may also be those of a list that nobody reads
    start = re.search(r'"annotations"\s*:\s*(?=\[)', text)
    if start is not None:
        decoder = json.JSONDecoder(object_hook=_PeopleCount(max_people))
        try:
            decoder.raw_decode(text, start.end())
        except _CrowdedError as found:
            id_, count = found.args
            raise _crowding_error(file, id_, count, max_people, ' or more') from None
    return json.loads(text)


def read_images(file: str, content: Mapping, need_names: bool = True) -> list[dict]:
    """Read the records of "images".

    Args:
        file (str): Path of the file, for messages.
        content (Mapping): Its content.
        need_names (bool): Whether every image needs a ``file_name``.

    Returns:
        list[dict]: The records, with normalised values.

    Raises:
        AnnotationError: A record breaks the schema, or an id comes twice.
    """
    fields = (IMAGE_FIELDS[0], FILE_NAME, *IMAGE_FIELDS[1:])
    fields = fields if need_names else IMAGE_FIELDS
    images = []
    for place, record in enumerate(get_records(file, content, 'images')):
        for field in fields:
            if field.is_required and field.key not in record:
                raise AnnotationError(
                    f'{file}: image id={quote(record.get("id", "?"))} (entry {place} '
                    f'of "images") has no "{field.key}"; every image needs id, '
                    'file_name, width and height.'
                )
        name = f'image id={quote(record["id"])}'
        images.append(_read_record(record, fields, f'{file}: {name}', ' '))
    _check_unique(file, images, 'images')
    return images


def read_categories(file: str, content: Mapping) -> list[dict]:
    """Read the records of "categories", which a file may lack.

    Args:
        file (str): Path of the file, for messages.
        content (Mapping): Its content.

    Returns:
        list[dict]: The records, with normalised values.

    Raises:
        AnnotationError: A record breaks the schema, or an id comes twice.
    """
    if content.get('categories') is None:
        return []
    categories = []
    for place, record in enumerate(get_records(file, content, 'categories')):
        where = f'{file}: entry {place} of "categories"'
        if 'id' not in record:
            raise AnnotationError(f'{where} has no "id"; number categories.')
        categories.append(_read_record(record, CATEGORY_FIELDS, where))
    _check_unique(file, categories, 'categories')
    return categories


def read_annotations(
    file: str,
    records: Iterable[dict],
    image_ids: Iterable[int],
    categories: Sequence[Mapping] = (),
) -> list[dict]:
    """Read the scalar values of annotation records; lists by :func:`read_table`.

    Args:
        file (str): Path of the file, for messages.
        records (Iterable[dict]): Of "annotations".
        image_ids (Iterable[int]): Of the file's images.
        categories (Sequence[Mapping]): The file's; a record without ``category_id`` is
            of the only one, and 1 where there is none.

    Returns:
        list[dict]: The records, copied where a value is normalised.

    Raises:
        AnnotationError: A record breaks the schema, or an id comes twice.
    """
    image_ids = set(image_ids)
    category_ids = {category['id'] for category in categories}
    annotations = []
    for place, record in enumerate(records):
        for key in ('id', 'image_id'):
            if key not in record:
                raise AnnotationError(
                    f'{file}: annotation id={quote(record.get("id", "?"))} (entry '
                    f'{place} of "annotations") has no "{key}"; give every person its '
                    'own integer id and the image_id of its image.'
                )
        where = f'{file}: annotation id={quote(record["id"])}'
        # of which an id is the culprit is told by its place
        for field in ANNOTATION_FIELDS[:2]:
            _read_record(record, [field], f'{file}: entry {place} of "annotations"')
        read = _read_record(record, ANNOTATION_FIELDS, where)
        if read['image_id'] not in image_ids:
            raise AnnotationError(
                f'{where} belongs to image_id={read["image_id"]!r}, which is not in '
                '"images"; add the image there or remove the annotation.'
            )
        category = read.get('category_id')
        if category is None:
            if len(category_ids) > 1:
                raise AnnotationError(
                    f'{where} has no "category_id", and the file has the categories '
                    f'{sorted(category_ids)}; write which one it is of.'
                )
            read = {**read, 'category_id': next(iter(category_ids), 1)}
        annotations.append(read)
    _check_unique(file, annotations, 'annotations')
    return annotations


def check_crowding(
    file: str, records: Sequence[Mapping], max_people: int = MAX_PEOPLE
) -> None:
    """Refuse an image of more people than memory is to be taken for.

    Args:
        file (str): Path of the file, for messages.
        records (Sequence[Mapping]): Of "annotations", as they stand in the file.
        max_people (int): Most people of an image, crowd regions included.

    Raises:
        AnnotationError: Naming the image, its number of people and the option.
    """
    ids = [record.get('image_id') for record in records]
    # others are named where the record is read
    counts = Counter(id_ for id_ in ids if isinstance(id_, (int, float)))
    for id_, count in counts.most_common(1):
        if count > max_people:
            raise _crowding_error(file, id_, count, max_people)


def _crowding_error(
    file: str, image_id: float, count: int, max_people: int, more: str = ''
) -> AnnotationError:
    return AnnotationError(
        f'{file}: image id={quote(image_id)} has {count:,} annotations{more}, over the '
        f'limit of {max_people:,} people of an image, which training would fill the '
        'memory with; correct image_id, or raise max_people of PersonKeypointsDataset '
        'in the config.'
    )


def read_detections(
    file: str, remedy: str, image_ids: Iterable[int], ann_file: str
) -> tuple[list[dict], np.ndarray]:
    """Read a file of detector's boxes: a JSON list, as COCO's results are.

    Args:
        file (str): Path or address.
        remedy (str): What to do where it is missing, for the message.
        image_ids (Iterable[int]): Of the images of the annotation file.
        ann_file (str): That file, for the message.

    Returns:
        tuple[list[dict], np.ndarray]: The D records, normalised; and their boxes
        (D, 4) float64: x, y, width, height in pixels.

    Raises:
        FileNotFoundError: There is no such file.
        AnnotationError: A record breaks the schema, or most are in fractions of the
            image; names file, place and key.
    """
    known, detections = set(image_ids), []
    for place, record in enumerate(read_json(file, remedy, list)):
        where = f'{file}: entry {place}'
        if not isinstance(record, dict):
            raise AnnotationError(
                f'{where} is a {type(record).__name__}, expected an object.'
            )
        for field in DETECTION_FIELDS:
            if field.key not in record:
                raise AnnotationError(
                    f'{where} has no "{field.key}"; a detected box has image_id, '
                    'category_id, bbox and score.'
                )
        read = _read_record(record, DETECTION_FIELDS, where)
        if read['image_id'] not in known:
            raise AnnotationError(
                f'{where} is of image_id={read["image_id"]}, which is not in '
                f'{ann_file}; give the boxes of the same images.'
            )
        detections.append({**read, 'id': place})
    boxes = read_table(
        file, detections, 'bbox', 4, 'a box is written [x, y, width, height]', True
    )
    _refuse_fractions(file, detections, 'bbox', boxes)
    return detections, boxes


def read_results(
    file: str,
    image_ids: Iterable[int],
    category_ids: Iterable[int],
    num_keypoints: int | Mapping[int, int],
) -> list[dict]:
    """Read COCO keypoint results: a JSON list, as evaluation servers take it.

    Args:
        file (str): Path or address.
        image_ids (Iterable[int]): Of the images of the annotation file.
        category_ids (Iterable[int]): Of its people.
        num_keypoints (int | Mapping[int, int]): K, or that of each category by its id.

    Returns:
        list[dict]: The records, normalised: ``image_id``, ``category_id``,
        ``keypoints`` (3K: x, y, score), ``score``, and ``bbox`` (x, y, width, height)
        where every record has it.

    Raises:
        FileNotFoundError: There is no such file.
        AnnotationError: A record breaks the schema, or most are in fractions of the
            image; names file, place and key.
    """
    known = {'image_id': set(image_ids), 'category_id': set(category_ids)}
    records = []
    remedy = (
        "give the predictions of a model in COCO's format, such as evaluate "
        '--save-results writes'
    )
    for place, record in enumerate(read_json(file, remedy, list)):
        where = f'{file}: entry {place}'
        if not isinstance(record, dict):
            raise AnnotationError(
                f'{where} is a {type(record).__name__}, expected an object.'
            )
        for key in (*(field.key for field in DETECTION_FIELDS), 'keypoints'):
            if key not in record:
                raise AnnotationError(
                    f'{where} has no "{key}"; a result has image_id, category_id, '
                    'keypoints and score.'
                )
        read = _read_record(record, DETECTION_FIELDS, where)
        for key, ids in known.items():
            if ids and read[key] not in ids:
                raise AnnotationError(
                    f'{where} is of {key}={read[key]}, which the annotation file does '
                    'not have; give the results for the same data set.'
                )
        records.append({**read, 'id': place})
    remedy = 'the keypoints of a result are written x, y, score'
    if isinstance(num_keypoints, Mapping):
        for id_, number in num_keypoints.items():
            own = [record for record in records if record['category_id'] == id_]
            table = read_table(file, own, 'keypoints', 3 * number, remedy, True)
            _refuse_fractions(file, own, 'keypoints', _take_places(table))
    else:
        table = read_table(file, records, 'keypoints', 3 * num_keypoints, remedy, True)
        _refuse_fractions(file, records, 'keypoints', _take_places(table))
    if all('bbox' in record for record in records):
        remedy = 'a box is written [x, y, width, height]'
        table = read_table(file, records, 'bbox', 4, remedy, True)
        _refuse_fractions(file, records, 'bbox', table)
        return records
    return [
        {key: value for key, value in record.items() if key != 'bbox'}
        for record in records
    ]


def _take_places(keypoints: np.ndarray) -> np.ndarray:
    """Take x and y from keypoints (A, 3 K) of x, y, score."""
    return np.delete(keypoints, np.s_[2::3], axis=1)


def _refuse_fractions(
    file: str, records: Sequence[Mapping], key: str, places: np.ndarray
) -> None:
    """Raise where most places (A, n) lie within the first pixel, as fractions do."""
    # all 0 is how some programs write that they found nothing
    asked = (places != 0).any(axis=1)
    are_shares = asked & (np.abs(places) <= 1).all(axis=1)
    if are_shares.sum() > asked.sum() / 2:
        first = int(np.argmax(are_shares))
        raise AnnotationError(
            f'{file}: {are_shares.sum()} of {asked.sum()} entries have a "{key}" '
            f'between 0 and 1, first entry {records[first]["id"]}; they are written '
            'in pixels: multiply fractions by the size of the image.'
        )


def check_categories_known(
    file: str, annotations: Sequence[Mapping], categories: Sequence[Mapping]
) -> None:
    """Refuse annotations of a category that the file does not have.

    Args:
        file (str): Path of the file, for messages.
        annotations (Sequence[Mapping]): As :func:`read_annotations` gives them.
        categories (Sequence[Mapping]): The file's; where there are none, any is right.

    Raises:
        AnnotationError: Naming the first such annotation.
    """
    known = {category['id'] for category in categories}
    for ann in annotations:
        if known and ann['category_id'] not in known:
            raise AnnotationError(
                f'{file}: annotation id={ann["id"]} has category_id='
                f'{ann["category_id"]}, which is not in "categories" (ids '
                f'{sorted(known)}); correct one of them.'
            )


def read_table(
    file: str,
    annotations: Sequence[dict],
    key: str,
    length: int | None,
    remedy: str,
    by_place: bool = False,
) -> np.ndarray:
    """Read a list of numbers of all annotations.

    Args:
        file (str): Path of the file, for messages.
        annotations (Sequence[dict]): A records.
        key (str): Where the lists are.
        length (int | None): Numbers of each list. None takes the first one's.
        remedy (str): What to do, for the message.
        by_place (bool): Their ``id`` is their place in a list of results.

    Returns:
        np.ndarray: (A, length) float64, finite, none beyond :data:`FARTHEST`.

    Raises:
        AnnotationError: A list is missing, of another length, or holds something else;
            text and true are not numbers.
    """
    if length is None:
        first = annotations[0].get(key) if annotations else None
        length = len(first) if isinstance(first, list) else 0
    if not annotations:
        return np.zeros((0, length))
    # Converting all at once is what makes 150,000 people a matter of seconds; only
    # a file that fails is looked through one by one, to name the first culprit.
    try:
        rows = [ann[key] for ann in annotations]
        # numpy takes text and booleans for numbers
        if set(map(type, chain.from_iterable(rows))) <= {int, float}:
            table = np.array(rows, np.float64)
            if table.shape == (len(rows), length) and (np.abs(table) <= FARTHEST).all():
                return table
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    for ann in annotations:
        fault = _list_fault(ann, key, length)
        if fault is not None:
            name = f'entry {ann["id"]}' if by_place else f'annotation id={ann["id"]}'
            raise AnnotationError(
                f'{file}: {name} (image_id={ann["image_id"]}) {fault}; {remedy}.'
            )
    return np.array(rows, np.float64)


def check_visibility(
    file: str, annotations: Sequence[dict], keypoints: np.ndarray
) -> None:
    """Refuse flags of visibility that COCO does not know.

    Args:
        file (str): Path of the file, for messages.
        annotations (Sequence[dict]): A records.
        keypoints (np.ndarray): (A, 3 K), as :func:`read_table` gives them.

    Raises:
        AnnotationError: A flag is none of 0, 1 and 2.
    """
    flags = keypoints[:, 2::3]
    wrong = ~np.isin(flags, (0, 1, 2))
    if not wrong.any():
        return
    person, keypoint = np.argwhere(wrong)[0]
    raise AnnotationError(
        f'{file}: annotation id={annotations[person]["id"]} has visibility '
        f'{flags[person, keypoint]:g} for keypoint {keypoint} in "keypoints"; COCO '
        'knows 0 (not labelled), 1 (hidden) and 2 (seen), so translate the flags.'
    )


def fill_areas(annotations: Sequence[dict], ratio: float) -> tuple[list[dict], int]:
    """Give an area to the annotations that have none.

    Args:
        annotations (Sequence[dict]): Records with a ``bbox``.
        ratio (float): An instance's area over that of its box.

    Returns:
        tuple[list[dict], int]: The records, copied where ``area`` was missing or 0
        though the box has one; and how many these are.
    """
    filled, number = [], 0
    for ann in annotations:
        if not ann.get('area'):
            box_area = max(ann['bbox'][2], 0) * max(ann['bbox'][3], 0)
            number += box_area > 0
            ann = {**ann, 'area': ratio * box_area}
        filled.append(ann)
    return filled, number


def get_records(file: str, content: Mapping, key: str) -> list[dict]:
    """Return a list of records of a file.

    Args:
        file (str): Path of the file, for messages.
        content (Mapping): Its content.
        key (str): ``'images'``, ``'annotations'`` or ``'categories'``.

    Returns:
        list[dict]: As they stand in the file.

    Raises:
        AnnotationError: It is not there, or no list of objects.
    """
    if key not in content:
        raise AnnotationError(
            f'{file}: has no key "{key}" (only {quote(sorted(content))}); a COCO '
            'keypoint file has "images", "annotations" and "categories".'
        )
    records = content[key]
    if not isinstance(records, list):
        raise AnnotationError(
            f'{file}: "{key}" is a {type(records).__name__}, expected a list.'
        )
    for place, record in enumerate(records):
        if not isinstance(record, dict):
            raise AnnotationError(
                f'{file}: entry {place} of "{key}" is a '
                f'{type(record).__name__}, expected an object.'
            )
    return records


def _read_record(
    record: dict, fields: Iterable[Field], where: str, before_id: str = ''
) -> dict:
    """Return the record, copied where a value means another one.

    Args:
        record (dict): As in the file.
        fields (Iterable[Field]): What to read of it.
        where (str): Names it in a message.
        before_id (str): Where given, ``where`` names the id already.

    Returns:
        dict: With all other keys as they are.

    Raises:
        AnnotationError: A value is refused.
    """
    changes, absent = {}, []
    for key, read, _, fault, default in fields:
        value = record.get(key)
        if value is None and default is not _REQUIRED:
            if default is not None:
                changes[key] = default
            elif key in record:
                absent.append(key)
            continue
        try:
            meant = read(value)
        except (TypeError, ValueError, OverflowError):
            if key == 'id' and before_id:
                raise AnnotationError(f'{where}{before_id}{fault}.') from None
            raise AnnotationError(
                f'{where} has {key}={quote(value)}, {fault}.'
            ) from None
        if meant is not value and (type(meant) is not type(value) or meant != value):
            changes[key] = meant
    if not changes and not absent:
        return record
    kept = {key: value for key, value in record.items() if key not in absent}
    return {**kept, **changes}


def _check_unique(file: str, records: Sequence[dict], key: str) -> None:
    ids = [record['id'] for record in records]
    if len(set(ids)) == len(ids):
        return
    twice = [id_ for id_, count in Counter(ids).items() if count > 1]
    raise AnnotationError(
        f'{file}: {len(twice)} ids of "{key}" occur more than once, first '
        f'{twice[:3]}; ids must be unique, so renumber them.'
    )


def _list_fault(ann: dict, key: str, length: int) -> str | None:
    if key not in ann:
        return f'has no "{key}" where {length} numbers are expected'
    values: Any = ann[key]
    if not isinstance(values, list):
        return f'has a {type(values).__name__} as "{key}" where a list is expected'
    if len(values) != length:
        return f'has {len(values)} numbers as "{key}" where {length} are expected'
    for value in values:
        try:
            number = _read_number(value)
        except (TypeError, ValueError, OverflowError):
            return f'has {quote(value)} in "{key}", which is not a finite number'
        if abs(number) > FARTHEST:
            return f'has {quote(value)} in "{key}", which is not a position in an image'
    return None


def tables() -> str:
    """Return the tables of docs/reference/input_formats.md."""
    parts = []
    for title, fields in (
        ('images', (IMAGE_FIELDS[0], FILE_NAME, *IMAGE_FIELDS[1:])),
        ('annotations', ANNOTATION_FIELDS),
        ('categories', CATEGORY_FIELDS),
        ("detector's boxes", DETECTION_FIELDS),
    ):
        rows = [(f.key, 'yes' if f.is_required else 'no', f.taken) for f in fields]
        if title == "detector's boxes":
            rows.append(('bbox', 'yes', TABLES['bbox']))
        if title == 'annotations':
            rows += [(key, 'yes', taken) for key, taken in TABLES.items()]
        lines = [f'| `{key}` | {needed} | {taken} |' for key, needed, taken in rows]
        head = f'| key of `{title}` | required | taken |'
        parts.append('\n'.join([head, '|---|---|---|', *lines]))
    return '\n\n'.join(parts)


if __name__ == '__main__':
    print(tables())
