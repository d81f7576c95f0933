"""Cells of spreadsheets and text tables: what GET XLS and GET DIRECT read."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sembada.errors import ModelFileError, require, unknown_name
from sembada.sd.encoding import decode

__all__ = ["Book", "Sheet", "column_number", "parse_cell"]

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]+)")
_SEPARATORS = {"": ",", "tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}


def column_number(letters: str) -> int:
    """Return the number of a column from zero: A is 0, AA is 26.

    Examples
    --------
    >>> column_number("B")
    1
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def parse_cell(text: str) -> tuple[int, int] | None:
    """Return row and column of a cell from zero, or `None` where the text is no cell.

    Examples
    --------
    >>> parse_cell("C5")
    (4, 2)
    """
    match = _CELL.fullmatch(text.strip())
    return (int(match.group(2)) - 1, column_number(match.group(1))) if match else None


class Sheet:
    """A grid of cells.

    Parameters
    ----------
    rows
        Values by row; what is empty is `None`.
    where
        File and sheet, for messages.
    """

    def __init__(self, rows: list[list[Any]], where: str) -> None:
        self.rows = rows
        self.where = where

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def n_columns(self) -> int:
        """Number of columns of the widest row."""
        return max((len(row) for row in self.rows), default=0)

    def cell(self, row: int, column: int) -> Any:
        """Return a cell, `None` where it is empty or beyond the table."""
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            value = self.rows[row][column]
            return None if isinstance(value, str) and not value.strip() else value
        return None

    def number(self, row: int, column: int) -> float:
        """Return a cell as a number, NaN where it is empty or text."""
        value = self.cell(row, column)
        if isinstance(value, bool):
            return float(value)
        try:
            return float(value)
        except (TypeError, ValueError):
            return math.nan


