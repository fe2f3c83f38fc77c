# Copyright (c) onestage_pose contributors.
"""``onestage-pose bulk`` as its users start it, and as its processes are killed."""

import os
import shutil
import signal
import sys
from pathlib import Path

from onestage_pose.cli.main import main

import cv2
import pyarrow.parquet as pq
import pytest

from tests.program_server import wait_until
from tests.test_apis.tiny_model import picture, write_tiny_model

NUMBER = 24


@pytest.fixture(scope='module')
def words(tmp_path_factory):
    """The command but for the folder of its results: 24 images, two of them broken."""
    folder = tmp_path_factory.mktemp('images')
    for number in range(NUMBER):
        cv2.imwrite(f'{folder}/{number:06d}.png', picture(64, 80, seed=number))
    (folder / '000003.png').write_bytes(b'no image')
    (folder / '000020.png').unlink()
    listed = folder / 'all.txt'
    listed.write_text(''.join(f'{number:06d}.png\n' for number in range(NUMBER)))
    config, checkpoint = write_tiny_model(tmp_path_factory.mktemp('model'))

    def words(out, *more):
        options = '--partition-size', '2', '--bbox-thr', '0'
        return ['bulk', str(listed), str(out), config, checkpoint, *options, *more]

    return words


@pytest.fixture(scope='module')
def expected(words, tmp_path_factory):
    """The folder of an undisturbed run of one process."""
    out = tmp_path_factory.mktemp('expected')
    main(words(out))
    return out


def rows(out):
    return pq.read_table(out).to_pylist()


def test_a_missing_package_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(SystemExit, match=r"pip install 'onestage_pose\[bulk\]'"):
        main(['bulk', str(tmp_path), 'b'])


def test_ray_that_is_missing_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(SystemExit, match=r"no ray.*'onestage_pose\[bulk\]'"):
        main(['bulk', str(tmp_path), 'b', '--ray'])


def leaves(pid):
    """The processes of a program that have no children: its workers, if any."""
    parents, found = set(), []
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / 'stat').read_text().rpartition(')')[2].split()
            line = (entry / 'cmdline').read_bytes()
        except OSError:
            continue
        if int(fields[2]) == pid and b'resource_tracker' not in line:
            parents.add(int(fields[1]))
            found.append(int(entry.name))
    return [each for each in found if each not in parents and each != pid]


def parts(out):
    return sorted(out.glob('part-*'))


def test_a_resumed_run_counts_what_there_is_in_all(words, expected, tmp_path, capsys):
    """And a third one, which has nothing to do, says the same."""
    out = tmp_path / 'out'
    shutil.copytree(expected, out)
    manifest = out / '_manifest.json'
    manifest.write_text(manifest.read_text().replace('true', 'false'))
    (out / 'part-000001.parquet').unlink()

    for begin in (
        'Partitions finished before: 11 of 12.',
        'All partitions were finished before.',
    ):
        main(words(out))
        assert capsys.readouterr().out.splitlines() == [
            begin,
            f'{NUMBER} images, {3 * (NUMBER - 2)} people: {out}',
            '2 images could not be read (column error).',
        ]


@pytest.mark.slow
def test_two_processes_find_what_one_finds(words, expected, tmp_path, capsys):
    main(words(tmp_path / 'out', '--workers', '2'))

    whole = rows(expected)
    assert len({row['index'] for row in whole}) == NUMBER
    assert sum(row['error'] is not None for row in whole) == 2
    assert rows(tmp_path / 'out') == whole
    printed = capsys.readouterr().out
    assert f'{NUMBER} images, {3 * (NUMBER - 2)} people' in printed
    assert '2 images could not be read' in printed


@pytest.mark.slow
def test_a_worker_and_then_the_driver_are_killed(
    words, expected, tmp_path, program_server
):
    """Nothing is lost, and nothing done twice."""
    out = tmp_path / 'out'
    command = words(out, '--workers', '2')
    program = program_server.start(
        '-c',
        'from onestage_pose.cli.main import main; main()',
        *command,
        log=tmp_path / 'first.log',
    )
    wait_until(lambda: parts(out), 120, lambda: program.output)
    os.kill(leaves(program.pid)[0], signal.SIGKILL)
    seen = len(parts(out))
    wait_until(lambda: len(parts(out)) > seen, 60, lambda: program.output)
    program.send(signal.SIGKILL)
    program.wait()
    program.wait_for_group(30)
    done = {path: path.stat().st_mtime_ns for path in parts(out)}
    assert 0 < len(done) < NUMBER // 2, program.output

    main(command)

    assert rows(out) == rows(expected)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert not list(out.glob('.*.tmp'))
