# Copyright (c) onestage_pose contributors.
"""`make audit` says what is known of the pinned packages, and when it cannot know."""

import json
import sys

import pytest

from tests.tool_runs import load_tool

FINE = dict(name='numpy', version='2.2.6', vulns=[])
UNKNOWN = dict(name='torch', skip_reason='Dependency not found on PyPI: torch (2.11.0)')
FAULTY = dict(
    name='pillow',
    version='9.0.0',
    vulns=[dict(id='PYSEC-2022-42979', fix_versions=['9.3.0'])],
)


@pytest.fixture
def audit(tmp_path, capsys):
    """Runs the tool with an uv whose pip-audit answers as is told."""

    def run(stdout='', stderr='', status=0, fetched=True):
        uv = tmp_path / 'uv'
        uv.write_text(
            f'#!{sys.executable}\n'
            'import sys\n'
            f'if "--version" in sys.argv: sys.exit({0 if fetched else 2})\n'
            f'sys.stdout.write({stdout!r}); sys.stderr.write({stderr!r})\n'
            f'sys.exit({status})\n'
        )
        uv.chmod(0o755)
        found = load_tool('setup/audit').main([str(uv), 'requirements/lock.txt'])
        return found, capsys.readouterr().out

    return run


def report(*packages):
    return json.dumps(dict(dependencies=packages, fixes=[]))


@pytest.mark.parametrize(
    ('packages', 'status', 'said'),
    [
        ([FINE], 0, 'no known fault in 1 packages'),
        ([FINE, FAULTY], 1, 'pillow 9.0.0: PYSEC-2022-42979, mended in 9.3.0'),
        ([FINE, UNKNOWN], 1, 'could not be looked up: torch'),
        ([UNKNOWN], 0, 'skipped, none of 1 packages is known to who answers here'),
    ],
    ids=['fine', 'faulty', 'partly unknown', 'a mirror'],
)
def test_what_is_known_is_said(audit, packages, status, said):
    found, printed = audit(report(*packages), status=int(FAULTY in packages))

    assert found == status
    assert said in printed


def test_without_a_network_it_is_skipped(audit):
    assert audit(fetched=False) == (
        0,
        'audit: skipped, pip-audit cannot be fetched here (no network?).\n',
    )


def test_without_the_list_of_faults_it_is_skipped(audit):
    error = "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"

    found, printed = audit(stderr=error, status=1)

    assert found == 0
    assert 'audit: skipped, the list of known faults cannot be reached' in printed


def test_any_other_failure_is_one(audit):
    found, printed = audit(stderr='ERROR: invalid requirement', status=1)

    assert found == 1
    assert 'pip-audit failed:\nERROR: invalid requirement' in printed
