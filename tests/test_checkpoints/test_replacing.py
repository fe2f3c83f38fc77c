# Copyright (c) onestage_pose contributors.
from onestage_pose.checkpoints.replacing import replacing

import pytest


def test_the_file_appears_when_all_is_written(tmp_path):
    path = tmp_path / 'folder' / 'file'
    with replacing(path) as part:
        part.write_text('new')
        assert not path.exists()
    assert path.read_text() == 'new' and not part.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / 'file'
    path.write_text('old')
    with pytest.raises(OSError, match='disk full'), replacing(path) as part:
        part.write_text('ne')
        raise OSError('disk full')
    assert path.read_text() == 'old' and not part.exists()
