"""Model selection criteria of the structural equations.

Sources: Sharma, Shmueli, Sarstedt, Danks & Ray (2021), Decision Sciences 52(3), 567–607, table 1, who name the origin
of each; McQuarrie & Tsai (1998), Regression and Time Series Model Selection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["NAMES", "criteria"]

NAMES = ("AIC", "AICc", "AICu", "BIC", "HQ", "HQc", "FPE", "GM", "Cp")


def criteria(r2: ArrayLike, predictors: ArrayLike, n: float, saturated: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the criteria of equations.

    Parameters
    ----------
    r2
        Explained variances `(…, n_equations)`.
    predictors
        Number of predictors of each equation `(n_equations,)`.
    n
        Number of rows.
    saturated
        Explained variances in the saturated model, for GM and Cp; these are NaN without.

    Returns
    -------
    ndarray
        `(…, n_equations, 9)`: AIC, AICc, AICu, BIC, HQ, HQc, FPE, GM (Geweke & Meese) and Cp (Mallows).

    Notes
    -----
    With k coefficients (predictors and intercept), `SSE = (1 − R²)(n − 1)` and `MSE = 1 − R²` of the saturated model:
    `GM = SSE/MSE + k ln n`, `Cp = SSE/MSE − (n − 2k)`.

    Examples
    --------
    >>> criteria([0.5], [1], 100)[0, 0].round(3).item()
    -66.32
    """
    share = 1.0 - np.asarray(r2, dtype=np.float64)
    k = np.asarray(predictors, dtype=np.float64) + 1.0
    sse = share * (n - 1.0)
    mse = np.full(share.shape, np.nan) if saturated is None else 1.0 - np.asarray(saturated, dtype=np.float64)
    # An explained variance beyond one, which consistent PLS may give, has no logarithm.
    with np.errstate(invalid="ignore", divide="ignore"):
        fit = n * np.log(sse / n)
        loglog = np.log(np.log(n))
        found = (
            fit + 2 * k,
            fit + n * (n + k) / (n - k - 2),
            n * np.log(sse / (n - k)) + 2 * k,
            fit + k * np.log(n),
            fit + 2 * k * loglog,
            fit + 2 * n * k * loglog / (n - k - 2),
            sse / (n - k) * (1 + k / n),
            sse / mse + k * np.log(n),
            sse / mse - (n - 2 * k),
        )
    return np.stack(np.broadcast_arrays(*found), axis=-1)
