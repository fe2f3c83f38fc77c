# Copyright (c) onestage_pose contributors.
"""mmpose's ways to run a model work with this project's configs."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.apis import MMPoseInferencer, inference_bottomup, init_model
from PIL import Image

from tests.test_apis.tiny_model import REPOSITORY, picture

HEIGHT, WIDTH = 96, 128
CONFIGS = [
    path
    for path in sorted((REPOSITORY / 'configs').rglob('*.py'))
    if '_base_' not in path.parts
]


@pytest.fixture(scope='module')
def inferencer(tiny):
    return MMPoseInferencer(*tiny, device='cpu')


@pytest.fixture(scope='module')
def inferencer_of_nobody(tiny_nobody):
    return MMPoseInferencer(*tiny_nobody, device='cpu')


@pytest.fixture
def folder(tmp_path):
    """Two pictures, a.png and b.png."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for seed, name in enumerate('ab'):
        save(folder / f'{name}.png', picture(HEIGHT, WIDTH, seed))
    return folder


@pytest.fixture
def video(tmp_path):
    """Three frames."""
    path = tmp_path / 'film.mp4'
    fourcc = cv2.VideoWriter_fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), fourcc, 5.0, (WIDTH, HEIGHT))
    for seed in range(3):
        writer.write(picture(HEIGHT, WIDTH, seed))
    writer.release()
    return path


def save(path: Path, array: np.ndarray) -> str:
    assert cv2.imwrite(str(path), array)
    return str(path)


def people_of(inferencer: MMPoseInferencer, inputs, **options) -> list:
    """What is found in each picture; every result is of one picture."""
    return [result['predictions'][0] for result in inferencer(inputs, **options)]


class TestInitModel:
    def test_predicts_arrays_of_people(self, each_tiny):
        model = init_model(*each_tiny, device='cpu')

        [sample] = inference_bottomup(model, picture(HEIGHT, WIDTH))

        shapes = {key: value.shape for key, value in sample.pred_instances.items()}
        assert shapes == dict(
            bboxes=(3, 4),
            bbox_scores=(3,),
            keypoints=(3, 17, 2),
            keypoint_scores=(3, 17),
            keypoints_visible=(3, 17),
        )

    def test_boxes_are_in_the_original_picture(self, each_tiny):
        model = init_model(*each_tiny, device='cpu')

        [sample] = inference_bottomup(model, picture(HEIGHT, WIDTH))

        boxes = sample.pred_instances.bboxes
        assert (boxes >= 0).all() and (boxes <= [WIDTH, HEIGHT] * 2).all()

    def test_an_array_gives_what_its_file_gives(self, each_tiny, tmp_path):
        model = init_model(*each_tiny, device='cpu')
        path = save(tmp_path / 'a.png', picture(HEIGHT, WIDTH))

        [of_file] = inference_bottomup(model, path)
        [of_array] = inference_bottomup(model, picture(HEIGHT, WIDTH))

        for key, value in of_file.pred_instances.items():
            np.testing.assert_array_equal(of_array.pred_instances[key], value)

    def test_nobody_gives_empty_arrays(self, tiny_nobody):
        model = init_model(*tiny_nobody, device='cpu')

        [sample] = inference_bottomup(model, picture(HEIGHT, WIDTH))

        assert sample.pred_instances.keypoints.shape == (0, 17, 2)

    def test_a_checkpoint_without_metainfo_takes_that_of_the_config(
        self, each_tiny, tmp_path
    ):
        config, checkpoint = each_tiny
        weights = torch.load(checkpoint, weights_only=False)['state_dict']
        torch.save(dict(state_dict=weights), tmp_path / 'bare.pth')

        model = init_model(config, str(tmp_path / 'bare.pth'), device='cpu')

        assert model.dataset_meta['num_keypoints'] == 17

    def test_flip_test_can_be_switched_on(self, each_tiny):
        options = dict(model=dict(test_cfg=dict(flip_test=True)))
        model = init_model(*each_tiny, device='cpu', cfg_options=options)

        [sample] = inference_bottomup(model, picture(HEIGHT, WIDTH))

        assert len(sample.pred_instances) == 3


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_a_config_says_what_mmposes_inferencer_asks_of_it(path):
    cfg = Config.fromfile(path)

    wanted = {'data_mode', 'model', 'test_dataloader', 'visualizer'}
    assert wanted <= cfg.keys()


