# Copyright (c) onestage_pose contributors.
"""``onestage-pose models`` lists what there is."""

from onestage_pose.cli.main import main
from onestage_pose.zoo import list_models


def test_every_model_has_a_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv('ONESTAGE_POSE_HOME', str(tmp_path))

    main(['models'])

    told = capsys.readouterr().out
    assert all(f'| {name} ' in told for name in list_models())
    assert 'in the package' in told and 'to download' in told
    assert str(tmp_path) in told
