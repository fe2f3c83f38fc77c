# Copyright (c) onestage_pose contributors.
"""The keypoint branch on its own, given feature maps, boxes and people."""

import math
from types import SimpleNamespace

from onestage_pose.utils.errors import ConfigValueError

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import bbox2roi, bbox_flip
from mmengine.structures import InstanceData
from torch import nn

from tests.model_factory import (
    losses,
    make_people,
    make_picture,
    make_sample,
    tiny_model,
)

SIZE = (96, 128)
STRIDES = (4, 8, 16, 32, 64)


def build_head(**options):
    """A RoI head whose dropout-free layers are in training mode."""
    return tiny_model(**options).roi_head


def feature_maps(num_pictures=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(
            num_pictures,
            16,
            math.ceil(SIZE[0] / stride),
            math.ceil(SIZE[1] / stride),
            generator=generator,
        )
        for stride in STRIDES
    )


def positives(boxes, people):
    """What the sampler tells of the positives of one picture."""
    return SimpleNamespace(
        pos_priors=torch.as_tensor(boxes, dtype=torch.float32).view(-1, 4),
        pos_assigned_gt_inds=torch.tensor(people, dtype=torch.long),
    )


def person_at(keypoints, visible):
    """One person with these keypoints in continuous coordinates."""
    return InstanceData(
        bboxes=torch.tensor([[0.0, 0.0, 100.0, 90.0]]),
        keypoints=torch.tensor([keypoints]) - 0.5,
        keypoints_visible=torch.tensor([visible]),
    )


def loss_of(head, x, sampled, people):
    return head.keypoint_loss(x, sampled, people)['loss_keypoint']['loss_keypoint']


class TestEnlarge:
    @pytest.mark.parametrize('scale', [0.5, 1.0, 1.3])
    def test_widens_about_the_centre(self, scale):
        head = build_head(roi_head__box_scale=scale)
        wide = head.enlarge(torch.tensor([[10.0, 20.0, 30.0, 60.0]]))[0].tolist()
        half_width, half_height = 10 * scale, 20 * scale
        expected = [
            20 - half_width,
            40 - half_height,
            20 + half_width,
            40 + half_height,
        ]
        assert wide == pytest.approx(expected)

    def test_is_not_clipped_to_the_picture(self):
        wide = build_head().enlarge(torch.tensor([[0.0, 0.0, 10.0, 10.0]]))
        assert wide[0].tolist() == pytest.approx([-1.5, -1.5, 11.5, 11.5])

    @pytest.mark.parametrize('scale', [0, -1.3])
    def test_scale_has_to_be_positive(self, scale):
        with pytest.raises(ValueError, match=f'box_scale={scale}'):
            build_head(roi_head__box_scale=scale)


