# Copyright (c) onestage_pose contributors.
"""The whole model, from pictures to losses and to people."""

import copy
from contextlib import nullcontext

from onestage_pose.codecs.decoders import bicubic
from onestage_pose.models import CrowdIoUAssigner
from onestage_pose.models.acceleration import FoldedNorm, WinogradConv2d
from onestage_pose.models.detectors import keypoint_rcnn
from onestage_pose.models.test_time_augs import mirror_images
from onestage_pose.models.utils import precision
from onestage_pose.models.utils.incomplete_annotations import jitter_boxes
from onestage_pose.ops import batched_nms, roi_align
from onestage_pose.utils.errors import ConfigValueError, NonFiniteError

import numpy as np
import pytest
import torch
from mmdet.models.layers import FrozenBatchNorm2d
from mmengine.structures import InstanceData

from tests.launches import LaunchCounter
from tests.model_factory import (
    PYRAMID,
    collate,
    losses,
    make_people,
    make_picture,
    make_sample,
    predict,
    tiny_model,
)

KINDS = dict(
    gcm=dict(head='gcm'),
    conv=dict(head='conv'),
    all_levels=dict(roi_head__keypoint_roi_extractor__featmap_strides=[4, 8, 16, 32]),
    cascade=dict(cascade=True),
    mask=dict(mask=True),
    pyramid=PYRAMID,
)
# pictures, each (height, width), people, visibility of their keypoints
SCENES = dict(
    one=[((64, 96), 2, 2.0)],
    two_sizes=[((64, 96), 2, 2.0), ((90, 60), 1, 1.0)],
    three_sizes=[((64, 96), 1, 2.0), ((90, 60), 3, 1.0), ((50, 50), 1, 2.0)],
    nobody=[((64, 96), 0, 2.0)],
    nobody_twice=[((64, 96), 0, 2.0), ((90, 60), 0, 2.0)],
    unlabelled=[((64, 96), 2, 0.0)],
    mixed=[((64, 96), 0, 2.0), ((90, 60), 2, 0.0), ((50, 50), 2, 2.0)],
)


def batch(scene, num_keypoints=17, masks=False):
    pictures = [make_picture(*size, seed) for seed, (size, _, _) in enumerate(scene)]
    samples = [
        make_sample(
            size,
            make_people(size, people, num_keypoints, visible, masks, seed),
            num_keypoints=num_keypoints,
        )
        for seed, (size, people, visible) in enumerate(scene)
    ]
    return pictures, samples


@pytest.fixture
def default_dtype():
    """Sets torch's default dtype for the test."""
    before = torch.get_default_dtype()
    yield torch.set_default_dtype
    torch.set_default_dtype(before)


def one_picture(size=(64, 96), seed=0, **options):
    return [make_picture(*size, seed)], [make_sample(size, **options)]


class TestLoss:
    @pytest.mark.parametrize('scene', SCENES)
    @pytest.mark.parametrize('kind', KINDS)
    def test_is_finite_and_every_parameter_gets_a_gradient(self, kind, scene):
        model = tiny_model(**KINDS[kind])
        total, _ = losses(model, *batch(SCENES[scene], masks=kind == 'mask'))
        total.backward()
        without = [
            name
            for name, parameter in model.named_parameters()
            if parameter.requires_grad and parameter.grad is None
        ]
        infinite = [
            name
            for name, parameter in model.named_parameters()
            if parameter.grad is not None and not parameter.grad.isfinite().all()
        ]
        assert torch.isfinite(total) and without == [] and infinite == []

    @pytest.mark.parametrize('scene', ['nobody', 'nobody_twice', 'unlabelled'])
    def test_of_keypoints_is_zero_where_none_is_labelled(self, scene):
        _, logged = losses(tiny_model(), *batch(SCENES[scene]))
        assert logged['loss_keypoint'] == 0

    def test_of_boxes_remains_where_no_keypoint_is_labelled(self):
        _, logged = losses(tiny_model(), *batch(SCENES['unlabelled']))
        assert logged['loss_bbox'] > 0 and logged['loss_rpn_bbox'] > 0

    def test_of_untrained_keypoints_is_that_of_a_guess(self):
        _, logged = losses(tiny_model(), *batch(SCENES['two_sizes']))
        guess = np.log(56 * 56)
        assert logged['loss_keypoint'].item() == pytest.approx(guess, rel=0.05)

    @pytest.mark.parametrize('num_keypoints', [1, 14, 21])
    def test_any_number_of_keypoints(self, num_keypoints):
        model = tiny_model(num_keypoints=num_keypoints)
        total, _ = losses(model, *batch(SCENES['mixed'], num_keypoints))
        assert torch.isfinite(total)

    @pytest.mark.parametrize('kind', ['gcm', 'cascade'])
    def test_another_number_of_keypoints_is_refused(self, kind):
        with pytest.raises(ValueError, match='14 keypoints.*head 17.*num_keypoints'):
            losses(tiny_model(**KINDS[kind]), *batch(SCENES['one'], 14))

    @pytest.mark.parametrize('key', ['bboxes', 'keypoints', 'keypoints_visible'])
    def test_targets_without_a_key_are_refused(self, key):
        pictures, samples = batch(SCENES['one'])
        samples[0].gt_instance_labels.pop(key)
        samples[0].set_metainfo(dict(img_path='some/picture.jpg'))
        message = rf"some/picture.jpg.*\['{key}'\].*PackKeypointRCNNInputs"
        with pytest.raises(ValueError, match=message):
            losses(tiny_model(), pictures, samples)

    def test_pictures_without_targets_are_refused(self):
        with pytest.raises(ValueError, match='gt_instance_labels lack'):
            losses(tiny_model(), *one_picture())

    def test_nothing_in_a_crowd_is_a_negative_of_rpn_or_box_branch(self, monkeypatch):
        assigner = dict(type='CrowdIoUAssigner', ignore_iof_thr=0.5)
        model = tiny_model(
            train_cfg__rpn__assigner=assigner, train_cfg__rcnn__assigner=assigner
        )
        pictures, samples = batch(SCENES['one'])
        everywhere = torch.tensor([[-1e4, -1e4, 1e4, 1e4]])
        samples[0].ignored_instances = InstanceData(bboxes=everywhere)
        kinds, assign = [], CrowdIoUAssigner.assign

        def spy(self, *args, **kwargs):
            result = assign(self, *args, **kwargs)
            kinds.append(set(result.gt_inds.tolist()))
            return result

        monkeypatch.setattr(CrowdIoUAssigner, 'assign', spy)
        losses(model, pictures, samples)
        assert kinds == 2 * [{-1, 1, 2}]

    def test_leaves_the_batch_as_it_was(self):
        pictures, samples = batch(SCENES['one'])
        before = samples[0].gt_instance_labels.clone()
        losses(tiny_model(), pictures, samples)
        after = samples[0].gt_instance_labels
        assert set(after.keys()) == set(before.keys())
        assert all(torch.equal(after[key], before[key]) for key in before.keys())

    def test_falls_in_training(self):
        model = tiny_model()
        data = batch(SCENES['two_sizes'])
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        history = []
        for _ in range(20):
            total, logged = losses(model, *data)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            history.append((logged['loss_keypoint'].item(), total.item()))
        first, last = np.mean(history[:3], 0), np.mean(history[-3:], 0)
        assert (last < 0.9 * first).all()

    @pytest.mark.parametrize('kind', ['gcm', 'conv'])
    def test_bfloat16_agrees_with_float32(self, kind):
        model = tiny_model(**KINDS[kind])
        data = batch(SCENES['two_sizes'])
        each = []
        for enabled in (False, True):
            torch.manual_seed(1)
            with torch.autocast('cpu', dtype=torch.bfloat16, enabled=enabled):
                each.append(losses(model, *data)[1])
        full, half = each
        assert half['loss_keypoint'].item() == pytest.approx(
            full['loss_keypoint'].item(), rel=0.02
        )
        assert half['loss'].item() == pytest.approx(full['loss'].item(), rel=0.05)


