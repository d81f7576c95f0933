"""A sweep as work in blocks: which runs share a compiled program, and what a block gives back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, unknown_name
from sembada.execution import Block, Report
from sembada.sd.designs import Design
from sembada.sd.names import Names, canonical, split_element
from sembada.sd.objects import Time
from sembada.sd.settings import (
    METHODS,
    NAMES,
    Saved,
    Setting,
    Settings,
    fingerprint,
    group,
    is_number,
    is_table,
    missing,
)
from sembada.sd.statistics import Statistics

__all__ = ["Batch", "BlockResult", "block_size", "plan"]

# A block of results stays well under what a laptop has, and far above what starting one costs.
BLOCK_BYTES = 64 * 2**20
# Lanes run in groups of up to 256: blocks are multiples of it.
LANES = 256
# Statistics merge block by block: this size decides their bits, so it is the same for every executor.
STATISTICS_BLOCK = 256 * LANES


@dataclass(frozen=True)
class BlockResult:
    """What a block of runs gave: trajectories (columns, times, runs) or statistics."""

    trajectories: NDArray[np.float64] | None
    reduction: Any
    status: NDArray[np.uint8]
    failed_at: NDArray[np.float64]
    # of the runs that failed, by their place in the block
    failed_in: dict[int, str]


@dataclass(frozen=True)
class Known:
    """What is asked of a program more than once: a model keeps a few programs only."""

    times: NDArray[np.float64]
    defaults: NDArray[np.float64]
    method: str
    random: bool


@dataclass
class Batch:
    """All that a worker needs to run any block of a sweep; it pickles.

    `columns` are those of the design, not copied; NaN in them (in those that `holes` lists) stands for the value of the
    model, which `facts` have by setting. `start` is the run that their first row is.
    """

    model: Any
    save: tuple[str, ...] | None
    varied: tuple[str, ...]
    columns: list[NDArray[np.float64]]
    streams: NDArray[np.uint64]
    settings: Settings
    method: str | None
    time: Any
    seed: int
    threads: int | None
    tolerance: tuple[float, float] | None = None
    statistics: Statistics | None = None
    groups: NDArray[np.int64] | None = None
    n_groups: int = 1
    holes: list[int] = field(default_factory=list)
    facts: dict[int, Known] = field(default_factory=dict)
    start: int = 0

    def part(self, block: Block) -> Batch:
        """Return what a worker elsewhere needs for one block."""
        rows = slice(block.start - self.start, block.stop - self.start)
        return replace(
            self,
            columns=[np.ascontiguousarray(column[rows]) for column in self.columns],
            streams=self.streams[rows],
            settings=self.settings.part(rows),
            groups=None if self.groups is None else self.groups[rows],
            start=block.start,
        )

    def compiled(self, code: int) -> Any:
        """Return the compiled program of a setting, with what its results share."""
        return self._compile(self.settings.every[code])

    def _compile(self, setting: Setting) -> Any:
        tolerance = setting.tolerance
        return self.model._changed(dict(setting.data))._compiled(
            self.save,
            self.varied,
            self._time(setting),
            self.method if setting.method is None else setting.method,
            self.tolerance if tolerance is None else as_tolerance(tolerance),
            setting.curves,
        )

    def known(self, code: int) -> Known:
        """Return the facts of the program of a setting."""
        if code not in self.facts:
            program = self.program(code)
            self.facts[code] = Known(program.times, program.defaults, program.method, program.random)
        return self.facts[code]

    def program(self, code: int) -> Any:
        """Return the compiled program of a setting."""
        return self.compiled(code).program

    def _time(self, setting: Setting) -> Any:
        changes = dict(setting.time)
        if not changes:
            return self.time
        if isinstance(self.time, tuple):
            return Saved(self.time, self.model.time.but(**changes))
        base = self.time if self.time is not None else self.model.time
        return base.but(**changes)

    def times(self) -> NDArray[np.float64]:
        """Return the saved times of all settings together."""
        parts = [self.known(code).times for code in range(len(self.settings))]
        if len(parts) == 1:
            return np.asarray(parts[0], dtype=float)
        every = np.unique(np.concatenate(parts))
        # times that differ by rounding only are one
        new = np.diff(every, prepend=-np.inf) > 1e-9 * np.maximum(1.0, np.abs(every))
        union: NDArray[np.float64] = every[new]
        return union

    def check_defaults(self) -> None:
        """Find what fills the places that the design leaves open.

        Raises
        ------
        SpecificationError
            If the design leaves something open whose value in the model is no constant.
        """
        self.holes = [at for at, column in enumerate(self.columns) if np.isnan(column).any()]
        for code in range(len(self.settings)):
            given = self.known(code).defaults
            for at in self.holes:
                if not math.isnan(given[at]):
                    continue
                rows = np.flatnonzero(np.isnan(self.columns[at]) & (self.settings.codes == code))
                if len(rows):
                    raise SpecificationError(
                        f"design: run {rows[0]} leaves {self.varied[at]!r} open, and the model computes it; "
                        "give a number in every run",
                        {"run": int(rows[0]), "name": self.varied[at]},
                    )

    def rows(self, code: int, rows: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the values of some runs of one setting, shape (runs, varied), with nothing left open."""
        numbers = self.settings.numbers(code, rows)
        out = np.empty((len(self.columns) + (0 if numbers is None else numbers.shape[1]), len(self.streams[rows])))
        for at, column in enumerate(self.columns):
            out[at] = column[rows]
        for at in self.holes:
            out[at][np.isnan(out[at])] = self.known(code).defaults[at]
        if numbers is not None:
            out[len(self.columns) :] = numbers.T
        return out.T

    def __call__(self, block: Block, report: Report | None) -> BlockResult:
        """Run a block."""
        first_row = block.start - self.start
        whole = slice(first_row, first_row + len(block))
        pieces = self._pieces(whole)
        if len(pieces) == 1 and len(self.settings) == 1:
            return self._piece(0, whole, report)
        status = np.zeros(len(block), dtype=np.uint8)
        failed_at = np.full(len(block), np.nan)
        failed_in: dict[int, str] = {}
        times = self.times() if len(self.settings) > 1 else None
        values: NDArray[np.float64] | None = None
        reduction: Any = None
        done = 0
        for code, piece in pieces:
            part = self._piece(code, piece, None, reduction)
            local = piece - first_row
            reduction = part.reduction
            if part.trajectories is not None:
                found = part.trajectories
                own = self.program(code).times
                if values is None:
                    values = np.full((found.shape[0], len(own if times is None else times), len(block)), np.nan)
                at_time = (
                    np.arange(len(own))
                    if times is None
                    else np.searchsorted(times, own - 1e-9 * np.maximum(1.0, np.abs(own)))
                )
                values[:, at_time[:, None], local[None, :]] = found
            status[local], failed_at[local] = part.status, part.failed_at
            failed_in |= {int(local[position]): name for position, name in part.failed_in.items()}
            done += len(piece)
            if report is not None:
                report(done, len(block))
        return BlockResult(values, reduction, status, failed_at, failed_in)

    def _piece(
        self, code: int, rows: slice | NDArray[np.intp], report: Report | None, reduction: Any = None
    ) -> BlockResult:
        """Run some rows of one setting whose streams follow each other."""
        program = self.program(code)
        design = self.rows(code, rows)
        first = int(self.streams[rows][0])
        values = None
        if self.statistics is None:
            values, status, at, where = program.sweep(design, self.seed, first, self.threads, report)
            if self.settings.ends is not None:
                end(values, status, program, self.settings.ends[rows])
                at[status == 0] = np.nan
        else:
            if reduction is None:
                reduction = self._reduction(program)
            group = None if self.groups is None else np.ascontiguousarray(self.groups[rows])
            status, at, where = program.reduce(design, reduction, group, self.seed, first, self.threads, report)
        names = {
            int(position): program.state_name(int(where[position])) if where[position] >= 0 else ""
            for position in np.flatnonzero(status)
        }
        return BlockResult(values, reduction, status, at, names)

    def _pieces(self, rows: slice) -> list[tuple[int, Any]]:
        """Cut rows by their settings, and where their streams of random numbers do not follow each other."""
        if len(self.settings) == 1:
            follow = not self.known(0).random or bool((np.diff(self.streams[rows].astype(np.int64)) == 1).all())
            if follow:
                return [(0, rows)]
        codes, at = self.settings.codes[rows], np.arange(rows.start, rows.stop)
        parts = [(int(code), at[codes == code]) for code in np.unique(codes)]
        return [(code, piece) for code, part in parts for piece in self._consecutive(code, part)]

    def _consecutive(self, code: int, rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Cut rows where their streams of random numbers do not follow each other; a program without noise has none."""
        if not self.known(code).random:
            return [rows]
        cuts = np.flatnonzero(np.diff(self.streams[rows].astype(np.int64)) != 1) + 1
        return np.split(rows, cuts)

    def _reduction(self, program: Any) -> Any:
        from sembada import _core

        assert self.statistics is not None
        columns = Names([(name, i) for i, name in enumerate(program.columns)], "saved variable")
        limits = [(columns[name], sign, limit) for name, sign, limit in self.statistics.limits()]
        return _core.SdReduction(program, self.n_groups, self.statistics.quantiles, self.statistics.compression, limits)


def block_size(n_columns: int, n_times: int, n_runs: int) -> int:
    """Return how many runs a block has, from the size of its results alone."""
    one = max(1, 8 * n_columns * n_times)
    size = max(1, BLOCK_BYTES // one)
    return min(n_runs, size if size < LANES else size // LANES * LANES)


def _setting(name: str, column: pd.Series) -> list[Any]:
    out: list[Any] = []
    for row, value in enumerate(column):
        if canonical(name) == "method":
            if not (missing(value) or value in METHODS):
                raise unknown_name("integration method", str(value), METHODS, where=f"run {row} of the design")
            out.append(math.nan if missing(value) else str(value))
            continue
        if not (missing(value) or (is_number(value) and math.isfinite(float(value)))):
            raise SpecificationError(
                f"design: run {row} has {value!r} for the setting {name!r}; expected a number",
                {"run": row, "name": name, "value": value},
            )
        out.append(math.nan if missing(value) else float(value))
    return out


def as_tolerance(given: Any) -> tuple[float, float] | None:
    """Take a tolerance: relative, with a thousandth of it as the absolute one, or both.

    Raises
    ------
    SpecificationError
        If it is not positive.
    """
    if given is None:
        return None
    try:
        relative, absolute = given if isinstance(given, (tuple, list)) else (given, 1e-3 * given)
        made = (float(relative), float(absolute))
    except (TypeError, ValueError):
        made = (math.nan, math.nan)
    if not (0 < made[0] < 1 and 0 < made[1] < math.inf):
        raise SpecificationError(
            f"tolerance={given!r}: expected a relative tolerance between 0 and 1, such as 1e-6, or a pair (relative, "
            "absolute) of positive numbers",
            {"tolerance": given},
        )
    return made


def _text(column: pd.Series) -> bool:
    return (
        isinstance(column.dtype, (pd.CategoricalDtype, pd.StringDtype))
        or pd.api.types.is_datetime64_any_dtype(column.dtype)
        or (column.dtype == object and all(isinstance(value, str) or missing(value) for value in column))
    )


def cell_fingerprint(value: Any) -> Any:
    """Return what a cell of a design is told from others by."""
    return value if isinstance(value, str) or missing(value) or not is_table(value) else fingerprint(value)


def plan(model: Any, design: Design, **options: Any) -> Batch:
    """Sort the columns of a design into numbers, settings and labels.

    Raises
    ------
    UnknownNameError
        If a column names nothing in the model and is no label; lists near matches.
    SpecificationError
        If a cell is neither a number nor a table where it must be.
    """
    frame = design.frame
    names = model.variables
    numbers: dict[str, NDArray[np.float64]] = {}
    tables: dict[str, list[Any]] = {}
    times: dict[str, list[Any]] = {}
    for column_name, column in frame.items():
        name = str(column_name)
        head = split_element(name)[0]
        inside = head.partition("(")[2].rstrip(")") if head.endswith(")") else ""
        known = head in names or (inside and inside in names)
        if canonical(name) in NAMES and not known:
            times[canonical(name)] = _setting(name, column)
        elif not known:
            if _text(column) or name in ("draw", "replicate", "run"):
                continue
            raise unknown_name("parameter", name, [*names, *NAMES], where="the design")
        elif column.dtype == object and any(is_table(value) for value in column):
            tables[name] = column.tolist()
        else:
            try:
                plain = column.dtype == np.float64
                values = column.to_numpy() if plain else column.to_numpy(dtype=float, na_value=np.nan)
            except (TypeError, ValueError) as error:
                bad = next(
                    (row, value) for row, value in enumerate(column) if not missing(value) and not is_number(value)
                )
                raise SpecificationError(
                    f"design: run {bad[0]} has {bad[1]!r} for {name!r}; expected a number",
                    {"run": bad[0], "name": name, "value": bad[1]},
                ) from error
            numbers[varied_name(model, name)] = values
            if np.isfinite(values).all():
                continue
            infinite = np.flatnonzero(np.isinf(values))
            if len(infinite):
                raise SpecificationError(
                    f"design: run {infinite[0]} has an infinite value for {name!r}; expected a finite number",
                    {"run": int(infinite[0]), "name": name},
                )
            empty = np.flatnonzero(np.isnan(values))
            if len(empty) and design.record.get("kind") == "table":
                raise SpecificationError(
                    f"design: run {empty[0]} has no value for {name!r}; leave the row out or fill it. Where it should "
                    "keep the value of the model, give rows as mappings, or sd.scenarios(…)",
                    {"run": int(empty[0]), "name": name},
                )
    batch = Batch(
        model=model,
        varied=tuple(numbers),
        columns=list(numbers.values()),
        streams=design.streams,
        settings=Settings(np.zeros(len(frame), dtype=np.intp), [Setting()]),
        **options,
    )
    horizon = None
    if "final_time" in times and batch.statistics is None:
        horizon = (batch.time if isinstance(batch.time, Time) else model.time).final_time
    batch.settings = group(model, len(frame), tables, times, horizon, lambda setting: batch._compile(setting).program)
    return batch


def end(values: NDArray[np.float64], status: NDArray[np.uint8], program: Any, ends: NDArray[np.float64]) -> None:
    """End runs of a program before it ends: later values are NaN, and what fails later has not failed.

    Parameters
    ----------
    values
        Columns × times × runs; changed.
    status
        Status of each run; changed.
    program
        The program that they were run with.
    ends
        Final time of each run.
    """
    times = np.asarray(program.times)
    later = times[:, None] > ends[None, :] + 1e-6 * program.dt
    last = len(times) - 1 - later.sum(axis=0)
    for run in np.flatnonzero(status):
        # a run that failed is NaN from then on
        if last[run] < 0 or not np.isnan(values[:, last[run], run]).all():
            status[run] = 0
    values[:, later] = math.nan


def varied_name(model: Any, name: str) -> str:
    """Return how the engine calls what a column changes: a stock means its initial value."""
    head, subscripts = split_element(name)
    if head.endswith(")") and head not in model.variables:
        return name
    written = model.variables.written(head)
    full = f"{written}[{','.join(subscripts)}]" if subscripts else written
    return f"INITIAL({full})" if model.variables[head].type == "stock" else full
