"""What a sweep gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError, SpecificationError, require, unknown_name
from sembada.sd.designs import Design
from sembada.sd.layout import Layout
from sembada.sd.run import STATUS, Run, flat
from sembada.sd.statistics import Summary

__all__ = ["Sweep"]

# Whether a frame that shares its numbers with another copies them before it writes: from pandas 3 on.
_COPY_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """What the runs of a sweep gave.

    Attributes
    ----------
    design : DataFrame
        What each run changed: a row a run.
    status : ndarray
        Status of each run, shape (runs,): 0 done, 1 not finite. Runs that failed are NaN from the failure on.
    n_failed : int
        How many runs failed.
    summary : Summary or None
        The statistics, where these were kept in place of the runs.
    provenance : dict
        Version, method, kernel, seed, times, design, and hash of the model.
    """

    layout: Layout
    plan: Design
    status: NDArray[np.uint8]
    failed_at: NDArray[np.float64]
    # of the runs that failed
    failed_in: dict[int, str]
    values: Any = None
    summary: Summary | None = None
    model: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    store: str | None = None
    # Frames over the columns of `values`: those handed out share their numbers, until they are written to.
    _frames: dict[int, pd.DataFrame] = field(default_factory=dict, init=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_frames": {}}

    @property
    def design(self) -> pd.DataFrame:
        """What each run changed."""
        return self.plan.frame

    @property
    def times(self) -> NDArray[np.float64]:
        """The saved times, shape (times,)."""
        return self.layout.times

    @property
    def n_failed(self) -> int:
        """How many runs failed."""
        return int(np.count_nonzero(self.status))

    @property
    def provenance(self) -> dict[str, Any]:
        """How the sweep was made."""
        from sembada import __version__

        return {"sembada": __version__, **self.origin}

    def __len__(self) -> int:
        return len(self.plan)

    def failures(self) -> pd.DataFrame:
        """Return the runs that failed: index `run`; columns `status, time, variable`."""
        at = np.flatnonzero(self.status)
        return pd.DataFrame(
            {
                "status": pd.Series([STATUS[code] for code in self.status[at]], dtype="str", index=at),
                "time": self.failed_at[at],
                "variable": pd.Series([self.failed_in[int(i)] for i in at], dtype="str", index=at),
            },
            index=pd.Index(at, name="run"),
        )

    def _kept(self) -> Any:
        if self.values is None:
            raise DataError(
                "this sweep kept statistics, not its runs; use mean(…) or quantiles(…), run(i) for the trace of one "
                "run, or sweep without stats=",
                {"kept": "statistics"},
            )
        return self.values

    def column(self, at: int) -> NDArray[np.float64]:
        """Return one column of all runs, shape (times, runs)."""
        return np.asarray(self._kept()[at])

    def frame(self, name: str) -> pd.DataFrame:
        """Return a variable over time in every run.

        Parameters
        ----------
        name
            A saved variable, or one element `Name[Elem]`.

        Returns
        -------
        DataFrame
            Index `time`, columns `run`; for an array columns (element, run).

        Raises
        ------
        UnknownNameError
            If nothing of that name was saved; lists near matches.
        """
        columns, single = self.layout.find(name)
        parts = [self._framed(at) for at in range(columns.start, columns.stop)]
        if single:
            return parts[0]
        labels = [",".join(x) if isinstance(x, tuple) else x for x in self.layout.labels(columns)]
        return pd.concat(parts, axis=1, keys=labels, names=["element", "run"])

    def _framed(self, at: int) -> pd.DataFrame:
        lazy = _COPY_ON_WRITE and isinstance(self._kept(), np.ndarray)
        if not lazy or at not in self._frames:
            runs = pd.RangeIndex(len(self), name="run")
            made = pd.DataFrame(self.column(at), index=self.layout.index, columns=runs, copy=not lazy)
            if not lazy:
                return made
            self._frames[at] = made
        return self._frames[at].copy(deep=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frame(name)

    def final(self) -> pd.DataFrame:
        """Return every saved variable at the last time: index `run`, a column a saved variable."""
        kept = self._kept()
        data = np.column_stack([np.asarray(kept[at])[-1] for at in range(len(self.layout.columns))])
        return pd.DataFrame(data, index=pd.RangeIndex(len(self), name="run"), columns=self.layout.header)

    def _codes(self, by: str | None) -> tuple[list[Any], NDArray[np.intp]]:
        if by is None:
            return ["all"], np.zeros(len(self), dtype=np.intp)
        if by not in self.design.columns:
            raise unknown_name("column of the design", by, [str(name) for name in self.design.columns])
        codes, values = pd.factorize(self.design[by], sort=False)
        return list(values), codes

    def quantiles(
        self, name: str, q: float | Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95), *, by: str | None = None
    ) -> pd.DataFrame:
        """Return quantiles over the runs that did not fail.

        Parameters
        ----------
        name
            A saved variable, or one element `Name[Elem]`.
        q
            Quantiles between 0 and 1.
        by
            Column of the design: quantiles for each of its values. Where statistics were kept in place of the runs, it
            is the one that they were kept by.

        Returns
        -------
        DataFrame
            Index `time`; columns `quantile`, under `by` and the element where there are such.
        """
        levels = [float(value) for value in np.atleast_1d(np.asarray(q, dtype=float))]
        if not levels or not all(0 <= value <= 1 for value in levels):
            raise SpecificationError(f"quantiles: q={q!r}; expected numbers from 0 to 1", {"q": q})
        if self.summary is not None and self.values is None:
            self._same_group(by)
            return self.summary.quantiles(name, levels)

        def over(values: NDArray[np.float64]) -> NDArray[np.float64]:
            if not values.shape[-1]:
                return np.full((len(levels), values.shape[0]), np.nan)
            if np.isnan(values).any():
                # a failed run is NaN from its failure on, and counts for the times before
                return np.stack([_nanquantile(values, level) for level in levels])
            return np.quantile(values, levels, axis=-1)

        return self._by_group(name, by, over, ("quantile", levels))

    def rank_error(self, name: str) -> pd.DataFrame:
        """Return how far the quantiles of a variable may be from their ranks, as a share of the ranks.

        Parameters
        ----------
        name
            A saved variable, or one element `Name[Elem]`.

        Returns
        -------
        DataFrame
            Index `time`. Zero where quantiles are exact; else at most `1/compression` of `sd.Statistics`. It is a
            bound that holds for certain; the error itself is mostly far smaller.

        Raises
        ------
        SpecificationError
            If the sweep kept no sketch of quantiles.
        """
        if self.summary is not None and self.values is None:
            return self.summary.rank_error(name)
        return self._by_group(name, None, lambda values: np.zeros(values.shape[0]), None)

    def _same_group(self, by: str | None) -> None:
        assert self.summary is not None
        if by is not None and by != self.summary.by:
            raise SpecificationError(
                f"the statistics of this sweep were kept by {self.summary.by!r}, not by {by!r}; sweep again with "
                f"stats=sd.Statistics(by={by!r})",
                {"by": by, "kept_by": self.summary.by},
            )

    def _by_group(self, name: str, by: str | None, over: Any, last: tuple[str, list[Any]] | None) -> pd.DataFrame:
        columns, single = self.layout.find(name)
        groups, codes = self._codes(by)
        picks: list[Any] = (
            [np.flatnonzero(codes == code) for code in range(len(groups))] if by is not None else [slice(None)]
        )
        tables: dict[tuple[Any, ...], NDArray[np.float64]] = {}
        labels = [""] if single else [",".join(x) if isinstance(x, tuple) else x for x in self.layout.labels(columns)]
        for group, pick in zip(groups, picks, strict=True):
            for label, at in zip(labels, range(columns.start, columns.stop), strict=True):
                result = over(self.column(at)[:, pick])
                for i, value in enumerate(last[1]) if last else [(0, None)]:
                    key = (*((group,) if by is not None else ()), *((label,) if not single else ()))
                    tables[(*key, value) if last else key] = result[i] if last else result
        names = [*([by] if by is not None else []), *(["element"] if not single else []), *([last[0]] if last else [])]
        data = np.column_stack(list(tables.values()))
        if not names:
            header: pd.Index = pd.Index([self.layout.columns[columns.start]])
        elif len(names) == 1:
            header = pd.Index([key[0] for key in tables], name=names[0])
        else:
            header = pd.MultiIndex.from_tuples(list(tables), names=names)
        return pd.DataFrame(data, index=self.layout.index, columns=header)

    def _statistic(self, what: str, name: str, by: str | None, over: Any) -> pd.DataFrame:
        if self.summary is not None and self.values is None:
            self._same_group(by)
            return self.summary.table(what, name)
        return self._by_group(name, by, over, None)

    def mean(self, name: str, *, by: str | None = None) -> pd.DataFrame:
        """Return the mean over the runs that had not failed by then: index `time`."""
        return self._statistic("mean", name, by, _quiet(np.nanmean))

    def variance(self, name: str, *, by: str | None = None) -> pd.DataFrame:
        """Return the variance (n − 1) over the runs that had not failed by then: index `time`."""
        return self._statistic("variance", name, by, _quiet(np.nanvar, ddof=1))

    def std(self, name: str, *, by: str | None = None) -> pd.DataFrame:
        """Return the standard deviation (n − 1) over the runs that had not failed by then: index `time`."""
        return self.variance(name, by=by) ** 0.5

    def minimum(self, name: str, *, by: str | None = None) -> pd.DataFrame:
        """Return the smallest value over the runs that had not failed by then: index `time`."""
        return self._statistic("minimum", name, by, _quiet(np.nanmin))

    def maximum(self, name: str, *, by: str | None = None) -> pd.DataFrame:
        """Return the largest value over the runs that had not failed by then: index `time`."""
        return self._statistic("maximum", name, by, _quiet(np.nanmax))

    def exceedance(self) -> pd.DataFrame:
        """Return the share of runs beyond the limits of `sd.Statistics(beyond=…)`: index `time`."""
        return self._limited().exceedance()

    def first_passage(self) -> pd.DataFrame:
        """Return the share of runs first beyond each limit at each time; the last row is never (infinity)."""
        return self._limited().first_passage()

    def _limited(self) -> Summary:
        if self.summary is None or not self.summary.limits:
            raise SpecificationError(
                "this sweep kept no limits; sweep with stats=sd.Statistics(beyond={'cash': ('<', 0)})", {}
            )
        return self.summary

    def run(self, index: int, *, save: Any = None) -> Run:
        """Run one member again with the numbers that it had, and return its whole trace.

        Parameters
        ----------
        index
            Which run.
        save
            The variables; `None`: all.
        """
        if not 0 <= index < len(self):
            raise SpecificationError(
                f"run {index}: the sweep has runs 0 to {len(self) - 1}", {"run": index, "n_runs": len(self)}
            )
        from sembada.sd.sweeping import trace

        names = (save,) if isinstance(save, str) else None if save is None else tuple(save)
        return trace(self.model, self.plan, index, names, self.options)

    def to_xarray(self) -> Any:
        """Return an `xarray.Dataset` with dims `run`, `time` and one a dimension of the model.

        Every column of the design is a coordinate along `run`. A sweep that was stored is read lazily.

        Raises
        ------
        MissingDependencyError
            If xarray is not installed.
        """
        xarray = require("xarray", "xarray")
        if self.store is not None:
            from sembada.sd.store import open_dataset

            return open_dataset(self.store)
        kept = self._kept()
        axes = self.layout.axes()
        data: dict[str, Any] = {}
        for place in self.layout.places:
            # (elements, times, runs) → (runs, times, elements)
            block = np.asarray(kept[place.first : place.first + place.count]).T
            one = Layout(
                self.layout.columns[place.first : place.first + place.count],
                (type(place)(place.name, place.dimensions, 0, place.count),),
                self.layout.times,
            )
            dims, values, elements = one.arrays(block.transpose(0, 1, 2))[place.name]
            array = xarray.DataArray(values, dims=("run", "time", *dims), coords=dict(zip(dims, elements, strict=True)))
            if dims:
                array = array.reindex({dim: axes[dim] for dim in dims})
            if self.layout.units.get(place.name):
                array.attrs["units"] = self.layout.units[place.name]
            data[place.name] = array
        coordinates: dict[str, Any] = {
            "run": np.arange(len(self)),
            "time": xarray.DataArray(self.times, dims="time", attrs={"units": self.layout.time_unit}),
            **axes,
        }
        attributes = flat(self.provenance)
        extra = {} if "status" in data else {"status": ("run", self.status)}
        for name in self.design.columns:
            column = self.design[name]
            values = column.to_numpy()
            if column.dtype == object:
                values = np.array([value if isinstance(value, str) else repr(value) for value in column], dtype=str)
            label = str(name)
            # a stock or parameter of the same name is a variable of the result already
            coordinates[f"initial {label}" if label in data else label] = ("run", values)
        return xarray.Dataset(data | extra, coords=coordinates, attrs=attributes)

    def __repr__(self) -> str:
        what = "statistics" if self.values is None else f"{len(self.layout.columns)} variables"
        return f"<Sweep: {len(self)} runs, {self.n_failed} failed, {what}, {len(self.times)} times>"


def _quiet(function: Any, **options: Any) -> Any:
    def over(values: NDArray[np.float64]) -> NDArray[np.float64]:
        empty = np.isnan(values).all(axis=-1) if values.shape[-1] else np.ones(values.shape[0], dtype=bool)
        out = np.full(values.shape[0], np.nan)
        if options.get("ddof") and values.shape[-1]:
            empty |= (~np.isnan(values)).sum(axis=-1) <= options["ddof"]
        if not empty.all():
            out[~empty] = function(values[~empty], axis=-1, **options)
        return out

    return over


def _nanquantile(values: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    out = np.full(values.shape[0], np.nan)
    some = ~np.isnan(values).all(axis=-1)
    if some.any():
        out[some] = np.nanquantile(values[some], q, axis=-1)
    return out
