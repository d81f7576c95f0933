"""What a study asks of a stock-and-flow model: its parameters, and batches of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "batch",
    "final_value",
    "meanings",
    "moving_names",
    "output_names",
    "parameter_values",
    "stock_names",
    "variable_names",
]

Array = NDArray[np.float64]


def parameter_values(model: Any) -> Mapping[str, float] | None:
    """Return the scalar parameters and their values, or `None` if the model does not tell."""
    told = getattr(model, "parameters", None)
    return None if told is None else {str(name): float(value) for name, value in told.items()}


def meanings(model: Any) -> dict[str, tuple[str, str]]:
    """Return unit and comment of every variable that the model describes."""
    told = getattr(model, "variables", None) or {}
    return {str(name): (str(info.unit or ""), str(info.comment or "")) for name, info in told.items()}


def stock_names(model: Any) -> list[str]:
    """Return the names of the stocks without dimensions."""
    told = getattr(model, "variables", None) or {}
    return [str(name) for name, info in told.items() if info.type == "stock" and not info.dimensions]


def moving_names(model: Any) -> list[str]:
    """Return the names of stocks, flows and auxiliaries without dimensions."""
    told = getattr(model, "variables", None) or {}
    moving = ("stock", "flow", "auxiliary")
    return [str(name) for name, info in told.items() if info.type in moving and not info.dimensions]


def output_names(model: Any) -> list[str]:
    """Return the auxiliaries that no other variable uses: what the author looks at."""
    told = getattr(model, "variables", None) or {}
    used = {str(name) for info in told.values() for name in info.depends_on}
    return [
        str(name)
        for name, info in told.items()
        if info.type == "auxiliary" and not info.dimensions and str(name) not in used
    ]


def variable_names(model: Any) -> list[str] | None:
    """Return the names of all variables, or `None` if the model does not tell."""
    told = getattr(model, "variables", None)
    return None if told is None else [str(name) for name in told]


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
