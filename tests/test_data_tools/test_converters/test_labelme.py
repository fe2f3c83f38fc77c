# Copyright (c) onestage_pose contributors.
"""LabelMe's JSON files, one for each image."""

from onestage_pose.utils.errors import AnnotationError

import pytest

from tests.test_data_tools.conftest import write_image, write_json


def shape(label, *points, group=None, kind=None, **more):
    kind = kind or {1: 'point', 2: 'rectangle'}.get(len(points), 'polygon')
    return dict(
        label=label,
        points=list(map(list, points)),
        group_id=group,
        shape_type=kind,
        flags={},
        **more,
    )


BOX = shape('dog', (60, 40), (20, 10), group=1)
NOSE = shape('nose', (30.5, 20), group=1)
TAIL = shape('tail', (50, 30), group=1)


@pytest.fixture
def labelme(tmp_path):
    """Makes a folder of one image of 100x50 with these shapes."""

    def make(*shapes, name='a', **changes):
        root = tmp_path / 'labelme'
        write_image(root / f'{name}.jpg')
        content = dict(
            version='5.5.0',
            flags={},
            shapes=list(shapes),
            imagePath=f'{name}.jpg',
            imageData=None,
            imageHeight=50,
            imageWidth=100,
        )
        write_json(root / f'{name}.json', content | changes)
        return root

    return make


def test_a_group_is_an_object(labelme, convert):
    it = convert(labelme(BOX, NOSE, TAIL))

    assert it.names == ['nose', 'tail']
    assert it.keypoints == [[30.5, 20, 2], [50, 30, 2]]
    assert it.read.bboxes.tolist() == [[20, 10, 60, 40]]
    assert it.content['categories'][0]['name'] == 'dog'


def test_two_groups_are_two_objects(labelme, convert):
    other = [shape('dog', (0, 0), (9, 9), group=2), shape('tail', (5, 5), group=2)]

    it = convert(labelme(BOX, NOSE, *other))

    assert it.read.keypoints.tolist() == [
        [[30.5, 20, 2], [0, 0, 0]],
        [[0, 0, 0], [5, 5, 2]],
    ]


def test_points_without_a_group_belong_to_the_box_that_holds_them(labelme, convert):
    boxes = [shape('dog', (20, 10), (60, 40)), shape('dog', (0, 0), (9, 9))]

    it = convert(labelme(*boxes, shape('nose', (5, 5)), shape('nose', (30, 20))))

    assert it.read.keypoints[:, 0].tolist() == [[30, 20, 2], [5, 5, 2]]


def test_a_point_in_two_boxes_is_left_out_and_named(labelme, convert):
    boxes = [shape('dog', (20, 10), (60, 40)), shape('dog', (25, 10), (60, 40))]
    points = [shape('nose', (22, 20)), shape('tail', (50, 30))]

    it = convert(labelme(*boxes, *points))

    assert it.names == ['nose']
    assert 'a.json: tail' in it.done.left_out[0]
    assert 'group_id' in it.done.left_out[0]


def test_the_only_box_takes_points_beside_it(labelme, convert):
    it = convert(labelme(shape('dog', (20, 10), (60, 40)), shape('nose', (61, 20))))

    assert it.keypoints == [[61, 20, 2]]


def test_grouped_points_take_the_free_box_that_holds_them(labelme, convert):
    free = shape('dog', (20, 10), (60, 40))

    it = convert(labelme(NOSE, TAIL, free, shape('dog', (70, 10), (90, 20))))

    assert it.read.bboxes[0].tolist() == [20, 10, 60, 40]
    assert it.keypoints == [[30.5, 20, 2], [50, 30, 2]]


def test_a_box_is_made_from_keypoints_where_there_is_none(labelme, convert):
    it = convert(labelme(NOSE, TAIL), category='dog')

    # 10% of the longer side beyond the points
    assert it.read.bboxes[0] == pytest.approx([28.55, 18.05, 51.95, 31.95])
    assert it.done.boxes_made == {'annotations': 1}


def test_a_box_of_one_keypoint_has_an_area(labelme, convert):
    it = convert(labelme(shape('nose', (30, 20))))

    assert it.read.bboxes[0].tolist() == [29, 19, 31, 21]


def test_flags_say_what_is_hidden(labelme, convert):
    nose = shape('nose', (30, 20), group=1)
    nose['flags'] = {'occluded': True}

    it = convert(labelme(BOX, nose, dict(TAIL, flags={'visible': True})))

    assert [flag for _, _, flag in it.keypoints] == [1, 2]


def test_a_polygon_gives_its_box(labelme, convert):
    it = convert(
        labelme(shape('dog', (10, 5), (40, 9), (20, 45)), shape('a', (20, 20)))
    )

    assert it.read.bboxes.tolist() == [[10, 5, 40, 45]]


