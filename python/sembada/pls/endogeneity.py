"""Gaussian copula terms for endogenous predictors.

A predictor that correlates with the error of its equation biases the coefficient. If the predictor is not normal, a
term made from its ranks stands in for the part that it shares with the error, without instruments: Park & Gupta
(2012), Mark. Sci. 31(4), 567–586; Hult et al. (2018), J. Int. Mark. 26(3), 1–21, for PLS; Becker, Proksch & Ringle
(2022), J. Acad. Mark. Sci. 50, 46–66, on the empirical distribution function. Yang, Qian & Xie (2025), J. Mark. Res.,
free the term of what the exogenous predictors explain ("2sCOPE"), so that these may correlate with the endogenous one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtri

from sembada.errors import SpecificationError, UnsupportedError, unknown_name
from sembada.pls import intervals
from sembada.pls.blocks import block
from sembada.pls.engine import System, seed_key
from sembada.pls.specification import Path, Specification, choice

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["copula", "copula_term", "normality"]

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


def _augmented(
    scores: Array, names: Sequence[str], predictors: Sequence[str], endogenous: Sequence[str], method: str, w: Array
) -> Array:
    """Return outcome, predictors and copula terms as columns."""
    place = {name: position for position, name in enumerate(names)}
    terms = copula_term(scores[:, [place[name] for name in endogenous]], w)
    exogenous = [name for name in predictors if name not in endogenous]
    if method == "2scope" and exogenous:
        other = copula_term(scores[:, [place[name] for name in exogenous]], w)
        design = np.column_stack([np.ones(len(other)), other])
        root = np.sqrt(w)[:, None]
        slope = np.linalg.lstsq(design * root, terms * root, rcond=None)[0]
        terms = terms - design @ slope
    return np.column_stack([scores[:, [place[name] for name in predictors]], terms])


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
    choice("method", method, METHODS)
    intervals.check(level, "percentile", 2)
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
    nodes = list(fit._system.nodes)
    labels = [*predictors, *(f"copula({name})" for name in chosen)]
    # The equation again as a path model of single items, on scores instead of answers.
    second = System(
        Specification(
            tuple(block(f"x{k}", f"x{k}") for k in range(len(labels) + 1)),
            tuple(Path(f"x{k + 1}", "x0") for k in range(len(labels))),
        ),
        fit._system.options.__class__(),
    )
    table, prepared, kernel = fit._table, fit._preparation, fit.provenance.kernel

    def once(weights: Array) -> Array | None:
        first = fit._system.fit(
            table.matrix, weights=weights, missing=prepared.for_engine, prepare=prepared.plain, kernel=kernel
        )
        if np.isnan(first["values"]).all():
            return None
        scores = np.asarray(first["scores"], dtype=np.float64)
        known = np.isfinite(scores).all(axis=1) & (weights > 0)
        w = weights[known]
        columns = _augmented(scores[known], nodes, predictors, chosen, method, w)
        y = scores[known][:, [nodes.index(outcome)]]
        result = second.fit(
            np.column_stack([y, columns]), weights=w, missing="error", prepare=None, kernel=kernel, statistics=["paths"]
        )
        # The engine standardises; the predictors are standard already, the terms are not.
        spread = np.sqrt(w @ (columns - w @ columns / w.sum()) ** 2 / (w.sum() - 1.0))
        return np.asarray(result["values"] / spread, dtype=np.float64)

    base = np.ones(table.n_obs) if table.weights is None else table.weights
    estimate = once(base)
    if estimate is None or np.isnan(estimate).any():
        raise SpecificationError(
            f"the equation of {outcome!r} with copula terms has no solution: a term is a linear function of the "
            "predictors, as for a normal predictor",
            {"outcome": outcome},
        )
    _, key = seed_key(seed)
    plan = {"kind": "bootstrap", "key": key, "n": n, "first": 0}
    draws = np.full((n, len(labels)), np.nan)
    for number in range(n):
        weights = fit._system.engine.resample(np.nan_to_num(table.matrix), plan, number) * base
        values = once(weights)
        if values is not None:
            draws[number] = values
    lower, upper = intervals.limits(draws, estimate, level=level)
    error = intervals.spread(draws)
    t = estimate / error
    plain = [*(float(fit.paths["estimate"][name, outcome]) for name in predictors), *([np.nan] * len(chosen))]
    return pd.DataFrame(
        {
            "estimate": estimate,
            "without": plain,
            "std_error": error,
            "t": t,
            "p": intervals.p_values(t),
            "lower": lower,
            "upper": upper,
        },
        index=pd.Index(labels, name="term", dtype="object"),
    )
