"""The slow, obvious PLS path model: raw rows, one replicate at a time, every formula written out.

Written from the papers, for tests only; the engine works on moments, this on scores, so they share no step.
Sources: Wold (1982); Tenenhaus et al. (2005) for the iteration; Dijkstra & Henseler (2015) for rho_A and consistent
PLS; Henseler, Ringle & Sarstedt (2015) for HTMT; Roemer et al. (2021) for HTMT2; Cohen (1988) for f²;
Henseler & Chin (2010) for interactions; Sarstedt et al. (2019) for the two-stage higher-order approach.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Matrix = np.ndarray


def standardise(x: Matrix) -> Matrix:
    return (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)


def correlation(a: Matrix, b: Matrix) -> Matrix:
    """Correlations of the columns of two matrices of standardised columns."""
    return a.T @ b / (len(a) - 1)


@dataclass
class Result:
    names: list[str]
    blocks: dict[str, list[str]]
    modes: dict[str, str]
    paths: list[tuple[str, str]]
    items: dict[str, Matrix]
    weights: dict[str, Matrix]
    loadings: dict[str, Matrix]
    scores: dict[str, Matrix]
    iterations: int
    correlations: dict[tuple[str, str], float]
    coefficients: dict[tuple[str, str], float]
    r2: dict[str, float]
    rho_a: dict[str, float]
    scale: dict[str, float] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(next(iter(self.scores.values())))

    def antecedents(self, name: str) -> list[str]:
        return [source for source, target in self.paths if target == name]

    def r2_adjusted(self) -> dict[str, float]:
        return {
            name: 1 - (1 - value) * (self.n - 1) / (self.n - len(self.antecedents(name)) - 1)
            for name, value in self.r2.items()
        }

    def information(self) -> dict[str, tuple[float, float]]:
        result = {}
        for name, value in self.r2.items():
            predictors = len(self.antecedents(name))
            fit = self.n * np.log((1 - value) * (self.n - 1) / self.n)
            result[name] = (fit + 2 * (predictors + 1), fit + (predictors + 1) * np.log(self.n))
        return result

    def f2(self) -> dict[tuple[str, str], float]:
        result = {}
        for source, target in self.paths:
            rest = [name for name in self.antecedents(target) if name != source]
            without = _r2(self.correlations, rest, target)
            result[source, target] = (self.r2[target] - without) / (1 - self.r2[target])
        return result

    def vif(self) -> dict[tuple[str, str], float]:
        result = {}
        for source, target in self.paths:
            rest = [name for name in self.antecedents(target) if name != source]
            result[source, target] = 1 / (1 - _r2(self.correlations, rest, source))
        return result

    def vif_items(self) -> dict[tuple[str, str], float]:
        result = {}
        for name, block in self.blocks.items():
            x = self.items[name]
            for k, item in enumerate(block):
                rest = np.delete(x, k, axis=1)
                value = 1.0
                if rest.shape[1]:
                    fit = rest @ np.linalg.lstsq(rest, x[:, k], rcond=None)[0]
                    value = 1 / (1 - fit @ fit / (x[:, k] @ x[:, k]))
                result[name, item] = value
        return result

    def total(self) -> dict[tuple[str, str], float]:
        def walk(source: str, target: str) -> float:
            if source == target:
                return 1.0
            return sum(b * walk(end, target) for (start, end), b in self.coefficients.items() if start == source)

        return {
            (source, target): walk(source, target) for source in self.names for target in self.names if source != target
        }

    def cross_loadings(self) -> dict[tuple[str, str], float]:
        return {
            (item, other): float(self.items[name][:, k] @ standardise(self.scores[other]) / (self.n - 1))
            for name, block in self.blocks.items()
            for k, item in enumerate(block)
            for other in self.names
        }

    def reliability(self) -> dict[str, tuple[float, float, float]]:
        """Return alpha, rho_C and AVE."""
        result = {}
        for name in self.names:
            loadings = self.loadings[name]
            count = len(loadings)
            r = correlation(self.items[name], self.items[name])
            alpha = 1.0 if count == 1 else count / (count - 1) * (1 - count / r.sum())
            total = loadings.sum() ** 2
            rho_c = total / (total + (1 - loadings**2).sum())
            result[name] = (1.0, 1.0, 1.0) if count == 1 else (alpha, rho_c, float((loadings**2).mean()))
        return result

    def htmt(self, *, geometric: bool = False) -> dict[tuple[str, str], float]:
        def mean(values: Matrix) -> float:
            values = np.abs(np.asarray(values)).ravel()
            return float(np.exp(np.log(values).mean()) if geometric else values.mean())

        def mono(name: str) -> float:
            x = self.items[name]
            if x.shape[1] == 1:
                return 1.0
            return mean(correlation(x, x)[np.triu_indices(x.shape[1], 1)])

        return {
            (a, b): mean(correlation(self.items[a], self.items[b])) / np.sqrt(mono(a) * mono(b))
            for i, a in enumerate(self.names)
            for b in self.names[i + 1 :]
        }


def _r2(correlations: dict[tuple[str, str], float], predictors: list[str], target: str) -> float:
    if not predictors:
        return 0.0
    xx = np.array([[correlations[a, b] for b in predictors] for a in predictors])
    xy = np.array([correlations[a, target] for a in predictors])
    return float(xy @ np.linalg.solve(xx, xy))


def estimate(
    data: dict[str, Matrix],
    blocks: dict[str, list[str]],
    paths: list[tuple[str, str]],
    modes: dict[str, str],
    *,
    scheme: str = "path",
    reflective: tuple[str, ...] = (),
    tol: float = 1e-12,
    max_iter: int = 5000,
    scale_interactions: tuple[str, ...] = (),
) -> Result:
    """Estimate a model of first-order blocks; `reflective` ones are corrected for attenuation."""
    names = list(blocks)
    items = {name: standardise(np.column_stack([data[item] for item in blocks[name]])) for name in names}
    n = len(items[names[0]])
    weights = {name: np.ones(items[name].shape[1]) for name in names}
    passes = 0
    while passes <= max_iter:
        passes += 1
        scores = {name: standardise(items[name] @ weights[name]) for name in names}
        change = 0.0
        updated = {}
        for name in names:
            before = [source for source, target in paths if target == name]
            after = [target for source, target in paths if source == name]
            proxy = np.zeros(n)
            if scheme == "path":
                if before:
                    x = np.column_stack([scores[source] for source in before])
                    proxy += x @ np.linalg.lstsq(x, scores[name], rcond=None)[0]
                for target in after:
                    proxy += scores[target] * (scores[target] @ scores[name] / (n - 1))
            else:
                for other in before + after:
                    r = scores[other] @ scores[name] / (n - 1)
                    proxy += scores[other] * (r if scheme == "factorial" else np.sign(r))
            proxy = standardise(proxy)
            x = items[name]
            if modes[name] == "A":
                w = x.T @ proxy / (n - 1)
            elif modes[name] == "B":
                w = np.linalg.lstsq(x, proxy, rcond=None)[0]
            else:
                w = np.ones(x.shape[1])
            updated[name] = w / (x @ w).std(ddof=1)
            change += np.abs(updated[name] - weights[name]).sum()
        weights = updated
        if change < tol:
            break
    scores = {name: items[name] @ weights[name] for name in names}
    loadings = {name: items[name].T @ scores[name] / (n - 1) for name in names}
    rho_a = {}
    for name in names:
        w = weights[name]
        if modes[name] != "A" or len(w) == 1:
            rho_a[name] = 1.0
            continue
        s = correlation(items[name], items[name])
        off = ~np.eye(len(w), dtype=bool)
        ww = np.outer(w, w)
        rho_a[name] = float((w @ w) ** 2 * (ww * s)[off].sum() / (ww * ww)[off].sum())
    raw = np.corrcoef(np.column_stack([scores[name] for name in names]).T).reshape(len(names), len(names))
    correlations = {}
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            q = 1.0
            if a != b:
                q = np.sqrt(np.prod([rho_a[name] for name in (a, b) if name in reflective]))
            correlations[a, b] = float(raw[i, j] / q)
    for name in reflective:
        w = weights[name]
        if len(w) > 1:
            loadings[name] = w * np.sqrt(rho_a[name]) / (w @ w)
    scale = dict.fromkeys(names, 1.0)
    coefficients = {}
    r2 = {}
    for name in names:
        before = [source for source, target in paths if target == name]
        if before:
            xx = np.array([[correlations[a, b] for b in before] for a in before])
            xy = np.array([correlations[a, name] for a in before])
            for source, value in zip(before, np.linalg.solve(xx, xy), strict=True):
                coefficients[source, name] = float(value)
            r2[name] = _r2(correlations, before, name)
    coefficients = {path: coefficients[path] for path in paths}
    for name in scale_interactions:
        # Henseler & Chin (2010): an interaction keeps the scale of its product items, Σ sd|λ| / Σ|λ|.
        sd = np.array([data[item].std(ddof=1) for item in blocks[name]])
        size = np.abs(loadings[name])
        scale[name] = float((sd * size).sum() / size.sum())
        scores[name] = scores[name] * scale[name]
        loadings[name] = loadings[name] * scale[name]
        for source, target in paths:
            if source == name:
                coefficients[source, target] /= scale[name]
    return Result(
        names=names,
        blocks=blocks,
        modes=modes,
        paths=paths,
        items=items,
        weights=weights,
        loadings=loadings,
        scores=scores,
        iterations=passes,
        correlations=correlations,
        coefficients=coefficients,
        r2=r2,
        rho_a=rho_a,
        scale=scale,
    )


def estimate_moderated(
    data: dict[str, Matrix],
    blocks: dict[str, list[str]],
    paths: list[tuple[str, str]],
    modes: dict[str, str],
    interactions: list[tuple[str, str, str]],
    method: str,
    **options: object,
) -> Result:
    """Estimate a model with interactions `(name, predictor, moderator)` by one of the three methods."""
    data = dict(data)
    blocks = dict(blocks)
    modes = dict(modes)
    names = [name for name, _, _ in interactions]
    if method == "two-stage":
        first = estimate(data, blocks, [path for path in paths if path[0] not in names], modes, **options)
    for name, left, right in interactions:
        modes[name] = "A"
        if method == "two-stage":
            data[name] = first.scores[left] * first.scores[right]
            blocks[name] = [name]
            continue
        blocks[name] = []
        base = np.column_stack([data[item] for item in blocks[left] + blocks[right]])
        for a in blocks[left]:
            for b in blocks[right]:
                product = standardise(data[a]) * standardise(data[b])
                if method == "orthogonal":
                    x = np.column_stack([np.ones(len(base)), base])
                    product = product - x @ np.linalg.lstsq(x, product, rcond=None)[0]
                data[f"{a}*{b}"] = product
                blocks[name].append(f"{a}*{b}")
    return estimate(data, blocks, paths, modes, scale_interactions=tuple(names), **options)


def estimate_higher_order(
    data: dict[str, Matrix],
    blocks: dict[str, list[str]],
    paths: list[tuple[str, str]],
    modes: dict[str, str],
    higher: dict[str, list[str]],
    **options: object,
) -> tuple[Result, Result]:
    """Estimate by the disjoint two-stage approach: dimensions take the higher-order construct's neighbours first."""
    first_paths = [
        (source, target)
        for start, end in paths
        for source in higher.get(start, [start])
        for target in higher.get(end, [end])
    ]
    first = estimate(data, blocks, first_paths, modes, **options)
    data = dict(data) | {name: first.scores[name] for items in higher.values() for name in items}
    used = {name for path in paths for name in path}
    second_blocks = {name: items for name, items in blocks.items() if name in used} | higher
    second = estimate(data, second_blocks, paths, modes, **options)
    return first, second
