"""Whether the step of a model is small enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sembada.sd.designs import Design, as_design

__all__ = ["check_integration"]


def check_integration(
    model: Any,
    params: Mapping[str, Any] | None = None,
    *,
    design: Any = None,
    n: int = 16,
    save: Any = None,
    method: str | None = None,
    tolerance: float = 0.01,
    seed: int = 0,
) -> pd.DataFrame:
    """Halve the step and compare; compare with RK4 at the halved step too.

    Parameters
    ----------
    model
        The model.
    params
        Parameters of the run that is checked.
    design
        A design in place of `params`: `n` of its runs, spread evenly, are checked, and the worst of them counts.
    n
        How many runs of the design.
    save
        The variables; `None`: the stocks.
    method
        The method that is checked; `None`: the model's own.
    tolerance
        Largest error, relative to the largest absolute value of the variable, that counts as small.
    seed
        Key of the random numbers.

    Returns
    -------
    DataFrame
        Index `variable`; columns `half_step` and `rk4` (largest difference over time and runs, relative to the largest
        absolute value of the variable in its run), `time` and `run` where the larger of them is, and `adequate`.

    Notes
    -----
    With Euler the difference that halving makes is about half of the error itself, so the error at `dt` is about
    twice `half_step`. Models with random noise, or with rules that act once a step, differ by design.

    References
    ----------
    Sterman (2000), Business Dynamics, appendix A.

    Examples
    --------
    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Stock("x", 1, inflows=["growth"]), sd.Flow("growth", "0.1 * x"), time=sd.Time(0, 10, dt=1.0)
    ... )
    >>> bool(sd.check_integration(model).loc["x", "adequate"])
    False
    """
    time = model.time
    # both runs save at the same times, which the coarse one must reach
    step = max(time.save_step or time.dt, time.dt)
    plan = _sample(design, params, n)
    names = save if save is not None else [name for name, info in model.variables.items() if info.type == "stock"]
    coarse = model.sweep(plan, save=names, method=method, seed=seed, time=time.but(save_step=step))
    finer = time.but(dt=time.dt / 2, save_step=step)
    half = model.sweep(plan, save=names, method=method, seed=seed, time=finer)
    exact = model.sweep(plan, save=names, method="rk4", seed=seed, time=finer)
    rows = {}
    for at, column in enumerate(coarse.layout.columns):
        base = coarse.column(at)
        largest = np.maximum(np.nanmax(np.abs(base), axis=0, initial=0.0), np.finfo(float).tiny)
        errors = [np.abs(other.column(at) - base) / largest for other in (half, exact)]
        worst = np.fmax(*errors)
        worst = np.where(np.isnan(worst), -1.0, worst)
        when, which = np.unravel_index(int(np.argmax(worst)), worst.shape)
        by_half, by_rk4 = (float(np.nanmax(error)) if not np.isnan(error).all() else np.nan for error in errors)
        rows[column] = {
            "half_step": by_half,
            "rk4": by_rk4,
            "time": float(coarse.times[when]),
            "run": int(plan.frame.index[int(which)]),
            "adequate": bool(max(by_half, by_rk4) <= tolerance),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variable")


def _sample(design: Any, params: Mapping[str, Any] | None, n: int) -> Design:
    if design is None:
        frame = pd.DataFrame([dict(params or {})]) if params else pd.DataFrame(index=[0])
        return Design(frame, np.zeros(1, dtype=np.uint64), {"kind": "table"})
    full = as_design(design)
    rows = np.unique(np.linspace(0, len(full) - 1, min(n, len(full))).round().astype(int))
    return Design(full.frame.iloc[rows], full.streams[rows], full.record)
