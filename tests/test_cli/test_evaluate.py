# Copyright (c) onestage_pose contributors.
"""What is typed beside ``onestage-pose evaluate``, and the table of Markdown."""

from onestage_pose.cli.evaluate import list_numbers
from onestage_pose.cli.main import main
from onestage_pose.evaluation.analysis import analyse
from onestage_pose.utils.errors import UsageError

import pytest

from tests.test_evaluation.people import META, SHAPE, Scene


@pytest.fixture
def people(tmp_path, monkeypatch):
    """A file of annotations, which nobody reads, beside one of results and weights."""
    monkeypatch.chdir(tmp_path)
    for name in ('people.json', 'r.json', 'a.pth'):
        (tmp_path / name).write_text('{}')
    return tmp_path / 'people.json'


@pytest.mark.parametrize(
    'words, message',
    [
        (['nano', '--results=r.json'], 'leave the model'),
        (['--results=r.json', '--save-results=s.json'], 'leave the model'),
        (['--results=r.json', '--num-images=2'], '--num-images out'),
        (['--html=.'], '--html . is a folder'),
        (['--save-results=people.json'], 'people.json is ANN_FILE: give another'),
        (['--json=people.json'], 'people.json is ANN_FILE: give another'),
        (['--results=r.json', '--json=r.json'], 'r.json is --results: give another'),
        (['r.json', 'a.pth', '--json=r.json'], 'r.json is config: give another'),
        (['--json=a.json', '--save-results=a.json'], 'both a.json: give two files'),
        (['--html=people.json'], 'give a name that ends in .html or .htm'),
        (['--json=summary.txt'], 'give a name that ends in .json'),
        (['--markdown=photo.jpg'], 'ends in .md or .markdown or .txt'),
    ],
)
def test_words_that_contradict_each_other_are_refused(words, message, people):
    before = people.read_text()

    with pytest.raises(SystemExit) as exit_:
        main(['evaluate', str(people), *words])

    assert message in str(exit_.value)
    assert people.read_text() == before


def test_the_model_that_is_taken_unasked_is_named(people, monkeypatch, capsys):
    def find(config, checkpoint):
        raise UsageError(f'no {config} here')

    monkeypatch.setattr('onestage_pose.cli.evaluate.find_model', find)

    with pytest.raises(SystemExit, match='no nano here'):
        main(['evaluate', str(people), '--html=page.html'])

    assert 'evaluating nano' in capsys.readouterr().out


def test_table_states_the_weights_and_each_kind_of_error():
    scene = Scene(2)
    scene.move(0, 1, scene.place(0, 2))
    scene.add_found(1, SHAPE + [400, 90], score=0.5)
    scene.add_found(1, SHAPE + [400, 50], score=0.2)
    values = dict(analyse(scene.images, META).values, source={'SHA-256': 'dad9d4d1'})

    rows = dict(list_numbers(values))

    assert rows['SHA-256'] == 'dad9d4d1'
    inversion = rows['inversion: share of keypoints; AP without it (as in the paper)']
    assert inversion == '10.0; 100.0 (100.0)'
    false = rows['false people: number, over a score of 0.3; AP without']
    assert false.startswith('2, 1; ')
    assert rows['missed people: number; AP without'].startswith('0; ')


def test_one_person_is_not_counted_as_people():
    values = dict(analyse(Scene(1).images, META).values, source={})

    rows = [name for name, _ in list_numbers(values) if name.startswith('recall')]

    assert any(name.endswith('(1 person)') for name in rows)
