# Copyright (c) onestage_pose contributors.
"""What a training and its evaluations say of themselves."""

import io
from types import SimpleNamespace

from onestage_pose.cli.training_progress import TrainingProgress

import pytest


class Terminal(io.StringIO):
    def isatty(self):
        return True


def evaluate(stream, number):
    hook, runner = (
        TrainingProgress(stream),
        SimpleNamespace(val_dataloader=[0] * number),
    )
    for index in range(number):
        hook.after_val_iter(runner, index)
    return stream.getvalue()


@pytest.mark.parametrize(
    ('number', 'lines'),
    [(999, 0), (1000, 1), (2500, 2)],
    ids='few thousand more'.split(),
)
def test_only_a_long_evaluation_has_lines(number, lines):
    told = evaluate(io.StringIO(), number)

    assert told.count('\n') == lines
    assert (f'validation: 1000/{number} images\n' in told) == (lines > 0)


def test_an_evaluation_counts_on_at_a_terminal():
    told = evaluate(Terminal(), 3)

    assert [part.strip() for part in told.split('\r')[1:]] == [
        f'validation: {number}/3 images' for number in (1, 2, 3)
    ]
