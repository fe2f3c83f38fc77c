# Copyright (c) onestage_pose contributors.
from pathlib import Path

from onestage_pose.datasets import (
    LoadPoseImage,
    PackKeypointRCNNInputs,
    PersonKeypointsDataset,
)

import numpy as np
import pytest
from mmengine import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpose.registry import DATASETS

CONFIGS = Path(__file__).parents[2] / 'configs/_base_/datasets'
NO_KEYPOINTS = [0] * 51


def boxes_of(dataset):
    return [info['bbox'].tolist() for info in dataset]


def ids_of(dataset):
    return {info['img_id']: info['id'] for info in dataset}


def test_people_are_grouped_by_image_in_the_order_of_the_file(coco_set, image, person):
    people = [person(3, 2), person(1, 1), person(2, 2)]
    coco = coco_set([image(1), image(2)], people)
    dataset = PersonKeypointsDataset(**coco.options())
    assert ids_of(dataset) == {1: [1], 2: [3, 2]}


def test_shapes_and_dtypes_of_an_item(coco_set, image, person):
    coco = coco_set([image(1)], [person(1), person(2)])
    info = PersonKeypointsDataset(**coco.options())[0]
    found = {
        key: (value.shape, value.dtype.name)
        for key, value in info.items()
        if isinstance(value, np.ndarray) and key != 'dataset_keypoint_weights'
    }
    assert found == {
        'bbox': ((2, 4), 'float32'),
        'bbox_score': ((2,), 'float32'),
        'bbox_label': ((2,), 'int64'),
        'keypoints': ((2, 17, 2), 'float32'),
        'keypoints_visible': ((2, 17), 'float32'),
        'visibility_targets': ((2, 17, 2), 'int8'),
        'num_keypoints': ((2,), 'int64'),
        'area': ((2,), 'float32'),
        'iscrowd': ((2,), 'int64'),
        'category_id': ((2,), 'int64'),
    }


def test_boxes_are_clipped_to_the_edges_of_the_image(coco_set, image, person):
    coco = coco_set([image(1, 120, 80)], [person(1, bbox=[-5, -5, 500, 500])])
    dataset = PersonKeypointsDataset(**coco.options())
    assert boxes_of(dataset) == [[[0, 0, 120, 80]]]


def test_visibility_says_labelled_or_not(coco_set, image, person):
    keypoints = [5, 5, 0, 5, 5, 1, 5, 5, 2] + [0, 0, 0] * 14
    coco = coco_set([image(1)], [person(1, keypoints=keypoints)])
    info = PersonKeypointsDataset(**coco.options())[0]
    assert info['keypoints_visible'][0, :4].tolist() == [0, 1, 1, 0]


def test_training_leaves_out_crowds_and_boxes_without_area(coco_set, image, person):
    coco = coco_set(
        [image(1)],
        [
            person(1),
            person(2, iscrowd=1),
            person(3, bbox=[10, 10, 0, 5]),
            person(4, bbox=[130, 10, 20, 5]),
        ],
    )
    dataset = PersonKeypointsDataset(**coco.options())
    assert ids_of(dataset) == {1: [1]}


def test_training_keeps_people_without_keypoints_for_the_boxes(coco_set, image, person):
    coco = coco_set([image(1)], [person(1), person(2, keypoints=NO_KEYPOINTS)])
    dataset = PersonKeypointsDataset(**coco.options())
    assert ids_of(dataset) == {1: [1, 2]}


def test_training_leaves_out_images_without_a_labelled_keypoint(
    coco_set, image, person
):
    coco = coco_set(
        [image(1), image(2), image(3), image(4)],
        [person(1, 1), person(2, 2, keypoints=NO_KEYPOINTS), person(3, 3, iscrowd=1)],
    )
    dataset = PersonKeypointsDataset(**coco.options())
    assert ids_of(dataset) == {1: [1]}


