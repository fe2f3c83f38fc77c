# Copyright (c) onestage_pose contributors.
"""``onestage-pose download`` fetches models and says where they are."""

from onestage_pose.cli import download
from onestage_pose.cli.main import main
from onestage_pose.zoo import get_model_files

import pytest


def test_says_where_the_weights_are(capsys):
    main(['download', 'nano'])

    assert capsys.readouterr().out.strip() == str(get_model_files('nano').weights)


def test_an_unknown_name_ends_it_before_anything_is_fetched(monkeypatch):
    fetched = []
    monkeypatch.setattr(download, 'get_model_files', fetched.append)

    with pytest.raises(
        SystemExit, match="no published model 'nani'.* Did you mean nano"
    ):
        main(['download', 'nano', 'nani'])

    assert fetched == []


def test_a_name_is_needed(capsys):
    with pytest.raises(SystemExit):
        main(['download'])

    assert 'required' in capsys.readouterr().err
