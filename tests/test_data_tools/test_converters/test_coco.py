# Copyright (c) onestage_pose contributors.
"""COCO files as annotation programs export them."""

from onestage_pose.utils.errors import AnnotationError

import pytest

from tests.test_data_tools.conftest import write_image, write_json

KEYPOINTS = [30, 20, 2, 50, 30, 1]


def person(**changes):
    record = dict(
        id=1,
        image_id=1,
        category_id=1,
        bbox=[20, 10, 40, 30],
        area=500,
        iscrowd=0,
        num_keypoints=2,
        keypoints=KEYPOINTS,
        segmentation=[],
    )
    record.update(changes)
    return {key: value for key, value in record.items() if value is not ...}


def image(**changes):
    record = dict(id=1, file_name='a.jpg', width=100, height=50)
    record.update(changes)
    return {key: value for key, value in record.items() if value is not ...}


CATEGORY = dict(id=1, name='dog', keypoints=['nose', 'tail'], skeleton=[[1, 2]])


@pytest.fixture
def coco(tmp_path):
    """Makes a file of an image a.jpg and these annotations."""

    def make(*people, images=None, categories=(CATEGORY,), name='result.json'):
        root = tmp_path / 'coco'
        write_image(root / 'images/a.jpg')
        content = dict(
            licenses=None,
            images=[image()] if images is None else images,
            annotations=list(people),
            categories=list(categories),
        )
        return write_json(root / name, content)

    return make


def test_what_is_coco_stays(coco, convert):
    it = convert(coco(person(id=5)))

    [record] = it.content['annotations']
    assert (record['id'], record['area'], record['num_keypoints']) == (5, 500, 2)
    assert it.keypoints == [[30, 20, 2], [50, 30, 1]]
    assert it.content['categories'][0]['skeleton'] == [[1, 2]]


@pytest.mark.parametrize(
    'keypoints',
    [
        [30.0, 20.0, 2.0, 50.0, 30.0, 1.0],
        ['30', '20', '2', '50', '30', '1.0'],
        [[30, 20, 2], [50, 30, 1]],
    ],
)
def test_numbers_may_be_floats_text_and_nested(coco, convert, keypoints):
    it = convert(coco(person(keypoints=keypoints)))

    assert it.keypoints == [[30, 20, 2], [50, 30, 1]]


def test_without_visibility_all_but_zeros_are_seen(coco, convert):
    it = convert(coco(person(keypoints=[30, 20, 0, 0])))

    assert it.keypoints == [[30, 20, 2], [0, 0, 0]]


@pytest.mark.parametrize('key', ['num_keypoints', 'iscrowd', 'area', 'segmentation'])
@pytest.mark.parametrize('value', [..., None])
def test_these_may_be_missing(coco, convert, key, value):
    it = convert(coco(person(**{key: value})))

    [record] = it.content['annotations']
    # 0.53 of the box
    area = 500 if key != 'area' else 636
    assert (record['num_keypoints'], record['iscrowd'], record['area']) == (2, 0, area)


@pytest.mark.parametrize('flag, meant', [('0', 0), ('false', 0), ('1', 1), (True, 1)])
def test_a_flag_may_be_text(coco, convert, flag, meant):
    it = convert(coco(person(), person(id=2, iscrowd=flag)))

    assert it.content['annotations'][1]['iscrowd'] == meant


def test_ids_may_be_text(coco, convert):
    it = convert(
        coco(
            person(id='7', image_id='03', category_id='1'),
            images=[image(id='03')],
            categories=[dict(CATEGORY, id='1')],
        )
    )

    assert it.content['images'][0]['id'] == 3
    assert it.content['annotations'][0]['image_id'] == 3


def test_ids_that_are_no_numbers_are_numbered(coco, convert):
    it = convert(coco(person(id='x', image_id='a'), images=[image(id='a')]))

    assert it.content['annotations'][0]['image_id'] == 1
    assert 'numbered anew' in ''.join(it.done.notes)


def test_categories_may_start_from_0(coco, convert):
    # as Roboflow has it, beside a category of no objects
    categories = [dict(id=0, name='dogs'), dict(CATEGORY, id=1)]

    it = convert(coco(person(), categories=categories))

    assert [each['name'] for each in it.content['categories']] == ['dog']
    assert it.content['annotations'][0]['category_id'] == 1


@pytest.mark.parametrize('keypoints', [..., None, []])
def test_only_some_annotations_may_have_keypoints(coco, convert, keypoints):
    it = convert(coco(person(), person(id=2, keypoints=keypoints, num_keypoints=0)))

    assert it.read.keypoints[1].tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize('box', [..., None, [], [0, 0, 0, 0]])
def test_a_missing_box_is_made_from_the_keypoints(coco, convert, box):
    it = convert(coco(person(bbox=box)))

    assert it.read.bboxes.tolist() == [[28, 18, 52, 32]]
    assert it.done.boxes_made == {'annotations': 1}


def test_an_image_may_have_no_annotations(coco, convert, tmp_path):
    write_image(tmp_path / 'coco/images/b.jpg')

    it = convert(coco(person(), images=[image(), image(id=2, file_name='b.jpg')]))

    assert it.file_names == ['a.jpg', 'b.jpg']


