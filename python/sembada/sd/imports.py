"""Values that an XMILE file imports from tables beside it (`<data><import>`)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from sembada.errors import ModelFileError
from sembada.sd.external import Resolver
from sembada.sd.names import canonical, split_element
from sembada.sd.sheets import Sheet

__all__ = ["imported"]

_TIMES = {"time", "year", "years", "month", "months", "week", "weeks", "day", "days", "hour", "hours", "quarter"}


def imported(
    model: Any, imports: Iterable[dict[str, Any]], resolver: Resolver
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what a model imports.

    A table has a variable a column (or a row, `orientation="horizontal"`), named in its first cell: `name` or
    `name[Elem1, Elem2]`. A first column of times makes the others series over time; without times a variable has
    one value, its constant or the start of a stock. Names that the model does not have, and columns without
    numbers, are left out: tables hold more than one model uses.

    Parameters
    ----------
    model
        The model.
    imports
        Resource, worksheet, orientation and line of each, in the order of the file.
    resolver
        Knows which files may be read.

    Returns
    -------
    params, initial : dict
        What to change, as `Model.replace` takes it.

    Raises
    ------
    ModelFileError
        If a file is not there, stands outside the model's folder, or has no variable of the model.

    References
    ----------
    OASIS XMILE 1.0, section 2.9 (data import and export); isee systems' help, "Importing data".
    """
    params: dict[str, Any] = {}
    initial: dict[str, Any] = {}
    for entry in imports:
        # XMILE writes paths relative to the model with the mark `r`: `r../data.csv` stands beside it.
        name = re.sub(r"^r(?=\.\.?[/\\])", "", entry["resource"])
        name = re.sub(r"^\.\.[/\\]", "", name) if name != entry["resource"] else name
        book = resolver.book(name, "import")
        sheet = book.sheet(entry["worksheet"]) if entry["worksheet"] or book.is_text else book.first()
        columns = list(_columns(sheet, horizontal=bool(entry["horizontal"])))
        times: list[float] | None = None
        if columns and _is_time(columns[0][0], model):
            times = columns.pop(0)[1]
        used = 0
        for title, numbers in columns:
            head, subscripts = split_element(title)
            if head not in model.variables:
                continue
            info = model.variables[head]
            given = [(i, value) for i, value in enumerate(numbers) if not math.isnan(value)]
            if not given or info.type == "lookup":
                continue
            key = info.name if not subscripts else f"{info.name}[{','.join(subscripts)}]"
            used += 1
            if times is None or len(given) == 1:
                if len(given) > 1:
                    raise ModelFileError(
                        f"import {name!r}: {title!r} has {len(given)} values and the table no times; expected a first "
                        "column called time, or one value",
                        {"file": name, "variable": title},
                    )
                (initial if info.type == "stock" else params)[key] = given[0][1]
                continue
            if info.type == "stock":
                raise ModelFileError(
                    f"import {name!r}: {title!r} is a stock and has {len(given)} values; a stock takes its start only",
                    {"file": name, "variable": title},
                )
            params[key] = pd.Series([value for _, value in given], index=[times[i] for i, _ in given])
        if not used:
            raise ModelFileError(
                f"import {name!r}: none of its columns is a variable of the model; found "
                f"{', '.join(repr(title) for title, _ in columns[:5]) or 'no names'}",
                {"file": name},
            )
    return params, initial


def _columns(sheet: Sheet, *, horizontal: bool) -> Iterable[tuple[str, list[float]]]:
    """List titles with the numbers under (or beside) them."""
    long, wide = (sheet.n_columns, sheet.n_rows) if horizontal else (sheet.n_rows, sheet.n_columns)
    for j in range(wide):
        title = sheet.cell(j, 0) if horizontal else sheet.cell(0, j)
        if title is None or not str(title).strip():
            continue
        numbers = [sheet.number(j, i) if horizontal else sheet.number(i, j) for i in range(1, long)]
        yield str(title).strip().strip('"'), numbers


def _is_time(title: str, model: Any) -> bool:
    return title not in model.variables and canonical(title) in _TIMES | {canonical(model.time.unit)}
