# Copyright (c) onestage_pose contributors.
"""Sound is copied where ffmpeg is there; else the video stays and a note says why."""

import shutil
import subprocess
import wave

from onestage_pose.apis.video import VideoSource
from onestage_pose.tracking.sound import add_sound

import numpy as np
import pytest

from tests.video_files import quarters, write_video


@pytest.fixture
def drawn(tmp_path):
    return write_video(tmp_path / 'drawn.mp4', 5 * [quarters()])


def program(folder, text):
    """Puts a program called ffmpeg into a folder."""
    path = folder / 'ffmpeg'
    path.write_text(f'#!/bin/sh\n{text}\n')
    path.chmod(0o755)


@pytest.mark.parametrize(
    ('text', 'note'),
    [
        (None, 'ffmpeg, which copies it, is not installed'),
        ('echo some reason >&2; exit 3', 'ffmpeg says some reason'),
        ('exit 3', 'ffmpeg says status 3'),
    ],
)
def test_without_it_the_video_stays_as_it_is(tmp_path, monkeypatch, drawn, text, note):
    programs = tmp_path / 'programs'
    programs.mkdir()
    monkeypatch.setenv('PATH', f'{programs}:/usr/bin:/bin' if text else str(programs))
    if text:
        program(programs, text)
    before = drawn.read_bytes()

    said = add_sound(drawn, drawn)

    assert note in said
    assert drawn.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ['drawn.mp4', 'programs']


@pytest.mark.skipif(shutil.which('ffmpeg') is None, reason='needs ffmpeg')
@pytest.mark.parametrize('has_sound', [True, False])
def test_the_sound_of_the_source_is_there(tmp_path, drawn, has_sound):
    source = tmp_path / 'source.mkv'
    tone = tmp_path / 'tone.wav'
    with wave.open(str(tone), 'wb') as file:
        file.setparams((1, 2, 8000, 0, 'NONE', ''))
        file.writeframes(np.zeros(8000, np.int16).tobytes())
    words = ['ffmpeg', '-v', 'error', '-i', drawn, *(['-i', tone] * has_sound)]
    subprocess.run([*words, '-c', 'copy', source], check=True)

    note = add_sound(drawn, source)

    told = subprocess.run(['ffmpeg', '-i', drawn], capture_output=True, text=True)
    assert note is None
    assert ('Audio:' in told.stderr) == has_sound
    assert len(list(VideoSource(drawn))) == 5
