"""Multigroup analysis: parametric, bootstrap and permutation tests of differences between two or more groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sembada import execution
from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.pls import intervals
from sembada.pls.bootstrap import Bootstrap
from sembada.pls.engine import seed_key
from sembada.pls.groups import Groups, Permutations, kept, split
from sembada.pls.permutation import TIE, Permutation, check, failed, of_groups, replicates, shares, values_of
from sembada.pls.provenance import Provenance
from sembada.pls.specification import choice
from sembada.pls.summary import Section, Summary

if TYPE_CHECKING:
    from sembada.pls.fit import Fit
    from sembada.pls.model import Model

__all__ = ["Comparison", "compare_groups", "henseler", "keil", "welch"]

Array = NDArray[np.float64]
METHODS = ("henseler", "parametric", "welch", "permutation")
ADJUSTMENTS = ("none", "bonferroni", "holm", "fdr")
FAMILIES = ("pairs", "all")


def henseler(first: Array, second: Array, own: Array, other: Array) -> Array:
    """Return Henseler's one-tailed p-value of each column.

    Parameters
    ----------
    first, second
        Draws of the two groups `(n, n_numbers)`; NaN rows are left out.
    own, other
        What the draws are centred on, `(n_numbers,)` each: their means, or the estimates.

    Returns
    -------
    ndarray
        The estimated probability that the parameter of the first group is not above that of the second: the share of
        all pairs of draws with `2 c₁ − b₁ ≤ 2 c₂ − b₂` (Henseler, Ringle & Sinkovics 2009, AIM 20, eq. 6).
    """
    result = np.full(first.shape[1], np.nan)
    for column in range(first.shape[1]):
        a = 2.0 * own[column] - first[:, column]
        b = np.sort(2.0 * other[column] - second[:, column])
        a, b = a[~np.isnan(a)], b[~np.isnan(b)]
        if a.size and b.size:
            # Draws that agree up to rounding are ties, such as loadings of a single item.
            below = np.searchsorted(b, a - TIE, side="left")
            result[column] = 1.0 - below.sum() / (a.size * b.size)
    return result


def keil(difference: Array, errors: tuple[Array, Array], sizes: tuple[float, float]) -> tuple[Array, float]:
    """Return t and degrees of freedom of the parametric test with equal variances (Keil et al. 2000, MISQ 24)."""
    first, second = sizes
    df = first + second - 2.0
    pooled = ((first - 1.0) ** 2 * errors[0] ** 2 + (second - 1.0) ** 2 * errors[1] ** 2) / df
    with np.errstate(divide="ignore", invalid="ignore"):
        return difference / np.sqrt(pooled * (1.0 / first + 1.0 / second)), df


def welch(difference: Array, errors: tuple[Array, Array], sizes: tuple[float, float]) -> tuple[Array, Array]:
    """Return t and the Welch–Satterthwaite degrees of freedom, variances unequal (Chin 2000; Sarstedt et al. 2011)."""
    first, second = sizes
    one = (first - 1.0) / first * errors[0] ** 2
    two = (second - 1.0) / second * errors[1] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (first - 1.0) / first**2 * errors[0] ** 4 + (second - 1.0) / second**2 * errors[1] ** 4
        return difference / np.sqrt(one + two), (one + two) ** 2 / spread - 2.0


def adjusted(p: Array, rule: str) -> Array:
    """Return p-values adjusted for being several; NaN are not counted.

    Parameters
    ----------
    p
        The p-values of one family.
    rule
        `"none"`, `"bonferroni"`, `"holm"` (Holm 1979) or `"fdr"` (Benjamini & Hochberg 1995).

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03]), "holm").round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    known = ~np.isnan(p)
    values = p[known]
    count = len(values)
    order = np.argsort(values, kind="stable")
    result = p.copy()
    if rule == "bonferroni":
        result[known] = np.minimum(1.0, values * count)
    elif rule in {"holm", "fdr"} and count:
        ranked = values[order]
        if rule == "holm":
            ranked = np.maximum.accumulate(ranked * np.arange(count, 0, -1))
        else:
            ranked = np.minimum.accumulate((ranked * count / np.arange(1, count + 1))[::-1])[::-1]
        back = np.empty(count)
        back[order] = np.minimum(1.0, ranked)
        result[known] = back
    return result


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """A multigroup analysis.

    Parameters
    ----------
    groups
        Labels of the groups.
    fits
        The fit on each group.
    bootstraps
        The bootstrap of each group; empty if no method needs one.
    permutations
        The permutation test of each pair of groups, by their labels; empty if not asked for.
    methods
        The tests that were run.
    provenance
        What the result was made from.
    """

    groups: tuple[Any, ...]
    fits: tuple[Fit, ...]
    bootstraps: tuple[Bootstrap, ...]
    permutations: Mapping[tuple[Any, Any], Permutation]
    methods: tuple[str, ...]
    provenance: Provenance
    _parts: Groups
    _names: tuple[str, ...]
    _dealt: Permutations
    _threads: int | None
    _cache: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(repr(name) for name in self.groups)
        return f"Comparison({names}; {', '.join(self.methods)}; seed={self.provenance.seed})"

    def _reference(self) -> Bootstrap:
        """Return any set of draws, for the places and labels of the statistics."""
        return self.bootstraps[0] if self.bootstraps else next(iter(self.permutations.values()))._boot

    @property
    def n_failed(self) -> dict[str, int]:
        """Number of replicates without numbers, of the bootstrap of each group and the permutations of each pair."""
        result = {f"bootstrap {name}": boot.n_failed for name, boot in zip(self.groups, self.bootstraps, strict=False)}
        return result | {f"permutation {a}, {b}": test.n_failed for (a, b), test in self.permutations.items()}

    def estimates(self, name: str = "paths") -> pd.DataFrame:
        """Return the estimates of each group.

        Parameters
        ----------
        name
            A statistic by the names of `Bootstrap.draws`.

        Returns
        -------
        DataFrame
            A row for each number, a column for each group.
        """
        positions, index = self._reference()._positions(name)
        values = [values_of(fit, self._names)[positions] for fit in self.fits]
        columns = pd.Index(self.groups, name="group", dtype="object")
        return pd.DataFrame(np.column_stack(values), index=index, columns=columns)

    def table(
        self, name: str = "paths", *, tails: int = 2, adjust: str = "none", family: str = "pairs", p: str = "share"
    ) -> pd.DataFrame:
        """Return the differences of one statistic between all pairs of groups.

        Parameters
        ----------
        name
            A statistic by the names of `Bootstrap.draws`, such as `"paths"` or `"loadings"`.
        tails
            2, or 1: then `p_henseler` is Henseler's probability that the first group's parameter is not above the
            second's (so that values near 0 and near 1 both speak for a difference), the other tests are of a
            difference in the direction of the observed one.
        adjust
            `"none"`, `"bonferroni"`, `"holm"` or `"fdr"` (Benjamini & Hochberg), for several tests.
        family
            What is adjusted together: the `"pairs"` of groups of each number, or `"all"` numbers and pairs.
        p
            How permutations are counted; see `Permutation.table`.

        Returns
        -------
        DataFrame
            Index `group, other` and the levels of the statistic; columns `first, second, difference`, then for the
            methods that were run `p_henseler`, `t_parametric, df_parametric, p_parametric`, `t_welch, df_welch,
            p_welch`, `p_permutation`.

        Notes
        -----
        Two-tailed, Henseler's p is `2 min(p, 1 − p)`.
        """
        check(0.95, tails, p)
        choice("adjust", adjust, ADJUSTMENTS)
        choice("family", family, FAMILIES)
        positions, index = self._reference()._positions(name)
        tables = []
        for a, b in self._parts.pairs:
            table = self._pair(a, b, positions, index, tails, p, name)
            keys = index.to_frame(index=False)
            keys.insert(0, "group", pd.Series([self.groups[a]] * len(keys), dtype="object"))
            keys.insert(1, "other", pd.Series([self.groups[b]] * len(keys), dtype="object"))
            table.index = pd.MultiIndex.from_frame(keys)
            tables.append(table)
        result = pd.concat(tables)
        if adjust != "none":
            self._adjust(result, len(index), adjust, family)
        return result

    def paths(self, *, tails: int = 2, adjust: str = "none", family: str = "pairs", p: str = "share") -> pd.DataFrame:
        """Return differences of path coefficients; index `group, other, predictor, outcome`. See `table`."""
        return self.table("paths", tails=tails, adjust=adjust, family=family, p=p)

    def _pair(
        self, a: int, b: int, positions: NDArray[np.int64], index: pd.Index[Any], tails: int, rule: str, name: str
    ) -> pd.DataFrame:
        own, other = (values_of(self.fits[k], self._names)[positions] for k in (a, b))
        difference = own - other
        columns: dict[str, Any] = {"first": own, "second": other, "difference": difference}
        if self.bootstraps:
            draws = [self.bootstraps[k]._values[:, positions] for k in (a, b)]
            errors = (intervals.spread(draws[0]), intervals.spread(draws[1]))
            sizes = (float(self.fits[a].n_obs), float(self.fits[b].n_obs))
            # A number that does not vary in either group (the loading of a single item) has no test.
            constant = np.maximum(*errors) <= 1e-13 * np.maximum(1.0, np.abs(own))
            if "henseler" in self.methods:
                one = henseler(draws[0], draws[1], _means(draws[0]), _means(draws[1]))
                one = np.where(constant, np.nan, one)
                columns["p_henseler"] = one if tails == 1 else 2.0 * np.minimum(one, 1.0 - one)
            for method, test in (("parametric", keil), ("welch", welch)):
                if method in self.methods:
                    t, df = test(difference, errors, sizes)
                    t = np.where(constant, np.nan, t)
                    columns[f"t_{method}"] = t
                    columns[f"df_{method}"] = np.where(constant, np.nan, df)
                    columns[f"p_{method}"] = tails * stats.t.sf(np.abs(t), df)
        if self.permutations:
            test_of = self.permutations[self.groups[a], self.groups[b]]
            columns["p_permutation"] = test_of.table(name, tails=tails, p=rule)["p"].to_numpy()
        return pd.DataFrame(columns, index=index)

    def _adjust(self, table: pd.DataFrame, count: int, rule: str, family: str) -> None:
        pairs = len(self._parts.pairs)
        for column in [name for name in table.columns if name.startswith("p_")]:
            values = table[column].to_numpy(dtype=np.float64).reshape(pairs, count)
            if family == "all":
                values = adjusted(values.ravel(), rule).reshape(values.shape)
            else:
                values = np.column_stack([adjusted(values[:, position], rule) for position in range(count)])
            table[column] = values.ravel()

    def omnibus(self, name: str = "paths", *, adjust: str = "none", p: str = "share") -> pd.DataFrame:
        """Test whether a number is the same in all groups at once.

        Parameters
        ----------
        name
            A statistic by the names of `Bootstrap.draws`.
        adjust
            As in `table`, over all numbers.
        p
            How permutations are counted; see `Permutation.table`.

        Returns
        -------
        DataFrame
            Index of the statistic; columns `between` (`Σ n_g (θ_g − θ̄)² / (G − 1)`), `f` (the same over the variance
            within groups from the bootstraps; NaN without them) and `p` from respondents dealt to the groups at
            random.

        Notes
        -----
        The omnibus test of group differences compares the same variances (Sarstedt, Henseler & Ringle 2011), but
        shuffles bootstrap estimates, which rejects far too often (Klesel, Schuberth, Niehaves & Henseler 2022); here
        respondents are shuffled, as that paper does.
        """
        check(0.95, 2, p)
        choice("adjust", adjust, ADJUSTMENTS)
        positions, index = self._reference()._positions(name)
        own = np.stack([values_of(fit, self._names)[positions] for fit in self.fits])
        sizes = np.array([float(fit.n_obs) for fit in self.fits])
        values = self._permuted()[:, :, positions]
        observed = _between(own[None], sizes)[0]
        draws = _between(values, sizes)
        slack = TIE * np.maximum(1.0, np.abs(own).max(axis=0)) ** 2 * sizes.sum()
        with np.errstate(invalid="ignore"):
            found = shares(draws >= observed - slack, ~np.isnan(draws), observed, p)
        within = np.full(observed.shape, np.nan)
        if self.bootstraps:
            errors = np.stack([intervals.spread(boot._values[:, positions]) for boot in self.bootstraps])
            degrees = sizes - 1.0
            within = (degrees[:, None] * sizes[:, None] * errors**2).sum(axis=0) / degrees.sum()
            within = np.where(within > 1e-26, within, np.nan)
        return pd.DataFrame({"between": observed, "f": observed / within, "p": adjusted(found, adjust)}, index=index)

    def distance(self, name: str = "paths", *, p: str = "share") -> pd.Series[float]:
        """Test whether all numbers of a statistic are the same in all groups at once.

        Parameters
        ----------
        name
            A statistic by the names of `Bootstrap.draws`; `"construct_correlations"` compares whole models, if kept.
        p
            How permutations are counted; see `Permutation.table`.

        Returns
        -------
        Series
            `distance` (mean over pairs of groups of the squared Euclidean distance of their numbers) and `p` from
            respondents dealt to the groups at random.

        Notes
        -----
        After Klesel, Schuberth, Henseler & Niehaves (2019), Internet Research 29, who compare implied correlations.
        """
        check(0.95, 2, p)
        positions, _ = self._reference()._positions(name)
        own = np.stack([values_of(fit, self._names)[positions] for fit in self.fits])[None]
        values = self._permuted()[:, :, positions]
        observed, draws = (_apart(part, self._parts.pairs) for part in (own, values))
        found = shares((draws >= observed - TIE)[:, None], ~np.isnan(draws)[:, None], np.atleast_1d(observed), p)
        return pd.Series({"distance": float(observed[0]), "p": float(found[0])}, name=name)

    def summary(self, *, tails: int = 2, adjust: str = "none", family: str = "pairs", p: str = "share") -> Summary:
        """Return the main tables as one report that renders as text, HTML and LaTeX; see `table` for the options."""
        facts = [
            (f"group {name}", f"{fit._table.n_obs} rows") for name, fit in zip(self.groups, self.fits, strict=True)
        ]
        facts += [(f"{name}", f"{count} failed") for name, count in self.n_failed.items()]
        facts.append(("adjusted for several tests", adjust if adjust == "none" else f"{adjust}, {family}"))
        sections = [Section("Path coefficients", self.estimates("paths"))]
        sections.append(Section("Differences", self.paths(tails=tails, adjust=adjust, family=family, p=p)))
        if len(self.groups) > 2:
            sections.append(Section("All groups at once", self.omnibus("paths", adjust=adjust, p=p)))
        return Summary("Multigroup analysis", tuple(facts), tuple(sections))

    def _permuted(self) -> Array:
        """Return the estimates of all groups when rows are dealt to all of them, made when first needed."""
        if "permuted" not in self._cache:
            values, _ = replicates(self._parts, self._dealt, self._names, self._threads, None)
            values[failed(values)] = np.nan
            self._cache["permuted"] = values
        return np.asarray(self._cache["permuted"], dtype=np.float64)


