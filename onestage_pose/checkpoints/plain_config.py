# Copyright (c) onestage_pose contributors.
"""Tell a config that only states values from one that would run code."""

import ast

_HARMLESS = (
    ast.Module,
    ast.Assign,
    ast.Expr,
    ast.Name,
    ast.Load,
    ast.Store,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.Call,
    ast.keyword,
    ast.UnaryOp,
    ast.USub,
    ast.UAdd,
)


def is_plain_config(text: str) -> bool:
    """Return whether a config's text is literals and ``dict(...)`` and nothing more.

    ``Config.fromstring`` runs its text as a Python program, and mmengine calls
    it on the text that a checkpoint carries (in ``Runner.resume`` and in an
    inferencer that is given weights alone). What ``Config.pretty_text`` writes
    is plain in this sense.

    Args:
        text (str): The Python text of a config.

    Returns:
        bool: False as well for text that inherits another file (``_base_``), or has
        a ``{{template}}``, which is replaced before the text is run.
    """
    if '{{' in text:
        return False
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(_is_harmless(node) for node in nodes)


def _is_harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == 'dict'
    if isinstance(node, ast.Assign):
        return all(
            isinstance(target, ast.Name) and target.id not in ('_base_', 'dict')
            for target in node.targets
        )
    return isinstance(node, _HARMLESS)
