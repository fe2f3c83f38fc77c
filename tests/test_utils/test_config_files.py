# Copyright (c) onestage_pose contributors.
from onestage_pose.utils.config_files import read_config
from onestage_pose.utils.errors import UsageError

import pytest


def write_config(folder, module):
    path = folder / 'config.py'
    path.write_text(f'custom_imports = dict(imports=[{module!r}])\n')
    return str(path)


def test_a_module_that_is_not_found_is_named_with_the_remedy(tmp_path):
    path = write_config(tmp_path, 'my_missing_head')

    with pytest.raises(UsageError, match=f'my_missing_head.* PYTHONPATH={tmp_path} '):
        read_config(path)


def test_a_module_that_fails_is_told_with_its_own_reason(tmp_path, monkeypatch):
    (tmp_path / 'my_broken_head.py').write_text('from math import no_such_name\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    path = write_config(tmp_path, 'my_broken_head')

    with pytest.raises(UsageError, match='no_such_name') as fault:
        read_config(path)
    assert 'PYTHONPATH' not in str(fault.value)
