"""Optimal scaling: numbers for the categories of ordinal and nominal indicators (non-metric PLS).

Each category gets the value that correlates best with the inner proxy of its construct: its mean of the proxy if the
column is nominal, the monotone regression of these means if it is ordinal. Quantification and estimation alternate
until neither moves; the fixed point is that of Russolillo (2012), Electron. J. Stat. 6, 1641–1669, where one pass of
each is taken at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sembada.errors import ConvergenceError, UnsupportedError
from sembada.pls.specification import Specification

__all__ = ["SCALES", "check", "monotone", "quantify"]

Array = NDArray[np.float64]
SCALES = ("numeric", "ordinal", "nominal")
#: The categories have settled when no standardised value moves by more than this.
SETTLED = 1e-10
PASSES = 1_000


def check(specification: Specification) -> None:
    """Raise if a model has parts for which optimal scaling is not defined."""
    if specification.higher_order or specification.terms:
        part = (*specification.higher_order, *specification.terms)[0]
        raise UnsupportedError(
            f"optimal scaling is defined for plain constructs, not for {part!r}: scale the indicators in a model "
            "without it first, or use correlation='polychoric'",
            {"construct": part},
        )


def monotone(values: Array, weights: Array) -> Array:
    """Return the monotone regression of a sequence: the closest one that never falls.

    Parameters
    ----------
    values
        The sequence.
    weights
        Weights, above zero.

    Returns
    -------
    ndarray
        The regression, by pooling adjacent violators (Barlow et al. 1972).

    Examples
    --------
    >>> monotone(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    means: list[float] = []
    sizes: list[float] = []
    counts: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        means.append(value)
        sizes.append(weight)
        counts.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            size = sizes[-2] + sizes[-1]
            means[-2:] = [(means[-2] * sizes[-2] + means[-1] * sizes[-1]) / size]
            sizes[-2:] = [size]
            counts[-2:] = [counts[-2] + counts[-1]]
    return np.repeat(means, counts)


def _standardised(column: Array, weights: Array) -> Array:
    total = weights.sum()
    deviation = column - weights @ column / total
    spread = np.sqrt(weights @ deviation**2 / (total - 1.0))
    return np.asarray(deviation / spread if spread > 0 else deviation)


def _scaled(codes: NDArray[np.int64], count: int, proxy: Array, weights: Array, kind: str) -> Array:
    """Return the values of one column, standardised."""
    size: Array = np.bincount(codes, weights=weights, minlength=count).astype(np.float64)
    mean = np.bincount(codes, weights=weights * proxy, minlength=count) / np.where(size > 0, size, 1.0)
    if kind == "ordinal":
        used = size > 0
        rising, falling = mean.copy(), mean.copy()
        rising[used] = monotone(mean[used], size[used])
        falling[used] = -monotone(-mean[used], size[used])
        # Of the two monotone regressions the one that keeps more of the variance correlates better.
        overall = size @ mean / size.sum()
        mean = rising if size @ (rising - overall) ** 2 >= size @ (falling - overall) ** 2 else falling
    return _standardised(mean[codes], weights)


def _proxies(specification: Specification, scores: Array, weights: Array, scheme: str) -> dict[str, Array]:
    """Inner proxies of all constructs from their scores."""
    names = list(specification.measured)
    place = {name: position for position, name in enumerate(names)}
    total = weights.sum()
    centred = scores - weights @ scores / total
    correlations = (centred * weights[:, None]).T @ centred / (total - 1.0)
    inner = np.zeros_like(correlations)
    pairs = [(place[path.predictor], place[path.outcome]) for path in specification.paths]
    pairs += [(place[left], place[right]) for left, right in specification.correlations]
    for j in range(len(names)):
        before = [a for a, b in pairs if b == j]
        after = [b for a, b in pairs if a == j]
        if scheme == "path" and specification.paths and specification.is_recursive:
            if before:
                inner[before, j] = np.linalg.lstsq(
                    correlations[np.ix_(before, before)], correlations[before, j], rcond=None
                )[0]
            inner[after, j] = correlations[after, j]
        else:
            both = before + after
            inner[both, j] = np.sign(correlations[both, j]) if scheme == "centroid" else correlations[both, j]
    moved = centred @ inner
    return {name: moved[:, place[name]] for name in names}


def quantify(
    specification: Specification,
    values: Array,
    kinds: tuple[str, ...],
    weights: Array,
    scheme: str,
    scores_of: Callable[[Array], Array],
) -> Array:
    """Replace the categories of ordinal and nominal columns by their best values.

    Parameters
    ----------
    specification
        The model.
    values
        Matrix `(n_obs, n_columns)` without missing values.
    kinds
        `"numeric"`, `"ordinal"` or `"nominal"` for each column.
    weights
        Row weights `(n_obs,)`.
    scheme
        Inner weighting scheme.
    scores_of
        Estimates the model on a matrix and returns its scores, columns in the order of the constructs.

    Returns
    -------
    ndarray
        The matrix with standardised category values in the ordinal and nominal columns.

    Raises
    ------
    ConvergenceError
        If the values have not settled after 1,000 rounds.
    """
    owner: dict[int, str] = {}
    columns = list(specification.columns)
    for item in specification.blocks:
        for indicator in item.indicators:
            position = columns.index(indicator)
            if kinds[position] != "numeric":
                if position in owner:
                    raise UnsupportedError(
                        f"column {indicator!r} measures {owner[position]!r} and {item.construct!r}: its categories "
                        "cannot be scaled for both",
                        {"column": indicator},
                    )
                owner[position] = item.construct
    current = values.copy()
    codes: dict[int, NDArray[np.int64]] = {}
    for position in owner:
        codes[position] = np.unique(values[:, position], return_inverse=True)[1]
        current[:, position] = _standardised(codes[position].astype(float), weights)
    for _ in range(PASSES):
        scores = scores_of(current)
        if not np.isfinite(scores).all():
            return current  # The engine's status says why.
        proxies = _proxies(specification, scores, weights, scheme)
        change = 0.0
        for position, construct in owner.items():
            count = int(codes[position].max()) + 1
            new = _scaled(codes[position], count, proxies[construct], weights, kinds[position])
            used = weights > 0
            change = max(change, float(np.abs(new - current[:, position])[used].max()))
            current[:, position] = new
        if change < SETTLED:
            return current
    raise ConvergenceError(
        f"the values of the categories had not settled after {PASSES} rounds: merge categories with few answers",
        {"passes": PASSES},
    )
