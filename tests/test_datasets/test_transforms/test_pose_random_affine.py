# Copyright (c) onestage_pose contributors.
from onestage_pose.datasets import PoseRandomAffine

import numpy as np
import pytest

SIZE = (64, 96)  # width, height of the window


def sample(box=(30, 20, 50, 60), size=(120, 80), num_people=1):
    """White people on black; keypoints at their corners' pixels and centre."""
    width, height = size
    img = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = box
    img[y1:y2, x1:x2] = 255
    points = [[x1, y1], [x2 - 1, y2 - 1], [(x1 + x2 - 1) / 2, (y1 + y2 - 1) / 2]]
    return dict(
        img=img,
        img_shape=(height, width),
        id=list(range(num_people)),
        bbox=np.array([box] * num_people, np.float32),
        bbox_score=np.ones(num_people, np.float32),
        keypoints=np.array([points] * num_people, np.float32),
        keypoints_visible=np.ones((num_people, 3), np.float32),
        num_keypoints=np.full(num_people, 3),
        area=np.full(num_people, 800, np.float32),
    )


def transformed(seed=0, data=None, **options):
    np.random.seed(seed)
    options = {'input_size': SIZE, 'size_range': (60, 200), **options}
    return PoseRandomAffine(**options).transform(data or sample())


def white_box(img):
    rows, columns = np.nonzero(img[..., 0] > 190)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize('scale_to', ['image', 'person'])
@pytest.mark.parametrize('seed', range(8))
def test_an_unrotated_box_bounds_the_same_pixels(seed, scale_to):
    results = transformed(
        seed, scale_to=scale_to, size_range=(40, 90), min_visible=0, pad_val=(0, 0, 0)
    )
    assert len(results['bbox']) == 1
    np.testing.assert_allclose(results['bbox'][0], white_box(results['img']), atol=1.01)


@pytest.mark.parametrize('seed', range(8))
def test_keypoints_stay_on_their_pixels_when_rotated(seed):
    data = sample()
    data['img'][:] = 0
    for x, y in data['keypoints'][0]:
        column, row = round(float(x)), round(float(y))
        data['img'][row - 1 : row + 2, column - 1 : column + 2] = 255
    # the middle of 3x3 pixels about (39.5, 39.5), rounded to an even number
    data['keypoints'][0, 2] = 40
    results = transformed(
        seed, data, scale_to='person', size_range=(55, 60), rotate=180.0, min_side=0
    )
    height, width = results['img_shape']
    for (x, y), visible in zip(
        results['keypoints'][0], results['keypoints_visible'][0]
    ):
        inside = -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5
        assert inside == (visible > 0)
        if visible and 1 <= x < width - 2 and 1 <= y < height - 2:
            assert results['img'][round(float(y)), round(float(x)), 0] > 150


@pytest.mark.parametrize('angle', [90.0, -90.0])
def test_a_box_turned_by_a_right_angle_has_its_sides_swapped(monkeypatch, angle):
    drawn = iter([np.log(60.0), np.deg2rad(angle)])
    real = np.random.uniform
    monkeypatch.setattr(
        np.random,
        'uniform',
        lambda low, high, size=None: (
            next(drawn) if size is None and np.ndim(low) == 0 else real(low, high, size)
        ),
    )
    monkeypatch.setattr(np, 'deg2rad', lambda degrees: degrees)
    results = transformed(size_range=(60, 60), scale_to='person', rotate=180.0, shift=0)
    x1, y1, x2, y2 = results['bbox'][0]
    # 20x40 px, its longer side scaled to 60
    np.testing.assert_allclose((x2 - x1, y2 - y1), (60, 30), atol=1e-3)


def test_a_rotated_box_is_that_of_the_ellipse_in_it_where_no_keypoint_is_labelled():
    data = sample()
    data['keypoints_visible'][:] = 0
    data['bbox'][0] = (30, 20, 70, 60)
    results = transformed(
        3, data, scale_to='person', size_range=(40, 40), rotate=90.0, shift=0
    )
    x1, y1, x2, y2 = results['bbox'][0]
    # a circle stays as wide as it is
    np.testing.assert_allclose((x2 - x1, y2 - y1), (40, 40), atol=1e-3)


@pytest.mark.parametrize('seed', range(20))
def test_a_rotated_box_holds_the_labelled_keypoints(seed):
    results = transformed(
        seed, scale_to='person', size_range=(50, 60), rotate=45.0, min_visible=0
    )
    box, points = results['bbox'][0], results['keypoints'][0] + 0.5
    seen = points[results['keypoints_visible'][0] > 0]
    assert (seen >= box[:2] - 1e-3).all() and (seen <= box[2:] + 1e-3).all()