def _means(draws: Array) -> Array:
    known = ~np.isnan(draws)
    count = known.sum(axis=0)
    total = np.where(known, draws, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _between(values: Array, sizes: Array) -> Array:
    """Return the variance between groups of each number; values `(n, n_groups, n_numbers)`."""
    w: Array = sizes[None, :, None]
    mean = (w * values).sum(axis=1, keepdims=True) / sizes.sum()
    return np.asarray((w * (values - mean) ** 2).sum(axis=1) / (len(sizes) - 1), dtype=np.float64)


def _apart(values: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    total = sum(((values[:, a] - values[:, b]) ** 2).sum(axis=1) for a, b in pairs)
    return np.asarray(total / len(pairs), dtype=np.float64)


def _indices(indices: Any, names: Sequence[Any]) -> list[ArrayLike]:
    if isinstance(indices, Mapping):
        for name in indices:
            if name not in names:
                raise unknown_name("group", str(name), [str(item) for item in names], where="indices=")
        absent = [name for name in names if name not in indices]
        if absent:
            raise DataError(f"indices= has no resamples of group {absent[0]!r}", {"group": absent[0]})
        return [indices[name] for name in names]
    result = list(indices)
    if len(result) != len(names):
        raise DataError(
            f"indices= has {len(result)} arrays: expected one for each of the {len(names)} groups, or a mapping "
            "group → array",
            {"arrays": len(result), "groups": tuple(names)},
        )
    return result


def compare_groups(
    model: Model,
    data: Any,
    group: Any,
    *,
    groups: Sequence[Any] | None = None,
    methods: Sequence[str] = METHODS,
    n: int = 1_000,
    seed: int | None = None,
    indices: Mapping[Any, ArrayLike] | Sequence[ArrayLike] | None = None,
    permutations: ArrayLike | None = None,
    statistics: Sequence[str] | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] = False,
    **options: Any,
) -> Comparison:
    """Compare two or more groups in every statistic (multigroup analysis).

    Parameters
    ----------
    model
        The model.
    data
        A pandas, polars or pyarrow table with a row for each respondent.
    group
        Name of the column that holds the group of each row, or an array of labels.
    groups
        The labels to compare, in this order; by default all, sorted.
    methods
        `"henseler"` (bootstrap-based PLS-MGA), `"parametric"` (equal variances; Keil et al. 2000), `"welch"`
        (Welch–Satterthwaite) and `"permutation"` (Chin & Dibbern 2010), for each pair of groups.
    n
        Number of bootstrap replicates of each group, and of permutations.
    seed
        Makes both repeatable; `None` draws a fresh one, which the provenance records.
    indices
        Given bootstrap resamples: a mapping group → integer array `(n, n_rows_of_the_group)`, or one array for each
        group; row numbers from zero within the group.
    permutations
        Given permutations of the pooled rows, for two groups; see `permute`.
    statistics
        What to keep, by the names of `Bootstrap.draws`.
    threads
        Number of threads; all processors by default. The results do not depend on it.
    progress
        `True` paints a bar; a function is called with (done, all).
    **options
        Options of `Model.fit`.

    Returns
    -------
    Comparison
        Estimates, tests of all pairs with adjusted p-values, and tests of all groups at once.

    Raises
    ------
    SpecificationError
        If there are fewer than two groups, or an option is not known.
    DataError
        If a row has no label, a group cannot be estimated, or given resamples do not fit the groups.

    Notes
    -----
    Sarstedt, Henseler & Ringle (2011), Advances in International Marketing 22, 195–218. Test measurement invariance
    first: `pls.micom`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sembada import pls
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=300)
    >>> y = np.repeat([0.9, 0.5, 0.1], 100) * x + 0.4 * rng.normal(size=300)
    >>> frame = pd.DataFrame({"x": x, "y": y, "where": np.repeat(["a", "b", "c"], 100)})
    >>> comparison = pls.compare_groups(pls.Model("X =~ x ; Y =~ y ; Y ~ X"), frame, "where", n=200, seed=1)
    >>> bool((comparison.paths(adjust="holm")["p_welch"] < 0.05).all())
    True
    """
    wanted = [methods] if isinstance(methods, str) else list(methods)
    words = tuple(dict.fromkeys(choice("methods", word, METHODS) for word in wanted))
    if not words:
        raise SpecificationError("methods= is empty: expected one or more of " + ", ".join(METHODS))
    threads = execution.check_threads(threads)
    parts = split(model, data, group, groups, options)
    used, _ = seed_key(seed)
    # Every group, and every pair, has a stream of its own.
    streams = np.random.SeedSequence(used).generate_state(len(parts.names) + len(parts.pairs) + 1, np.uint64).tolist()
    names = kept(parts.pooled, statistics)
    if permutations is not None and len(parts.names) != 2:
        raise SpecificationError(
            f"permutations= deals rows to two groups, and there are {len(parts.names)}: choose two with groups=",
            {"groups": parts.names},
        )
    dealt = Permutations.make(n, parts.bounds[-1], streams[-1], permutations)
    boots: list[Bootstrap] = []
    if set(words) - {"permutation"}:
        given = [None] * len(parts.names) if indices is None else _indices(indices, parts.names)
        for number, fit in enumerate(parts.fits):
            boots.append(
                fit.bootstrap(
                    n,
                    seed=streams[number],
                    indices=given[number],
                    threads=threads,
                    statistics=statistics,
                    progress=progress,
                )
            )
    tests: dict[tuple[Any, Any], Permutation] = {}
    if "permutation" in words:
        for number, (a, b) in enumerate(parts.pairs):
            pair = parts if len(parts.names) == 2 else parts.only(model, (a, b), options)
            own = dealt
            if len(parts.names) > 2:
                own = Permutations.make(n, pair.bounds[-1], streams[len(parts.names) + number], None)
            with execution.reporter(progress, 2 * own.n, "estimations") as report:
                tests[parts.names[a], parts.names[b]] = of_groups(pair, own, names, threads, report)
    provenance = parts.provenance(words, n, given=indices is not None or permutations is not None, seed=used)
    return Comparison(parts.names, parts.fits, tuple(boots), tests, words, provenance, parts, names, dealt, threads)
