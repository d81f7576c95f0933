"""Missing answers: expectation–maximisation, and multiple imputation with pooled inference.

Completion by regression or EM inside each sample is the engine's work (`Model.fit(missing=…)`). Sources: Dempster,
Laird & Rubin (1977); Little & Rubin (2019), ch. 8 and 11; Honaker & King (2010) (EM on a bootstrap sample); Rubin
(1987); Barnard & Rubin (1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sembada import _core
from sembada.errors import ConvergenceError, DataError, SpecificationError
from sembada.pls.engine import seed_key
from sembada.pls.frames import Table, read
from sembada.pls.provenance import Provenance

if TYPE_CHECKING:
    from sembada.pls.model import Model

__all__ = ["Pooled", "check_complete", "expectation_maximisation", "impute", "pool"]

Array = NDArray[np.float64]


def _patterns(missing: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Return the rows of each pattern of missing values."""
    patterns, group = np.unique(missing, axis=0, return_inverse=True)
    group = group.ravel()
    return [(np.flatnonzero(group == k), patterns[k]) for k in range(len(patterns))]


def _check(values: Array, columns: Sequence[str]) -> None:
    empty = np.flatnonzero(np.isnan(values).all(axis=0))
    if empty.size:
        raise DataError(
            f"column {columns[empty[0]]!r} has no value at all: leave it out", {"column": columns[empty[0]]}
        )


def _regressed(centred: Array, cov: Array, gap: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the conditional means of the missing columns given the others, and their conditional covariance."""
    have = ~gap
    slope = np.linalg.lstsq(cov[np.ix_(have, have)], cov[np.ix_(have, gap)], rcond=None)[0]
    rest = cov[np.ix_(gap, gap)] - cov[np.ix_(gap, have)] @ slope
    return centred[:, have] @ slope, rest


def expectation_maximisation(
    values: Array, weights: Array | None = None, start: tuple[Array, Array] | None = None
) -> tuple[Array, Array, Array]:
    """Estimate means and covariances of normal data with missing values.

    Parameters
    ----------
    values
        Matrix `(n_obs, n_columns)`; NaN is missing.
    weights
        Row weights `(n_obs,)`.
    start
        Means and covariances to start from.

    Returns
    -------
    mean
        `(n_columns,)`.
    covariance
        Maximum likelihood covariances `(n_columns, n_columns)`.
    completed
        The data, missing values replaced by their conditional means.

    Raises
    ------
    ConvergenceError
        If EM has not settled after 2,000 passes.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [2.0, 4.1], [3.0, 5.9], [4.0, np.nan]])
    >>> float(expectation_maximisation(x)[2][3, 1].round(2))
    7.9
    """
    data = np.ascontiguousarray(values, dtype=np.float64)
    own = None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    found = _core.pls_em(data, own) if start is None else _core.pls_em(data, own, *start)
    if found is None:
        raise ConvergenceError(
            "EM had not settled after 2,000 passes, or a column has no variance: too little of some columns is "
            "observed together",
            {"shape": data.shape},
        )
    return found


def _root(matrix: Array) -> Array:
    """Return the symmetric square root of a covariance matrix."""
    size, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(size, 0.0))) @ vectors.T)


def check_complete(values: Array, columns: Sequence[str], method: str, weights: Array | None) -> None:
    """Raise if data cannot be completed.

    Parameters
    ----------
    values
        Matrix `(n_obs, n_columns)`; NaN is missing.
    columns
        Names of the columns.
    method
        `"regression"` or `"em"`.
    weights
        Row weights.

    Raises
    ------
    DataError
        If a column is empty, or regression has no more complete rows than columns.
    """
    missing = np.isnan(values)
    if not missing.any():
        return
    _check(values, columns)
    rows = ~missing.any(axis=1) if weights is None else ~missing.any(axis=1) & (weights > 0)
    if method == "regression" and rows.sum() <= values.shape[1]:
        raise DataError(
            f"missing='regression' needs more complete rows than columns: {int(rows.sum())} of {len(values)} rows "
            f"are complete, {values.shape[1]} columns. Use missing='em'",
            {"complete": int(rows.sum()), "columns": values.shape[1]},
        )


def impute(values: Array, columns: Sequence[str], count: int, seed: int | None) -> tuple[list[Array], int]:
    """Draw completed data sets.

    Parameters
    ----------
    values
        Matrix `(n_obs, n_columns)`; NaN is missing.
    columns
        Names of the columns, for messages.
    count
        Number of data sets.
    seed
        Makes the draws repeatable.

    Returns
    -------
    list of ndarray
        The data sets.
    int
        The seed that was used.

    Notes
    -----
    Honaker & King (2010): EM on a bootstrap sample of the rows gives parameters that carry their own uncertainty;
    missing values are then drawn from the normal distribution given the answers of the same row.
    """
    _check(values, columns)
    used, key = seed_key(seed)
    missing = np.isnan(values)
    start = expectation_maximisation(values)[:2]
    sets: list[Array] = []
    for number in range(count):
        bits = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=[0, 0, number, 2])
        draw = np.random.Generator(bits)
        for _ in range(100):
            rows = draw.integers(0, len(values), len(values))
            sample = values[rows]
            if not np.isnan(sample).all(axis=0).any() and (np.nanstd(sample, axis=0) > 0).all():
                break
        mean, cov, _ = expectation_maximisation(sample, start=start)
        done = values.copy()
        for members, gap in _patterns(missing):
            if gap.any():
                guess, rest = _regressed(values[members] - mean, cov, gap)
                noise = draw.standard_normal((members.size, int(gap.sum()))) @ _root(rest)
                done[np.ix_(members, gap)] = mean[gap] + guess + noise
        sets.append(done)
    return sets, used


class Pooled:
    """Estimates and inference from several completed data sets (Rubin 1987).

    Parameters
    ----------
    parts
        A bootstrap of each completed data set.
    n_obs
        Number of rows.
    provenance
        What the result was made from.
    """

    __slots__ = ("n_obs", "parts", "provenance")

    def __init__(self, parts: Sequence[Any], n_obs: int, provenance: Provenance) -> None:
        self.parts = tuple(parts)
        self.n_obs = n_obs
        self.provenance = provenance

    def __repr__(self) -> str:
        return f"Pooled({len(self.parts)} imputations, n_obs={self.n_obs}, seed={self.provenance.seed})"

    def table(self, name: str, *, level: float = 0.95) -> pd.DataFrame:
        """Return pooled estimates of one statistic.

        Parameters
        ----------
        name
            As in `Bootstrap.draws`.
        level
            Confidence level.

        Returns
        -------
        DataFrame
            Columns `estimate` (mean of the estimates), `std_error` (√(within + (1 + 1/m) between)), `df` (Barnard &
            Rubin 1999), `t`, `p`, `lower`, `upper` and `missing_information` (share of the variance that is due to
            missing values).
        """
        tables = [part.table(name) for part in self.parts]
        m = len(tables)
        estimates = np.array([table["estimate"].to_numpy(float) for table in tables])
        estimate = estimates.mean(axis=0)
        within = np.mean([table["std_error"].to_numpy(float) ** 2 for table in tables], axis=0)
        between = estimates.var(axis=0, ddof=1)
        total = within + (1 + 1 / m) * between
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (1 + 1 / m) * between / total
            old = (m - 1) / share**2
            complete_df = self.n_obs - 1
            observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
            df = np.where(share > 0, 1 / (1 / old + 1 / observed), observed)
            error = np.sqrt(total)
            t = np.where(error > 0, estimate / error, np.nan)
        width = stats.t.ppf(0.5 + level / 2, df) * error
        return pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": error,
                "df": df,
                "t": t,
                "p": 2 * stats.t.sf(np.abs(t), df),
                "lower": estimate - width,
                "upper": estimate + width,
                "missing_information": share,
            },
            index=tables[0].index,
        )

    def paths(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return pooled path coefficients; index `predictor, outcome`."""
        return self.table("paths", level=level)


