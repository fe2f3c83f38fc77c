# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/compare_processes.py: two processes train as one."""

from types import SimpleNamespace

from onestage_pose.utils.errors import UsageError

import pytest

from tests.tool_runs import load_tool


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/compare_processes')


@pytest.mark.parametrize(
    ('number', 'message'),
    [
        ('0', '0 is given, 1 or more is needed'),
        ('-3', '-3 is given, 1 or more is needed'),
        ('1', '1 is given, 2 or more are needed'),
        ('many', 'many is given, 1 or more is needed'),
    ],
)
def test_too_few_iterations_are_refused(tool, capsys, number, message):
    with pytest.raises(SystemExit):
        tool.parse_args(['--iters', number])
    assert message in capsys.readouterr().err


def test_an_earlier_report_is_not_overwritten(tool, tmp_path):
    with pytest.raises(UsageError, match=f'{tmp_path} exists'):
        tool.main(['--work-dir', str(tmp_path)])


def test_a_training_that_fails_is_named(tool, tmp_path, monkeypatch):
    failed = SimpleNamespace(returncode=1)
    monkeypatch.setattr(tool.subprocess, 'run', lambda *args, **options: failed)
    with pytest.raises(UsageError, match=r'ended with status 1: see .*output\.log'):
        tool.train(tmp_path, 1, [])


@pytest.mark.parametrize(
    ('processes', 'program', 'batch_size'),
    [(1, 'train.py', 2), (2, 'dist_train.sh', 1)],
)
def test_both_ways_see_two_images_a_step(
    tool, tmp_path, monkeypatch, processes, program, batch_size
):
    commands = []

    def run(command, **options):
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(tool.subprocess, 'run', run)
    tool.train(tmp_path, processes, [])
    assert commands[0][1].endswith(program)
    assert f'train_dataloader.batch_size={batch_size}' in commands[0]


def test_a_row_of_the_report_is_a_way_to_train(tool, tmp_path, monkeypatch, capsys):
    work_dir = tmp_path / 'work'
    monkeypatch.setattr(tool, 'compare', compare_nothing)
    tool.main(['--work-dir', str(work_dir)])
    report = capsys.readouterr().out
    assert '| the same image in both    | 1.0e-06 | 2.0e-05 |' in report
    assert (work_dir / 'report.md').read_text() == report


def compare_nothing(folder, iters, options):
    folder.mkdir(parents=True)
    return 1e-6, 2e-5


@pytest.mark.slow
def test_two_processes_train_as_one_with_twice_the_batch(tool, tmp_path):
    loss, weights = tool.compare(tmp_path, 3, tool.KINDS[tool.SAME])

    assert loss < 1e-4
    assert weights < 1e-2
