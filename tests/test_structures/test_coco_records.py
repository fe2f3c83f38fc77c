# Copyright (c) onestage_pose contributors.
"""Which records are taken, as what, and what is said of the rest."""

import json
from pathlib import Path

from onestage_pose.structures.coco_records import (
    FARTHEST,
    fill_areas,
    quote,
    read_annotations,
    read_categories,
    read_detections,
    read_images,
    read_json,
    read_results,
    read_table,
    tables,
)
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROFILE = settings(derandomize=True, deadline=None, max_examples=100)
DOCS = Path(__file__).parents[2] / 'docs/reference/input_formats.md'

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**400, '0', '1', 'false', '1.0', 0, 1, 2]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
integers = st.integers(-(2**63) + 1, 2**63 - 1)


def read_person(**changes):
    record = dict(id=1, image_id=1, category_id=1, iscrowd=0, area=5.0) | changes
    return read_annotations('a.json', [record], [1], [dict(id=1)])[0]


def read_image(**changes):
    record = dict(id=1, file_name='a.png', width=20, height=10) | changes
    return read_images('a.json', dict(images=[record]))[0]


def test_the_tables_of_the_docs_are_these():
    docs = DOCS.read_text()
    assert all(table in docs for table in tables().split('\n\n'))


def test_records_that_mean_what_they_say_are_left_alone():
    record = dict(id=1, image_id=1, category_id=1, iscrowd=0, area=5.0, colour='red')
    assert read_annotations('a.json', [record], [1])[0] is record


@pytest.mark.parametrize(
    ('given', 'meant'),
    [(0, 0), (1, 1), (0.0, 0), (1.0, 1), (False, 0), (True, 1), (None, 0)],
)
def test_flags_mean_0_or_1(given, meant):
    read = read_person(iscrowd=given)['iscrowd']
    assert (read, type(read)) == (meant, int)


def test_a_null_area_is_no_area():
    assert 'area' not in read_person(area=None)


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('iscrowd', '0', "id=1 has iscrowd='0', expected 0 or 1"),
        ('iscrowd', 2, 'has iscrowd=2'),
        ('iscrowd', [], r'has iscrowd=\[\]'),
        ('category_id', '1', "category_id='1', which is not an integer"),
        ('category_id', True, 'category_id=True, which is not an integer'),
        ('category_id', 1.5, 'category_id=1.5, which is not an integer'),
        ('id', 2**63, 'id=9223372036854775808, which is not an integer'),
        ('id', float('nan'), 'id=nan, which is not an integer'),
        ('area', -1, 'area=-1, expected square pixels'),
        ('area', True, 'area=True, expected square pixels'),
        ('area', 10**400, r'area=1000.*\.\.\..*000, expected square pixels'),
        ('num_keypoints', -1, 'num_keypoints=-1, expected the number'),
    ],
)
def test_a_wrong_value_of_a_person_is_named(key, value, message):
    with pytest.raises(AnnotationError, match=f'a.json: .*{message}'):
        read_person(**{key: value})


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('width', True),
        ('width', 20.5),
        ('height', -1),
        ('height', 10**400),
        ('crowdIndex', 1.5),
        ('file_name', 'a\0.png'),
        ('file_name', '../a.png'),
        ('id', True),
    ],
)
def test_a_wrong_value_of_an_image_is_named(key, value):
    with pytest.raises(AnnotationError, match=f'a.json: image id=.*{key}'):
        read_image(**{key: value})


def test_a_size_that_is_a_float_is_whole():
    assert read_image(width=20.0)['width'] == 20


@pytest.mark.parametrize(
    ('categories', 'meant'), [([], 1), ([dict(id=7)], 7), ([dict(id=0)], 0)]
)
def test_people_without_category_are_of_the_only_one(categories, meant):
    record = dict(id=1, image_id=1)
    read = read_annotations('a.json', [record], [1], categories)[0]
    assert read['category_id'] == meant


def test_people_without_category_among_several_are_named():
    with pytest.raises(
        AnnotationError, match=r'no "category_id".* categories \[1, 2\]'
    ):
        read_annotations(
            'a.json', [dict(id=1, image_id=1)], [1], [dict(id=1), dict(id=2)]
        )


