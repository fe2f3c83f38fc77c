# Copyright (c) onestage_pose contributors.
"""demo/run_demo.py, what ``make demo`` runs."""

import importlib.util
import os
import subprocess
import sys

import cv2
import pytest

from tests.tool_runs import REPOSITORY


def run(tmp_path, *options):
    words = [sys.executable, 'demo/run_demo.py', '--out-dir', str(tmp_path), *options]
    return subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)


def test_draws_on_photographs_and_on_synthetic_images(tmp_path):
    pytest.importorskip('skimage', reason='scikit-image is not installed')
    done = run(tmp_path, '--num-drawn', '2')
    assert done.returncode == 0, done.stdout + done.stderr
    photos = ['astronaut.png', 'camera.png', 'grace_hopper.jpg']
    names = sorted([*photos, 'drawn_0.png', 'drawn_1.png'])
    for folder in ('images', 'visualizations'):
        assert sorted(p.name for p in (tmp_path / folder).iterdir()) == names
    for photo in photos:
        before, after = (
            cv2.imread(str(tmp_path / folder / photo))
            for folder in ('images', 'visualizations')
        )
        assert (before != after).any()
    assert cv2.imread(str(tmp_path / 'sheet.jpg')).shape[1] == 1600


def test_looks_at_a_picture_of_ones_own(tmp_path, folder):
    words = '--input', str(folder / 'a.png'), '--bbox-thr', '0.98'
    done = run(tmp_path / 'out', *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'No person has a score over 0.98: lower --bbox-thr' in done.stdout
    assert [p.name for p in (tmp_path / 'out/visualizations').iterdir()] == ['a.png']


@pytest.fixture(scope='module')
def demo():
    sys.path.insert(0, str(REPOSITORY / 'demo'))
    spec = importlib.util.spec_from_file_location(
        'run_demo', REPOSITORY / 'demo/run_demo.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.pop(0)
    return module


def write(folder, **files):
    for name, text in files.items():
        (folder / name).write_text(text)


class TestFormerOutputs:
    def test_are_removed_and_nothing_else(self, demo, tmp_path):
        write(tmp_path, mine='of the user')
        with demo.listing_outputs(tmp_path):
            write(tmp_path, one='drawing', two='drawing')

        with demo.listing_outputs(tmp_path):
            write(tmp_path, two='another')

        names = {path.name for path in tmp_path.iterdir()}
        assert names == {'mine', 'two', demo.WRITTEN}

    def test_stay_where_they_were_changed_since(self, demo, tmp_path):
        with demo.listing_outputs(tmp_path):
            write(tmp_path, one='drawing')
        os.utime(tmp_path / 'one', ns=(1, 1))

        demo.remove_former(tmp_path)

        assert (tmp_path / 'one').exists()

    def test_are_listed_where_a_run_fails(self, demo, tmp_path):
        with pytest.raises(SystemExit), demo.listing_outputs(tmp_path):
            write(tmp_path, one='drawing')
            raise SystemExit(1)

        demo.remove_former(tmp_path)

        assert not (tmp_path / 'one').exists()

    @pytest.mark.parametrize('name, within', [('a/b.png', True), ('../b.png', False)])
    def test_are_not_removed_where_they_are_the_input(
        self, demo, tmp_path, name, within
    ):
        assert demo.is_within(tmp_path / 'out' / name, tmp_path / 'out') == within


@pytest.mark.parametrize('name', ['no.png', 'no'])
def test_an_input_that_is_not_there_is_said_in_one_line(tmp_path, name):
    done = run(tmp_path / 'out', '--input', str(tmp_path / name))
    assert done.returncode == 1
    assert name in done.stderr and 'Traceback' not in done.stderr