class Book:
    """A file of sheets: `.xlsx`, `.xlsm`, `.xls`, `.ods`, `.csv`, `.tab`, `.tsv`, `.txt`.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ModelFileError
        If the file is not there or cannot be read.
    MissingDependencyError
        If the package for its format is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sheets: dict[str, Sheet] = {}
        self._names: dict[tuple[str, str], tuple[str, int, int, int, int]] = {}
        self._text: str | None = None
        if not path.is_file():
            raise ModelFileError(f"{path}: there is no such file, which the model reads", {"path": str(path)})
        suffix = path.suffix.lower()
        readers = {".xlsx": self._xlsx, ".xlsm": self._xlsx, ".xls": self._xls, ".ods": self._ods}
        try:
            readers.get(suffix, self._plain)()
        except (ModelFileError, ImportError):
            raise
        except Exception as error:
            raise ModelFileError(
                f"{path}: cannot be read as {suffix or 'text'}: {error}", {"path": str(path), "cause": str(error)}
            ) from error

    def _plain(self) -> None:
        self._text = decode(self.path.read_bytes(), str(self.path)).removeprefix("\ufeff")

    def _xlsx(self) -> None:
        openpyxl = require("openpyxl", "excel")
        book = openpyxl.load_workbook(self.path, data_only=True)
        for sheet in book.worksheets:
            self._sheets[sheet.title] = Sheet(
                [list(row) for row in sheet.iter_rows(values_only=True)], f"{self.path.name}, sheet {sheet.title!r}"
            )
        scopes = [("", book.defined_names), *((sheet.title, sheet.defined_names) for sheet in book.worksheets)]
        for scope, names in scopes:
            for name, defined in names.items():
                for title, area in defined.destinations:
                    self._add_name(scope, name, title, area)

    def _add_name(self, scope: str, name: str, sheet: str, area: str) -> None:
        ends = [parse_cell(part) for part in area.split(":")]
        if ends and all(end is not None for end in ends):
            first, last = ends[0], ends[-1]
            assert first is not None
            assert last is not None
            self._names[(scope.lower(), name.lower())] = (sheet, first[0], first[1], last[0], last[1])

    def _xls(self) -> None:
        xlrd = require("xlrd", "excel")
        book = xlrd.open_workbook(str(self.path))
        empty = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR)
        for sheet in book.sheets():
            rows = [
                [None if sheet.cell_type(r, c) in empty else sheet.cell_value(r, c) for c in range(sheet.ncols)]
                for r in range(sheet.nrows)
            ]
            self._sheets[sheet.name] = Sheet(rows, f"{self.path.name}, sheet {sheet.name!r}")
        for name in book.name_obj_list:
            try:
                sheet, top, bottom, left, right = name.area2d()
            except Exception:  # noqa: S112  # a name that stands for a formula is no area
                continue
            scope = "" if name.scope < 0 else book.sheet_by_index(name.scope).name
            self._names[(scope.lower(), name.name.lower())] = (sheet.name, top, left, bottom - 1, right - 1)

    def _ods(self) -> None:
        opendocument = require("odf.opendocument", "excel")
        table = require("odf.table", "excel")
        teletype = require("odf.teletype", "excel")
        document = opendocument.load(str(self.path))
        for sheet in document.spreadsheet.getElementsByType(table.Table):
            title = sheet.getAttribute("name")
            rows: list[list[Any]] = []
            for row in sheet.getElementsByType(table.TableRow):
                cells: list[Any] = []
                for cell in row.childNodes:
                    value: Any = cell.getAttribute("value") if hasattr(cell, "getAttribute") else None
                    value = float(value) if value is not None else (teletype.extractText(cell) or None)
                    repeat = int(cell.getAttribute("numbercolumnsrepeated") or 1)
                    # the last cell is repeated to the edge of the sheet
                    cells += [value] * (repeat if value is not None else min(repeat, 1024))
                while cells and cells[-1] is None:
                    cells.pop()
                repeat = int(row.getAttribute("numberrowsrepeated") or 1)
                rows += [cells] * (repeat if cells else min(repeat, 1024))
            self._sheets[title] = Sheet(rows, f"{self.path.name}, sheet {title!r}")
        for name in document.spreadsheet.getElementsByType(table.NamedRange):
            address = name.getAttribute("cellrangeaddress").replace("$", "")
            sheet_name, _, area = address.partition(".")
            area = ":".join(part.rpartition(".")[2] for part in area.split(":"))
            self._add_name("", name.getAttribute("name"), sheet_name.strip("'"), area)

    def sheet(self, tab: str) -> Sheet:
        """Return a sheet by name; for a text table `tab` is the separator.

        Raises
        ------
        UnknownNameError
            If there is no such sheet; lists near matches.
        """
        if self._text is not None:
            separator = _SEPARATORS.get(tab.strip().lower(), tab)
            if tab == "\t":
                separator = "\t"
            if len(separator) != 1:
                separator = "\t" if self.path.suffix.lower() in (".tab", ".tsv") else ","
            if separator not in self._sheets:
                rows: list[list[Any]] = list(csv.reader(io.StringIO(self._text), delimiter=separator))
                self._sheets[separator] = Sheet(rows, self.path.name)
            return self._sheets[separator]
        by_lower: Mapping[str, Sheet] = {name.strip().lower(): sheet for name, sheet in self._sheets.items()}
        if tab.strip().lower() in by_lower:
            return by_lower[tab.strip().lower()]
        raise unknown_name("sheet", tab, self._sheets, where=self.path.name)

    def area(self, tab: str, name: str) -> tuple[Sheet, int, int, int, int] | None:
        """Return sheet, first row, first column, last row and last column of a cell or a named range.

        Raises
        ------
        UnknownNameError
            If the text is neither a cell nor a name of the file.
        """
        at = parse_cell(name)
        if at is not None:
            return self.sheet(tab), at[0], at[1], at[0], at[1]
        for scope in (tab.strip().lower(), ""):
            found = self._names.get((scope, name.strip().lower()))
            if found is not None:
                return self.sheet(found[0]), found[1], found[2], found[3], found[4]
        return None

    @property
    def is_text(self) -> bool:
        """Whether the file is a text table, whose sheets are separators."""
        return self._text is not None

    def first(self) -> Sheet:
        """Return the first sheet."""
        return next(iter(self._sheets.values()))

    def names(self) -> list[str]:
        """Return the names of ranges that the file defines."""
        return [name for _, name in self._names]
