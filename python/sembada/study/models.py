"""What a study asks of a stock-and-flow model: its parameters, and batches of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["batch", "final_value", "parameter_units", "parameter_values", "stock_names"]

Array = NDArray[np.float64]


def parameter_values(model: Any) -> Mapping[str, float] | None:
    """Return the scalar parameters and their values, or `None` if the model does not tell."""
    return getattr(model, "parameters", None)


def parameter_units(model: Any) -> Mapping[str, str]:
    """Return the units that the model states."""
    return getattr(model, "units", None) or {}


def stock_names(model: Any) -> list[str]:
    """Return the names of the stocks."""
    return list(getattr(model, "stocks", ()))


def final_value(model: Any, params: Mapping[str, float], variable: str) -> float:
    """Return the last value of a variable in one run."""
    return float(model.run(dict(params), save=[variable])[variable].iloc[-1])


def batch(
    model: Any, design: pd.DataFrame, variables: Sequence[str], options: Mapping[str, Any]
) -> tuple[Array, dict[str, Array], NDArray[np.int64], pd.DataFrame]:
    """Run a design: times, `{variable: (n_runs, n_times)}`, status by run, and the table of failures."""
    sweep = model.sweep(design, save=list(variables), **options)
    series: dict[str, Array] = {}
    time: Array = np.empty(0)
    for variable in variables:
        frame = sweep.frame(variable)
        time = np.asarray(frame.index, dtype=float)
        series[variable] = frame.to_numpy(dtype=float).T
    return time, series, np.asarray(sweep.status, dtype=np.int64), sweep.failures()
