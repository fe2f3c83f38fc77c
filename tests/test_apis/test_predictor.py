# Copyright (c) onestage_pose contributors.
"""One predictor: the model's people for any input, in order, whatever the batch."""

import itertools

from onestage_pose.apis import PosePredictor
from onestage_pose.apis import predictor as predictor_module
from onestage_pose.utils.errors import (
    CheckpointMismatchError,
    ImageError,
    UsageError,
)

import cv2
import numpy as np
import pytest
import torch
from mmpose.apis import MMPoseInferencer, inference_bottomup, init_model

from tests.test_apis.tiny_model import picture, write_tiny_model

#: Heights and widths; three share a size, and two of the others a padded size.
SIZES = [(96, 128), (64, 128), (96, 128), (90, 120), (96, 128), (96, 126)]


@pytest.fixture(scope='module')
def predictor(tiny):
    return PosePredictor(*tiny, device='cpu', bbox_thr=0.0)


def pictures():
    return [picture(*size, seed) for seed, size in enumerate(SIZES)]


def assert_same(one, other, pixels=1e-3):
    np.testing.assert_allclose(one.boxes, other.boxes, atol=pixels)
    np.testing.assert_allclose(one.keypoints, other.keypoints, atol=pixels)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    np.testing.assert_allclose(one.keypoint_scores, other.keypoint_scores, atol=1e-4)


class TestPeople:
    def test_are_those_of_inference_bottomup(self, each_tiny):
        predictor = PosePredictor(*each_tiny, device='cpu', bbox_thr=0.0)
        model = init_model(*each_tiny, device='cpu')

        [result] = predictor(picture())

        [sample] = inference_bottomup(model, picture())
        people = sample.pred_instances
        np.testing.assert_array_equal(result.boxes, people.bboxes)
        np.testing.assert_array_equal(result.scores, people.bbox_scores)
        np.testing.assert_array_equal(result.keypoints, people.keypoints)
        np.testing.assert_array_equal(result.keypoint_scores, people.keypoint_scores)

    def test_are_those_of_mmposes_inferencer(self, tiny, predictor):
        inferencer = MMPoseInferencer(*tiny, device='cpu')

        [result] = predictor(picture())

        people = next(inferencer(picture()))['predictions'][0]
        assert [person['keypoints'] for person in people] == result.keypoints.tolist()

    def test_have_the_names_of_their_keypoints(self, predictor):
        [result] = predictor(picture())

        assert result.names[:3] == ('nose', 'left_eye', 'right_eye')

    def test_not_over_the_threshold_are_left_out(self, predictor):
        [everybody] = predictor(picture())
        threshold = float(everybody.scores[1])

        [result] = predictor(picture(), bbox_thr=threshold)

        assert result.scores.tolist() == everybody.scores[:1].tolist()

    def test_nobody_gives_empty_arrays(self, tiny_nobody):
        [result] = PosePredictor(*tiny_nobody, device='cpu')(picture())

        assert result.boxes.shape == (0, 4) and result.keypoints.shape == (0, 17, 2)

    def test_come_from_a_model_that_is_built_already(self, tiny, predictor):
        model = init_model(*tiny, device='cpu')

        [result] = PosePredictor(model, bbox_thr=0.0)(picture())

        [expected] = predictor(picture())
        assert_same(result, expected)


@pytest.fixture
def batches(predictor, monkeypatch):
    """The sizes of the batches that the model is given."""
    sizes = []
    step = predictor.model.test_step
    monkeypatch.setattr(
        predictor.model,
        'test_step',
        lambda data: sizes.append(len(data['inputs'])) or step(data),
    )
    return sizes


def test_a_cpu_looks_at_one_image_at_a_time(predictor, batches):
    list(predictor(pictures(), batch_size=8))

    assert batches == [1] * len(SIZES)


class TestBatches:
    @pytest.fixture(autouse=True)
    def _as_on_a_gpu(self, monkeypatch):
        monkeypatch.setattr(predictor_module, 'CPU_BATCH_SIZE', 8)

    @pytest.mark.parametrize('batch_size', [2, 8])
    def test_give_what_single_images_give(self, predictor, batch_size):
        alone = list(predictor(pictures(), batch_size=1))

        together = list(predictor(pictures(), batch_size=batch_size))

        for one, other in zip(alone, together, strict=True):
            assert_same(one, other)

    def test_hold_images_of_one_padded_size(self, predictor, batches):
        list(predictor(pictures(), batch_size=8))

        assert sorted(batches) == [1, 5]

    def test_results_are_in_the_order_of_the_input(self, predictor):
        results = list(predictor(pictures(), batch_size=4))

        assert [result.index for result in results] == list(range(len(SIZES)))
        assert [result.shape for result in results] == SIZES