def test_the_image_filter_can_be_turned_off(coco_set, image, person):
    coco = coco_set([image(1), image(2)], [person(1, 1)])
    options = coco.options(filter_cfg=dict(min_keypoints=0))
    assert ids_of(PersonKeypointsDataset(**options)) == {1: [1], 2: []}


def test_the_log_counts_what_was_left_out_and_why(coco_set, log, image, person):
    coco = coco_set(
        [image(1), image(2)],
        [
            person(1),
            person(2, iscrowd=1),
            person(3, bbox=[1, 1, 0, 0]),
            person(4, 2, keypoints=NO_KEYPOINTS),
        ],
    )
    PersonKeypointsDataset(**coco.options())
    assert (
        '1 images with 1 instances (1 with keypoints) to train on; left out: 1 crowd '
        'regions, 1 boxes without area, 1 images (1 instances) with fewer '
        'labelled keypoints than 1'
    ) in log.getvalue()


def test_the_log_does_not_count_crowds_that_are_kept_as_people(
    coco_set, log, image, person
):
    coco = coco_set([image(1)], [person(1), person(2, iscrowd=1)])

    PersonKeypointsDataset(**coco.options(), keep_crowds=True)

    assert '1 images with 1 instances (1 with keypoints)' in log.getvalue()
    assert 'left out: 0 crowd regions' in log.getvalue()
    assert 'kept to be ignored: 1 crowd regions' in log.getvalue()


def test_no_image_left_is_an_error(coco_set, image, person):
    coco = coco_set([image(1)], [person(1, keypoints=NO_KEYPOINTS)])
    with pytest.raises(ValueError, match='no image is left of 1'):
        PersonKeypointsDataset(**coco.options())


def test_testing_keeps_everything(coco_set, image, person):
    coco = coco_set(
        [image(1), image(2)],
        [person(1), person(2, iscrowd=1), person(3, bbox=[10, 10, 0, 5])],
    )
    dataset = PersonKeypointsDataset(**coco.options(test_mode=True))
    assert ids_of(dataset) == {1: [1, 2, 3], 2: []}


def test_testing_on_a_file_without_people_is_pointed_to_format_only(
    coco_set, log, image
):
    coco = coco_set([image(1)], [])
    del coco.content['annotations']
    coco.save(coco.content)
    PersonKeypointsDataset(**coco.options(test_mode=True))
    assert 'only format_only of the metrics makes sense' in log.getvalue()


def test_testing_carries_the_records_of_the_file_for_the_metrics(
    coco_set, image, person
):
    coco = coco_set([image(1)], [person(1), person(2, iscrowd=1)])
    info = PersonKeypointsDataset(**coco.options(test_mode=True))[0]
    expected = [person(1), person(2, iscrowd=1)]
    for annotation in expected:
        del annotation['segmentation']
    assert info['raw_ann_info'] == expected


