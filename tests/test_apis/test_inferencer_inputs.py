# Copyright (c) onestage_pose contributors.
"""mmpose's inferencers take paths, PIL images and tensors, and name a broken video."""

import errno
import inspect
import json
import os
from pathlib import Path

from onestage_pose.apis import inferencer_inputs
from onestage_pose.utils.errors import ImageError, OutputError, UsageError, VideoError

import cv2
import numpy as np
import pytest
import torch
from mmpose.apis import MMPoseInferencer, Pose2DInferencer
from mmpose.apis.inferencers.base_mmpose_inferencer import BaseMMPoseInferencer
from PIL import Image

from tests.small_disk import small_disk
from tests.test_apis.tiny_model import picture, write_tiny_model
from tests.video_files import turn_in_header, write_video

BGR = picture()
RGB = np.ascontiguousarray(BGR[..., ::-1])


@pytest.fixture(scope='module')
def inferencer(tiny):
    return MMPoseInferencer(*tiny, device='cpu')


@pytest.fixture(scope='module')
def expected(inferencer):
    """The people of the picture."""
    return people_of(inferencer, BGR)


@pytest.fixture
def file(tmp_path):
    """The picture as a file."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    cv2.imwrite(str(folder / 'a.png'), BGR)
    return folder / 'a.png'


def test_people_have_their_presence_as_dicts_too(tmp_path):
    files = write_tiny_model(tmp_path, visibility_branch=dict(channels=4))
    inferencer = MMPoseInferencer(*map(str, files), device='cpu')

    [people] = people_of(inferencer, BGR)
    sample = next(inferencer(BGR, return_datasamples=True))['predictions'][0]

    expected = sample.pred_instances
    assert len(people) == len(expected) > 0
    for name in ('keypoint_presence', 'keypoints_visible'):
        found = [person[name] for person in people]
        np.testing.assert_array_equal(found, expected[name])


def people_of(inferencer, inputs, **options):
    return [result['predictions'][0] for result in inferencer(inputs, **options)]


@pytest.mark.parametrize(
    'image',
    [
        BGR / 255,
        (BGR / 255).astype(np.float32),
        BGR.astype(np.int64),
        BGR.astype(np.uint16) * 257,
        Image.fromarray(RGB),
        torch.from_numpy(RGB).permute(2, 0, 1),
        torch.from_numpy(RGB).permute(2, 0, 1) / 255,
    ],
    ids=['float64', 'float32', 'int64', 'uint16', 'pil', 'tensor', 'float tensor'],
)
@pytest.mark.parametrize('wrap', [lambda image: image, lambda image: [image]])
def test_an_image_of_any_form_gives_what_its_array_does(
    inferencer, expected, image, wrap
):
    assert people_of(inferencer, wrap(image)) == expected


def test_a_boolean_image_is_black_and_white(inferencer):
    image = BGR > 127

    of_255 = people_of(inferencer, image.astype(np.uint8) * 255)
    assert people_of(inferencer, image) == of_255


@pytest.mark.parametrize(
    'image', [(BGR - 117.0) / 58, torch.randn(3, 64, 64)], ids=['array', 'tensor']
)
def test_a_standardised_image_is_named(inferencer, image):
    with pytest.raises(ImageError, match='image 1 of the input: .* standardised'):
        people_of(inferencer, [BGR, image])


def test_a_path_object_is_a_path(inferencer, expected, file):
    assert people_of(inferencer, file) == expected
    assert people_of(inferencer, [file, str(file)]) == 2 * expected
    assert people_of(inferencer, (file,)) == expected


def test_a_folder_may_hold_other_files(inferencer, expected, file):
    (file.parent / 'README').touch()
    (file.parent / '.hidden.png').touch()

    assert people_of(inferencer, file.parent) == expected


def test_pose2d_inferencer_takes_them_too(tiny, expected, file):
    assert people_of(Pose2DInferencer(*tiny, device='cpu'), file) == expected


def test_a_drawing_shows_the_picture_of_floats(inferencer):
    result = next(inferencer(BGR / 255, return_vis=True, kpt_thr=1.0))

    np.testing.assert_array_equal(result['visualization'][0], RGB)


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        (None, 'of type NoneType'),
        (3, 'of type int'),
        (b'a.png', 'of type bytes'),
        ({'a': 1}, 'of type dict'),
        ('notes.txt', 'no folder or file notes.txt'),
        (__file__, 'neither an image nor a video'),
    ],
)
def test_another_input_is_named(inferencer, inputs, message):
    with pytest.raises(UsageError, match=message):
        people_of(inferencer, inputs)


def test_a_folder_without_images_is_named(inferencer, tmp_path):
    with pytest.raises(UsageError, match='holds no image'):
        people_of(inferencer, tmp_path)


class TestVideos:
    @pytest.fixture
    def film(self, tmp_path):
        return write_video(
            tmp_path / 'film.mp4', map(lambda s: picture(seed=s), (0, 1))
        )

    @pytest.mark.parametrize('make', [str, Path])
    def test_a_path_gives_its_frames(self, inferencer, film, make):
        assert len(people_of(inferencer, make(film))) == 2

    def test_one_turned_in_its_header_gives_the_people_of_the_upright_one(
        self, inferencer, film, tmp_path
    ):
        frame = next(iter(inferencer_inputs.VideoSource(film)))
        upright = np.ascontiguousarray(np.rot90(frame, -1))

        result = next(inferencer(turn_in_header(film, 90), return_vis=True))

        assert result['predictions'] == [people_of(inferencer, upright)[0]]
        assert result['visualization'][0].shape == upright.shape

    @pytest.mark.parametrize('content', [b'', b'not a film'])
    @pytest.mark.parametrize('make', [str, Path])
    def test_one_without_a_frame_is_named(self, inferencer, tmp_path, content, make):
        (tmp_path / 'film.mp4').write_bytes(content)

        with pytest.raises(VideoError, match=r'film\.mp4: this video'):
            people_of(inferencer, make(tmp_path / 'film.mp4'))

    def test_a_missing_one_is_named(self, inferencer):
        with pytest.raises(FileNotFoundError, match=r'gone\.mp4'):
            people_of(inferencer, 'gone.mp4')

    def test_one_that_ends_early_is_logged(self, inferencer, film, monkeypatch, log):
        monkeypatch.setattr(
            inferencer_inputs.VideoSource, 'frames_missing', 'film.mp4 ends early'
        )

        people_of(inferencer, film)

        assert 'film.mp4 ends early' in log.getvalue()

    def test_a_drawing_on_a_full_disk_is_an_error(self, inferencer, tmp_path):
        noise = np.random.default_rng(0).integers(0, 256, (9, 96, 128, 3), np.uint8)
        film = write_video(tmp_path / 'film.avi', noise, 'MJPG')

        with pytest.raises(OutputError, match=r'film\.avi: 9 frames were drawn'):
            with small_disk(9000):
                people_of(inferencer, film, vis_out_dir=str(tmp_path / 'vis'))


class TestWriting:
    """What was there before stays where the new one cannot be written."""

    @pytest.fixture
    def full_disk(self, monkeypatch):
        def replace(*paths):
            raise OSError(errno.ENOSPC, 'No space left on device')

        monkeypatch.setattr(os, 'replace', replace)

    @pytest.mark.parametrize('suffix', ['.png', '.json'])
    def test_of_an_image(self, inferencer, file, tmp_path, full_disk, suffix):
        before = tmp_path / f'a{suffix}'
        before.write_text('before')
        option = 'pred_out_dir' if suffix == '.json' else 'vis_out_dir'

        with pytest.raises(OutputError, match=rf'a\{suffix} could not be written: No'):
            people_of(inferencer, str(file), **{option: str(tmp_path)})

        assert before.read_text() == 'before'
        assert not list(tmp_path.glob('.*'))

    @pytest.mark.parametrize('suffix', ['.mp4', '.json'])
    def test_of_a_video(self, inferencer, tmp_path, full_disk, suffix):
        film = write_video(tmp_path / 'film.mp4', 2 * [BGR])
        before = tmp_path / f'out/film{suffix}'
        before.parent.mkdir()
        before.write_text('before')
        option = 'pred_out_dir' if suffix == '.json' else 'vis_out_dir'

        with pytest.raises(OutputError, match=rf'film\{suffix} could not be written: '):
            people_of(inferencer, film, **{option: str(before.parent)})

        assert before.read_text() == 'before'
        assert not list(before.parent.glob('.*'))

    def test_gives_what_was_found(self, inferencer, tmp_path):
        film = write_video(tmp_path / 'film.mp4', 2 * [BGR])

        found = people_of(inferencer, film, out_dir=str(tmp_path / 'out'))

        written = json.loads((tmp_path / 'out/predictions/film.json').read_text())
        assert [each['frame_id'] for each in written] == [0, 1]
        assert [len(each['instances']) for each in written] == list(map(len, found))
        drawn = cv2.VideoCapture(str(tmp_path / 'out/visualizations/film.mp4'))
        assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 2


class TestHeatmaps:
    def heatmaps(self, inferencer, **options):
        calls = inferencer(BGR, draw_heatmap=True, return_datasamples=True, **options)
        return next(calls)['predictions'][0].pred_fields.heatmaps

    def test_are_those_of_the_people_drawn(self, inferencer, expected):
        assert self.heatmaps(inferencer).any()
        assert not self.heatmaps(inferencer, bbox_thr=1.0).any()

    def test_of_one_call_do_not_decide_the_next(self, inferencer):
        before = self.heatmaps(inferencer)
        self.heatmaps(inferencer, bbox_thr=1.0)

        np.testing.assert_array_equal(self.heatmaps(inferencer), before)


def test_mmpose_still_needs_it():
    method = inspect.unwrap(BaseMMPoseInferencer._inputs_to_list)
    source = inspect.getsource(method)

    for name in ('PathLike', 'Image.Image', 'Tensor'):
        assert name not in source, f'mmpose takes {name}: look what can go'


def test_a_name_too_long_for_its_output_does_not_end_the_others(
    inferencer, file, tmp_path
):
    # with .json in the place of .png it has 256 bytes
    longest = file.with_name(251 * 'a' + '.png')
    file.rename(longest)
    file.with_name('b.png').write_bytes(longest.read_bytes())
    out = tmp_path / 'out'

    results = list(inferencer(str(longest.parent), pred_out_dir=str(out)))

    assert len(results) == 2
    assert [path.name for path in out.iterdir()] == ['b.json']