class TestStreams:
    def test_an_input_without_end_is_answered_as_it_comes(self, predictor):
        endless = (picture(seed=seed) for seed in itertools.count())

        results = list(itertools.islice(predictor(endless, batch_size=2), 5))

        assert [result.index for result in results] == [0, 1, 2, 3, 4]

    def test_frames_know_their_place(self, predictor, tmp_path):
        path = tmp_path / 'film.avi'
        fourcc = cv2.VideoWriter_fourcc(*'MJPG')
        writer = cv2.VideoWriter(str(path), fourcc, 5.0, (128, 96))
        for seed in range(3):
            writer.write(picture(96, 128, seed))
        writer.release()

        results = list(predictor(path))

        assert [result.frame for result in results] == [0, 1, 2]

    def test_images_are_not_kept_where_that_is_said(self, tiny):
        predictor = PosePredictor(*tiny, device='cpu', keep_images=False)

        [result] = predictor(picture())

        assert result.image is None


class TestBrokenImages:
    @pytest.fixture
    def folder(self, tmp_path):
        """a.png, b.png, which is none, and c.png."""
        for name in 'ac':
            cv2.imwrite(str(tmp_path / f'{name}.png'), picture())
        (tmp_path / 'b.png').write_bytes(b'not an image')
        return tmp_path

    @pytest.mark.parametrize('batch_size', [1, 4])
    def test_does_not_end_the_others(self, predictor, folder, batch_size):
        results = list(predictor(folder, batch_size=batch_size))

        assert [len(result) for result in results] == [3, 0, 3]

    @pytest.mark.parametrize(
        'broken, message',
        [
            ('t.txt', 'neither an image nor a video by its name'),
            ('gone', 'there is no folder or file'),
            ('gone.mp4', 'gone.mp4'),
            ('*.bmp', 'no file matches'),
            (None, 'of type NoneType'),
        ],
    )
    def test_of_any_kind_in_a_list_does_not_end_the_others(
        self, predictor, folder, broken, message
    ):
        (folder / 't.txt').touch()
        good = str(folder / 'a.png')
        given = broken if broken is None else str(folder / broken)

        first, found, last = predictor([good, given, good])

        assert (len(first), len(found), len(last)) == (3, 0, 3)
        assert message in str(found.error)
        assert found.path == given

    def test_says_what_is_wrong(self, predictor, folder):
        _, broken, _ = predictor(folder)

        assert 'b.png' in str(broken.error)

    def test_is_logged(self, predictor, folder, log):
        list(predictor(folder))

        lines = log.getvalue().splitlines()
        assert [line for line in lines if 'left out' in line and 'b.png' in line]

    def test_ends_them_where_that_is_said(self, predictor, folder):
        results = predictor(folder, on_error='raise')

        assert len(next(results)) == 3
        with pytest.raises(ValueError, match='b.png'):
            next(results)

    def test_raises_by_itself(self, predictor, folder):
        with pytest.raises(ValueError, match='b.png'):
            next(predictor(folder / 'b.png'))

    def test_of_a_wrong_array_too(self, predictor):
        with pytest.raises(ImageError, match='height, width, 3'):
            next(predictor(np.zeros((4, 4))))


class TestHeatmaps:
    def test_are_those_of_the_people_of_the_result(self, predictor):
        [everybody] = predictor(picture(), heatmaps=True)
        [nobody] = predictor(picture(), heatmaps=True, bbox_thr=1.0)

        assert everybody.heatmaps.shape == (17, *picture().shape[:2])
        assert everybody.heatmaps.max() > 0.5 and nobody.heatmaps.max() == 0

    def test_are_not_made_unless_asked_for(self, predictor):
        list(predictor(picture(), heatmaps=True))

        [result] = predictor(picture())

        assert result.heatmaps is None


