"""The synthetic survey of the Banyuwangi case: three constructs, 21 questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sembada.datasets.generate import THRESHOLDS, answers, items, label
from sembada.errors import DataError

__all__ = ["BANYUWANGI_QUESTIONS", "banyuwangi_path_model", "banyuwangi_survey"]

#: What each question asks (our wording), and the quantity that a system-dynamics model can hold for it.
BANYUWANGI_QUESTIONS: dict[str, tuple[str, str]] = {
    "OI1": ("ideas from customers and exhibitions are used in products", "share of new products co-created"),
    "OI2": ("knowledge of suppliers and partners is used", "number of active partners"),
    "OI3": ("joint work with universities, agencies or designers", "projects a year"),
    "OI4": ("own designs and know-how are offered to others", ""),
    "OI5": ("channels and brands of others sell own innovations", "share of sales through partners"),
    "OI6": ("income from licences and intellectual property (weak on purpose)", ""),
    "KM1": ("training is attended", "training days a year"),
    "KM2": ("market and technology are scanned", ""),
    "KM3": ("recipes, patterns and procedures are written down", "documented procedures"),
    "KM4": ("knowledge is shared as a routine", ""),
    "KM5": ("lessons are used in new products", "new products a year"),
    "KM6": ("problems are solved fast", ""),
    "KM7": ("trade mark, halal or motif is registered", "certificates"),
    "KM8": ("secrets of the trade are kept", ""),
    "OP1": ("the number of customers grew", "customers"),
    "OP2": ("orders are delivered on time", "fulfilment"),
    "OP3": ("quality is as specified", "reject rate"),
    "OP4": ("sales grew", "revenue"),
    "OP5": ("profit grew", "profit"),
    "OP6": ("return on the money invested", "return on investment"),
    "OP7": ("the market is dominated (weak on purpose)", ""),
}

_LOADINGS = {
    "OI": (0.80, 0.82, 0.78, 0.76, 0.74, 0.45),
    "KM": (0.80, 0.78, 0.82, 0.79, 0.76, 0.81, 0.77, 0.74),
    "OP": (0.80, 0.82, 0.78, 0.76, 0.79, 0.81, 0.42),
}


def banyuwangi_survey(
    n: int = 200, seed: int = 2024, *, a: float = 0.60, b: float = 0.70, c: float = -0.35
) -> pd.DataFrame:
    """Answers of `n` **synthetic** small firms of Banyuwangi to 21 questions, 1 to 5.

    Open innovation (OI1–OI6) drives knowledge-management capability (KM1–KM8) by `a`, and the two drive
    organisational performance (OP1–OP7) by `c` and `b`. Signs follow the thesis that the case is built on (Telkom
    University repository 216154: open innovation lowers performance directly and raises it through knowledge); all
    numbers are invented. OI6 and OP7 load weakly on purpose.

    Parameters
    ----------
    n
        Number of firms; at least 10.
    seed
        Seed of `numpy.random.default_rng`.
    a, b, c
        Paths OI→KMC, KMC→OP and OI→OP among the true, standardised constructs.

    Returns
    -------
    pandas.DataFrame
        `n` rows; `sector` (crafts, clothing, food and beverage: 30, 30, 40 %), then the 21 questions as float.
        `attrs` says that it is synthetic, with source and licence.

    Raises
    ------
    DataError
        If `n` is under 10, or the paths leave no residual variance.

    Examples
    --------
    >>> survey = banyuwangi_survey()
    >>> survey.shape, survey.attrs["synthetic"]
    ((200, 22), True)
    """
    if n < 10:
        raise DataError(f"n is {n}: expected at least 10 firms", {"n": n})
    r2 = b * b + c * c + 2.0 * a * b * c
    if abs(a) >= 1.0 or r2 >= 1.0:
        raise DataError(
            f"paths a={a}, b={b}, c={c} explain all the variance: expected |a| < 1 and b²+c²+2abc < 1",
            {"a": a, "b": b, "c": c, "r2": r2},
        )
    rng = np.random.default_rng(seed)
    oi = rng.normal(size=n)
    kmc = a * oi + np.sqrt(1.0 - a * a) * rng.normal(size=n)
    op = b * kmc + c * oi + np.sqrt(1.0 - r2) * rng.normal(size=n)
    columns: dict[str, Any] = {}
    for (prefix, loadings), factor in zip(_LOADINGS.items(), (oi, kmc, op), strict=True):
        block = answers(items(factor, loadings, rng), THRESHOLDS)
        columns |= {f"{prefix}{j + 1}": block[:, j] for j in range(block.shape[1])}
    frame = pd.DataFrame(columns)
    share = (np.arange(n) + 0.5) / n
    sector = np.select([share < 0.3, share < 0.6], ["crafts", "clothing"], "food and beverage")
    frame.insert(0, "sector", sector.astype(object))
    return label(frame, "Banyuwangi small firms", "Telkom University repository 216154 (signs only; numbers invented)")


def banyuwangi_path_model(*, weak: bool = False) -> Any:
    """Make the path model of the case, a `sembada.pls.Model`: OI → KMC, OI → OP, KMC → OP; reflective, mode A.

    Parameters
    ----------
    weak
        Keep the two questions that load weakly on purpose, OI6 and OP7.

    Examples
    --------
    >>> fit = banyuwangi_path_model().fit(banyuwangi_survey())
    >>> round(float(fit.paths.loc[("OI", "OP"), "estimate"]), 3)
    -0.254
    """
    from sembada import pls

    def block(prefix: str, count: int) -> str:
        return " + ".join(f"{prefix}{j}" for j in range(1, count + 1))

    return pls.Model(f"""
        OI  =~ {block("OI", 6 if weak else 5)}
        KMC =~ {block("KM", 8)}
        OP  =~ {block("OP", 7 if weak else 6)}
        KMC ~ OI
        OP  ~ OI + KMC
    """)