class TestInputs:
    def test_a_path(self, inferencer, folder):
        [people] = people_of(inferencer, str(folder / 'a.png'))

        assert len(people) == 3

    def test_an_array_gives_what_its_file_gives(self, inferencer, folder):
        of_array = people_of(inferencer, picture(HEIGHT, WIDTH))

        assert of_array == people_of(inferencer, str(folder / 'a.png'))

    def test_a_folder_gives_its_pictures_in_order(self, inferencer, folder):
        each = [
            *people_of(inferencer, str(folder / 'a.png')),
            *people_of(inferencer, str(folder / 'b.png')),
        ]

        assert people_of(inferencer, str(folder)) == each

    def test_a_list_of_paths_and_arrays(self, inferencer, folder):
        inputs = [str(folder / 'a.png'), picture(HEIGHT, WIDTH, 1)]

        assert people_of(inferencer, inputs) == people_of(inferencer, str(folder))

    def test_a_video_gives_its_frames(self, inferencer, video):
        assert len(people_of(inferencer, str(video))) == 3

    def test_a_grey_picture_counts_as_three_equal_channels(self, inferencer, tmp_path):
        grey = picture(HEIGHT, WIDTH)[..., 0]
        path = save(tmp_path / 'grey.png', grey)

        equal = np.repeat(grey[..., None], 3, axis=-1)
        assert people_of(inferencer, path) == people_of(inferencer, equal)

    def test_transparency_is_left_out(self, inferencer, tmp_path):
        opaque = picture(HEIGHT, WIDTH)
        path = save(tmp_path / 'alpha.png', np.dstack([opaque, opaque[..., 0]]))

        assert people_of(inferencer, path) == people_of(inferencer, opaque)

    def test_a_picture_is_turned_as_its_exif_says(self, inferencer, tmp_path):
        path = tmp_path / 'turned.png'
        exif = Image.Exif()
        exif[0x0112] = 6  # orientation: to be turned by 90 degrees clockwise
        rgb = np.ascontiguousarray(picture(HEIGHT, WIDTH)[..., ::-1])
        Image.fromarray(rgb).save(path, exif=exif)

        upright = np.rot90(picture(HEIGHT, WIDTH), -1).copy()
        assert people_of(inferencer, str(path)) == people_of(inferencer, upright)

    def test_a_broken_picture_is_named(self, inferencer, tmp_path):
        path = tmp_path / 'broken.png'
        path.write_bytes(b'not a picture')

        with pytest.raises(ValueError, match='broken.png'):
            people_of(inferencer, str(path))


