"""Gaussian copula terms for endogenous predictors.

A predictor that correlates with the error of its equation biases the coefficient. If the predictor is not normal, a
term made from its ranks stands in for the part that it shares with the error, without instruments: Park & Gupta
(2012), Mark. Sci. 31(4), 567–586; Hult et al. (2018), J. Int. Mark. 26(3), 1–21, for PLS; Becker, Proksch & Ringle
(2022), J. Acad. Mark. Sci. 50, 46–66, on the empirical distribution function. Yang, Qian & Xie (2025), J. Mark. Res.,
free the term of what the exogenous predictors explain ("2sCOPE"), so that these may correlate with the endogenous one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtri

from sembada.errors import SpecificationError, UnsupportedError, unknown_name
from sembada.pls import intervals
from sembada.pls.engine import seed_key
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["copula", "copula_term", "draw", "estimate", "normality"]

Array = NDArray[np.float64]
METHODS = ("park-gupta", "2scope")


def copula_term(scores: Array, weights: Array | None = None) -> Array:
    """Return Φ⁻¹ of the empirical distribution function of each column.

    Parameters
    ----------
    scores
        Matrix `(n_obs, n_columns)`.
    weights
        Row weights `(n_obs,)`; a weight of 2 counts as two rows.

    Returns
    -------
    ndarray
        Terms `(n_obs, n_columns)`. The last step of the distribution function, one, is taken as n/(n + 1) (Becker,
        Proksch & Ringle 2022).

    Examples
    --------
    >>> copula_term(np.array([[1.0], [2.0], [3.0]])).round(3).ravel().tolist()
    [-0.431, 0.431, 0.674]
    """
    w = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=float)
    total = w.sum()
    result = np.empty_like(scores)
    for k, column in enumerate(scores.T):
        _, codes = np.unique(column, return_inverse=True)
        share = np.cumsum(np.bincount(codes, weights=w)) / total
        share = np.where(share >= 1.0 - 1e-12, total / (total + 1.0), share)
        # Rows of weight zero below all others have no rank of their own; they count for nothing.
        result[:, k] = ndtri(np.maximum(share, 0.5 / total))[codes]
    return result


def normality(fit: Fit) -> pd.DataFrame:
    """Return how far construct scores are from normal; see `Fit.normality`."""
    rows = []
    scores = fit.scores().dropna()
    for name in scores.columns:
        test = stats.jarque_bera(scores[name])
        rows.append(
            {
                "skewness": float(stats.skew(scores[name], bias=False)),
                "excess_kurtosis": float(stats.kurtosis(scores[name], bias=False)),
                "jarque_bera": float(test.statistic),
                "p": float(test.pvalue),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(list(scores.columns), name="construct", dtype="object"))


def _equation(
    fit: Fit, outcome: str, endogenous: Sequence[str] | None, method: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the predictors of an equation and those that get a term."""
    choice("method", method, METHODS)
    spec = fit.model.specification
    if outcome not in spec.outcomes:
        raise unknown_name("outcome", outcome, spec.outcomes)
    predictors = spec.predictors(outcome)
    chosen = tuple(predictors if endogenous is None else endogenous)
    for name in chosen:
        if name not in predictors:
            raise unknown_name("predictor", name, predictors, where=f"the equation of {outcome!r}")
    if not chosen:
        raise SpecificationError("no endogenous predictor is named", {"outcome": outcome})
    if any(":" in name for name in predictors):
        raise UnsupportedError(f"the equation of {outcome!r} has an interaction: copula terms need plain predictors")
    return predictors, tuple(name for name in predictors if name in chosen)


def draw(
    fit: Fit,
    plan: dict[str, Any],
    outcome: str,
    endogenous: Sequence[str] | None,
    method: str,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> tuple[Array, pd.Index[Any]]:
    """Estimate an equation with copula terms in every replicate of a plan.

    Parameters
    ----------
    fit
        The fit.
    plan
        The plan, as the engine takes it.
    outcome, endogenous, method
        As in `Fit.copula`.
    threads, progress
        As in `Fit.bootstrap`.

    Returns
    -------
    values
        Coefficients `(n, n_terms)`; NaN rows where a replicate failed.
    index
        The predictors, then `copula(…)`.
    """
    predictors, chosen = _equation(fit, outcome, endogenous, method)
    nodes = list(fit._system.nodes)
    values, _, _ = fit._system.engine.copula(
        fit._table.matrix,
        plan,
        nodes.index(outcome),
        [nodes.index(name) for name in predictors],
        [name in chosen for name in predictors],
        two_scope=method == "2scope",
        weights=fit._table.weights,
        missing=fit._preparation.for_engine,
        prepare=fit._preparation.plain,
        threads=threads,
        progress=progress,
    )
    labels = [*predictors, *(f"copula({name})" for name in chosen)]
    return values, pd.Index(labels, name="term", dtype="object")


def estimate(fit: Fit, outcome: str, endogenous: Sequence[str] | None, method: str) -> Array:
    """Estimate an equation with copula terms once."""
    plan = {"kind": "weights", "weights": np.ones((1, fit._table.n_obs))}
    found = draw(fit, plan, outcome, endogenous, method)[0][0]
    if np.isnan(found).any():
        raise SpecificationError(
            f"the equation of {outcome!r} with copula terms has no solution: a term is a linear function of the "
            "predictors, as for a normal predictor",
            {"outcome": outcome},
        )
    return np.asarray(found)


def copula(
    fit: Fit,
    outcome: str,
    endogenous: Sequence[str] | None,
    *,
    method: str,
    n: int,
    seed: int | None,
    level: float,
) -> pd.DataFrame:
    """Return an equation with Gaussian copula terms; see `Fit.copula`."""
    intervals.check(level, "percentile", 2)
    found = estimate(fit, outcome, endogenous, method)
    _, key = seed_key(seed)
    plan = {"kind": "bootstrap", "key": key, "n": n, "first": 0, "strata": None, "clusters": None}
    draws, index = draw(fit, plan, outcome, endogenous, method)
    lower, upper = intervals.limits(draws, found, level=level)
    error = intervals.spread(draws)
    t = found / error
    estimates = fit.paths["estimate"]
    plain = [float(estimates[name, outcome]) if (name, outcome) in estimates.index else np.nan for name in index]
    return pd.DataFrame(
        {
            "estimate": found,
            "without": plain,
            "std_error": error,
            "t": t,
            "p": intervals.p_values(t),
            "lower": lower,
            "upper": upper,
        },
        index=index,
    )