@pytest.mark.parametrize('on_disk', ['a%20b.jpg', 'a\\b.jpg', '100% é.jpg'])
def test_a_name_that_is_on_the_disk_stays(coco, convert, tmp_path, on_disk):
    write_image(tmp_path / 'coco/images' / on_disk)

    it = convert(coco(person(), images=[image(file_name=on_disk)]))

    assert it.file_names == [on_disk]


@pytest.mark.parametrize(
    'written', ['images%2Fa.jpg', 'images\\a.jpg', 'C:\\me\\a.jpg', '/home/me/a.jpg']
)
def test_a_name_that_is_written_otherwise_finds_its_file(coco, convert, written):
    assert convert(coco(person(), images=[image(file_name=written)])).file_names == [
        'a.jpg'
    ]


@pytest.mark.parametrize('size', [..., None, 0])
def test_a_missing_size_is_that_of_the_file(coco, convert, size):
    it = convert(coco(person(), images=[image(width=size, height=size)]))

    assert it.content['images'][0]['width'] == 100


def test_what_coco_annotator_has_deleted_is_left_out(coco, convert, tmp_path):
    write_image(tmp_path / 'coco/images/b.jpg')
    gone = image(id=2, file_name='b.jpg', deleted=True)

    it = convert(coco(person(), person(id=2, image_id=2), images=[image(), gone]))

    assert len(it.content['annotations']) == len(it.content['images']) == 1
    assert len(it.done.left_out) == 2


def test_an_export_in_folders_has_its_splits(convert, coco, tmp_path):
    # as Roboflow writes it
    root = coco(person(), name='train/_annotations.coco.json').parent.parent
    write_image(root / 'train/a.jpg')
    write_image(root / 'valid/a.jpg')
    coco(person(), name='valid/_annotations.coco.json')

    it = convert(root, split='val')

    assert sorted(it.done.files) == ['train', 'val']
    assert it.done.image_root == root


def test_a_file_without_keypoints_beside_is_left_out(coco, convert):
    # as CVAT's instances_default.json beside person_keypoints_default.json
    box = person(keypoints=...)
    root = coco(person(), name='person_keypoints_default.json').parent
    coco(box, categories=[dict(id=1, name='dog')], name='z_instances_default.json')

    it = convert(root)

    assert len(it.done.files) == 1
    assert 'without keypoints' in it.done.left_out[0]


def test_keypoints_without_names_take_those_of_the_option(coco, convert):
    nameless = dict(id=1, name='dog')

    it = convert(coco(person(), categories=[nameless]), keypoints=['nose', 'tail'])

    assert it.names == ['nose', 'tail']


def test_one_of_several_categories_can_be_kept(coco, convert):
    cat = dict(id=2, name='cat', keypoints=['ear'])
    other = person(id=2, category_id=2, keypoints=[30, 20, 2], num_keypoints=1)

    it = convert(coco(person(), other, categories=[CATEGORY, cat]), category='cat')

    assert it.names == ['ear']
    assert len(it.content['annotations']) == 1


@pytest.mark.parametrize(
    'change, told',
    [
        (dict(keypoints=[30, 20, 2]), 'annotation id=1 .*has 3 numbers as "keypoints"'),
        (dict(keypoints=[30, 20, 3, 0, 0, 0]), 'has visibility 3'),
        (dict(keypoints=[30, 20, 'seen', 0, 0, 0]), 'has \'seen\' in "keypoints"'),
        (dict(keypoints='30 20 2'), "has keypoints='30 20 2'"),
        (dict(image_id=9), 'belongs to image_id=9, which is not in'),
        (dict(category_id=9), 'has category_id=9, which is not in'),
        (dict(bbox=[0.2, 0.2, 0.4, 0.6], keypoints=[0] * 6), 'labelled keypoint'),
    ],
)
def test_what_means_nothing_even_so_is_named(coco, convert, change, told):
    with pytest.raises(AnnotationError, match=told):
        convert(coco(person(**change)))


def test_a_fraction_for_a_box_is_refused_by_the_reader(coco, convert):
    with pytest.raises(AnnotationError, match='seem to be fractions of the image'):
        convert(coco(person(bbox=[0.2, 0.2, 0.4, 0.6])))


def test_flip_idx_is_kept(coco, convert):
    it = convert(coco(person(), categories=[CATEGORY | dict(flip_idx=[1, 0])]))

    assert it.content['categories'][0]['flip_idx'] == [1, 0]


@pytest.mark.parametrize(
    'names, flip_idx, told',
    [
        (['nose', 'tail'], [1, 1], r'result.json: the category id=1: flip_idx=\[1, 1]'),
        (['left_ear', 'right_ear'], [0, 1], "exchanges 'left_ear' with nothing"),
    ],
)
def test_flip_idx_that_means_nothing_is_named(coco, convert, names, flip_idx, told):
    category = CATEGORY | dict(keypoints=names, flip_idx=flip_idx)

    with pytest.raises(AnnotationError, match=told):
        convert(coco(person(), categories=[category]))


def test_flip_idx_of_two_files_must_agree(coco, convert):
    train = [CATEGORY | dict(flip_idx=[1, 0])]
    root = coco(person(), categories=train, name='train.json').parent
    coco(person(), categories=[CATEGORY | dict(flip_idx=[0, 1])], name='val.json')

    with pytest.raises(AnnotationError, match='in another file of the source'):
        convert(root)
