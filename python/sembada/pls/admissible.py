"""Whether a solution can belong to a population at all.

The first five checks are those that Rademaker & Schuberth's cSEM calls 1 to 5; the others follow Dijkstra & Henseler
(2015) and Henseler, Hubona & Ray (2016).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["verify"]

#: Eigenvalues and correlations may leave their range by rounding.
ROUNDING = 1e-10


def verify(fit: Fit) -> pd.DataFrame:
    """Return every check of a fit; see `Fit.verify`."""
    spec = fit.model.specification
    outer = fit.outer
    constructs = fit.constructs
    correlations = fit.construct_correlations()
    # The loading of an interaction carries its scale and may exceed one.
    loadings = outer.loc[~outer.index.get_level_values("construct").isin(spec.terms), "loading"]
    heywood = [f"{name} ({construct})" for construct, name in loadings.index[loadings.abs() > 1 + ROUNDING]]
    plain = [name for name in correlations.index if name not in spec.terms]
    values = correlations.loc[plain, plain].to_numpy(dtype=float)
    finite = bool(np.isfinite(values).all())
    smallest = float(np.linalg.eigvalsh(values)[0]) if finite else float("nan")
    beyond = [
        f"{left}–{right}"
        for i, left in enumerate(plain)
        for right in plain[:i]
        if abs(float(correlations.loc[left, right])) > 1 + ROUNDING
    ]
    rho = constructs["rho_a"].drop(list(spec.terms))
    high = [str(name) for name in rho.index[rho > 1 + ROUNDING]]
    low = [str(name) for name in rho.index[rho <= 0]]
    r2 = constructs["r2"].dropna()
    explained = [str(name) for name in r2.index[(r2 > 1 + ROUNDING) | (r2 < -ROUNDING)]]
    checks: list[tuple[int, str, bool, str]] = [
        (1, "the weights settled", fit.converged, ""),
        (2, "every loading is between −1 and 1", not heywood, ", ".join(heywood)),
        (
            3,
            "the construct correlations are positive semidefinite",
            finite and smallest >= -ROUNDING,
            "" if finite and smallest >= -ROUNDING else f"smallest eigenvalue {smallest:.3g}",
        ),
        (4, "no reliability exceeds one", not high, ", ".join(high)),
        (5, "the implied indicator correlations are positive semidefinite", *_implied(fit)),
        (6, "every reliability rho_A is above zero", not low, ", ".join(low)),
        (7, "every R² is between 0 and 1", not explained, ", ".join(explained)),
        (8, "no two constructs correlate beyond one", not beyond, ", ".join(beyond)),
    ]
    index = pd.Index([check[0] for check in checks], name="code")
    return pd.DataFrame(
        {
            "check": [check[1] for check in checks],
            "passed": [check[2] for check in checks],
            "where": [check[3] for check in checks],
        },
        index=index,
    )


def _implied(fit: Fit) -> tuple[bool, str]:
    """Check the correlations of the indicators that the saturated model implies."""
    spec = fit.model.specification
    names = [name for name in spec.measured if name not in spec.higher_order]
    correlations = fit.construct_correlations()
    loadings = fit.outer["loading"]
    items = list(fit._system.engine.items)
    sample = np.asarray(fit._result["correlations"], dtype=float)
    rows = [(name, str(item)) for name in names for item in loadings.xs(name, level="construct").index]
    size = np.array([loadings[row] for row in rows], dtype=float)
    between = correlations.loc[[row[0] for row in rows], [row[0] for row in rows]].to_numpy(dtype=float)
    implied = np.outer(size, size) * between
    positions = [items.index(item) for _, item in rows]
    for i, (left, _) in enumerate(rows):
        for j, (right, _) in enumerate(rows):
            if left == right and (
                i == j or spec.block_of[left].kind == "composite" or not fit._system.options.consistent
            ):
                implied[i, j] = sample[positions[i], positions[j]]
    if not np.isfinite(implied).all():
        return False, "not finite"
    smallest = float(np.linalg.eigvalsh(implied)[0])
    passed = smallest >= -ROUNDING
    return passed, "" if passed else f"smallest eigenvalue {smallest:.3g}"
