# Copyright (c) onestage_pose contributors.
"""The name of a file tells its kind."""

from pathlib import Path

from onestage_pose.utils.file_kinds import get_file_kind

import pytest


@pytest.mark.parametrize(
    'name, kind',
    [
        ('a.JPG', 'image'),
        ('a.webp', 'image'),
        ('folder.mp4/a.png', 'image'),
        ('a.mkv', 'video'),
        ('a.txt', 'text'),
        ('README', None),
    ],
)
def test_kind(name, kind):
    assert get_file_kind(name) == get_file_kind(Path(name)) == kind
