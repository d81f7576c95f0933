"""Overall fit: how far the correlations that a model implies are from those of the sample.

Between blocks the model implies `λᵢ r λⱼ`; within a common factor `λᵢ λⱼ`; a composite keeps the correlations of its
own block (Henseler, Hubona & Ray 2016). The saturated model takes the construct correlations as they are, the
estimated one those that its paths imply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["distances", "measures"]

Array = NDArray[np.float64]


def distances(sample: Array, implied: Array) -> tuple[float, float, float, float]:
    """Return SRMR, d_ULS, d_G and NFI.

    Parameters
    ----------
    sample
        Correlations of the indicators `(p, p)`.
    implied
        Correlations that a model implies `(p, p)`.

    Returns
    -------
    tuple of float
        SRMR over the lower triangle with the diagonal (Henseler et al. 2014); the squared Euclidean distance halved;
        the geodesic distance `½ Σ (log₁₀ φ)²` with the eigenvalues φ of `S⁻¹ Σ`, in the logarithm that cSEM takes; and
        the normed fit index `1 − F/F₀` of maximum likelihood (Bentler & Bonett 1980). NaN where a matrix is not
        positive definite.

    Examples
    --------
    >>> sample = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> [round(value, 3) for value in distances(sample, np.eye(2))[:2]]
    [0.289, 0.25]
    """
    p = len(sample)
    gap = sample - implied
    lower = np.tril_indices(p)
    srmr = float(np.sqrt((gap[lower] ** 2).sum() / (p * (p + 1) / 2)))
    d_uls = float(0.5 * (gap**2).sum())
    nan = float("nan")
    if not np.isfinite(gap).all() or min(np.linalg.eigvalsh(sample)[0], np.linalg.eigvalsh(implied)[0]) <= 1e-12:
        return srmr, d_uls, nan, nan
    ratio = np.linalg.eigvals(np.linalg.solve(sample, implied)).real
    d_g = float(0.5 * (np.log10(ratio) ** 2).sum())
    _, implied_log = np.linalg.slogdet(implied)
    _, sample_log = np.linalg.slogdet(sample)
    maximum = implied_log - sample_log + np.trace(np.linalg.solve(implied, sample)) - p
    # Uncorrelated indicators leave nothing for a model to explain.
    return srmr, d_uls, d_g, float(1.0 - maximum / -sample_log) if sample_log < 0 else nan


def _implied_constructs(fit: Fit, names: list[str]) -> Array:
    """Return the correlations of the constructs that the paths imply: `(I − B)⁻¹ Ψ (I − B)⁻ᵀ` (Bollen 1989, ch. 4).

    Ψ holds the correlations of the exogenous constructs and the variances `1 − R²` of the errors; the diagonal is
    set to one, as cSEM does.
    """
    spec = fit.model.specification
    found = fit.construct_correlations().loc[names, names].to_numpy(dtype=float)
    place = {name: position for position, name in enumerate(names)}
    b = np.zeros_like(found)
    for (source, target), value in zip(fit.model.paths, fit._values("paths").tolist(), strict=True):
        b[place[target], place[source]] = value
    free = [place[name] for name in names if name not in spec.outcomes]
    psi = np.zeros_like(found)
    psi[np.ix_(free, free)] = found[np.ix_(free, free)]
    r2 = fit.constructs["r2"].to_numpy(dtype=float)
    for name in spec.outcomes:
        psi[place[name], place[name]] = 1.0 - r2[place[name]]
    spread = np.linalg.inv(np.eye(len(names)) - b)
    implied = spread @ psi @ spread.T
    np.fill_diagonal(implied, 1.0)
    return np.asarray(implied)


def measures(fit: Fit) -> pd.DataFrame | None:
    """Return the fit measures, or `None` for models with interactions, higher-order constructs or feedback."""
    spec = fit.model.specification
    if spec.terms or spec.higher_order or not spec.is_recursive or spec.equations == "2sls":
        return None
    names = list(spec.measured)
    outer = fit.outer["loading"]
    rows = [(str(construct), str(item)) for construct, item in outer.index]
    items = list(fit._system.engine.items)
    position = [items.index(item) for _, item in rows]
    if len(set(position)) < len(position):
        return None  # A shared indicator has no block of its own.
    sample = np.asarray(fit._result["correlations"], dtype=float)[np.ix_(position, position)]
    loading = outer.to_numpy(dtype=float)
    owner = np.array([names.index(construct) for construct, _ in rows])
    corrected = {
        block.construct for block in spec.blocks if block.kind == "reflective" and fit._system.options.consistent
    }
    factor = np.array([construct in corrected for construct, _ in rows])
    result = {}
    saturated = fit.construct_correlations().loc[names, names].to_numpy(dtype=float)
    estimated = _implied_constructs(fit, names) if spec.paths else saturated
    for label, correlations in (("saturated", saturated), ("estimated", estimated)):
        implied = np.outer(loading, loading) * correlations[np.ix_(owner, owner)]
        same = owner[:, None] == owner[None, :]
        implied = np.where(same & ~factor[:, None], sample, implied)
        np.fill_diagonal(implied, 1.0)
        result[label] = distances(sample, implied)
    return pd.DataFrame(
        list(result.values()),
        index=pd.Index(list(result), name="model", dtype="object"),
        columns=["srmr", "d_uls", "d_g", "nfi"],
    )
