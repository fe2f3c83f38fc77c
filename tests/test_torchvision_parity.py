# Copyright (c) onestage_pose contributors.
"""This project computes what torchvision's own Keypoint R-CNN does.

With random weights, which go through the converter: file, names, order of classes.
"""

from contextlib import contextmanager

from onestage_pose.checkpoints.converters import convert_checkpoint
from onestage_pose.models import RoIFeatureExtractor
from onestage_pose.utils import get_config_path

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import bbox2roi
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmpose.apis import init_model
from torchvision.ops.poolers import initLevelMapper

from tests.model_factory import make_picture
from tests.torchvision_model import (
    MAX_SIZE,
    MIN_SIZE,
    NUM_PEOPLE,
    NUM_PROPOSALS,
    predict_by_torchvision,
    torchvision_model,
)

CONFIG = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_torchvision_coco.py'
LEGACY = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_torchvision-legacy_coco.py'
# (height, width): enlarged and shrunk, long sides that reach the bound, odd ones
SIZES = [(150, 200), (333, 500), (401, 181), (120, 300)]

BOX, SCORE, KEYPOINT = 0.05, 1e-3, 0.05
# of the side of a box, in pixels of the resized image
ROUNDING = 0.02


def picture(index, seed=None):
    """An image (H, W, 3) uint8 BGR whose colours are not in balance."""
    blots = (
        make_picture(*SIZES[index], seed=index if seed is None else seed)
        .permute(1, 2, 0)
        .float()
    )
    return (blots * torch.tensor([1.0, 0.7, 0.4])).byte().numpy()


@pytest.fixture(scope='module')
def theirs():
    return torchvision_model()


@pytest.fixture(scope='module')
def expected(theirs):
    """What torchvision finds in each image by itself."""
    return [predict_by_torchvision(theirs, [picture(i)])[0] for i in range(len(SIZES))]


@pytest.fixture(scope='module')
def config():
    cfg = Config.fromfile(get_config_path(CONFIG))
    cfg.model.test_cfg.rpn.max_per_img = NUM_PROPOSALS
    cfg.model.test_cfg.rcnn.max_per_img = NUM_PEOPLE
    cfg.test_dataloader.dataset.pipeline[1].scale = (MAX_SIZE, MIN_SIZE)
    return cfg


