"""Resampling: the draws of all statistics, and their tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sembada import _core, execution
from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.pls import intervals, slopes
from sembada.pls.derived import evaluate
from sembada.pls.engine import Layout, System, place, seed_key
from sembada.pls.frames import Table
from sembada.pls.provenance import Provenance
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.fit import Fit
    from sembada.pls.summary import Summary

__all__ = ["Bootstrap", "replicate"]

METHODS = ("bootstrap", "bayesian", "jackknife")
SIGNS = ("none", "indicator", "construct")
#: What `draws` offers → the engine's statistics.
GROUPS: dict[str, tuple[str, ...]] = {
    "paths": ("paths",),
    "outer_weights": ("weights",),
    "loadings": ("loadings",),
    "total_effects": ("total_effects",),
    "indirect_effects": ("indirect_effects",),
    "specific_indirect": ("specific_indirect",),
    "r2": ("r2",),
    "r2_adjusted": ("r2_adjusted",),
    "f2": ("f2",),
    "htmt": ("htmt",),
    "htmt2": ("htmt2",),
    "reliability": ("alpha", "rho_a", "rho_c", "ave"),
    "construct_correlations": ("construct_correlations",),
}
#: Kept unless `statistics` says otherwise.
STANDARD = (
    "paths", "outer_weights", "loadings", "total_effects", "indirect_effects", "specific_indirect", "r2", "f2", "htmt",
    "reliability",
)  # fmt: skip
#: Replicates that an executor is handed at a time.
BLOCK = 1_000
#: Inner resamples a replicate for the standard errors of studentized intervals (Efron & Tibshirani 1993, ch. 12.5).
INNER = 50


class Bootstrap:
    """Draws of a bootstrap, and tables made from them.

    Every table has the columns `estimate, mean, std_error, t, p, lower, upper`: the estimate on all rows, mean and
    standard deviation (n − 1) of the draws, their quotient `estimate / std_error`, its p-value from the standard
    normal distribution, and the limits of the interval. Failed replicates are NaN rows of the draws and left out of
    the tables; `status` says why each failed.

    Parameters
    ----------
    fit
        The fit on all rows.
    draws
        Matrix `(n, n_numbers)` of all kept statistics.
    codes
        Status code and detail of each replicate `(n, 2)`.
    statistics
        Names of the engine's statistics in `draws`.
    plan
        How the resamples were made, for what has to be computed later.
    method
        Name of the method.
    sign
        Sign option.
    provenance
        What the result was made from.
    """

    __slots__ = (
        "_cache", "_codes", "_layouts", "_names", "_plan", "_values", "fit", "method", "provenance", "sign",
    )  # fmt: skip
    fit: Fit
    method: str
    sign: str
    provenance: Provenance
    _values: NDArray[np.float64]
    _codes: NDArray[np.int32]
    _names: tuple[str, ...]
    _plan: dict[str, Any]
    _layouts: dict[str, Layout]
    _cache: dict[str, Any]

    def __init__(
        self,
        fit: Fit,
        draws: NDArray[np.float64],
        codes: NDArray[np.int32],
        statistics: Sequence[str],
        plan: dict[str, Any],
        method: str,
        sign: str,
        provenance: Provenance,
    ) -> None:
        put = object.__setattr__
        put(self, "fit", fit)
        put(self, "method", method)
        put(self, "sign", sign)
        put(self, "provenance", provenance)
        put(self, "_values", draws)
        put(self, "_codes", codes)
        put(self, "_names", tuple(statistics))
        put(self, "_plan", plan)
        put(self, "_layouts", fit._system.layouts(statistics))
        put(self, "_cache", {})
        draws.flags.writeable = False

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a bootstrap cannot be changed; draw again")

    def __reduce__(self) -> tuple[Any, ...]:
        return Bootstrap, (
            self.fit, self._values, self._codes, self._names, self._plan, self.method, self.sign, self.provenance,
        )  # fmt: skip

    def __repr__(self) -> str:
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"Bootstrap({self.method}, {self.n} replicates{failed}, seed={self.provenance.seed})"

    # ---------------------------------------------------------------- numbers

    @property
    def n(self) -> int:
        """Number of replicates."""
        return int(self._values.shape[0])

    @property
    def status(self) -> pd.Series[str]:
        """Why each replicate ended: `"ok"` or a reason; index `replicate`."""
        words = np.array(_core.pls_status(), dtype=object)
        index = pd.RangeIndex(self.n, name="replicate")
        return pd.Series(words[self._codes[:, 0]], index=index, name="status", dtype="object")

    @property
    def n_failed(self) -> int:
        """Number of replicates without numbers."""
        return int(self._failed().sum())

    def _failed(self) -> NDArray[np.bool_]:
        if not self._values.shape[1]:
            return np.zeros(self.n, dtype=bool)
        return np.asarray(np.isnan(self._values).all(axis=1))

    def failures(self) -> pd.DataFrame:
        """Return the replicates whose status is not `"ok"`.

        Returns
        -------
        DataFrame
            Index `replicate`; columns `status`, `where` (column or construct) and `has_values`: an inadmissible
            solution keeps its numbers, a failed one has none.
        """
        words = _core.pls_status()
        bad = np.flatnonzero(self._codes[:, 0])
        failed = self._failed()
        return pd.DataFrame(
            {
                "status": [words[code] for code in self._codes[bad, 0]],
                "where": [
                    place(self.fit._system, words[code], int(detail)) for code, detail in self._codes[bad].tolist()
                ],
                "has_values": ~failed[bad],
            },
            index=pd.Index(bad, name="replicate"),
        )

    def has(self, name: str) -> bool:
        """Return whether a statistic was kept."""
        return name in GROUPS and any(part in self._layouts for part in GROUPS[name])

    def _positions(self, name: str) -> tuple[NDArray[np.int64], pd.Index[Any]]:
        """Return the positions of a group in the draws, and their labels."""
        if name not in GROUPS:
            raise unknown_name("statistic", name, GROUPS)
        parts = [part for part in GROUPS[name] if part in self._layouts]
        if not parts:
            raise SpecificationError(
                f"{name!r} was not kept: this model has none, or bootstrap(statistics=…) left it out; kept are "
                f"{', '.join(repr(group) for group in GROUPS if self.has(group))}",
                {"statistic": name},
            )
        positions = np.concatenate([self._layouts[part].positions for part in parts])
        if len(GROUPS[name]) == 1:
            return positions, self._layouts[parts[0]].index
        labels = [(label[0], part) for part in parts for label in self._layouts[part].labels]
        order = list(dict.fromkeys(label[0] for label in labels))
        arranged = sorted(range(len(labels)), key=lambda k: (order.index(labels[k][0]), parts.index(labels[k][1])))
        index = pd.MultiIndex.from_tuples([labels[k] for k in arranged], names=["construct", "measure"])
        return positions[arranged], index

    def draws(self, name: str) -> pd.DataFrame:
        """Return the draws of one statistic.

        Parameters
        ----------
        name
            `"paths"`, `"outer_weights"`, `"loadings"`, `"total_effects"`, `"indirect_effects"`,
            `"specific_indirect"`, `"r2"`, `"f2"`, `"htmt"`, `"reliability"`, or another that
            `bootstrap(statistics=…)` kept.

        Returns
        -------
        DataFrame
            Index `replicate`, columns labelled as the rows of the table; NaN where a replicate failed.
        """
        positions, index = self._positions(name)
        return pd.DataFrame(
            self._values[:, positions], index=pd.RangeIndex(self.n, name="replicate"), columns=index.copy()
        )

    # ----------------------------------------------------------------- tables

    def interval_of(self, interval: str | None) -> str:
        """Return the interval that is meant: percentile unless given, normal for the jackknife."""
        if interval is None:
            return "normal" if self.method == "jackknife" else "percentile"
        if self.method == "jackknife" and interval != "normal":
            raise SpecificationError(
                f"interval={interval!r}: the jackknife gives standard errors only, so expected 'normal'; use "
                "method='bootstrap' for the others",
                {"interval": interval},
            )
        return interval

    def table(
        self, name: str, *, level: float = 0.95, interval: str | None = None, tails: int = 2, null: float = 0.0
    ) -> pd.DataFrame:
        """Return the table of one statistic.

        Parameters
        ----------
        name
            As in `draws`.
        level
            Confidence level.
        interval
            `"percentile"` (type-7 quantiles; the default), `"basic"`, `"bc"`, `"bca"` (acceleration from the
            jackknife), `"normal"` or `"studentized"` (standard errors of the draws from an inner bootstrap).
        tails
            2, or 1: then each limit alone holds at `level`, and p is of the tail on the side of the estimate.
        null
            The value that t and p test against.

        Returns
        -------
        DataFrame
            Columns `estimate, mean, std_error, t, p, lower, upper`.

        Raises
        ------
        SpecificationError
            If an option is not known, or the statistic was not kept.
        """
        word = self.interval_of(interval)
        intervals.check(level, word, tails)
        positions, index = self._positions(name)
        draws = self._values[:, positions]
        estimate = self._estimate()[positions]
        count = (~np.isnan(draws)).sum(axis=0)
        error = intervals.spread(draws)
        if self.method == "jackknife":
            # Tukey's jackknife: var = (n − 1)/n Σ (θ₍ᵢ₎ − mean)².
            error = error * (count - 1) / np.sqrt(np.maximum(count, 1))
        mean = np.divide(np.nansum(draws, axis=0), count, out=np.full(estimate.shape, np.nan), where=count > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (estimate - null) / error
        # A number that never varies (the loading of a single item) has no test.
        t = np.where(error > 1e-13 * np.maximum(1.0, np.abs(estimate)), t, np.nan)
        lower, upper = intervals.limits(
            draws,
            estimate,
            level=level,
            interval=word,
            tails=tails,
            error=error,
            jackknife=self._jackknife()[:, positions] if word == "bca" else None,
            errors=self._errors(positions) if word == "studentized" else None,
        )
        return pd.DataFrame(
            {
                "estimate": estimate,
                "mean": mean,
                "std_error": error,
                "t": t,
                "p": intervals.p_values(t, tails=tails),
                "lower": lower,
                "upper": upper,
            },
            index=index,
        )

    def paths(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return path coefficients; index `predictor, outcome`. See `table` for the options."""
        return self.table("paths", level=level, interval=interval, tails=tails)

    def outer_weights(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return outer weights; index `construct, indicator`. See `table` for the options."""
        return self.table("outer_weights", level=level, interval=interval, tails=tails)

    def loadings(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return loadings; index `construct, indicator`. See `table` for the options."""
        return self.table("loadings", level=level, interval=interval, tails=tails)

    def total_effects(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return total effects; index `predictor, outcome`. See `table` for the options."""
        return self.table("total_effects", level=level, interval=interval, tails=tails)

    def indirect_effects(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return total indirect effects; index `predictor, outcome`. See `table` for the options."""
        return self.table("indirect_effects", level=level, interval=interval, tails=tails)

    def specific_indirect(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return specific indirect effects; index `path` ("A → B → C"). See `table` for the options."""
        return self.table("specific_indirect", level=level, interval=interval, tails=tails)

    def r2(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return explained variances; index `construct`. See `table` for the options."""
        return self.table("r2", level=level, interval=interval, tails=tails)

    def f2(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return effect sizes on fixed scores; index `predictor, outcome`. See `table` for the options."""
        return self.table("f2", level=level, interval=interval, tails=tails)

    def htmt(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return HTMT ratios; index `construct, other`; t and p test against 1. See `table` for the options."""
        return self.table("htmt", level=level, interval=interval, tails=tails, null=1.0)

    def reliability(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return reliabilities; index `construct, measure` (alpha, rho_a, rho_c, ave). See `table` for the options."""
        return self.table("reliability", level=level, interval=interval, tails=tails)

    def defined(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return the quantities that the model defines from labels (`ind := a*b`).

        Parameters
        ----------
        level, tails
            As in `table`.
        interval
            As in `table`, without `"bca"` and `"studentized"`.

        Returns
        -------
        DataFrame
            Index `name`; columns `estimate, std_error, t, p, lower, upper`.
        """
        spec = self.fit.model.specification
        names = list(spec.defined)
        estimates = self.fit.paths["estimate"]
        draws = self.draws("paths")
        labelled = {path.label: (path.predictor, path.outcome) for path in spec.paths if path.label is not None}
        point = {label: np.array([estimates[pair]], dtype=np.float64) for label, pair in labelled.items()}
        many = {label: draws[pair].to_numpy(dtype=np.float64) for label, pair in labelled.items()}
        single, each = evaluate(spec.defined, point), evaluate(spec.defined, many)
        return slopes.table(
            self,
            np.array([single[name][0] for name in names]),
            np.column_stack([each[name] for name in names]) if names else np.empty((self.n, 0)),
            pd.Index(names, name="name", dtype="object"),
            level,
            interval,
            tails,
        )

    # ----------------------------------------------------------- interactions

    def simple_slopes(
        self,
        term: str,
        outcome: str,
        *,
        focal: str | None = None,
        at: Sequence[float] = (-1.0, 0.0, 1.0),
        level: float = 0.95,
        interval: str | None = None,
        tails: int = 2,
    ) -> pd.DataFrame:
        """Return the slope of a predictor at some values of its moderator.

        Parameters
        ----------
        term
            A two-way interaction such as `"Image:Quality"`, or a quadratic term `"Image:Image"`.
        outcome
            The construct that it explains.
        focal
            The factor whose slope is wanted; the first one by default, the other is the moderator.
        at
            Values of the moderator in standard deviations.
        level, interval, tails
            As in `table`, without `"bca"` and `"studentized"`.

        Returns
        -------
        DataFrame
            Index: the moderator; columns `estimate, std_error, t, p, lower, upper`.
        """
        return slopes.simple_slopes(
            self, term, outcome, focal=focal, at=at, level=level, interval=interval, tails=tails
        )

    def floodlight(
        self,
        term: str,
        outcome: str,
        *,
        focal: str | None = None,
        span: tuple[float, float] = (-3.0, 3.0),
        points: int = 121,
        level: float = 0.95,
        interval: str | None = None,
    ) -> tuple[pd.DataFrame, list[float]]:
        """Return slopes over a range of the moderator, and where they begin or cease to differ from zero.

        Parameters
        ----------
        term, outcome, focal, level, interval
            As in `simple_slopes`.
        span
            Range of the moderator in standard deviations.
        points
            Number of values in the range.

        Returns
        -------
        DataFrame
            As `simple_slopes`, and a column `significant`: whether the interval leaves zero out.
        list of float
            The Johnson–Neyman points: values of the moderator at which that changes.
        """
        return slopes.floodlight(
            self, term, outcome, focal=focal, span=span, points=points, level=level, interval=interval
        )

    def moderated_mediation(
        self,
        predictor: str,
        mediator: str,
        outcome: str,
        moderator: str,
        *,
        at: Sequence[float] = (-1.0, 0.0, 1.0),
        level: float = 0.95,
        interval: str | None = None,
    ) -> pd.DataFrame:
        """Return the index of moderated mediation (Hayes 2015) and the conditional indirect effects.

        Parameters
        ----------
        predictor, mediator, outcome
            The chain.
        moderator
            The construct whose interaction with the predictor explains the mediator, or whose interaction with the
            mediator explains the outcome.
        at
            Values of the moderator in standard deviations.
        level, interval
            As in `simple_slopes`.

        Returns
        -------
        DataFrame
            Index `quantity`: `index` (only if one path is moderated: with two the effect is not linear) and the
            indirect effect at each value; columns as in `simple_slopes`.
        """
        return slopes.moderated_mediation(
            self, predictor, mediator, outcome, moderator, at=at, level=level, interval=interval
        )

    def summary(self, *, level: float = 0.95, interval: str | None = None, tails: int = 2) -> Summary:
        """Return the tables as one report that renders as text, HTML and LaTeX."""
        from sembada.pls.summary import summarise_bootstrap

        return summarise_bootstrap(self, level=level, interval=interval, tails=tails)

    # ------------------------------------------------------------------ later

    def _estimate(self) -> NDArray[np.float64]:
        """Return the estimates, laid out as the draws."""
        if "estimate" not in self._cache:
            fit = self.fit
            result = fit._system.fit(
                fit._preparation.apply(fit._system, fit._table.matrix, fit._table.weights),
                statistics=list(self._names),
                weights=fit._table.weights,
                missing=fit._preparation.for_engine,
                kernel=fit.provenance.kernel,
            )
            self._cache["estimate"] = np.asarray(result["values"], dtype=np.float64)
        return np.asarray(self._cache["estimate"])

    def _jackknife(self) -> NDArray[np.float64]:
        """Return leave-one-out estimates of every kept statistic; computed when a table first needs them."""
        if "jackknife" not in self._cache:
            plan = {"kind": "jackknife"}
            self._cache["jackknife"] = _replicate(self.fit, plan, self._names, self.sign, None, None)[0]
        return np.asarray(self._cache["jackknife"])

    def _errors(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return standard errors of the estimate and of each draw, the latter by a bootstrap of each resample."""
        if "errors" not in self._cache:
            fit = self.fit
            rows = fit._table.n_obs
            first, second = seed_key(self._plan.get("seed") or 0)[1]
            each = np.empty_like(self._values)
            for b in range(self.n):
                counts = fit._system.engine.resample(
                    fit._table.matrix, self._plan["plan"], b, fit._preparation.for_engine
                )
                if self.method == "bayesian" or fit._table.weights is not None:
                    raise SpecificationError(
                        "a studentized interval needs resamples of whole rows: use method='bootstrap' without weights"
                    )
                members = np.repeat(np.arange(rows), counts.astype(np.int64))
                # Streams of their own: a key word that no outer replicate uses.
                bits = np.random.Philox(key=np.array([first, second ^ 0x5E0D], dtype=np.uint64), counter=[0, 0, b, 1])
                inner = members[np.random.Generator(bits).integers(0, members.size, (INNER, members.size))]
                plan = {"kind": "indices", "indices": inner}
                each[b] = intervals.spread(_replicate(fit, plan, self._names, self.sign, None, None)[0])
            self._cache["errors"] = (intervals.spread(self._values), each)
        own, each = self._cache["errors"]
        return own[positions], each[:, positions]


@dataclass(frozen=True)
class _Work:
    """Runs one block of replicates in a worker of an executor; pickles small."""

    system: System
    table: Table
    plan: dict[str, Any]
    names: tuple[str, ...]
    missing: str
    sign: str
    kernel: str

    def __call__(self, block: execution.Block, report: execution.Report | None) -> tuple[Any, Any, Any]:
        del report
        if self.plan["kind"] == "indices":
            plan = {**self.plan, "indices": self.plan["indices"][block.start : block.stop]}
        else:
            plan = {**self.plan, "n": len(block), "first": block.start}
        return self.system.replicate(
            self.table.matrix,
            plan,
            statistics=list(self.names),
            weights=self.table.weights,
            missing=self.missing,
            sign=self.sign,
            threads=1,
            kernel=self.kernel,
        )


def _replicate(
    fit: Fit,
    plan: dict[str, Any],
    names: Sequence[str],
    sign: str,
    threads: int | None,
    progress: Callable[[int, int], object] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    if fit._preparation.is_needed:
        return _prepared(fit, plan, names, sign, progress)
    values, status, detail = fit._system.replicate(
        fit._table.matrix,
        plan,
        statistics=list(names),
        weights=fit._table.weights,
        missing=fit._preparation.for_engine,
        sign=sign,
        threads=threads,
        progress=progress,
        kernel=fit.provenance.kernel,
    )
    return values, np.column_stack([status, detail]).astype(np.int32)


def _prepared(
    fit: Fit,
    plan: dict[str, Any],
    names: Sequence[str],
    sign: str,
    progress: Callable[[int, int], object] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Prepare each resample from that resample alone, then estimate it."""
    if sign != "none":
        raise SpecificationError(
            f"sign={sign!r} does not go with missing={fit._preparation.missing!r} and "
            f"correlation={fit._preparation.correlation!r}: use the dominant indicator of a block instead"
        )
    engine, table = fit._system.engine, fit._table
    total = table.n_obs if plan["kind"] == "jackknife" else len(plan["indices"]) if "indices" in plan else plan["n"]
    start = fit._preparation.start(table.matrix, table.weights)
    width = sum(len(layout.labels) for layout in fit._system.layouts(names).values())
    rows = []
    codes = np.zeros((total, 2), dtype=np.int32)
    for number in range(total):
        weights = engine.resample(np.nan_to_num(table.matrix), plan, number)
        if table.weights is not None:
            weights = weights * table.weights
        try:
            values = fit._preparation.apply(fit._system, table.matrix, weights, start)
        except DataError:
            # A resample in which a column has one answer only, or too few complete rows.
            rows.append(np.full(width, np.nan))
            codes[number] = _core.pls_status().index("zero variance"), -1
            continue
        result = fit._system.fit(
            values,
            statistics=list(names),
            weights=weights,
            missing=fit._preparation.for_engine,
            kernel=fit.provenance.kernel,
        )
        rows.append(np.asarray(result["values"], dtype=np.float64))
        codes[number] = result["status"], result["detail"]
        if progress is not None:
            progress(number + 1, total)
    return np.array(rows), codes


def _spread_out(
    fit: Fit, plan: dict[str, Any], names: Sequence[str], sign: str, executor: Any, report: execution.Report | None
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Run blocks of replicates on an executor; they are placed by number, so its order does not matter."""
    if plan["kind"] == "jackknife" or fit._preparation.is_needed:
        return _replicate(fit, plan, names, sign, None, report)
    total = len(plan["indices"]) if plan["kind"] == "indices" else int(plan["n"])
    work = _Work(fit._system, fit._table, plan, tuple(names), fit._preparation.for_engine, sign, fit.provenance.kernel)
    parts = [part for _, part in execution.run(work, execution.split(total, BLOCK), executor=executor, report=report)]
    values = np.concatenate([part[0] for part in parts])
    codes = np.column_stack([np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])])
    return values, codes.astype(np.int32)


def _given(indices: ArrayLike, n_obs: int) -> NDArray[np.int64]:
    given = np.asarray(indices)
    if given.ndim != 2 or not np.issubdtype(given.dtype, np.integer):
        raise DataError(
            f"indices have the shape {given.shape} and type {given.dtype}, expected whole numbers (n, {n_obs})",
            {"shape": given.shape},
        )
    if given.shape[1] != n_obs:
        raise DataError(
            f"each resample of indices has {given.shape[1]} rows, expected {n_obs}, as many as the data",
            {"shape": given.shape, "n_obs": n_obs},
        )
    bad = np.argwhere((given < 0) | (given >= n_obs))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f"indices[{row}, {column}] is {given[row, column]}, expected a row number from 0 to {n_obs - 1}",
            {"replicate": int(row), "value": int(given[row, column])},
        )
    return np.ascontiguousarray(given, dtype=np.int64)


def _labels(labels: ArrayLike | None, n_obs: int, option: str) -> NDArray[np.int64] | None:
    if labels is None:
        return None
    values = np.asarray(labels)
    if values.shape != (n_obs,):
        raise DataError(
            f"{option} has the shape {values.shape}, expected one label for each of the {n_obs} rows",
            {"shape": values.shape},
        )
    return np.asarray(pd.factorize(values, sort=True)[0], dtype=np.int64)


def replicate(
    fit: Fit,
    n: int,
    *,
    seed: int | None,
    method: str,
    sign: str,
    indices: ArrayLike | None,
    threads: int | None,
    executor: Any,
    progress: bool | Callable[[int, int], object],
    strata: ArrayLike | None,
    clusters: ArrayLike | None,
    statistics: Sequence[str] | None,
) -> Bootstrap:
    """Draw replicates; see `Fit.bootstrap`."""
    choice("method", method, METHODS)
    choice("sign", sign, SIGNS)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise SpecificationError(f"n={n!r}: expected a positive number of replicates", {"n": n})
    known = set(fit._system.statistics)
    wanted = STANDARD if statistics is None else tuple(statistics)
    for name in wanted:
        if name not in GROUPS:
            raise unknown_name("statistic", name, GROUPS, where="statistics=")
    names = tuple(dict.fromkeys(part for name in wanted for part in GROUPS[name] if part in known))
    n_obs = fit._table.n_obs
    used: int | None = None
    plan: dict[str, Any]
    if indices is not None:
        if method != "bootstrap" or strata is not None or clusters is not None:
            raise SpecificationError("indices= gives the resamples, so method=, strata= and clusters= have no place")
        given = _given(indices, n_obs)
        plan = {"kind": "indices", "indices": given}
    elif method == "jackknife":
        plan = {"kind": "jackknife"}
    else:
        used, key = seed_key(seed)
        plan = {"kind": method, "key": key, "n": int(n), "first": 0}
        if method == "bootstrap":
            plan["strata"] = _labels(strata, n_obs, "strata")
            plan["clusters"] = _labels(clusters, n_obs, "clusters")
        elif strata is not None or clusters is not None:
            raise SpecificationError("strata= and clusters= go with method='bootstrap'")
    threads = execution.check_threads(threads)
    total = n_obs if method == "jackknife" else len(plan["indices"]) if indices is not None else int(n)
    with execution.reporter(progress, total, "replicates") as report:
        if executor is None:
            values, codes = _replicate(fit, plan, names, sign, threads, report)
        else:
            values, codes = _spread_out(fit, plan, names, sign, executor, report)
    provenance = fit.provenance.with_facts(
        seed=used,
        options={
            **fit.provenance.options,
            "method": method,
            "sign": sign,
            "n": len(values),
            "given": indices is not None,
        },
    )
    return Bootstrap(fit, values, codes, names, {"plan": plan, "seed": used}, method, sign, provenance)
