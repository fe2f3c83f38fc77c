# Copyright (c) onestage_pose contributors.
"""Compare the weights of a file with those of a model, name by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torch import Tensor, nn

from ..utils.wrapped_model import unwrap

_NAMES_SHOWN = 5


class Comparison(NamedTuple):
    """How the weights of a file and of a model differ.

    Attributes:
        number (int): Weights that the model has.
        missing (list[str]): Names that only the model has.
        reshaped (list[str]): Names that both have, and the two shapes, such as
            ``'head.weight 17x4 instead of 14x4'``.
        unexpected (list[str]): Names that only the file has.
    """

    number: int
    missing: list[str]
    reshaped: list[str]
    unexpected: list[str]

    @property
    def matching(self) -> int:
        """Number of weights that the file has in the model's shape."""
        return self.number - len(self.missing) - len(self.reshaped)

    def __str__(self) -> str:
        return (
            f'{list_names(self.missing)} missing, {list_names(self.reshaped)} of '
            f'another shape, {list_names(self.unexpected)} unexpected'
        )


def compare_weights(given: Mapping[str, Tensor], model: nn.Module) -> Comparison:
    """Compare names and shapes.

    Args:
        given (Mapping[str, Tensor]): Weights by the model's names.
        model (nn.Module): The model, wrapped for several processes or not. Its batch
            norms' counters ``num_batches_tracked`` may be absent from ``given``.

    Returns:
        Comparison: Names in the model's order, the unexpected ones in ``given``'s.
    """
    state = get_state_dict(model)
    wanted = {
        name: weight
        for name, weight in state.items()
        # BatchNorm came without this counter once, and mmengine lets it be absent.
        if isinstance(weight, Tensor) and not name.endswith('num_batches_tracked')
    }
    return Comparison(
        number=len(wanted),
        missing=[name for name in wanted if name not in given],
        reshaped=[
            f'{name} {_shape(given[name])} instead of {_shape(weight)}'
            for name, weight in wanted.items()
            if name in given and given[name].shape != weight.shape
        ],
        unexpected=[name for name in given if name not in state],
    )


def get_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """Return the state of a model, wrapped for several processes or not."""
    return unwrap(model).state_dict()


def list_names(names: Iterable[str]) -> str:
    """Return how many names there are and the first five, for a message."""
    names = list(names)
    if not names:
        return 'none'
    more = ', ...' if len(names) > _NAMES_SHOWN else ''
    return f'{len(names)} ({", ".join(names[:_NAMES_SHOWN])}{more})'


def _shape(weight: Tensor) -> str:
    return 'x'.join(str(size) for size in weight.shape) or 'scalar'