class TestKeypointLoss:
    def reference(self, head, x, sampled, people):
        """Spec's training rule, one keypoint after the other."""
        terms = []
        for i, (positive, gt) in enumerate(zip(sampled, people)):
            for box, who in zip(positive.pos_priors, positive.pos_assigned_gt_inds):
                points = (gt.keypoints[who] + 0.5).tolist()
                seen = gt.keypoints_visible[who].tolist()
                x1, y1, x2, y2 = box.tolist()
                if not any(
                    v > 0 and x1 <= px <= x2 and y1 <= py <= y2
                    for (px, py), v in zip(points, seen)
                ):
                    continue
                terms.append((i, box, points, seen))
        rois = []
        for i, box, _, _ in terms:
            center = (box[:2] + box[2:]) / 2
            half = (box[2:] - box[:2]) / 2 * head.box_scale
            rois.append(
                torch.cat((torch.tensor([float(i)]), center - half, center + half))
            )
        rois = torch.stack(rois)
        maps = x[: len(head.keypoint_roi_extractor.featmap_strides)]
        logits = head.keypoint_head(head.keypoint_roi_extractor(maps, rois)).logits
        total, count = 0.0, 0
        for person, roi, (_, _, points, seen) in zip(logits, rois.tolist(), terms):
            _, x1, y1, x2, y2 = roi
            for heatmap, (px, py), v in zip(person, points, seen):
                if v <= 0 or not (x1 <= px <= x2 and y1 <= py <= y2):
                    continue
                column = min(math.floor((px - x1) * 56 / (x2 - x1)), 55)
                row = min(math.floor((py - y1) * 56 / (y2 - y1)), 55)
                total = total - heatmap.flatten().log_softmax(0)[row * 56 + column]
                count += 1
        return total / count

    @pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16], ids=str)
    def test_is_computed_in_float32_under_mixed_precision(self, dtype):
        head = build_head()
        people = [make_people(SIZE, 2, seed=1)]
        seen = {}

        def watch(name):
            def hook(module, args, output):
                tensor = output.logits if name == 'logits' else args[0]
                seen[name] = tensor.dtype

            return hook

        head.keypoint_head.register_forward_hook(watch('logits'))
        head.loss_keypoint.register_forward_hook(watch('loss'))
        with torch.autocast('cpu', dtype=dtype):
            loss = loss_of(
                head, feature_maps(), [positives(people[0].bboxes, [0, 1])], people
            )
        assert seen == dict(logits=dtype, loss=torch.float32)
        assert loss.dtype == torch.float32

    @pytest.mark.parametrize('kind', ['conv', 'gcm'])
    @pytest.mark.parametrize('box_scale', [1.0, 1.3])
    def test_is_the_mean_cross_entropy_of_the_keypoints_that_count(
        self, kind, box_scale
    ):
        head = build_head(head=kind, roi_head__box_scale=box_scale)
        x = feature_maps(2)
        people = [make_people(SIZE, 2, seed=1), make_people(SIZE, 1, seed=2)]
        for gt in people:
            gt.keypoints_visible[torch.rand(gt.keypoints_visible.shape) < 0.4] = 0
        shake = 12 * torch.randn(5, 4)
        sampled = [
            positives(people[0].bboxes[[0, 1, 1]] + shake[:3], [0, 1, 1]),
            positives(people[1].bboxes[[0, 0]] + shake[3:], [0, 0]),
        ]
        torch.testing.assert_close(
            loss_of(head, x, sampled, people), self.reference(head, x, sampled, people)
        )

    def test_loss_weight(self):
        people = [make_people(SIZE, 1)]
        sampled = [positives(people[0].bboxes, [0])]
        loss = dict(type='CrossEntropyLoss', loss_weight=2.5)
        plain, weighted = (
            loss_of(build_head(**options), feature_maps(), sampled, people)
            for options in ({}, dict(roi_head__loss_keypoint=loss))
        )
        torch.testing.assert_close(weighted, 2.5 * plain)

    @pytest.mark.parametrize(
        ('keypoints', 'visible', 'trains'),
        [
            ([[30.0, 30.0], [90.0, 80.0]], [2.0, 2.0], True),
            ([[30.0, 30.0], [90.0, 80.0]], [1.0, 0.0], True),
            ([[30.0, 30.0], [90.0, 80.0]], [0.0, 2.0], False),
            # inside the enlarged box alone
            ([[62.0, 30.0], [90.0, 80.0]], [2.0, 2.0], False),
            # on the edge
            ([[60.0, 50.0], [90.0, 80.0]], [2.0, 2.0], True),
            # x inside by one keypoint, y by the other
            ([[30.0, 80.0], [90.0, 30.0]], [2.0, 2.0], False),
        ],
    )
    def test_a_labelled_keypoint_inside_the_proposal_makes_it_train(
        self, keypoints, visible, trains
    ):
        head = build_head(num_keypoints=2)
        sampled = [positives([20.0, 10.0, 60.0, 50.0], [0])]
        seen = []
        head.keypoint_head.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        loss_of(head, feature_maps(), sampled, [person_at(keypoints, visible)])
        assert sum(seen) == trains

    def test_keypoints_beyond_the_proposal_count_if_the_enlarged_box_holds_them(self):
        head = build_head(num_keypoints=2)
        sampled = [positives([20.0, 10.0, 60.0, 50.0], [0])]
        both = person_at([[30.0, 30.0], [62.0, 30.0]], [2.0, 2.0])
        first = person_at([[30.0, 30.0], [62.0, 30.0]], [2.0, 0.0])
        second = person_at([[30.0, 30.0], [62.0, 30.0]], [2.0, 2.0])
        second.keypoints_visible[:, 0] = 0
        x = feature_maps()
        with_both = loss_of(head, x, sampled, [both])
        with_first = loss_of(head, x, sampled, [first])
        output = head._keypoint_forward(x, [head.enlarge(sampled[0].pos_priors)])
        # the box is 14, 4, 66, 56: bin 51 of row 28
        bin_of_second = output.logits[0, 1].flatten().log_softmax(0)[28 * 56 + 51]
        torch.testing.assert_close(2 * with_both, with_first - bin_of_second)

    @pytest.mark.parametrize('kind', ['conv', 'gcm'])
    def test_without_keypoints_it_is_zero_with_a_gradient(self, kind):
        head = build_head(head=kind)
        x = [feature.requires_grad_() for feature in feature_maps()]
        people = make_people(SIZE, 1, visible=0.0)
        loss = loss_of(head, x, [positives(people.bboxes, [0])], [people])
        loss.backward()
        grads = [p.grad for p in head.keypoint_head.parameters()] + [x[0].grad]
        assert loss.item() == 0 and all(not grad.any() for grad in grads)

    def test_without_positives_it_is_zero(self):
        people = make_people(SIZE, 0)
        loss = loss_of(build_head(), feature_maps(), [positives([], [])], [people])
        assert loss.item() == 0

    def test_a_skeleton_of_another_size_is_refused(self):
        people = make_people(SIZE, 1, num_keypoints=14)
        sampled = [positives(people.bboxes, [0])]
        with pytest.raises(ValueError, match='14 keypoints.*head 17.*num_keypoints'):
            loss_of(build_head(), feature_maps(), sampled, [people])

    @pytest.mark.parametrize('key', ['keypoints', 'keypoints_visible'])
    def test_annotations_without_keypoints_are_refused(self, key):
        people = make_people(SIZE, 1)
        people.pop(key)
        sampled = [positives(people.bboxes, [0])]
        with pytest.raises(ValueError, match='PackKeypointRCNNInputs'):
            loss_of(build_head(), feature_maps(), sampled, [people])

    def test_a_codec_of_another_grid_is_refused(self):
        head = build_head(roi_head__codec__heatmap_size=28)
        people = make_people(SIZE, 1)
        sampled = [positives(people.bboxes, [0])]
        with pytest.raises(ValueError, match=r'\[28, 28\].*\[56, 56\].*heatmap_size'):
            loss_of(head, feature_maps(), sampled, [people])