class TestKeypointsOnly:
    """Pictures whose people outside the annotations are unknown."""

    SCENE = [((64, 96), 2, 2.0), ((90, 60), 1, 2.0), ((64, 64), 2, 2.0)]

    @classmethod
    def batch(cls, *only, masks=False, visible=2.0):
        pictures, samples = batch(
            [(size, people, visible) for size, people, _ in cls.SCENE], masks=masks
        )
        for index in only:
            samples[index].set_metainfo(dict(keypoints_only=True))
        return pictures, samples

    @pytest.mark.parametrize('visible', [2.0, 0.0])
    @pytest.mark.parametrize('only', [(0,), (1, 2), (0, 1, 2)])
    @pytest.mark.parametrize('kind', KINDS)
    def test_every_parameter_gets_a_gradient(self, kind, only, visible):
        # or processes that train together would wait for each other
        model = tiny_model(**KINDS[kind])
        given = self.batch(*only, masks=kind == 'mask', visible=visible)
        total, _ = losses(model, *given)
        total.backward()
        assert torch.isfinite(total)
        for name, parameter in model.named_parameters():
            assert not parameter.requires_grad or parameter.grad is not None, name

    @pytest.mark.parametrize('only', [(), (1,)])
    def test_the_rpn_learns_from_complete_annotations_only(self, only):
        model = tiny_model()
        found = []
        for boxes_of in (1, 2):
            pictures, samples = self.batch(*only)
            people = samples[1].gt_instance_labels
            people.bboxes = people.bboxes / boxes_of
            torch.manual_seed(0)
            found.append(losses(model, pictures, samples)[1])
        same = [
            found[0][name] == found[1][name]
            for name in ('loss_rpn_cls', 'loss_rpn_bbox')
        ]
        assert all(same) if only else not any(same)
        assert found[0]['loss_keypoint'] != found[1]['loss_keypoint']

    @pytest.mark.parametrize('kind', ['gcm', 'cascade', 'mask'])
    def test_the_box_branch_samples_complete_pictures_only(self, kind, monkeypatch):
        model = tiny_model(**KINDS[kind])
        seen = []
        forward = type(model.roi_head)._bbox_forward

        def spy(self, *args):
            rois = args[-1]
            seen.append((args[-2][0].shape[0], int(rois[:, 0].max())))
            return forward(self, *args)

        monkeypatch.setattr(type(model.roi_head), '_bbox_forward', spy)
        losses(model, *self.batch(0, masks=kind == 'mask'))
        assert set(seen) == {(2, 1)}

    def test_alone_they_train_nothing_but_the_keypoint_branch(self):
        model = tiny_model()
        total, logged = losses(model, *self.batch(0, 1, 2))
        total.backward()
        assert {name for name, value in logged.items() if value} == {
            'loss',
            'loss_keypoint',
        }
        for module in (model.rpn_head, model.roi_head.bbox_head):
            assert all(not p.grad.any() for p in module.parameters())
        assert any(p.grad.any() for p in model.backbone.parameters())

    def test_keypoints_train_in_boxes_about_the_annotated_ones(self):
        gt = make_people((64, 96), 3)
        about = jitter_boxes(gt.bboxes, 0.1).priors
        size = (gt.bboxes[:, 2:] - gt.bboxes[:, :2]).repeat(1, 2)
        off = ((about - gt.bboxes) / size).abs()
        assert 0.02 < off.max() <= 0.1


