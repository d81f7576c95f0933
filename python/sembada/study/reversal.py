"""How far the ranking of a single best estimate can be trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["kendall_tau", "same_top"]

Array = NDArray[np.float64]


def kendall_tau(point: Array, values: Array) -> Array:
    """Kendall's τ-b between the ranking of the point estimate and that of each draw.

    Parameters
    ----------
    point
        `(n_options,)`.
    values
        `(n_options, n_draws)`.

    Returns
    -------
    ndarray
        `(n_draws,)`, from −1 (reversed) to 1 (the same order); NaN where all options tie.

    Examples
    --------
    >>> kendall_tau(np.array([1.0, 2.0, 3.0]), np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]))
    array([ 1., -1.])
    """
    first, second = np.triu_indices(point.size, k=1)
    ours = np.sign(point[first] - point[second])[:, None]
    theirs = np.sign(values[first] - values[second])
    scale = np.sqrt((ours**2).sum(axis=0) * (theirs**2).sum(axis=0))
    tau: Array = np.divide((ours * theirs).sum(axis=0), scale, out=np.full(values.shape[1], np.nan), where=scale > 0)
    return tau


def same_top(point: Array, values: Array) -> float:
    """Share of draws in which the best option of the point estimate is the best.

    Examples
    --------
    >>> same_top(np.array([1.0, 2.0]), np.array([[1.0, 3.0], [2.0, 2.0]]))
    0.5
    """
    return float((values.argmax(axis=0) == int(point.argmax())).mean())