@pytest.fixture(scope='module')
def checkpoint(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp('torchvision')
    torch.save(theirs.state_dict(), folder / 'theirs.pth')
    convert_checkpoint(folder / 'theirs.pth', folder / 'ours.pth')
    return str(folder / 'ours.pth')


@pytest.fixture(scope='module')
def ours(config, checkpoint):
    return init_model(config.copy(), checkpoint, device='cpu')


def predict(model, images):
    """What the model finds in images, as one batch of its test pipeline."""
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    meta = model.dataset_meta
    data = [
        pipeline(dict(img=image, img_id=i, **meta)) for i, image in enumerate(images)
    ]
    with torch.no_grad():
        results = model.test_step(pseudo_collate(data))
    return [each.pred_instances for each in results]


def agrees(found, expected, size):
    """Whether both have found the same people, in the same order.

    Heatmaps are enlarged to a box's size in the resized image, rounded up. Keypoints do
    not count where the last bits of a float decide how it is rounded.
    """
    if len(found.bboxes) != len(expected['boxes']) or not len(found.bboxes):
        return False
    expected_boxes = expected['boxes'].numpy()
    boxes = np.abs(found.bboxes - expected_boxes)
    scores = np.abs(found.bbox_scores - expected['scores'].numpy())
    keypoints = np.abs(found.keypoints - expected['keypoints'][..., :2].numpy())
    factor = min(MIN_SIZE / min(size), MAX_SIZE / max(size))
    sides = (expected_boxes[:, 2:] - expected_boxes[:, :2]) * factor
    clear = (np.abs(sides - sides.round()) > ROUNDING).all(-1)
    if clear.sum() < len(clear) / 2:
        return False
    far = keypoints[clear].max(-1) > KEYPOINT
    # 1% of an image's: of two pixels that are equally high, either may be the keypoint
    return bool(boxes.max() <= BOX and scores.max() <= SCORE and far.sum() <= 1)


@pytest.mark.parametrize('index', range(len(SIZES)))
def test_finds_the_same_people(ours, expected, index):
    (found,) = predict(ours, [picture(index)])

    assert agrees(found, expected[index], SIZES[index])


def test_finds_the_same_people_in_a_batch(ours, theirs):
    images = [picture(1), picture(1, seed=2)]
    expected = predict_by_torchvision(theirs, images)

    found = predict(ours, images)

    assert all(map(agrees, found, expected, [SIZES[1]] * 2))


def test_images_of_another_size_in_the_batch_change_nothing(ours, expected):
    # torchvision's padding of the smaller one does, Keypoint R-CNN's here does not
    found = predict(ours, [picture(1), picture(2)])

    assert all(map(agrees, found, expected[1:3], SIZES[1:3]))


def test_norms_of_the_legacy_weights_have_the_usual_epsilon(tmp_path):
    theirs = torchvision_model(eps=1e-5)
    # a variance beside which the epsilon counts
    theirs.backbone.body.bn1.running_var.fill_(1e-5)
    theirs.backbone.body.bn1.weight.data.mul_(1e-3)
    torch.save(theirs.state_dict(), tmp_path / 'theirs.pth')
    legacy = get_config_path(LEGACY)
    convert_checkpoint(tmp_path / 'theirs.pth', tmp_path / 'ours.pth', legacy)
    ours = init_model(str(legacy), str(tmp_path / 'ours.pth'), device='cpu')
    image = torch.randn(1, 3, 64, 64)

    with torch.no_grad():
        found, expected = ours.extract_feat(image), theirs.backbone(image)

    torch.testing.assert_close(found[0], expected['0'], rtol=1e-3, atol=1e-3)


def test_features_come_from_the_same_level():
    sides = torch.cat((torch.linspace(1, 900, 4000), torch.tensor([112.0, 224, 448])))
    boxes = torch.stack((0 * sides, 0 * sides, sides, 0.7 * sides), -1)
    square = torch.stack((0 * sides, 0 * sides, sides, sides), -1)
    boxes = torch.cat((boxes, square))
    extractor = RoIFeatureExtractor(
        dict(type='RoIAlign', output_size=7), 8, [4, 8, 16, 32]
    )

    levels = extractor.map_roi_levels(bbox2roi([boxes]), 4)

    assert torch.equal(levels, initLevelMapper(2, 5)([boxes]))


@contextmanager
def filled(tensor, values):
    """Let a tensor have other values within the block."""
    before = tensor.clone()
    tensor.copy_(values)
    try:
        yield
    finally:
        tensor.copy_(before)


class TestTheComparison:
    """It would notice what no shape of an array tells."""

    def test_sees_a_wrong_pixel_scale(self, ours, expected):
        std = ours.data_preprocessor.std

        with filled(std, std * 1.02):
            assert not agrees(*predict(ours, [picture(0)]), expected[0], SIZES[0])

    def test_sees_a_wrong_order_of_colours(self, ours, expected, monkeypatch):
        monkeypatch.setattr(ours.data_preprocessor, '_channel_conversion', False)

        assert not agrees(*predict(ours, [picture(0)]), expected[0], SIZES[0])

    def test_sees_swapped_classes(self, ours, expected):
        weight = ours.roi_head.bbox_head.fc_cls.weight.data

        with filled(weight, weight.flip(0)):
            assert not agrees(*predict(ours, [picture(0)]), expected[0], SIZES[0])

    def test_sees_half_a_pixel_of_the_keypoints(self, ours, expected, monkeypatch):
        head = ours.roi_head.keypoint_head
        monkeypatch.setattr(head, 'continuous_keypoints', False)

        assert not agrees(*predict(ours, [picture(0)]), expected[0], SIZES[0])
