# Copyright (c) onestage_pose contributors.
"""A data set is counted, and what is wrong with it is found."""

import json

from onestage_pose.data_tools.check import check_data
from onestage_pose.utils.errors import UsageError

import pytest

from tests.test_data_tools.conftest import write_image, write_json

BOX = [10, 5, 60, 40]
POINTS = [20, 10, 2, 40, 30, 1, 0, 0, 0]


def person(id_=1, image_id=1, **changes):
    record = dict(
        id=id_,
        image_id=image_id,
        category_id=1,
        iscrowd=0,
        bbox=BOX,
        area=1500,
        num_keypoints=2,
        keypoints=POINTS,
    )
    return record | changes


@pytest.fixture
def data(tmp_path):
    """Writes a file and its images; returns the path of the file."""

    def make(*people, name='train', sizes=None, names=('a', 'b', 'c'), paint=True):
        sizes = sizes or [(100, 50)]
        images = []
        for number, size in enumerate(sizes, 1):
            file_name = f'{name}_{number}.jpg'
            images.append(
                dict(id=number, file_name=file_name, width=size[0], height=size[1])
            )
            if paint:
                color = (20 * number, len(name), 9)
                write_image(tmp_path / 'images' / file_name, size, color=color)
        category = dict(id=1, name='dog', keypoints=list(names), skeleton=[[1, 2]])
        content = dict(images=images, annotations=list(people), categories=[category])
        return write_json(tmp_path / f'{name}.json', content)

    return make


def kinds(report):
    return {found.kind for found in report.findings}


# the third keypoint of `person` is never labelled
CLEAN = {'never_labelled'}


def test_what_is_in_it_is_counted(data):
    [split] = check_data(
        data(person(), person(2, iscrowd=1), sizes=[(100, 50)] * 2)
    ).splits

    assert (split.images, split.images_without_objects) == (2, 1)
    assert (split.annotations, split.crowds) == (2, 1)
    assert split.image_sizes == dict(width=[100, 100, 100], height=[50, 50, 50])
    [category] = split.categories
    assert category.visibility == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert category.keypoints_per_object == {2: 1}
    assert category.sizes == dict(small=0, medium=1, large=0)


def test_a_keypoint_that_is_never_labelled_is_named(data):
    report = check_data(data(person()))

    [found] = report.findings
    assert (found.kind, found.level) == ('never_labelled', 'warning')
    assert found.examples == [dict(what='c')]
    assert not report.has_errors


@pytest.mark.parametrize(
    'change, kind',
    [
        (
            dict(bbox=[10, 5, 3, 40], keypoints=[11, 10, 2, 0, 0, 0, 0, 0, 0]),
            'tiny_box',
        ),
        (dict(bbox=[10, 5, 0, 40]), 'box_without_area'),
        (dict(bbox=[10, 5, 95, 40]), 'box_outside_image'),
        (dict(keypoints=[90, 10, 2, 40, 30, 2, 0, 0, 0]), 'keypoints_outside_box'),
        (
            dict(bbox=[60, 5, 40, 40], keypoints=[104, 9, 2, 70, 9, 2, 0, 0, 0]),
            'keypoints_outside_image',
        ),
        (dict(num_keypoints=7), 'num_keypoints'),
    ],
)
def test_an_annotation_that_is_wrong_is_found(data, change, kind):
    report = check_data(
        data(person(), person(2, image_id=2, **change), sizes=[(100, 50)] * 2)
    )

    [found] = [each for each in report.findings if each.kind == kind]
    assert found.level == 'warning'
    assert [each['annotation_id'] for each in found.examples] == [2]


def test_a_hidden_keypoint_may_lie_outside_the_box_of_what_is_visible(data):
    hidden = person(keypoints=[20, 10, 2, 90, 30, 1, 0, 0, 0])

    assert kinds(check_data(data(hidden))) == CLEAN


