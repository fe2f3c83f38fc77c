# Copyright (c) onestage_pose contributors.
"""Check an exported ONNX file, from its bytes, before a runtime opens it.

A graph may name other files (external data), operators that come from elsewhere, and
metadata of any size. Only what ``export_onnx`` writes is let through. This module needs
nothing but Python, for programs that run where PyTorch is not installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .errors import OnnxFileError

#: Longest side, in pixels, that a file may ask an image to be resized to.
MAX_SIDE = 8192

# protobuf's wire types, https://protobuf.dev/programming-guides/encoding/
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Messages within messages, by the numbers of onnx.proto (ONNX 1.19): all that can hold
# a node or a tensor, and the metadata.
_PARTS = {
    'model': {7: 'graph', 14: 'entry', 20: 'training', 25: 'function'},
    'training': {1: 'graph', 2: 'graph'},
    'function': {7: 'node', 11: 'attribute'},
    'graph': {1: 'node', 5: 'tensor', 15: 'sparse tensor'},
    'node': {5: 'attribute'},
    'attribute': {
        5: 'tensor',
        6: 'graph',
        10: 'tensor',
        11: 'graph',
        22: 'sparse tensor',
        23: 'sparse tensor',
    },
    'sparse tensor': {1: 'tensor', 2: 'tensor'},
}
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14
_STANDARD = ('', 'ai.onnx')


class OnnxCategory(NamedTuple):
    """A category and its keypoints.

    Attributes:
        name (str): What it is called.
        id (int): ``category_id`` of COCO files.
        start (int): Index of its first keypoint.
        stop (int): The index behind its last one.
    """

    name: str
    id: int
    start: int
    stop: int


@dataclass(frozen=True)
class OnnxMetadata:
    """What a program needs to know beside the graph.

    It unpacks to names, skeleton and resize, as it did when these were all.

    Attributes:
        keypoint_names (list[str]): Of the K keypoints.
        skeleton (list[tuple[int, int]]): Pairs of their indices, to be drawn.
        resize (tuple[float, float] | None): Bounds in pixels of the longer and the
            shorter side of the network's input; None takes an image as it is.
        categories (list[OnnxCategory]): By their labels; empty where the model has one
            skeleton.
    """

    keypoint_names: list[str]
    skeleton: list[tuple[int, int]]
    resize: tuple[float, float] | None
    categories: list[OnnxCategory] = field(default_factory=list)

    def __iter__(self) -> Iterator:
        """Yield the first three."""
        yield from (self.keypoint_names, self.skeleton, self.resize)


def check_onnx(content: bytes, name: str) -> OnnxMetadata:
    """Refuse an ONNX file that is not as ``export_onnx`` writes it.

    Nothing is built: the messages of the file are stepped through.

    Args:
        content (bytes): The file.
        name (str): Its path, for messages.

    Returns:
        OnnxMetadata: Its metadata.

    Raises:
        OnnxFileError: It is no ONNX file or is truncated; keeps tensors in other files;
            has operators that are not ONNX's own; or has metadata that are missing,
            of another type or out of range.
    """
    entries = {}
    try:
        if content[4:8] == b'ORTM':
            raise ValueError
        for kind, message in _walk(memoryview(content)):
            if kind == 'entry':
                fields = dict(_fields(message))
                entries[_text(fields.get(1))] = _text(fields.get(2))
            elif kind == 'tensor':
                _check_tensor(message, name)
            elif kind == 'node':
                _check_node(message, name)
    except OnnxFileError:
        raise
    except (ValueError, IndexError, TypeError) as error:
        raise OnnxFileError(
            f'{name}: is not an ONNX file, or is truncated; export the model again.'
        ) from error
    return _read_metadata(entries, name)


def _walk(model: memoryview) -> Iterator[tuple[str, memoryview]]:
    """Yield all messages of :data:`_PARTS` with their kinds, in no order."""
    waiting = [('model', model)]
    while waiting:
        kind, message = waiting.pop()
        yield kind, message
        parts = _PARTS.get(kind)
        if parts is None:
            continue
        for number, value in _fields(message):
            if number in parts and isinstance(value, memoryview):
                waiting.append((parts[number], value))


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview | None]]:
    """Yield numbers and values of a message's fields; None stands for fixed ones."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, wire_type = tag >> 3, tag & 7
        value: int | memoryview | None = None
        if wire_type == _VARINT:
            value, place = _varint(message, place)
        elif wire_type in (_FIXED64, _FIXED32):
            place += 8 if wire_type == _FIXED64 else 4
        elif wire_type == _BYTES:
            length, place = _varint(message, place)
            value, place = message[place : place + length], place + length
        else:
            # groups, which ONNX does not have
            raise ValueError
        if place > len(message) or not 0 < number < 2**29:
            raise ValueError
        yield number, value


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Read an integer of up to ten bytes; return it and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError


def _text(value: Any) -> str:
    return str(b'' if value is None else value, 'utf-8')


def _check_tensor(message: memoryview, name: str) -> None:
    fields, tensor = _fields(message), ''
    is_elsewhere = False
    for number, value in fields:
        if number == _TENSOR_NAME:
            tensor = _text(value)
        is_elsewhere |= number == _TENSOR_EXTERNAL
        is_elsewhere |= number == _TENSOR_LOCATION and value != 0
    if is_elsewhere:
        raise OnnxFileError(
            f'{name}: the values of {tensor[:60]!r} are in another file, which is not '
            'opened; export the model again, as one file.'
        )


def _check_node(message: memoryview, name: str) -> None:
    operator = ''
    domains = ['']
    for number, value in _fields(message):
        if number == _NODE_OPERATOR:
            operator = _text(value)
        elif number == _NODE_DOMAIN:
            domains.append(_text(value))
    for domain in domains:
        if domain not in _STANDARD:
            raise OnnxFileError(
                f"{name}: its operator {operator[:60]!r} is not one of ONNX's own but "
                f'of {domain[:60]!r}; export the model again.'
            )


def _read_metadata(entries: dict[str, str], name: str) -> OnnxMetadata:
    values = {}
    for key in ('dataset_meta', 'resize'):
        if key not in entries:
            raise OnnxFileError(
                f'{name}: has no metadata {key!r}; it was not made by '
                'tools/deployment/export_onnx.py.'
            )
        try:
            values[key] = json.loads(entries[key])
        except (ValueError, RecursionError) as error:
            raise OnnxFileError(
                f'{name}: its metadata {key!r} are not JSON; export the model again.'
            ) from error
    dataset, resize = values['dataset_meta'], values['resize']
    names = dataset.get('keypoint_names') if isinstance(dataset, dict) else None
    if not (names and isinstance(names, list) and all(map(_is_text, names))):
        raise _fault(name, 'dataset_meta', 'keypoint_names', 'a list of names')
    links = dataset.get('skeleton')
    if not (isinstance(links, list) and all(_is_link(each, names) for each in links)):
        expected = f'pairs of indices from 0 to {len(names) - 1}'
        raise _fault(name, 'dataset_meta', 'skeleton', expected)
    if resize is not None:
        sides = resize if isinstance(resize, dict) else {}
        longer, shorter = sides.get('longer'), sides.get('shorter')
        if not (_is_side(longer) and _is_side(shorter) and shorter <= longer):
            expected = f'null, or "shorter" up to "longer" from 1 to {MAX_SIDE} pixels'
            raise _fault(name, 'resize', 'longer and shorter', expected)
        resize = longer, shorter
    categories = _read_categories(dataset.get('categories'), len(names), name)
    return OnnxMetadata(names, [(a, b) for a, b in links], resize, categories)


def _read_categories(value: Any, num_keypoints: int, name: str) -> list[OnnxCategory]:
    if value is None:
        return []
    found, place = [], 0
    for entry in value if isinstance(value, list) else ():
        if not _is_category(entry, place):
            break
        start, place = entry['keypoints']
        found.append(OnnxCategory(entry['name'], entry['id'], start, place))
    if not found or len(found) < len(value) or place != num_keypoints:
        expected = (
            'a list of name, id and keypoints, [first index, index behind the last], '
            f'which share the indices from 0 to {num_keypoints - 1} in turn'
        )
        raise _fault(name, 'dataset_meta', 'categories', expected)
    return found


def _is_category(value: Any, start: int) -> bool:
    if not isinstance(value, dict) or not _is_text(value.get('name')):
        return False
    places = value.get('keypoints')
    return (
        type(value.get('id')) is int
        and isinstance(places, list)
        and [type(place) for place in places] == [int, int]
        and places[0] == start < places[1]
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_link(value: Any, names: list) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(end) is int and 0 <= end < len(names) for end in value)
    )


def _is_side(value: Any) -> bool:
    # true is no number; NaN, which Python's JSON has, is in no range
    return type(value) in (int, float) and 1 <= value <= MAX_SIDE


def _fault(name: str, key: str, part: str, expected: str) -> OnnxFileError:
    return OnnxFileError(
        f'{name}: its metadata {key!r} are wrong in {part}; expected {expected}. '
        'Export the model again.'
    )