@pytest.mark.parametrize(
    ('record', 'message'),
    [
        (dict(name='a'), 'has no "id"'),
        (dict(id=1, name=3), 'has name=3, expected text'),
        (dict(id=1, keypoints='nose'), "has keypoints='nose', expected a list of"),
        (dict(id=1, keypoints=[1]), r'has keypoints=\[1\], expected a list of names'),
    ],
)
def test_a_wrong_category_is_named(record, message):
    with pytest.raises(AnnotationError, match=f'a.json: entry 0 .*{message}'):
        read_categories('a.json', dict(categories=[record]))


@pytest.mark.parametrize('value', ['1', True, None, float('inf'), 1e39, 10**400, []])
def test_what_is_no_coordinate_is_named(value):
    people = [dict(id=4, image_id=1, bbox=[1, 2, 3, value])]
    with pytest.raises(AnnotationError, match='id=4 .* in "bbox", which is no.*; cure'):
        read_table('a.json', people, 'bbox', 4, 'cure')


def test_areas_are_filled_where_a_box_has_one():
    people = [
        dict(bbox=[0, 0, 4, 5]),
        dict(bbox=[0, 0, 4, 5], area=0),
        dict(bbox=[0, 0, 4, 5], area=7),
        dict(bbox=[0, 0, 0, 5], area=0),
    ]
    filled, number = fill_areas(people, 0.5)
    assert [ann['area'] for ann in filled] == [10, 10, 7, 0]
    assert number == 2


@pytest.mark.parametrize('text', ['[' * 100_000, '{"a":' * 100_000], ids=['[', '{'])
def test_json_that_is_nested_too_deep_is_named(tmp_path, text):
    path = tmp_path / 'deep.json'
    path.write_text(text)
    with pytest.raises(AnnotationError, match='deep.json: is JSON of lists'):
        read_json(str(path), 'cure')


def test_an_integer_that_python_does_not_read_is_named(tmp_path):
    path = tmp_path / 'long.json'
    path.write_text('{"images": ' + '1' * 5000 + '}')
    with pytest.raises(AnnotationError, match='long.json: is not valid JSON'):
        read_json(str(path), 'cure')


@pytest.mark.parametrize(
    'value', ['x' * 1000, 10**5000, list(range(999))], ids=['text', 'integer', 'list']
)
def test_values_are_quoted_in_60_characters(value):
    assert len(quote(value)) <= 60


@PROFILE
@given(
    st.sampled_from(['id', 'image_id', 'category_id', 'iscrowd', 'area']), json_values
)
def test_any_value_of_a_person_is_normalised_or_named(key, value):
    try:
        read = read_person(**{key: value})
    except AnnotationError as error:
        assert str(error).startswith('a.json: ')
        assert len(str(error)) < 400
    else:
        assert type(read['id']) is type(read['image_id']) is int
        assert read['iscrowd'] in (0, 1) and type(read['iscrowd']) is int
        assert type(read['category_id']) is int
        assert read.get('area', 0) >= 0
        assert not isinstance(value, (str, list, dict))
        json.dumps(read, allow_nan=False)


@PROFILE
@given(st.sampled_from(['id', 'width', 'height', 'file_name']), json_values)
def test_any_value_of_an_image_is_normalised_or_named(key, value):
    try:
        read = read_image(**{key: value})
    except AnnotationError as error:
        assert str(error).startswith('a.json: image id=')
    else:
        assert type(read['id']) is int
        assert read['width'] > 0 and read['height'] > 0
        assert read['file_name'] and '..' not in Path(read['file_name']).parts


@PROFILE
@given(st.lists(json_values, min_size=4, max_size=4))
def test_any_box_is_finite_numbers_or_named(box):
    people = [dict(id=1, image_id=1, bbox=box)]
    numbers = all(type(value) in (int, float) for value in box)
    good = numbers and all(-FARTHEST <= value <= FARTHEST for value in box)
    try:
        table = read_table('a.json', people, 'bbox', 4, 'cure')
    except AnnotationError:
        assert not good
    else:
        assert good
        np.testing.assert_array_equal(table, [box])


