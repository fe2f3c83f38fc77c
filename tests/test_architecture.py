# Copyright (c) onestage_pose contributors.
"""What may import what: the order of docs/explanation/architecture.md."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'onestage_pose'

# An import goes down this list, or stays in its room. Rooms of one line do not import
# each other, but where BESIDE says so.
LEVELS = [
    {'compat', 'utils', 'version'},
    {'structures', 'ops'},
    {'codecs'},
    {'models', 'datasets', 'evaluation', 'visualization'},
    {'checkpoints', 'engine'},
    {'zoo', 'apis'},
    {'bulk', 'deployment', 'data_tools', 'serving', 'tracking'},
    {'cli'},
    {'__main__', 'projects'},
]
BESIDE = {
    # what a patch says where it refuses something
    ('compat', 'utils'),
    ('engine', 'checkpoints'),
    ('apis', 'zoo'),
    # drawing of what a model predicts
    ('models', 'visualization'),
    # drawing of what went wrong
    ('evaluation', 'visualization'),
}
# A room's own order: an import within `models` goes down this list too.
MODELS = [
    {'layers', 'losses', 'test_time_augs', 'utils'},
    {'backbones', 'necks', 'dense_heads', 'keypoint_heads'},
    {'roi_heads'},
    {'acceleration', 'task_modules', 'data_preprocessors'},
    {'detectors'},
]


def module_name(path):
    """Full name of the module that a file of the package holds."""
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imports(path, everywhere=True):
    """Yield the full names of this package's modules that a file imports.

    Args:
        path: The file.
        everywhere: Also what functions import when they are called.
    """
    name = module_name(path)
    package = name if path.name == '__init__.py' else name.rpartition('.')[0]
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if everywhere else _at_import(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                up = package.split('.')[: len(package.split('.')) - node.level + 1]
                base = '.'.join([*up, *filter(None, [node.module])])
            found = [f'{base}.{alias.name}' for alias in node.names]
        else:
            continue
        for full in found:
            if full.split('.')[0] == PACKAGE.name:
                yield _existing(full)


def _at_import(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.dump(child.test):
            continue
        yield child
        yield from _at_import(child)


def _existing(full):
    """Longest part of a dotted name that is a module: the rest is a name in it."""
    parts = full.split('.')
    while len(parts) > 1:
        path = PACKAGE.parent.joinpath(*parts)
        if path.with_suffix('.py').is_file() or (path / '__init__.py').is_file():
            break
        parts.pop()
    return '.'.join(parts)


def room(name):
    """The folder (or the module) right below the package; '' for the package."""
    return (name.split('.') + [''])[1]


def level(name, levels):
    return next((number for number, rooms in enumerate(levels) if name in rooms), None)


FILES = sorted(PACKAGE.rglob('*.py'))
FILES = [path for path in FILES if '.mim' not in path.parts]
ROOMS = sorted({room(module_name(path)) for path in FILES} - {''})


@pytest.mark.parametrize('name', ROOMS)
def test_every_room_has_a_level(name):
    assert level(name, LEVELS) is not None


@pytest.mark.parametrize('name', ROOMS)
def test_nothing_points_up(name):
    upward = [
        f'{module_name(path)} imports {imported}'
        for path in FILES
        if room(module_name(path)) == name
        for imported in imports(path)
        if not may_import(name, room(imported))
    ]

    assert upward == []


def may_import(importer, imported):
    if importer == imported or (importer, imported) in BESIDE:
        return True
    # the package itself points to every room, but imports none that is heavy
    if imported in ('', 'version'):
        return True
    return level(imported, LEVELS) < level(importer, LEVELS)


def test_nothing_points_up_within_the_models():
    upward = []
    for path in FILES:
        name = module_name(path)
        if room(name) != 'models' or name.count('.') < 2:
            continue
        importer = name.split('.')[2]
        for imported in imports(path):
            part = (imported.split('.') + [''])[2]
            if room(imported) != 'models' or part in ('', importer):
                continue
            if level(part, MODELS) >= level(importer, MODELS):
                upward.append(f'{name} imports {imported}')

    assert upward == []


def test_there_is_no_cycle():
    graph = {
        module_name(path): {
            imported
            for imported in imports(path, everywhere=False)
            if imported != module_name(path)
        }
        for path in FILES
    }

    assert find_cycle(graph) == []


def find_cycle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize('name', ROOMS)
def test_nothing_imports_what_is_outside_the_package(name):
    outside = {'tools', 'demo', 'tests', 'projects', 'configs'}
    found = [
        module_name(path)
        for path in FILES
        if room(module_name(path)) == name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and not getattr(node, 'level', 0)
        and outside
        & {
            (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(
                '.'
            )[0]
            for alias in node.names
        }
    ]

    assert found == []
