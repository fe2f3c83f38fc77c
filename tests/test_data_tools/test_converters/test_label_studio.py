# Copyright (c) onestage_pose contributors.
"""Label Studio's JSON export: keypoints and rectangles in percent."""

import json

from onestage_pose.utils.errors import AnnotationError

import pytest

from tests.test_data_tools.conftest import write_image, write_json

SIZE = dict(original_width=100, original_height=50, image_rotation=0)


def point(id_, label, x, y, **more):
    value = dict(x=x, y=y, width=0.5, keypointlabels=[label])
    return dict(id=id_, type='keypointlabels', value=value, **SIZE, **more)


def rectangle(id_, x, y, width, height, label='dog', rotation=0):
    value = dict(x=x, y=y, width=width, height=height, rotation=rotation)
    value['rectanglelabels'] = [label]
    return dict(id=id_, type='rectanglelabels', value=value, **SIZE)


BOX = rectangle('r', 20, 20, 40, 60)
NOSE = point('n', 'nose', 30, 40, parentID='r')


def annotation(*result, **more):
    return dict(id=1, was_cancelled=False, ground_truth=False, result=result, **more)


@pytest.fixture
def studio(tmp_path):
    """Makes an export of one task with these annotations, and its image a.jpg."""

    def make(*annotations, image='/data/upload/1/0a1b2c3d-a.jpg', **more):
        root = tmp_path / 'studio'
        write_image(root / 'images/a.jpg')
        task = dict(id=7, data=dict(image=image), annotations=annotations, **more)
        return write_json(root / 'project-1.json', [task])

    return make


def test_percent_become_pixels(studio, convert):
    it = convert(studio(annotation(BOX, NOSE)))

    assert it.keypoints == [[30, 20, 2]]
    assert it.read.bboxes.tolist() == [[20, 10, 60, 40]]


@pytest.mark.parametrize(
    'image',
    [
        '/data/upload/1/0a1b2c3d-a.jpg',
        '/data/local-files/?d=pictures/a.jpg',
        '/data/local-files/?d=pictures%5Ca.jpg',
        's3://bucket/pictures/a.jpg',
        'https://example.com/pictures/a.jpg?token=1',
        'C:\\pictures\\a.jpg',
    ],
)
def test_the_image_is_found_by_its_address(studio, convert, image):
    assert convert(studio(annotation(BOX, NOSE), image=image)).file_names == ['a.jpg']


def test_a_keypoint_belongs_to_the_region_it_is_related_to(studio, convert):
    relation = dict(type='relation', from_id='n', to_id='s', direction='right')
    nose = {key: value for key, value in NOSE.items() if key != 'parentID'}

    it = convert(
        studio(annotation(BOX, rectangle('s', 20, 20, 41, 61), nose, relation))
    )

    assert [ann['num_keypoints'] for ann in it.content['annotations']] == [0, 1]


def test_a_keypoint_belongs_to_the_rectangle_that_holds_it(studio, convert):
    free = point('n', 'nose', 85, 40)

    it = convert(studio(annotation(BOX, rectangle('s', 80, 20, 10, 60), free)))

    assert [ann['num_keypoints'] for ann in it.content['annotations']] == [0, 1]


def test_its_own_choice_says_that_a_keypoint_is_hidden(studio, convert):
    choice = dict(id='n', type='choices', value=dict(choices=['Occluded']), **SIZE)

    assert convert(studio(annotation(BOX, NOSE, choice))).keypoints == [[30, 20, 1]]


def test_a_turned_rectangle_gives_the_upright_box_around_it(studio, convert):
    # 20x10 pixels about its top left corner at 40, 10
    turned = rectangle('r', 40, 20, 20, 20, rotation=90)

    it = convert(studio(annotation(turned, point('n', 'nose', 35, 40))))

    assert it.read.bboxes[0] == pytest.approx([30, 10, 40, 30])
    assert 'rectangles are turned' in it.done.notes[0]


@pytest.mark.parametrize(
    'second',
    [
        dict(ground_truth=True),
        dict(updated_at='2026-02-01T00:00:00Z'),
    ],
)
def test_of_several_annotations_one_counts(studio, convert, second):
    first = annotation(BOX, NOSE, updated_at='2026-01-01T00:00:00Z')
    moved = annotation(BOX, point('n', 'nose', 50, 40)) | second

    it = convert(studio(moved, first))

    assert it.keypoints == [[50, 20, 2]]
    assert 'tasks with several annotations' in it.done.left_out[0]


def test_skipped_annotations_are_left_out(studio, convert):
    skipped = dict(annotation(BOX, BOX), was_cancelled=True)

    it = convert(studio(annotation(BOX, NOSE), skipped))

    assert len(it.content['annotations']) == 1
    assert 'skipped' in it.done.left_out[0]


@pytest.mark.parametrize(
    'nothing',
    [[], [dict(annotation(BOX), was_cancelled=True)]],
    ids=['not done yet', 'skipped'],
)
def test_images_are_empty_only_if_somebody_said_so(studio, convert, nothing):
    source = studio(annotation(BOX, NOSE))
    tasks = json.loads(source.read_text())
    for name, annotations in {'b.jpg': nothing, 'c.jpg': [annotation()]}.items():
        write_image(source.parent / 'images' / name)
        tasks.append(dict(id=name, data=dict(image=name), annotations=annotations))
    write_json(source, tasks)

    it = convert(source)

    assert [each['file_name'] for each in it.content['images']] == ['a.jpg', 'c.jpg']
    assert 'tasks that nobody has annotated' in it.done.left_out[-1]
    assert 'b.jpg' in it.done.left_out[-1]


def test_an_image_of_another_scale_keeps_its_fractions(studio, convert, tmp_path):
    source = studio(annotation(BOX, NOSE))
    write_image(source.parent / 'images/a.jpg', (200, 100))

    assert convert(source).keypoints == [[60, 40, 2]]


def test_an_image_of_another_shape_is_refused(studio, convert):
    source = studio(annotation(BOX, NOSE))
    write_image(source.parent / 'images/a.jpg', (100, 100))

    with pytest.raises(AnnotationError, match='100x100 instead of 100x50'):
        convert(source)


@pytest.mark.parametrize(
    'change, told',
    [
        (dict(image_rotation=90), 'task 7, region r: image_rotation=90'),
        (dict(value=None), 'task 7, region r: has no "value"'),
        (dict(original_width='wide'), "'wide' is not a number"),
    ],
)
def test_a_region_that_means_nothing_is_named(studio, convert, change, told):
    with pytest.raises(AnnotationError, match=told):
        convert(studio(annotation(BOX | change, NOSE)))


def test_another_export_is_told(convert, tmp_path):
    source = write_json(tmp_path / 'min.json', [dict(image='a.jpg', label=[])])

    with pytest.raises(AnnotationError, match='not JSON-MIN'):
        convert(source, format='label_studio')
