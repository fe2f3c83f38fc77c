# Copyright (c) onestage_pose contributors.
"""The command line of tools/analysis_tools/benchmark.py."""

import json
import os
import signal

from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.mixed_precision import cpu_has_bfloat16

import numpy as np
import pytest
from benchmark import __main__ as command
from benchmark.models import DEFAULT_MODELS
from benchmark.timing import Case

from tests.tool_runs import load_tool


def test_the_tool_is_the_folder_beside_it():
    assert load_tool('analysis_tools/benchmark').main is command.main


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('--repeat 0', '0 is given, 1 or more'),
        ('--people 0', '0 is given, 1 or more'),
        ('--size -5 100', '-5 is given, 1 or more'),
        ('--batches 0', '0 is given, 1 or more'),
        ('--warm-up -1', '-1 is given, 0 or more'),
        ('--device tpu9', '--device tpu9: '),
    ],
)
def test_what_cannot_be_measured_is_refused(capsys, words, message):
    with pytest.raises(SystemExit):
        command.parse_args(words.split())
    assert message in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_refused_first(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UsageError, match='--out-dir'):
        command.main(['--out-dir', str(tmp_path / 'file')])


@pytest.mark.parametrize('able', [True, False])
def test_bfloat16_is_not_imitated_unless_asked_for(monkeypatch, able):
    monkeypatch.setattr(command, 'can_autocast', lambda *args: able)
    assert ('bfloat16' in command.parse_args([]).dtypes) == able
    assert command.parse_args(['--dtypes', 'bfloat16']).dtypes == ['bfloat16']


def interrupt(number):
    """Measures one value, then sends a signal to this process."""

    def run(args, results):
        results.seconds[Case('gcm', 'float32', 8)].append(1.5)
        os.kill(os.getpid(), number)
        # the signal is handled before the next instruction or two
        for _ in range(10**6):
            pass

    return run


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_what_was_measured_is_written_on_an_interruption(
    monkeypatch, tmp_path, capsys, number, status
):
    monkeypatch.setattr(command, 'run', interrupt(number))
    with pytest.raises(SystemExit) as ended:
        command.main(['--out-dir', str(tmp_path)])
    assert ended.value.code == status
    content = json.loads((tmp_path / 'benchmark.json').read_text())
    assert content['seconds'] == {'gcm, float32, 8': [1.5]}
    assert (tmp_path / 'benchmark.md').read_text().startswith('Interrupted')
    assert '1500 (1500 to 1500)' in capsys.readouterr().out


def test_an_interruption_before_the_first_value_leaves_an_empty_report(
    monkeypatch, tmp_path
):
    def run(args, results):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, 'run', run)
    with pytest.raises(SystemExit):
        command.main(['--out-dir', str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'benchmark.json',
        'benchmark.md',
    ]


def test_sigterm_is_handled_as_before_afterwards(monkeypatch, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(command, 'run', lambda args, results: None)
    command.main(['--out-dir', str(tmp_path)])
    assert signal.getsignal(signal.SIGTERM) is before


def test_tables_are_printed_and_written_as_they_come(monkeypatch, capsys, tmp_path):
    printed, written = [], tmp_path / 'benchmark.json'

    def measure(models, args, results):
        results.seconds[Case('gcm', 'float32', 8)].append(1.5)
        yield 'seconds'
        printed.extend((capsys.readouterr().out, written.read_text()))
        yield 'stages'

    monkeypatch.setattr(command, 'measure', measure)
    monkeypatch.setattr(command, 'build_models', lambda args: {})
    args = command.parse_args(['--out-dir', str(tmp_path)])
    command.run(args, command.Results())
    assert '1500 (1500 to 1500)' in printed[0] and '1.5' in printed[1]


def test_compiling_takes_minutes_and_has_to_be_asked_for():
    assert 'gcm, compiled' not in command.parse_args([]).models


@pytest.mark.slow
def test_every_model_runs_and_finds_the_people_put_there(tmp_path):
    # the dtype that needs most conversions, unless the CPU would take minutes
    dtype = 'bfloat16' if cpu_has_bfloat16() else 'float32'
    words = f'--size 64 96 --people 1 2 --repeat 1 --warm-up 0 --dtypes {dtype}'
    command.main([*words.split(), '--profile', '--out-dir', str(tmp_path)])
    content = json.loads((tmp_path / 'benchmark.json').read_text())
    assert len(content['seconds']) == 2 * len(DEFAULT_MODELS)
    assert all(np.all(np.array(v) > 0) for v in content['seconds'].values())
    assert content['operators'].keys() == content['seconds'].keys()
    assert {path.name for path in tmp_path.iterdir()} == {
        'benchmark.json',
        'benchmark.md',
        'people.png',
    }
