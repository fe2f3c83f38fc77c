# Copyright (c) onestage_pose contributors.
from types import SimpleNamespace

from onestage_pose.models import ConvKeypointHead, KeypointOutput
from onestage_pose.models.losses import KnownBCELoss
from onestage_pose.utils.errors import ConfigValueError

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.model_factory import (
    build,
    losses,
    make_people,
    make_picture,
    make_sample,
    predict,
    tiny_config,
)

SIZE = (96, 128)
BRANCH = dict(roi_head__keypoint_head__visibility_branch=dict(channels=8))


def shuffle(branch):
    """Give the branch weights that tell keypoints apart."""
    with torch.no_grad():
        for parameter in (branch.weight, branch.offset, branch.bias):
            parameter.normal_(generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def model():
    model = build(tiny_config(**BRANCH))
    shuffle(model.roi_head.keypoint_head.visibility_branch)
    return model


def people(targets, num_people=2):
    found = make_people(SIZE, num_people, seed=1)
    found.visibility_targets = torch.as_tensor(targets, dtype=torch.int8).expand(
        num_people, 17, 2
    )
    return found


def branch_gradients(model, targets):
    model.zero_grad()
    sample = make_sample(SIZE, people(targets))
    total, parts = losses(model, [make_picture(*SIZE)], [sample])
    total.backward()
    branch = model.roi_head.keypoint_head.visibility_branch
    return parts, sum(each.grad.abs().sum() for each in branch.parameters())


class TestHead:
    def head(self, **options):
        torch.manual_seed(0)
        return ConvKeypointHead(1, 4, 6, num_keypoints=3, **options).eval()

    def test_changes_no_keypoint(self):
        x = torch.randn(2, 4, 14, 14)
        plain, with_branch = self.head(), self.head(visibility_branch=dict())
        with_branch.load_state_dict(plain.state_dict(), strict=False)
        torch.testing.assert_close(plain(x).logits, with_branch(x).logits)

    def test_nothing_else_learns_from_it(self):
        head = self.head(visibility_branch=dict())
        shuffle(head.visibility_branch)
        x = torch.randn(2, 4, 14, 14, requires_grad=True)
        head(x).visibility.sum().backward()
        assert x.grad is None
        assert head.deconv.weight.grad is None

    @pytest.mark.parametrize('num_people', [0, 2])
    def test_two_logits_a_keypoint(self, num_people):
        head = self.head(visibility_branch=dict())
        assert head(torch.randn(num_people, 4, 14, 14)).visibility.shape == (
            num_people,
            3,
            2,
        )

    def test_looks_where_the_heatmap_expects_the_keypoint(self):
        branch = self.head(visibility_branch=dict()).visibility_branch
        shuffle(branch)
        feats = torch.randn(1, 6, 14, 14)
        logits = torch.zeros(1, 3, 56, 56)
        logits[0, :, 20:24, 40:44] = 50
        expected = torch.cat((feats[0, :, 5, 10], feats[0].mean((1, 2))))
        hidden = F.relu(branch.hidden(branch.norm(expected)) + branch.offset[1])
        # 16 bins are equally high
        hidden = torch.cat((hidden, -torch.tensor([16.0]).log()))
        torch.testing.assert_close(
            branch(feats, logits)[0, 1], hidden @ branch.weight[1] + branch.bias[1]
        )

    def test_present_keypoints_outside_of_the_box_are_not_known(self):
        head = self.head(visibility_branch=dict())
        boxes = torch.tensor([[0.0, 0, 10, 10]])
        points = torch.tensor([[[5.0, 5], [15, 5], [15, 5]]])
        known = torch.tensor([[[1, 0], [1, 0], [0, -1]]])
        targets = head.get_targets(boxes, points, torch.tensor([[1, 1, 0]]), known)
        assert targets['visibility_targets'].tolist() == [[[1, 0], [-1, -1], [0, -1]]]

    def test_calibration_scales_and_shifts_the_logits(self):
        head = self.head(visibility_branch=dict())
        head.visibility_branch.scale[:] = torch.tensor([2.0, 1.0])
        head.visibility_branch.shift[:] = torch.tensor([0.0, 1.0])
        logits = torch.tensor([[[1.5, -1.0]]]).expand(1, 3, 2)
        presence, visible = head.predict_visibility(KeypointOutput(None, logits))
        assert presence[0, 0].item() == pytest.approx(0.9526, abs=1e-4)
        assert visible[0, 0].item() == pytest.approx(0.9526 / 2, abs=1e-4)


class TestLoss:
    def test_is_cross_entropy_of_what_is_known(self):
        logits = torch.tensor([[[2.0, 0.5], [-1.0, 3.0]]])
        targets = torch.tensor([[[1, -1], [0, 0]]])
        expected = F.binary_cross_entropy_with_logits(
            logits[0, :, 0], torch.tensor([1.0, 0.0])
        ) + F.binary_cross_entropy_with_logits(logits[0, 1, 1], torch.tensor(0.0))
        torch.testing.assert_close(KnownBCELoss(3.0)(logits, targets), 3 * expected)

    def test_trains_the_branch(self, model):
        parts, gradients = branch_gradients(model, [1, 0])
        assert parts['loss_visibility'] > 0
        assert gradients > 0

    def test_what_is_not_known_trains_nothing(self, model):
        parts, gradients = branch_gradients(model, [-1, -1])
        assert parts['loss_visibility'] == 0
        assert gradients == 0

    def test_annotations_that_do_not_say_are_refused(self, model):
        sample = make_sample(SIZE, make_people(SIZE, 2))
        with pytest.raises(ValueError, match='visibility_targets'):
            losses(model, [make_picture(*SIZE)], [sample])


class TestPrediction:
    def found(self, model, seeds=(0,), **test_cfg):
        before = dict(model.test_cfg)
        model.test_cfg.update(test_cfg)
        samples = [make_sample(SIZE) for _ in seeds]
        results = predict(model, [make_picture(*SIZE, seed=s) for s in seeds], samples)
        model.test_cfg = type(model.test_cfg)(before)
        return [each.pred_instances for each in results]

    def test_visible_keypoints_are_present(self, model):
        (people,) = self.found(model)
        assert people.keypoint_presence.std() > 0
        assert (people.keypoints_visible <= people.keypoint_presence).all()
        assert (people.keypoints_visible != people.keypoint_scores).all()

    def test_does_not_depend_on_other_images(self, model):
        alone = self.found(model, (1,))[0]
        together = self.found(model, (0, 1))[1]
        torch.testing.assert_close(
            *(torch.from_numpy(each.keypoint_presence) for each in (alone, together))
        )

    def test_flip_test_averages_the_logits(self, model):
        branch = model.roi_head.keypoint_head.visibility_branch
        outputs = []

        def record(module, args, output):
            outputs.append(output)

        hook = branch.register_forward_hook(record)
        (people,) = self.found(model, flip_test=True, rescore_thr=None)
        hook.remove()
        flips = make_sample(SIZE).flip_indices
        mean = (outputs[0] + outputs[1][:, flips]) / 2
        torch.testing.assert_close(
            torch.from_numpy(people.keypoint_presence), mean[..., 0].sigmoid()
        )

    def test_keypoints_count_in_the_score_by_their_presence(self, model):
        (plain,) = self.found(model, rescore_thr=None)
        (people,) = self.found(model, rescore_thr=0.0, rescore_by_presence=True)
        weights, scores = plain.keypoint_presence, plain.keypoint_scores
        expected = plain.bbox_scores * (weights * scores).sum(1) / weights.sum(1)
        torch.testing.assert_close(
            torch.from_numpy(people.bbox_scores),
            torch.from_numpy(expected).sort(descending=True)[0],
        )

    def test_ranking_by_presence_needs_the_branch(self):
        with pytest.raises(ConfigValueError, match='visibility_branch'):
            build(tiny_config(test_cfg__rescore_by_presence=True))


class TestCovariances:
    def test_are_those_of_the_distribution_about_the_keypoint(self):
        head = ConvKeypointHead(1, 4, 6, num_keypoints=1)
        logits = torch.full((1, 1, 56, 56), -50.0)
        # two bins, 8 apart in x: 10 and 18, halfway in between is 14.5
        logits[0, 0, 20, [10, 18]] = 0
        boxes = torch.tensor([[0.0, 0, 112, 56]])
        keypoints = torch.tensor([[[28.5, 20.0]]])
        [[found]] = head.predict_covariances(logits, boxes, keypoints)
        # 4 bins of 2 pixels to each side, and somewhere in a bin
        expected = [[64 + 4 / 12, 0], [0, 1 / 12]]
        torch.testing.assert_close(found, torch.tensor(expected), atol=1e-3, rtol=1e-4)

    def test_are_calibrated_and_given_on_demand(self, model):
        branch = model.roi_head.keypoint_head.visibility_branch
        test = TestPrediction()
        (plain,) = test.found(model)
        (once,) = test.found(model, output_covariances=True)
        branch.covariance_scale.fill_(3.0)
        (thrice,) = test.found(model, output_covariances=True)
        branch.covariance_scale.fill_(1.0)
        assert 'keypoint_covariances' not in plain
        assert once.keypoint_covariances.shape == (len(plain), 17, 2, 2)
        torch.testing.assert_close(
            torch.from_numpy(thrice.keypoint_covariances),
            torch.from_numpy(3 * once.keypoint_covariances),
        )


def test_takes_under_three_hundredths_of_the_keypoint_heads_operations():
    head = ConvKeypointHead(4, 64, 96, visibility_branch=dict())
    branch, counts = head.visibility_branch, SimpleNamespace(all=0, branch=0)
    places = 14 * 14
    for module in head.modules():
        if isinstance(module, nn.Conv2d):
            counts.all += module.weight.numel() * places
        elif isinstance(module, nn.ConvTranspose2d):
            counts.all += module.weight.numel() * places
    for keypoint in range(17):
        counts.branch += places * 96 + branch.hidden.weight.numel()
        counts.branch += branch.weight[keypoint].numel()
    assert counts.branch < 0.03 * counts.all
