# Copyright (c) onestage_pose contributors.
"""torchvision's own Keypoint R-CNN with random weights that tell people apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import resnet50
from torchvision.models.detection import KeypointRCNN
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import FrozenBatchNorm2d

from tests.model_factory import make_picture

#: Shorter and longer side that images are resized to, few proposals and people: small,
#: for the sake of time.
MIN_SIZE, MAX_SIZE = 208, 347
NUM_PROPOSALS, NUM_PEOPLE = 150, 6


def torchvision_model(seed: int = 0, eps: float = 0.0) -> KeypointRCNN:
    """Build the model as ``keypointrcnn_resnet50_fpn(weights=...)`` does.

    Args:
        seed: Of the weights.
        eps: Of the frozen batch norms; 0 for ``COCO_V1``, 1e-5 for ``COCO_LEGACY``.
    """
    torch.manual_seed(seed)
    trunk = resnet50(weights=None, norm_layer=nn.BatchNorm2d)
    _calibrate(trunk)
    frozen = resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    frozen.load_state_dict(trunk.state_dict(), strict=False)
    model = KeypointRCNN(
        _resnet_fpn_extractor(frozen, 3),
        num_classes=2,
        min_size=MIN_SIZE,
        max_size=MAX_SIZE,
        rpn_post_nms_top_n_test=NUM_PROPOSALS,
        box_detections_per_img=NUM_PEOPLE,
    )
    overwrite_eps(model, eps)
    model.eval()
    with torch.no_grad():
        _tell_apart(model)
    return model


def _calibrate(trunk: nn.Module) -> None:
    """Give the norms statistics under which activations stay in bounds."""
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.2)
    trunk.train()
    with torch.no_grad():
        trunk(_normalised_picture())


def _normalised_picture() -> Tensor:
    picture = make_picture(160, 192, seed=99).float()[None]
    return (picture - picture.mean()) / picture.std()


def _tell_apart(model: KeypointRCNN) -> None:
    """Spread the logits and deltas, which are all alike in a new model."""
    picture = _normalised_picture()
    size = tuple(picture.shape[-2:])
    images = ImageList(picture, [size])
    features = model.backbone(images.tensors)
    rpn, heads = model.rpn, model.roi_heads
    logits, deltas = rpn.head(list(features.values()))
    _spread(rpn.head.cls_logits, torch.cat([each.flatten() for each in logits]), 2.0)
    _spread(rpn.head.bbox_pred, torch.cat([each.flatten() for each in deltas]), 0.3)
    proposals, _ = rpn(images, features)
    pooled = heads.box_head(heads.box_roi_pool(features, proposals, [size]))
    logits, deltas = heads.box_predictor(pooled)
    _spread(heads.box_predictor.cls_score, logits, 1.0)
    _spread(heads.box_predictor.bbox_pred, deltas, 1.0)


def _spread(layer: nn.Module, outputs: Tensor, std: float) -> None:
    """Give the outputs of a layer a standard deviation and a mean of 0."""
    factor = std / outputs.std()
    layer.weight *= factor
    layer.bias.copy_((layer.bias - outputs.mean()) * factor)


@torch.no_grad()
def predict_by_torchvision(model: KeypointRCNN, images: list) -> list[dict]:
    """Predict people in images (H, W, 3) uint8 BGR, in their own pixels."""
    return model([_to_tensor(image) for image in images])


def _to_tensor(image) -> Tensor:
    rgb = torch.from_numpy(image[..., ::-1].copy())
    return rgb.permute(2, 0, 1).float() / 255
