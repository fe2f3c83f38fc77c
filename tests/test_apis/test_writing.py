# Copyright (c) onestage_pose contributors.
"""Results are whole or not there, and an error names the file."""

import json
import os

from onestage_pose.apis.writing import (
    JsonList,
    NameTooLongError,
    write_image,
    write_json,
)
from onestage_pose.utils.errors import ImageError, OutputError

import cv2
import numpy as np
import pytest

from tests.small_disk import small_disk

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
NOT_UTF_8 = 'caf\udce9'


@pytest.fixture(params=['image', 'json', 'list'])
def write(request):
    """Write something larger than 1,000 bytes to a path."""
    if request.param == 'image':
        return lambda path: write_image(path, IMAGE)
    if request.param == 'json':
        return lambda path: write_json(path, list(range(1000)))

    def write_list(path):
        with JsonList(path) as out:
            for number in range(1000):
                out.write(number)

    return write_list


def test_an_image_is_what_was_given(tmp_path):
    write_image(tmp_path / 'a.png', IMAGE)

    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'a.png')), IMAGE)


@pytest.mark.parametrize('name', ['a.xyz', 'a'])
def test_an_image_of_an_unknown_kind_is_named(tmp_path, name):
    with pytest.raises(ImageError, match=f'{name}: OpenCV could not encode'):
        write_image(tmp_path / name, IMAGE)


def test_numbers_of_numpy_are_numbers(tmp_path):
    write_json(tmp_path / 'a.json', [np.float32(0.5), np.int64(3), np.ones(2)])

    assert json.loads((tmp_path / 'a.json').read_text()) == [0.5, 3, [1.0, 1.0]]


@pytest.mark.parametrize('name', [f'{NOT_UTF_8}.png', f'{251 * "a"}.png'])
def test_any_name_of_a_file_is_written(write, tmp_path, name):
    if write.__name__ == 'write_list':
        name = name.replace('a', '', 2)
    write(tmp_path / name)

    assert os.listdir(tmp_path) == [name]


def test_a_longer_name_is_an_error_of_its_own(write, tmp_path):
    with pytest.raises(NameTooLongError, match=r'aaa\.\w+ could not be written'):
        write(tmp_path / f'{252 * "a"}.png')

    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_an_error_that_names_the_file(write, tmp_path):
    with pytest.raises(OutputError, match=r'a\.\w+ could not be'), small_disk(1000):
        write(tmp_path / 'a.png')

    assert 'a.png' not in os.listdir(tmp_path)


class TestJsonList:
    def test_is_a_list(self, tmp_path):
        with JsonList(tmp_path / 'a.json') as out:
            for number in range(3):
                out.write(dict(frame_id=number, instances=[]))

        expected = json.dumps(
            [dict(frame_id=number, instances=[]) for number in range(3)], indent='  '
        )
        assert (tmp_path / 'a.json').read_text() == expected

    def test_of_nothing_is_an_empty_list(self, tmp_path):
        with JsonList(tmp_path / 'a.json'):
            pass

        assert json.loads((tmp_path / 'a.json').read_text()) == []

    def test_has_a_line_for_each_element_as_soon_as_it_is_there(self, tmp_path):
        with JsonList(tmp_path / 'a.json') as out:
            for number in range(3):
                out.write([number])
                lines = (tmp_path / 'a.jsonl').read_text().splitlines()
                assert list(map(json.loads, lines)) == [[n] for n in range(number + 1)]

        assert os.listdir(tmp_path) == ['a.json']

    def test_keeps_its_lines_where_an_error_ends_it(self, tmp_path):
        with pytest.raises(ZeroDivisionError), JsonList(tmp_path / 'a.json') as out:
            out.write(1)
            raise ZeroDivisionError

        assert (tmp_path / 'a.jsonl').read_text() == '1\n'

    @pytest.mark.parametrize('keep, left', [(True, 'a.json'), (False, 'a.jsonl')])
    def test_ctrl_c_completes_only_what_has_no_end(self, tmp_path, keep, left):
        with pytest.raises(KeyboardInterrupt):
            with JsonList(tmp_path / 'a.json', keep_interrupted=keep) as out:
                out.write(1)
                raise KeyboardInterrupt

        assert os.listdir(tmp_path) == [left]

    def test_without_a_path_writes_nothing(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with JsonList(None) as out:
            out.write(1)

        assert os.listdir(tmp_path) == []
