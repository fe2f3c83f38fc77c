# Copyright (c) onestage_pose contributors.
"""demo/run_demo.py, what ``make demo`` runs."""

import importlib.util
import os
import sys
from functools import partial

import cv2
import pytest

from tests.tool_runs import REPOSITORY


@pytest.fixture
def run(program_server, tmp_path):
    """Runs the demo as a program; its exit status and what it printed."""
    words = 'demo/run_demo.py', '--out-dir', tmp_path / 'out'
    return partial(program_server.run, *words, log=tmp_path / 'program.log')


def test_draws_on_photographs_and_on_synthetic_images(run, tmp_path):
    pytest.importorskip('skimage', reason='scikit-image is not installed')
    status, printed = run('--num-drawn', '2')
    assert status == 0, printed
    photos = ['astronaut.png', 'camera.png', 'grace_hopper.jpg']
    names = sorted([*photos, 'drawn_0.png', 'drawn_1.png'])
    for folder in ('images', 'visualizations'):
        assert sorted(p.name for p in (tmp_path / 'out' / folder).iterdir()) == names
    for photo in photos:
        before, after = (
            cv2.imread(str(tmp_path / 'out' / folder / photo))
            for folder in ('images', 'visualizations')
        )
        assert (before != after).any()
    assert cv2.imread(str(tmp_path / 'out/sheet.jpg')).shape[1] == 1600
    assert printed.rstrip().endswith('onestage-pose web')


def test_looks_at_a_picture_of_ones_own(run, tmp_path, folder):
    status, printed = run('--input', folder / 'a.png', '--bbox-thr', '0.98')
    assert status == 0, printed
    assert 'No person has a score over 0.98: lower --bbox-thr' in printed
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
def test_an_input_that_is_not_there_is_said_in_one_line(run, tmp_path, name):
    status, printed = run('--input', tmp_path / name)
    assert status == 1
    assert name in printed and 'Traceback' not in printed
