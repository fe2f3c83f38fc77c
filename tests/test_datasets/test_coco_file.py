# Copyright (c) onestage_pose contributors.
import json

from onestage_pose.datasets.coco_file import load_coco_keypoints
from onestage_pose.evaluation.ground_truth import read_ground_truth
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_datasets.conftest import make_image, make_person


def load(coco, **options):
    return load_coco_keypoints(str(coco.ann_file), 17, 'coco', **options)


def test_boxes_become_corners_and_keypoints_keep_their_flags(coco_set, image, person):
    flags = [0, 1, 2] + [2] * 14
    keypoints = np.stack([np.arange(17), np.arange(17) + 0.5, flags], axis=1)
    coco = coco_set(
        [image(7)],
        [person(1, 7, bbox=[1.5, 2.5, 10, 20], keypoints=keypoints.ravel().tolist())],
    )
    content = load(coco)
    np.testing.assert_allclose(content.bboxes, [[1.5, 2.5, 11.5, 22.5]])
    np.testing.assert_allclose(content.keypoints[0], keypoints)


def test_a_file_without_people_has_empty_tables(coco_set, image):
    content = load(coco_set([image(1)], []))
    assert content.keypoints.shape == (0, 17, 3)
    assert content.bboxes.shape == (0, 4)


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / 'absent.json')
    with pytest.raises(FileNotFoundError, match=r'absent\.json.*does not exist.*ann_f'):
        load_coco_keypoints(path, 17, 'coco')


def test_no_file_at_all_names_the_option():
    with pytest.raises(ValueError, match='set ann_file'):
        load_coco_keypoints('', 17, 'coco')


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    with pytest.raises(ValueError, match='is a folder where an annotation file'):
        load_coco_keypoints(str(tmp_path), 17, 'coco')


def test_broken_json_is_named(coco_set, image):
    coco = coco_set([image(1)], [])
    coco.ann_file.write_text('{"images": [')
    with pytest.raises(ValueError, match=r'annotations\.json: is not valid JSON'):
        load(coco)


def test_a_result_file_is_told_from_an_annotation_file(coco_set, image):
    coco = coco_set([image(1)], [])
    coco.save([])
    with pytest.raises(ValueError, match='holds a JSON list where an object'):
        load(coco)


@pytest.mark.parametrize(('dataset_name', 'is_config'), [('coco', True), (None, False)])
def test_a_config_is_spoken_of_where_there_is_one(
    coco_set, image, person, dataset_name, is_config
):
    coco = coco_set([image(1)], [person(1, 1, keypoints=[1, 2, 2])])

    with pytest.raises(AnnotationError, match='has 17 keypoints') as raised:
        load_coco_keypoints(str(coco.ann_file), 17, dataset_name)

    assert ('metainfo=dict(from_file=...)' in str(raised.value)) == is_config


@pytest.mark.parametrize('key', ['images', 'annotations'])
def test_a_missing_list_is_named(coco_set, key, image):
    coco = coco_set([image(1)], [])
    del coco.content[key]
    coco.save(coco.content)
    with pytest.raises(ValueError, match=f'has no key "{key}"'):
        load(coco)


def test_only_testing_takes_a_file_without_annotations(coco_set, image):
    coco = coco_set([image(1)], [])
    del coco.content['annotations']
    coco.save(coco.content)
    assert load(coco, need_annotations=False).annotations == []


@pytest.mark.parametrize('key', ['id', 'file_name', 'width', 'height'])
def test_a_missing_key_of_an_image_is_named(coco_set, key, image):
    coco = coco_set([image(1), image(2)], [])
    del coco.content['images'][1][key]
    coco.save(coco.content)
    with pytest.raises(ValueError, match=rf'entry 1 of "images"\) has no "{key}"'):
        load(coco)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(id='a'), "id='a' is not an integer"),
        (dict(width=0), 'image id=1 has width=0'),
        (dict(height='80'), "image id=1 has height='80'"),
    ],
)
def test_a_wrong_value_of_an_image_is_named(coco_set, change, message, image):
    coco = coco_set([image(1)], [])
    coco.content['images'][0].update(change)
    coco.save(coco.content)
    with pytest.raises(ValueError, match=message):
        load(coco)


def test_an_entry_that_is_no_object_is_named(coco_set, image):
    coco = coco_set([image(1)], [])
    coco.save(dict(coco.content, annotations=[3]))
    with pytest.raises(ValueError, match='entry 0 of "annotations" is a int'):
        load(coco)


@pytest.mark.parametrize('key', ['images', 'annotations'])
def test_ids_that_come_twice_are_named(coco_set, key, image, person):
    coco = coco_set([image(1)], [person(5)])
    coco.save(dict(coco.content, **{key: coco.content[key] * 2}))
    with pytest.raises(ValueError, match=f'1 ids of "{key}" occur more than'):
        load(coco)


