# Copyright (c) onestage_pose contributors.
"""Whatever the input is called, its images are found in order."""

import http.server
import threading
from pathlib import Path

from onestage_pose.apis import inputs as inputs_module
from onestage_pose.apis.inputs import open_inputs
from onestage_pose.datasets import LoadPoseImage
from onestage_pose.utils.errors import ImageError, UsageError, VideoError

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tests.test_apis.tiny_model import picture


def load(inputs, **options):
    """The images that are meant, loaded one after the other."""
    loader = LoadPoseImage()
    return [item.load(loader)['img'] for item in open_inputs(inputs, **options).items]


def names(inputs, **options):
    return [Path(item.path).name for item in open_inputs(inputs, **options).items]


def save(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture(seed=seed))
    return path


@pytest.fixture
def folder(tmp_path):
    """b.png, a.png, notes.txt, .hidden.png, and c.png in a folder within it."""
    folder = tmp_path / 'images'
    for seed, name in enumerate(['b.png', 'a.png', '.hidden.png', 'within/c.png']):
        save(folder / name, seed)
    (folder / 'notes.txt').touch()
    return folder


@pytest.fixture
def video(tmp_path):
    """Three frames, all alike of one colour: 0, 100 and 200."""
    path = tmp_path / 'film.avi'
    fourcc = cv2.VideoWriter_fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), fourcc, 5.0, (64, 48))
    for value in (0, 100, 200):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    return path


