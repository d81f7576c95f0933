"""The synthetic survey of the Tumang case: two composites of eight indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sembada.datasets.generate import answers, items, label, standardise

__all__ = ["tumang_governance"]

_GOVERNANCE = (
    "networked_structure",
    "commitment",
    "trust",
    "governance",
    "access_to_authority",
    "accountability",
    "information_sharing",
    "access_to_resources",
)
_INDUSTRY = (
    "economies_of_scale",
    "cooperation",
    "collective_institutions",
    "information_dissemination",
    "entrepreneurial_skills",
    "unverified_trust",
    "unverified_skilled_workforce",
    "unverified_quality_competition",
)


def tumang_governance(n: int = 180, seed: int = 102) -> pd.DataFrame:
    """**Synthetic** survey: collaborative governance → small-industry development, eight indicators each.

    Governance is asked after DeSeve (2007). The true path among the composites is .60. Item means are set so that six
    and five of the eight lie about or above the usual cut of "good", 3.41. The last three indicators of the industry
    could not be verified in the source and say so in their names.

    Parameters
    ----------
    n
        Number of firms.
    seed
        Seed of `numpy.random.default_rng`.

    Returns
    -------
    pandas.DataFrame
        CG1–8 and SID1–8: answers 1 to 5; `attrs["indicators"]` names them.

    Examples
    --------
    >>> tumang_governance().shape
    (180, 16)
    """
    rng = np.random.default_rng(seed)
    weights = np.array([0.25, 0.22, 0.12, 0.18, 0.15, 0.10, 0.22, 0.20])
    correlation = 0.35 * np.ones((8, 8)) + 0.65 * np.eye(8)
    # the Cholesky factor is unique, so the numbers do not depend on the library of linear algebra
    latent = rng.normal(size=(n, 8)) @ np.linalg.cholesky(correlation).T
    governance = standardise(latent @ weights)
    industry = 0.60 * governance + np.sqrt(1.0 - 0.36) * rng.normal(size=n)
    shift_governance = np.array([0.55, 0.50, -0.45, 0.45, 0.40, -0.50, 0.50, 0.42])
    shift_industry = np.array([0.45, 0.50, 0.50, 0.48, 0.42, -0.45, -0.55, -0.40])
    thresholds = (-1.6, -0.7, 0.15, 1.05)
    first = answers(0.9 * latent + 0.44 * rng.normal(size=(n, 8)) + shift_governance, thresholds)
    second = answers(
        items(industry, (0.72, 0.75, 0.74, 0.70, 0.71, 0.55, 0.50, 0.58), rng) + shift_industry, thresholds
    )
    frame = pd.DataFrame(
        np.hstack([first, second]), columns=[f"CG{j}" for j in range(1, 9)] + [f"SID{j}" for j in range(1, 9)]
    )
    frame.attrs["indicators"] = dict(zip(frame.columns, (*_GOVERNANCE, *_INDUSTRY), strict=True))
    return label(frame, "Tumang metal crafts", "after a UGM thesis abstract (signs only; numbers invented)")
