# Copyright (c) onestage_pose contributors.
"""COCO files in the style of the programs that people annotate with."""

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.evaluation import KeypointCocoMetric, PersonBoxMetric
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest

from tests.test_datasets.conftest import CocoSet

NAMES = [
    'nose',
    *(
        f'{side}_{joint}'
        for joint in (
            'eye',
            'ear',
            'shoulder',
            'elbow',
            'wrist',
            'hip',
            'knee',
            'ankle',
        )
        for side in ('left', 'right')
    ),
]
SKELETON = [[16, 14], [14, 12], [17, 15], [15, 13]]
BOX = [10.5, 12.25, 60.0, 50.5]
# as annotation programs have it, the unlabelled ones at 0, 0
KEYPOINTS = [
    value
    for number in range(17)
    for value in ((0, 0, 0) if number == 3 else (12.5 + 3 * number, 14 + 2 * number, 2))
]


def images(**changes):
    return [
        dict(id=number, file_name=f'{number:04d}.png', width=120, height=80) | changes
        for number in (1, 2)
    ]


def people(first_id=1, **changes):
    return [
        dict(
            id=first_id + number,
            image_id=number + 1,
            category_id=1,
            bbox=BOX,
            keypoints=KEYPOINTS,
        )
        | changes
        for number in range(2)
    ]


def cvat():
    return dict(
        licenses=[dict(name='', id=0, url='')],
        info=dict(contributor='', date_created='', version=''),
        categories=[
            dict(
                id=1,
                name='person',
                supercategory='',
                keypoints=[str(number) for number in range(1, 18)],
                skeleton=SKELETON,
            )
        ],
        images=images(license=0, flickr_url='', coco_url='', date_captured=0),
        annotations=people(
            segmentation=[],
            area=3030.0,
            iscrowd=0,
            num_keypoints=16,
            attributes=dict(occluded=False, keyframe=True),
        ),
    )


def label_studio():
    return dict(
        images=images(width=120.0, height=80.0),
        categories=[dict(id=0, name='person', keypoints=NAMES, skeleton=[])],
        annotations=people(
            0, category_id=0, segmentation=[], ignore=0, area=3030.0, num_keypoints=16
        ),
        info=dict(year=2026, version='1.0', contributor='Label Studio'),
    )


def labelme():
    return dict(
        images=images(),
        type='instances',
        categories=[dict(id=1, name='person', supercategory='person')],
        annotations=[
            dict(
                person, id=float(person['id']), segmentation=[[10, 12, 70, 12, 40, 60]]
            )
            for person in people()
        ],
    )


def roboflow():
    return dict(
        info=dict(year='2026', version='1', url='https://example.com'),
        licenses=[dict(id=1, url='', name='Private')],
        categories=[
            dict(id=0, name='people', supercategory='none'),
            dict(
                id=1,
                name='person',
                supercategory='people',
                keypoints=NAMES,
                skeleton=SKELETON,
            ),
        ],
        images=[
            dict(image, id=image['id'] - 1, license=1, extra=dict(name='a.png'))
            for image in images()
        ],
        annotations=[
            dict(person, image_id=person['image_id'] - 1)
            for person in people(0, area=3030.0, segmentation=[], iscrowd=0)
        ],
    )


def coco_annotator():
    return dict(
        images=images(
            dataset_id=1,
            category_ids=[1],
            path='/datasets/mine/0001.png',
            annotated=True,
            num_annotations=1,
            metadata={},
            deleted=False,
        ),
        categories=[
            dict(
                id=1,
                name='person',
                supercategory='',
                color='#a4c4d4',
                metadata={},
                keypoints=NAMES,
                skeleton=SKELETON,
                keypoint_colors=['#bf5c4d'] * 17,
            )
        ],
        annotations=people(
            segmentation=[[10.5, 12, 70, 12, 70, 62]],
            area=1500,
            iscrowd=False,
            isbbox=False,
            color='#16fac2',
            metadata={},
            num_keypoints=16,
            width=120,
            height=80,
        ),
    )


