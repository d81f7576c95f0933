"""What it costs to have chosen another option than the best one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["regret"]


def regret(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Regret of each option in each draw: the best value of the draw less its own (Savage 1951, JASA 46(253)).

    Parameters
    ----------
    values
        `(…, n_options, n_draws)`, larger is better, finite.

    Returns
    -------
    ndarray
        The shape of `values`, never negative; zero for the best option.

    Examples
    --------
    >>> regret(np.array([[1.0, 5.0], [2.0, 1.0]]))
    array([[1., 0.],
           [0., 4.]])
    """
    losses: NDArray[np.float64] = values.max(axis=-2, keepdims=True) - values
    return losses