class TestArguments:
    def test_an_unknown_option_is_refused_at_once(self, predictor):
        with pytest.raises(UsageError, match="'conf'. Did you mean bbox_thr?"):
            predictor(picture(), conf=0.9)

    def test_an_unknown_argument_is_refused_before_the_model_is_built(self):
        with pytest.raises(UsageError, match="'batchsize'. Did you mean batch_size?"):
            PosePredictor('nano', batchsize=8)

    @pytest.mark.parametrize(
        'option', [dict(batch_size=0), dict(batch_size=1.5), dict(bbox_thr=30)]
    )
    def test_an_impossible_value_is_refused(self, predictor, option):
        with pytest.raises(UsageError, match=next(iter(option))):
            predictor(picture(), **option)

    def test_a_missing_input_is_said_at_once(self, predictor):
        with pytest.raises(UsageError, match='no folder or file nowhere'):
            predictor('nowhere')

    def test_an_unknown_model_is_named(self):
        with pytest.raises(UsageError, match='nani'):
            PosePredictor('nani')

    @pytest.mark.parametrize('model', [None, '', 3])
    def test_what_cannot_name_a_model_is_refused(self, model):
        with pytest.raises(UsageError, match=f'model={model!r}: give the name'):
            PosePredictor(model)

    def test_flip_test_changes_the_config(self, tiny):
        predictor = PosePredictor(*tiny, device='cpu', flip_test=True)

        assert predictor.model.test_cfg.flip_test

    def test_a_built_model_takes_no_options_of_a_config(self, predictor):
        with pytest.raises(UsageError, match='is already built'):
            PosePredictor(predictor.model, flip_test=True)

    def test_a_model_of_another_kind_is_refused(self):
        with pytest.raises(UsageError, match='has no cfg'):
            PosePredictor(torch.nn.Identity())


def test_the_config_may_ask_for_heatmaps_and_covariances(tiny):
    options = dict(output_heatmaps=True, output_covariances=True)
    predictor = PosePredictor(
        *tiny,
        device='cpu',
        bbox_thr=0.0,
        cfg_options={f'model.test_cfg.{key}': value for key, value in options.items()},
    )

    [asked] = predictor(picture())
    [without] = predictor(picture(), heatmaps=False, covariances=False)

    assert asked.heatmaps is not None and asked.keypoint_covariances is not None
    assert without.heatmaps is None and without.keypoint_covariances is None


def test_presence_and_covariances_of_a_model_that_knows(tmp_path):
    files = write_tiny_model(tmp_path, visibility_branch=dict(channels=4))
    predictor = PosePredictor(*files, bbox_thr=0.0)
    [plain] = predictor(picture())
    [result] = predictor(picture(), covariances=True)

    assert len(result)
    assert (result.keypoints_visible <= result.keypoint_presence).all()
    assert plain.keypoint_covariances is None
    assert result.keypoint_covariances.shape == (len(result), 17, 2, 2)
    assert result.plot(draw_ellipses=True).shape == result.image.shape


class TestCategories:
    def test_each_instance_has_the_keypoints_of_its_category(self, tiny_of_categories):
        [result] = PosePredictor(*tiny_of_categories, bbox_thr=0.0)(picture())

        assert set(result.labels.tolist()) == {0, 1}
        sizes = [len(person['keypoints']) for person in result.to_dict()['people']]
        assert sizes == [4 if label == 0 else 2 for label in result.labels]

    def test_a_checkpoint_of_another_number_of_categories_is_refused(
        self, tiny_of_categories, tmp_path
    ):
        config, checkpoint = tiny_of_categories
        saved = torch.load(checkpoint, weights_only=False)
        meta = saved['meta']['dataset_meta']
        meta['categories'] = [dict(name='one', id=1, keypoints=[0, 6])]
        meta['keypoint_categories'] = [0] * 6
        torch.save(saved, tmp_path / 'other.pth')

        with pytest.raises(
            CheckpointMismatchError, match='tells 2 categories.* 1: one'
        ):
            PosePredictor(config, tmp_path / 'other.pth')

    def test_a_checkpoint_whose_categories_share_no_keypoints_is_refused(
        self, tiny_of_categories, tmp_path
    ):
        config, checkpoint = tiny_of_categories
        saved = torch.load(checkpoint, weights_only=False)
        saved['meta']['dataset_meta']['keypoint_categories'] = [0] * 6
        torch.save(saved, tmp_path / 'other.pth')

        with pytest.raises(CheckpointMismatchError, match='do not share the 6'):
            PosePredictor(config, tmp_path / 'other.pth')
