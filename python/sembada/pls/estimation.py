"""One estimation: options checked, data read, the engine called, its status made an error or a warning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from sembada import __version__, _core
from sembada.errors import DataError, InadmissibleError, SembadaWarning
from sembada.pls import quantify
from sembada.pls.engine import HigherOrder, Options, Scheme, compiled
from sembada.pls.failures import failure, place
from sembada.pls.fit import Fit
from sembada.pls.frames import Table, read
from sembada.pls.prepare import COMPLETED, CORRELATIONS, Preparation, column_scales, ordinal_columns
from sembada.pls.provenance import Provenance
from sembada.pls.replication import run_once
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.model import Model

__all__ = ["estimate"]

MISSING = ("error", "listwise", "mean", "pairwise", *COMPLETED)


def _check_rows(model: Model, table: Table, missing: str) -> None:
    """Refuse samples on which some regression of the model has no degree of freedom left."""
    spec = model.specification
    used = np.ones(table.n_obs, dtype=bool) if table.weights is None else table.weights > 0
    if missing == "listwise":
        used &= ~np.isnan(table.matrix).any(axis=1)
    needs = [(3, "a correlation")]
    needs += [(len(spec.predictors(name)) + 2, f"the equation of {name!r}") for name in spec.outcomes]
    needs += [
        (len(block.indicators) + 1, f"the mode {block.mode} weights of {block.construct!r}")
        for block in spec.blocks
        if block.mode in {"B", "B-nonnegative"} and len(block.indicators) > 1
    ]
    needed, reason = max(needs, key=lambda need: need[0])
    if int(used.sum()) < needed:
        raise DataError(
            f"the data has {int(used.sum())} usable rows, fewer than the model needs: {reason} takes {needed} or more. "
            "Add rows, or estimate a smaller model",
            {"rows": int(used.sum()), "needed": needed},
        )


def estimate(
    model: Model,
    data: Any,
    *,
    scheme: str,
    consistent: bool | str,
    missing: str,
    weights: Any,
    higher_order: str,
    max_iter: int,
    tol: float,
    missing_value: float | Sequence[float] | None,
    correlation: str,
    ordinal: Sequence[str] | bool | None,
    scaling: str | Mapping[str, str] | None,
    kernel: str,
) -> Fit:
    """Estimate a model once; see `Model.fit`."""
    choice("missing", missing, MISSING)
    choice("correlation", correlation, CORRELATIONS)
    choice("kernel", kernel, ("auto", *_core.available_kernels()))
    table = read(data, model.columns, weights=weights, missing_value=missing_value)
    kinds = column_scales(table.columns, scaling)
    raw = kinds is not None and set(kinds) == {"raw"}
    scales = None if raw else kinds
    if scales is not None:
        quantify.check(model.specification, scales)
    options = Options(
        scheme=cast(Scheme, choice("scheme", scheme, get_args(Scheme))),
        consistent=cast(bool, consistent),
        higher_order=cast(HigherOrder, choice("higher_order", higher_order, get_args(HigherOrder))),
        max_iter=max_iter,
        tol=tol,
        raw=raw,
    )
    wanted = ordinal_columns(table.columns, ordinal, table.matrix) if correlation == "polychoric" else None
    if wanted is None and not isinstance(ordinal, bool):
        ordinal_columns(table.columns, ordinal or (), table.matrix)  # A name that is not a column is refused anyway.
    preparation = Preparation(missing, correlation, table.columns, wanted, scales)
    _check_rows(model, table, missing)
    preparation.check(table.matrix, table.weights)
    system = compiled(model.specification, options)
    result = run_once(system, table, preparation, kernel)
    word = _core.pls_status()[int(result["status"])]
    error = None
    if word != "ok":
        passes = [int(count) for count in np.atleast_1d(result["n_iter"])]
        error = failure(system, int(result["status"]), int(result["detail"]), passes)
        if not isinstance(error, InadmissibleError):
            raise error
    provenance = Provenance(
        {
            "version": __version__,
            "kernel": str(result["kernel"]),
            "options": {
                "scheme": options.scheme,
                "consistent": options.consistent,
                "missing": missing,
                "correlation": correlation,
                "scaling": None if kinds is None else dict(zip(table.columns, kinds, strict=True)),
                "weighted": table.weights is not None,
                "higher_order": options.higher_order,
                "interactions": model.specification.interactions,
                "max_iter": int(options.max_iter),
                "tol": float(options.tol),
                "missing_value": missing_value,
            },
            "seed": None,
            "model": system.digest(),
            "data": table.digest(),
        }
    )
    if error is not None:
        where = place(system, word, int(result["detail"]))
        warnings.warn(
            f"the solution is inadmissible: {word}{f' of {where!r}' if where else ''}; see fit.verify()",
            SembadaWarning,
            stacklevel=3,
        )
    return Fit(model, system, table, preparation, result, provenance)
