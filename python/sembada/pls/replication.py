"""Running the replicates of a plan: here, on threads of the engine, or in blocks on an executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sembada import execution
from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.pls.engine import System, seed_key
from sembada.pls.frames import Table
from sembada.pls.prepare import Preparation
from sembada.pls.specification import choice
from sembada.pls.statistics import STANDARD, known_names, parts_of

if TYPE_CHECKING:
    from sembada.pls.bootstrap import Bootstrap
    from sembada.pls.fit import Fit

__all__ = ["replicate", "run", "run_once"]

METHODS = ("bootstrap", "bayesian", "jackknife")
SIGNS = ("none", "indicator", "construct")
#: Replicates that an executor is handed at a time.
BLOCK = 1_000


@dataclass(frozen=True)
class _Work:
    """Runs one block of replicates in a worker of an executor; pickles small."""

    system: System
    table: Table
    plan: dict[str, Any]
    names: tuple[str, ...]
    preparation: Preparation
    sign: str
    kernel: str

    def __call__(self, block: execution.Block, report: execution.Report | None) -> tuple[Any, Any, Any]:
        del report
        if self.plan["kind"] == "indices":
            plan = {**self.plan, "indices": self.plan["indices"][block.start : block.stop]}
        else:
            plan = {**self.plan, "n": len(block), "first": block.start}
        return self.system.replicate(
            self.table.matrix,
            plan,
            statistics=list(self.names),
            weights=self.table.weights,
            missing=self.preparation.for_engine,
            prepare=self.preparation.plain,
            sign=self.sign,
            threads=1,
            kernel=self.kernel,
        )


def run(
    fit: Fit,
    plan: dict[str, Any],
    names: Sequence[str],
    sign: str,
    threads: int | None,
    progress: Callable[[int, int], object] | None,
    system: System | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Estimate every replicate of a plan.

    Parameters
    ----------
    fit
        The fit whose data are resampled.
    plan
        The plan, as the engine takes it.
    names
        The statistics to return.
    sign
        Sign option.
    threads
        Number of threads; all processors for `None`.
    progress
        Called with (done, all).
    system
        Another model on the same data.

    Returns
    -------
    values
        `(n, width)`; NaN rows where a replicate failed.
    codes
        Status code and detail of each replicate `(n, 2)`.
    """
    values, status, detail = (fit._system if system is None else system).replicate(
        fit._table.matrix,
        plan,
        statistics=list(names),
        weights=fit._table.weights,
        missing=fit._preparation.for_engine,
        prepare=fit._preparation.plain,
        sign=sign,
        threads=threads,
        progress=progress,
        kernel=fit.provenance.kernel,
    )
    return values, np.column_stack([status, detail]).astype(np.int32)


def run_once(
    system: System, table: Table, preparation: Preparation, kernel: str, statistics: Sequence[str] | None = None
) -> dict[str, Any]:
    """Estimate a model once on a table."""
    return system.fit(
        table.matrix,
        weights=table.weights,
        missing=preparation.for_engine,
        prepare=preparation.plain,
        kernel=kernel,
        statistics=statistics,
    )


def _spread_out(
    fit: Fit, plan: dict[str, Any], names: Sequence[str], sign: str, executor: Any, report: execution.Report | None
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Run blocks of replicates on an executor; they are placed by number, so its order does not matter."""
    if plan["kind"] == "jackknife":
        return run(fit, plan, names, sign, None, report)
    total = len(plan["indices"]) if plan["kind"] == "indices" else int(plan["n"])
    work = _Work(fit._system, fit._table, plan, tuple(names), fit._preparation, sign, fit.provenance.kernel)
    parts = [part for _, part in execution.run(work, execution.split(total, BLOCK), executor=executor, report=report)]
    values = np.concatenate([part[0] for part in parts])
    codes = np.column_stack([np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])])
    return values, codes.astype(np.int32)


def _given(indices: ArrayLike, n_obs: int) -> NDArray[np.int64]:
    given = np.asarray(indices)
    if given.ndim != 2 or not np.issubdtype(given.dtype, np.integer):
        raise DataError(
            f"indices have the shape {given.shape} and type {given.dtype}, expected whole numbers (n, {n_obs})",
            {"shape": given.shape},
        )
    if given.shape[1] != n_obs:
        raise DataError(
            f"each resample of indices has {given.shape[1]} rows, expected {n_obs}, as many as the data",
            {"shape": given.shape, "n_obs": n_obs},
        )
    bad = np.argwhere((given < 0) | (given >= n_obs))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f"indices[{row}, {column}] is {given[row, column]}, expected a row number from 0 to {n_obs - 1}",
            {"replicate": int(row), "value": int(given[row, column])},
        )
    return np.ascontiguousarray(given, dtype=np.int64)


def _labels(labels: ArrayLike | None, n_obs: int, option: str) -> NDArray[np.int64] | None:
    if labels is None:
        return None
    values = np.asarray(labels)
    if values.shape != (n_obs,):
        raise DataError(
            f"{option} has the shape {values.shape}, expected one label for each of the {n_obs} rows",
            {"shape": values.shape},
        )
    return np.asarray(pd.factorize(values, sort=True)[0], dtype=np.int64)


def replicate(
    fit: Fit,
    n: int,
    *,
    seed: int | None,
    method: str,
    sign: str,
    indices: ArrayLike | None,
    threads: int | None,
    executor: Any,
    progress: bool | Callable[[int, int], object],
    strata: ArrayLike | None,
    clusters: ArrayLike | None,
    statistics: Sequence[str] | None,
) -> Bootstrap:
    """Draw replicates; see `Fit.bootstrap`."""
    from sembada.pls.bootstrap import Bootstrap

    choice("method", method, METHODS)
    choice("sign", sign, SIGNS)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise SpecificationError(f"n={n!r}: expected a positive number of replicates", {"n": n})
    wanted = STANDARD if statistics is None else tuple(statistics)
    for name in wanted:
        if name not in known_names():
            raise unknown_name("statistic", name, known_names(), where="statistics=")
    names = parts_of(fit._system, wanted)
    n_obs = fit._table.n_obs
    used: int | None = None
    plan: dict[str, Any]
    if indices is not None:
        if method != "bootstrap" or strata is not None or clusters is not None:
            raise SpecificationError("indices= gives the resamples, so method=, strata= and clusters= have no place")
        given = _given(indices, n_obs)
        plan = {"kind": "indices", "indices": given}
    elif method == "jackknife":
        plan = {"kind": "jackknife"}
    else:
        used, key = seed_key(seed)
        plan = {"kind": method, "key": key, "n": int(n), "first": 0}
        if method == "bootstrap":
            plan["strata"] = _labels(strata, n_obs, "strata")
            plan["clusters"] = _labels(clusters, n_obs, "clusters")
        elif strata is not None or clusters is not None:
            raise SpecificationError("strata= and clusters= go with method='bootstrap'")
    threads = execution.check_threads(threads)
    total = n_obs if method == "jackknife" else len(plan["indices"]) if indices is not None else int(n)
    with execution.reporter(progress, total, "replicates") as report:
        if executor is None:
            values, codes = run(fit, plan, names, sign, threads, report)
        else:
            values, codes = _spread_out(fit, plan, names, sign, executor, report)
    provenance = fit.provenance.with_facts(
        seed=used,
        options={
            **fit.provenance.options,
            "method": method,
            "sign": sign,
            "n": len(values),
            "given": indices is not None,
        },
    )
    facts = {"plan": plan, "seed": used, "chosen": statistics is not None}
    return Bootstrap(fit, values, codes, names, facts, method, sign, provenance)