class TestPredict:
    @pytest.mark.parametrize('kind', KINDS)
    @pytest.mark.parametrize('num_keypoints', [5, 17])
    def test_types_and_shapes(self, kind, num_keypoints):
        model = tiny_model(num_keypoints=num_keypoints, **KINDS[kind])
        (sample,) = predict(model, *one_picture(num_keypoints=num_keypoints))
        people = sample.pred_instances
        given = {key: (people[key].shape, people[key].dtype) for key in people.keys()}
        assert given == {
            'bboxes': ((8, 4), np.float32),
            'bbox_scores': ((8,), np.float32),
            'keypoints': ((8, num_keypoints, 2), np.float32),
            'keypoint_scores': ((8, num_keypoints), np.float32),
            'keypoints_visible': ((8, num_keypoints), np.float32),
        } | ({'masks': ((8, 64, 96), np.bool_)} if kind == 'mask' else {})

    @pytest.mark.parametrize('kind', KINDS)
    @pytest.mark.parametrize('flip_test', [False, True])
    def test_nobody_found(self, kind, flip_test):
        options = dict(test_cfg__rcnn__score_thr=1.1, test_cfg__flip_test=flip_test)
        model = tiny_model(**options, **KINDS[kind])
        for size in [(64, 96), (60, 40)]:
            (sample,) = predict(model, *one_picture(size))
            people = sample.pred_instances
            assert {key: people[key].shape for key in people.keys()} == {
                'bboxes': (0, 4),
                'bbox_scores': (0,),
                'keypoints': (0, 17, 2),
                'keypoint_scores': (0, 17),
                'keypoints_visible': (0, 17),
            } | ({'masks': (0, *size)} if kind == 'mask' else {})

    def test_nobody_found_in_one_of_the_pictures(self):
        model = tiny_model()
        pictures, samples = batch(SCENES['two_sizes'])
        best = [
            sample.pred_instances.bbox_scores.max()
            for sample in predict(model, pictures, samples)
        ]
        thr = sum(best) / 2  # one of them is above
        model.roi_head.test_cfg.score_thr = float(thr)
        found = [len(s.pred_instances) for s in predict(model, pictures, samples)]
        assert 0 in found and max(found) > 0

    def test_is_sorted_by_score(self):
        (sample,) = predict(tiny_model(), *one_picture())
        scores = sample.pred_instances.bbox_scores
        assert (scores[:-1] >= scores[1:]).all()

    @pytest.mark.parametrize('kind', KINDS)
    def test_is_in_the_original_pictures_frame(self, kind):
        model = tiny_model(**KINDS[kind])
        factor = np.array([2.0, 0.5], np.float32)
        pictures, samples = one_picture(scale_factor=(2.0, 0.5))
        (there,) = predict(model, *one_picture())
        (back,) = predict(model, pictures, samples)
        there, back = there.pred_instances, back.pred_instances
        np.testing.assert_allclose(back.bboxes, there.bboxes / np.tile(factor, 2), 1e-5)
        np.testing.assert_allclose(
            back.keypoints, (there.keypoints + 0.5) / factor - 0.5, rtol=0, atol=1e-4
        )
        if kind == 'mask':
            assert back.masks.shape == (8, 128, 48)

    @pytest.mark.parametrize('kind', KINDS)
    def test_of_a_batch_is_that_of_its_pictures(self, kind):
        model = tiny_model(**KINDS[kind])
        sizes = [(64, 96), (60, 90)]  # both are padded to 64 x 96
        pictures = [make_picture(*size, seed) for seed, size in enumerate(sizes)]
        samples = [make_sample(size) for size in sizes]
        together = predict(model, pictures, samples)
        for i in range(2):
            (alone,) = predict(model, pictures[i : i + 1], samples[i : i + 1])
            for key in ('bboxes', 'bbox_scores', 'keypoints', 'keypoint_scores'):
                np.testing.assert_allclose(
                    together[i].pred_instances[key],
                    alone.pred_instances[key],
                    rtol=1e-4,
                    atol=1e-3,
                    err_msg=key,
                )

    @pytest.mark.parametrize('kind', KINDS)
    @pytest.mark.parametrize('flip_test', [False, True])
    def test_of_a_batch_of_several_sizes_is_that_of_its_pictures(self, kind, flip_test):
        model = tiny_model(test_cfg__flip_test=flip_test, **KINDS[kind])
        # a convolution with a bias makes something of the padding of a smaller picture
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d) and module.bias is not None:
                torch.nn.init.constant_(module.bias, 0.1)
        sizes = [(64, 96), (90, 60), (60, 90), (50, 130)]
        pictures = [make_picture(*size, seed) for seed, size in enumerate(sizes)]
        samples = [make_sample(size) for size in sizes]
        together = predict(model, pictures, samples)
        for i in range(len(sizes)):
            (alone,) = predict(model, pictures[i : i + 1], samples[i : i + 1])
            for key in ('bboxes', 'bbox_scores', 'keypoints', 'keypoint_scores'):
                np.testing.assert_allclose(
                    together[i].pred_instances[key],
                    alone.pred_instances[key],
                    rtol=1e-4,
                    atol=1e-3,
                    err_msg=f'{key} of picture {i}',
                )

    @pytest.mark.parametrize('built_under', [torch.float32, torch.float64])
    @pytest.mark.parametrize('kind', KINDS)
    def test_is_the_same_under_a_default_dtype_of_64_bits(
        self, kind, built_under, default_dtype
    ):
        given = one_picture()
        trained = tiny_model(**KINDS[kind])
        (expected,) = predict(trained, *given)
        default_dtype(built_under)
        model = tiny_model(**KINDS[kind])
        model.load_state_dict(trained.state_dict())
        default_dtype(torch.float64)
        (found,) = predict(model, *given)
        for key in ('bboxes', 'bbox_scores', 'keypoints', 'keypoint_scores'):
            there, here = expected.pred_instances[key], found.pred_instances[key]
            assert here.dtype == np.float32
            np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-3, err_msg=key)

    @pytest.mark.parametrize('decode_mode', ['argmax', 'quarter', 'dark', 'bicubic'])
    @pytest.mark.parametrize('score_mode', ['peak', 'window', 'expected_oks'])
    def test_any_codec_works_under_a_default_dtype_of_64_bits(
        self, decode_mode, score_mode, default_dtype
    ):
        options = dict(
            roi_head__codec__decode_mode=decode_mode,
            roi_head__codec__score_mode=score_mode,
            test_cfg__output_heatmaps=True,
        )
        default_dtype(torch.float64)
        (sample,) = predict(tiny_model(**options), *one_picture())
        assert sample.pred_instances.keypoints.dtype == np.float32

    def test_bfloat16_gives_float32_arrays(self):
        with torch.autocast('cpu', dtype=torch.bfloat16):
            (sample,) = predict(tiny_model(), *one_picture())
        people = sample.pred_instances
        assert {people[key].dtype for key in people.keys()} == {np.dtype(np.float32)}

    @torch.no_grad()
    def test_bfloat16_leaves_anchors_and_boxes_exact(self):
        model = tiny_model().eval()
        # whatever the features, every proposal is its anchor
        model.rpn_head.rpn_reg.weight.zero_()
        data = collate(model, *one_picture((64, 1120)))
        samples = data['data_samples']
        with torch.autocast('cpu', dtype=torch.bfloat16):
            x = model.extract_feat(data['inputs'])
            proposals = model.rpn_head.predict(x, samples, rescale=False)[0].bboxes
        sizes = [feature.shape[-2:] for feature in x]
        anchors = model.rpn_head.prior_generator.grid_priors(sizes, device='cpu')
        anchors = torch.cat(anchors)
        anchors[:, 0::2].clamp_(0, 1120)
        anchors[:, 1::2].clamp_(0, 64)
        distance = (proposals[:, None] - anchors).abs().amax(-1).amin(-1)
        assert proposals[:, 2].max() > 1000 and distance.max() < 1e-3

    def test_labels_tell_several_classes_apart(self):
        (sample,) = predict(
            tiny_model(roi_head__bbox_head__num_classes=3), *one_picture()
        )
        people = sample.pred_instances
        assert people.labels.shape == people.bbox_scores.shape
        assert set(people.labels) <= {0, 1, 2}

    def test_of_a_copy_is_the_same(self):
        model = tiny_model()
        twin = copy.deepcopy(model)
        for each in zip(*(predict(m, *one_picture()) for m in (model, twin))):
            ours, theirs = (sample.pred_instances for sample in each)
            assert np.array_equal(ours.keypoints, theirs.keypoints)

    def test_raw_outputs(self):
        model = tiny_model().eval()
        data = collate(model, *one_picture())
        (outputs,) = model(**data, mode='tensor')
        assert outputs[-1].shape == (40, 17, 56, 56)


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Takes the ways that other devices than a CPU are taken."""

    def roi_align_operator(features, rois, output, scale, ratio, aligned):
        size = output.shape[2:]
        pooled = torch.ops.torchvision.roi_align(
            features, rois, scale, *size, ratio, aligned
        )
        output.copy_(pooled)

    monkeypatch.setattr(batched_nms, 'nms_one_by_one', batched_nms.nms_by_rounds)
    monkeypatch.setattr(roi_align, 'roi_align', roi_align_operator)
    limits = dict.fromkeys(bicubic.MAX_UPSAMPLED, bicubic.MAX_UPSAMPLED['other'])
    monkeypatch.setattr(bicubic, 'MAX_UPSAMPLED', limits)


class TestLaunches:
    """What a device is asked for does not grow with the images of a batch."""

    SIZE = (64, 96)
    KINDS = dict(
        one_look=dict(test_cfg__rescore_thr=0.2, **KINDS['all_levels']),
        flip_test=dict(test_cfg__flip_test=True),
    )

    def people(self, model, number):
        """What is launched from the feature maps on, and the people found."""
        pictures = [make_picture(*self.SIZE, seed) for seed in range(number)]
        data = collate(model, pictures, [make_sample(self.SIZE)] * number)
        images, samples = data['inputs'], data['data_samples']
        maps = [model.extract_feat(images) for _ in range(2)]
        in_turn = iter(maps)
        model.extract_feat = lambda _: next(in_turn)
        try:
            with LaunchCounter() as counter:
                model.predict(images, samples)
        finally:
            del model.extract_feat
        return counter.launches, [sample.pred_instances for sample in samples]

    @pytest.mark.parametrize('kind', KINDS)
    @torch.no_grad()
    def test_of_a_batch_are_at_most_twice_those_of_an_image(self, kind, as_on_a_gpu):
        model = tiny_model(test_cfg__rpn__nms_pre=40, **self.KINDS[kind]).eval()
        (one, _), (sixteen, _) = (self.people(model, number) for number in (1, 16))
        assert sixteen.total() <= 2 * one.total()

    @torch.no_grad()
    def test_on_a_cpu_of_a_batch_are_at_most_three_times_those_of_an_image(self):
        model = tiny_model().eval()
        (one, _), (sixteen, _) = (self.people(model, number) for number in (1, 16))
        assert sixteen.total() <= 3 * one.total()

    @torch.no_grad()
    def test_as_on_a_gpu_the_same_people_are_found(self, request):
        model = tiny_model(test_cfg__flip_test=True).eval()
        _, expected = self.people(model, 3)
        request.getfixturevalue('as_on_a_gpu')
        _, found = self.people(model, 3)
        for these, those in zip(found, expected):
            assert len(these) == len(those) > 0
            np.testing.assert_allclose(these.keypoints, those.keypoints, atol=0.02)


class TestFlipTest:
    SIZE = (64, 90)  # is padded to 64 x 96

    def mirrored(self, pictures):
        return [picture.flip(-1) for picture in pictures]

    @pytest.mark.parametrize('kind', KINDS)
    @pytest.mark.parametrize('decode_mode', ['bicubic', 'dark'])
    def test_the_mirrored_picture_gives_the_mirrored_people(self, kind, decode_mode):
        model = tiny_model(
            test_cfg__flip_test=True,
            roi_head__codec__decode_mode=decode_mode,
            **KINDS[kind],
        )
        pictures, samples = one_picture(self.SIZE)
        there = predict(model, pictures, samples)[0].pred_instances
        back = predict(model, self.mirrored(pictures), samples)[0].pred_instances

        width, flip_indices = self.SIZE[1], samples[0].flip_indices
        boxes, keypoints = back.bboxes.copy(), back.keypoints[:, flip_indices].copy()
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
        keypoints[..., 0] = width - 1 - keypoints[..., 0]
        scores = back.keypoint_scores[:, flip_indices]
        np.testing.assert_allclose(back.bbox_scores, there.bbox_scores, atol=1e-5)
        np.testing.assert_allclose(boxes, there.bboxes, atol=1e-3)
        np.testing.assert_allclose(scores, there.keypoint_scores, rtol=1e-3)
        # two pixels may be equally good
        distance = np.abs(keypoints - there.keypoints).max(-1)
        assert np.mean(distance < 0.02) > 0.98

    def test_changes_the_prediction(self):
        plain, flipped = (
            predict(tiny_model(test_cfg__flip_test=on), *one_picture(self.SIZE))
            for on in (False, True)
        )
        plain, flipped = plain[0].pred_instances, flipped[0].pred_instances
        assert np.abs(plain.bbox_scores - flipped.bbox_scores).max() > 1e-3

    def test_suppresses_the_boxes_of_both_together(self):
        model = tiny_model(test_cfg__flip_test=True, test_cfg__rcnn__max_per_img=30)
        people = predict(model, *one_picture(self.SIZE))[0].pred_instances
        boxes = torch.from_numpy(people.bboxes)
        corner = torch.maximum(boxes[:, None, :2], boxes[:, :2])
        end = torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
        overlap = (end - corner).clamp(min=0).prod(-1)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
        iou = overlap / (area[:, None] + area - overlap)
        assert iou.fill_diagonal_(0).max() <= 0.5 and len(boxes) <= 30

    def test_without_a_limit_everybody_is_kept(self):
        numbers = [
            len(
                predict(
                    tiny_model(
                        test_cfg__flip_test=True, test_cfg__rcnn__max_per_img=limit
                    ),
                    *one_picture(self.SIZE),
                )[0].pred_instances
            )
            for limit in (-1, 10**6)
        ]
        assert numbers[0] == numbers[1] > 1

    def test_pictures_of_a_batch_are_mirrored_in_their_own_widths(self):
        model = tiny_model(test_cfg__flip_test=True)
        sizes = [(64, 96), (64, 70)]
        pictures = [make_picture(*size, seed) for seed, size in enumerate(sizes)]
        samples = [make_sample(size) for size in sizes]
        data = collate(model.eval(), pictures, samples)
        metas = [sample.metainfo for sample in data['data_samples']]
        mirrored = mirror_images(data['inputs'], metas)
        expected = collate(model, self.mirrored(pictures), samples)['inputs']
        assert torch.equal(mirrored, expected)


def people_at(*offsets, num_keypoints=17, scores=None):
    """One pose, shifted in x; a hundred pixels wide and high."""
    pose = torch.linspace(0, 100, num_keypoints)[:, None].repeat(1, 2)
    shift = torch.tensor(offsets)[:, None, None] * torch.tensor([1.0, 0.0])
    keypoints = pose + shift
    if scores is None:
        scores = torch.linspace(0.9, 0.5, len(offsets))
    return InstanceData(
        keypoints=keypoints,
        keypoint_scores=torch.full((len(offsets), num_keypoints), 0.5),
        bboxes=torch.cat((keypoints[:, 0], keypoints[:, -1]), -1),
        scores=torch.as_tensor(scores),
        labels=torch.zeros(len(offsets), dtype=torch.long),
    )


class TestPostprocess:
    def test_does_nothing_by_default(self):
        people = people_at(0.0, 1.0, 400.0)
        result = tiny_model().postprocess(people)
        assert all(torch.equal(result[key], people[key]) for key in people.keys())

    def test_rescoring_multiplies_by_the_confident_keypoints_mean(self):
        model = tiny_model(num_keypoints=4, test_cfg__rescore_thr=0.2)
        people = people_at(0.0, 400.0, 800.0, num_keypoints=4, scores=[0.9, 0.8, 0.7])
        people.keypoint_scores = torch.tensor(
            [[0.3, 0.2, 0.1, 0.5], [0.9, 0.9, 0.9, 0.9], [0.1, 0.0, 0.2, 0.1]]
        )
        result = model.postprocess(people)
        assert result.scores.tolist() == pytest.approx([0.8 * 0.9, 0.9 * 0.4, 0.0])
        assert result.bboxes[:, 0].tolist() == [400.0, 0.0, 800.0]

    def test_rescoring_nobody(self):
        assert len(tiny_model(test_cfg__rescore_thr=0.2).postprocess(people_at())) == 0

    def test_oks_nms_removes_doubles(self):
        model = tiny_model(test_cfg__pose_nms=dict(type='oks_nms', thr=0.9))
        people = people_at(0.0, 400.0, 0.5, 401.0, scores=[0.6, 0.9, 0.7, 0.5])
        result = model.postprocess(people)
        assert result.scores.tolist() == pytest.approx([0.9, 0.7])
        assert result.keypoints[:, 0, 0].tolist() == [400.0, 0.5]

    def test_oks_nms_keeps_people_side_by_side(self):
        model = tiny_model(test_cfg__pose_nms=dict(type='oks_nms', thr=0.9))
        assert len(model.postprocess(people_at(0.0, 60.0, 120.0))) == 3

    def test_soft_oks_nms_lowers_the_scores_of_doubles(self):
        model = tiny_model(test_cfg__pose_nms=dict(type='soft_oks_nms', thr=0.5))
        people = people_at(0.0, 0.0, 400.0, 0.0, scores=[0.9, 0.8, 0.7, 0.6])
        result = model.postprocess(people)
        decay = np.exp(-1 / 0.5)
        assert result.keypoints[:, 0, 0].tolist() == [0.0, 400.0, 0.0, 0.0]
        assert result.scores.tolist() == pytest.approx(
            [0.9, 0.7, 0.8 * decay, 0.6 * decay**2]
        )

    @pytest.mark.parametrize('type_', ['oks_nms', 'soft_oks_nms'])
    def test_other_skeletons_bring_their_sigmas(self, type_):
        nms = dict(type=type_, thr=0.9, sigmas=[0.05] * 5)
        model = tiny_model(num_keypoints=5, test_cfg__pose_nms=nms)
        result = model.postprocess(people_at(0.0, 0.1, 400.0, num_keypoints=5))
        assert (result.scores > 0.45).sum() == 2

    def test_sigmas_are_the_data_sets_unless_given(self):
        nms = dict(type='oks_nms', thr=0.5)
        model = tiny_model(num_keypoints=5, test_cfg__pose_nms=nms)
        with pytest.raises(ConfigValueError, match='5 keypoints.* COCO has 17'):
            model.postprocess(people_at(0.0, 60.0, num_keypoints=5))
        for sigma, left in ((0.05, 2), (2.0, 1)):
            model.dataset_meta = dict(sigmas=np.full(5, sigma, np.float32))
            people = people_at(0.0, 60.0, num_keypoints=5)
            assert len(model.postprocess(people)) == left

    def test_wide_sigmas_take_neighbours_for_doubles(self):
        nms = dict(type='oks_nms', thr=0.5, sigmas=[2.0] * 5)
        model = tiny_model(num_keypoints=5, test_cfg__pose_nms=nms)
        assert len(model.postprocess(people_at(0.0, 60.0, num_keypoints=5))) == 1

    @pytest.mark.parametrize('type_', ['oks_nms', 'soft_oks_nms'])
    def test_pose_nms_of_nobody(self, type_):
        model = tiny_model(test_cfg__pose_nms=dict(type=type_, thr=0.9))
        assert len(model.postprocess(people_at())) == 0

    def test_reaches_the_prediction(self):
        nms = dict(type='oks_nms', thr=0.05)
        plain = predict(tiny_model(), *one_picture())
        fewer = predict(tiny_model(test_cfg__pose_nms=nms), *one_picture())
        assert 0 < len(fewer[0].pred_instances) < len(plain[0].pred_instances)

    def test_masks_and_scores_stay_together(self):
        model = tiny_model(mask=True, test_cfg__rescore_thr=0.0)
        people = predict(model, *one_picture())[0].pred_instances
        plain = predict(tiny_model(mask=True), *one_picture())[0].pred_instances
        order = [np.abs(plain.bboxes - box).sum(-1).argmin() for box in people.bboxes]
        assert order != sorted(order)
        assert (people.masks == plain.masks[order]).all()


def test_frozen_norms_of_a_resnet_are_folded():
    model = tiny_model(backbone__norm_cfg=dict(type='mmdet.FrozenBN')).eval()
    norms = [m for m in model.backbone.modules() if isinstance(m, FrozenBatchNorm2d)]
    assert norms and all(isinstance(norm, FoldedNorm) for norm in norms)


class TestWinograd:
    @pytest.mark.parametrize(
        ('capability', 'given', 'used'),
        [
            ('AVX2', None, True),
            ('AVX512', None, True),
            ('DEFAULT', None, False),
            ('AVX2', False, False),
            ('DEFAULT', True, True),
        ],
    )
    def test_is_used_where_it_helps_or_is_asked_for(
        self, monkeypatch, capability, given, used
    ):
        monkeypatch.setattr(WinogradConv2d, 'MIN_CHANNELS', 1)
        monkeypatch.setattr(
            torch.backends.cpu, 'get_cpu_capability', lambda: capability
        )
        model = tiny_model(test_cfg__winograd=given).eval()
        found = [m for m in model.modules() if isinstance(m, WinogradConv2d)]
        assert bool(found) == used

    @pytest.mark.parametrize('kind', ['gcm', 'conv'])
    def test_finds_the_same_people(self, monkeypatch, kind):
        monkeypatch.setattr(WinogradConv2d, 'MIN_CHANNELS', 1)
        monkeypatch.setattr(WinogradConv2d, 'MIN_NUMEL', 1)
        plain, fast = (
            predict(tiny_model(head=kind, test_cfg__winograd=winograd), *one_picture())[
                0
            ].pred_instances
            for winograd in (False, True)
        )
        for name in ('bboxes', 'bbox_scores', 'keypoint_scores'):
            np.testing.assert_allclose(fast[name], plain[name], rtol=1e-3, atol=1e-3)
        assert len(plain) > 0


class TestHeatmaps:
    @pytest.mark.parametrize('thr', [0.0, 1.1])
    def test_cover_the_original_picture(self, thr):
        model = tiny_model(
            num_keypoints=5,
            test_cfg__output_heatmaps=True,
            test_cfg__rcnn__score_thr=thr,
        )
        pictures, samples = one_picture(scale_factor=(2.0, 0.5), num_keypoints=5)
        (sample,) = predict(model, pictures, samples)
        heatmaps = sample.pred_fields.heatmaps
        assert heatmaps.shape == (5, 128, 48)
        assert bool(heatmaps.any()) == (thr == 0)

    def test_are_those_of_people_over_the_threshold(self):
        model = tiny_model(test_cfg__output_heatmaps=True)
        (sample,) = predict(model, *one_picture())
        scores = sample.pred_instances.bbox_scores
        everybody = sample.pred_fields.heatmaps
        model.test_cfg.heatmap_thr = float(scores[1])
        (sample,) = predict(model, *one_picture())
        model.test_cfg.heatmap_thr = -1.0
        model.roi_head.test_cfg.max_per_img = 1
        (best,) = predict(model, *one_picture())
        assert len(sample.pred_instances) == len(scores)
        found, of_best = (each.pred_fields.heatmaps for each in (sample, best))
        torch.testing.assert_close(found, of_best, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(found, everybody, atol=1e-2)

    def test_peak_where_the_keypoints_are(self):
        model = tiny_model(
            test_cfg__output_heatmaps=True,
            test_cfg__rcnn__max_per_img=1,
            roi_head__codec__decode_mode='argmax',
        )
        # an untrained head's maps are too flat to have one peak
        model.roi_head.keypoint_head.deconv.weight.data *= 30
        pictures, samples = one_picture(scale_factor=(0.25, 0.25))
        (sample,) = predict(model, pictures, samples)
        heatmaps = sample.pred_fields.heatmaps
        height, width = heatmaps.shape[1:]
        (keypoints,) = sample.pred_instances.keypoints.round().astype(int)
        inside = ((keypoints >= 0) & (keypoints < [width, height])).all(-1)
        columns, rows = keypoints[inside].T
        at_keypoints = heatmaps[np.flatnonzero(inside), rows, columns]
        assert inside.sum() > 3
        assert at_keypoints.min() > 0.6 and heatmaps.mean() < 0.1

    def test_are_not_kept_unless_asked_for(self):
        (sample,) = predict(tiny_model(), *one_picture())
        assert 'pred_fields' not in sample
        assert 'keypoint_logits' not in sample.pred_instances


class TestMixedPrecision:
    @pytest.mark.parametrize(
        ('amp_dtype', 'able', 'dtype'),
        [
            (None, True, torch.float32),
            ('bfloat16', True, torch.bfloat16),
            ('bfloat16', False, torch.float32),
        ],
    )
    def test_layers_compute_in_what_is_asked_for_and_results_are_float32(
        self, monkeypatch, amp_dtype, able, dtype
    ):
        monkeypatch.setattr(precision, 'can_autocast', lambda *args: able)
        model = tiny_model(test_cfg__amp_dtype=amp_dtype)
        seen = set()

        def see(module, args, output):
            seen.add(output.logits.dtype)

        model.roi_head.keypoint_head.register_forward_hook(see)
        people = predict(model, *one_picture())[0].pred_instances
        assert seen == {dtype}
        for name in ('bboxes', 'bbox_scores', 'keypoints', 'keypoint_scores'):
            assert people[name].dtype == np.float32

    @pytest.mark.parametrize(('option', 'allowed'), [(None, False), (True, True)])
    def test_float32_is_rounded_to_tf32_only_if_asked_for(
        self, monkeypatch, option, allowed
    ):
        asked = []
        monkeypatch.setattr(
            keypoint_rcnn,
            'tensor_float32',
            lambda *args: asked.append(args) or nullcontext(),
        )
        predict(tiny_model(test_cfg__tf32=option), *one_picture())
        assert asked == [(allowed, 'cpu')]


class TestOptions:
    @pytest.mark.parametrize(
        ('options', 'message'),
        [
            (dict(test_cfg__flip_tset=True), r'flip_tset.*flip_test'),
            (dict(test_cfg__flip_test='No'), "flip_test='No': give True or False"),
            (dict(test_cfg__amp_dtype='half'), r"amp_dtype='half'.*bfloat16"),
            (dict(test_cfg__amp_dtype=[1]), r'amp_dtype=\[1\].*bfloat16'),
            (
                dict(test_cfg__pose_nms=dict(type='nms', thr=0.9)),
                "pose_nms.type='nms'.*oks_nms",
            ),
            (
                dict(test_cfg__pose_nms=dict(type='oks_nms')),
                'takes type, thr and sigmas',
            ),
            (
                dict(test_cfg__pose_nms=dict(type='oks_nms', thr=0.9, sigma=1)),
                'takes type, thr and sigmas',
            ),
            (
                dict(
                    num_keypoints=14,
                    test_cfg__pose_nms=dict(type='oks_nms', thr=0.9, sigmas=[0.1] * 13),
                ),
                'sigmas.*14 keypoints.*got 13',
            ),
        ],
    )
    def test_wrong_ones_are_refused_when_the_model_is_built(self, options, message):
        with pytest.raises(ConfigValueError, match=message):
            tiny_model(**options)

    def test_a_misspelt_one_of_the_model_is_refused(self):
        with pytest.raises(TypeError, match='roi_haed'):
            tiny_model(roi_haed=dict())

    def test_building_logs_which_operators_serve(self, monkeypatch):
        calls = []
        monkeypatch.setattr(keypoint_rcnn, 'log_backend', lambda: calls.append(1))
        tiny_model()
        assert calls == [1]


class TestImagePyramid:
    """The network sees the image whole, and at half its size."""

    @staticmethod
    def models():
        """The same weights, with and without the pyramid."""
        model, plain = tiny_model(**PYRAMID), tiny_model()
        plain.load_state_dict(model.state_dict())
        return model.eval(), plain.eval()

    def test_maps_are_the_two_finest_and_those_of_half_the_size(self):
        model, plain = self.models()
        half = torch.rand(1, 3, 64, 96)
        whole = half.repeat_interleave(2, -1).repeat_interleave(2, -2)

        with torch.no_grad():
            maps = model.extract_feat(whole)
            of_whole, of_half = plain.extract_feat(whole), plain.extract_feat(half)

        expected = [of_whole[0], of_half[0], of_whole[1], *of_half[1:]]
        assert len(maps) == len(expected)
        for found, each in zip(maps, expected):
            torch.testing.assert_close(found, each, rtol=1e-4, atol=1e-5)

    def test_half_of_an_image_is_padded_as_an_image(self):
        model, _ = self.models()

        with torch.no_grad():
            maps = model.extract_feat(torch.rand(1, 3, 96, 32))

        assert [tuple(each.shape[2:]) for each in maps[:4]] == [
            (24, 8),
            (16, 8),
            (12, 4),
            (8, 4),
        ]

    def test_large_people_are_those_of_the_image_at_half_its_size(self):
        model, plain = self.models()
        half = make_picture(192, 256)
        whole = half.repeat_interleave(2, -1).repeat_interleave(2, -2)
        boxes = torch.tensor([[20.0, 10.0, 150.0, 170.0], [90.0, 5.0, 230.0, 180.0]])

        def heatmaps(model, image, boxes):
            sample = make_sample(image.shape[1:])
            images = collate(model, [image], [sample])['inputs']
            with torch.no_grad():
                (found,) = model.roi_head.predict_keypoint(
                    model.extract_feat(images),
                    [sample.metainfo],
                    [InstanceData(bboxes=boxes)],
                )
            return found.keypoint_logits

        large = heatmaps(model, whole, 2 * boxes)
        small = heatmaps(plain, half, boxes)
        torch.testing.assert_close(large, small, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(
        ('changes', 'message'),
        [
            (
                dict(rpn_head__anchor_generator__strides=[4, 8, 16, 32, 64]),
                r'rpn_head.anchor_generator.strides=\[4, 8, 16, 32, 64\].*'
                r'\[8, 16, 32, 64, 128\]',
            ),
            (
                dict(roi_head__bbox_roi_extractor__levels=[0, 1, 2, 3]),
                r'roi_head.bbox_roi_extractor.featmap_strides=.*\[4, 8, 8, 16\]',
            ),
            (
                dict(roi_head__keypoint_roi_extractor__featmap_strides=[2, 4]),
                r'roi_head.keypoint_roi_extractor.featmap_strides=\[2, 4\].*\[4, 8\]',
            ),
            (dict(mask=True), r'roi_head.mask_roi_extractor.featmap_strides'),
            (
                dict(roi_head__bbox_roi_extractor__levels=[0, 2, 3, 9]),
                'bbox_roi_extractor.levels=.* from 0 to 6',
            ),
            (
                dict(image_pyramid=False),
                'bbox_roi_extractor.* does not fit .*image_pyramid=True, or',
            ),
        ],
    )
    def test_strides_of_another_network_are_refused(self, changes, message):
        with pytest.raises(ConfigValueError, match=message):
            tiny_model(**{**PYRAMID, **changes})

    @pytest.mark.parametrize('broken', [(16, 24), (8, 16)])
    def test_an_overflow_at_either_size_is_an_error(self, broken):
        model, _ = self.models()
        run = model.neck.forward
        sizes = []

        def overflow_once(maps):
            sizes.append(tuple(maps[0].shape[2:]))
            excess = torch.inf if sizes[-1] == broken else 0
            return tuple(each + excess for each in run(maps))

        model.neck.forward = overflow_once
        with pytest.raises(NonFiniteError):
            predict(model, *one_picture())
        assert sizes == [(16, 24), (8, 16)]
