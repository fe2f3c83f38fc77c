# Copyright (c) onestage_pose contributors.
"""Pack an image and its people for a detector with keypoints."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import TRANSFORMS

from ...utils.arguments import check_arguments

# what mmpose packs; the image is packed here
_NO_IMAGE = np.zeros((1, 1, 1), np.uint8)


@TRANSFORMS.register_module()
class PackKeypointRCNNInputs(PackPoseInputs):
    """Pack ``img`` as a tensor and all else as a PoseDataSample.

    - ``inputs``: (3, h, w), the dtype of ``img``, BGR.
    - ``data_samples.gt_instances``: mmpose's numpy annotations, for drawing.
    - ``data_samples.gt_instance_labels``: what the loss takes, of N people in the
      frame of ``inputs``: ``bboxes`` (N, 4) float32 xyxy in edge coordinates,
      ``labels`` (N,) int64, ``bbox_label`` or zeros, ``keypoints`` (N, K, 2) float32
      with the centre of the top-left pixel at (0, 0), ``keypoints_visible`` (N, K)
      float32, above 0 where labelled, ``visibility_targets`` (N, K, 2) int8 where the
      data set gives them, and mmdet's ``masks`` if they were loaded. Empty if the image
      has no annotations, or if they are in another frame
      (``PoseResize(image_only=True)``).
    - ``data_samples.ignored_instances``: ``bboxes`` (M, 4) of the crowd regions
      (``iscrowd`` 1), which are not among the labels; only if there are any. mmdet's
      assigners use them if ``ignore_iof_thr`` is above 0.

    Args:
        meta_keys (Sequence[str]): Keys to copy into the sample's metainfo, if they are
            there. ``scale_factor`` (w, h) is 1 for an image that was not resized.
            ``keypoint_categories`` is always copied.
        pack_transformed (bool): As in mmpose's PackPoseInputs.
    """

    label_mapping_table = dict(
        bbox='bboxes',
        bbox_label='labels',
        keypoints='keypoints',
        keypoints_visible='keypoints_visible',
        visibility_targets='visibility_targets',
        gt_masks='masks',
    )

    @check_arguments
    def __init__(
        self,
        meta_keys: Sequence[str] = (
            'id',
            'img_id',
            'img_path',
            'crowd_index',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'flip',
            'flip_direction',
            'flip_indices',
            'raw_ann_info',
            'dataset_name',
            'keypoints_only',
        ),
        pack_transformed: bool = False,
    ) -> None:
        # without them a model of several categories would give all keypoints to all
        keys = dict.fromkeys((*meta_keys, 'keypoint_categories'))
        super().__init__(meta_keys=tuple(keys), pack_transformed=pack_transformed)

    def transform(self, results: dict) -> dict:
        """Pack the image and its annotations.

        Args:
            results (dict): Holds ``img`` (h, w, 3), ``img_shape`` and, for an image
                with annotations, the keys :class:`PersonKeypointsDataset` gives.

        Returns:
            dict: ``inputs`` and ``data_samples``.
        """
        results = dict(results)
        results.setdefault('scale_factor', (1.0, 1.0))
        if not results.get('annotations_resized', True):
            results['label_mapping_table'] = {}
        elif 'bbox' in results and 'bbox_label' not in results:
            results['bbox_label'] = np.zeros(len(results['bbox']), np.int64)
        image = results['img']
        packed = super().transform({**results, 'img': _NO_IMAGE})
        packed['inputs'] = image_to_tensor(image)
        # Tensors made of numpy arrays share their memory; the loss must not reach
        # into gt_instances.
        labels = packed['data_samples'].gt_instance_labels
        for key, value in labels.items():
            if hasattr(value, 'clone'):
                labels.set_field(value.clone(), key)
        crowd = np.asarray(results.get('iscrowd', ())) > 0
        if crowd.any() and 'bboxes' in labels:
            sample = packed['data_samples']
            sample.ignored_instances = InstanceData(bboxes=labels.bboxes[crowd])
            sample.gt_instance_labels = labels[~crowd]
        return packed


def image_to_tensor(image: np.ndarray) -> torch.Tensor:
    """Return an image (h, w, C) as a tensor (C, h, w), copied by one thread.

    PyTorch copies with a team of OpenMP threads, and each thread that loads images has
    a team of its own. GNU's OpenMP counts them all: with more of them than cores, those
    of the network no longer spin while they wait, and small layers take longer.
    """
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
