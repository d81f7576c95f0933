"""The draws of a bootstrap: kept, labelled, drawn again when another statistic is asked for, and made into tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, unknown_name
from sembada.pls import following, intervals
from sembada.pls.engine import LEVELS, Layout, seed_key
from sembada.pls.failures import place, words
from sembada.pls.made import Made
from sembada.pls.provenance import Provenance
from sembada.pls.replication import run
from sembada.pls.statistics import DERIVED, GROUPS, known_names, parts_of

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["Draws"]

Array = NDArray[np.float64]
#: Inner resamples a replicate for the standard errors of studentized intervals (Efron & Tibshirani 1993, ch. 12.5).
INNER = 50


@dataclass
class _Kept:
    """Draws of some of the engine's statistics, with what intervals need of them, made when first needed."""

    names: tuple[str, ...]
    layouts: dict[str, Layout]
    matrix: Array
    estimate: Array | None = None
    jackknife: Array | None = None
    errors: tuple[Array, Array] | None = None


class Draws:
    """Draws of all statistics, and the tables made from them.

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

    __slots__ = ("_codes", "_kept", "_plan", "fit", "method", "provenance", "sign")
    fit: Fit
    method: str
    sign: str
    provenance: Provenance
    _codes: NDArray[np.int32]
    _plan: dict[str, Any]
    _kept: list[_Kept]

    def __init__(
        self,
        fit: Fit,
        draws: Array,
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
        put(self, "_codes", codes)
        put(self, "_plan", plan)
        names = tuple(statistics)
        put(self, "_kept", [_Kept(names, fit._system.layouts(names), draws)])
        draws.flags.writeable = False

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a bootstrap cannot be changed; draw again")

    def __reduce__(self) -> tuple[Any, ...]:
        first = self._kept[0]
        return type(self), (
            self.fit, first.matrix, self._codes, first.names, self._plan, self.method, self.sign, self.provenance,
        )  # fmt: skip

    def __repr__(self) -> str:
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"{type(self).__name__}({self.method}, {self.n} replicates{failed}, seed={self.provenance.seed})"

    # ---------------------------------------------------------------- numbers

    @property
    def n(self) -> int:
        """Number of replicates."""
        return int(self._values.shape[0])

    @property
    def status(self) -> pd.Series[str]:
        """Why each replicate ended: `"ok"` or a reason; index `replicate`."""
        index = pd.RangeIndex(self.n, name="replicate")
        return pd.Series(words(self._codes[:, 0]), index=index, name="status", dtype="object")

    @property
    def n_failed(self) -> int:
        """Number of replicates without numbers."""
        return int(self._failed().sum())

    @property
    def _values(self) -> Array:
        return self._kept[0].matrix

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
        bad = np.flatnonzero(self._codes[:, 0])
        failed = self._failed()
        reasons = words(self._codes[bad, 0]).tolist()
        return pd.DataFrame(
            {
                "status": reasons,
                "where": [
                    place(self.fit._system, word, detail)
                    for word, detail in zip(reasons, self._codes[bad, 1].tolist(), strict=True)
                ],
                "has_values": ~failed[bad],
            },
            index=pd.Index(bad, name="replicate"),
        )

    def has(self, name: str) -> bool:
        """Return whether a statistic was drawn with the bootstrap itself."""
        parts = parts_of(self.fit._system, [name]) if name in known_names() else ()
        return bool(parts) and all(part in self._kept[0].layouts for part in parts)

    def _holder(self, parts: Sequence[str]) -> list[_Kept]:
        """Return what keeps each part; parts that nothing keeps are drawn from the same resamples."""
        lacking = [part for part in parts if not any(part in kept.layouts for kept in self._kept)]
        if lacking:
            plan = self._plan["plan"]
            values, _ = run(self.fit, plan, lacking, self.sign, None, None)
            values.flags.writeable = False
            self._kept.append(_Kept(tuple(lacking), self.fit._system.layouts(lacking), values))
        return [next(kept for kept in self._kept if part in kept.layouts) for part in parts]

    def _parts(self, name: str) -> tuple[str, ...]:
        if name not in known_names():
            raise unknown_name("statistic", name, known_names())
        parts = parts_of(self.fit._system, [name])
        if not parts:
            raise SpecificationError(
                f"this model has no {name!r}: it has too many chains to list them, no such part, or is estimated by "
                "two-stage least squares, which does not define it",
                {"statistic": name},
            )
        if self._plan.get("chosen", True) and not all(part in self._kept[0].layouts for part in parts):
            kept = ", ".join(repr(group) for group in known_names() if self.has(group))
            raise SpecificationError(
                f"{name!r} was not kept: bootstrap(statistics=…) left it out; kept are {kept}", {"statistic": name}
            )
        return parts

    def _positions(self, name: str) -> tuple[NDArray[np.int64], pd.Index[Any]]:
        """Return the positions of a statistic among those drawn with the bootstrap, and its labels."""
        parts = self._parts(name) if name in GROUPS else ()
        layouts = self._kept[0].layouts
        if not parts or not all(part in layouts for part in parts):
            raise SpecificationError(f"{name!r} was not drawn", {"statistic": name})
        rows, index = self._labelled(parts)
        return np.array([layouts[parts[part]].positions[place] for part, place in rows], dtype=np.int64), index

    def _labelled(self, parts: Sequence[str]) -> tuple[list[tuple[int, int]], pd.Index[Any]]:
        """Return, for each row of a group's table, its part and its place in that part's layout, and the labels."""
        holders = self._holder(parts)
        layouts = [kept.layouts[part] for kept, part in zip(holders, parts, strict=True)]
        if len(parts) == 1:
            return [(0, k) for k in range(len(layouts[0].labels))], layouts[0].index
        labels = [(label[0], part, k, m) for k, part in enumerate(parts) for m, label in enumerate(layouts[k].labels)]
        order = list(dict.fromkeys(label[0] for label in labels))
        labels.sort(key=lambda label: (order.index(label[0]), label[2]))
        names = [LEVELS[layouts[0].kind][0], "measure"]
        index = pd.MultiIndex.from_tuples([label[:2] for label in labels], names=names)
        return [(label[2], label[3]) for label in labels], index

    def made(self, name: str) -> Made | None:
        """Return how a table follows from the engine's statistics; `None` if it is one of them."""
        return following.made(self.fit, name) if name in DERIVED else None

    def _gather(self, name: str, made: Made | None, pick: Callable[[_Kept], Array]) -> tuple[Array, pd.Index[Any]]:
        """Take some numbers `(n, width)` of what is kept, in the order of a table."""
        parts = self._parts(name) if made is None else made.parts
        holders = self._holder(parts)
        columns = [pick(kept)[:, kept.layouts[part].positions] for kept, part in zip(holders, parts, strict=True)]
        if made is not None:
            return made.make(*columns), made.index
        rows, index = self._labelled(parts)
        if len(parts) == 1:
            return columns[0], index
        return np.stack([columns[part][:, place] for part, place in rows], axis=1), index

    def draws(self, name: str) -> pd.DataFrame:
        """Return the draws of one statistic.

        Parameters
        ----------
        name
            `"paths"`, `"outer_weights"`, `"loadings"`, `"total_effects"`, `"indirect_effects"`,
            `"specific_indirect"`, `"r2"`, `"r2_adjusted"`, `"f2"`, `"vif"`, `"item_vif"`, `"htmt"`, `"htmt2"`,
            `"reliability"`, `"construct_correlations"`, `"cross_loadings"`, `"fit_measures"`, `"moments"` (means and
            standard deviations of the indicators), `"criteria"`, `"fornell_larcker"` or `"unstandardised"`. What
            was not drawn with the bootstrap is drawn now, from the same resamples.

        Returns
        -------
        DataFrame
            Index `replicate`, columns labelled as the rows of the table; NaN where a replicate failed.
        """
        values, index = self._gather(name, self._checked(name), lambda kept: kept.matrix)
        return pd.DataFrame(values, index=pd.RangeIndex(self.n, name="replicate"), columns=index.copy())

    def _checked(self, name: str) -> Made | None:
        self._parts(name)
        return self.made(name)

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
        return self.table_of(name, self._checked(name), level=level, interval=word, tails=tails, null=null)

    def table_of(
        self, name: str, made: Made | None, *, level: float, interval: str, tails: int, null: float = 0.0
    ) -> pd.DataFrame:
        """Return the table of a statistic, or of what is made from statistics."""
        draws, index = self._gather(name, made, lambda kept: kept.matrix)
        estimate = self._gather(name, made, lambda kept: self._estimate(kept)[None])[0][0]
        jackknife = self._gather(name, made, self._jackknife)[0] if interval == "bca" else None
        errors = None
        if interval == "studentized":
            if made is not None:
                raise SpecificationError(
                    f"interval='studentized' is not made for {name!r}: use 'percentile' or 'bca'", {"statistic": name}
                )
            own = self._gather(name, None, lambda kept: self._errors(kept)[0][None])[0][0]
            errors = own, self._gather(name, None, lambda kept: self._errors(kept)[1])[0]
        return self._interval_table(draws, estimate, index, level, interval, tails, null, jackknife, errors)

    def _interval_table(
        self,
        draws: Array,
        estimate: Array,
        index: pd.Index[Any],
        level: float,
        interval: str,
        tails: int,
        null: float = 0.0,
        jackknife: Array | None = None,
        errors: tuple[Array, Array] | None = None,
    ) -> pd.DataFrame:
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
            interval=interval,
            tails=tails,
            error=error,
            jackknife=jackknife,
            errors=errors,
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

    # ------------------------------------------------------------------ later

    def _estimate(self, kept: _Kept) -> Array:
        """Return the estimates, laid out as the draws."""
        if kept.estimate is None:
            fit = self.fit
            result = fit._system.fit(
                fit._table.matrix,
                statistics=list(kept.names),
                weights=fit._table.weights,
                missing=fit._preparation.for_engine,
                prepare=fit._preparation.plain,
                kernel=fit.provenance.kernel,
            )
            kept.estimate = np.asarray(result["values"], dtype=np.float64)
        return kept.estimate

    def _jackknife(self, kept: _Kept) -> Array:
        """Return leave-one-out estimates; computed when a table first needs them."""
        if kept.jackknife is None:
            kept.jackknife = run(self.fit, {"kind": "jackknife"}, kept.names, self.sign, None, None)[0]
        return kept.jackknife

    def _errors(self, kept: _Kept) -> tuple[Array, Array]:
        """Return standard errors of the estimate and of each draw, the latter by a bootstrap of each resample."""
        if kept.errors is None:
            fit = self.fit
            rows = fit._table.n_obs
            first, second = seed_key(self._plan.get("seed") or 0)[1]
            if self.method == "bayesian" or fit._table.weights is not None:
                raise SpecificationError(
                    "a studentized interval needs resamples of whole rows: use method='bootstrap' without weights"
                )
            each = np.empty_like(kept.matrix)
            for b in range(self.n):
                counts = self.resample(b)
                members = np.repeat(np.arange(rows), counts.astype(np.int64))
                # Streams of their own: a key word that no outer replicate uses.
                bits = np.random.Philox(key=np.array([first, second ^ 0x5E0D], dtype=np.uint64), counter=[0, 0, b, 1])
                inner = members[np.random.Generator(bits).integers(0, members.size, (INNER, members.size))]
                plan = {"kind": "indices", "indices": inner}
                each[b] = intervals.spread(run(fit, plan, kept.names, self.sign, None, None)[0])
            kept.errors = intervals.spread(kept.matrix), each
        return kept.errors

    def resample(self, replicate: int) -> Array:
        """Return how often each row of the data is in a replicate: its weights `(n_obs,)`, without those of the fit."""
        fit = self.fit
        matrix = np.nan_to_num(fit._table.matrix) if fit._preparation.plain else fit._table.matrix
        return fit._system.engine.resample(matrix, self._plan["plan"], replicate, fit._preparation.for_engine)
