"""How often an option ranks where, when the weights of the criteria are unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sembada.study.best import rank_within
from sembada.study.streams import WEIGHTS, stream

__all__ = ["acceptability", "spread", "utilities"]

Array = NDArray[np.float64]


def spread(values: Array) -> Array:
    """Return the mean distance of best and worst option within a draw: the unit that makes criteria comparable.

    Differences between options decide, not the levels that all options share on a draw; so the scale of a criterion is
    what a choice can move, on average.

    Parameters
    ----------
    values
        `(n_criteria, n_options, n_draws)`.
    """
    width: Array = (values.max(axis=1) - values.min(axis=1)).mean(axis=-1)
    unit: Array = np.where(width > 0, width, 1.0)
    return unit


def utilities(values: Array, weights: Array) -> Array:
    """Weighted sum of the criteria in units of `spread`: `(n_options, n_draws)`.

    Parameters
    ----------
    values
        `(n_criteria, n_options, n_draws)`, larger is better.
    weights
        `(n_criteria, n_draws)` or `(n_criteria, 1)`.
    """
    scaled = values / spread(values)[:, None, None]
    total: Array = np.einsum("kd,ksd->sd", np.broadcast_to(weights, (values.shape[0], values.shape[2])), scaled)
    return total


def acceptability(values: Array, *, seed: int = 0, repeats: int = 8) -> Array:
    """Rank acceptability: the probability of each rank over draws and unknown weights (SMAA-2).

    Weights are uniform over the simplex, drawn anew for each draw; ranks are those of `utilities`
    (Lahdelma & Salminen 2001, Operations Research 49(3)).

    Parameters
    ----------
    values
        `(n_criteria, n_options, n_draws)`, larger is better, finite.
    seed
        Seed of the weights.
    repeats
        Weight vectors for each draw.

    Returns
    -------
    ndarray
        `(n_options, n_options)`: option × rank, rows and columns sum to one. Ties split between the ranks that they
        share.

    Examples
    --------
    >>> acceptability(np.array([[[2.0, 2.0], [1.0, 1.0]]]))  # one criterion: the first option always wins
    array([[1., 0.],
           [0., 1.]])
    """
    n_criteria, n_options, n_draws = values.shape
    rng = stream(seed, WEIGHTS)
    table = np.zeros((n_options, n_options))
    for _ in range(repeats):
        weights = rng.dirichlet(np.ones(n_criteria), size=n_draws).T
        ranks = rank_within(utilities(values, weights))
        # A tie of m options at mean rank r covers the ranks r−(m−1)/2 … r+(m−1)/2 evenly.
        for option in range(n_options):
            tied = (ranks == ranks[option]).sum(axis=0)
            first = np.rint(ranks[option] - (tied - 1) / 2.0).astype(int) - 1
            for place in range(n_options):
                table[option, place] += ((place >= first) & (place < first + tied)).astype(float) @ (1.0 / tied)
    shares: Array = table / (repeats * n_draws)
    return shares
