"""Correlations of ordinal answers: polychoric, polyserial, and Spearman's.

Ordinal PLS puts the polychoric correlation matrix in place of Pearson's (Cantaluppi 2012; Schuberth, Henseler &
Dijkstra 2018, Qual. Quant. 52, 9–35). Both steps of Olsson (1979), Psychometrika 44, 443–460: thresholds from the
margins, then each correlation by maximum likelihood; polyserial after Olsson, Drasgow & Dorans (1982).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sembada.errors import DataError

__all__ = ["polychoric", "spearman"]

Array = NDArray[np.float64]
#: A correlation of one has no likelihood.
LARGEST = 0.9995
#: A column with more answers than this is continuous unless it is named.
CATEGORIES = 10
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


def _normal_cdf(h: Array, k: Array, rho: Array) -> Array:
    """Bivariate normal distribution function (Plackett 1954): Φ(h)Φ(k) + ∫₀^asin ρ exp(…) dθ / 2π."""
    angle = np.arcsin(rho)
    h_, k_ = np.clip(h, -9.0, 9.0), np.clip(k, -9.0, 9.0)
    total = np.zeros(np.broadcast_shapes(h.shape, k.shape, rho.shape))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        theta = 0.5 * angle * (node + 1.0)
        sine, square = np.sin(theta), np.cos(theta) ** 2
        total += weight * np.exp(-(h_ * h_ + k_ * k_ - 2.0 * h_ * k_ * sine) / (2.0 * square))
    return np.asarray(ndtr(h_) * ndtr(k_) + total * 0.5 * angle / (2.0 * np.pi))


def _normal_pdf(h: Array, k: Array, rho: Array) -> Array:
    square = 1.0 - rho * rho
    # Beyond nine standard deviations the density is nothing; the clip keeps infinite thresholds out.
    h_, k_ = np.clip(h, -9.0, 9.0), np.clip(k, -9.0, 9.0)
    inner = (h_ * h_ + k_ * k_ - 2.0 * rho * h_ * k_) / (2.0 * square)
    value = np.exp(-inner) / (2.0 * np.pi * np.sqrt(square))
    return np.asarray(np.where(np.isfinite(h) & np.isfinite(k), value, 0.0))


def _corners(table: Array) -> Array:
    return np.asarray(table[..., 1:, 1:] - table[..., :-1, 1:] - table[..., 1:, :-1] + table[..., :-1, :-1])


def _thresholds(codes: NDArray[np.int64], count: int, weights: Array) -> Array:
    share = np.bincount(codes, weights=weights, minlength=count) / weights.sum()
    cut = np.clip(np.cumsum(share)[:-1], 0.0, 1.0)
    return np.concatenate([[-np.inf], ndtri(cut), [np.inf]])


def _fit(start: Array, derivatives: Callable[[Array], tuple[Array, Array]]) -> Array:
    """Fisher scoring on many correlations at once; steps are halved to stay inside."""
    rho = np.clip(start, -0.95, 0.95)
    for _ in range(60):
        score, information = derivatives(rho)
        step = np.clip(score / np.maximum(information, 1e-300), -0.5, 0.5)
        new = np.clip(rho + step, (rho - LARGEST) / 2.0, (rho + LARGEST) / 2.0)
        change = float(np.abs(new - rho).max(initial=0.0))
        rho = new
        if change < 1e-10:
            break
    return rho


def _both_ordinal(tables: Array, rows: Array, columns: Array, start: Array) -> Array:
    """Polychoric correlations of many pairs: counts `(pairs, r, c)`, thresholds `(pairs, r + 1)`, `(pairs, c + 1)`."""
    h = rows[:, :, None]
    k = columns[:, None, :]

    def derivatives(rho: Array) -> tuple[Array, Array]:
        r = rho[:, None, None]
        probability = np.maximum(_corners(_normal_cdf(h, k, r)), 1e-12)
        slope = _corners(_normal_pdf(h, k, r))
        n = tables.sum(axis=(1, 2))
        return (tables * slope / probability).sum(axis=(1, 2)), n * (slope**2 / probability).sum(axis=(1, 2))

    return _fit(start, derivatives)


def _one_ordinal(x: Array, codes: NDArray[np.int64], cuts: Array, weights: Array, start: float) -> float:
    """Polyserial correlation of a standardised column and an ordinal one."""

    def derivatives(rho: Array) -> tuple[Array, Array]:
        r = float(rho[0])
        root = np.sqrt(1.0 - r * r)
        high = (cuts[codes + 1] - r * x) / root
        low = (cuts[codes] - r * x) / root
        probability = np.maximum(ndtr(high) - ndtr(low), 1e-12)

        def part(limit: Array, cut: Array) -> Array:
            density = np.exp(-0.5 * np.minimum(limit * limit, 700.0)) / np.sqrt(2.0 * np.pi)
            return np.where(np.isfinite(cut), density * (np.where(np.isfinite(cut), cut, 0.0) * r - x), 0.0)

        slope = (part(high, cuts[codes + 1]) - part(low, cuts[codes])) / root**3 / probability
        return np.array([(weights * slope).sum()]), np.array([(weights * slope**2).sum()])

    return float(_fit(np.array([start]), derivatives)[0])


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
    w = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    used = w > 0
    values, w = values[used], w[used]
    kinds = is_ordinal(values) if ordinal is None else ordinal
    total = w.sum()
    deviation = values - w @ values / total
    spread = np.sqrt(w @ deviation**2 / total)
    flat = np.flatnonzero(spread <= 0)
    if flat.size:
        raise DataError(
            f"column {columns[flat[0]]!r} has no variance: every answer is the same", {"column": columns[flat[0]]}
        )
    z = deviation / spread
    result = (z * w[:, None]).T @ z / total
    codes: dict[int, NDArray[np.int64]] = {}
    cuts: dict[int, Array] = {}
    for k in np.flatnonzero(kinds).tolist():
        answers, codes[k] = np.unique(values[:, k], return_inverse=True)
        cuts[k] = _thresholds(codes[k], answers.size, w)
    names = sorted(codes)
    shapes: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for i, a in enumerate(names):
        for b in names[:i]:
            shapes.setdefault((cuts[a].size, cuts[b].size), []).append((a, b))
    for (rows, cols), pairs in shapes.items():
        tables = np.array(
            [
                np.bincount(codes[a] * (cols - 1) + codes[b], weights=w, minlength=(rows - 1) * (cols - 1)).reshape(
                    rows - 1, cols - 1
                )
                for a, b in pairs
            ]
        )
        start = np.array([result[a, b] for a, b in pairs])
        left, right = np.array([cuts[a] for a, _ in pairs]), np.array([cuts[b] for _, b in pairs])
        for (a, b), rho in zip(pairs, _both_ordinal(tables, left, right, start), strict=True):
            result[a, b] = result[b, a] = rho
    for a in names:
        for b in np.flatnonzero(~kinds).tolist():
            rho = _one_ordinal(z[:, b], codes[a], cuts[a], w, float(result[a, b]))
            result[a, b] = result[b, a] = rho
    size, vectors = np.linalg.eigh(result)
    if size[0] < 1e-6:
        result = (vectors * np.maximum(size, 1e-6)) @ vectors.T
        scale = np.sqrt(np.diag(result))
        result = result / np.outer(scale, scale)
    np.fill_diagonal(result, 1.0)
    return np.asarray(result, dtype=np.float64)


def spearman(values: Array, weights: Array | None = None) -> Array:
    """Return the ranks of each column; their Pearson correlations are Spearman's.

    Parameters
    ----------
    values
        Matrix `(n_obs, n_columns)` without missing values.
    weights
        Row weights `(n_obs,)`: a weight of 2 counts as two tied rows.

    Returns
    -------
    ndarray
        Mid-ranks `(n_obs, n_columns)`.

    Examples
    --------
    >>> spearman(np.array([[10.0], [30.0], [30.0], [20.0]])).ravel().tolist()
    [1.0, 3.5, 3.5, 2.0]
    """
    w = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    ranks = np.empty_like(values)
    for k, column in enumerate(values.T):
        _, codes = np.unique(column, return_inverse=True)
        count = np.bincount(codes, weights=w)
        ranks[:, k] = (np.cumsum(count) - 0.5 * count + 0.5)[codes]
    return ranks
