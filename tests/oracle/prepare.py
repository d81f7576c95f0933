"""The slow, obvious preparation of samples: whole rows, one sample at a time, in NumPy.

Written from the papers, for tests only. Dempster, Laird & Rubin (1977) and Little & Rubin (2019) for EM; Olkin &
Pukelsheim (1982) for the map that carries moments; Olsson (1979) and Olsson, Drasgow & Dorans (1982) for polychoric and
polyserial correlations; Plackett (1954) for the bivariate normal; Russolillo (2012) for optimal scaling.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

from sembada.pls.specification import Specification

Array = NDArray[np.float64]
SETTLED = 1e-9
PASSES = 2_000
LARGEST = 0.9995
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


def _patterns(missing: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Return the rows of each pattern of missing values."""
    patterns, group = np.unique(missing, axis=0, return_inverse=True)
    group = group.ravel()
    return [(np.flatnonzero(group == k), patterns[k]) for k in range(len(patterns))]


def _regressed(centred: Array, cov: Array, gap: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the conditional means of the missing columns given the others, and their conditional covariance."""
    have = ~gap
    slope = np.linalg.lstsq(cov[np.ix_(have, have)], cov[np.ix_(have, gap)], rcond=None)[0]
    rest = cov[np.ix_(gap, gap)] - cov[np.ix_(gap, have)] @ slope
    return centred[:, have] @ slope, rest


def expectation_maximisation(
    values: Array, weights: Array | None = None, start: tuple[Array, Array] | None = None
) -> tuple[Array, Array, Array]:
    """Means, covariances and completed data of normal data with missing values."""
    w = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    used = w > 0
    total = w.sum()
    missing = np.isnan(values)
    seen = np.where(missing, 0.0, values)
    count = (w[:, None] * ~missing).sum(axis=0)
    center = (w[:, None] * seen).sum(axis=0) / count
    scale = np.sqrt((w[:, None] * np.where(missing, 0.0, (values - center) ** 2)).sum(axis=0) / count)
    scale = np.where(scale > 0, scale, 1.0)
    z = np.where(missing, 0.0, (values - center) / scale)
    if start is None:
        mean, cov = np.zeros(z.shape[1]), (z * w[:, None]).T @ z / total
    else:
        mean, cov = (start[0] - center) / scale, start[1] / np.outer(scale, scale)
    patterns = [(rows[used[rows]], gap) for rows, gap in _patterns(missing)]
    patterns = [(rows, gap) for rows, gap in patterns if rows.size]
    for _ in range(PASSES):
        filled = z.copy()
        extra = np.zeros_like(cov)
        for rows, gap in patterns:
            if not gap.any():
                continue
            guess, rest = _regressed(z[rows] - mean, cov, gap)
            filled[np.ix_(rows, gap)] = mean[gap] + guess
            extra[np.ix_(gap, gap)] += w[rows].sum() * rest
        new_mean = w @ filled / total
        deviation = filled - new_mean
        new_cov = ((deviation * w[:, None]).T @ deviation + extra) / total
        change = max(np.abs(new_mean - mean).max(), np.abs(new_cov - cov).max())
        mean, cov = new_mean, new_cov
        if change < SETTLED:
            break
    else:
        raise AssertionError("EM had not settled")
    for rows, gap in _patterns(missing):
        if gap.any():
            z[np.ix_(rows, gap)] = mean[gap] + _regressed(z[rows] - mean, cov, gap)[0]
    completed = np.where(missing, z * scale + center, values)
    return mean * scale + center, cov * np.outer(scale, scale), completed


def _root(matrix: Array) -> tuple[Array, Array]:
    """Return the symmetric square root of a covariance matrix and its inverse."""
    size, vectors = np.linalg.eigh(matrix)
    size = np.maximum(size, 0.0)
    root = np.sqrt(size)
    inverse = np.where(root > 1e-8 * max(root.max(), 1e-300), 1.0 / np.where(root > 0, root, 1.0), 0.0)
    return (vectors * root) @ vectors.T, (vectors * inverse) @ vectors.T


def carry(centred: Array, share: Array, target: Array) -> Array:
    """Move rows so that their covariances become `target`, by the smallest linear map that does it."""
    have, back = _root((centred * share[:, None]).T @ centred)
    return np.asarray(centred @ (back @ _root(have @ target @ have)[0] @ back))


def complete(
    values: Array,
    method: str,
    weights: Array | None = None,
    start: tuple[Array, Array] | None = None,
) -> Array:
    """Complete data by regression, or so that they carry EM's moments."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    w = np.ones(len(values)) if weights is None else weights
    if method == "regression":
        rows = (~missing.any(axis=1)) & (w > 0)
        own = w[rows] / w[rows].sum()
        mean = own @ values[rows]
        deviation = values[rows] - mean
        cov = (deviation * own[:, None]).T @ deviation
        completed = values.copy()
        for members, gap in _patterns(missing):
            if gap.any():
                completed[np.ix_(members, gap)] = mean[gap] + _regressed(values[members] - mean, cov, gap)[0]
        return completed
    mean, cov, completed = expectation_maximisation(values, weights, start)
    share = w / w.sum()
    deviation = completed - share @ completed
    scale = np.sqrt(np.diag(cov))
    scale = np.where(scale > 0, scale, 1.0)
    z = deviation / scale
    return np.asarray(mean + carry(z, share, cov / np.outer(scale, scale)) * scale)


def bivariate(h: Array, k: Array, rho: Array) -> Array:
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
        probability = np.maximum(_corners(bivariate(h, k, r)), 1e-12)
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


def polychoric(values: Array, ordinal: NDArray[np.bool_], weights: Array | None = None) -> Array:
    """Polychoric, polyserial and Pearson correlations."""
    w = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    used = w > 0
    values, w = values[used], w[used]
    kinds = ordinal
    total = w.sum()
    deviation = values - w @ values / total
    spread = np.sqrt(w @ deviation**2 / total)
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
    """Mid-ranks of each column."""
    w = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    ranks = np.empty_like(values)
    for k, column in enumerate(values.T):
        _, codes = np.unique(column, return_inverse=True)
        count = np.bincount(codes, weights=w)
        ranks[:, k] = (np.cumsum(count) - 0.5 * count + 0.5)[codes]
    return ranks


def monotone(values: Array, weights: Array) -> Array:
    return isotonic_regression(values, weights=weights).x


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
    """Replace the categories of ordinal and nominal columns by their best values, row by row."""
    owner: dict[int, str] = {}
    columns = list(specification.columns)
    for item in specification.blocks:
        for indicator in item.indicators:
            position = columns.index(indicator)
            if kinds[position] != "numeric":
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
        if change < 1e-10:
            return current
    raise AssertionError("the values of the categories had not settled")
