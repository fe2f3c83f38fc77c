# Copyright (c) onestage_pose contributors.
"""Annotation files and images are found where programs put them."""

import json

from onestage_pose.data_tools.fine_tuning.source import (
    NoKeypointFile,
    find_annotation_files,
    read_source,
)
from onestage_pose.utils.errors import AnnotationError, UsageError

import pytest


def write(path, folder=None, **changes):
    """A keypoint file of one image, which is written to ``folder``."""
    ann = dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 9, 9], keypoints=[1, 1, 2])
    content = dict(
        images=[dict(id=1, file_name='a.png', width=9, height=9)],
        annotations=[ann],
        categories=[dict(id=1, name='thing', keypoints=['tip'])],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | changes))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'a.png').touch()
    return path


def test_a_file_is_itself(tmp_path):
    path = write(tmp_path / 'mine.json')
    assert find_annotation_files(path) == (path, None)


@pytest.mark.parametrize('name', ['result.json', 'annotations/default.json'])
def test_the_only_keypoint_file_of_a_folder_is_found(tmp_path, name):
    path = write(tmp_path / name)
    (tmp_path / 'settings.json').write_text('{"images": []}')
    (tmp_path / 'broken.json').write_text('{')
    assert find_annotation_files(tmp_path) == (path, None)


@pytest.mark.parametrize(
    ('train', 'val'),
    [
        ('train/_annotations.coco.json', 'valid/_annotations.coco.json'),
        ('annotations/instances_train.json', 'annotations/instances_val.json'),
        ('person_keypoints_train2017.json', 'person_keypoints_val2017.json'),
    ],
)
def test_splits_are_known_by_their_names(tmp_path, train, val):
    files = write(tmp_path / train), write(tmp_path / val)
    assert find_annotation_files(tmp_path) == files


def test_files_that_nobody_can_tell_apart_are_named(tmp_path):
    write(tmp_path / 'a.json'), write(tmp_path / 'b.json')
    with pytest.raises(UsageError, match=r'a\.json, b\.json.* --val'):
        find_annotation_files(tmp_path)


def test_a_folder_without_one_says_so(tmp_path):
    (tmp_path / 'a.json').write_text('{"shapes": []}')
    with pytest.raises(NoKeypointFile, match='holds no COCO keypoint file'):
        find_annotation_files(tmp_path)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match='no file or folder'):
        find_annotation_files(tmp_path / 'nothing')


@pytest.mark.parametrize(
    ('file', 'folder'),
    [
        ('a.json', '.'),
        ('a.json', 'images'),
        ('annotations/a.json', '.'),
        ('annotations/a.json', 'images'),
        ('annotations/person_keypoints_train2017.json', 'train2017'),
        ('annotations/person_keypoints_train.json', 'images/train'),
    ],
)
def test_images_are_found_near_the_file(tmp_path, file, folder):
    path = write(tmp_path / file, tmp_path / folder)
    assert read_source(path).image_folder == (tmp_path / folder).absolute()


def test_images_elsewhere_are_asked_for(tmp_path):
    path = write(tmp_path / 'a.json', tmp_path / 'far')
    with pytest.raises(UsageError, match=r'first a\.png; looked in .* --images'):
        read_source(path)
    assert read_source(path, tmp_path / 'far').image_folder == tmp_path / 'far'


def test_of_several_categories_one_is_chosen_by_name(tmp_path):
    anns = [
        dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 9, 9], keypoints=[1, 1, 2]),
        dict(id=2, image_id=1, category_id=2, bbox=[0, 0, 9, 9]),
    ]
    categories = [dict(id=1, name='cat', keypoints=['tip']), dict(id=2, name='car')]
    path = write(tmp_path / 'a.json', tmp_path, annotations=anns, categories=categories)
    with pytest.raises(UsageError, match="'cat', 'car'.* --category"):
        read_source(path)
    with pytest.raises(UsageError, match='Did you mean cat'):
        read_source(path, category='cats')
    source = read_source(path, category='cat')
    assert [each['id'] for each in source.content['annotations']] == [1]
    assert not source.is_whole


@pytest.mark.parametrize('key', ['images', 'annotations'])
def test_a_file_of_nothing_is_refused(tmp_path, key):
    changes = {key: []} | ({'annotations': []} if key == 'images' else {})
    with pytest.raises(AnnotationError, match=f'no "{key}"'):
        read_source(write(tmp_path / 'a.json', **changes))
