# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from torch import Tensor

from ...utils.errors import NonFiniteError


def check_features(features: tuple[Tensor, ...], metas: list[dict]) -> None:
    """Raise where a network gives no numbers, which would look like nobody in sight.

    Give the coarsest map, which is small: what overflows in a backbone or a neck
    reaches it.

    Args:
        features (tuple[Tensor, ...]): Of images, (B, C, h, w) each.
        metas (list[dict]): Of the images; ``img_path`` is named in the message.

    Raises:
        NonFiniteError: There is NaN or infinity among them.
    """
    if all(each.isfinite().all() for each in features):
        return
    names = ', '.join(str(meta.get('img_path') or 'an array') for meta in metas)
    raise NonFiniteError(
        f'the features of the image ({names}) are not finite, so nobody can be '
        'detected in it: the weights of the model are damaged (give another '
        'checkpoint), or overflow in half precision (leave out '
        'model.test_cfg.amp_dtype).'
    )
