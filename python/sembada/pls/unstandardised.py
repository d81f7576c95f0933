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
from numpy.typing import NDArray

from sembada.errors import SembadaWarning, SpecificationError, unknown_name

if TYPE_CHECKING:
    from sembada.pls.engine import System
    from sembada.pls.fit import Fit
    from sembada.pls.specification import Specification

__all__ = ["coefficients", "ends", "original_scores", "rescale", "scales", "scores_scale", "slopes"]

Array = NDArray[np.float64]


def ends(fit: Fit, limits: Any) -> dict[str, tuple[float, float]]:
    """Return the ends of the answer scale of each indicator, given or found in the data."""
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


def rescale(
    mean: Mapping[str, Array], sd: Mapping[str, Array], limits: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[Array, Array]]:
    """Return mean and standard deviation of each indicator, from 0 to 100 where limits are given."""
    result: dict[str, tuple[Array, Array]] = {}
    for name in mean:
        if name in limits:
            low, high = limits[name]
            result[name] = 100.0 * (mean[name] - low) / (high - low), 100.0 * sd[name] / (high - low)
        else:
            result[name] = mean[name], sd[name]
    return result


def scores_scale(
    system: System, weights: Mapping[tuple[str, ...], Array], items: Mapping[str, tuple[Array, Array]]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return mean and standard deviation of the scores in original units, for many estimations at once.

    Parameters
    ----------
    system
        The model.
    weights
        Outer weights `(n,)` by construct and indicator.
    items
        Mean and standard deviation `(n,)` of each indicator.

    Returns
    -------
    tuple of dict
        Means and standard deviations `(n,)` by construct; NaN where the weights add up to nothing or less.
    """
    spec = system.specification
    center: dict[str, Array] = {}
    spread: dict[str, Array] = {}
    for name in [node for node in system.nodes if node not in spec.terms]:
        own = {label[1]: weight for label, weight in weights.items() if label[0] == name}
        nested = name in spec.higher_order
        parts = [
            (weight, *((center[item], spread[item]) if nested and item in center else items[item]))
            for item, weight in own.items()
            if (nested and item in center) or item in items
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.sum([weight / sd for weight, _, sd in parts], axis=0)
            size = np.sum([np.abs(weight / sd) for weight, _, sd in parts], axis=0)
            total = np.where(total > 1e-12 * size, total, np.nan)
            center[name] = np.sum([weight / sd * mean for weight, mean, sd in parts], axis=0) / total
            spread[name] = 1.0 / total
    return center, spread


def slopes(
    spec: Specification,
    paths: Mapping[tuple[str, ...], Array],
    mean: Mapping[str, Array],
    sd: Mapping[str, Array],
) -> tuple[dict[tuple[str, str], Array], dict[str, Array]]:
    """Return coefficients by predictor and outcome, and intercepts by outcome; NaN in equations with an interaction."""
    coefficient: dict[tuple[str, str], Array] = {}
    intercept: dict[str, Array] = {}
    for outcome in spec.outcomes:
        names = spec.predictors(outcome)
        if any(":" in name for name in names):
            missing = np.full(np.shape(sd[outcome]), np.nan)
            coefficient |= {(name, outcome): missing for name in names}
            intercept[outcome] = missing
            continue
        coefficient |= {(name, outcome): paths[name, outcome] * sd[outcome] / sd[name] for name in names}
        intercept[outcome] = mean[outcome] - np.sum([coefficient[name, outcome] * mean[name] for name in names], axis=0)
    return coefficient, intercept


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
    limits = ends(fit, limits) if rescaled else {}
    columns = fit.model.columns
    means = np.asarray(fit._result["means"], dtype=float)
    sds = np.asarray(fit._result["sds"], dtype=float)
    items = rescale(
        {name: means[[k]] for k, name in enumerate(columns)}, {name: sds[[k]] for k, name in enumerate(columns)}, limits
    )
    weights: dict[tuple[str, ...], Array] = {
        label: np.array([weight])
        for label, weight in zip(fit._layouts["weights"].labels, fit._values("weights").tolist(), strict=True)
    }
    center, spread = scores_scale(fit._system, weights, items)
    order = list(fit.model.specification.measured)
    bad = [name for name in order if np.isnan(spread[name]).any()]
    if bad:
        warnings.warn(
            f"the weights of {', '.join(bad)} add up to nothing or less, so there is no score in original units: "
            "reverse the negative indicators, or turn the construct with dominant=",
            SembadaWarning,
            stacklevel=4,
        )
    index = pd.Index(order, name="construct", dtype="object")
    return pd.DataFrame(
        {"mean": [center[name][0] for name in order], "sd": [spread[name][0] for name in order]}, index=index
    )


def original_scores(fit: Fit, *, rescaled: bool, limits: Any) -> pd.DataFrame:
    """Return construct scores in original units, or from 0 to 100; see `Fit.scores`."""
    table = scales(fit, rescaled=rescaled, limits=limits)
    scores = fit.scores()[list(table.index)]
    return scores * table["sd"] + table["mean"]


def coefficients(fit: Fit, *, rescaled: bool, limits: Any) -> pd.DataFrame:
    """Return path coefficients in original units; see `Fit.unstandardised`."""
    table = scales(fit, rescaled=rescaled, limits=limits)
    estimates = fit.paths["estimate"]
    found, intercepts = slopes(
        fit.model.specification,
        {pair: np.array([estimates[pair]]) for pair in fit.model.paths},
        {str(name): np.array([value]) for name, value in table["mean"].items()},
        {str(name): np.array([value]) for name, value in table["sd"].items()},
    )
    return pd.DataFrame(
        {
            "estimate": [found[pair][0] for pair in fit.model.paths],
            "intercept": [intercepts[outcome][0] for _, outcome in fit.model.paths],
        },
        index=fit._layouts["paths"].index
        if not fit.model.paths
        else pd.MultiIndex.from_tuples(fit.model.paths, names=["predictor", "outcome"]),
    )
