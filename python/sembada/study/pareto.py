"""Options that no other option beats on every criterion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["front", "non_dominated"]


def non_dominated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether an option is on the Pareto front of its draw.

    An option is dominated if another one is at least as good on every criterion and better on one.

    Parameters
    ----------
    values
        `(n_criteria, n_options, n_draws)`, larger is better, finite.

    Returns
    -------
    ndarray of bool
        `(n_options, n_draws)`.

    Examples
    --------
    >>> non_dominated(np.array([[[1.0], [2.0], [0.5]], [[2.0], [1.0], [0.5]]])).ravel()
    array([ True,  True, False])
    """
    n_options = values.shape[1]
    dominated = np.zeros(values.shape[1:], dtype=bool)
    for i in range(n_options):
        for j in range(n_options):
            if i != j:
                dominated[i] |= (values[:, j] >= values[:, i]).all(axis=0) & (values[:, j] > values[:, i]).any(axis=0)
    return ~dominated


def front(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each point `(n_criteria, n_options)` is on the Pareto front."""
    on_front: NDArray[np.bool_] = non_dominated(points[..., None])[:, 0]
    return on_front