def test_training_does_not_carry_them(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    assert 'raw_ann_info' not in PersonKeypointsDataset(**coco.options())[0]


def test_crowds_that_are_kept_have_no_keypoints(coco_set, image, person):
    coco = coco_set([image(1)], [person(1), person(2, iscrowd=1)])
    info = PersonKeypointsDataset(**coco.options(), keep_crowds=True)[0]
    assert info['iscrowd'].tolist() == [0, 1]
    assert info['num_keypoints'].tolist() == [17, 0]
    assert (info['keypoints_visible'][1] == 0).all()


def test_an_image_with_a_crowd_alone_teaches_no_keypoint(coco_set, image, person):
    coco = coco_set([image(1), image(2)], [person(1), person(2, 2, iscrowd=1)])
    dataset = PersonKeypointsDataset(**coco.options(), keep_crowds=True)
    assert ids_of(dataset) == {1: [1]}


def test_size_and_crowd_index_of_the_image_are_carried(coco_set, image, person):
    coco = coco_set([dict(image(1, 120, 80), crowdIndex=0.3)], [person(1)])
    info = PersonKeypointsDataset(**coco.options())[0]
    assert (info['width'], info['height'], info['crowd_index']) == (120, 80, 0.3)


def test_outlines_are_kept_on_demand(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    info = PersonKeypointsDataset(**coco.options(with_segmentation=True))[0]
    assert info['segmentation'] == [person(1)['segmentation']]


@pytest.mark.parametrize('only', [True, False])
def test_images_say_whether_they_train_the_keypoint_branch_alone(
    coco_set, image, person, only
):
    coco = coco_set([image(1)], [person(1)])
    pipeline = [LoadPoseImage(), PackKeypointRCNNInputs()]
    options = coco.options(keypoints_only=only, pipeline=pipeline)
    sample = PersonKeypointsDataset(**options)[0]['data_samples']
    assert sample.metainfo['keypoints_only'] is only


def test_only_whole_images(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    with pytest.raises(ValueError, match="data_mode='topdown'; it gives whole"):
        PersonKeypointsDataset(**coco.options(data_mode='topdown'))


def test_a_misspelt_filter_is_named(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    options = coco.options(filter_cfg=dict(min_keypoint=1))
    with pytest.raises(
        ValueError, match=r"does not know filter_cfg \['min_keypoint'\]"
    ):
        PersonKeypointsDataset(**options)


def test_missing_images_are_counted_and_named_before_training(coco_set, image, person):
    coco = coco_set([image(1), image(2)], [person(1, 1), person(2, 2)])
    (coco.root / 'images/0002.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2 images.*0002\.png'):
        PersonKeypointsDataset(**coco.options())


def test_a_missing_folder_of_images_names_the_option(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    options = coco.options(data_prefix=dict(img='elsewhere/'))
    with pytest.raises(FileNotFoundError, match=r'elsewhere: this folder.*data_prefix'):
        PersonKeypointsDataset(**options)


def test_images_that_are_not_used_may_be_missing(coco_set, image, person):
    coco = coco_set([image(1), image(2)], [person(1, 1)])
    (coco.root / 'images/0002.png').unlink()
    assert len(PersonKeypointsDataset(**coco.options())) == 1


def test_images_kept_elsewhere_are_not_looked_for(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    options = coco.options(data_prefix=dict(img='s3://bucket/images/'))
    dataset = PersonKeypointsDataset(**options)
    assert dataset.get_data_info(0)['img_path'] == 's3://bucket/images/0001.png'


def test_images_may_lie_in_folders_of_their_own(coco_set, image, person):
    records = [dict(image(1), file_name='a.png'), dict(image(2), file_name='b.png')]
    coco = coco_set(records, [person(1, 1), person(2, 2)])
    (coco.root / 'images/sub').mkdir()
    (coco.root / 'images/b.png').rename(coco.root / 'images/sub/b.png')
    coco.content['images'][1]['file_name'] = 'sub/b.png'
    coco.save(coco.content)
    assert len(PersonKeypointsDataset(**coco.options())) == 2


def test_a_broken_image_is_replaced_in_training_where_allowed(coco_set, image, person):
    coco = coco_set([image(1), image(2)], [person(1, 1), person(2, 2)])
    (coco.root / 'images/0001.png').write_bytes(b'no image')
    pipeline = [dict(type='mmpose.LoadPoseImage', on_error='warn')]
    dataset = PersonKeypointsDataset(**coco.options(pipeline=pipeline))
    assert dataset[0]['img_id'] == 2


def test_a_broken_image_ends_a_test_in_any_case(coco_set, image, person):
    coco = coco_set([image(1)], [person(1)])
    (coco.root / 'images/0001.png').write_bytes(b'no image')
    pipeline = [dict(type='mmpose.LoadPoseImage', on_error='warn')]
    dataset = PersonKeypointsDataset(**coco.options(pipeline=pipeline, test_mode=True))
    with pytest.raises(ValueError, match=r'0001\.png: this image cannot be decoded'):
        dataset[0]


def build_from(config, coco, test_mode, **changes):
    """Build the dataset of one of the base configs on another folder."""
    cfg = Config.fromfile(CONFIGS / config)
    loader = cfg.val_dataloader if test_mode else cfg.train_dataloader
    loader.dataset.update(coco.options(**changes))
    with DefaultScope.overwrite_default_scope('mmpose'):
        return DATASETS.build(loader.dataset)


def test_the_coco_config_trains_at_several_scales(coco_set, image, person):
    coco = coco_set([image(1, 120, 80)], [person(1)])
    np.random.seed(0)
    dataset = build_from('coco_keypoints.py', coco, test_mode=False)
    shorter = {min(dataset[0]['inputs'].shape[1:]) for _ in range(60)}
    assert shorter == {640, 672, 704, 736, 768, 800}


def test_the_coco_config_tests_at_800_without_a_flip(coco_set, image, person):
    coco = coco_set([image(1, 120, 80)], [person(1)])
    sample = build_from('coco_keypoints.py', coco, test_mode=True)[0]['data_samples']
    assert sample.img_shape == (800, 1200)
    assert 'flip' not in sample


def test_the_coco_config_batches_images_of_one_orientation(coco_set, image, person):
    ids = range(1, 9)
    images = [image(i, *((120, 80) if i % 2 else (80, 120))) for i in ids]
    coco = coco_set(images, [person(i, i) for i in ids])
    loader = Config.fromfile(CONFIGS / 'coco_keypoints.py').train_dataloader
    loader.dataset.update(coco.options())
    loader.update(num_workers=0, persistent_workers=False)
    with DefaultScope.overwrite_default_scope('mmpose'):
        batches = list(Runner.build_dataloader(loader, seed=0))
    orientations = [
        {'wide' if w > h else 'tall' for _, h, w in (x.shape for x in batch['inputs'])}
        for batch in batches
    ]
    assert len(batches) == 4
    assert all(len(kinds) == 1 for kinds in orientations)


@pytest.mark.parametrize(
    ('config', 'name'),
    [('crowdpose_keypoints.py', 'crowdpose'), ('aic_keypoints.py', 'aic')],
)
def test_sets_of_14_keypoints_load_by_config_alone(
    coco_set, config, name, image, person
):
    coco = coco_set([image(1)], [person(1, num_keypoints=14)])
    sample = build_from(config, coco, test_mode=False)[0]['data_samples']
    assert sample.gt_instance_labels.keypoints.shape == (1, 14, 2)
    assert sample.dataset_name == name


def test_the_set_of_14_keypoints_flips_by_its_own_names(coco_set, image, person):
    coco = coco_set([image(1)], [person(1, num_keypoints=14)])
    dataset = build_from('crowdpose_keypoints.py', coco, test_mode=False)
    names = dataset.metainfo['keypoint_id2name']
    flipped = [names[i] for i in dataset.metainfo['flip_indices']]
    assert flipped[:4] == [
        'right_shoulder',
        'left_shoulder',
        'right_elbow',
        'left_elbow',
    ]


def test_all_annotations_of_real_images_are_loaded(shared_dir):
    root = Path(shared_dir) / 'data/coco_pool'
    dataset = PersonKeypointsDataset(
        data_root=str(root),
        ann_file='annotations/person_keypoints_train.json',
        data_prefix=dict(img='images/train/'),
    )
    posed = sum(int((info['num_keypoints'] > 0).sum()) for info in dataset)
    assert (len(dataset), posed) == (615, 1418)


def test_the_option_on_people_of_an_image_reaches_the_reader(coco_set, image, person):
    options = coco_set([image(1)], [person(1), person(2)]).options()

    assert len(PersonKeypointsDataset(**options, max_people=2)[0]['id']) == 2
    with pytest.raises(ValueError, match='limit of 1 people.* raise max_people'):
        PersonKeypointsDataset(**options, max_people=1)


@pytest.mark.parametrize('value', [0, -1, True, '5', 1.5, None])
def test_a_number_of_people_that_is_none_is_named(value):
    with pytest.raises(ValueError, match='max_people=.*a whole number above 0'):
        PersonKeypointsDataset(max_people=value, lazy_init=True)