def test_other_shapes_are_left_out_and_named(labelme, convert):
    line = shape('leash', (0, 0), (9, 9), kind='linestrip')

    it = convert(labelme(BOX, NOSE, line))

    assert 'shapes of the kind linestrip' in it.done.left_out[0]
    assert 'shapes[2] (leash)' in it.done.left_out[0]


def test_objects_without_any_keypoint_in_their_class_are_left_out(labelme, convert):
    it = convert(labelme(BOX, NOSE, shape('car', (70, 10), (90, 20), group=2)))

    assert len(it.content['annotations']) == 1
    assert "category 'car'" in it.done.left_out[0]


def test_the_order_is_that_of_labels_txt(labelme, convert):
    root = labelme(BOX, NOSE, TAIL)
    (root / 'labels.txt').write_text('__ignore__\ndog\ntail\nnose\n')

    assert convert(root).names == ['tail', 'nose']


@pytest.mark.parametrize(
    'labels, ordered',
    [
        (('kp10', 'kp2'), ['kp2', 'kp10']),
        (('right_eye', 'left_eye', 'nose'), ['nose', 'left_eye', 'right_eye']),
    ],
)
def test_without_an_order_names_are_sorted(labelme, convert, labels, ordered):
    points = [shape(label, (30, 20), group=1) for label in labels]

    assert convert(labelme(BOX, *points)).names == ordered


def test_the_order_can_be_given(labelme, convert):
    it = convert(labelme(BOX, NOSE, TAIL), keypoints=['tail', 'paw', 'nose'])

    assert it.keypoints == [[50, 30, 2], [0, 0, 0], [30.5, 20, 2]]


def test_folders_are_splits(labelme, convert, tmp_path):
    root = labelme(BOX, NOSE)
    for split in ('train', 'val'):
        (root / split).mkdir()
    for suffix in ('jpg', 'json'):
        (root / f'a.{suffix}').rename(root / f'train/a.{suffix}')
    labelme(BOX, NOSE, name='val/b', imagePath='b.jpg')

    assert sorted(convert(root).done.files) == ['train', 'val']


@pytest.mark.parametrize('path', ['..\\pictures\\a.jpg', '/home/me/a.jpg', 'a.jpg'])
def test_an_image_is_found_beside_its_file(labelme, convert, path):
    assert convert(labelme(BOX, NOSE, imagePath=path)).file_names == ['a.jpg']


def test_an_image_that_is_elsewhere_is_found_in_the_folder_given(
    labelme, convert, tmp_path
):
    root = labelme(BOX, NOSE)
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    (root / 'a.jpg').rename(elsewhere / 'a.jpg')

    it = convert(root, images=elsewhere)

    assert it.done.image_root == elsewhere


def test_a_missing_image_is_said(labelme, convert):
    root = labelme(BOX, NOSE)
    (root / 'a.jpg').unlink()

    it = convert(root)

    assert it.file_names == ['a.jpg']
    assert '1 images were not found' in it.done.notes[0]


def test_two_files_of_one_image_are_an_error(labelme, convert):
    labelme(BOX, NOSE)
    root = labelme(BOX, NOSE, name='b', imagePath='a.jpg')

    with pytest.raises(AnnotationError, match=r'a\.json and .*b\.json: describe the'):
        convert(root)


@pytest.mark.parametrize(
    'shapes, told',
    [
        ([BOX, NOSE, NOSE], "two keypoints named 'nose'"),
        ([BOX, BOX, NOSE], 'two boxes are of the group 1'),
        ([dict(NOSE, points=[[1, 2], [3, 4]])], r'shapes\[0\] \(nose\) has points='),
        ([dict(NOSE, points=[['x', 2]])], "'x' is not a number"),
        ([dict(NOSE, label=None)], r'shapes\[0\] has no "label"'),
        ([BOX], 'the source has no labelled keypoint'),
    ],
)
def test_a_shape_that_means_nothing_is_named(labelme, convert, shapes, told):
    with pytest.raises(AnnotationError, match=told):
        convert(labelme(*shapes))


def test_labels_that_differ_by_case_and_blanks_are_named(labelme, convert):
    other = [shape('Nose ', (5, 5), group=2), shape('tail', (7, 5), group=2)]

    it = convert(
        labelme(BOX, NOSE, TAIL, shape('dog', (0, 0), (9, 9), group=2), *other)
    )

    [note] = it.done.notes
    assert "'Nose' (in 1 objects) and 'nose' (in 1)" in note
    assert 'differ only by case, blanks or hyphens' in note


@pytest.mark.parametrize('number, is_told', [(11, True), (10, False)])
def test_a_label_of_few_objects_is_named(labelme, convert, number, is_told):
    shapes = []
    for place in range(number):
        shapes += [
            shape('nose', (place, 9), group=place),
            shape('tail' if place else 'tial', (place, 5), group=place),
        ]

    told = ' '.join(convert(labelme(*shapes), category='dog').done.notes)

    assert ("'tial' is in 1 of 11 objects" in told) == is_told
    assert ('Did you mean tail?' in told) == is_told
