# Copyright (c) onestage_pose contributors.
"""A config's old name leads to its new one."""

from pathlib import Path

from onestage_pose.utils import renamed_configs
from onestage_pose.utils.paths import get_data_root
from onestage_pose.utils.renamed_configs import RENAMED_CONFIGS, find_renamed_config

import pytest


@pytest.fixture(autouse=True)
def table(monkeypatch):
    """Two renamed configs; of a third name there were two."""
    renamed = {
        'configs/a/old.py': 'configs/b/new.py',
        'configs/a/same.py': 'configs/b/first.py',
        'configs/c/same.py': 'configs/b/second.py',
    }
    monkeypatch.setattr(renamed_configs, 'RENAMED_CONFIGS', renamed)


@pytest.mark.parametrize(
    'name',
    ['configs/a/old.py', 'configs/a/old', 'a/old.py', 'a/old', 'old.py', 'old'],
)
def test_old_name_leads_to_the_new_path(name):
    assert find_renamed_config(name) == 'configs/b/new.py'


def test_absolute_old_path_leads_to_the_new_one():
    assert find_renamed_config(Path('/home/me/configs/a/old.py')) == 'configs/b/new.py'


@pytest.mark.parametrize('name', ['other', 'very_old.py', 'z/old', 'xconfigs/a/old.py'])
def test_a_name_that_was_never_used_leads_nowhere(name):
    assert find_renamed_config(name) is None


def test_a_name_of_two_configs_leads_nowhere():
    assert find_renamed_config('same') is None


def test_every_new_config_exists():
    root = get_data_root()

    assert [new for new in RENAMED_CONFIGS.values() if not (root / new).is_file()] == []


def test_no_old_config_exists():
    root = get_data_root()

    assert [old for old in RENAMED_CONFIGS if (root / old).is_file()] == []