def pool(
    model: Model,
    data: Any,
    *,
    imputations: int = 20,
    n: int = 500,
    seed: int | None = None,
    missing_value: float | Sequence[float] | None = None,
    threads: int | None = None,
    **options: Any,
) -> Pooled:
    """Impute several times, estimate and bootstrap each completed data set, and pool.

    Parameters
    ----------
    model
        The model.
    data
        A pandas, polars or pyarrow table.
    imputations
        Number of completed data sets.
    n
        Replicates of the bootstrap that gives the standard errors inside each.
    seed
        Makes the result repeatable; `None` draws a fresh one, which the provenance records.
    missing_value
        Numbers that stand for a missing answer.
    threads
        Number of threads.
    **options
        Options of `Model.fit`.

    Returns
    -------
    Pooled
        Pooled tables.

    Raises
    ------
    SpecificationError
        If fewer than two imputations are asked for.

    Examples
    --------
    >>> from sembada import pls
    >>> rng = np.random.default_rng(3)
    >>> factor = rng.normal(size=120)
    >>> frame = pd.DataFrame({name: factor + rng.normal(size=120) for name in ("a", "b", "c", "d")})
    >>> frame.loc[:4, "a"] = np.nan
    >>> pooled = pls.pool(pls.Model("X =~ a + b ; Y =~ c + d ; Y ~ X"), frame, imputations=3, n=50, seed=1)
    >>> bool(pooled.paths()["p"].iloc[0] < 0.01)
    True
    """
    if isinstance(imputations, bool) or not isinstance(imputations, (int, np.integer)) or imputations < 2:
        raise SpecificationError(
            f"imputations={imputations!r}: pooling needs two or more", {"imputations": imputations}
        )
    for name in ("missing", "weights"):
        if name in options:
            raise SpecificationError(f"pool() completes the data itself: leave {name}= out", {"option": name})
    table = read(data, model.columns, missing_value=missing_value, warn=False)
    sets, used = impute(table.matrix, table.columns, int(imputations), seed)
    words = np.random.SeedSequence(used).spawn(int(imputations))
    parts = []
    for word, values in zip(words, sets, strict=True):
        fit = model.fit(Table(table.columns, values, table.index), **options)
        parts.append(fit.bootstrap(n, seed=int(word.generate_state(1, np.uint64)[0]), threads=threads))
    facts = parts[0].fit.provenance.with_facts(seed=used, data=table.digest())
    return Pooled(parts, table.n_obs, facts.with_facts(options={**facts.options, "missing": "multiple imputation"}))
