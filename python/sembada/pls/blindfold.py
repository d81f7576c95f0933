"""Blindfolding: the Stone–Geisser Q² of an in-sample fit, cell by cell.

Every D-th cell of a construct's block is taken out, running down the columns one after the other; the model is
estimated from what is left and predicts the cells. After D rounds each cell has been out once (Wold 1982; Tenenhaus,
Esposito Vinzi, Chatelin & Lauro 2005, CSDA 48, section 3.4).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, UnsupportedError
from sembada.pls.engine import System, compiled
from sembada.pls.predictor import trouble

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["blindfold"]

Array = NDArray[np.float64]


def blindfold(fit: Fit, omission: int) -> pd.DataFrame:
    """Take out every `omission`-th cell of each block and predict it; see `Fit.blindfold`."""
    spec = fit.model.specification
    preparation = fit._preparation
    table = fit._table
    if preparation.is_needed or preparation.missing == "pairwise" or table.weights is not None:
        raise UnsupportedError(
            "blindfolding completes the cells that it takes out with means, which does not go with row weights, "
            f"missing={preparation.missing!r}, correlation={preparation.correlation!r} or scaling=",
            {"missing": preparation.missing, "correlation": preparation.correlation},
        )
    matrix = table.matrix
    if preparation.missing == "listwise":
        matrix = matrix[~np.isnan(matrix).any(axis=1)]
    n = len(matrix)
    if isinstance(omission, bool) or not isinstance(omission, (int, np.integer)) or not 2 <= omission < n:
        raise SpecificationError(
            f"omission={omission!r}: expected a whole number from 2 to {n - 1}, such as 7", {"omission": omission}
        )
    if n % omission == 0:
        raise SpecificationError(
            f"omission={omission} divides the {n} rows, so whole rows would be taken out at once: choose a distance "
            "that leaves a rest, such as "
            f"{next(d for d in (7, 8, 9, 5, 6, 11, 13) if n % d or d >= n)}",
            {"omission": int(omission), "n_obs": n},
        )
    system = compiled(spec, replace(fit._system.options, consistent=False))
    column = {name: position for position, name in enumerate(spec.columns)}
    rows: dict[str, dict[str, float]] = {}
    for name in spec.measured:
        if name in spec.higher_order:
            continue
        columns = np.array([column[item] for item in spec.block_of[name].indicators])
        # The cell in row i of the block's k-th column is number k·n + i.
        number = (np.arange(len(columns))[None, :] * n + np.arange(n)[:, None]) % int(omission)
        rows[name] = _block(fit, system, matrix, name, columns, number, int(omission))
    result = pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="construct")
    result["q2_redundancy"] = 1.0 - result["sse_redundancy"] / result["sso"]
    result["q2_communality"] = 1.0 - result["sse_communality"] / result["sso"]
    return result[["sso", "sse_redundancy", "q2_redundancy", "sse_communality", "q2_communality"]]


def _block(
    fit: Fit,
    system: System,
    matrix: Array,
    name: str,
    columns: NDArray[np.intp],
    number: NDArray[np.intp],
    omission: int,
) -> dict[str, float]:
    spec = fit.model.specification
    node = list(system.nodes).index(name)
    layouts = system.layouts(["loadings", "paths"])
    place = dict(zip(layouts["loadings"].labels, layouts["loadings"].positions.tolist(), strict=True))
    loading = [place[name, item] for item in spec.block_of[name].indicators]
    predictors = [
        (list(system.nodes).index(source), position)
        for (source, target), position in zip(layouts["paths"].labels, layouts["paths"].positions, strict=True)
        if target == name
    ]
    sso = communality = redundancy = 0.0
    for distance in range(omission):
        out = number == distance
        holes = matrix.copy()
        block = holes[:, columns]
        out &= ~np.isnan(block)
        block[out] = np.nan
        holes[:, columns] = block
        result = system.fit(
            holes, statistics=["loadings", "paths"], weights=None, missing="mean", kernel=fit.provenance.kernel
        )
        error = trouble(system, result)
        if error is not None:
            raise error
        values = np.asarray(result["values"], dtype=np.float64)
        scores = np.asarray(result["scores"], dtype=np.float64)
        mean, spread = np.asarray(result["means"])[columns], np.asarray(result["sds"])[columns]
        # In standard units of what is left, so that indicators on different scales count alike.
        actual = (matrix[:, columns] - mean) / spread
        slope = values[loading]
        own = np.outer(scores[:, node], slope)
        sso += float((actual[out] ** 2).sum())
        communality += float(((actual - own)[out] ** 2).sum())
        if predictors:
            expected = sum(scores[:, source] * values[position] for source, position in predictors)
            redundancy += float(((actual - np.outer(expected, slope))[out] ** 2).sum())
    return {
        "sso": sso,
        "sse_communality": communality,
        "sse_redundancy": redundancy if predictors else np.nan,
    }
