# Copyright (c) onestage_pose contributors.
"""A value that an option cannot take is explained by the parser."""

import argparse

from onestage_pose.cli.args import add_common_arguments, positive, probability

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
