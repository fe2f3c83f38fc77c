# Copyright (c) onestage_pose contributors.
"""``onestage-pose check-data`` prints its findings and ends with their gravity."""

import json

from onestage_pose.cli.main import main

import pytest

from tests.test_data_tools.conftest import write_image, write_json


@pytest.fixture
def data(tmp_path):
    """A file of one image, whose second keypoint is never labelled."""
    write_image(tmp_path / 'images/a.jpg')
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=100, height=50)],
        annotations=[
            dict(
                id=4,
                image_id=1,
                category_id=1,
                bbox=[20, 10, 3, 30],
                area=50,
                keypoints=[21, 20, 2, 0, 0, 0],
            )
        ],
        categories=[dict(id=1, name='dog', keypoints=['nose', 'tail'])],
    )
    return write_json(tmp_path / 'data.json', content)


def test_counts_and_findings_are_printed(data, capsys):
    main(['check-data', str(data)])

    told = capsys.readouterr().out
    assert '1 image (0 without objects), 1 annotation (0 crowd regions)' in told
    assert 'left and right: no pairs' in told
    assert '| tail     |            1 |      0 |    0 |' in told
    assert 'warning never_labelled (1)' in told
    assert 'annotation id=4 image id=1: 3.0x30.0' in told


def test_an_error_ends_with_status_1(data, tmp_path, capsys):
    (tmp_path / 'images/a.jpg').unlink()

    with pytest.raises(SystemExit) as exit_:
        main(['check-data', str(data)])

    assert exit_.value.code == 1
    told = capsys.readouterr().out
    assert 'error missing_image (1)' in told
    assert 'no folder of images was found' in told


def test_report_and_sheet_are_written(data, tmp_path):
    report, sheet = tmp_path / 'report.json', tmp_path / 'sheet.jpg'

    main(['check-data', str(data), '--json', str(report), '--sheet', str(sheet)])

    [split] = json.loads(report.read_text())['splits']
    assert {each['kind'] for each in split['findings']} == {
        'never_labelled',
        'tiny_box',
    }
    assert sheet.stat().st_size > 1000


@pytest.mark.parametrize('option', ['--json', '--sheet'])
def test_nothing_is_written_over_without_force(data, tmp_path, option):
    there = tmp_path / 'mine.png'
    there.write_text('mine')

    with pytest.raises(SystemExit, match='mine.png exists'):
        main(['check-data', str(data), option, str(there)])

    assert there.read_text() == 'mine'


def test_a_sheet_has_the_name_of_an_image(data, tmp_path):
    with pytest.raises(SystemExit, match='must end in .jpg or .png'):
        main(['check-data', str(data), '--sheet', str(tmp_path / 'sheet.pdf')])


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--json', 'data.json'], '--json data.json is checked'),
        (['--sheet', 'images/a.jpg'], '--sheet images/a.jpg is one of the images'),
    ],
)
def test_force_does_not_write_over_what_is_checked(
    words, message, data, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / words[1]
    before = path.read_bytes()

    with pytest.raises(SystemExit, match=message):
        main(['check-data', str(data), *words, '--force'])

    assert path.read_bytes() == before
