"""Confidence intervals and p-values from bootstrap draws.

Sources: Efron (1987), JASA 82, 171–185 (BCa); Davison & Hinkley (1997), Bootstrap Methods, ch. 5 (basic,
studentized); Hyndman & Fan (1996), type 7 (quantiles).
"""

from __future__ import annotations

import warnings
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sembada.errors import SpecificationError
from sembada.pls.specification import choice

__all__ = ["Interval", "acceleration", "limits", "p_values"]

Interval: TypeAlias = Literal["percentile", "basic", "bc", "bca", "normal", "studentized"]
Array: TypeAlias = NDArray[np.float64]


def check(level: float, interval: str, tails: int) -> None:
    """Raise if the options of an interval are not known."""
    choice("interval", interval, get_args(Interval))
    check_level(level, tails)


def check_level(level: float, tails: int) -> None:
    """Raise if a level is none, or tails are not counted."""
    if not isinstance(level, (int, float)) or not 0 < level < 1:
        raise SpecificationError(f"level={level!r}: expected a number between 0 and 1, such as 0.95", {"level": level})
    if tails not in (1, 2):
        raise SpecificationError(f"tails={tails!r}: expected 1 or 2", {"tails": tails})


def acceleration(jackknife: Array) -> Array:
    """Return Efron's acceleration of each statistic.

    Parameters
    ----------
    jackknife
        Leave-one-out estimates `(n_obs, n_statistics)`.

    Returns
    -------
    ndarray
        `Σ d³ / (6 (Σ d²)^1.5)` with d the jackknife mean minus each estimate (Efron 1987, eq. 6.6); zero for a
        statistic that does not vary.
    """
    deviation = np.nanmean(jackknife, axis=0) - jackknife
    square = np.nansum(deviation**2, axis=0)
    # Rounding leaves a constant statistic with a spread of about 1e-16 of its size.
    constant = square <= len(jackknife) * (1e-13 * np.maximum(1.0, np.abs(np.nanmean(jackknife, axis=0)))) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.nansum(deviation**3, axis=0) / (6.0 * square**1.5)
    return np.where(constant, 0.0, value)


def _quantiles(draws: Array, probability: Array) -> Array:
    """Return the type-7 quantile of each column at its own probability, leaving NaN draws out."""
    result = np.full(draws.shape[1], np.nan)
    if draws.size and np.all(probability == probability.flat[0]) and not np.isnan(draws).any():
        return np.asarray(np.quantile(draws, float(probability.flat[0]), axis=0), dtype=np.float64)
    for column in range(draws.shape[1]):
        values = draws[:, column]
        values = values[~np.isnan(values)]
        if values.size and not np.isnan(probability[column]):
            result[column] = np.quantile(values, probability[column])
    return result


def limits(
    draws: Array,
    estimate: Array,
    *,
    level: float = 0.95,
    interval: str = "percentile",
    tails: int = 2,
    error: Array | None = None,
    jackknife: Array | None = None,
    errors: tuple[Array, Array] | None = None,
) -> tuple[Array, Array]:
    """Return lower and upper limits.

    Parameters
    ----------
    draws
        Replicates `(n, n_statistics)`; NaN rows are left out.
    estimate
        The estimates `(n_statistics,)`.
    level
        Confidence level.
    interval
        `"percentile"`, `"basic"` (2θ − quantile), `"bc"`, `"bca"`, `"normal"` (θ ± z·SE) or `"studentized"`.
    tails
        2: each limit leaves out `(1 − level)/2`. 1: each limit alone holds at `level`.
    error
        Standard errors of `"normal"`; the standard deviations of the draws if not given.
    jackknife
        Leave-one-out estimates, for `"bca"`.
    errors
        Standard errors of the estimate `(n_statistics,)` and of each draw `(n, n_statistics)`, for `"studentized"`.

    Returns
    -------
    tuple of ndarray
        The limits.

    Notes
    -----
    The bias correction counts draws below the estimate, ties half, so that a statistic that never varies keeps its
    value as both limits.
    """
    alpha = (1.0 - level) / tails
    low = np.full(estimate.shape, alpha)
    high = 1.0 - low
    if interval == "normal":
        width = -ndtri(alpha) * (spread(draws) if error is None else error)
        return estimate - width, estimate + width
    if interval == "studentized":
        if errors is None:
            raise SpecificationError("a studentized interval needs the standard error of each draw")
        own, each = errors
        with np.errstate(divide="ignore", invalid="ignore"):
            pivot = (draws - estimate) / each
        pivot = np.where(np.isfinite(pivot), pivot, np.nan)
        constant = own <= 1e-13 * np.maximum(1.0, np.abs(estimate))
        lower = estimate - _quantiles(pivot, high) * own
        upper = estimate - _quantiles(pivot, low) * own
        return np.where(constant, estimate, lower), np.where(constant, estimate, upper)
    if interval in {"bc", "bca"}:
        count = np.maximum((~np.isnan(draws)).sum(axis=0), 1)
        # A draw within rounding of the estimate is a tie: single-item loadings are 1 up to the last bit.
        near = np.abs(draws - estimate) <= 1e-13 * np.maximum(1.0, np.abs(estimate))
        below = ((draws < estimate) & ~near).sum(axis=0) + 0.5 * near.sum(axis=0)
        shift = ndtri(below / count)
        speed = acceleration(jackknife) if interval == "bca" and jackknife is not None else np.zeros(estimate.shape)
        with np.errstate(invalid="ignore"):
            lower_z, upper_z = shift + ndtri(low), shift + ndtri(high)
            low = ndtr(shift + lower_z / (1.0 - speed * lower_z))
            high = ndtr(shift + upper_z / (1.0 - speed * upper_z))
        # All draws on one side of the estimate: the correction is infinite and the limit is the outermost draw.
        low = np.where(np.isinf(shift), (shift > 0).astype(float), low)
        high = np.where(np.isinf(shift), (shift > 0).astype(float), high)
    lower, upper = _quantiles(draws, low), _quantiles(draws, high)
    if interval == "basic":
        return 2.0 * estimate - upper, 2.0 * estimate - lower
    return lower, upper


def spread(draws: Array) -> Array:
    """Return the standard deviation of the draws with denominator n − 1, without NaN rows."""
    count = (~np.isnan(draws)).sum(axis=0)
    with warnings.catch_warnings():
        # A column without draws has no spread; NaN says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.where(count > 1, np.nanstd(draws, axis=0, ddof=1), np.nan)


def p_values(t: Array, *, tails: int = 2) -> Array:
    """Return p-values of a t-statistic from the standard normal distribution.

    Parameters
    ----------
    t
        The estimate, less its value under the null hypothesis, over its bootstrap standard error.
    tails
        2, or 1 for the tail on the side of the estimate.
    """
    return np.asarray(tails * ndtr(-np.abs(t)), dtype=np.float64)
