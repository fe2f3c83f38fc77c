# Copyright (c) onestage_pose contributors.
"""Read a config that states values, as a checkpoint carries it, without running it."""

from __future__ import annotations

import ast
from typing import Any


class ConfigTextError(ValueError):
    """A config's text that does more than state values; the message says where."""


def parse_plain_config(text: str) -> dict[str, Any]:
    """Read the text of a config that is literals and ``dict(...)`` and nothing more.

    ``Config.fromstring`` runs its text as a Python program. Here the text is parsed and
    its values are taken off the syntax tree. What ``Config.pretty_text`` writes is
    plain in this sense.

    Args:
        text (str): The Python text of a config.

    Returns:
        dict[str, Any]: Its values by their names.

    Raises:
        ConfigTextError: On anything else, such as a call, an import, or a
            ``{{template}}``, which mmengine replaces before it runs a text.
    """
    if '{{' in text:
        raise ConfigTextError('it has a {{template}}')
    try:
        module = ast.parse(text)
        values: dict[str, Any] = {}
        for statement in module.body:
            if isinstance(statement, ast.Assign):
                value = _evaluate(statement.value)
                values.update((_name(target), value) for target in statement.targets)
            elif not _is_note(statement):
                raise _refusal(statement)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ConfigTextError(f'it is not valid Python ({error})') from error
    except ConfigTextError:
        raise
    except ValueError as error:  # a null byte
        raise ConfigTextError(f'it is not valid Python ({error})') from error
    return values


def _is_note(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _name(target: ast.expr) -> str:
    if not isinstance(target, ast.Name) or target.id in ('_base_', 'dict'):
        raise _refusal(target)
    return target.id


def _evaluate(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [_evaluate(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_evaluate(item) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_key(item) for item in node.elts}
    if isinstance(node, ast.Dict) and None not in node.keys:
        pairs = zip(node.keys, node.values)
        return {_key(key): _evaluate(value) for key, value in pairs}
    if _is_dict_call(node):
        values = _evaluate(node.args[0]) if node.args else {}
        return values | {word.arg: _evaluate(word.value) for word in node.keywords}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        number = _evaluate(node.operand)
        if type(number) in (int, float, complex):
            return -number if isinstance(node.op, ast.USub) else number
    raise _refusal(node)


def _is_dict_call(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == 'dict'
        # dict({1: 2}, b=3), as pretty_text writes keys that are not names
        and len(node.args) <= 1
        and all(isinstance(arg, ast.Dict) for arg in node.args)
        and all(word.arg is not None for word in node.keywords)
    )


def _key(node: ast.expr) -> Any:
    key = _evaluate(node)
    if isinstance(key, (list, dict, set, tuple)):
        raise _refusal(node)
    return key


def _refusal(node: ast.AST) -> ConfigTextError:
    code = ast.unparse(node)
    code = code if len(code) < 80 else f'{code[:80]}...'
    return ConfigTextError(f'line {node.lineno} is more than a value: {code}')
