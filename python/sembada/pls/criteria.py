"""Model selection criteria of the structural equations.

Source: Sharma, Shmueli, Sarstedt, Danks & Ray (2021), Decision Sciences 52(3), table 1; McQuarrie & Tsai (1998).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["table"]


def table(r2: pd.Series[float], predictors: Mapping[str, int], n: float) -> pd.DataFrame:
    """Return the criteria of each equation.

    Parameters
    ----------
    r2
        Explained variance of each outcome.
    predictors
        Number of predictors of each outcome.
    n
        Number of rows.

    Returns
    -------
    DataFrame
        Index `construct`; columns `AIC, AICc, AICu, BIC, HQ, HQc, FPE`.

    Examples
    --------
    >>> table(pd.Series({"Y": 0.5}), {"Y": 1}, 100)["AIC"].round(3).tolist()
    [-66.32]
    """
    rows = {}
    for name, count in predictors.items():
        k = count + 1
        sse = (1.0 - float(r2[name])) * (n - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            fit = n * np.log(np.float64(sse) / n)
            rows[name] = {
                "AIC": fit + 2 * k,
                "AICc": fit + n * (n + k) / (n - k - 2),
                "AICu": n * np.log(np.float64(sse) / (n - k)) + 2 * k,
                "BIC": fit + k * np.log(n),
                "HQ": fit + 2 * k * np.log(np.log(n)),
                "HQc": fit + 2 * n * k * np.log(np.log(n)) / (n - k - 2),
                "FPE": sse / (n - k) * (1 + k / n),
            }
    columns = ["AIC", "AICc", "AICu", "BIC", "HQ", "HQc", "FPE"]
    index = pd.Index(list(rows), name="construct", dtype="object")
    return pd.DataFrame([[row[column] for column in columns] for row in rows.values()], index=index, columns=columns)
