# Copyright (c) onestage_pose contributors.
"""Runs pip and shows how far it is; says what to do where it fails."""

import os
import shutil
import subprocess
import threading
import time

from environment import Environment
from messages import SetupError, say

SECONDS_BETWEEN_SIGNS_OF_LIFE = 10
QUIET_LINES = ('WARNING', 'Requirement already', 'Looking in', '\u2501')

# What pip or Python said -> what the user can do, first match wins.
REMEDIES = (
    (
        ('No space left on device',),
        'Free some space, or set the environment up on another disk: VENV=/path',
    ),
    (
        ('ensurepip', 'No module named venv'),
        'This Python came without its venv module. Debian, Ubuntu: apt-get install '
        'python3-venv. Or take another Python: PYTHON=/path/to/python3',
    ),
    (
        ('libGL.so', 'libgthread', 'libglib'),
        'OpenCV wants libraries of the system. Debian, Ubuntu: apt-get install '
        'libgl1 libglib2.0-0',
    ),
    (
        (
            'NewConnectionError',
            'Connection refused',
            'Connection aborted',
            'Connection broken',
            'name resolution',
            'Read timed out',
            'ProxyError',
            'SSLError',
            'Max retries exceeded',
        ),
        'The package index was not reached. Check the network, and HTTPS_PROXY or '
        'PIP_INDEX_URL where you need them ("pip config list" shows what is set).',
    ),
    (
        ('No matching distribution found', 'Could not find a version'),
        'The package index in use ("pip config list") has no ready package of that '
        'version for this Python and machine. Linux on x86-64 with Python 3.9 to 3.11 '
        'has all of them: PYTHON=/path/to/python3.11',
    ),
)
DEFAULT_REMEDY = (
    'Read the log. If the environment itself looks broken, "make distclean" removes '
    'it, and the next call makes it anew.'
)


class StepRunner:
    """Runs the steps, shows how far they are, and says what to do on a failure.

    Args:
        environment (Environment): where.
    """

    def __init__(self, environment: Environment):
        self.environment = environment
        self.last_line = ''
        self.process = None

    def run(self, command: list, title: str) -> None:
        """Runs one command to its end; raises SetupError if it fails."""
        environment, start = self.environment, time.time()
        say(title)
        self.last_line = ''
        shutil.rmtree(str(environment.downloads), ignore_errors=True)
        environment.downloads.mkdir()
        with open(str(environment.log), 'ab') as log:
            log.write('\n{}\n{}\n'.format(title, ' '.join(command)).encode())
            begin = log.tell()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.variables(),
                cwd=str(environment.folder),
                close_fds=False,  # the lock goes along
            )
            reader = threading.Thread(target=self.read, args=(log,), daemon=True)
            reader.start()
            try:
                self.wait(start)
            finally:
                self.stop()
                reader.join()
        shutil.rmtree(str(environment.downloads), ignore_errors=True)
        if self.process.returncode:
            raise SetupError(self.explain(title, begin))
        say(f'      done in {time.time() - start:.0f} s')

    def variables(self) -> dict:
        """The process's environment variables, less what would lead pip astray."""
        variables = dict(os.environ)
        for name in ('PYTHONPATH', 'PYTHONHOME', 'PIP_USER', 'PIP_TARGET'):
            variables.pop(name, None)
        variables['PYTHONUNBUFFERED'] = '1'
        variables['PIP_DISABLE_PIP_VERSION_CHECK'] = '1'
        # Beside the environment: /tmp is often too small for PyTorch.
        variables['TMPDIR'] = str(self.environment.downloads)
        return variables

    def read(self, log) -> None:
        """Copies the process's output to the log and remembers its last words."""
        for line in self.process.stdout:
            log.write(line)
            log.flush()
            text = line.decode(errors='replace').strip()
            if text and not text.startswith(QUIET_LINES):
                self.last_line = text

    def wait(self, start: float) -> None:
        """Waits for the process, with a sign of life every few seconds."""
        while True:
            try:
                self.process.wait(SECONDS_BETWEEN_SIGNS_OF_LIFE)
                return
            except subprocess.TimeoutExpired:
                sizes, seconds = self.environment.sizes(), time.time() - start
                say(f'      {seconds:4.0f} s, {sizes}: {self.last_line:.40}')

    def stop(self) -> None:
        """Ends the process, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def explain(self, title: str, begin: int) -> str:
        """The message after a failed step, from what it wrote past ``begin``."""
        with open(str(self.environment.log), 'rb') as log:
            log.seek(begin)
            said = log.read().decode(errors='replace')
        lines = [
            line[:160]
            for line in said.splitlines()
            if line.strip() and not line.startswith(QUIET_LINES)
        ]
        remedy = next(
            (what for words, what in REMEDIES if any(word in said for word in words)),
            DEFAULT_REMEDY,
        )
        return (
            'FAILED at {} (exit code {}). The last it said:\n\n  {}\n\n'
            'What to do: {}\nAll of its output: {}\n'
            'The same command goes on from this step.'.format(
                title,
                self.process.returncode,
                '\n  '.join(lines[-10:]),
                remedy,
                self.environment.log,
            )
        )
