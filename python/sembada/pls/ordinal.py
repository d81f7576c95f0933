"""Correlations of ordinal answers: which columns are ordinal, and the polychoric correlations of a table.

Ordinal PLS puts the polychoric correlation matrix in place of Pearson's (Cantaluppi 2012; Schuberth, Henseler &
Dijkstra 2018, Qual. Quant. 52, 9–35). Both steps of Olsson (1979), Psychometrika 44, 443–460: thresholds from the
margins, then each correlation by maximum likelihood; polyserial after Olsson, Drasgow & Dorans (1982). The numbers are
the engine's, which takes them anew inside every replicate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sembada import _core
from sembada.errors import DataError

__all__ = ["is_ordinal", "polychoric"]

Array = NDArray[np.float64]
#: A column with more answers than this is continuous unless it is named.
CATEGORIES = 10


def is_ordinal(values: Array) -> NDArray[np.bool_]:
    """Return which columns hold whole numbers with at most ten different answers."""
    result = np.zeros(values.shape[1], dtype=bool)
    for k, column in enumerate(values.T):
        answers = np.unique(column[~np.isnan(column)])
        result[k] = 1 < answers.size <= CATEGORIES and bool((answers == np.rint(answers)).all())
    return result


def polychoric(
    values: Array, columns: Sequence[str], ordinal: NDArray[np.bool_] | None = None, weights: Array | None = None
) -> Array:
    """Return the correlations of the normal variables behind ordinal answers.

    Parameters
    ----------
    values
        Matrix `(n_obs, n_columns)` without missing values.
    columns
        Names of the columns, for messages.
    ordinal
        Which columns are ordinal; by default those with at most ten whole numbers. Pairs of ordinal columns get a
        polychoric, mixed pairs a polyserial, other pairs Pearson's correlation.
    weights
        Row weights `(n_obs,)`.

    Returns
    -------
    ndarray
        Correlations `(n_columns, n_columns)`. Negative eigenvalues, which pairwise estimation can leave, are raised
        to 1e-6 and the diagonal is set to one again.

    Raises
    ------
    DataError
        If a column has one answer only.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=2000)
    >>> answers = np.digitize(x, [-1.0, 0.0, 1.0]).astype(float)
    >>> float(polychoric(answers, ["a", "b"])[0, 1].round(1))
    0.6
    """
    kinds = is_ordinal(values) if ordinal is None else ordinal
    found = _core.pls_polychoric(
        np.ascontiguousarray(values, dtype=np.float64),
        [bool(kind) for kind in kinds],
        None if weights is None else np.ascontiguousarray(weights, dtype=np.float64),
    )
    if isinstance(found, int):
        raise DataError(
            f"column {columns[found]!r} has no variance: every answer is the same", {"column": columns[found]}
        )
    return found
