# Copyright (c) onestage_pose contributors.
"""to_bgr_image: what is an image, and what is in doubt."""

import re

from onestage_pose.structures import images, to_bgr_image
from onestage_pose.utils.errors import ImageError

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image


def noise(dtype=np.uint8, high=256, shape=(6, 8, 3)):
    """A noise image from 0 to ``high - 1``, both of which occur."""
    image = np.random.default_rng(0).integers(0, high, shape)
    image.flat[:2] = 0, high - 1
    return image.astype(dtype)


class TestArrays:
    def test_uint8_is_taken_as_it_is(self):
        image = noise()
        assert to_bgr_image(image) is image

    def test_a_view_becomes_contiguous(self):
        flipped = to_bgr_image(noise()[:, ::-1])
        assert flipped.flags.c_contiguous
        np.testing.assert_array_equal(flipped, noise()[:, ::-1])

    def test_rgb_is_turned_round(self):
        np.testing.assert_array_equal(
            to_bgr_image(noise(), rgb=True), noise()[..., ::-1]
        )

    def test_booleans_are_black_and_white(self):
        image = noise(bool, high=2)
        np.testing.assert_array_equal(to_bgr_image(image), np.where(image, 255, 0))

    @pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
    def test_floats_from_0_to_1_are_scaled(self, dtype):
        image = (noise() / 255).astype(dtype)
        np.testing.assert_array_equal(to_bgr_image(image), noise())

    @pytest.mark.parametrize(
        'dtype', [np.float16, np.float32, np.float64, np.int16, np.int32, np.int64]
    )
    def test_whole_numbers_are_8_bits(self, dtype):
        np.testing.assert_array_equal(to_bgr_image(noise(dtype)), noise())

    def test_floats_from_0_to_255_are_rounded(self):
        image = noise(np.float32, high=255) + np.float32(0.25)
        np.testing.assert_array_equal(to_bgr_image(image), noise(high=255))

    def test_16_bits_are_what_a_png_of_them_gives(self, tmp_path):
        image = noise(np.uint16, high=2**16)
        path = str(tmp_path / 'deep.png')
        cv2.imwrite(path, image)
        np.testing.assert_array_equal(to_bgr_image(image), cv2.imread(path))

    @pytest.mark.parametrize('dtype', [np.uint16, np.int64, np.float32])
    def test_black_is_black_in_any_dtype(self, dtype):
        assert not to_bgr_image(np.zeros((6, 8, 3), dtype)).any()

    @pytest.mark.parametrize(
        ('image', 'found'),
        [
            ((noise() - 117.3) / 58.0, 'float64 from -2.0'),
            (noise(np.int16) - np.int16(128), 'int16 from -128 to 127'),
            (noise(np.int32, high=2**16), 'int32 from 0 to 65535'),
            (noise(np.uint16, high=2**12), 'uint16 from 0 to 4095.* 12 bits'),
            (noise(np.uint16), 'uint16 from 0 to 255'),
            (noise(np.float32) * 257, 'float32 from 0 to 65535'),
            (noise(np.float32) / 64, 'float32 from 0 to 3.98'),
            (noise(np.float32, high=2), r'float32 from 0 to 1.*astype\(bool\)'),
            (noise(np.int64, high=2), 'int64 from 0 to 1'),
        ],
    )
    def test_a_range_in_doubt_is_named(self, image, found):
        with pytest.raises(ImageError, match=f'must hold uint8 .* got {found}'):
            to_bgr_image(image)

    @pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
    def test_a_value_that_is_no_number_is_refused(self, value):
        image = noise(np.float32)
        image[3, 3, 1] = value
        with pytest.raises(ImageError, match='NaN or infinity'):
            to_bgr_image(image)

    @pytest.mark.parametrize('dtype', [complex, object, 'U1', 'M8[s]'])
    def test_a_dtype_without_numbers_is_named(self, dtype):
        with pytest.raises(ImageError, match='must hold numbers'):
            to_bgr_image(np.zeros((6, 8, 3), dtype))

    @pytest.mark.parametrize(
        ('shape', 'advice'),
        [
            ((6, 8), 'COLOR_GRAY2BGR'),
            ((6, 8, 1), 'COLOR_GRAY2BGR'),
            ((6, 8, 4), 'leaves out transparency'),
            ((3, 6, 8), r'transpose\(1, 2, 0\)'),
            ((2, 6, 8, 3), r'list\(batch\)'),
            ((0, 8, 3), 'has no pixels'),
            ((), ''),
        ],
    )
    def test_another_shape_is_named_with_the_remedy(self, shape, advice):
        message = rf'BGR; got {re.escape(str(shape))}\..*{advice}'
        with pytest.raises(ImageError, match=message):
            to_bgr_image(np.zeros(shape, np.uint8))

    @pytest.mark.parametrize('image', [None, 'a.jpg', [[0, 1]], 3])
    def test_what_is_no_image_is_named_by_its_type(self, image):
        with pytest.raises(ImageError, match=f'got {type(image).__name__}'):
            to_bgr_image(image)

    @given(
        arrays.arrays(
            st.one_of(
                arrays.boolean_dtypes(),
                arrays.integer_dtypes(endianness='?'),
                arrays.unsigned_integer_dtypes(endianness='?'),
                arrays.floating_dtypes(endianness='?', sizes=(16, 32, 64)),
            ),
            st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4)),
        )
    )
    def test_any_array_becomes_an_image_or_a_named_error(self, image):
        try:
            result = to_bgr_image(image)
        except ImageError:
            return
        assert result.dtype == np.uint8
        assert result.shape == image.shape
        assert result.flags.c_contiguous
        # brighter stays brighter
        order = np.argsort(image, axis=None, kind='stable')
        assert (np.diff(result.ravel()[order].astype(int)) >= 0).all()

    @given(
        arrays.arrays(np.uint8, (2, 3, 3)),
        st.sampled_from(['uint8', 'int16', 'uint32', 'int64', 'float32', 'float64']),
    )
    def test_a_wider_dtype_changes_no_value(self, image, dtype):
        wide = image.astype(dtype)
        if dtype != 'uint8' and image.max() == 1:
            return
        np.testing.assert_array_equal(to_bgr_image(wide), image)


