# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.utils import to_2tuple
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from ..structures.metainfo import load_sigmas, read_sigmas
from ..utils.arguments import NonNegativeInt, PositiveInt, check_arguments
from .decoders import DECODERS, PERSON_AREA_RATIO, SCORES, DecoderOptions
from .decoders.grid import grid_size


@KEYPOINT_CODECS.register_module()
class RoIHeatmap(BaseKeypointCodec):
    """Encode each keypoint as a bin of the person's own box, as in Mask R-CNN.

    Every person's box is cut into W x H bins. A keypoint is the bin that holds
    it, learned by softmax cross-entropy over the bins; decoding finds the
    maximum of the logits, between the bins where asked to. All methods take
    tensors, on any device, and are vectorised over people.

    Note:

        - people: N, keypoints of a person: K, bins: [W, H]
        - boxes: (N, 4) x1, y1, x2, y2. Boxes and keypoints share one frame in
          continuous coordinates, where the first pixel covers 0 to 1; this
          class knows nothing of images.

    Encoded:

        - keypoint_labels (Tensor): (N, K) int64, ``row * W + column`` of the
          bin; 0 where the weight is 0
        - keypoint_weights (Tensor): (N, K) float32, 1 where the keypoint is
          labelled and inside the box, else 0

    Args:
        heatmap_size (int | tuple[int, int]): Bins [W, H] of a box.
        decode_mode (str): Where :meth:`decode` looks for the maximum.

            - ``'bicubic'``: of the logits upsampled to the box's size in pixels,
              rounded up, as Detectron2 and the released program of arXiv 2301.04842 do.
            - ``'argmax'``: the centre of the highest bin.
            - ``'quarter'``: that, moved a quarter of a bin towards the higher
              neighbour in x and in y (Stacked Hourglass, arXiv 1603.06937).
            - ``'dark'``: that, moved to the maximum of a second-order Taylor
              expansion of the blurred log-distribution (DARK, arXiv
              1910.06278).
            - ``'expected_oks'``: the position that maximises the expected object
              keypoint similarity (OKS) under the distribution (ProbPose, arXiv
              2412.02254): the maximum of the distribution blurred by OKS's own
              tolerance, between the bins by Newton's method. Best if the distribution
              is wide or has several peaks.
        score_mode (str): What a keypoint's score is.

            - ``'peak'``: softmax of the logit at the maximum over all bins, as
              in Detectron2. It falls as the distribution widens, 0.1 being
              high for a large box; with ``'bicubic'``, whose upsampling
              overshoots, it may exceed the highest bin's, and even 1.
            - ``'window'``: the probability of the bins within ``window`` of
              the highest one, which says how certain the position is and suits the
              usual drawing threshold of 0.3.
            - ``'expected_oks'``: the expected object keypoint similarity of the decoded
              position.
        window (int): Reach of ``'window'``, in bins to every side.
        blur_kernel_size (int): Gaussian blur of ``'dark'``, in bins, odd.
        sigmas (Sequence[float], optional): Sigmas of OKS of the K keypoints, for
            ``'expected_oks'``. By default those of the data set (:meth:`follow`);
            COCO's 17 until a data set is known.
        area_ratio (float): Ratio of a person's area to the area of the box, for
            ``'expected_oks'``: about 0.53 for COCO's boxes, and 0.53 / s² for boxes
            widened by s.

    Raises:
        ValueError: A mode is unknown, ``blur_kernel_size`` is even, or ``sigmas`` or
            ``area_ratio`` are not positive.
    """

    auxiliary_encode_keys = {'boxes'}
    label_mapping_table = dict(
        keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights'
    )

    DECODE_MODES = tuple(DECODERS)
    SCORE_MODES = tuple(SCORES)

    @check_arguments
    def __init__(
        self,
        heatmap_size: PositiveInt | tuple[PositiveInt, PositiveInt] = 56,
        decode_mode: str = 'bicubic',
        score_mode: str = 'peak',
        window: NonNegativeInt = 2,
        blur_kernel_size: PositiveInt = 11,
        sigmas: Sequence[float] | None = None,
        area_ratio: float = PERSON_AREA_RATIO,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('decode_mode', decode_mode, DECODERS),
            ('score_mode', score_mode, SCORES),
        ):
            if value not in known:
                raise ValueError(
                    f'RoIHeatmap: {name}={value!r} is unknown, use one of '
                    f'{", ".join(map(repr, known))}.'
                )
        if blur_kernel_size % 2 == 0:
            raise ValueError(
                f'RoIHeatmap: blur_kernel_size={blur_kernel_size} must be odd.'
            )
        self._sigmas = None if sigmas is None else tuple(sigmas)
        self._dataset_sigmas: tuple[float, ...] | None = None
        if not all(value > 0 for value in (area_ratio, *(self._sigmas or ()))):
            raise ValueError(
                f'RoIHeatmap: area_ratio={area_ratio} and sigmas={sigmas} must be '
                f'positive.'
            )
        self.heatmap_size = tuple(to_2tuple(heatmap_size))
        self.decode_mode = decode_mode
        self.score_mode = score_mode
        self.window = window
        self.blur_kernel_size = blur_kernel_size
        self.area_ratio = area_ratio

    @property
    def sigmas(self) -> tuple[float, ...]:
        """tuple[float]: (K,) sigmas of OKS: those given, else the data set's, else
        COCO's.
        """
        return self._sigmas or self._dataset_sigmas or load_sigmas()

    @property
    def needs_sigmas(self) -> bool:
        """bool: Whether decoding uses them."""
        return 'expected_oks' in (self.decode_mode, self.score_mode)

    def follow(self, metainfo: Mapping[str, Any]) -> None:
        """Take the sigmas of a data set, unless some were given.

        Args:
            metainfo (Mapping): Metainfo as mmpose parses it; without sigmas, nothing
                changes.
        """
        self._dataset_sigmas = read_sigmas(metainfo) or self._dataset_sigmas

    def encode(
        self,
        keypoints: Tensor,
        keypoints_visible: Tensor | None = None,
        boxes: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Find the bin of each keypoint.

        A point exactly on the right or lower edge belongs to the last bin.

        Args:
            keypoints (Tensor): (N, K, 2) x, y.
            keypoints_visible (Tensor, optional): (N, K), above 0 where the
                keypoint is labelled. All are by default.
            boxes (Tensor): (N, 4).

        Returns:
            dict[str, Tensor]: ``keypoint_labels`` and ``keypoint_weights``.

        Raises:
            ValueError: If ``boxes`` is not given.
        """
        if boxes is None:
            raise ValueError('RoIHeatmap.encode needs the boxes that it encodes to.')
        bins = boxes.new_tensor(self.heatmap_size)
        near, far = boxes[:, None, :2], boxes[:, None, 2:]
        counts = ((keypoints >= near) & (keypoints <= far) & (far > near)).all(-1)
        if keypoints_visible is not None:
            counts &= keypoints_visible > 0
        # Up to the edge it is the last bin, by rounding or not.
        column_row = torch.floor((keypoints - near) * (bins / (far - near)))
        column_row = column_row.nan_to_num(0).clamp(min=0).minimum(bins - 1)
        column, row = column_row.long().unbind(-1)
        labels = row * self.heatmap_size[0] + column
        return dict(
            keypoint_labels=torch.where(counts, labels, 0),
            keypoint_weights=counts.float(),
        )

    def decode(self, encoded: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Find the keypoints of each instance.

        Args:
            encoded (Tensor): Logits (N, K, H, W); computed on in float32.
            boxes (Tensor): (N, 4). Sides under 1 count as 1.

        Returns:
            tuple[Tensor, Tensor]:
            - keypoints (N, K, 2) float32 in the frame of ``boxes``
            - scores (N, K) float32, see ``score_mode``

        Raises:
            ValueError: The logits are not of ``heatmap_size``, or decoding needs
                ``sigmas`` and there are not K of them.
        """
        self.check_size(encoded)
        options = DecoderOptions(
            self.window, self.blur_kernel_size, self.sigmas, self.area_ratio
        )
        # autocast would round the positions
        with torch.autocast(encoded.device.type, enabled=False):
            logits, boxes = encoded.float(), boxes.float()
            sizes = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
            position, peak = DECODERS[self.decode_mode](logits, sizes, options)
            scores = SCORES[self.score_mode](logits, sizes, options, position, peak)
            return boxes[:, None, :2] + position * sizes[:, None], scores

    def check_size(self, logits: Tensor) -> None:
        """Raise an error for logits of another grid, whose keypoints would be wrong.

        Args:
            logits (Tensor): (N, K, H, W).

        Raises:
            ValueError: If H, W are not those of ``heatmap_size``.
        """
        if grid_size(logits) != self.heatmap_size:
            raise ValueError(
                f'RoIHeatmap was built for heatmap_size [W, H]='
                f'{list(self.heatmap_size)} but got logits of '
                f'{list(grid_size(logits))}: set heatmap_size to the size '
                f"of the keypoint head's logits."
            )