def test_a_person_of_an_absent_image_is_named(coco_set, image, person):
    coco = coco_set([image(1)], [person(5, image_id=9)])
    with pytest.raises(ValueError, match='annotation id=5 belongs to image_id=9'):
        load(coco)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(keypoints=[1, 2, 2] * 14), 'has 42 numbers as "keypoints" where 51'),
        (dict(keypoints=None), 'has a NoneType as "keypoints"'),
        (dict(keypoints=['a', 1, 2] * 17), 'has \'a\' in "keypoints"'),
        (dict(keypoints=[float('nan'), 1, 2] * 17), 'has nan in "keypoints"'),
        (dict(bbox=[1, 2, 3]), 'has 3 numbers as "bbox" where 4'),
    ],
)
def test_a_wrong_list_of_a_person_is_named(coco_set, change, message, image, person):
    coco = coco_set([image(1)], [person(4), person(5, **change)])
    with pytest.raises(ValueError, match=r'annotations\.json: annotation id=5.*') as e:
        load(coco)
    assert message in str(e.value)


def test_a_wrong_number_of_keypoints_names_the_metainfo_as_remedy(
    coco_set, image, person
):
    coco = coco_set([image(1)], [person(5, num_keypoints=14)])
    with pytest.raises(ValueError, match=r'"coco" has 17.*metainfo=dict\(from_file'):
        load(coco)


@pytest.mark.parametrize('key', ['keypoints', 'bbox', 'image_id', 'id'])
def test_a_missing_key_of_a_person_is_named(coco_set, key, image, person):
    annotation = person(5)
    del annotation[key]
    coco = coco_set([image(1)], [annotation])
    with pytest.raises(ValueError, match=f'has no "{key}"'):
        load(coco)


def test_bytes_that_are_no_text_are_named(coco_set, image):
    coco = coco_set([image(1)], [])
    coco.ann_file.write_bytes(b'\xff\xfe\x00' + json.dumps({}).encode())
    with pytest.raises(ValueError, match='is not valid JSON'):
        load(coco)


values = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.floats()
    | st.sampled_from(['0', '1', 'x', 10**400, 1e39, [], {}, [1, 2], 2**70])
)
changes = st.tuples(
    st.sampled_from(['images', 'annotations', 'categories']),
    st.sampled_from(
        ['id', 'image_id', 'category_id', 'iscrowd', 'area', 'width', 'name', 'bbox']
    ),
    values,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(changes, min_size=1, max_size=2))
def test_what_training_takes_the_metrics_take(tmp_path, changed):
    """Training, testing and a metric's file agree, and what they take is usable."""
    content = dict(
        images=[make_image(1)],
        annotations=[make_person(1), make_person(2)],
        categories=[dict(id=1, name='person')],
    )
    for part, key, value in changed:
        content[part][0][key] = value
    path = tmp_path / 'any.json'
    path.write_text(json.dumps(content))
    taken = {}
    for name, read in (
        ('training', lambda: load_coco_keypoints(str(path), 17, 'coco')),
        ('testing', lambda: load_coco_keypoints(str(path), 17, 'coco', False)),
        ('metric', lambda: read_ground_truth(str(path), 'metric', True)),
    ):
        try:
            taken[name] = read()
        except AnnotationError as error:
            assert str(error).startswith(f'{path}: ')

    # only the data set knows that people are of one category, and where they are
    assert ('training' in taken) == ('testing' in taken)
    if 'training' in taken:
        assert 'metric' in taken
        people = taken['training'].annotations
        assert people == taken['metric']['annotations']
        assert all(type(each['iscrowd']) is int for each in people)
        assert np.isfinite(taken['training'].bboxes.astype(np.float32)).all()
        json.dumps(people, allow_nan=False)


class TestPeopleOfAnImage:
    """Memory in training grows with their number: the counts are looked at first."""

    def test_more_than_the_limit_are_named_before_anything_is_read(
        self, coco_set, image, monkeypatch
    ):
        people = [dict(image_id=7, id=number) for number in range(1001)]
        coco = coco_set([image(7)], people)
        monkeypatch.setattr('onestage_pose.datasets.coco_file.read_annotations', None)

        with pytest.raises(
            AnnotationError,
            match=r'\.json: image id=7 has 1,001 ann.*1,000 people.*max_people',
        ):
            load(coco)

    def test_the_file_is_not_read_to_its_end(self, coco_set, image):
        """Parsing 60,000 people takes seconds: it stops at the first one too many."""
        coco = coco_set([image(7)], [dict(image_id=7, id=i) for i in range(4)])
        text = coco.ann_file.read_text()
        coco.ann_file.write_text(f'{text[:-10]}and no JSON')

        with pytest.raises(AnnotationError, match='image id=7 has 4 annotations or mo'):
            load(coco, max_people=3)

    def test_people_of_another_list_are_not_counted(self, coco_set, image):
        coco = coco_set([image(7)], [])
        content = json.loads(coco.ann_file.read_text())
        former = [dict(image_id=7, id=i) for i in range(4)]
        coco.ann_file.write_text(json.dumps(dict(former=former, **content)))

        assert len(load(coco, max_people=3).annotations) == 0

    def test_an_option_raises_the_limit(self, coco_set, image, person):
        people = [person(number, 7) for number in range(4)]
        coco = coco_set([image(7)], people)

        assert len(load(coco, max_people=4).annotations) == 4
        with pytest.raises(AnnotationError, match='4 annotations.* limit of 3 people'):
            load(coco, max_people=3)

    def test_people_of_several_images_are_not_added_up(self, coco_set, image, person):
        images = [image(1), image(2)]
        coco = coco_set(images, [person(1, 1), person(2, 2)])

        assert len(load(coco, max_people=1).annotations) == 2
