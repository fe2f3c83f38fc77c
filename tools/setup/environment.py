# Copyright (c) onestage_pose contributors.
"""The folder of the virtual environment and what is noted in it."""

import contextlib
import fcntl
import json
import os
import shutil
from pathlib import Path

from messages import SetupError, say


class Environment:
    """The folder of the virtual environment and what is noted in it.

    Args:
        folder (Path): absolute; new, empty, or made by this program.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.notes = folder / 'setup.json'
        self.lock = folder / 'setup.lock'
        self.log = folder / 'setup.log'
        self.python = folder / 'bin' / 'python'
        self.downloads = folder / 'tmp'

    def is_ours(self) -> bool:
        """Whether this program made the folder."""
        return self.notes.exists()

    def check_folder(self) -> None:
        """Raises SetupError for a folder that holds something else."""
        if self.folder.exists() and not self.is_ours() and any(self.folder.iterdir()):
            raise SetupError(
                f'{self.folder} is there already and was not made by this program. '
                'Give another place: VENV=/path. (To use an environment of your own, '
                'see docs/installation.md.)'
            )

    def done(self) -> dict:
        """Name of each finished step -> its key."""
        try:
            return json.loads(self.notes.read_text())
        except (OSError, ValueError):
            return {}

    def note(self, done: dict) -> None:
        """Writes the finished steps, so that a reader sees the old or the new."""
        fresh = self.folder / 'setup.json.new'
        fresh.write_text(json.dumps(done, indent=2) + '\n')
        os.replace(str(fresh), str(self.notes))

    def remove(self) -> None:
        """Deletes the folder; only one that this program made."""
        self.check_folder()
        shutil.rmtree(str(self.folder), ignore_errors=True)

    def empty(self) -> None:
        """Deletes what is in the folder, and notes that no step is done."""
        self.note({})
        for path in self.folder.iterdir():
            if path in (self.notes, self.lock):
                continue  # without the lock, two set-ups could meet here
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(str(path))
            else:
                path.unlink()

    @contextlib.contextmanager
    def locked(self):
        """Lets one set-up at a time work here.

        pip inherits the lock: were this program killed alone, the next call would
        wait for the pip that it left.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.is_ours():
            self.note({})
        with open(str(self.lock), 'w') as lock:
            os.set_inheritable(lock.fileno(), True)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say(f'waiting for another set-up of {self.folder} to end')
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def drop_half_installed(self) -> None:
        """Makes pip install again what an interrupted pip had begun.

        pip writes RECORD last, so a package without it is not whole; a folder that
        begins with '~' is one that pip had set aside.
        """
        for site in self.folder.glob('lib/python*/site-packages'):
            for path in list(site.glob('*.dist-info')) + list(site.glob('~*')):
                if path.name.startswith('~') or not (path / 'RECORD').exists():
                    shutil.rmtree(str(path), ignore_errors=True)

    def sizes(self) -> str:
        """How much pip has downloaded in this step, and has in place so far."""
        fetched, in_place = 0, 0
        for folder, _, names in os.walk(str(self.folder)):
            total = 0
            for name in names:
                with contextlib.suppress(OSError):  # gone meanwhile
                    total += os.lstat(os.path.join(folder, name)).st_size
            if Path(folder) == self.downloads or self.downloads in Path(folder).parents:
                fetched += total
            else:
                in_place += total
        return f'{fetched // 2**20:,} MB fetched, {in_place // 2**20:,} MB in place'
