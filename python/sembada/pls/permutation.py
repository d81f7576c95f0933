"""The permutation test of group differences: every statistic, rows dealt to the groups anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sembada import execution
from sembada.pls.bootstrap import Bootstrap
from sembada.pls.groups import Groups, Permutations, kept, split
from sembada.pls.intervals import check_level
from sembada.pls.provenance import Provenance
from sembada.pls.replication import run
from sembada.pls.specification import choice
from sembada.pls.summary import Section, Summary

if TYPE_CHECKING:
    from sembada.pls.fit import Fit
    from sembada.pls.model import Model

__all__ = ["Permutation", "permute"]

Array = NDArray[np.float64]
P_VALUES = ("share", "plus-one")
#: What a report shows of the statistics that were kept.
SECTIONS = {
    "paths": "Path coefficients",
    "total_effects": "Total effects",
    "r2": "Explained variance",
    "outer_weights": "Outer weights",
    "loadings": "Loadings",
}
#: A permuted difference this near to the observed one is a tie: the same split of the rows, in other rounding.
TIE = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class Permutation:
    """Differences between two groups, and what they are when rows are dealt to the groups at random.

    Parameters
    ----------
    groups
        Labels of the two groups.
    fits
        The fit on each group.
    pooled
        The fit on both groups together.
    provenance
        What the result was made from.
    """

    groups: tuple[Any, Any]
    fits: tuple[Fit, Fit]
    pooled: Fit
    provenance: Provenance
    _own: tuple[Array, Array]
    _boot: Bootstrap

    def __repr__(self) -> str:
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        first, second = self.groups
        return f"Permutation({first!r} and {second!r}, {self.n} permutations{failed}, seed={self.provenance.seed})"

    @property
    def n(self) -> int:
        """Number of permutations."""
        return self._boot.n

    @property
    def status(self) -> pd.Series[str]:
        """Why each permutation ended: `"ok"`, or the reason of the first group that has one; index `replicate`."""
        return self._boot.status

    @property
    def n_failed(self) -> int:
        """Number of permutations without numbers."""
        return self._boot.n_failed

    def draws(self, name: str) -> pd.DataFrame:
        """Return the permuted differences (first group less second) of one statistic; see `Bootstrap.draws`."""
        return self._boot.draws(name)

    def table(self, name: str, *, level: float = 0.95, tails: int = 2, p: str = "share") -> pd.DataFrame:
        """Return the differences of one statistic.

        Parameters
        ----------
        name
            A statistic by the names of `Bootstrap.draws`, such as `"paths"` or `"loadings"`.
        level
            Share of the permuted differences between `lower` and `upper`.
        tails
            2, or 1: the alternative is then a difference in the direction of the observed one.
        p
            `"share"` of the permutations that differ at least as much, or `"plus-one"`, which counts the observed
            split as one of them and so is never zero (Phipson & Smyth 2010).

        Returns
        -------
        DataFrame
            Columns `first, second` (the estimates of the groups), `difference` (first less second), `lower, upper`
            (quantiles of the permuted differences, type 7) and `p`. Failed permutations are left out.
        """
        check(level, tails, p)
        positions, index = self._boot._positions(name)
        first, second = (values[positions] for values in self._own)
        draws = self._boot._values[:, positions]
        difference = first - second
        low, high = ((1 - level) / 2, (1 + level) / 2) if tails == 2 else (1 - level, level)
        return pd.DataFrame(
            {
                "first": first,
                "second": second,
                "difference": difference,
                "lower": quantile(draws, low),
                "upper": quantile(draws, high),
                "p": p_value(difference, draws, tails=tails, rule=p),
            },
            index=index,
        )

    def paths(self, level: float = 0.95, tails: int = 2) -> pd.DataFrame:
        """Return differences of path coefficients; index `predictor, outcome`. See `table`."""
        return self.table("paths", level=level, tails=tails)

    def summary(self, *, level: float = 0.95, tails: int = 2, p: str = "share") -> Summary:
        """Return the main tables as one report that renders as text, HTML and LaTeX; see `table` for the options."""
        first, second = self.groups
        sizes = tuple(fit._table.n_obs for fit in self.fits)
        return Summary(
            "Permutation test of group differences",
            (
                ("first group", f"{first} ({sizes[0]} rows)"),
                ("second group", f"{second} ({sizes[1]} rows)"),
                ("permutations", f"{self.n}, {self.n_failed} failed"),
            ),
            tuple(
                Section(title, self.table(name, level=level, tails=tails, p=p))
                for name, title in SECTIONS.items()
                if self._boot.has(name)
            ),
        )


def check(level: float, tails: int, p: str) -> None:
    """Raise if the options of a permutation table are not known."""
    choice("p", p, P_VALUES)
    check_level(level, tails)


def quantile(draws: Array, probability: float) -> Array:
    """Return the type-7 quantile of each column without its NaN draws."""
    result = np.full(draws.shape[1], np.nan)
    for column in range(draws.shape[1]):
        values = draws[:, column]
        values = values[~np.isnan(values)]
        if values.size:
            result[column] = np.quantile(values, probability)
    return result


def p_value(observed: Array, draws: Array, *, tails: int, rule: str) -> Array:
    """Return the share of draws at least as far from zero as the observed value; NaN draws are left out."""
    slack = TIE * np.maximum(1.0, np.abs(observed))
    with np.errstate(invalid="ignore"):
        if tails == 2:
            far = np.abs(draws) >= np.abs(observed) - slack
        else:
            sign = np.where(observed < 0, -1.0, 1.0)
            far = draws * sign >= observed * sign - slack
    return shares(far, ~np.isnan(draws), observed, rule)


def shares(hits: NDArray[np.bool_], known: NDArray[np.bool_], observed: Array, rule: str) -> Array:
    """Return the share of known draws that count, per column."""
    extra = 1 if rule == "plus-one" else 0
    count = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = ((hits & known).sum(axis=0) + extra) / (count + extra)
    return np.where(np.isnan(observed) | (count == 0), np.nan, result)


def values_of(fit: Fit, names: Sequence[str]) -> Array:
    """Return the flat vector of some statistics of a fit."""
    result = fit._system.fit(
        fit._table.matrix,
        statistics=list(names),
        weights=fit._table.weights,
        missing=fit._preparation.for_engine,
        prepare=fit._preparation.plain,
        kernel=fit.provenance.kernel,
    )
    return np.asarray(result["values"], dtype=np.float64)


def replicates(
    groups: Groups,
    permutations: Permutations,
    names: Sequence[str],
    threads: int | None,
    report: Callable[[int, int], object] | None,
) -> tuple[Array, NDArray[np.int32]]:
    """Estimate every group of every permutation.

    Returns
    -------
    tuple of ndarray
        Values `(n, n_groups, n_numbers)` and codes `(n, n_groups, 2)`.
    """
    pooled, count = groups.pooled, len(groups.names)
    if permutations.given is None:
        plan: dict[str, Any] = {
            "kind": "permutation",
            "key": permutations.key,
            "n": permutations.n,
            "first": 0,
            "groups": np.repeat(np.arange(count), groups.sizes),
        }
        values, codes = run(pooled, plan, names, "none", threads, report)
        return values.reshape(permutations.n, count, -1), codes.reshape(permutations.n, count, 2)
    bounds = groups.bounds
    parts: list[list[Array]] = [[] for _ in range(count)]
    codes_of: list[list[NDArray[np.int32]]] = [[] for _ in range(count)]
    total, done = permutations.n * count, 0
    for block in permutations.blocks():
        rows = permutations.rows(block)
        for number in range(count):
            part = np.ascontiguousarray(rows[:, bounds[number] : bounds[number + 1]])
            before = done

            def tell(ready: int, _total: int, before: int = before) -> None:
                if report is not None:
                    report(before + ready, total)

            plan = {"kind": "indices", "indices": part}
            values, codes = run(pooled, plan, names, "none", threads, tell)
            parts[number].append(values)
            codes_of[number].append(codes)
            done += len(block)
    return (
        np.stack([np.concatenate(part) for part in parts], axis=1),
        np.stack([np.concatenate(part) for part in codes_of], axis=1),
    )


def failed(values: Array) -> NDArray[np.bool_]:
    """Return which permutations have a group without numbers; values `(n, n_groups, n_numbers)`."""
    empty: NDArray[np.bool_] = np.asarray(np.isnan(values).all(axis=2))
    return np.asarray(empty.any(axis=1))


def of_groups(
    groups: Groups,
    permutations: Permutations,
    names: tuple[str, ...],
    threads: int | None,
    report: Callable[[int, int], object] | None,
) -> Permutation:
    """Run the test on two groups that were split before."""
    values, codes = replicates(groups, permutations, names, threads, report)
    # The reason of the first group that has one stands for the permutation.
    worst = np.where(codes[:, :1, 0] != 0, codes[:, 0], codes[:, 1]).astype(np.int32)
    difference = values[:, 0] - values[:, 1]
    difference[failed(values)] = np.nan
    provenance = groups.provenance(
        "permutation", permutations.n, given=permutations.given is not None, seed=permutations.seed
    )
    boot = Bootstrap(groups.pooled, difference, worst, names, {}, "permutation", "none", provenance)
    own = (values_of(groups.fits[0], names), values_of(groups.fits[1], names))
    return Permutation(
        (groups.names[0], groups.names[1]), (groups.fits[0], groups.fits[1]), groups.pooled, provenance, own, boot
    )


def permute(
    model: Model,
    data: Any,
    group: Any,
    *,
    groups: Sequence[Any] | None = None,
    n: int = 1_000,
    seed: int | None = None,
    permutations: ArrayLike | None = None,
    statistics: Sequence[str] | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] = False,
    **options: Any,
) -> Permutation:
    """Test the differences between two groups in every statistic by permutation.

    Parameters
    ----------
    model
        The model.
    data
        A pandas, polars or pyarrow table with a row for each respondent.
    group
        Name of the column that holds the group of each row, or an array of labels.
    groups
        The two labels to compare, in this order; by default the two that there are, sorted.
    n
        Number of permutations.
    seed
        Makes the permutations repeatable; `None` draws a fresh one, which the provenance records.
    permutations
        Given permutations, an integer array `(n, n_obs)` of row numbers from zero, replayed exactly. The rows of both
        groups are counted together, the first group's first, in the order of the data; the first group takes as many
        rows of each permutation as it has.
    statistics
        What to keep, by the names of `Bootstrap.draws`.
    threads
        Number of threads; all processors by default. The results do not depend on it.
    progress
        `True` paints a bar; a function is called with (done, all).
    **options
        Options of `Model.fit`. Missing answers are treated inside each group of each permutation.

    Returns
    -------
    Permutation
        The differences and their tables.

    Raises
    ------
    SpecificationError
        If there are not two groups.
    DataError
        If a row has no label, a group cannot be estimated, or the permutations do not fit the data.

    Notes
    -----
    Chin & Dibbern (2010), Handbook of Partial Least Squares, ch. 7.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sembada import pls
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=200)
    >>> y = np.repeat([0.9, 0.1], 100) * x + 0.4 * rng.normal(size=200)
    >>> frame = pd.DataFrame({"x1": x, "x2": x + rng.normal(size=200), "y1": y, "where": np.repeat(["a", "b"], 100)})
    >>> test = pls.permute(pls.Model("X =~ x1 + x2 ; Y =~ y1 ; Y ~ X"), frame, "where", n=200, seed=1)
    >>> bool(test.paths().loc[("X", "Y"), "p"] < 0.05)
    True
    """
    threads = execution.check_threads(threads)
    parts = split(model, data, group, groups, options, two=True)
    dealt = Permutations.make(n, parts.bounds[-1], seed, permutations)
    names = kept(parts.pooled, statistics)
    with execution.reporter(progress, 2 * dealt.n, "estimations") as report:
        return of_groups(parts, dealt, names, threads, report)
