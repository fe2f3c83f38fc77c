# Copyright (c) onestage_pose contributors.
"""Batches of alike items, with the results in the order of the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar('T')
R = TypeVar('R')

#: Items that wait for others of their kind, at most, as a multiple of the batch size.
WINDOW = 4


class _Place:
    """An item in the order, and its result once there is one."""

    def __init__(self, item: Any, kind: Hashable) -> None:
        self.item, self.kind = item, kind
        self.done, self.result = False, None

    def finish(self, result: Any) -> None:
        self.done, self.result, self.item = True, result, None


def run_in_batches(
    items: Iterable[T],
    kind_of: Callable[[T], Hashable],
    run: Callable[[Sequence[T]], Sequence[R]],
    batch_size: int,
) -> Iterator[R]:
    """Run items in batches of one kind; yield the results in the items' order.

    A batch runs when it is full, when :data:`WINDOW` times its size of items are held,
    which is the bound of the memory, and at the end.

    Args:
        items (Iterable): What to run, each taken when room for it is there.
        kind_of (Callable): Only items of one kind share a batch.
        run (Callable): Returns one result for each item of a batch.
        batch_size (int): Items of a batch at most.

    Yields:
        The result of each item.
    """
    order: deque[_Place] = deque()
    groups: dict[Hashable, list[_Place]] = {}

    def finish(kind: Hashable) -> None:
        places = groups.pop(kind)
        for place, result in zip(places, run([place.item for place in places])):
            place.finish(result)

    def take_done() -> Iterator[R]:
        while order and order[0].done:
            yield order.popleft().result

    for item in items:
        place = _Place(item, kind_of(item))
        order.append(place)
        groups.setdefault(place.kind, []).append(place)
        if len(groups[place.kind]) == batch_size:
            finish(place.kind)
        elif len(order) >= WINDOW * batch_size:
            finish(order[0].kind)
        yield from take_done()
    while order:
        finish(order[0].kind)
        yield from take_done()
