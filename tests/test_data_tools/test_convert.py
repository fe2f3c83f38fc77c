# Copyright (c) onestage_pose contributors.
"""A source is recognised, converted, and written whole or not at all."""

import json

from onestage_pose.data_tools.convert import convert_data, find_format
from onestage_pose.utils.errors import AnnotationError, UsageError

import pytest

from tests.test_data_tools.conftest import write_image, write_json

RECORD = dict(
    id=1, image_id=1, category_id=1, bbox=[20, 10, 40, 30], keypoints=[30, 20, 2]
)


@pytest.fixture
def source(tmp_path):
    """A COCO file of one image in a folder."""
    root = tmp_path / 'source'
    write_image(root / 'images/deep/a.jpg')
    content = dict(
        images=[dict(id=1, file_name='deep/a.jpg', width=100, height=50)],
        annotations=[RECORD],
        categories=[dict(id=1, name='dog', keypoints=['nose'])],
    )
    return write_json(root / 'coco.json', content)


@pytest.mark.parametrize(
    'name, content, format',
    [
        ('data.yaml', 'kpt_shape: [1, 3]', 'yolo_pose'),
        ('a.json', '{"shapes": [], "imagePath": "a.jpg"}', 'labelme'),
        ('a.json', '[{"data": {}, "annotations": []}]', 'label_studio'),
        ('a.xml', '<?xml version="1.0"?><annotations/>', 'cvat'),
        ('a.json', '{"_via_img_metadata": {}}', 'via'),
        ('a.json', '{"a.jpg9": {"filename": "a.jpg", "regions": []}}', 'via'),
        (
            'a.csv',
            'filename,region_shape_attributes,region_attributes\n',
            'via',
        ),
        ('a.json', '{"images": [], "annotations": []}', 'coco'),
    ],
)
def test_the_format_is_found_out(tmp_path, name, content, format):
    (tmp_path / name).write_text(content)

    assert find_format(tmp_path / name)[0] == format
    assert find_format(tmp_path)[0] == format


def test_a_yolo_file_without_keypoints_is_told_what_it_lacks(tmp_path):
    (tmp_path / 'data.yaml').write_text('train: images\nnames: {0: dog}')

    with pytest.raises(AnnotationError, match=r'data\.yaml .*it has no kpt_shape'):
        find_format(tmp_path)


def test_several_formats_are_told(tmp_path, source):
    (source.parent / 'data.yaml').write_text('kpt_shape: [1, 3]')

    with pytest.raises(AnnotationError, match=r'yolo_pose \(data.yaml\), coco \(coco'):
        find_format(source.parent)


def test_a_strange_file_is_told_what_is_known(tmp_path):
    (tmp_path / 'a.json').write_text('{"a": 1}')

    with pytest.raises(AnnotationError, match='not of a known format. Known are yolo'):
        find_format(tmp_path)


def test_a_packed_export_is_told_to_unpack(tmp_path):
    (tmp_path / 'export.zip').write_bytes(b'PK')

    with pytest.raises(AnnotationError, match='known format. Unpack it, and give'):
        find_format(tmp_path / 'export.zip')


def test_names_start_from_the_folder_that_holds_all(tmp_path, source):
    done = convert_data(source, tmp_path / 'out')

    assert done.image_root == source.parent / 'images/deep'
    content = json.loads(done.files['annotations'].read_text())
    assert content['images'][0]['file_name'] == 'a.jpg'


def test_images_are_copied_where_that_is_asked_for(tmp_path, source):
    done = convert_data(source, tmp_path / 'out', copy_images=True)

    copy = tmp_path / 'out/images/a.jpg'
    assert copy.read_bytes() == (source.parent / 'images/deep/a.jpg').read_bytes()
    assert done.image_root == copy.parent


@pytest.mark.parametrize('name', ['annotations.json', 'images/a.jpg'])
def test_nothing_is_written_over_without_force(tmp_path, source, name):
    there = tmp_path / 'out' / name
    there.parent.mkdir(parents=True)
    there.write_text('mine')

    with pytest.raises(UsageError, match='--force'):
        convert_data(source, tmp_path / 'out', copy_images=True)

    assert [path for path in (tmp_path / 'out').rglob('*') if path.is_file()] == [there]
    assert there.read_text() == 'mine'
    convert_data(source, tmp_path / 'out', copy_images=True, force=True)
    assert there.read_bytes() != b'mine'


def test_the_source_is_never_written_over(tmp_path, source):
    same = source.rename(source.with_name('annotations.json'))

    with pytest.raises(UsageError, match='is the source itself'):
        convert_data(same, same.parent, force=True)


@pytest.mark.parametrize(
    'options, told',
    [
        (dict(format='yolo'), 'Did you mean yolo_pose'),
        (dict(category='cat'), '--category cat: the source has dog'),
        (dict(keypoints=['tail']), "lack nose, which 'dog' has"),
        (dict(images='nowhere'), '--images: there is no folder nowhere'),
    ],
)
def test_an_option_that_means_nothing_is_told(tmp_path, source, options, told):
    with pytest.raises(UsageError, match=told):
        convert_data(source, tmp_path / 'out', **options)


@pytest.mark.parametrize('inside', ['.', 'new/deep'])
def test_nothing_is_written_into_the_source(source, inside):
    target = source.parent / inside

    with pytest.raises(UsageError, match='lies in it.* a folder outside of'):
        convert_data(source.parent, target, force=True)

    assert sorted(path.name for path in source.parent.iterdir()) == [
        'coco.json',
        'images',
    ]
