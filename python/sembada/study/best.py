"""Which option is best, and how sure that is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected_rank", "monte_carlo_error", "p_beats", "p_best", "rank_within"]

Array = NDArray[np.float64]


def p_best(values: Array) -> Array:
    """Probability that each option is the best one.

    Parameters
    ----------
    values
        `(…, n_options, n_draws)`, larger is better, finite. Draws are common to all options.

    Returns
    -------
    ndarray
        `(…, n_options)`; sums to one over the options. Exact ties share a draw equally.

    Examples
    --------
    >>> p_best(np.array([[1.0, 5.0, 2.0, 1.0], [2.0, 1.0, 2.0, 0.0]]))
    array([0.625, 0.375])
    """
    top = values == values.max(axis=-2, keepdims=True)
    shares: Array = (top / top.sum(axis=-2, keepdims=True)).mean(axis=-1)
    return shares


def monte_carlo_error(p: Array, n: int) -> Array:
    """Return the standard error of a probability estimated from `n` independent draws: √(p(1−p)/n).

    Examples
    --------
    >>> float(monte_carlo_error(np.array(0.5), 100))
    0.05
    """
    error: Array = np.sqrt(np.clip(p * (1.0 - p), 0.0, None) / n)
    return error


def p_beats(values: Array, reference: int) -> Array:
    """Probability that each option is better than the `reference` option on the same draw: `(…, n_options)`.

    Examples
    --------
    >>> p_beats(np.array([[1.0, 1.0], [2.0, 0.0]]), 0)
    array([0. , 0.5])
    """
    share: Array = (values > values[..., reference : reference + 1, :]).mean(axis=-1)
    return share


def rank_within(values: Array) -> Array:
    """Rank of each option within each draw, one for the best, ties at their mean: the shape of `values`.

    Examples
    --------
    >>> rank_within(np.array([[3.0], [1.0], [3.0]])).ravel()
    array([1.5, 3. , 1.5])
    """
    better = (values[..., None, :, :] > values[..., :, None, :]).sum(axis=-2)
    equal = (values[..., None, :, :] == values[..., :, None, :]).sum(axis=-2)
    ranks: Array = better + (equal + 1) / 2.0
    return ranks


def expected_rank(values: Array) -> Array:
    """Mean rank of each option over the draws: `(…, n_options)`."""
    mean: Array = rank_within(values).mean(axis=-1)
    return mean
