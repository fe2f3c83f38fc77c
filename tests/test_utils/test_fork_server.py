# Copyright (c) onestage_pose contributors.
import multiprocessing
import os
import subprocess
import sys

import pytest

from tests.tool_runs import REPOSITORY


@pytest.mark.skipif(
    'forkserver' not in multiprocessing.get_all_start_methods(),
    reason='Windows has no fork server: there, each process imports for itself',
)
def test_ctrl_c_does_not_reach_the_server_while_it_imports(tmp_path):
    (tmp_path / 'preloaded.py').write_text(
        'import pathlib, signal\n'
        'found = signal.getsignal(signal.SIGINT) == signal.SIG_IGN\n'
        'pathlib.Path(__file__).with_name("found").write_text(str(found))\n'
    )
    (tmp_path / 'program.py').write_text(
        'import signal\n'
        'from onestage_pose.utils.fork_server import get_fork_server\n'
        'if __name__ == "__main__":\n'
        '    process = get_fork_server(["preloaded"]).Process(target=print)\n'
        '    process.start()\n'
        '    process.join()\n'
        '    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n'
    )
    paths = os.pathsep.join([str(tmp_path), str(REPOSITORY)])

    subprocess.run(
        [sys.executable, 'program.py'],
        check=True,
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=paths),
    )

    assert (tmp_path / 'found').read_text() == 'True'