def test_an_annotation_that_is_there_twice_is_found(data):
    beside = person(3, bbox=[12, 5, 60, 40], keypoints=[30, 10, 2, 50, 30, 1, 0, 0, 0])

    report = check_data(data(person(), person(2), beside))

    [found] = [f for f in report.findings if f.kind == 'duplicate_annotation']
    assert [each['annotation_id'] for each in found.examples] == [2]


def test_each_copy_of_an_annotation_counts_once(data):
    report = check_data(data(*(person(number) for number in range(1, 6))))

    [found] = [f for f in report.findings if f.kind == 'duplicate_annotation']
    assert found.count == 4


def test_people_of_a_crowded_image_are_not_compared(data):
    report = check_data(data(*(person(number) for number in range(1, 1002))))

    assert kinds(report) == {*CLEAN, 'crowded_image'}


def test_an_image_that_is_there_twice_is_found(data, tmp_path):
    path = data(person(), sizes=[(100, 50)] * 2)
    (tmp_path / 'images/train_2.jpg').write_bytes(
        (tmp_path / 'images/train_1.jpg').read_bytes()
    )

    report = check_data(path)

    [found] = [each for each in report.findings if each.kind == 'duplicate_image']
    assert found.examples[0]['file_name'] == 'train_2.jpg'
    assert not report.has_errors


def test_an_image_of_both_splits_is_an_error(data, tmp_path):
    train, val = data(person()), data(person(), name='val')
    (tmp_path / 'images/val_1.jpg').write_bytes(
        (tmp_path / 'images/train_1.jpg').read_bytes()
    )

    report = check_data(train, val)

    [found] = report.between
    assert (found.kind, found.level) == ('both_splits', 'error')
    assert report.has_errors


def test_a_folder_of_two_files_is_two_splits(data, tmp_path):
    data(person()), data(person(), name='val')

    report = check_data(tmp_path)

    assert [split.file[-9:] for split in report.splits] == ['rain.json', '/val.json']
    assert report.between == []


def test_keypoints_in_another_order_in_the_other_split_are_an_error(data):
    report = check_data(
        data(person()), data(person(), name='val', names=('b', 'a', 'c'))
    )

    assert [found.kind for found in report.between] == ['categories_differ']


def test_a_missing_image_is_an_error(data, tmp_path):
    path = data(person(), sizes=[(100, 50)] * 2)
    (tmp_path / 'images/train_2.jpg').unlink()

    report = check_data(path)

    assert kinds(report) == CLEAN | {'missing_image'}
    assert report.has_errors


@pytest.mark.parametrize(
    'size, orientation, kind',
    [
        ((64, 48), None, 'image_size'),
        ((100, 50), 6, 'exif_turned'),
        ((100, 50), 3, 'exif_orientation'),
    ],
)
def test_a_size_that_is_not_that_of_the_file_is_found(
    data, tmp_path, size, orientation, kind
):
    path = data(person())
    write_image(tmp_path / 'images/train_1.jpg', size, orientation)

    assert kinds(check_data(path)) == CLEAN | {kind}


def test_a_turned_image_with_the_size_that_is_shown_is_right(data, tmp_path):
    path = data(person())
    write_image(tmp_path / 'images/train_1.jpg', (50, 100), 6)

    assert kinds(check_data(path)) == CLEAN


def test_a_torn_image_is_found_where_it_is_decoded(data, tmp_path):
    path = data(person())
    file = tmp_path / 'images/train_1.jpg'
    file.write_bytes(file.read_bytes()[:-100])

    assert kinds(check_data(path)) == CLEAN
    assert kinds(check_data(path, decode=True)) == CLEAN | {'unreadable_image'}


def test_what_is_no_image_is_found(data, tmp_path):
    path = data(person())
    (tmp_path / 'images/train_1.jpg').write_text('no image')

    assert kinds(check_data(path)) == CLEAN | {'unreadable_image'}


