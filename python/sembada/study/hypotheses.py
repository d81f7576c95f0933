"""Hypotheses about paths, and whether the data carry them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sembada.errors import SpecificationError, unknown_name

__all__ = ["hypotheses", "stars"]


def stars(p: float) -> str:
    """Mark a p-value: `***` under .001, `**` under .01, `*` under .05 (APA).

    Examples
    --------
    >>> stars(0.004)
    '**'
    """
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def hypotheses(
    paths: pd.DataFrame, stated: Mapping[str, tuple[str, str, str]] | None = None, *, alpha: float = 0.05
) -> pd.DataFrame:
    """Judge hypotheses about paths.

    Parameters
    ----------
    paths
        Table of paths with index `predictor, outcome` and columns `estimate, mean, std_error, t, p, lower, upper`.
    stated
        `{"H1": ("OI", "KMC", "+"), …}`; the sign is `"+"`, `"-"` or `"±"` (any). Default: every path in order, any
        sign.
    alpha
        Level of the two-sided test.

    Returns
    -------
    pandas.DataFrame
        Index `hypothesis`; `predictor, outcome, expected`, the columns of `paths`, and `decision`: `accepted`,
        `rejected` (not significant), or `reversed` (significant with the other sign).

    Raises
    ------
    UnknownNameError
        If there is no such path.
    SpecificationError
        If a sign is none of the three.
    """
    if stated is None:
        stated = {f"H{number}": (str(a), str(b), "±") for number, (a, b) in enumerate(paths.index, start=1)}
    known = {f"{a} → {b}": (a, b) for a, b in paths.index}
    rows = []
    for name, (predictor, outcome, sign) in stated.items():
        sign = sign.replace("−", "-")
        if sign not in ("+", "-", "±"):
            raise SpecificationError(
                f"hypothesis {name}: sign is {sign!r}: expected '+', '-' or '±'", {"hypothesis": name, "sign": sign}
            )
        if (predictor, outcome) not in paths.index:
            raise unknown_name("path", f"{predictor} → {outcome}", known, where=f"hypothesis {name}")
        row = dict(zip(paths.columns, paths.to_numpy()[paths.index.get_loc((predictor, outcome))], strict=True))
        significant = bool(row["p"] < alpha)
        fits = sign == "±" or np.sign(row["estimate"]) == (1 if sign == "+" else -1)
        decision = "rejected" if not significant else "accepted" if fits else "reversed"
        rows.append(
            {
                "hypothesis": name,
                "predictor": predictor,
                "outcome": outcome,
                "expected": sign,
                **row,
                "decision": decision,
            }
        )
    return pd.DataFrame(rows).set_index("hypothesis")
