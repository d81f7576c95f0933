"""Scores and coefficients in the units of the answers, and on a scale from 0 to 100.

A construct's score in original units is the mean of its indicators, each weighted by its outer weight over its
standard deviation (Fornell, Johnson, Anderson, Cha & Bryant 1996; Ringle & Sarstedt 2016). It is the standardised
score times a number plus a number, so coefficients follow without a second estimation.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sembada.errors import SembadaWarning, SpecificationError, unknown_name

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["coefficients", "original_scores", "scales"]


def _limits(fit: Fit, limits: Any) -> dict[str, tuple[float, float]]:
    columns = fit.model.columns
    if isinstance(limits, Mapping):
        for name in limits:
            if name not in columns:
                raise unknown_name("indicator", name, columns, where="limits=")
    result: dict[str, tuple[float, float]] = {}
    for position, name in enumerate(columns):
        given = limits.get(name) if isinstance(limits, Mapping) else limits
        answers = fit._table.column(position)
        low, high = (np.nanmin(answers), np.nanmax(answers)) if given is None else given
        if not low < high:
            raise SpecificationError(
                f"the answer scale of {name!r} runs from {low} to {high}: expected the low end below the high end",
                {"indicator": name, "limits": (low, high)},
            )
        result[name] = (float(low), float(high))
    return result


def scales(fit: Fit, *, rescaled: bool = False, limits: Any = None) -> pd.DataFrame:
    """Return the mean and the standard deviation of each construct's score in original units.

    Parameters
    ----------
    fit
        The fit.
    rescaled
        Whether each indicator is first put on a scale from 0 to 100.
    limits
        Ends of the answer scales, for `rescaled`; see `Fit.scores`.

    Returns
    -------
    DataFrame
        Index `construct`; columns `mean, sd`. NaN for a construct whose weights add up to nothing or less, which has
        no score in original units; a warning names it.
    """
    ends = _limits(fit, limits) if rescaled else {}
    spec = fit.model.specification
    center: dict[str, float] = {}
    spread: dict[str, float] = {}
    means = np.asarray(fit._result["means"], dtype=float)
    sds = np.asarray(fit._result["sds"], dtype=float)
    items: dict[str, tuple[float, float]] = {}
    for position, name in enumerate(fit.model.columns):
        mean, sd = float(means[position]), float(sds[position])
        if rescaled:
            low, high = ends[name]
            mean, sd = 100.0 * (mean - low) / (high - low), 100.0 * sd / (high - low)
        items[name] = (mean, sd)
    weights = fit.outer["weight"]
    bad: list[str] = []
    for name in [node for node in fit._system.nodes if node not in spec.terms]:
        own = weights.xs(name, level="construct")
        nested = name in spec.higher_order
        parts = [
            (float(weight), *((center[item], spread[item]) if nested and item in center else items[item]))
            for item, weight in own.items()
            if (nested and item in center) or item in items
        ]
        total = sum(weight / sd for weight, _, sd in parts)
        if not total > 1e-12 * sum(abs(weight / sd) for weight, _, sd in parts):
            bad.append(name)
            center[name] = spread[name] = float("nan")
            continue
        center[name] = sum(weight / sd * mean for weight, mean, sd in parts) / total
        spread[name] = 1.0 / total
    if bad:
        warnings.warn(
            f"the weights of {', '.join(bad)} add up to nothing or less, so there is no score in original units: "
            "reverse the negative indicators, or turn the construct with dominant=",
            SembadaWarning,
            stacklevel=4,
        )
    order = list(spec.measured)
    index = pd.Index(order, name="construct", dtype="object")
    return pd.DataFrame({"mean": [center[name] for name in order], "sd": [spread[name] for name in order]}, index=index)


def original_scores(fit: Fit, *, rescaled: bool, limits: Any) -> pd.DataFrame:
    """Return construct scores in original units, or from 0 to 100; see `Fit.scores`."""
    table = scales(fit, rescaled=rescaled, limits=limits)
    scores = fit.scores()[list(table.index)]
    return scores * table["sd"] + table["mean"]


def coefficients(fit: Fit, *, rescaled: bool, limits: Any) -> pd.DataFrame:
    """Return path coefficients in original units; see `Fit.unstandardised`."""
    table = scales(fit, rescaled=rescaled, limits=limits)
    spec = fit.model.specification
    estimates = fit.paths["estimate"]
    standard = {pair: float(estimates[pair]) for pair in fit.model.paths}
    mean = dict(zip(table.index, table["mean"].tolist(), strict=True))
    sd = dict(zip(table.index, table["sd"].tolist(), strict=True))
    slopes: dict[tuple[str, str], float] = {}
    intercepts: dict[str, float] = {}
    for outcome in spec.outcomes:
        names = spec.predictors(outcome)
        if any(":" in name for name in names):
            slopes |= {(name, outcome): float("nan") for name in names}
            intercepts[outcome] = float("nan")
            continue
        slopes |= {(name, outcome): standard[name, outcome] * sd[outcome] / sd[name] for name in names}
        intercepts[outcome] = mean[outcome] - sum(slopes[name, outcome] * mean[name] for name in names)
    return pd.DataFrame(
        {
            "estimate": [slopes[pair] for pair in fit.model.paths],
            "intercept": [intercepts[outcome] for _, outcome in fit.model.paths],
        },
        index=pd.MultiIndex.from_tuples(fit.model.paths, names=["predictor", "outcome"]),
    )
