"""What a model says about each of its variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sembada.sd.names import Names

__all__ = ["VariableInfo", "equations_table", "variables_of"]


@dataclass(frozen=True)
class VariableInfo:
    """A variable of a model.

    Attributes
    ----------
    name, type, unit, comment, group : str
        As the author wrote them; `type` is `"stock"`, `"flow"`, `"auxiliary"`, `"parameter"`, `"lookup"` or `"data"`.
    dimensions : tuple of str
        Its dimensions.
    equation : str
        Right side; of a stock its net flow.
    initial : str
        What it is at the start, for stocks and where it differs.
    inflows, outflows : tuple of str
        Flows of a stock.
    depends_on : tuple of str
        The variables that its equation names.
    limits : tuple
        Lowest and highest sensible value, `None` where not given.
    non_negative : bool
        Whether it may not fall below zero.
    line : int
        Line in the model file, 0 where there is none.
    """

    name: str
    type: str
    unit: str
    comment: str
    group: str
    dimensions: tuple[str, ...]
    equation: str
    initial: str
    inflows: tuple[str, ...]
    outflows: tuple[str, ...]
    depends_on: tuple[str, ...]
    limits: tuple[float | None, float | None]
    non_negative: bool
    line: int


def _points(table: dict[str, Any]) -> str:
    return ", ".join(f"({x:g}, {y:g})" for x, y in zip(table["x"], table["y"], strict=True))


def _right(equation: dict[str, Any], several: bool) -> str:
    text = " ".join(str(equation.get("source") or "").split())
    table = equation.get("table")
    if table:
        points = _points(table)
        text = f"{text}: {points}" if text and "(" not in text[:0] else points
    if several and equation.get("subscripts"):
        text = f"[{', '.join(equation['subscripts'])}] {text}"
    return text


def variables_of(described: dict[str, Any]) -> Names[VariableInfo]:
    """Read the variables of a described model."""
    out: dict[str, VariableInfo] = {}
    for entry in described["variables"]:
        equations = entry.get("equations") or []
        texts = [_right(equation, len(equations) > 1) for equation in equations]
        joined = "; ".join(text for text in texts if text)
        stock = entry["kind"] == "stock"
        inflows, outflows = tuple(entry.get("inflows") or ()), tuple(entry.get("outflows") or ())
        starts = [str(equation["initial"]) for equation in equations if equation.get("initial")]
        net = " + ".join(inflows) + "".join(f" - {flow}" for flow in outflows)
        limits = tuple(entry.get("limits") or (None, None))
        out[entry["name"]] = VariableInfo(
            name=entry["name"],
            type=entry["kind"],
            unit=entry.get("unit") or "",
            comment=" ".join(str(entry.get("comment") or "").split()),
            group=entry.get("group") or "",
            dimensions=tuple(entry.get("dimensions") or ()),
            equation=(net.strip() or joined) if stock else joined,
            initial=(joined if net else "") if stock else "; ".join(starts),
            inflows=inflows,
            outflows=outflows,
            depends_on=tuple(entry.get("dependencies") or ()),
            limits=(limits[0], limits[1]),
            non_negative=bool(entry.get("non_negative")),
            line=int(entry.get("line") or 0),
        )
    return Names(out, "variable")


def equations_table(variables: Names[VariableInfo], path: str) -> pd.DataFrame:
    """Make the documentation table of a model."""
    rows = list(variables.values())
    columns: dict[str, list[Any]] = {
        "type": [row.type for row in rows],
        "equation": [row.equation for row in rows],
        "initial": [row.initial for row in rows],
        "unit": [row.unit for row in rows],
        "dimensions": [", ".join(row.dimensions) for row in rows],
        "source": [f"{path}:{row.line}" if path and row.line else path for row in rows],
        "comment": [row.comment for row in rows],
    }
    return pd.DataFrame(columns, index=pd.Index([row.name for row in rows], name="name", dtype="str"))
