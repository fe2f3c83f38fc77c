# Copyright (c) onestage_pose contributors.
"""The RoI heads given feature maps and proposals."""

import pytest
import torch
from mmengine.structures import InstanceData

from tests.model_factory import make_people, make_sample, tiny_model

SIZE = (96, 128)


def feature_maps(num_pictures):
    sizes = [(24, 32), (12, 16), (6, 8), (3, 4), (2, 2)]
    return tuple(torch.randn(num_pictures, 16, *size) for size in sizes)


def proposals(*numbers):
    """As many random proposals for each picture."""
    boxes = [60 * torch.rand(number, 2) for number in numbers]
    return [
        InstanceData(bboxes=torch.cat((xy, xy + 30), -1), scores=torch.rand(len(xy)))
        for xy in boxes
    ]


def samples(*num_people, **options):
    results = []
    for seed, number in enumerate(num_people):
        sample = make_sample(SIZE)
        sample.gt_instances = make_people(SIZE, number, seed=seed, **options)
        results.append(sample)
    return results


class TestLoss:
    def test_names(self):
        head = tiny_model().roi_head
        losses = head.loss(feature_maps(2), proposals(20, 20), samples(1, 2))
        assert set(losses) == {'loss_cls', 'acc', 'loss_bbox', 'loss_keypoint'}

    def test_mask_branch_adds_its_own(self):
        head = tiny_model(mask=True).roi_head
        losses = head.loss(feature_maps(1), proposals(20), samples(2, masks=True))
        assert set(losses) == {
            'loss_cls',
            'acc',
            'loss_bbox',
            'loss_keypoint',
            'loss_mask',
        }

    def test_cascade_names_its_stages(self):
        head = tiny_model(cascade=True).roi_head
        losses = head.loss(feature_maps(1), proposals(20), samples(2))
        assert set(losses) == {'loss_keypoint'} | {
            f's{stage}.{name}'
            for stage in range(3)
            for name in ('loss_cls', 'acc', 'loss_bbox')
        }

    @pytest.mark.parametrize('cascade', [False, True])
    def test_ground_truth_boxes_train_the_keypoints(self, cascade):
        head = tiny_model(cascade=cascade).roi_head
        seen = []
        head.keypoint_head.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        far_off = [InstanceData(bboxes=torch.tensor([[0.0, 0.0, 2.0, 2.0]]))]
        head.loss(feature_maps(1), far_off, samples(3))
        assert seen == [3]

    @pytest.mark.parametrize('cascade', [False, True])
    def test_no_proposals_and_nobody(self, cascade):
        head = tiny_model(cascade=cascade).roi_head
        losses = head.loss(feature_maps(2), proposals(0, 3), samples(0, 0))
        assert all(torch.isfinite(loss).all() for loss in losses.values())
        assert losses['loss_keypoint'] == 0


@pytest.mark.parametrize('options', [{}, dict(cascade=True), dict(mask=True)])
class TestPredict:
    @torch.no_grad()
    def predict(self, options, *numbers):
        head = tiny_model(**options).roi_head.eval()
        metas = samples(*[0] * len(numbers))
        return head.predict(feature_maps(len(numbers)), proposals(*numbers), metas)

    def test_everybody_has_keypoints(self, options):
        for result in self.predict(options, 20, 20):
            people = len(result.bboxes)
            assert people > 0
            assert result.keypoints.shape == (people, 17, 2)
            assert result.keypoint_scores.shape == (people, 17)

    def test_keypoints_lie_in_the_enlarged_boxes(self, options):
        (result,) = self.predict(options, 20)
        extent = result.bboxes[:, 2:] - result.bboxes[:, :2]
        corner = result.bboxes[:, :2] - 0.15 * extent
        points = result.keypoints + 0.5
        assert (points >= corner[:, None] - 1e-3).all()
        assert (points <= (corner + 1.3 * extent)[:, None] + 1e-3).all()

    @pytest.mark.parametrize('numbers', [(0,), (0, 0), (0, 20)])
    def test_no_proposals_give_nobody(self, options, numbers):
        first = self.predict(options, *numbers)[0]
        assert first.bboxes.shape == (0, 4) and first.scores.shape == (0,)
        assert first.keypoints.shape == (0, 17, 2)
        assert first.keypoint_scores.shape == (0, 17)
        assert ('masks' in first) == ('mask' in options)


@pytest.mark.parametrize('cascade', [False, True])
def test_forward_gives_the_logits_of_the_first_hundred_proposals(cascade):
    head = tiny_model(cascade=cascade).roi_head.eval()
    outputs = head(feature_maps(2), proposals(120, 7), samples(0, 0))
    assert len(outputs) == 3 and outputs[-1].shape == (107, 17, 56, 56)


@pytest.mark.parametrize('cascade', [False, True])
def test_knows_how_many_classes_and_keypoints_there_are(cascade):
    head = tiny_model(cascade=cascade, num_keypoints=5).roi_head
    assert (head.num_classes, head.num_keypoints) == (1, 5)


def test_a_misspelt_option_is_refused():
    with pytest.raises(TypeError, match='box_scala'):
        tiny_model(roi_head__box_scala=1.3)
