"""Which parameters an output depends on: global sensitivity by SALib's estimators over our sweeps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError, SpecificationError, require, unknown_name
from sembada.sd.designs import marginal
from sembada.sd.validation import positions

__all__ = ["sensitivity"]

_SOBOL = {"S1": "s1", "S1_conf": "s1_conf", "ST": "st", "ST_conf": "st_conf"}
_MORRIS = {"mu": "mu", "mu_star": "mu_star", "mu_star_conf": "mu_star_conf", "sigma": "sigma"}
_PAWN = {"median": "median", "mean": "mean", "maximum": "max", "minimum": "min"}
# method: (sampler, analyser, whether the analyser wants the sample, our columns by SALib's names)
_METHODS: dict[str, tuple[str, str, bool, dict[str, str]]] = {
    "sobol": ("sobol", "sobol", False, _SOBOL),
    "morris": ("morris", "morris", True, _MORRIS),
    "fast": ("fast_sampler", "fast", False, _SOBOL),
    "rbd-fast": ("latin", "rbd_fast", True, {"S1": "s1", "S1_conf": "s1_conf"}),
    "pawn": ("latin", "pawn", True, _PAWN),
    "prcc": ("latin", "", True, {}),
}


def sensitivity(
    model: Any,
    factors: Mapping[str, Any],
    *,
    outputs: str | Sequence[str],
    n: int = 512,
    method: str = "sobol",
    times: Any = None,
    seed: int = 0,
    threads: int | None = None,
    executor: Any = None,
    progress: Any = False,
    **options: Any,
) -> pd.DataFrame:
    """Say how much of each output's variation comes from each factor.

    Parameters
    ----------
    model
        The model.
    factors
        Distributions by parameter, as in `sd.sample`; factors are independent.
    outputs
        The variables.
    n
        Size of the base sample. Sobol runs `n · (k + 2)` times for `k` factors, Morris `n · (k + 1)`, FAST `n · k`, the
        others `n`. For Sobol a power of two.
    method
        `"sobol"` (Saltelli), `"morris"`, `"fast"`, `"rbd-fast"`, `"pawn"`, `"prcc"` (partial
        rank correlation).
    times
        Times at which outputs count; `None`: the last.
    seed
        Of the sample.
    threads, executor, progress
        As in `Model.sweep`.
    **options
        Further options of `Model.sweep`, such as `method` of integration under the name `integrate`.

    Returns
    -------
    DataFrame
        Index `output, time, factor`; columns by method: `s1, s1_conf, st, st_conf`; `mu, mu_star, mu_star_conf, sigma`;
        `median, mean, max, min`; `prcc, p`. `.attrs` has the number of runs and of failures.

    Raises
    ------
    DataError
        If a run fails: estimators need every run of their sample.
    MissingDependencyError
        If SALib is not installed (`"prcc"` does without).

    References
    ----------
    Saltelli et al. (2010); Morris (1991); Pianosi & Wagener (2015); Marino et al. (2008).
    """
    if method not in _METHODS:
        raise unknown_name("method of sensitivity", method, _METHODS)
    if not factors:
        raise SpecificationError("sensitivity: no factors; expected distributions by parameter", {})
    names = list(factors)
    marginals = [marginal(name, factors[name]) for name in names]
    wanted = [outputs] if isinstance(outputs, str) else list(outputs)
    sampler, analyser, with_sample, columns = _METHODS[method]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    points = _points(problem, sampler, method, n, seed)
    inside = np.clip(points, 2.0**-54, 1 - 2.0**-53)
    design = pd.DataFrame({name: np.asarray(marginals[i].ppf(inside[:, i])) for i, name in enumerate(names)})
    if "integrate" in options:
        options["method"] = options.pop("integrate")
    sweep = model.sweep(
        design, save=wanted, threads=threads, executor=executor, progress=progress, seed=seed, **options
    )
    if sweep.n_failed:
        first = sweep.failures().iloc[0]
        raise DataError(
            f"sensitivity: {sweep.n_failed} of {len(sweep)} runs failed (the first: {first['variable']!r} not finite "
            f"at time {first['time']:g}); narrow the ranges of the factors",
            {"n_failed": sweep.n_failed, "n_runs": len(sweep)},
        )
    at = [len(sweep.times) - 1] if times is None else positions(sweep.times, np.atleast_1d(np.asarray(times, float)))
    tables = []
    for column, label in enumerate(sweep.layout.columns):
        values = sweep.column(column)
        for position in at:
            table = _analyse(problem, analyser, method, with_sample, points, values[position], columns, seed)
            table.index = pd.MultiIndex.from_product(
                [[label], [float(sweep.times[position])], names], names=["output", "time", "factor"]
            )
            tables.append(table)
    out = pd.concat(tables)
    out.attrs.update({"n_runs": len(sweep), "method": method, "seed": seed})
    return out


def _points(problem: dict[str, Any], sampler: str, method: str, n: int, seed: int) -> NDArray[np.float64]:
    if method == "prcc":
        from sembada.sd.designs import unit_sample

        return unit_sample(n, problem["num_vars"], "lhs", seed)
    if method == "sobol" and n & (n - 1):
        raise SpecificationError(
            f"sensitivity: n={n}; Sobol's estimator needs a power of two, such as {1 << n.bit_length()}", {"n": n}
        )
    module = require(f"SALib.sample.{sampler}", "sensitivity")
    more: dict[str, Any] = {"calc_second_order": False} if method == "sobol" else {}
    points: NDArray[np.float64] = np.asarray(module.sample(problem, n, seed=seed, **more), dtype=float)
    return points


def _analyse(
    problem: dict[str, Any],
    analyser: str,
    method: str,
    with_sample: bool,
    points: NDArray[np.float64],
    output: NDArray[np.float64],
    columns: dict[str, str],
    seed: int,
) -> pd.DataFrame:
    if method == "prcc":
        return _prcc(points, output)
    if np.ptp(output) == 0:  # a constant output depends on nothing
        return pd.DataFrame(dict.fromkeys(columns.values(), 0.0), index=range(problem["num_vars"]))
    module = require(f"SALib.analyze.{analyser}", "sensitivity")
    more: dict[str, Any] = {"calc_second_order": False} if method == "sobol" else {}
    arguments = (problem, points, output) if with_sample else (problem, output)
    with warnings.catch_warnings():
        # SALib divides by variances of resamples that may vanish
        warnings.simplefilter("ignore")
        found = module.analyze(*arguments, seed=seed, print_to_console=False, **more)
    return pd.DataFrame({ours: np.asarray(found[theirs], dtype=float) for theirs, ours in columns.items()})


def _prcc(points: NDArray[np.float64], output: NDArray[np.float64]) -> pd.DataFrame:
    """Partial rank correlations (Marino et al. 2008): correlate the residuals of ranks on the other ranks."""
    from scipy import stats

    ranks = stats.rankdata(points, axis=0)
    y = stats.rankdata(output)
    n, k = ranks.shape
    if n <= k + 2:
        raise SpecificationError(
            f"sensitivity: n={n} is too small for {k} factors; expected more than {k + 2}", {"n": n}
        )
    found, p = np.zeros(k), np.ones(k)
    for column in range(k):
        others = np.column_stack([np.ones(n), np.delete(ranks, column, axis=1)])
        residuals = [
            target - others @ np.linalg.lstsq(others, target, rcond=None)[0] for target in (ranks[:, column], y)
        ]
        spread = np.sqrt((residuals[0] ** 2).sum() * (residuals[1] ** 2).sum())
        if spread > 0:
            r = float((residuals[0] * residuals[1]).sum() / spread)
            found[column] = r
            t = r * np.sqrt((n - 1 - k) / max(1e-300, 1 - r**2))
            p[column] = 2 * stats.t.sf(abs(t), n - 1 - k)
    return pd.DataFrame({"prcc": found, "p": p})
