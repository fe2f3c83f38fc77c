# Copyright (c) onestage_pose contributors.
"""Starts programs as processes of their own, in moments.

Importing torch, mmdet and mmpose takes ten seconds. A server imports them once and
forks a process for each program, which is then run as ``python PATH`` or ``python -c``
would: it has its own exit status, signals, output and children.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]


class Program:
    """A program that was started.

    Attributes:
        pid (int): Its process id; it leads a group of processes of its own.
    """

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log

    @property
    def output(self) -> str:
        """What it has written so far, on standard output and standard error."""
        return self._log.read_text(errors='replace')

    @property
    def status(self) -> int | None:
        """Its exit status, negative for the signal that killed it; None: it runs."""
        path = self._log.with_suffix('.status')
        return int(path.read_text()) if path.exists() else None

    def send(self, number: int) -> None:
        """Send a signal to the program alone."""
        os.kill(self.pid, number)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Wait until it has written a text."""

        def is_written() -> bool:
            if text in self.output:
                return True
            assert self.status is None, f'it ended without "{text}":\n{self.output}'
            return False

        wait_until(is_written, seconds, lambda: f'no "{text}" in\n{self.output}')

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end and return its exit status."""
        wait_until(
            lambda: self.status is not None, seconds, lambda: f'runs:\n{self.output}'
        )
        return self.status

    def wait_for_group(self, seconds: float = 10) -> None:
        """Wait until no process that it started is left."""
        wait_until(lambda: not _group(self.pid), seconds, lambda: 'left behind')

    def kill(self) -> None:
        """Kill whatever is left of it."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class ProgramServer:
    """Starts programs; to be closed in the end, which kills those that still run.

    Args:
        imported: What programs find imported: ``'everything'``, this package, mmdet and
            mmpose included; or ``'libraries'``, torch and others that know nothing of
            OpenMMLab.
    """

    def __init__(self, imported: str = 'everything') -> None:
        environment = dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='-1')
        for name in ('LOCAL_RANK', 'RANK', 'WORLD_SIZE'):
            environment.pop(name, None)
        self._programs: list[Program] = []
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'tests.program_server', imported],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self,
        program: str | Path,
        *words: Any,
        log: Path,
        cwd: Path = REPOSITORY,
        **environment: str,
    ) -> Program:
        """Start ``python PROGRAM WORDS...``.

        Args:
            program: A path below the repository, or ``'-c'``.
            words: Its command line; after ``'-c'`` the text of the program first.
            log: Where its output goes; there is no such file yet.
            cwd: The folder in which it runs.
            environment: Variables that it has beside this process's.
        """
        request = dict(
            program=str(program),
            words=[*map(str, words)],
            log=str(log),
            cwd=str(cwd),
            environment=environment,
        )
        print(json.dumps(request), file=self._process.stdin, flush=True)
        program = Program(int(self._process.stdout.readline()), log)
        self._programs.append(program)
        return program

    def run(self, *words: Any, log: Path, **options: Any) -> tuple[int, str]:
        """Start a program and wait for its end; see :meth:`start`.

        Returns:
            Its exit status, and its output on both streams.
        """
        program = self.start(*words, log=log, **options)
        return program.wait(300), program.output

    def close(self) -> None:
        """End everything."""
        for program in self._programs:
            program.kill()
        # Said, and not only closed: processes that were forked meanwhile may hold the
        # pipe open.
        print('null', file=self._process.stdin, flush=True)
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def wait_until(
    is_so: Callable[[], bool], seconds: float, explain: Callable[[], str]
) -> None:
    """Wait for a condition; fail with an explanation where it does not come."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f'{seconds:g} seconds: {explain()}'
        time.sleep(0.01)


def _group(pid: int) -> list[int]:
    """The processes of a group that are alive (not waiting to be reaped)."""
    found = []
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / 'stat').read_text().rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[2]) == pid and fields[0] != 'Z':
            found.append(int(entry.name))
    return found


def _run(request: dict) -> None:
    """Be the program."""
    import torch

    os.setsid()
    os.chdir(request['cwd'])
    with open(request['log'], 'w') as log, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    # Buffers as those of a new program; this one's hold nothing.
    sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    sys.stderr = open(2, 'w', buffering=1, closefd=False)  # noqa: SIM115
    os.environ.update(request['environment'])
    torch.set_num_threads(1)
    if request['program'] == '-c':
        text, *words = request['words']
        sys.argv = ['-c', *words]
        main = sys.modules['__main__'] = types.ModuleType('__main__')
        exec(compile(text, '<string>', 'exec'), vars(main))
        return
    path = REPOSITORY / request['program']
    sys.argv = [str(path), *request['words']]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')


def _import_libraries() -> None:
    import cv2  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import scipy.optimize  # noqa: F401
    import torch  # noqa: F401
    import torchvision  # noqa: F401


def _import_everything() -> None:
    import onestage_pose  # noqa: F401  before anything imports mmdet

    import mmdet.models  # noqa: F401
    import mmengine.runner.runner
    import mmpose.models  # noqa: F401

    import tests.toy_hang  # noqa: F401

    # Asks compilers and drivers for their versions, which takes seconds each time.
    environment = mmengine.runner.runner.collect_env()
    mmengine.runner.runner.collect_env = environment.copy


def _serve() -> None:
    dict(everything=_import_everything, libraries=_import_libraries)[sys.argv[1]]()
    # What is imported is not looked through when a program ends.
    gc.freeze()
    logs: dict[int, Path] = {}
    while True:
        if select.select([0], [], [], 0.01)[0]:
            line = sys.stdin.readline()
            request = json.loads(line) if line else None
            if request is None:
                # Nobody waits for them any more, also where that process was killed.
                for pid, log in logs.items():
                    Program(pid, log).kill()
                return
            Path(request['log']).touch()
            pid = os.fork()
            if pid == 0:
                _run(request)
                return
            logs[pid] = Path(request['log'])
            print(pid, flush=True)
        if not logs:
            continue
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            # Renamed, since a half-written status is one, too.
            part = logs[pid].with_suffix('.part')
            part.write_text(str(os.waitstatus_to_exitcode(status)))
            part.rename(logs.pop(pid).with_suffix('.status'))


if __name__ == '__main__':
    _serve()