def test_what_the_reader_refuses_is_an_error(data):
    report = check_data(data(person(keypoints=[1, 2, 3])))

    [found] = report.findings
    assert (found.kind, found.level) == ('format', 'error')
    assert 'annotation id=1' in found.examples[0]['what']


def test_exchanged_sides_are_found(data):
    names = ('nose', 'left_eye', 'right_eye')
    right = [40, 25, 2, 60, 10, 2, 20, 10, 2]
    wrong = [40, 25, 2, 20, 10, 2, 60, 10, 2]
    people = [person(1, num_keypoints=3, keypoints=right)]
    people += [person(2, 2, num_keypoints=3, keypoints=wrong)]

    report = check_data(data(*people, names=names, sizes=[(100, 50)] * 2))

    [found] = report.findings
    assert found.kind == 'left_right'
    assert found.examples[0]['what'] == 'left_eye and right_eye'


def test_pairs_that_contradict_the_names_are_an_error(data):
    path = data(person(), names=('nose', 'left_ear', 'right_ear'))
    content = json.loads(path.read_text())
    content['categories'][0]['flip_idx'] = [1, 0, 2]
    path.write_text(json.dumps(content))

    report = check_data(path)

    assert report.has_errors and kinds(report.splits[0]) == {'flip_idx', *CLEAN}


def test_the_report_is_plain_json(data):
    report = check_data(data(person()))

    assert json.loads(json.dumps(report.to_dict()))['has_errors'] is False


def test_a_path_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(UsageError, match='gone.json does not exist'):
        check_data(tmp_path / 'gone.json')


def test_real_people_are_right(shared_dir):
    # official annotations: about one person in a hundred looks exchanged
    folder = shared_dir / 'data/coco_pool/annotations'

    report = check_data(
        folder / 'person_keypoints_train.json', folder / 'person_keypoints_val.json'
    )

    assert not report.has_errors
    counts = {
        (number, found.kind): found.count
        for number, split in enumerate(report.splits)
        for found in split.findings
    }
    assert counts == {(0, 'tiny_box'): 1, (0, 'left_right'): 8, (1, 'left_right'): 6}


@pytest.mark.parametrize('people', [[], [person(iscrowd=1)]])
def test_a_file_without_an_object_is_an_error(data, people):
    report = check_data(data(*people))

    assert ('no_annotation', 'error') in {(f.kind, f.level) for f in report.findings}


@pytest.mark.parametrize('flag, expected', [(1, True), (2, False)])
def test_keypoints_that_are_all_hidden_are_remarked(data, flag, expected):
    report = check_data(data(person(keypoints=[20, 10, flag, 40, 30, 1, 0, 0, 0])))

    assert ('all_hidden' in kinds(report)) == expected


@pytest.mark.parametrize('is_given', [True, False])
def test_an_image_that_is_there_by_its_last_name_is_told(data, tmp_path, is_given):
    path = data(person())
    content = json.loads(path.read_text())
    content['images'][0]['file_name'] = r'D:\work\train_1.jpg'
    write_json(path, content)

    report = check_data(path, images=tmp_path / 'images' if is_given else None)

    [found] = [each for each in report.findings if each.kind == 'missing_image']
    there = tmp_path / 'images/train_1.jpg'
    assert f'{there} is there: convert-data' in found.examples[0]['what']


def test_an_empty_folder_is_sent_to_convert_data(tmp_path):
    with pytest.raises(
        UsageError,
        match='no JSON file is in this .*by onestage-pose convert-data',
    ):
        check_data(tmp_path)


def test_a_folder_of_many_files_is_sent_to_convert_data(tmp_path):
    for name in 'abc':
        write_json(tmp_path / f'{name}.json', {})

    with pytest.raises(
        UsageError, match=r'3 JSON .*\(a.json, b.json.*by onestage-pose convert-data'
    ):
        check_data(tmp_path)
