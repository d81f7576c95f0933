"""What runs of a sweep share beyond numbers: each setting is one compiled program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError, SembadaError
from sembada.sd.names import split_element
from sembada.sd.objects import Time
from sembada.sd.series import as_series

__all__ = [
    "METHODS",
    "NAMES",
    "Saved",
    "Setting",
    "Settings",
    "fingerprint",
    "group",
    "is_number",
    "is_points",
    "is_table",
    "missing",
]

NAMES = ("initial_time", "final_time", "dt", "save_step", "tolerance", "method")
METHODS = ("euler", "rk2", "rk4", "rk45")
# Tables and horizons that only so many settings differ in are part of the program, which then reads them faster.
FEW = 8
# As are tables that so many runs each have in common: compiling is cheap beside them.
MANY = 512

# Points of a table: its name, how many, and whether each run has its own arguments.
Shaped = tuple[str, int, bool]


@dataclass(frozen=True)
class Setting:
    """What a group of runs has in common: data and lookups of the model, those whose points are numbers, and times."""

    data: tuple[tuple[str, Any], ...] = ()
    time: tuple[tuple[str, float], ...] = ()
    tolerance: float | None = None
    method: str | None = None
    curves: tuple[Shaped, ...] = ()


@dataclass(frozen=True)
class Saved:
    """Times to save in place of a save step."""

    at: tuple[float, ...]
    time: Time


@dataclass
class Settings:
    """The settings of a design.

    `codes` says which one each run has. `points` has the numbers of the tables of each setting, a row a run, and
    `place` which row is whose. `ends` is the final time of each run where the programs run further.
    """

    codes: NDArray[np.intp]
    every: list[Setting]
    points: list[NDArray[np.float64] | None] = field(default_factory=list)
    place: NDArray[np.intp] | None = None
    ends: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.every)

    def part(self, rows: slice) -> Settings:
        """Return the settings of some runs."""
        codes = self.codes[rows]
        ends = None if self.ends is None else self.ends[rows]
        if self.place is None:
            return Settings(codes, self.every, self.points, None, ends)
        place = self.place[rows].copy()
        points: list[NDArray[np.float64] | None] = [None] * len(self.points)
        for code in np.unique(codes):
            whole = self.points[code]
            if whole is not None:
                here = np.flatnonzero(codes == code)
                points[code] = whole[place[here]]
                place[here] = np.arange(len(here))
        return Settings(codes, self.every, points, place, ends)

    def numbers(self, code: int, rows: Any) -> NDArray[np.float64] | None:
        """Return the numbers of the tables of some runs of a setting; `None`: it has none."""
        whole = self.points[code] if self.points else None
        if whole is None or self.place is None:
            return None
        numbers: NDArray[np.float64] = whole[self.place[rows]]
        return numbers


def missing(value: Any) -> bool:
    """Return whether a cell says nothing."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_number(value: Any) -> bool:
    """Return whether a value is a number, or text that is one."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def is_table(value: Any) -> bool:
    """Return whether a cell is a series or a list of points."""
    return isinstance(value, (pd.Series, Mapping)) or (isinstance(value, (tuple, list)) and len(value) == 2)


def is_points(value: Any) -> bool:
    """Return whether a value is the points `(x, y)` of a lookup."""
    return isinstance(value, tuple) and len(value) == 2 and all(np.ndim(part) == 1 for part in value)


def fingerprint(value: Any) -> Any:
    """Return something hashable that two equal tables share."""
    if isinstance(value, pd.Series):
        return ("series", tuple(value.index), tuple(value))
    if isinstance(value, Mapping):
        return ("series", tuple(value), tuple(value.values()))
    if is_number(value):
        return ("number", float(value))
    return ("points", *(tuple(map(float, np.atleast_1d(part))) for part in value))


@dataclass(frozen=True)
class _Curve:
    """A table as numbers; `kind` tells lookups from series."""

    kind: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def _curve(model: Any, name: str, value: Any) -> _Curve | None:
    """Return the points of a cell, where they can be numbers of a run; `None`: the model must be made with them."""
    head, subscripts = split_element(name)
    info = model.variables[head]
    if info.type == "lookup" or is_points(value):
        if not is_points(value) or len(value[0]) != len(value[1]):
            return None
        try:
            x, y = np.asarray(value[0], dtype=float), np.asarray(value[1], dtype=float)
        except (TypeError, ValueError):
            return None
        kind = "lookup"
    elif np.isscalar(value) or subscripts or info.dimensions:
        return None
    else:
        try:
            ((_, times, values),) = as_series(value, head, (), {})
        except DataError:
            return None
        x, y, kind = np.asarray(times), np.asarray(values), "series"
    good = len(x) > 0 and np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) > 0).all()
    return _Curve(kind, x, y) if good else None


def group(
    model: Any, n: int, tables: dict[str, list[Any]], times: dict[str, list[Any]], horizon: Any, compiles: Any
) -> Settings:
    """Find which runs share a program.

    Parameters
    ----------
    model
        The model.
    n
        Number of runs.
    tables, times
        Cells of the columns that are tables and settings.
    horizon
        The final time where a run has none of its own; `None`: runs that differ in it share no program.
    compiles
        Called with a setting: its program, or an error.
    """
    if not tables and not times:
        return Settings(np.zeros(n, dtype=np.intp), [Setting()])
    ends = np.full(n, math.nan)
    if horizon is not None and "final_time" in times:
        own = np.array([math.nan if missing(cell) else cell for cell in times["final_time"]], dtype=float)
        ends = np.where(np.isnan(own), horizon, own)
    members: dict[Any, list[int]] = {}
    curves: list[dict[str, _Curve]] = [{} for _ in range(n)] if tables else []
    known: dict[tuple[str, int], _Curve | None] = {}
    heads = [split_element(name)[0] for name in tables]
    for row in range(n):
        key: list[Any] = []
        for name, cells in tables.items():
            cell = cells[row]
            if missing(cell):
                continue
            # cells that stand in many runs are one object
            if (name, id(cell)) not in known:
                known[name, id(cell)] = _curve(model, name, cell) if heads.count(split_element(name)[0]) == 1 else None
            curve = known[name, id(cell)]
            if curve is None:
                key.append((name, fingerprint(cell)))
            else:
                curves[row][name] = curve
                key.append((name, curve.kind, len(curve.x)))
        shared = horizon is not None
        chosen = tuple(
            (name, cells[row])
            for name, cells in times.items()
            if not missing(cells[row]) and not (shared and name == "final_time")
        )
        members.setdefault((tuple(key), chosen), []).append(row)
    found = Settings(np.zeros(n, dtype=np.intp), [], [], np.zeros(n, dtype=np.intp), ends)
    for (_, chosen), rows in members.items():
        for part, alike in _by_end(np.array(rows), chosen, ends, tables, compiles):
            _add(found, part, alike, tables, curves, compiles)
    # programs are numbered by the first run that they have
    first = [int(np.flatnonzero(found.codes == code)[0]) for code in range(len(found.every))]
    order = np.argsort(first)
    found.codes = np.argsort(order)[found.codes]
    found.every = [found.every[code] for code in order]
    found.points = [found.points[code] for code in order]
    if all(points is None for points in found.points):
        found.points, found.place = [], None
    if np.isnan(ends).all():
        found.ends = None
    return found


def _data(tables: dict[str, list[Any]], row: int) -> tuple[tuple[str, Any], ...]:
    return tuple((name, cells[row]) for name, cells in tables.items() if not missing(cells[row]))


def _by_end(
    rows: NDArray[np.intp],
    chosen: tuple[tuple[str, Any], ...],
    ends: NDArray[np.float64],
    tables: dict[str, list[Any]],
    compiles: Any,
) -> list[tuple[NDArray[np.intp], Setting]]:
    """Cut runs by their final time, unless a run to the last one is the same program: then it serves all."""
    settings = dict(chosen)
    tolerance, method = settings.pop("tolerance", None), settings.pop("method", None)
    base = Setting(time=tuple(settings.items()), tolerance=tolerance, method=method)
    if np.isnan(ends[rows[0]]):
        return [(rows, base)]

    def until(end: float) -> Setting:
        return replace(base, time=(*base.time, ("final_time", float(end))))

    last = ends[rows].max()
    if len(np.unique(ends[rows])) > FEW:
        data = _data(tables, int(rows[0]))
        try:
            longest, shortest = (compiles(replace(until(end), data=data)) for end in (last, ends[rows].min()))
            if longest.continues(shortest):
                return [(rows, until(last))]
        except SembadaError:
            pass
    return [(rows[ends[rows] == end], until(end)) for end in np.unique(ends[rows])]


def _add(
    found: Settings,
    rows: NDArray[np.intp],
    alike: Setting,
    tables: dict[str, list[Any]],
    curves: list[dict[str, _Curve]],
    compiles: Any,
) -> None:
    """Add the settings of runs that have the same kinds of tables and the same times."""
    distinct: dict[Any, list[int]] = {}
    for row in rows.tolist():
        own = curves[row] if curves else {}
        key = tuple(
            (name, own[name].y.tobytes(), own[name].x.tobytes()) if name in own else (name, fingerprint(cell))
            for name, cell in _data(tables, row)
        )
        distinct.setdefault(key, []).append(row)
    varied = list(curves[rows[0]]) if curves else []
    if varied and len(distinct) > max(FEW, len(rows) // MANY):
        shaped: list[Shaped] = []
        numbers: list[NDArray[np.float64]] = []
        for name in varied:
            x = np.array([curves[row][name].x for row in rows])
            apart = bool((x != x[0]).any())
            shaped.append((split_element(name)[0], x.shape[1], apart))
            numbers += [x] if apart else []
            numbers.append(np.array([curves[row][name].y for row in rows]))
        setting = replace(alike, data=_data(tables, int(rows[0])), curves=tuple(shaped))
        try:
            compiles(setting)
        except SembadaError:
            pass
        else:
            found.codes[rows] = len(found.every)
            found.place[rows] = np.arange(len(rows))  # type: ignore[index]
            found.every.append(setting)
            found.points.append(np.hstack(numbers))
            return
    for same in distinct.values():
        found.codes[same] = len(found.every)
        found.every.append(replace(alike, data=_data(tables, same[0])))
        found.points.append(None)