def test_sampling_leaves_the_proposals_as_they_are():
    head = build_head()
    proposals = InstanceData(
        bboxes=torch.tensor([[10.0, 10.0, 60.0, 60.0]]), scores=torch.ones(1)
    )
    people = make_people(SIZE, 1)
    head.sample_proposals(
        feature_maps(),
        [proposals],
        [people],
        [None],
        head.bbox_assigner,
        head.bbox_sampler,
    )
    assert sorted(proposals.keys()) == ['bboxes', 'scores']


def detections(boxes):
    return InstanceData(bboxes=torch.tensor(boxes).view(-1, 4))


def meta(scale_factor=(1.0, 1.0), num_keypoints=17):
    return dict(
        img_shape=SIZE,
        scale_factor=scale_factor,
        flip_indices=list(range(num_keypoints)),
    )


class TestPredictKeypoint:
    boxes = [[10.0, 20.0, 60.0, 90.0], [50.0, 5.0, 120.0, 70.0]]

    @torch.no_grad()
    def predict(self, head, boxes, rescale=False, **kwargs):
        x = feature_maps(len(boxes))
        metas = [meta((2.0, 0.5))] * len(boxes)
        people = [detections(each) for each in boxes]
        return head.eval().predict_keypoint(x, metas, people, rescale, **kwargs)

    def test_adds_keypoints_and_leaves_the_boxes(self):
        result = self.predict(build_head(), [self.boxes])[0]
        assert result.bboxes.tolist() == self.boxes
        assert result.keypoints.shape == (2, 17, 2)
        assert result.keypoint_scores.shape == (2, 17)
        assert result.keypoint_logits.shape == (2, 17, 56, 56)

    def test_people_stay_with_their_pictures(self):
        head = build_head()
        result = self.predict(head, [self.boxes[:1], [], self.boxes[1:]])
        x = feature_maps(3)
        last = tuple(feature[2:] for feature in x)
        with torch.no_grad():
            alone = head.predict_keypoint(last, [meta()], [detections(self.boxes[1:])])
        assert [len(each.keypoints) for each in result] == [1, 0, 1]
        torch.testing.assert_close(result[2].keypoints, alone[0].keypoints)

    def test_nobody_anywhere(self):
        for result in self.predict(build_head(), [[], []]):
            assert result.keypoints.shape == (0, 17, 2)
            assert result.keypoint_scores.shape == (0, 17)

    def test_is_in_pixel_index_convention(self):
        head = build_head()
        result = self.predict(head, [self.boxes])[0]
        enlarged = head.enlarge(result.bboxes)
        continuous, _ = head.codec.decode(result.keypoint_logits, enlarged)
        torch.testing.assert_close(result.keypoints, continuous - 0.5)

    def test_rescaling_maps_pixel_centres(self):
        head = build_head()
        there = self.predict(head, [self.boxes])[0].keypoints
        back = self.predict(head, [self.boxes], rescale=True)[0].keypoints
        expected = (there + 0.5) / torch.tensor([2.0, 0.5]) - 0.5
        torch.testing.assert_close(back, expected)

    def test_flip_test_averages_logits_of_both_sides(self):
        head = build_head()
        swapped = [0, 2, 1] + list(range(3, 17))
        metas = [dict(meta(), flip_indices=swapped)]
        x, mirrored_x = feature_maps(seed=1), feature_maps(seed=2)
        people = detections(self.boxes)
        head.eval()
        with torch.no_grad():
            both = head.predict_keypoint(x, metas, [people], flipped_x=mirrored_x)
            enlarged = head.enlarge(people.bboxes)
            plain = head._keypoint_forward(x, [enlarged]).logits
            other = head._keypoint_forward(
                mirrored_x, [bbox_flip(enlarged, SIZE)]
            ).logits
        expected = (plain + other[:, swapped].flip(-1)) / 2
        torch.testing.assert_close(both[0].keypoint_logits, expected)

    @pytest.mark.parametrize('kind', ['conv', 'gcm'])
    @pytest.mark.parametrize('decode_mode', ['bicubic', 'dark'])
    def test_a_symmetric_branch_sees_the_mirrored_picture_mirrored(
        self, kind, decode_mode
    ):
        head = build_head(head=kind, roi_head__codec__decode_mode=decode_mode)
        symmetrise(head.keypoint_head)
        boxes = torch.tensor([*self.boxes, [-3.7, 10.0, 41.2, 95.3]])
        x = feature_maps()
        mirrored_x = tuple(feature.flip(-1) for feature in x)
        mirrored = bbox_flip(boxes, SIZE)
        head.eval()
        with torch.no_grad():
            there = head.predict_keypoint(x, [meta()], [InstanceData(bboxes=boxes)])
            back = head.predict_keypoint(
                mirrored_x, [meta()], [InstanceData(bboxes=mirrored)]
            )
        expected = there[0].keypoints.clone()
        expected[..., 0] = SIZE[1] - 1 - expected[..., 0]
        torch.testing.assert_close(back[0].keypoints, expected, rtol=0, atol=1e-2)
        torch.testing.assert_close(
            back[0].keypoint_logits.flip(-1),
            there[0].keypoint_logits,
            rtol=0,
            atol=1e-4,
        )


