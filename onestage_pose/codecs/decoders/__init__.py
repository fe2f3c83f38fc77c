# Copyright (c) onestage_pose contributors.
"""Ways to decode heatmaps, as pure functions in two tables.

The codec, the ONNX graph and the benchmark look them up by name. N is the number of
instances, K of keypoints, [W, H] of bins.

- A decoder takes logits (N, K, H, W) float32, the boxes' widths and heights in pixels
  (N, 2) float32, at least 1, and :class:`DecoderOptions`. It returns the position of
  each keypoint (N, K, 2) as a fraction of the box and the logit there (N, K).
- A score takes the same, the position and that logit in this order, and returns the
  keypoints' scores (N, K).
"""

from collections.abc import Callable

from torch import Tensor

from .argmax import decode_argmax
from .bicubic import decode_bicubic
from .covariance import position_covariance
from .dark import decode_dark
from .expected_oks import decode_expected_oks, score_expected_oks
from .options import PERSON_AREA_RATIO, DecoderOptions
from .quarter import decode_quarter
from .scores import score_peak, score_window

Decoder = Callable[[Tensor, Tensor, DecoderOptions], tuple[Tensor, Tensor]]
Score = Callable[[Tensor, Tensor, DecoderOptions, Tensor, Tensor], Tensor]

#: Ways to decode, by ``decode_mode`` of the codec.
DECODERS: dict[str, Decoder] = dict(
    bicubic=decode_bicubic,
    argmax=decode_argmax,
    quarter=decode_quarter,
    dark=decode_dark,
    expected_oks=decode_expected_oks,
)
#: Ways to score keypoints, by ``score_mode`` of the codec.
SCORES: dict[str, Score] = dict(
    peak=score_peak,
    window=score_window,
    expected_oks=score_expected_oks,
)

__all__ = [
    'DECODERS',
    'PERSON_AREA_RATIO',
    'SCORES',
    'DecoderOptions',
    'position_covariance',
]
