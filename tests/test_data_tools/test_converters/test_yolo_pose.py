# Copyright (c) onestage_pose contributors.
"""Ultralytics' data.yaml and labels/*.txt."""

from onestage_pose.utils.errors import AnnotationError

import pytest
import yaml

from tests.test_data_tools.conftest import write_image

COCO_FLIP = [0, *(n for pair in range(1, 17, 2) for n in (pair + 1, pair))]


@pytest.fixture
def yolo(tmp_path):
    """Makes a data set of one image of 100x50 for training and one for validation."""

    def make(*lines, **changes):
        root = tmp_path / 'yolo'
        for split in ('train', 'val'):
            write_image(root / f'images/{split}/{split}.jpg')
            labels = root / f'labels/{split}/{split}.txt'
            labels.parent.mkdir(parents=True)
            labels.write_text('\n'.join(lines))
        content = dict(
            path='/datasets/elsewhere',
            train='images/train',
            val='images/val',
            kpt_shape=[3, 3],
            flip_idx=[0, 2, 1],
            names={0: 'cat'},
            kpt_names={0: ['nose', 'left_ear', 'right_ear']},
        )
        content.update(changes)
        content = {key: value for key, value in content.items() if value is not None}
        (root / 'data.yaml').write_text(yaml.safe_dump(content))
        return root

    return make


LINE = '0 0.5 0.5 0.4 0.4 0.5 0.5 2 0.4 0.4 1 0 0 0'


def test_fractions_become_pixels(yolo, convert):
    it = convert(yolo(LINE))

    assert it.keypoints == [[50, 25, 2], [40, 20, 1], [0, 0, 0]]
    assert it.read.bboxes.tolist() == [[30, 15, 70, 35]]


def test_each_split_is_a_file_of_its_own(yolo, convert):
    it = convert(yolo(LINE), split='val')

    assert sorted(it.done.files) == ['train', 'val']
    assert it.file_names == ['val/val.jpg']


def test_names_and_mirrored_keypoints_are_kept(yolo, convert):
    it = convert(yolo(LINE))

    assert it.names == ['nose', 'left_ear', 'right_ear']
    assert it.content['categories'][0]['flip_idx'] == [0, 2, 1]


@pytest.mark.parametrize('names', [['cat'], {'0': 'cat'}])
def test_classes_are_a_list_or_a_mapping(yolo, convert, names):
    assert convert(yolo(LINE, names=names)).content['categories'][0]['name'] == 'cat'


@pytest.mark.parametrize('visibility', ['2', '2.0', '2.000000'])
def test_visibility_may_be_a_float(yolo, convert, visibility):
    line = LINE.replace('0.5 0.5 2', f'0.5 0.5 {visibility}')

    assert convert(yolo(line)).keypoints[0] == [50, 25, 2]


def test_two_numbers_a_keypoint_are_seen_and_zeros_are_not_labelled(yolo, convert):
    line = '0 0.5 0.5 0.4 0.4 0.5 0.5 0.4 0.4 0 0'

    it = convert(yolo(line, kpt_shape=[3, 2]))

    assert it.keypoints == [[50, 25, 2], [40, 20, 2], [0, 0, 0]]
    assert 'count as unlabelled' in ''.join(it.done.notes)


def test_a_line_of_a_box_alone_has_no_keypoints(yolo, convert):
    it = convert(yolo(LINE, '0 0.2 0.2 0.1 0.1'))

    assert it.read.keypoints[1].tolist() == [[0, 0, 0]] * 3
    assert 'boxes have no keypoints' in ''.join(it.done.notes)


def test_nameless_keypoints_that_mirror_as_coco_have_its_names(yolo, convert):
    line = '0 0.5 0.5 0.4 0.4 ' + '0.5 0.5 2 ' * 17

    it = convert(yolo(line, kpt_shape=[17, 3], flip_idx=COCO_FLIP, kpt_names=None))

    assert it.names[:3] == ['nose', 'left_eye', 'right_eye']
    assert [2, 1] in [sorted(e)[::-1] for e in it.content['categories'][0]['skeleton']]


def test_nameless_keypoints_take_names_from_the_option(yolo, convert):
    it = convert(yolo(LINE, kpt_names=None), keypoints=['a', 'b', 'c'])

    assert it.names == ['a', 'b', 'c']
    assert it.content['categories'][0]['flip_idx'] == [0, 2, 1]


def test_an_image_without_labels_has_no_objects(yolo, convert):
    root = yolo(LINE)
    write_image(root / 'images/train/background.jpg')

    it = convert(root)

    assert len(it.content['images']) == 2
    assert len(it.content['annotations']) == 1