def symmetrise(module):
    """Make a network that commutes with mirroring its input."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
            weight = part.weight.data
            part.weight.data = (weight + weight.flip(-1)) / 2
        if hasattr(part, 'rel_width'):
            table = part.rel_width.data
            part.rel_width.data = (table + table.flip(0)) / 2


def test_mirroring_boxes_twice_gives_them_back():
    boxes = torch.tensor([[10.0, 20.0, 60.0, 90.0]])
    mirrored = bbox_flip(boxes, (96, 128))
    assert mirrored.tolist() == [[68.0, 20.0, 118.0, 90.0]]
    assert torch.equal(bbox_flip(mirrored, (96, 128)), boxes)


@pytest.mark.parametrize('strides', [[4], [4, 8, 16, 32]])
def test_levels_are_those_of_the_extractors_strides(strides):
    head = build_head(roi_head__keypoint_roi_extractor__featmap_strides=strides)
    x = [feature.requires_grad_() for feature in feature_maps()]
    boxes = torch.tensor([[0.0, 0.0, 128.0, 96.0], [0.0, 0.0, 600.0, 600.0]])
    head._keypoint_forward(x, [boxes]).logits.square().sum().backward()
    reached = [feature.grad is not None for feature in x]
    assert reached == [stride in strides for stride in STRIDES]


def test_boxes_are_numbered_by_picture():
    head = build_head().eval()
    x = feature_maps(2)
    box = torch.tensor([[10.0, 10.0, 60.0, 60.0]])
    with torch.no_grad():
        feats = head.keypoint_roi_extractor(x[:1], bbox2roi([box, box]))
        logits = head._keypoint_forward(x, [box, box]).logits
        torch.testing.assert_close(logits, head.keypoint_head(feats).logits)
    assert (logits[0] - logits[1]).abs().max() > 1e-3


@pytest.mark.parametrize('mode', ['decode_mode', 'score_mode'])
def test_sigmas_of_another_skeleton_are_refused_when_it_is_built(mode):
    options = {f'roi_head__codec__{mode}': 'expected_oks'}
    with pytest.raises(ValueError, match=r'codec\.sigmas.* 14 keypoints.* got 17'):
        tiny_model(num_keypoints=14, roi_head__codec__sigmas=[0.1] * 17, **options)
    sigmas = dict(roi_head__codec__sigmas=[0.1] * 14)
    tiny_model(num_keypoints=14, **options, **sigmas)


def test_sigmas_that_nobody_knows_are_missed_in_the_first_iteration():
    size = (64, 96)
    model = tiny_model(num_keypoints=14, roi_head__codec__score_mode='expected_oks')
    people = make_people(size, 2, num_keypoints=14)
    batch = [make_picture(*size)], [make_sample(size, people, num_keypoints=14)]

    with pytest.raises(
        ConfigValueError, match=r'codec\.sigmas.* 14 keypoints.* got 17'
    ):
        losses(model, *batch)

    model.dataset_meta = dict(sigmas=np.full(14, 0.06, np.float32))
    assert losses(model, *batch)[0] > 0
    assert model.roi_head.codec.sigmas == (0.06,) * 14
