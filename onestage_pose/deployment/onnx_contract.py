# Copyright (c) onestage_pose contributors.
"""What an exported graph promises about its input and outputs, and a check of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..utils.errors import OnnxFileError


class TensorSpec(NamedTuple):
    """Type and dimensions of an input or output.

    Attributes:
        dtype (str): Of NumPy.
        dims (tuple[str | int, ...]): ``B`` images of ``H`` x ``W`` pixels, ``N``
            people in all of them, ``K`` keypoints.
    """

    dtype: str
    dims: tuple[str | int, ...]


#: Versions before 2 have no ``image_indices``, and B is 1.
VERSION = 2
INPUTS = {'image': TensorSpec('float32', ('B', 3, 'H', 'W'))}
#: In the order of the graph; a model without a visibility branch lacks
#: :data:`VISIBILITY_OUTPUTS`.
OUTPUTS = {
    'bboxes': TensorSpec('float32', ('N', 4)),
    'scores': TensorSpec('float32', ('N',)),
    'keypoints': TensorSpec('float32', ('N', 'K', 2)),
    'keypoint_scores': TensorSpec('float32', ('N', 'K')),
    'labels': TensorSpec('int64', ('N',)),
    'keypoint_presence': TensorSpec('float32', ('N', 'K')),
    'keypoints_visible': TensorSpec('float32', ('N', 'K')),
    'image_indices': TensorSpec('int64', ('N',)),
}
VISIBILITY_OUTPUTS = ('keypoint_presence', 'keypoints_visible')


def check_outputs(
    found: dict[str, np.ndarray], num_images: int, num_keypoints: int
) -> None:
    """Check what a runtime gave for a batch.

    Args:
        found (dict[str, np.ndarray]): Outputs by name.
        num_images (int): B.
        num_keypoints (int): K.

    Raises:
        OnnxFileError: An output is missing, of another type or shape or not finite; a
            probability is not from 0 to 1; or the people are not in the order of
            their images, and of their scores within an image.
    """
    required = set(OUTPUTS) - set(VISIBILITY_OUTPUTS)
    if missing := required - set(found):
        raise OnnxFileError(f'the graph does not give {", ".join(sorted(missing))}.')
    sizes = dict(N=len(found['scores']), K=num_keypoints)
    for name, (dtype, dims) in OUTPUTS.items():
        if name not in found:
            continue
        values = found[name]
        shape = tuple(sizes.get(dim, dim) for dim in dims)
        if values.dtype != dtype or values.shape != shape:
            raise OnnxFileError(
                f'the graph gives {name} as {values.dtype} of shape {values.shape}; '
                f'expected {dtype} of shape {shape}.'
            )
        if not np.isfinite(values).all():
            raise OnnxFileError(f'the graph gives {name} that are not finite.')
        if name in VISIBILITY_OUTPUTS:
            if ((values < 0) | (values > 1)).any():
                raise OnnxFileError(f'the graph gives {name} outside of 0 to 1.')
    images, scores = found['image_indices'], found['scores']
    if ((images < 0) | (images >= num_images)).any():
        raise OnnxFileError('the graph gives image_indices outside of the batch.')
    later, same = np.diff(images), np.diff(images) == 0
    if (later < 0).any() or (np.diff(scores)[same] > 0).any():
        raise OnnxFileError('the graph gives people out of order.')
