# Copyright (c) onestage_pose contributors.
"""VGG Image Annotator: project, JSON and CSV of annotations."""

import csv
import json

from onestage_pose.utils.errors import AnnotationError

import pytest

from tests.test_data_tools.conftest import write_image, write_json


def region(kind, place, **attributes):
    return dict(shape_attributes=dict(name=kind, **place), region_attributes=attributes)


BOX = region('rect', dict(x=20, y=10, width=40, height=30), category='dog', group='1')
NOSE = region('point', dict(cx=30, cy=20), keypoint='nose', group='1')
TAIL = region('point', dict(cx=50, cy=30), keypoint='tail', group='1')


@pytest.fixture
def via(tmp_path):
    """Makes a project of one image with these regions."""

    def make(*regions, project=True, attributes=None):
        root = tmp_path / 'via'
        write_image(root / 'a.jpg')
        record = dict(filename='a.jpg', size=9, regions=regions, file_attributes={})
        if not project:
            return write_json(root / 'via.json', {'a.jpg9': record})
        content = dict(
            _via_settings={},
            _via_img_metadata={'a.jpg9': record},
            _via_attributes=dict(region=attributes or {}, file={}),
        )
        return write_json(root / 'via_project.json', content)

    return make


@pytest.mark.parametrize('project', [True, False])
def test_regions_of_a_group_are_an_object(via, convert, project):
    it = convert(via(BOX, NOSE, TAIL, project=project))

    assert it.names == ['nose', 'tail']
    assert it.keypoints == [[30, 20, 2], [50, 30, 2]]
    assert it.read.bboxes.tolist() == [[20, 10, 60, 40]]


def test_the_order_is_that_of_the_options(via, convert):
    options = dict(keypoint=dict(type='radio', options=dict(tail='', nose='')))

    assert convert(via(BOX, NOSE, TAIL, attributes=options)).names == ['tail', 'nose']


def test_regions_of_version_1_are_a_mapping(convert, tmp_path):
    write_image(tmp_path / 'a.jpg')
    record = dict(filename='a.jpg', regions={'0': BOX, '1': NOSE})

    it = convert(write_json(tmp_path / 'via.json', {'a.jpg9': record}))

    assert it.keypoints == [[30, 20, 2]]


def test_a_csv_has_a_row_for_each_region(convert, tmp_path):
    write_image(tmp_path / 'a, 1.jpg')
    write_image(tmp_path / 'empty.jpg')
    with (tmp_path / 'via.csv').open('w', newline='') as file:
        file.write('#filename,file_size,file_attributes,region_count,region_id,')
        file.write('region_shape_attributes,region_attributes\n')
        rows = csv.writer(file)
        for number, each in enumerate((BOX, NOSE)):
            values = map(
                json.dumps, (each['shape_attributes'], each['region_attributes'])
            )
            rows.writerow(['a, 1.jpg', 9, '{}', 2, number, *values])
        rows.writerow(['empty.jpg', 9, '{}', 0, 0, '{}', '{}'])

    it = convert(tmp_path / 'via.csv')

    assert it.file_names == ['a, 1.jpg', 'empty.jpg']
    assert it.keypoints == [[30, 20, 2]]


@pytest.mark.parametrize(
    'attributes, flag',
    [
        (dict(visibility='1'), 1),
        (dict(visibility='2.0'), 2),
        (dict(visibility='occluded'), 1),
        (dict(occluded={'yes': True}), 1),
        (dict(visible='no'), 1),
        (dict(occluded='no'), 2),
    ],
)
def test_an_attribute_says_the_visibility(via, convert, attributes, flag):
    nose = region('point', dict(cx=30, cy=20), keypoint='nose', **attributes)

    assert convert(via(BOX, nose)).keypoints == [[30, 20, flag]]


def test_visibility_0_is_not_labelled(via, convert):
    nose = region('point', dict(cx=30, cy=20), keypoint='nose', visibility='0')

    assert convert(via(BOX, nose, TAIL)).names == ['tail']


@pytest.mark.parametrize(
    'shape',
    [
        region('circle', dict(cx=40, cy=25, r=15), category='dog'),
        region('ellipse', dict(cx=40, cy=25, rx=15, ry=15), category='dog'),
        region(
            'polygon',
            dict(all_points_x=[25, 55, 40], all_points_y=[10, 25, 40]),
            category='dog',
        ),
    ],
)
def test_other_outlines_give_their_box(via, convert, shape):
    nose = region('point', dict(cx=30, cy=20), keypoint='nose')

    assert convert(via(shape, nose)).read.bboxes.tolist() == [[25, 10, 55, 40]]


@pytest.mark.parametrize(
    'wrong, told',
    [
        (region('point', dict(cx=1, cy=1), a='x', b='y'), 'which of its attributes'),
        (region('point', dict(cx=1), keypoint='nose'), 'region 1: has no "cy"'),
        (
            region('point', dict(cx=1, cy=1), keypoint='nose', visible='perhaps'),
            "visible='perhaps'; write 0",
        ),
    ],
)
def test_a_region_that_means_nothing_is_named(via, convert, wrong, told):
    with pytest.raises(AnnotationError, match=told):
        convert(via(BOX, wrong))


def test_version_3_is_told(convert, tmp_path):
    content = dict(project={}, config={}, attribute={}, file={}, metadata={}, view={})

    with pytest.raises(AnnotationError, match='project of VIA 3'):
        convert(write_json(tmp_path / 'via.json', content), format='via')
