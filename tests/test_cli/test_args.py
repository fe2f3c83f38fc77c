# Copyright (c) onestage_pose contributors.
"""A value that an option cannot take is explained by the parser."""

import argparse

from onestage_pose.cli.args import (
    add_common_arguments,
    not_negative,
    positive,
    probability,
    tiles,
)

import pytest


def test_an_option_without_a_value_is_explained(
    capsys: pytest.CaptureFixture,
) -> None:
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', 'a.b=1', 'c.d'])
    assert '--cfg-options c.d: give KEY=VALUE' in capsys.readouterr().err


@pytest.mark.parametrize('word', ['0', '-1', '1.5', 'many', ''])
def test_a_number_below_1_is_refused(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='1 or more'):
        positive(word)


def test_a_positive_number_is_read() -> None:
    assert positive('12') == 12


@pytest.mark.parametrize('word', ['-0.1', '1.1', 'nan', 'half'])
def test_what_is_no_probability_is_refused(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='between 0 and 1'):
        probability(word)


@pytest.mark.parametrize('word, value', [('0', 0), ('0.5', 0.5), ('1', 1)])
def test_a_probability_is_read(word: str, value: float) -> None:
    assert probability(word) == value


@pytest.mark.parametrize('word, value', [('2x2', (2, 2)), ('3x1', (3, 1))])
def test_a_number_of_tiles_is_read(word: str, value: tuple) -> None:
    assert tiles(word) == value


@pytest.mark.parametrize('word', ['2', '1x1', '0x3', 'x2', '2x', '-2x3', 'axb'])
def test_what_is_no_number_of_tiles_is_refused(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='give 3x2'):
        tiles(word)


@pytest.mark.parametrize('word, value', [('0', 0), ('0.5', 0.5), ('3', 3)])
def test_a_number_from_0_on_is_read(word: str, value: float) -> None:
    assert not_negative(word) == value


@pytest.mark.parametrize('word', ['-1', 'nan', 'inf', 'much'])
def test_what_is_below_0_is_refused(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='not a number above 0'):
        not_negative(word)
