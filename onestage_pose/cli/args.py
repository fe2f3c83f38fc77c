# Copyright (c) onestage_pose contributors.
"""Options that several tools share, and the kinds of values that they take."""

import argparse
import re
from typing import Any, NoReturn

from ..utils.suggestions import did_you_mean, find_similar_options

_INVALID_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)")
_UNKNOWN = re.compile(r'unrecognized arguments: .*?--([\w-]+)')


class Parser(argparse.ArgumentParser):
    """A parser whose errors suggest the option or the value that was meant."""

    def error(self, message: str) -> NoReturn:
        """End the program with the usage and the message; see ``argparse``."""
        super().error(f'{message}{self._suggest(message)}')

    def _suggest(self, message: str) -> str:
        choice = _INVALID_CHOICE.search(message)
        if choice is not None:
            value, choices = choice.groups()
            hint = did_you_mean(value, re.findall(r"[^\s,']+", choices))
            return f'.{hint}' if hint else ''
        unknown = _UNKNOWN.search(message)
        if unknown is None:
            return ''
        known = {
            option.lstrip('-').replace('-', '_'): option
            for action in self._actions
            for option in action.option_strings
        }
        similar = find_similar_options(unknown.group(1).replace('-', '_'), known)
        names = ' or '.join(known[name] for name in similar)
        return f'. Did you mean {names}?' if names else ''


class OptionAction(argparse.Action):
    """mmengine's action for ``KEY=VALUE``, which explains an option without a value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Take the options; see ``argparse.Action``."""
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string} {value}: give KEY=VALUE.')
        # mmengine takes a second, which the help of a command need not wait for
        from mmengine.config import DictAction

        action = DictAction(self.option_strings, self.dest, nargs=self.nargs)
        action(parser, namespace, values, option_string)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that MMPose's train.py and test.py share."""
    parser.add_argument('--work-dir', help='where logs and results go')
    parser.add_argument(
        '--show-dir', help='draw the predictions on evaluated images into this folder'
    )
    parser.add_argument(
        '--show', action='store_true', help='also show them in a window'
    )
    parser.add_argument('--interval', type=int, default=1, help='draw every N-th image')
    parser.add_argument(
        '--wait-time', type=float, default=1, help='seconds to show each window'
    )
    add_config_options(
        parser,
        'train_dataloader.batch_size=4, or a list as key="[a,b]" or key=a,b and nested '
        'ones as key="[(a,b),(c,d)]", with the quotation marks and without spaces',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a distributed run',
    )
    # torch.distributed.launch gives it; torchrun sets the variable by itself.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def add_config_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Add ``--cfg-options``.

    Args:
        parser (argparse.ArgumentParser): The tool's.
        example (str): What the help shows after "change the config:".
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help=f'change the config: {example}',
    )


def positive(word: str) -> int:
    """Read a number of 1 or more, as argparse's ``type``."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f'{word} is given, 1 or more is needed')
    return int(word)


def port(word: str) -> int:
    """Read the number of a port.

    Args:
        word (str): From 0, which means a free one, to 65535.
    """
    if not word.isdecimal() or int(word) > 65535:
        raise argparse.ArgumentTypeError(f'{word!r} is not a port; give 0 to 65535')
    return int(word)


def names(word: str) -> list[str]:
    """Read names with commas between them, as argparse's ``type``."""
    found = [name.strip() for name in word.split(',')]
    if not all(found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f'{word} has a name twice, or an empty one')
    return found


def pair(word: str) -> tuple[str, str]:
    """Read two names with a colon between them, as argparse's ``type``."""
    one, colon, other = word.partition(':')
    if not (one and colon and other) or one == other:
        raise argparse.ArgumentTypeError(f'{word} is not a pair; give LEFT:RIGHT')
    return one, other


def tiles(word: str) -> tuple[int, int]:
    """Read two numbers with an x between them, as argparse's ``type``."""
    across, cross, down = word.partition('x')
    is_pair = cross and across.isdecimal() and down.isdecimal()
    found = (int(across), int(down)) if is_pair else (0, 0)
    if min(found) < 1 or max(found) < 2:
        raise argparse.ArgumentTypeError(f'{word} is not a number of tiles; give 3x2')
    return found


def not_negative(word: str) -> float:
    """Read a number of 0 or more, as argparse's ``type``."""
    return 0.0 if word == '0' else above_zero(word)


def above_zero(word: str) -> float:
    """Read a number above 0, as argparse's ``type``."""
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{word} is not a number above 0')
    return value


def probability(word: str) -> float:
    """Read a number from 0 to 1, as argparse's ``type``."""
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{word} is not a number between 0 and 1')
    return value
