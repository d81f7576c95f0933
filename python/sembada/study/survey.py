"""The tables of the survey model that a report shows beside the policies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from sembada.study.draws import path_draws

__all__ = ["survey_tables"]


def survey_tables(bootstrap: Any, level: float = 0.95) -> dict[str, pd.DataFrame]:
    """Collect `paths`, and of a `pls.Bootstrap` with its fit also `constructs` and `outer`.

    Parameters
    ----------
    bootstrap
        A `pls.Bootstrap`, or a frame of path draws: then standard errors and intervals come from its rows, p from
        the normal distribution.
    level
        Coverage of the intervals.
    """
    tables: dict[str, pd.DataFrame] = {}
    if hasattr(bootstrap, "paths") and callable(bootstrap.paths):
        tables["paths"] = bootstrap.paths(level=level)
    else:
        draws = path_draws(bootstrap)
        good = draws.replicates[draws.usable]
        error = good.std(axis=0, ddof=1)
        t = np.divide(draws.estimate, error, out=np.full_like(error, np.nan), where=error > 0)
        lower, upper = np.quantile(good, [(1 - level) / 2, (1 + level) / 2], axis=0)
        index = pd.MultiIndex.from_tuples(draws.paths, names=["predictor", "outcome"])
        tables["paths"] = pd.DataFrame(
            {
                "estimate": draws.estimate,
                "mean": good.mean(axis=0),
                "std_error": error,
                "t": t,
                "p": 2 * norm.sf(np.abs(t)),
                "lower": lower,
                "upper": upper,
            },
            index=index,
        )
    fit = getattr(bootstrap, "fit", None)
    for name in ("constructs", "outer"):
        table = getattr(fit, name, None)
        if isinstance(table, pd.DataFrame):
            tables[name] = table
    return tables
