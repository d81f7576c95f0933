"""What it would be worth to know more before choosing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["evpi", "evppi"]

Array = NDArray[np.float64]


def evpi(values: Array) -> Array:
    """Return the expected value of perfect information: `E[max_i v_i] − max_i E[v_i]` (Raiffa & Schlaifer 1961).

    Parameters
    ----------
    values
        `(…, n_options, n_draws)`, larger is better, finite.

    Returns
    -------
    ndarray
        `(…)`, never negative, in the unit of the values.

    Examples
    --------
    >>> float(evpi(np.array([[1.0, 0.0], [0.0, 1.0]])))
    0.5
    """
    gain: Array = values.max(axis=-2).mean(axis=-1) - values.mean(axis=-1).max(axis=-1)
    return np.maximum(gain, 0.0)


def _features(parameters: Array) -> Array:
    """One, the standardised parameters, their squares and products: `(n_draws, 1 + k + k(k+1)/2)`."""
    spread = parameters.std(axis=0)
    moving = spread > 0
    z = (parameters[:, moving] - parameters[:, moving].mean(axis=0)) / spread[moving]
    columns = [np.ones(len(z)), *z.T]
    columns += [z[:, i] * z[:, j] for i in range(z.shape[1]) for j in range(i + 1)]
    return np.column_stack(columns)


def evppi(values: Array, parameters: Array, *, ridge: float = 1e-3) -> float:
    """Estimate the expected value of partial perfect information: what knowing some parameters would be worth.

    The conditional expectation of each option's value given the parameters is fitted by ridge regression on a quadratic
    polynomial (Strong, Oakley & Brennan 2014, Medical Decision Making 34(3), with a polynomial for their splines);
    then `E[max_i fit_i] − max_i E[fit_i]`. The fit follows noise a little, so the number errs upwards: compare it with
    that of shuffled parameters.

    Parameters
    ----------
    values
        `(n_options, n_draws)`, larger is better, finite.
    parameters
        `(n_draws, k)`.
    ridge
        Penalty per draw on the coefficients.

    Returns
    -------
    float
        In the unit of the values; never negative.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(2000, 1))
    >>> values = np.stack([np.zeros(2000), x[:, 0]])  # knowing x is worth E[max(0, x)] = 1/√(2π) = 0.399
    >>> abs(evppi(values, x) - 0.399) < 0.05
    True
    """
    features = _features(np.asarray(parameters, dtype=float).reshape(values.shape[-1], -1))
    gram = features.T @ features + ridge * len(features) * np.eye(features.shape[1])
    fitted = (features @ np.linalg.solve(gram, features.T @ values.T)).T
    return max(0.0, float(fitted.max(axis=0).mean() - fitted.mean(axis=1).max()))
