"""Series from files: Vensim's `.dat`, and tables with time in the first column or row."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from sembada.errors import ModelFileError
from sembada.sd.encoding import decode
from sembada.sd.sheets import Book, Sheet

__all__ = ["read_series"]


def read_series(path: Path) -> dict[str, pd.Series]:
    """Read all series of a file, by name.

    Parameters
    ----------
    path
        `.dat` (Vensim's text export), or a table: `.csv`, `.tab`, `.tsv`, `.txt`, `.xlsx`, `.xls`, `.ods` (first
        sheet) with times in the first column and names above, or with names in the first column and times above.

    Raises
    ------
    ModelFileError
        If there is no such file, or no series in it.
    """
    found = _dat(path) if path.suffix.lower() == ".dat" else _table(path)
    if not found:
        raise ModelFileError(f"{path}: no series in it; expected names and times", {"path": str(path)})
    return found


def _dat(path: Path) -> dict[str, pd.Series]:
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such file", {"path": str(path)})
    out: dict[str, pd.Series] = {}
    name = ""
    times: list[float] = []
    values: list[float] = []

    def close() -> None:
        if name and times:
            out[name] = pd.Series(list(values), index=list(times), dtype=float)

    for number, line in enumerate(decode(path.read_bytes(), str(path)).splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
        if len(cells) == 2:
            try:
                time, value = float(cells[0]), float(cells[1])
            except ValueError as error:
                raise ModelFileError(
                    f"{path}, line {number}: expected a time and a value, found {line.strip()!r}",
                    {"path": str(path), "line": number},
                ) from error
            times.append(time)
            values.append(value)
        elif len(cells) == 1:
            close()
            name, times, values = cells[0], [], []
    close()
    return out


def _table(path: Path) -> dict[str, pd.Series]:
    book = Book(path)
    sheet = book.sheet("\t" if path.suffix.lower() in (".tab", ".tsv") else ",") if book.is_text else book.first()
    down = _read(sheet, flipped=False)
    across = _read(sheet, flipped=True)
    return down if sum(map(len, down.values())) >= sum(map(len, across.values())) else across


def _read(sheet: Sheet, *, flipped: bool) -> dict[str, pd.Series]:
    rows, columns = (sheet.n_columns, sheet.n_rows) if flipped else (sheet.n_rows, sheet.n_columns)

    def cell(row: int, column: int) -> Any:
        return sheet.cell(column, row) if flipped else sheet.cell(row, column)

    def number(row: int, column: int) -> float:
        return sheet.number(column, row) if flipped else sheet.number(row, column)

    times = {row: number(row, 0) for row in range(1, rows)}
    times = {row: time for row, time in times.items() if not math.isnan(time)}
    out: dict[str, pd.Series] = {}
    for column in range(1, columns):
        name = cell(0, column)
        if isinstance(name, str):
            series = pd.Series({time: number(row, column) for row, time in times.items()}, dtype=float).dropna()
            if len(series):
                out[name.strip()] = series
    return out