class TestFiles:
    @pytest.mark.parametrize('kind', [str, Path])
    def test_a_path(self, folder, kind):
        [image] = load(kind(folder / 'b.png'))

        np.testing.assert_array_equal(image, picture())

    def test_a_folder_gives_its_images_by_name(self, folder):
        assert names(folder) == ['a.png', 'b.png']

    def test_a_folder_with_those_within_it(self, folder):
        assert names(folder, recursive=True) == ['a.png', 'b.png', 'c.png']

    def test_what_is_no_image_is_told(self, folder):
        assert open_inputs(folder).left_out == ['notes.txt']

    def test_a_pattern(self, folder):
        assert names(str(folder / '[bc]*')) == ['b.png']
        assert names(str(folder / '**/*.png')) == ['a.png', 'b.png', 'c.png']

    def test_a_file_whose_name_looks_like_a_pattern(self, tmp_path):
        path = save(tmp_path / 'a[1].png')

        assert names(path) == ['a[1].png']

    @pytest.mark.parametrize(
        'name, message',
        [
            ('b.pgn', 'no folder or file .*b.pgn. Did you mean b.png'),
            ('*.bmp', 'no file matches the pattern'),
            ('notes.txt', 'neither an image nor a video by its name'),
            ('*.txt', 'holds no image but notes.txt'),
        ],
    )
    def test_what_is_not_there_is_said_at_once(self, folder, name, message):
        with pytest.raises(UsageError, match=message):
            open_inputs(str(folder / name))

    def test_a_broken_link_is_an_image_that_cannot_be_read(self, folder):
        (folder / 'ab.png').symlink_to(folder / 'moved.png')

        for source in (folder, str(folder / '*.png')):
            assert names(source) == ['a.png', 'ab.png', 'b.png']
        with pytest.raises(FileNotFoundError, match='ab.png'):
            load(folder)

    def test_a_truncated_image_is_named(self, folder):
        whole = (folder / 'b.png').read_bytes()
        (folder / 'b.png').write_bytes(whole[: len(whole) // 2])

        with pytest.raises(ImageError, match=r'b\.png: this image is truncated'):
            load(folder / 'b.png')


class TestMemory:
    def test_an_array_is_bgr(self):
        [image] = load(picture())

        np.testing.assert_array_equal(image, picture())

    def test_or_rgb_where_that_is_said(self):
        [image] = load(picture()[..., ::-1], rgb=True)

        np.testing.assert_array_equal(image, picture())

    def test_a_pil_image(self):
        [image] = load(Image.fromarray(picture()[..., ::-1]))

        np.testing.assert_array_equal(image, picture())

    def test_a_tensor(self):
        rgb = np.ascontiguousarray(picture()[..., ::-1].transpose(2, 0, 1))

        [image] = load(torch.from_numpy(rgb))

        np.testing.assert_array_equal(image, picture())

    def test_a_list_of_all_kinds(self, folder):
        images = load([folder / 'b.png', picture(), str(folder)])

        assert len(images) == 4

    def test_a_list_knows_its_length(self, folder):
        assert open_inputs([folder / 'b.png', picture()]).total == 2

    def test_an_iterator_is_not_taken_ahead(self):
        taken = []

        def images():
            for seed in range(3):
                taken.append(seed)
                yield picture(seed=seed)

        items = iter(open_inputs(images()).items)

        next(items)
        assert taken == [0]

    def test_what_is_missing_in_a_list_is_an_error_of_its_own(self, folder):
        missing, there = open_inputs([folder / 'no.png', folder / 'b.png']).items

        with pytest.raises(FileNotFoundError, match='no.png'):
            missing.load(LoadPoseImage())
        there.load(LoadPoseImage())

    def test_a_wrong_array_is_named_by_its_place(self):
        with pytest.raises(ImageError, match=r'image 1: .*\(height, width, 3\)'):
            load([picture(), np.zeros((4, 4))])

    @pytest.mark.parametrize('wrong', [None, 1.5, True, b'a.jpg', {'a.jpg': 1}])
    def test_another_type_is_refused(self, wrong):
        with pytest.raises(UsageError, match='the input is'):
            open_inputs(wrong)


class TestVideos:
    def test_gives_its_frames(self, video):
        frames = load(video)

        assert [round(frame.mean(), -2) for frame in frames] == [0, 100, 200]

    def test_frames_are_counted(self, video):
        opened = open_inputs(video)

        assert opened.total == 3 and opened.video.fps == 5
        assert [item.frame for item in opened.items] == [0, 1, 2]

    def test_one_that_cannot_be_decoded_is_said_at_once(self, tmp_path):
        (tmp_path / 'film.mp4').write_bytes(b'not a film')

        with pytest.raises(VideoError, match=r'film\.mp4: this video cannot be decod'):
            open_inputs(tmp_path / 'film.mp4')

    @pytest.mark.parametrize('camera', [97, 'webcam:97'])
    def test_a_camera_that_is_not_there(self, camera):
        with pytest.raises(VideoError, match='camera 97 cannot be opened'):
            open_inputs(camera)


class _Server(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes] = {}

    def do_GET(self):
        data = self.files.get(self.path)
        self.send_response(404 if data is None else 200)
        self.end_headers()
        self.wfile.write(data or b'')

    def log_message(self, *args):
        pass


@pytest.fixture
def address(monkeypatch):
    """Address of a server on the loopback that has a.png."""
    data = cv2.imencode('.png', picture())[1].tobytes()
    monkeypatch.setattr(_Server, 'files', {'/a.png': data, '/a.png?size=1': data[:99]})
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name in ('http_proxy', 'HTTP_PROXY'):
        monkeypatch.delenv(name, raising=False)
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


class TestAddresses:
    def test_an_image_is_downloaded(self, address):
        [image] = load(f'{address}/a.png')

        np.testing.assert_array_equal(image, picture())

    def test_one_that_is_not_there(self, address):
        with pytest.raises(ImageError, match='b.png: cannot be downloaded .*404'):
            load(f'{address}/b.png')

    def test_a_broken_one_is_named_by_its_address(self, address):
        with pytest.raises(ImageError, match=r'127.0.0.1:\d+/a.png.size=1: this image'):
            load(f'{address}/a.png?size=1')

    def test_one_that_is_too_large_is_not_fetched_whole(self, address, monkeypatch):
        monkeypatch.setattr(inputs_module, 'MAX_BYTES', 100)

        with pytest.raises(ImageError, match='a.png: this file has more than'):
            load(f'{address}/a.png')