@PROFILE
@given(integers, integers, integers, st.sampled_from([0, 1, False, True, None]))
def test_nothing_within_the_schema_is_refused(id_, image_id, category, flag):
    record = dict(id=id_, image_id=image_id, category_id=category, iscrowd=flag)
    read = read_annotations('a.json', [record], [image_id], [dict(id=category)])[0]
    assert (read['id'], read['image_id'], read['category_id']) == (
        id_,
        image_id,
        category,
    )
    assert read['iscrowd'] == int(flag or 0)


def write_results(folder: Path, **changes: object) -> str:
    result = dict(image_id=1.0, category_id=1, keypoints=[1, 2, 0.5], score=0.9)
    result.update(changes)
    content = [{key: value for key, value in result.items() if value is not None}]
    path = folder / 'results.json'
    path.write_text(json.dumps(content))
    return str(path)


def test_results_are_read_with_normalised_ids(tmp_path: Path) -> None:
    (record,) = read_results(write_results(tmp_path), [1], [1], 1)

    assert (record['image_id'], type(record['image_id'])) == (1, int)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(keypoints=None), 'entry 0 has no "keypoints"'),
        (dict(image_id=7), 'image_id=7, which the annotation file does not have'),
        (dict(category_id=3), 'category_id=3, which the annotation file does not'),
        (
            dict(keypoints=[1, 2]),
            r'entry 0 \(image_id=1\) has 2 numbers as "key',
        ),
        (dict(bbox=[1, 2]), 'has 2 numbers as "bbox" where 4 are expected'),
        (dict(score='high'), "has score='high', expected a number"),
    ],
)
def test_results_that_would_be_measured_wrongly_are_refused(
    tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_results(write_results(tmp_path, **changes), [1], [1], 1)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            dict(images=[], annotations=[]),
            'results.json: is an annotation file where a',
        ),
        (dict(predictions=[]), 'holds a JSON dict where a list of results is'),
        (
            3,
            r'holds a JSON int .* give the predictions .* --save-results writes',
        ),
    ],
)
def test_another_file_than_results_is_named(
    tmp_path: Path, content: object, message: str
) -> None:
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(content))

    with pytest.raises(AnnotationError, match=message):
        read_results(str(path), [1], [1], 1)


@pytest.mark.parametrize(
    'changes',
    [dict(keypoints=[0.5, 0.25, 0.9]), dict(bbox=[0.1, 0.2, 0.3, 0.4])],
    ids=['keypoints', 'bbox'],
)
def test_results_in_fractions_of_the_image_are_refused(
    tmp_path: Path, changes: dict
) -> None:
    file = write_results(tmp_path, **changes)
    [key] = changes
    with pytest.raises(AnnotationError, match=f'1 of 1 entries have a "{key}" between'):
        read_results(file, [1], [1], 1)


def test_detected_boxes_in_fractions_of_the_image_are_refused(tmp_path: Path) -> None:
    file = write_results(tmp_path, bbox=[0.1, 0.2, 0.3, 0.4])
    with pytest.raises(AnnotationError, match='multiply fractions by the size'):
        read_detections(file, 'set bbox_file', [1], 'annotations.json')


def test_keypoints_that_were_not_found_are_no_fractions(tmp_path: Path) -> None:
    file = write_results(tmp_path, keypoints=[0, 0, 0])
    assert len(read_results(file, [1], [1], 1)) == 1


@PROFILE
@given(
    st.sampled_from(['image_id', 'category_id', 'keypoints', 'score', 'bbox']),
    json_values,
)
def test_any_value_of_a_result_is_normalised_or_named(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    file = write_results(tmp_path_factory.getbasetemp(), **{key: value})
    try:
        [record] = read_results(file, [1], [1], 1)
    except AnnotationError as error:
        assert str(error).startswith(file)
    else:
        assert (record['image_id'], record['category_id']) == (1, 1)
        assert len(record['keypoints']) == 3
        assert np.isfinite([record['score'], *record['keypoints']]).all()
        assert np.isfinite(record.get('bbox', [])).all()
