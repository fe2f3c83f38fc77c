# Copyright (c) onestage_pose contributors.
"""What is said when an operator is asked for that torchvision does not give."""

from __future__ import annotations

from typing import Any, NoReturn

import torch

REMEDY = (
    "Install the full mmcv ('mmcv>=2.0.0,<2.2.0', in the place of mmcv-lite), built "
    f'for PyTorch {torch.__version__}: docs/get_started/installation.md says how.'
)


def raise_unsupported(operator: str, *_args: Any, **_kwargs: Any) -> NoReturn:
    """Stands in for a compiled operator: takes any arguments, always raises.

    Args:
        operator (str): its name in ``mmcv._ext``.

    Raises:
        NotImplementedError: always; names the operator and the remedy.
    """
    raise NotImplementedError(
        f'mmcv operator {operator!r} is compiled code, which mmcv-lite does not have; '
        'onestage_pose provides only nms and RoIAlign (average pooling). ' + REMEDY
    )
