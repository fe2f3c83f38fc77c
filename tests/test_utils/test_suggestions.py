# Copyright (c) onestage_pose contributors.
"""A misspelt name is answered by the one that was probably meant."""

from onestage_pose.utils.suggestions import (
    did_you_mean,
    find_similar,
    quote_names,
    suggest_path,
)


def test_most_similar_name_comes_first():
    found = find_similar('max_iter', ['max_epochs', 'max_iters', 'other'])

    assert found[0] == 'max_iters'


def test_higher_likeness_leaves_out_more():
    assert find_similar('max_iter', ['max_epochs'], likeness=0.8) == []


def test_number_bounds_the_answer():
    assert len(find_similar('ab', ['aba', 'abb', 'abc'], number=2)) == 2


def test_similar_names_make_a_question():
    assert did_you_mean('widht', ['width', 'unlike']) == ' Did you mean width?'


def test_without_a_similar_name_nothing_is_said():
    assert did_you_mean('abc', ['xyz']) == ''


def test_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / 'epoch_1.pth').touch()

    assert suggest_path(tmp_path / 'epoch1.pth') == ' Did you mean epoch_1.pth?'


def test_ending_alone_makes_no_file_similar(tmp_path):
    for name in ('cat.png', 'sheet.png', 'x.png'):
        (tmp_path / name).touch()

    assert suggest_path(tmp_path / 'bus.png') == ''


def test_missing_folder_is_named(tmp_path):
    missing = tmp_path / 'nowhere'

    assert suggest_path(missing / 'a.pth') == (
        f' Its folder {missing} does not exist either.'
    )


def test_names_are_quoted_as_code():
    assert quote_names(['a', 'b']) == '`a` or `b`'