@pytest.mark.parametrize('seed', range(20))
def test_a_smaller_image_lies_whole_in_the_window(seed):
    results = transformed(seed, size_range=(40, 64), pad_val=(9, 9, 9))
    assert (results['img'][..., 0] == 255).any()
    assert results['keypoints_visible'].all()


@pytest.mark.parametrize('seed', range(20))
def test_a_window_of_a_larger_image_shows_somebody(seed):
    results = transformed(seed, size_range=(300, 400), min_visible=0.0)
    assert len(results['bbox']) == 1 and (results['img'][..., 0] > 190).any()


def test_a_window_of_a_larger_image_shows_no_padding():
    data = sample()
    data['img'][:] = 255
    assert transformed(2, data, size_range=(300, 400))['img'].min() == 255


def test_scaling_down_smooths():
    data = sample(size=(512, 512))
    data['img'][:] = 0
    data['img'][::2] = 255
    results = transformed(0, data, size_range=(64, 64), pad_val=(127, 127, 127))
    assert abs(results['img'].astype(int) - 127).max() < 8


def test_people_who_are_cut_off_are_left_out_with_all_that_belongs_to_them():
    data = sample(num_people=3)
    data['bbox'][1] = (0, 0, 3, 3)
    results = transformed(1, data, size_range=(100, 120), min_side=4.0)
    kept = len(results['bbox'])
    assert 1 not in results['id'] and kept == 2
    for key in ('bbox_score', 'keypoints', 'keypoints_visible', 'area', 'id'):
        assert len(results[key]) == kept


def test_area_scales_with_the_image():
    results = transformed(size_range=(60, 60))
    np.testing.assert_allclose(results['area'], 800 * (60 / 120) ** 2)


def test_an_image_without_people():
    data = sample(num_people=0)
    data['bbox'] = np.zeros((0, 4), np.float32)
    data['keypoints'] = np.zeros((0, 3, 2), np.float32)
    data['keypoints_visible'] = np.zeros((0, 3), np.float32)
    results = transformed(0, data, rotate=30.0, size_range=(300, 400))
    assert results['bbox'].shape == (0, 4) and results['img'].shape == (96, 64, 3)


def test_types_stay_those_of_the_data_set():
    before, after = sample(), transformed(rotate=20.0)
    for key, value in before.items():
        if isinstance(value, np.ndarray):
            assert after[key].dtype == value.dtype, key


def test_the_same_seed_gives_the_same_image():
    first, second = transformed(5, rotate=30.0), transformed(5, rotate=30.0)
    np.testing.assert_array_equal(first['img'], second['img'])
    np.testing.assert_array_equal(first['keypoints'], second['keypoints'])


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="scale_to='box' is unknown"):
        PoseRandomAffine(SIZE, (10, 20), scale_to='box')
    with pytest.raises(ValueError, match='LoadPoseMasks'):
        transformed(0, dict(sample(), gt_masks=[]))


def test_the_old_name_of_the_image_scale_warns():
    with pytest.warns(FutureWarning, match="is now scale_to='image'"):
        assert PoseRandomAffine(SIZE, (10, 20), scale_to='picture').scale_to == 'image'


@pytest.mark.parametrize('seed', range(4))
def test_the_window_is_laid_over_people_and_keeps_any_part_of_a_crowd(seed):
    data = sample(size=(400, 80), num_people=2)
    data['bbox'][1] = [0, 0, 400, 80]
    data['iscrowd'] = np.array([0, 1])
    results = transformed(
        seed, data, scale_to='person', size_range=(80, 90), min_visible=0.9, shift=0.0
    )
    assert results['iscrowd'].tolist() == [0, 1]


def test_a_crowd_outside_the_window_is_left_out():
    data = sample(size=(400, 80), num_people=2)
    data['bbox'][1] = [390, 0, 400, 80]
    data['iscrowd'] = np.array([0, 1])
    results = transformed(data=data, scale_to='person', size_range=(80, 90))
    assert results['iscrowd'].tolist() == [0]


def test_what_the_window_cuts_off_is_known_not_to_be_there():
    data = sample(box=(10, 10, 110, 70))
    # there and seen; there, nothing known of hiding; not known
    data['visibility_targets'] = np.array([[[1, 1], [1, -1], [-1, -1]]], np.int8)
    results = transformed(data=data, size_range=(200, 200), min_visible=0)

    gone = results['keypoints_visible'][0] == 0
    assert gone.tolist() == [True, True, False]
    assert results['visibility_targets'].tolist() == [[[0, -1], [0, -1], [-1, -1]]]
    assert results['visibility_targets'].dtype == np.int8
