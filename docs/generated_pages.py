# Copyright (c) onestage_pose contributors.
"""The pages that are made from the code: the command line and the API.

Both are written by the build and not kept in git. A new command or a new package with
``__all__`` has its page without a word here.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import onestage_pose
from onestage_pose.cli.main import COMMANDS, build_parser

API = 'reference/api'
CLI = 'reference/cli.md'
# Large packages of extras: the site is built without them.
NOT_INSTALLED = ['pyarrow', 'ray']
# Patches of installed packages and the code of the commands are nobody's to call.
PRIVATE = ('onestage_pose.compat', 'onestage_pose.cli', 'onestage_pose.projects')


def write(docs: Path) -> None:
    """Write all of them.

    Args:
        docs (Path): The folder of the sources.
    """
    _write_changed(docs / CLI, cli_page())
    pages = api_pages()
    folder = docs / API
    for path in folder.glob('*.rst') if folder.is_dir() else ():
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        _write_changed(folder / name, text)


def clean(docs: Path) -> None:
    """Remove them."""
    shutil.rmtree(docs / API, ignore_errors=True)
    (docs / CLI).unlink(missing_ok=True)


def cli_page() -> str:
    """Write the reference of ``onestage-pose`` from its parsers."""
    lines = [
        '# Command line',
        '',
        '`onestage-pose COMMAND [options]`. `onestage-pose COMMAND --help` prints the '
        'same. In a clone, `tools/train.py`, `tools/test.py`, `tools/finetune.py`, '
        '`tools/deployment/export_onnx.py`, `demo/image_demo.py` and '
        '`tools/model_converters/detectron2_to_mmpose.py` are the commands `train`, '
        '`test`, `finetune`, `export`, `predict` and `convert`.',
        '',
        'The exit status is 0 for success, 1 for an error that you can correct (one '
        'line on stderr; `ONESTAGE_POSE_TRACEBACK=1` shows the traceback), 2 for a '
        'mistyped command line, and 143 or 130 after SIGTERM or Ctrl-C.',
        '',
        '| command | what it does |',
        '|---|---|',
    ]
    lines += [f'| [`{n}`](#{n}) | {c.summary} |' for n, c in COMMANDS.items()]
    parser = build_parser()
    (commands,) = (
        action
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for name, command in commands.choices.items():
        usage = re.sub(r'\s+', ' ', command.format_usage()).removeprefix('usage: ')
        usage = textwrap.fill(usage, 76, subsequent_indent='    ')
        lines += ['', f'## {name}', '', f'{command.description}', '']
        lines += ['```text', usage, '```', '']
        rows = [row for action in command._actions for row in _option(action, command)]
        if rows:
            lines += ['| argument or option | meaning |', '|---|---|', *rows, '']
        if command.epilog:
            lines += [_as_links(command.epilog)]
    return '\n'.join(lines) + '\n'


def _option(action: argparse.Action, parser: argparse.ArgumentParser) -> Iterator[str]:
    if isinstance(action, argparse._HelpAction) or action.help is None:
        return
    value = parser.formatter_class(parser.prog)._format_args(
        action, action.metavar or action.dest.upper()
    )
    if action.choices is not None and action.metavar is None:
        value = '{' + ','.join(map(str, action.choices)) + '}'
    if action.option_strings:
        names = ', '.join(
            f'`{name} {value}`' if action.nargs != 0 and value else f'`{name}`'
            for name in action.option_strings
        )
    else:
        names = f'`{value if action.metavar else action.dest.upper()}`'
    text = parser._get_formatter()._expand_help(action)
    yield f'| {names} | {_escape(text)} |'


def _escape(text: str) -> str:
    # `key="[a,b]"`, `*` and `_` are meant as they stand
    return re.sub(r'([|*_<\[\]])', r'\\\1', text)


def _as_links(text: str) -> str:
    text = _escape(text).replace('\\_', '_')
    return re.sub(
        r'docs/(\w+)/(\w+)\.md',
        lambda m: f'[{m[2].replace("_", " ")}]({_relative(m[1], m[2])})',
        text,
    )


def _relative(folder: str, page: str) -> str:
    return f'{page}.md' if folder == 'reference' else f'../{folder}/{page}.md'


def api_pages() -> dict[str, str]:
    """Write a page for each package that has public names.

    Returns:
        dict[str, str]: The pages by file name. Each name of the project is on one page:
        the first one for the names at the top, else that of the deepest package which
        exports it.
    """
    from sphinx.ext.autodoc.mock import mock

    with mock(NOT_INSTALLED):
        return _api_pages()


def _api_pages() -> dict[str, str]:
    packages = [onestage_pose, *_public_packages(onestage_pose)]
    home: dict[int, str] = {}
    deepest_last = sorted(packages[1:], key=lambda each: each.__name__.count('.'))
    for package in [*deepest_last, onestage_pose]:
        for name in package.__all__:
            home[id(getattr(package, name))] = package.__name__
    pages = {}
    for package in packages:
        names = [
            name
            for name in package.__all__
            if home[id(getattr(package, name))] == package.__name__
            and name != '__version__'
        ]
        if package is onestage_pose or names:
            pages[f'{package.__name__}.rst'] = _api_page(package, names)
    errors = importlib.import_module('onestage_pose.utils.errors')
    names = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    ]
    pages['onestage_pose.utils.errors.rst'] = _api_page(errors, names)
    # the part that all names share would fill the side bar
    short = f'{onestage_pose.__name__}.'
    listed = '\n'.join(
        f'   {name.removeprefix(short)} <{name}>' for name in sorted(map(_stem, pages))
    )
    pages['index.rst'] = (
        f'{_title("Python API", "=")}\n'
        'Everything public, from its docstring. Most programs need the first page '
        'alone.\n\n'
        f'.. toctree::\n   :maxdepth: 1\n\n{listed}\n'
    )
    return pages


def _stem(name: str) -> str:
    return name.removesuffix('.rst')


def _public_packages(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__, f'{package.__name__}.'):
        if not info.ispkg or info.name in PRIVATE or '._' in info.name:
            continue
        found = importlib.import_module(info.name)
        if getattr(found, '__all__', None):
            yield found
        yield from _public_packages(found)


def _api_page(package: ModuleType, names: list[str]) -> str:
    title = package.__name__
    parts = [_title(title, '='), f'.. automodule:: {title}\n   :no-members:\n']
    for name in names:
        value = getattr(package, name)
        if inspect.isclass(value):
            kind = 'autoexception' if issubclass(value, Exception) else 'autoclass'
            options = '   :members:\n   :special-members: __call__\n'
            if value.__bases__ not in ((object,), (tuple,)):
                options += '   :show-inheritance:\n'
        elif callable(value):
            kind, options = 'autofunction', ''
        else:
            kind, options = 'autodata', '   :no-value:\n'
        place = _commented(title, name) if kind == 'autodata' else title
        parts.append(f'.. {kind}:: {place}.{name}\n{options}')
    return '\n'.join(parts)


def _commented(package: str, name: str) -> str:
    # The comment of a constant is where it is defined, not where it is exported.
    from sphinx.pycode import ModuleAnalyzer  # what lists commands needs no Sphinx

    below = [each for each in sys.modules if each.startswith(f'{package}.')]
    for place in [package, *below]:
        if hasattr(sys.modules[place], name):
            comments = ModuleAnalyzer.for_module(place).find_attr_docs()
            if ('', name) in comments:
                return place
    return package


def _title(text: str, line: str) -> str:
    return f'{text}\n{line * len(text)}\n'


def _write_changed(path: Path, text: str) -> None:
    # Sphinx reads again what is newer
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)
