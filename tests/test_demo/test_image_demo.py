# Copyright (c) onestage_pose contributors.
"""demo/image_demo.py draws what it can and says what it cannot."""

import importlib.util
import json
import shutil
from pathlib import Path

from onestage_pose.apis.result import PoseResult
from onestage_pose.apis.thresholds import BBOX_THR
from onestage_pose.cli import predict
from onestage_pose.utils import get_config_path
from onestage_pose.utils.errors import (
    CheckpointMismatchError,
    ConfigNameError,
    OutputError,
    RunInterruptedError,
    UsageError,
    VideoError,
)

import cv2
import numpy as np
import pytest
from mmpose.apis import MMPoseInferencer

from tests.small_disk import small_disk
from tests.test_apis.tiny_model import picture
from tests.video_files import turn_in_header, write_video

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / 'demo/image_demo.py'


@pytest.fixture(scope='module')
def demo():
    spec = importlib.util.spec_from_file_location('image_demo', DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def draw(demo, tiny, tmp_path):
    """Run the demo: ``draw(input, *options)`` gives the folder of what it made."""

    def run(source, *options, model=tiny, out_dir=tmp_path / 'out'):
        words = [source, *model, '--out-dir', out_dir, '--device', 'cpu', *options]
        demo.main([str(word) for word in words])
        return out_dir

    return run


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C comes while the second image is drawn."""
    plot, drawn = PoseResult.plot, []

    def interrupt(self, **options):
        drawn.append(self)
        if len(drawn) == 2:
            raise KeyboardInterrupt
        return plot(self, **options)

    monkeypatch.setattr(PoseResult, 'plot', interrupt)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file())


def test_the_default_model_is_the_one_that_comes_with_the_package(demo):
    args = demo.parse_args(['picture.jpg'])
    assert (args.config, args.checkpoint) == ('nano', None)


class TestPictures:
    def test_a_picture_is_drawn_under_its_name(self, draw, folder):
        out = draw(folder / 'a.png', '--kpt-thr', 0)

        assert files(out) == ['visualizations/a.png']

    def test_the_drawing_shows_the_people(self, draw, folder):
        out = draw(folder / 'a.png', '--kpt-thr', 0)

        drawn = cv2.imread(str(out / 'visualizations/a.png'))
        assert drawn.shape == picture().shape and (drawn != picture()).any()

    def test_each_picture_of_a_folder_is_drawn(self, draw, folder):
        assert files(draw(folder)) == ['visualizations/a.png', 'visualizations/b.jpg']

    def test_subfolders_are_kept_and_the_folder_of_all_is_named(
        self, draw, folder, capsys
    ):
        for name in ('more/c', 'more/d'):
            (folder / name).mkdir(parents=True)
            shutil.copy(folder / 'a.png', folder / name)

        out = draw(folder / 'more', '--recursive')

        assert files(out) == ['visualizations/c/a.png', 'visualizations/d/a.png']
        assert f'drawn in {out / "visualizations"}.' in capsys.readouterr().out

    def test_ctrl_c_says_how_many_are_drawn(self, draw, folder, tmp_path, interrupted):
        with pytest.raises(RunInterruptedError, match='^Interrupted after 1 of 2 im'):
            draw(folder)

        assert files(tmp_path / 'out') == ['visualizations/a.png']

    def test_nobody_over_the_box_threshold_leaves_the_picture(self, draw, folder):
        out = draw(folder / 'a.png', '--bbox-thr', 1, '--kpt-thr', 0, '--draw-bbox')

        drawn = cv2.imread(str(out / 'visualizations/a.png'))
        np.testing.assert_array_equal(drawn, picture())

    def test_heatmaps_are_drawn_below(self, draw, folder):
        out = draw(folder / 'a.png', '--draw-heatmap')

        height, width, _ = picture().shape
        drawn = cv2.imread(str(out / 'visualizations/a.png'))
        assert drawn.shape == (2 * height, width, 3)

    def test_predictions_are_those_of_the_inferencer(self, draw, folder, tiny):
        out = draw(folder / 'a.png', '--save-predictions', '--bbox-thr', 0)

        result = next(MMPoseInferencer(*tiny, device='cpu')(str(folder / 'a.png')))
        expected = json.loads(json.dumps(result['predictions'][0], default=float))
        assert json.loads((out / 'predictions/a.json').read_text()) == expected

    def test_pictures_that_share_a_stem_keep_their_predictions_apart(
        self, draw, folder
    ):
        cv2.imwrite(str(folder / 'a.jpg'), picture())

        out = draw(folder, '--save-predictions')

        assert files(out / 'predictions') == ['a.jpg.json', 'a.png.json', 'b.json']

    def test_files_that_are_no_pictures_are_left_out_and_named(
        self, draw, folder, capsys
    ):
        (folder / 'notes.txt').write_text('')
        (folder / 'README').write_text('')

        draw(folder)

        assert '2 other files, left out (README, notes.txt)' in capsys.readouterr().out

    def test_a_name_in_capitals_is_a_picture_too(self, draw, folder):
        (folder / 'a.png').rename(folder / 'A.PNG')

        assert files(draw(folder / 'A.PNG')) == ['visualizations/A.PNG']


class TestBrokenPictures:
    def test_is_named(self, draw, folder):
        (folder / 'c.png').write_bytes(b'not a picture')

        with pytest.raises(UsageError, match=r'1 of 3 images .*\n.*c\.png'):
            draw(folder)

    def test_does_not_keep_the_others_from_being_done(self, draw, folder, tmp_path):
        (folder / '0.png').write_bytes(b'not a picture')

        with pytest.raises(UsageError):
            draw(folder)

        drawn = files(tmp_path / 'out')
        assert drawn == ['visualizations/a.png', 'visualizations/b.jpg']

    def test_an_image_is_decoded_once(self, draw, folder, monkeypatch):
        decoded = []
        for name in ('imread', 'imdecode'):
            decode = getattr(cv2, name)
            monkeypatch.setattr(
                cv2, name, lambda *words, f=decode: decoded.append(f) or f(*words)
            )

        draw(folder)

        assert len(decoded) == 2

    def test_a_truncated_image_is_invalid(self, draw, folder):
        whole = (folder / 'b.jpg').read_bytes()
        (folder / 'b.jpg').write_bytes(whole[: len(whole) // 2])

        with pytest.raises(UsageError, match=r'b\.jpg: this image is truncated'):
            draw(folder)

    def test_makes_the_exit_status_1(self, program_server, tiny, folder, tmp_path):
        (folder / 'c.png').write_bytes(b'not a picture')
        words = [DEMO, folder, *tiny, '--out-dir', tmp_path / 'out', '--device', 'cpu']

        status, printed = program_server.run(*words, log=tmp_path / 'program.log')

        assert status == 1 and 'Traceback' not in printed


class TestVideo:
    def test_is_drawn_frame_by_frame(self, draw, video):
        out = draw(video)

        drawn = cv2.VideoCapture(str(out / 'visualizations/film.mp4'))
        assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3

    def test_predictions_are_one_file(self, draw, video):
        out = draw(video, '--save-predictions')

        frames = json.loads((out / 'predictions/film.json').read_text())
        assert [frame['frame_id'] for frame in frames] == [0, 1, 2]

    def test_ctrl_c_leaves_no_part_of_it_under_its_name(
        self, draw, video, tmp_path, interrupted
    ):
        told = r'^Interrupted at frame 1; no video was written, .*film\.jsonl\.$'
        with pytest.raises(RunInterruptedError, match=told):
            draw(video, '--save-predictions')

        assert files(tmp_path / 'out') == ['predictions/film.jsonl']

    def test_that_cannot_be_decoded_is_named(self, draw, tmp_path):
        (tmp_path / 'film.mp4').write_bytes(b'not a film')

        with pytest.raises(VideoError, match=r'film\.mp4: this video cannot be'):
            draw(tmp_path / 'film.mp4')

    @pytest.mark.parametrize('degrees', [0, 90])
    def test_is_drawn_as_it_is_shown(self, draw, tmp_path, degrees):
        film = write_video(tmp_path / 'film.mp4', 2 * [picture()])

        out = draw(turn_in_header(film, degrees), '--kpt-thr', 1)

        drawn = cv2.VideoCapture(str(out / 'visualizations/film.mp4')).read()[1]
        upright = np.rot90(picture(), -degrees // 90)
        assert drawn.shape == upright.shape
        assert np.abs(drawn.astype(int) - upright).mean() < 20

    def test_on_a_full_disk_is_an_error_that_names_the_file(self, draw, tmp_path):
        noise = np.random.default_rng(0).integers(0, 256, (9, 96, 128, 3), np.uint8)
        film = write_video(tmp_path / 'film.avi', noise, 'MJPG')

        with pytest.raises(OutputError, match=r'film\.mp4: 9 frames were drawn'):
            with small_disk(9000):
                draw(film)

        assert files(tmp_path / 'out') == []


class TestNames:
    @pytest.fixture
    def not_utf_8(self, folder):
        return (folder / 'a.png').rename(folder / 'caf\udce9.png').name

    def test_that_is_not_utf_8_is_drawn(self, draw, folder, not_utf_8):
        out = draw(folder, '--save-predictions')

        assert files(out) == [
            'predictions/b.json',
            'predictions/caf\udce9.json',
            'visualizations/b.jpg',
            f'visualizations/{not_utf_8}',
        ]

    def test_that_is_not_utf_8_can_be_printed(
        self, program_server, tiny, folder, not_utf_8, tmp_path
    ):
        (folder / 'caf\udce9').touch()
        words = [DEMO, folder, *tiny, '--out-dir', tmp_path / 'caf\udce9', '--device']

        status, printed = program_server.run(
            *words, 'cpu', log=tmp_path / 'program.log'
        )

        assert status == 0, printed
        assert '2 images, ' in ' '.join(printed.split())

    def test_of_255_bytes_is_drawn(self, draw, folder):
        (folder / 'a.png').rename(folder / f'{251 * "a"}.png')

        assert files(draw(folder)) == [
            f'visualizations/{251 * "a"}.png',
            'visualizations/b.jpg',
        ]

    def test_too_long_for_its_predictions_is_named_and_the_others_are_done(
        self, draw, folder, tmp_path
    ):
        (folder / 'a.png').rename(folder / f'{251 * "a"}.png')

        with pytest.raises(UsageError, match=r'aaa\.json could not be written'):
            draw(folder, '--save-predictions')

        assert 'predictions/b.json' in files(tmp_path / 'out')


def test_an_image_on_a_full_disk_is_an_error_and_no_torn_file(draw, folder, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    cv2.imwrite(str(folder / 'c.png'), noise)

    with pytest.raises(OutputError, match=r'c\.png could not be'), small_disk(100_000):
        draw(folder)

    assert files(tmp_path / 'out') == ['visualizations/a.png', 'visualizations/b.jpg']


class TestInputsAreSpared:
    def test_a_picture_is_not_overwritten(self, draw, folder, tmp_path):
        pictures = folder.rename(tmp_path / 'visualizations')
        before = (pictures / 'a.png').read_bytes()

        with pytest.raises(UsageError, match='would be overwritten.*--out-dir'):
            draw(pictures, out_dir=tmp_path)

        assert (pictures / 'a.png').read_bytes() == before

    def test_not_through_a_link_either(self, draw, folder, tmp_path):
        (tmp_path / 'out').mkdir()
        (tmp_path / 'out/visualizations').symlink_to(folder)

        with pytest.raises(UsageError, match='would be overwritten'):
            draw(folder)

    def test_a_video_is_not_overwritten(self, draw, video, tmp_path):
        (tmp_path / 'visualizations').mkdir()
        film = shutil.move(video, tmp_path / 'visualizations/film.mp4')

        with pytest.raises(UsageError, match='would be overwritten'):
            draw(film, out_dir=tmp_path)


class TestRefusals:
    def test_a_missing_input(self, draw, tmp_path):
        with pytest.raises(UsageError, match='no folder or file .*nowhere'):
            draw(tmp_path / 'nowhere')

    def test_a_folder_without_pictures(self, draw, tmp_path):
        (tmp_path / 'empty').mkdir()

        with pytest.raises(UsageError, match='empty holds no image'):
            draw(tmp_path / 'empty')

    def test_a_file_of_another_kind(self, draw, tiny):
        with pytest.raises(UsageError, match='neither an image nor a video'):
            draw(tiny[0])

    def test_a_missing_config(self, draw, folder, tiny):
        with pytest.raises(UsageError, match=r'nowhere\.py does not exist'):
            draw(folder, model=('nowhere.py', tiny[1]))

    def test_a_missing_checkpoint(self, draw, folder, tiny):
        with pytest.raises(UsageError, match=r'nowhere\.pth does not exist'):
            draw(folder, model=(tiny[0], 'nowhere.pth'))

    def test_a_checkpoint_of_another_model(self, draw, folder, tiny):
        other = get_config_path('gcm-keypoint-rcnn_r18-w32_fpn_synthetic')

        with pytest.raises(CheckpointMismatchError, match='of another shape'):
            draw(folder, model=(other, tiny[1]))

    def test_a_two_stage_model(self, draw, folder, tiny):
        other = (
            REPOSITORY
            / 'configs/simple_baseline/td-hm_res50_8xb64-210e_coco-256x192.py'
        )

        with pytest.raises(UsageError, match='not the config of a one-stage model'):
            draw(folder, model=(other, tiny[1]))

    def test_a_misspelt_option(self, draw, folder):
        with pytest.raises(ConfigNameError, match='flip_test'):
            draw(folder, '--cfg-options', 'model.test_cfg.flip_tests=True')

    def test_a_threshold_over_1(self, draw, folder, capsys):
        with pytest.raises(SystemExit):
            draw(folder, '--bbox-thr', 30)

        assert '30 is not a number between 0 and 1' in capsys.readouterr().err

    def test_a_device_that_is_not_there(self, draw, folder):
        with pytest.raises(UsageError, match='--device nowhere cannot be used'):
            draw(folder, '--device', 'nowhere')

    def test_an_out_dir_that_is_a_file(self, draw, folder):
        with pytest.raises(UsageError, match='cannot write to .*--out-dir'):
            draw(folder, out_dir=folder / 'a.png')


class TestSettings:
    @pytest.fixture
    def called(self, monkeypatch):
        """What ``draw_images`` was called with: the predictor and its options."""
        called = []
        monkeypatch.setattr(
            predict, 'draw_images', lambda *words: called.extend([words[0], words[2]])
        )
        return called

    def test_the_flip_test_is_switched_on(self, draw, folder, called):
        draw(folder, '--flip-test')

        assert called[0].model.test_cfg.flip_test

    def test_the_config_can_be_changed(self, draw, folder, called):
        draw(folder, '--cfg-options', 'model.test_cfg.rcnn.max_per_img=2')

        assert called[0].model.roi_head.test_cfg.max_per_img == 2

    def test_keypoints_are_drawn_from_0_3_of_a_window_score(self, draw, folder, called):
        draw(folder)

        assert called[1]['kpt_thr'] == 0.3

    def test_people_are_drawn_from_the_default_of_every_front_end(
        self, draw, folder, called
    ):
        draw(folder)

        assert called[0].bbox_thr == BBOX_THR

    def test_keypoints_are_drawn_from_0_05_of_a_peak_score(
        self, draw, folder, called, tiny_coco
    ):
        draw(folder, model=tiny_coco)

        assert called[1]['kpt_thr'] == 0.05

    def test_a_given_threshold_goes_before(self, draw, folder, called, tiny_coco):
        draw(folder, '--kpt-thr', 0.4, model=tiny_coco)

        assert called[1]['kpt_thr'] == 0.4
