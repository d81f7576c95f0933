"""What a model reads from files: GET XLS and GET DIRECT DATA, LOOKUPS, CONSTANTS and SUBSCRIPT."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sembada.errors import ModelFileError, unknown_name
from sembada.sd.sheets import Book, Sheet, column_number

__all__ = ["Resolver"]

_FUNCTION = re.compile(r"GET\s+(?:XLS|DIRECT|123|ODBC|VDF)\s+(DATA|LOOKUPS|CONSTANTS|SUBSCRIPT)", re.IGNORECASE)


class Resolver:
    """Answers a model's GET XLS and GET DIRECT calls from files beside it.

    Parameters
    ----------
    folder
        The folder of the model file.
    files
        Where files are that the model names otherwise (Vensim's `?alias`), by the name in the model.
    outside
        Whether files outside the folder may be read.

    References
    ----------
    Vensim reference manual, GET XLS DATA and the functions after it.
    """

    def __init__(self, folder: Path, files: Mapping[str, Any] | None = None, *, outside: bool = False) -> None:
        self._folder = folder.resolve()
        self._files = {name.lower(): Path(path) for name, path in (files or {}).items()}
        self._outside = outside
        self._books: dict[Path, Book] = {}

    def __call__(self, function: str, arguments: Sequence[str], shape: Sequence[int]) -> dict[str, Any]:
        """Answer one call.

        Parameters
        ----------
        function
            `"GET XLS DATA"` and so on.
        arguments
            Its text arguments.
        shape
            How many elements each ranging subscript on the left side has.

        Returns
        -------
        dict
            `values`: a flat list for constants, a list an element for data and lookups (last subscript fastest);
            `x`: times or arguments of data and lookups; `names`: the elements of a subscript.
        """
        match = _FUNCTION.fullmatch(re.sub(r"[\s_]+", " ", function.strip()))
        if match is None:
            raise ModelFileError(
                f"{function}: such data are not read from files; expected GET XLS or GET DIRECT "
                "DATA, LOOKUPS, CONSTANTS or SUBSCRIPT",
                {"function": function},
            )
        kind = match.group(1).upper()
        needed = {"DATA": 4, "LOOKUPS": 4, "CONSTANTS": 3, "SUBSCRIPT": 5}[kind]
        given = [str(argument).strip() if argument != "\t" else argument for argument in arguments]
        if len(given) < needed - (kind == "SUBSCRIPT"):
            raise ModelFileError(
                f"{function}: {len(given)} arguments, expected {needed}",
                {"function": function, "arguments": list(arguments)},
            )
        book = self.book(given[0], function)
        tab = str(arguments[1])
        if kind == "SUBSCRIPT":
            return self._subscript(book, tab, given[2], given[3], given[4] if len(given) > 4 else "")
        if kind == "CONSTANTS":
            return self._constants(book, tab, given[2], shape, function)
        return self._series(book, tab, given[2], given[3], shape, function)

    def book(self, name: str, function: str) -> Book:
        """Open a file that the model names; `function` is for messages.

        Raises
        ------
        ModelFileError
            If it stands outside the model's folder and that is not allowed, or cannot be read.
        """
        path = self._files.get(name.lower())
        if path is None:
            if name.startswith("?"):
                raise ModelFileError(
                    f"{function}: the model names its file {name!r}, an alias; say where it is with "
                    f"files={{{name!r}: 'path'}}",
                    {"function": function, "file": name},
                )
            path = (self._folder / name.replace("\\", "/")).resolve()
            if not self._outside and not path.is_relative_to(self._folder):
                raise ModelFileError(
                    f"{function}: the model reads {name!r}, which is outside its folder {self._folder}; allow it with "
                    "outside=True, or say where the file is with files={…}",
                    {"function": function, "file": name, "folder": str(self._folder)},
                )
        if path not in self._books:
            self._books[path] = Book(path)
        return self._books[path]

    @staticmethod
    def _area(book: Book, tab: str, name: str, function: str) -> tuple[Sheet, int, int, int, int]:
        found = book.area(tab, name)
        if found is None:
            raise unknown_name("cell or range", name, book.names(), where=f"{book.path.name} ({function})")
        return found

    def _constants(self, book: Book, tab: str, cell: str, shape: Sequence[int], function: str) -> dict[str, Any]:
        down = cell.endswith("*")
        sheet, row, column, _, _ = self._area(book, tab, cell.removesuffix("*"), function)
        n_columns = shape[-1] if shape else 1
        n_rows = math.prod(shape[:-1]) if shape else 1
        values = []
        for r in range(n_rows):
            for c in range(n_columns):
                at = (row + c, column + r) if down else (row + r, column + c)
                value = sheet.number(*at)
                if math.isnan(value):
                    raise ModelFileError(
                        f"{function}: row {at[0] + 1}, column {at[1] + 1} of {sheet.where} holds "
                        f"{sheet.cell(*at)!r}; expected a number",
                        {"function": function, "row": at[0] + 1, "column": at[1] + 1, "value": sheet.cell(*at)},
                    )
                values.append(value)
        return {"values": values}

    def _series(
        self, book: Book, tab: str, axis: str, cell: str, shape: Sequence[int], function: str
    ) -> dict[str, Any]:
        sheet, row, column, last_row, last_column = self._area(book, tab, cell.removesuffix("*"), function)
        size = math.prod(shape)
        if re.fullmatch(r"[0-9]+", axis):  # a row of times: series run across
            line, across, start, stop = int(axis) - 1, True, column, sheet.n_columns
        elif re.fullmatch(r"[A-Za-z]{1,3}", axis) and book.area(tab, axis) is None:
            line, across, start, stop = column_number(axis), False, row, sheet.n_rows
        else:
            axis_sheet, top, left, bottom, right = self._area(book, tab, axis, function)
            across = top == bottom and (left != right or row != top)
            if across:
                line, start, stop = top, left, right + 1
            else:
                line, start, stop = left, top, bottom + 1
            if axis_sheet is not sheet:
                raise ModelFileError(
                    f"{function}: {axis!r} stands on another sheet than {cell!r}", {"function": function}
                )
            if left == right and top == bottom:  # a single cell: to the end of the table
                stop = sheet.n_rows
        # the axis may begin elsewhere than the values; they run side by side
        offset = (column if across else row) - start
        if re.fullmatch(r"[0-9]+|[A-Za-z]{1,3}", axis) and book.area(tab, axis) is None:
            offset = 0
        del last_row, last_column
        x: list[float] = []
        places: list[int] = []
        for position in range(start, stop):
            value = sheet.number(line, position) if across else sheet.number(position, line)
            if not math.isnan(value):
                x.append(value)
                places.append(position + offset)
        if not x:
            raise ModelFileError(
                f"{function}: no numbers in {'row' if across else 'column'} {axis!r} of {sheet.where}",
                {"function": function, "axis": axis},
            )
        order = sorted(range(len(x)), key=x.__getitem__)
        values = []
        for element in range(size):
            if across:
                series = [sheet.number(row + element, places[i]) for i in order]
            else:
                series = [sheet.number(places[i], column + element) for i in order]
            if all(math.isnan(value) for value in series):
                raise ModelFileError(
                    f"{function}: no numbers from {cell!r} on (element {element + 1}) in {sheet.where}",
                    {"function": function, "cell": cell, "element": element},
                )
            values.append(series)
        return {"x": [x[i] for i in order], "values": values}

    def _subscript(self, book: Book, tab: str, first: str, last: str, prefix: str) -> dict[str, Any]:
        sheet, row, column, _, _ = self._area(book, tab, first, "GET … SUBSCRIPT")
        if re.fullmatch(r"[0-9]+", last):  # to the end of this row
            cells = [(int(last) - 1, c) for c in range(column, sheet.n_columns)]
        elif re.fullmatch(r"[A-Za-z]{1,3}", last):  # to the end of this column
            cells = [(r, column_number(last)) for r in range(row, sheet.n_rows)]
        else:
            _, _, _, bottom, right = self._area(book, tab, last, "GET … SUBSCRIPT")
            cells = [(r, c) for r in range(row, bottom + 1) for c in range(column, right + 1)]
        names = []
        for at in cells:
            value = sheet.cell(*at)
            if value is not None:
                number = isinstance(value, float) and value.is_integer()
                names.append(prefix + (str(int(value)) if number else str(value).strip()))
        if not names:
            raise ModelFileError(
                f"GET … SUBSCRIPT: no names from {first!r} to {last!r} in {sheet.where}", {"first": first, "last": last}
            )
        return {"names": names}