def test_labels_without_an_image_are_named(yolo, convert):
    root = yolo(LINE)
    (root / 'labels/train/gone.txt').write_text(LINE)

    assert 'gone.txt' in convert(root).done.left_out[0]


def test_a_line_that_stands_twice_counts_once(yolo, convert):
    it = convert(yolo(LINE, LINE))

    assert len(it.content['annotations']) == 1
    assert 'line 2' in it.done.left_out[0]


def test_a_turned_image_has_the_size_that_is_shown(yolo, convert):
    root = yolo(LINE)
    write_image(root / 'images/train/train.jpg', (50, 100), orientation=6)

    it = convert(root)

    assert it.content['images'][0]['width'] == 100
    assert it.keypoints[0] == [50, 25, 2]


def test_names_with_percent_signs_and_backslashes_stay(yolo, convert):
    root = yolo(LINE)
    write_image(root / 'images/train/50%25 a\\b.jpg')

    assert 'train/50%25 a\\b.jpg' in convert(root).file_names


def test_folders_of_roboflow_lie_beside_the_file(yolo, convert):
    it = convert(yolo(LINE, path=None, train='../images/train', val='../images/val'))

    assert sorted(it.done.files) == ['train', 'val']


def test_a_split_may_be_a_list_of_images(yolo, convert):
    root = yolo(LINE, train='train.txt')
    (root / 'train.txt').write_text('./images/train/train.jpg\n./images/gone.jpg\n')

    it = convert(root)

    assert it.file_names == ['train/train.jpg']
    assert 'gone.jpg' in it.done.left_out[0]


@pytest.mark.parametrize(
    'line, told',
    [
        ('0 0.5 0.5 0.4 0.4 0.5', 'line 1: has 6 numbers, expected 14'),
        (LINE.replace('0.5', 'x'), 'something else than numbers'),
        (LINE.replace('0.5 0.5 2', '0.5 0.5 0.87'), 'keypoint 1: has visibility 0.87'),
        (LINE.replace('0.5 0.5 2', '50 25 2'), 'divide pixels by its size'),
        (LINE.replace('0 ', '3 ', 1), 'the class 3 is none of "names"'),
    ],
)
def test_a_line_that_means_nothing_is_named(yolo, convert, line, told):
    with pytest.raises(AnnotationError, match=r'labels/train/train\.txt') as error:
        convert(yolo(line))

    assert told in str(error.value)


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(kpt_shape=[3]), r'kpt_shape=\[3\]; write'),
        (dict(kpt_shape=[10**9, 3]), r'kpt_shape=\[1000000000, 3\]; write'),
        (dict(nc=10**9, names=None), 'nc=1000000000; write the number of classes'),
        (dict(flip_idx=[0, 1, 1]), r'flip_idx=\[0, 1, 1\]; write'),
        (dict(flip_idx=[1, 2, 0]), r'flip_idx=\[1, 2, 0\]; write'),
        (dict(kpt_names={0: ['a', 'a', 'b']}), 'kpt_names of class 0 has 2 different'),
        (dict(train='images/training'), 'train: images/training is not in'),
        (dict(train=None, val=None), 'has none of "train", "val" and "test"'),
        (dict(names=7), 'names=7; write'),
    ],
)
def test_a_key_that_means_nothing_is_named(yolo, convert, changes, told):
    with pytest.raises(AnnotationError, match=told):
        convert(yolo(LINE, **changes))


def test_yaml_runs_no_code(yolo, convert, tmp_path):
    root = yolo(LINE)
    made = tmp_path / 'made'
    (root / 'data.yaml').write_text(
        f'kpt_shape: !!python/object/apply:pathlib.Path.touch ["{made}"]'
    )

    with pytest.raises(AnnotationError, match='is not valid YAML'):
        convert(root)

    assert not made.exists()


def test_lines_that_stand_for_billions_of_values_are_refused(yolo, convert):
    root = yolo(LINE)
    letters = 'abcdefghij'
    lines = [f'{letters[0]}: &{letters[0]} [{", ".join(["x"] * 9)}]']
    for one, next_ in zip(letters, letters[1:]):
        lines.append(f'{next_}: &{next_} [{", ".join([f"*{one}"] * 9)}]')
    (root / 'data.yaml').write_text(
        '\n'.join([*lines, 'kpt_shape: [3, 3]', 'names: *j'])
    )

    with pytest.raises(AnnotationError, match='was not read: it holds .* values that'):
        convert(root)
