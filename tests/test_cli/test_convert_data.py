# Copyright (c) onestage_pose contributors.
"""``onestage-pose convert-data`` says in one screen what it did."""

import shlex

from onestage_pose.cli.convert_data import describe
from onestage_pose.cli.main import main

import pytest

from tests.test_data_tools.conftest import write_image, write_json


@pytest.fixture
def source(tmp_path):
    """A LabelMe folder of an image with a nose, and a line that is left out."""
    write_image(tmp_path / 'source/a.jpg')
    shapes = [
        dict(label='left_ear', points=[[30, 20]], shape_type='point', group_id=None),
        dict(label='x', points=[[0, 0], [1, 1]], shape_type='line', group_id=None),
    ]
    content = dict(shapes=shapes, imagePath='a.jpg', imageWidth=100, imageHeight=50)
    write_json(tmp_path / 'source/a.json', content)
    return tmp_path / 'source'


def test_what_was_read_and_left_out_is_printed(source, tmp_path, capsys):
    main(['convert-data', str(source), str(tmp_path / 'out'), '--category', 'dog'])

    told = capsys.readouterr().out
    # images, without objects, objects, labelled keypoints, boxes made
    cells = [cell.strip() for cell in told.splitlines()[3].split('|')]
    assert cells[1:7] == ['annotations', '1', '0', '1', '1', '1']
    assert 'category dog: 1 keypoints (left_ear)' in told
    assert 'shapes of the kind line' in told
    assert f'the names start from {source}' in told


def test_the_last_line_is_a_next_command_that_works(source, tmp_path, capsys):
    main(['convert-data', str(source), str(tmp_path / 'out')])

    last = capsys.readouterr().out.splitlines()[-1]
    next_, *words = shlex.split(last)
    assert (next_, words[:2]) == ('next:', ['onestage-pose', 'check-data'])
    main(words[1:])
    assert f'images in {source}' in capsys.readouterr().out


def test_no_next_command_where_the_images_are_copied(source, tmp_path, capsys):
    main(['convert-data', str(source), str(tmp_path / 'out'), '--copy-images'])

    assert 'next:' not in capsys.readouterr().out


def test_many_kinds_of_remarks_fit_into_a_screen(source, tmp_path, capsys):
    from onestage_pose.data_tools import convert_data

    done = convert_data(source, tmp_path / 'out')
    done.left_out = [f'reason {number}' for number in range(99)]

    told = describe(done)

    assert 'and 91 other kinds' in told
    assert len(told.splitlines()) < 24


def test_what_cannot_be_converted_is_said_in_one_line(tmp_path):
    with pytest.raises(SystemExit, match='Error: SRC: .*gone does not exist'):
        main(['convert-data', str(tmp_path / 'gone'), str(tmp_path / 'out')])


def test_a_keypoint_that_is_given_twice_is_refused(source, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(['convert-data', str(source), str(tmp_path / 'o'), '--keypoints', 'a,a'])

    assert 'a,a has a name twice' in capsys.readouterr().err