class TestDrawings:
    def draw(self, inferencer, **options) -> np.ndarray:
        """The drawn picture, RGB."""
        array = picture(HEIGHT, WIDTH)
        return next(inferencer(array, return_vis=True, **options))['visualization'][0]

    def picture_rgb(self) -> np.ndarray:
        return picture(HEIGHT, WIDTH)[..., ::-1]

    def test_is_as_large_as_the_picture(self, inferencer):
        assert self.draw(inferencer).shape == (HEIGHT, WIDTH, 3)

    def test_shows_keypoints_over_the_threshold(self, inferencer):
        assert (self.draw(inferencer, kpt_thr=0.0) != self.picture_rgb()).any()

    def test_leaves_out_keypoints_under_the_threshold(self, inferencer):
        drawn = self.draw(inferencer, kpt_thr=1.0)

        np.testing.assert_array_equal(drawn, self.picture_rgb())

    def test_shows_boxes_where_asked_to(self, inferencer):
        drawn = self.draw(inferencer, kpt_thr=1.0, draw_bbox=True)

        assert (drawn != self.picture_rgb()).any()

    def test_has_the_heatmaps_below(self, inferencer):
        drawn = self.draw(inferencer, draw_heatmap=True)

        assert drawn.shape == (2 * HEIGHT, WIDTH, 3)

    def test_is_turned_as_the_exif_says(self, inferencer, tmp_path):
        path = tmp_path / 'turned.jpg'
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(picture(HEIGHT, WIDTH)).save(path, exif=exif)

        result = next(inferencer(str(path), return_vis=True))

        assert result['visualization'][0].shape == (WIDTH, HEIGHT, 3)

    def test_of_nobody_is_the_picture(self, inferencer_of_nobody):
        drawn = self.draw(inferencer_of_nobody, draw_bbox=True)

        np.testing.assert_array_equal(drawn, self.picture_rgb())

    def test_of_nobody_has_heatmaps_too(self, inferencer_of_nobody):
        drawn = self.draw(inferencer_of_nobody, draw_heatmap=True)

        assert drawn.shape == (2 * HEIGHT, WIDTH, 3)


class TestHeatmaps:
    def test_are_in_the_original_picture(self, tiny_coco):
        calls = MMPoseInferencer(*tiny_coco, device='cpu')(
            picture(HEIGHT, WIDTH), draw_heatmap=True, return_datasamples=True
        )

        sample = next(calls)['predictions'][0]

        assert sample.pred_fields.heatmaps.shape == (17, HEIGHT, WIDTH)

    def test_are_not_made_unless_asked_for(self, inferencer):
        list(inferencer(picture(), draw_heatmap=True))

        sample = next(inferencer(picture(), return_datasamples=True))['predictions'][0]

        assert 'pred_fields' not in sample


class TestFiles:
    def test_drawings_have_the_names_of_the_pictures(
        self, inferencer, folder, tmp_path
    ):
        list(inferencer(str(folder), vis_out_dir=str(tmp_path / 'vis')))

        assert names(tmp_path / 'vis') == ['a.png', 'b.png']

    def test_predictions_are_json(self, inferencer, folder, tmp_path):
        out = tmp_path / 'pred'

        each = people_of(inferencer, str(folder), pred_out_dir=str(out))

        # mmpose wraps each box in a tuple, which JSON knows as a list
        written = [json.loads((out / f'{name}.json').read_text()) for name in 'ab']
        assert written == json.loads(json.dumps(each, default=float))

    def test_out_dir_holds_both(self, inferencer, folder, tmp_path):
        list(inferencer(str(folder), out_dir=str(tmp_path / 'out')))

        assert names(tmp_path / 'out/visualizations') == ['a.png', 'b.png']
        assert names(tmp_path / 'out/predictions') == ['a.json', 'b.json']

    def test_nobody_is_an_empty_list(self, inferencer_of_nobody, folder, tmp_path):
        list(inferencer_of_nobody(str(folder), pred_out_dir=str(tmp_path / 'pred')))

        assert json.loads((tmp_path / 'pred/a.json').read_text()) == []

    def test_a_video_is_drawn_as_one(self, inferencer, video, tmp_path):
        list(inferencer(str(video), vis_out_dir=str(tmp_path / 'vis')))

        drawn = cv2.VideoCapture(str(tmp_path / 'vis/film.mp4'))
        assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3

    def test_predictions_of_a_video_are_one_file(self, inferencer, video, tmp_path):
        list(inferencer(str(video), pred_out_dir=str(tmp_path / 'pred')))

        frames = json.loads((tmp_path / 'pred/film.json').read_text())
        assert [(f['frame_id'], len(f['instances'])) for f in frames] == [
            (0, 3),
            (1, 3),
            (2, 3),
        ]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