def superannotate():
    return dict(
        info=dict(description='', version='1.0'),
        licenses=[dict(url='', id=1, name='')],
        images=images(license=1),
        annotations=people(segmentation=[], area=0, iscrowd=0, num_keypoints=16),
        categories=[
            dict(
                id=1,
                name='Person',
                supercategory='Person',
                keypoints=[name.replace('_', ' ') for name in NAMES],
                skeleton=SKELETON,
            )
        ],
    )


PROGRAMS = [cvat, label_studio, labelme, roboflow, coco_annotator, superannotate]
each = pytest.mark.parametrize('program', PROGRAMS, ids=lambda each: each.__name__)


def write(folder, content):
    """A folder with pictures for a file's content."""
    coco = CocoSet(folder, images(), [])
    coco.save(content)
    return coco


@each
def test_training_takes_all_people(tmp_path, program):
    coco = write(tmp_path, program())
    dataset = PersonKeypointsDataset(**coco.options())
    assert len(dataset) == 2
    for info in dataset:
        np.testing.assert_allclose(info['bbox'], [[10.5, 12.25, 70.5, 62.75]])
        assert info['num_keypoints'].tolist() == [16]
        np.testing.assert_allclose(
            info['keypoints'][0], np.reshape(KEYPOINTS, (17, 3))[:, :2]
        )


@each
@pytest.mark.parametrize('by_file', [True, False])
def test_the_truth_scores_1(tmp_path, program, by_file):
    coco = write(tmp_path, program())
    dataset = PersonKeypointsDataset(**coco.options(test_mode=True))
    ann_file = str(coco.ann_file) if by_file else None
    options = dict(score_mode='bbox', nms_mode='none')
    keypoints = KeypointCocoMetric(ann_file=ann_file, **options)
    boxes = PersonBoxMetric(ann_file=ann_file)
    keypoints.dataset_meta = dataset.metainfo
    samples = [
        dict(
            id=info['id'],
            img_id=info['img_id'],
            ori_shape=(80, 120),
            raw_ann_info=info['raw_ann_info'],
            gt_instances={},
            pred_instances=dict(
                keypoints=info['keypoints'],
                keypoint_scores=np.ones((1, 17)),
                bboxes=info['bbox'],
                bbox_scores=np.ones(1),
            ),
        )
        for info in dataset
    ]
    for metric, name in ((keypoints, 'coco/AP'), (boxes, 'bbox/AP')):
        metric.process(None, samples)
        assert metric.evaluate(2)[name] == 1.0


def test_numbers_for_names_are_said_in_the_log(tmp_path, log):
    PersonKeypointsDataset(**write(tmp_path, cvat()).options())
    assert 'its keypoints have numbers for names and are taken' in log.getvalue()


@pytest.mark.parametrize('program', [labelme, superannotate])
def test_areas_from_boxes_are_said_in_the_log(tmp_path, log, program):
    PersonKeypointsDataset(**write(tmp_path, program()).options())
    assert '2 people have no "area" or 0; 0.53 of their boxes' in log.getvalue()


@pytest.mark.parametrize('name', ['images%2F0001.png', 'images\\0001.png', '0001.PNG'])
def test_a_name_that_is_written_otherwise_is_answered_by_the_file(tmp_path, name):
    content = label_studio()
    content['images'][0]['file_name'] = name
    coco = write(tmp_path, content)
    with pytest.raises(FileNotFoundError, match=r"'[^']*images/0001\.png' exists"):
        PersonKeypointsDataset(**coco.options())


def test_a_template_in_another_order_is_named(tmp_path):
    content = superannotate()
    content['categories'][0]['keypoints'].reverse()
    coco = write(tmp_path, content)
    with pytest.raises(AnnotationError, match='the same keypoints in another order'):
        PersonKeypointsDataset(**coco.options())