class TestPillow:
    def test_that_states_too_many_pixels_is_not_decoded(self, tmp_path, monkeypatch):
        monkeypatch.setattr(images, 'MAX_PIXELS', 11)
        Image.new('RGB', (4, 3)).save(tmp_path / 'large.png')
        image = Image.open(tmp_path / 'large.png')

        with pytest.raises(ImageError, match='large.png: this image states 4 x 3'):
            to_bgr_image(image)

        assert image.tile
        image.load()
        assert to_bgr_image(image).shape == (3, 4, 3)

    def test_is_rgb(self):
        image = Image.fromarray(noise())
        np.testing.assert_array_equal(to_bgr_image(image), noise()[..., ::-1])

    @pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA'])
    def test_of_any_mode_is_what_its_file_gives(self, mode, tmp_path):
        image = Image.fromarray(noise(shape=(32, 32, 3))).convert(mode)
        path = str(tmp_path / 'image.png')
        image.save(path)
        np.testing.assert_array_equal(to_bgr_image(image), cv2.imread(path))

    def test_of_16_bits_is_what_its_file_gives(self, tmp_path):
        path = str(tmp_path / 'deep.png')
        cv2.imwrite(path, noise(np.uint16, high=2**16, shape=(6, 8)))
        with Image.open(path) as image:
            np.testing.assert_array_equal(to_bgr_image(image), cv2.imread(path))

    @pytest.mark.parametrize('orientation', range(1, 9))
    def test_is_turned_as_its_exif_entry_says(self, orientation, tmp_path):
        path = str(tmp_path / 'turned.png')
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(noise()).save(path, exif=exif)
        with Image.open(path) as image:
            np.testing.assert_array_equal(to_bgr_image(image), cv2.imread(path))

    def test_a_file_that_ends_too_early_is_named(self, tmp_path):
        path = tmp_path / 'torn.jpg'
        Image.fromarray(noise(shape=(64, 64, 3))).save(path)
        path.write_bytes(path.read_bytes()[:-400])
        with Image.open(path) as image, pytest.raises(ImageError, match=r'torn\.jpg'):
            to_bgr_image(image)


class TestTensors:
    def test_is_rgb_with_the_channels_first(self):
        tensor = torch.from_numpy(noise()).permute(2, 0, 1)
        np.testing.assert_array_equal(to_bgr_image(tensor), noise()[..., ::-1])

    @pytest.mark.parametrize(
        'dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64]
    )
    def test_of_floats_is_scaled(self, dtype):
        tensor = torch.linspace(0, 1, 96, dtype=dtype).view(3, 4, 8)
        expected = (tensor.double().permute(1, 2, 0).numpy()[..., ::-1] * 255).round()
        np.testing.assert_array_equal(to_bgr_image(tensor), expected)

    def test_that_learns_is_taken(self):
        tensor = torch.rand(3, 4, 8, requires_grad=True)
        assert to_bgr_image(tensor).shape == (4, 8, 3)

    def test_that_is_standardised_is_named(self):
        with pytest.raises(ImageError, match='standardised'):
            to_bgr_image(torch.randn(3, 32, 32))

    @pytest.mark.parametrize(
        ('shape', 'advice'),
        [
            ((8, 9, 3), r'permute\(2, 0, 1\)'),
            ((2, 3, 8, 9), r'list\(batch\)'),
            ((1, 8, 9), ''),
            ((8, 9), ''),
        ],
    )
    def test_of_another_shape_is_named(self, shape, advice):
        message = rf'\(3, height, width\), RGB; got {re.escape(str(shape))}.*{advice}'
        with pytest.raises(ImageError, match=message):
            to_bgr_image(torch.zeros(shape))

    @pytest.mark.parametrize(
        'tensor',
        [torch.zeros(3, 4, 5, device='meta'), torch.zeros(3, 4, 5).to_sparse()],
        ids=['meta', 'sparse'],
    )
    def test_without_plain_numbers_is_named(self, tensor):
        with pytest.raises(ImageError, match='must hold plain numbers'):
            to_bgr_image(tensor)
