# Copyright (c) onestage_pose contributors.
from types import SimpleNamespace

from onestage_pose.datasets import LoadPoseImage
from onestage_pose.utils.errors import ImageError

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

TRAINING = SimpleNamespace(test_mode=False)
TESTING = SimpleNamespace(test_mode=True)


@pytest.fixture
def image(tmp_path):
    """A 40x30 noise image as a JPEG."""
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    path = tmp_path / 'image.jpg'
    cv2.imwrite(str(path), pixels)
    return path


def test_a_file_gives_an_image_and_its_size(image):
    results = LoadPoseImage().transform(dict(img_path=str(image)))
    assert results['img'].shape == (30, 40, 3)
    assert results['ori_shape'] == results['img_shape'] == (30, 40)


def test_an_array_is_taken_as_it_is():
    img = np.zeros((30, 40, 3), np.uint8)
    results = LoadPoseImage().transform(dict(img=img))
    assert results['img'] is img
    assert results['ori_shape'] == (30, 40)


def test_an_array_from_0_to_1_is_the_image_of_its_file(image):
    pixels = cv2.imread(str(image))
    results = LoadPoseImage().transform(dict(img=pixels / 255))
    np.testing.assert_array_equal(results['img'], pixels)


def test_a_standardised_array_is_named():
    img = np.random.default_rng(0).normal(size=(30, 40, 3))
    with pytest.raises(ImageError, match='before it was standardised'):
        LoadPoseImage().transform(dict(img=img))


def test_an_image_of_pillow_is_taken(image):
    with Image.open(image) as img:
        results = LoadPoseImage().transform(dict(img=img))
    assert results['ori_shape'] == (30, 40)
    assert results['img'].dtype == np.uint8


@pytest.mark.parametrize('key', ['img', 'img_path'])
def test_a_path_object_is_a_path(image, key):
    results = LoadPoseImage().transform({key: image})
    assert results['img_path'] == str(image)
    assert results['ori_shape'] == (30, 40)


def test_an_array_becomes_float32_where_asked_for():
    img = np.full((30, 40, 3), 7, np.uint8)
    results = LoadPoseImage(to_float32=True).transform(dict(img=img))
    assert results['img'].dtype == np.float32


@pytest.mark.parametrize('shape', [(30, 40), (30, 40, 4), (0, 40, 3)])
def test_an_array_that_is_no_colour_image_is_named(shape):
    with pytest.raises(ValueError, match=r'must be \(height, width, 3\), BGR; got'):
        LoadPoseImage().transform(dict(img=np.zeros(shape, np.uint8)))


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('content', [b'', b'no image'])
def test_an_image_that_cannot_be_decoded_is_named(tmp_path, backend, content):
    path = tmp_path / 'broken.jpg'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'broken\.jpg: this image cannot be decod'):
        LoadPoseImage(imdecode_backend=backend).transform(dict(img_path=str(path)))


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_an_image_that_ends_too_early_is_broken(image, backend):
    image.write_bytes(image.read_bytes()[:-100])
    with pytest.raises(ValueError, match='cannot be decoded'):
        LoadPoseImage(imdecode_backend=backend).transform(dict(img_path=str(image)))


def test_a_missing_image_is_named(tmp_path):
    path = str(tmp_path / 'absent.jpg')
    with pytest.raises(FileNotFoundError, match=r'absent\.jpg: this image does not'):
        LoadPoseImage().transform(dict(img_path=path))


def test_a_broken_image_is_logged_and_passed_over_where_allowed(tmp_path, log):
    path = tmp_path / 'broken.jpg'
    path.write_bytes(b'no image')
    load = LoadPoseImage(on_error='warn')
    assert load.transform(dict(img_path=str(path), dataset=TRAINING)) is None
    assert 'broken.jpg: this image cannot be decoded' in log.getvalue()


@pytest.mark.parametrize('context', [dict(dataset=TESTING), {}])
def test_a_broken_image_is_never_passed_over_outside_training(tmp_path, context):
    path = tmp_path / 'broken.jpg'
    path.write_bytes(b'no image')
    with pytest.raises(ValueError, match='cannot be decoded'):
        LoadPoseImage(on_error='warn').transform(dict(img_path=str(path), **context))


def test_a_size_other_than_the_annotation_says_is_named(image):
    results = dict(img_path=str(image), width=30, height=40)
    with pytest.raises(ValueError, match=r'is 40x30 pixels.*annotation says 30x40'):
        LoadPoseImage().transform(results)


def turned(path):
    """Write a 40x30 image that its EXIF entry turns by a quarter."""
    img = Image.new('RGB', (40, 30), 'red')
    exif = img.getexif()
    exif[0x0112] = 6
    img.save(path, exif=exif)
    return str(path)


def test_an_image_is_turned_as_its_exif_entry_says(tmp_path):
    path = turned(tmp_path / 'turned.jpg')
    results = LoadPoseImage().transform(dict(img_path=path, width=30, height=40))
    assert results['img_shape'] == (40, 30)


def test_annotations_of_the_unturned_image_have_an_option(tmp_path):
    path = turned(tmp_path / 'turned.jpg')
    load = LoadPoseImage(color_type='color_ignore_orientation')
    results = load.transform(dict(img_path=path, width=40, height=30))
    assert results['img_shape'] == (30, 40)


def test_an_unknown_reaction_is_named():
    with pytest.raises(ValueError, match="on_error='skip'; it is 'raise' or 'warn'"):
        LoadPoseImage(on_error='skip')


def test_an_image_kept_in_memory_is_decoded_once(image):
    load = LoadPoseImage(keep_in_memory=True)
    first = load.transform(dict(img_path=str(image), width=40, height=30))
    expected = first['img'].copy()
    # what happens to an image later does not reach the one that is kept
    first['img'][:] = 0
    image.unlink()
    again = load.transform(dict(img_path=str(image), width=40, height=30))
    np.testing.assert_array_equal(again['img'], expected)
    assert again['img_shape'] == again['ori_shape'] == (30, 40)
    with pytest.raises(FileNotFoundError):
        LoadPoseImage().transform(dict(img_path=str(image)))


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tif'])
@given(place=st.floats(0, 1), damage=st.binary(max_size=8), kept=st.floats(0, 1))
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_damage_gives_an_image_or_a_named_error(
    tmp_path, suffix, place, damage, kept
):
    path = tmp_path / f'image{suffix}'
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    content = bytearray(cv2.imencode(suffix, pixels)[1].tobytes())
    begin = int(place * len(content))
    content[begin : begin + len(damage)] = damage
    path.write_bytes(content[: int(kept * len(content))])

    try:
        results = LoadPoseImage().transform(
            dict(img_path=str(path), width=40, height=30)
        )
    except ValueError as error:
        assert f'image{suffix}' in str(error)
        return
    assert results['img'].shape == (30, 40, 3)
    assert results['img'].dtype == np.uint8
