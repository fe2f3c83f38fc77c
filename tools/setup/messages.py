# Copyright (c) onestage_pose contributors.
"""What the set-up says: progress, and errors that end it."""


class SetupError(Exception):
    """A message for the user; no traceback wanted."""


def say(text: str) -> None:
    """Prints at once, also into a pipe."""
    print(text, flush=True)
