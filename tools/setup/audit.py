# Copyright (c) onestage_pose contributors.
"""Look pinned packages up among the known faults, by pip-audit.

python tools/setup/audit.py PATH/OF/uv requirements/lock.txt

Exit status 0: none has a known fault, or nobody could be asked, which is said; 1: some
have one, or could not be looked up while others could.
"""

import json
import subprocess
import sys


def main(argv: list[str]) -> int:
    """Print what is found, and return the exit status."""
    uv, lock = argv
    pip_audit = [uv, 'tool', 'run', 'pip-audit']
    if _run([*pip_audit, '--version']).returncode != 0:
        return _skip('pip-audit cannot be fetched here (no network?)')
    options = ['--disable-pip', '--progress-spinner=off', '--format=json']
    done = _run([*pip_audit, *options, '--requirement', lock])
    try:
        packages = json.loads(done.stdout)['dependencies']
    except (ValueError, KeyError, TypeError):
        if 'connect' in done.stderr.lower():
            return _skip('the list of known faults cannot be reached (no network?)')
        print(f'audit: pip-audit failed:\n{done.stderr.strip()}')
        return 1
    unknown = [each['name'] for each in packages if 'skip_reason' in each]
    faults = [
        f'{each["name"]} {each["version"]}: {fault["id"]}, mended in '
        f'{", ".join(fault["fix_versions"]) or "no version yet"}'
        for each in packages
        for fault in each.get('vulns', ())
    ]
    if len(unknown) == len(packages):
        # as behind a mirror of PyPI, which has the packages and no list of faults
        return _skip(f'none of {len(packages)} packages is known to who answers here')
    if unknown:
        print(f'audit: could not be looked up: {", ".join(unknown)}')
    for fault in faults:
        print(f'audit: {fault}')
    if not unknown and not faults:
        print(f'audit: no known fault in {len(packages)} packages')
    return 1 if unknown or faults else 0


def _skip(reason: str) -> int:
    print(f'audit: skipped, {reason}.')
    return 0


def _run(words: list[str]) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(words, capture_output=True, text=True)
    except OSError as error:
        return subprocess.CompletedProcess(words, 1, '', str(error))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
