"""Measurement invariance of composites (MICOM): whether the constructs of two groups may be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sembada import execution
from sembada.pls.failures import words
from sembada.pls.groups import Groups, Permutations, split
from sembada.pls.permutation import TIE, check, p_value, quantile, replicates, shares, values_of
from sembada.pls.provenance import Provenance
from sembada.pls.specification import choice
from sembada.pls.summary import Section, Summary

if TYPE_CHECKING:
    from sembada.pls.engine import Layout
    from sembada.pls.fit import Fit
    from sembada.pls.model import Model

__all__ = ["Micom", "micom"]

Array = NDArray[np.float64]
ITEMS = ("standardised", "raw")


@dataclass(frozen=True, eq=False, repr=False)
class Micom:
    """The three steps of MICOM for two groups.

    Parameters
    ----------
    groups
        Labels of the two groups.
    fits
        The fit on each group.
    pooled
        The fit on both groups together.
    constructs
        The constructs that were tested: all but interaction terms.
    level
        Confidence level of the tests.
    rule
        How p-values are counted.
    provenance
        What the result was made from.
    """

    groups: tuple[Any, Any]
    fits: tuple[Fit, Fit]
    pooled: Fit
    constructs: tuple[str, ...]
    level: float
    rule: str
    provenance: Provenance
    _observed: dict[str, Array]
    _draws: dict[str, Array]
    _codes: NDArray[np.int32]

    def __repr__(self) -> str:
        first, second = self.groups
        return (
            f"Micom({first!r} and {second!r}, {self.invariance} invariance, {self.n} permutations, "
            f"seed={self.provenance.seed})"
        )

    @property
    def n(self) -> int:
        """Number of permutations."""
        return len(self._codes)

    @property
    def n_failed(self) -> int:
        """Number of permutations in which a group could not be estimated; they are left out of step 2."""
        return int(np.isnan(self._draws["c"]).all(axis=1).sum())

    @property
    def status(self) -> pd.Series[str]:
        """Why each permutation ended: `"ok"`, or the reason of the first group that has one; index `replicate`."""
        worst = np.where(self._codes[:, 0] != 0, self._codes[:, 0], self._codes[:, 1])
        return pd.Series(words(worst), index=pd.RangeIndex(self.n, name="replicate"), name="status", dtype="object")

    @property
    def _index(self) -> pd.Index[Any]:
        return pd.Index(self.constructs, name="construct", dtype="object")

    def configural(self) -> pd.DataFrame:
        """Return what step 1 looks at: whether both groups answered the same questions on the same scale.

        Indicators, options and algorithm are the same for both groups by construction; whether questions were put
        and coded alike is for the researcher to judge.

        Returns
        -------
        DataFrame
            Index `indicator`; columns `first_min, first_max, first_missing, second_min, second_max, second_missing`.
        """
        columns: dict[str, Any] = {}
        for word, fit in zip(("first", "second"), self.fits, strict=True):
            matrix = fit._table.matrix
            known = ~np.isnan(matrix)
            columns[f"{word}_min"] = np.where(known, matrix, np.inf).min(axis=0)
            columns[f"{word}_max"] = np.where(known, matrix, -np.inf).max(axis=0)
            columns[f"{word}_missing"] = (~known).sum(axis=0)
        index = pd.Index(self.pooled._table.columns, name="indicator", dtype="object")
        return pd.DataFrame(columns, index=index)

    @property
    def compositional(self) -> pd.DataFrame:
        """Step 2: index `construct`; columns `c, lower, p, invariant`.

        `c` is the correlation of the scores that the weights of either group give to all respondents, `lower` its
        quantile under permutation at `1 − level`, `p` the share of permutations with a smaller or equal `c`.
        """
        c, draws = self._observed["c"], self._draws["c"]
        p = shares(draws <= c + TIE, ~np.isnan(draws), c, self.rule)
        return pd.DataFrame(
            {"c": c, "lower": quantile(draws, 1 - self.level), "p": p, "invariant": p >= 1 - self.level},
            index=self._index,
        )

    def _step3(self, key: str) -> pd.DataFrame:
        observed, draws = self._observed[key], self._draws[key]
        p = p_value(observed, draws, tails=2, rule=self.rule)
        return pd.DataFrame(
            {
                "difference": observed,
                "lower": quantile(draws, (1 - self.level) / 2),
                "upper": quantile(draws, (1 + self.level) / 2),
                "p": p,
                "equal": p >= 1 - self.level,
            },
            index=self._index,
        )

    @property
    def means(self) -> pd.DataFrame:
        """Step 3a: index `construct`; columns `difference, lower, upper, p, equal`.

        The difference (first group less second) of the means of the scores of the pooled estimation, in standard
        deviations of all respondents.
        """
        return self._step3("mean")

    @property
    def variances(self) -> pd.DataFrame:
        """Step 3b: as `means`, of the logarithms of the variances of the scores."""
        return self._step3("log_variance")

    def verdict(self) -> pd.Series[str]:
        """Return `"none"`, `"partial"` (steps 1 and 2) or `"full"` (step 3 as well) for each construct."""
        partial = self.compositional["invariant"]
        full = partial & self.means["equal"] & self.variances["equal"]
        words = np.where(full, "full", np.where(partial, "partial", "none"))
        return pd.Series(words, index=self._index, name="invariance", dtype="object")

    @property
    def invariance(self) -> str:
        """The verdict on the whole model: that of its weakest construct.

        With `"partial"` path coefficients may be compared between the groups, with `"full"` the groups may be pooled.
        """
        words = set(self.verdict())
        return next(word for word in ("none", "partial", "full") if word in words)

    def draws(self, step: str) -> pd.DataFrame:
        """Return the permuted values of `"compositional"`, `"means"` or `"variances"`; a column for each construct."""
        keys = {"compositional": "c", "means": "mean", "variances": "log_variance"}
        values = self._draws[keys[choice("step", step, keys)]]
        return pd.DataFrame(values, index=pd.RangeIndex(self.n, name="replicate"), columns=self._index.copy())

    def summary(self) -> Summary:
        """Return the steps as one report that renders as text, HTML and LaTeX."""
        first, second = self.groups
        sizes = tuple(fit._table.n_obs for fit in self.fits)
        return Summary(
            "Measurement invariance of composites",
            (
                ("groups", f"{first} ({sizes[0]} rows), {second} ({sizes[1]} rows)"),
                ("permutations", f"{self.n}, {self.n_failed} failed"),
                ("invariance", self.invariance),
            ),
            (
                Section("Step 2: compositional invariance", self.compositional),
                Section("Step 3a: equal means", self.means),
                Section("Step 3b: equal variances (logarithms)", self.variances),
                Section("Verdict", self.verdict().to_frame()),
            ),
            (
                "Step 1, configural invariance: same indicators, treatment and algorithm; whether the questions were "
                "put and coded alike is for the researcher to judge.",
            ),
        )


def micom(
    model: Model,
    data: Any,
    group: Any,
    *,
    groups: Sequence[Any] | None = None,
    n: int = 1_000,
    seed: int | None = None,
    permutations: ArrayLike | None = None,
    level: float = 0.95,
    items: str = "standardised",
    p: str = "share",
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] = False,
    **options: Any,
) -> Micom:
    """Test the measurement invariance of composites between two groups.

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
        Given permutations, replayed exactly; see `permute`.
    level
        Confidence level of the tests.
    items
        What the weights of step 2 are applied to: all respondents' `"standardised"` answers, or their `"raw"`
        answers, as cSEM does.
    p
        `"share"` of the permutations at least as far out, or `"plus-one"` (Phipson & Smyth 2010).
    threads
        Number of threads; all processors by default. The results do not depend on it.
    progress
        `True` paints a bar; a function is called with (done, all).
    **options
        Options of `Model.fit`.

    Returns
    -------
    Micom
        The steps and the verdict.

    Raises
    ------
    SpecificationError
        If there are not two groups.
    DataError
        If a row has no label, a group cannot be estimated, or the permutations do not fit the data.

    Notes
    -----
    Henseler, Ringle & Sarstedt (2016), International Marketing Review 33, 405–431. Interaction terms are products of
    constructs and are not tested themselves.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sembada import pls
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=200)
    >>> frame = pd.DataFrame({name: x + rng.normal(size=200) for name in ("x1", "x2", "y1", "y2")})
    >>> frame["where"] = np.repeat(["a", "b"], 100)
    >>> test = pls.micom(pls.Model("X =~ x1 + x2 ; Y =~ y1 + y2 ; Y ~ X"), frame, "where", n=200, seed=1)
    >>> test.compositional.columns.tolist()
    ['c', 'lower', 'p', 'invariant']
    """
    check(level, 2, p)
    choice("items", items, ITEMS)
    threads = execution.check_threads(threads)
    parts = split(model, data, group, groups, options, two=True)
    dealt = Permutations.make(n, parts.bounds[-1], seed, permutations)
    pooled = parts.pooled
    composite = _Composites(pooled, items)
    with execution.reporter(progress, 2 * dealt.n, "estimations") as report:
        values, codes = replicates(parts, dealt, ["weights"], threads, report)
    own = np.stack([values_of(fit, ["weights"]) for fit in parts.fits])
    observed = {"c": composite.congruence(own[None, 0], own[None, 1])[0]}
    draws = {"c": composite.congruence(values[:, 0], values[:, 1])}
    moments = _Moments(parts, composite.constructs)
    observed["mean"], observed["log_variance"] = (part[0] for part in moments.of(np.arange(dealt.n_obs)[None]))
    found = [moments.of(dealt.rows(block)) for block in dealt.blocks()]
    draws["mean"], draws["log_variance"] = (np.concatenate(part) for part in zip(*found, strict=True))
    provenance = parts.provenance(
        "micom", dealt.n, given=permutations is not None, seed=dealt.seed, items=items, level=level
    )
    return Micom(
        (parts.names[0], parts.names[1]),
        (parts.fits[0], parts.fits[1]),
        pooled,
        composite.constructs,
        level,
        p,
        provenance,
        observed,
        draws,
        codes[:, :, 0],
    )


class _Composites:
    """Scores of all respondents from any weights: what is needed of them is their correlation.

    Parameters
    ----------
    pooled
        The fit on all rows.
    items
        What weights are applied to.
    """

    def __init__(self, pooled: Fit, items: str) -> None:
        system = pooled._system
        spec = pooled.model.specification
        self.constructs = spec.measured
        self._layout: Layout = system.layouts(["weights"])["weights"]
        self._spec = spec
        self._column = {name: position for position, name in enumerate(spec.columns)}
        self._place = dict(zip(self._layout.labels, self._layout.positions.tolist(), strict=True))
        values = pooled._rows("prepared") if pooled._preparation.is_needed else pooled._table.matrix
        weights = pooled._table.weights
        w = np.ones(len(values)) if weights is None else weights
        self._columns: dict[str, dict[str, int]] = {}
        self._moments: dict[str, Array] = {}
        for construct in self.constructs:
            names = list(dict.fromkeys(self._leaves(construct)))
            self._columns[construct] = {name: position for position, name in enumerate(names)}
            part = values[:, [self._column[name] for name in names]]
            known = ~np.isnan(part)
            mean = (w[:, None] * np.where(known, part, 0.0)).sum(axis=0) / (w[:, None] * known).sum(axis=0)
            centred = np.where(known, part - mean, 0.0)
            moments = (centred * w[:, None]).T @ centred
            if items == "standardised":
                scale = np.sqrt(np.diag(moments))
                moments = moments / np.outer(scale, scale)
            self._moments[construct] = moments

    def _vector(self, construct: str, values: Array, columns: dict[str, int]) -> Array:
        """Return the weights of a construct on some columns `(n, n_columns)`, through its dimensions if it has any."""
        result = np.zeros((len(values), len(columns)))
        for item in self._spec.block_of[construct].indicators:
            if item in columns and (construct, item) in self._place:
                result[:, columns[item]] += values[:, self._place[construct, item]]
            elif (construct, item) in self._place:
                result += values[:, [self._place[construct, item]]] * self._vector(item, values, columns)
            else:
                # Repeated indicators: the higher-order construct weighs the indicators of its dimensions itself.
                for name in self._leaves(item):
                    result[:, columns[name]] += values[:, self._place[construct, name]]
        return result

    def _leaves(self, construct: str) -> list[str]:
        if construct not in self._spec.higher_order:
            return list(self._spec.block_of[construct].indicators)
        return [name for item in self._spec.dimensions(construct) for name in self._leaves(item)]

    def congruence(self, first: Array, second: Array) -> Array:
        """Return the correlations of the scores of two sets of weights `(n, n_constructs)`."""
        result = np.empty((len(first), len(self.constructs)))
        for position, construct in enumerate(self.constructs):
            columns, moments = self._columns[construct], self._moments[construct]
            a, b = self._vector(construct, first, columns), self._vector(construct, second, columns)
            cross = ((a @ moments) * b).sum(axis=1)
            scale = ((a @ moments) * a).sum(axis=1) * ((b @ moments) * b).sum(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                result[:, position] = cross / np.sqrt(scale)
        return result


class _Moments:
    """Differences of means and log variances of pooled scores between any two parts of the rows.

    Parameters
    ----------
    groups
        The groups.
    constructs
        The constructs.
    """

    def __init__(self, groups: Groups, constructs: Sequence[str]) -> None:
        pooled = groups.pooled
        self._scores = pooled.scores()[list(constructs)].to_numpy()
        weights = pooled._table.weights
        self._weights = np.ones(len(self._scores)) if weights is None else weights
        self._size = groups.sizes[0]

    def of(self, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return both differences for permutations `(n, n_obs)`."""
        n = len(rows)
        member = np.zeros((n, rows.shape[1]))
        np.put_along_axis(member, rows[:, : self._size], 1.0, axis=1)
        w = self._weights[:, None]
        parts = np.hstack([w, w * self._scores, w * self._scores**2])
        first = member @ parts
        second = parts.sum(axis=0) - first
        count = self._scores.shape[1]
        means, logs = [], []
        for sums in (first, second):
            size = sums[:, :1]
            mean = sums[:, 1 : 1 + count] / size
            spread = sums[:, 1 + count :] - size * mean**2
            means.append(mean)
            logs.append(np.log(spread / (size - 1.0)))
        return means[0] - means[1], logs[0] - logs[1]
