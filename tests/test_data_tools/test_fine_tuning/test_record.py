# Copyright (c) onestage_pose contributors.
"""A folder belongs to one run, and nothing else is written over."""

from onestage_pose.data_tools.fine_tuning.record import (
    RECORD,
    claim_folder,
    compute_digest,
)
from onestage_pose.utils.errors import UsageError

import pytest

RUN = dict(data='a.json', swap=[('a', 'b')], epochs=None)


def test_the_same_run_goes_on(tmp_path):
    assert claim_folder(tmp_path / 'new', RUN, 'config.py') is False
    assert claim_folder(tmp_path / 'new', RUN, 'config.py') is True


def test_another_run_is_refused_with_what_differs(tmp_path):
    claim_folder(tmp_path / 'new', RUN, 'config.py')
    (tmp_path / 'new/config.py').touch()
    with pytest.raises(UsageError, match='epochs=None and not 3.* --out'):
        claim_folder(tmp_path / 'new', RUN | dict(epochs=3), 'config.py')


def test_a_run_that_was_never_prepared_gives_way_to_another(tmp_path):
    other = RUN | dict(epochs=3)
    claim_folder(tmp_path / 'new', RUN, 'config.py')
    claim_folder(tmp_path / 'new', other, 'config.py')
    (tmp_path / 'new/config.py').touch()
    assert claim_folder(tmp_path / 'new', other, 'config.py') is True


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').touch()
    with pytest.raises(UsageError, match='not empty.* --out'):
        claim_folder(tmp_path, RUN, 'config.py')
    assert not (tmp_path / RECORD).exists()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / 'thesis.tex').touch()
    with pytest.raises(UsageError, match='--out'):
        claim_folder(tmp_path / 'thesis.tex', RUN, 'config.py')


def test_a_broken_record_is_named(tmp_path):
    (tmp_path / RECORD).write_text('{')
    with pytest.raises(UsageError, match=f'{RECORD} is damaged'):
        claim_folder(tmp_path, RUN, 'config.py')


def test_digests_tell_files_apart(tmp_path):
    for name, text in (('a', '1'), ('b', '2'), ('c', '1')):
        (tmp_path / name).write_text(text)
    a, b, c = (compute_digest(tmp_path / name) for name in 'abc')
    assert a == c != b
