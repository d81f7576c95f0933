"""Quantities that a model defines from labelled paths: `indirect := a*b`.

They are evaluated on the estimates and, draw by draw, on the bootstrap, so that any function of paths has an interval.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sembada.errors import EquationError, unknown_name

__all__ = ["evaluate", "names_in"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt}


def _parse(name: str, expression: str) -> ast.expr:
    try:
        return ast.parse(expression.replace("^", "**").strip(), mode="eval").body
    except SyntaxError as error:
        raise EquationError(
            f"{name} := {expression}: cannot read this; write labels of paths, numbers, + - * / ^, brackets, and "
            f"{', '.join(_FUNCTIONS)}",
            {"name": name, "expression": expression},
        ) from error


def names_in(name: str, expression: str, known: Collection[str]) -> list[str]:
    """Return the labels that an expression uses.

    Parameters
    ----------
    name
        What is defined, for messages.
    expression
        The expression.
    known
        Labels that exist.

    Raises
    ------
    EquationError
        If the expression cannot be read.
    UnknownNameError
        If it uses a label that does not exist.

    Examples
    --------
    >>> names_in("total", "c + a*b", ["a", "b", "c"])
    ['c', 'a', 'b']
    """
    found: list[str] = []

    def walk(node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            if node.id not in known:
                raise unknown_name("label", node.id, known, where=f"{name} := {expression}")
            found.append(node.id)
        elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            walk(node.left)
            walk(node.right)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            walk(node.operand)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in _FUNCTIONS
            and len(node.args) == 1
            and not node.keywords
        ):
            walk(node.args[0])
        elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
            raise EquationError(
                f"{name} := {expression}: {ast.unparse(node)!r} is not allowed; write labels of paths, numbers, "
                f"+ - * / ^, brackets, and {', '.join(_FUNCTIONS)}",
                {"name": name, "expression": expression},
            )

    walk(_parse(name, expression))
    return list(dict.fromkeys(found))


def evaluate(defined: Mapping[str, str], labels: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Evaluate definitions, each of which may use labels and the definitions before it.

    Parameters
    ----------
    defined
        Name → expression.
    labels
        Label → values, all of one shape.

    Returns
    -------
    dict
        Name → values. Division by zero and logarithms of negative numbers give NaN or infinity.

    Examples
    --------
    >>> evaluate({"ab": "a*b", "share": "ab / (ab + c)"}, {k: np.array([v]) for k, v in zip("abc", (0.5, 0.4, 0.2))})
    {'ab': array([0.2]), 'share': array([0.5])}
    """
    values = dict(labels)

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return values[node.id]
        if isinstance(node, ast.BinOp):
            return _BINARY[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp):
            return -value(node.operand) if isinstance(node.op, ast.USub) else value(node.operand)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return _FUNCTIONS[node.func.id](value(node.args[0]))
        assert isinstance(node, ast.Constant)
        return node.value

    shape = next(iter(labels.values())).shape if labels else ()
    for name, expression in defined.items():
        names_in(name, expression, values)
        with np.errstate(all="ignore"):
            values[name] = np.broadcast_to(np.asarray(value(_parse(name, expression)), dtype=np.float64), shape)
    return {name: values[name] for name in defined}
