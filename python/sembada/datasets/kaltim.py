"""The synthetic survey of the East Kalimantan case: mediation and moderation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sembada.datasets.generate import THRESHOLDS, answers, items, label, standardise

__all__ = ["kaltim_mediation"]


def kaltim_mediation(n: int = 250, seed: int = 101) -> pd.DataFrame:
    """**Synthetic** survey of mediation and moderation among craft firms.

    Innovation (INN) → open innovation (OI) → marketing performance (MP), with absorptive capacity (ACAP).
    True paths: INN→OI .60, OI→ACAP .50, OI→MP .35, ACAP→MP .30, INN→MP .05, OI×ACAP→MP .15. The source is a qualitative
    study of twelve craft owners, so this is a hypothesis model from qualitative evidence.

    Parameters
    ----------
    n
        Number of firms.
    seed
        Seed of `numpy.random.default_rng`.

    Returns
    -------
    pandas.DataFrame
        INN1–5, OI1–5, ACAP1–4, MP1–6: answers 1 to 5.

    Examples
    --------
    >>> kaltim_mediation().shape
    (250, 20)
    """
    rng = np.random.default_rng(seed)
    inn = rng.normal(size=n)
    rng.normal(size=n)  # keeps the stream in step with the sample whose estimates are the anchors
    oi = 0.60 * inn + np.sqrt(1.0 - 0.36) * rng.normal(size=n)
    acap = 0.50 * oi + np.sqrt(0.75) * rng.normal(size=n)
    linear = 0.05 * inn + 0.35 * oi + 0.30 * acap + 0.15 * standardise(oi * acap)
    mp = linear + np.sqrt(max(0.05, 1.0 - float(np.var(linear)))) * rng.normal(size=n)
    common = (0.80, 0.78, 0.82, 0.76, 0.79)
    blocks = {
        "INN": items(inn, common, rng),
        "OI": items(oi, common, rng),
        "ACAP": items(acap, (0.82, 0.80, 0.78, 0.76), rng),
        "MP": items(mp, (0.80, 0.78, 0.82, 0.76, 0.79, 0.77), rng),
    }
    frame = pd.DataFrame(
        {
            f"{name}{j + 1}": answers(block[:, j], THRESHOLDS)
            for name, block in blocks.items()
            for j in range(block.shape[1])
        }
    )
    return label(
        frame, "East Kalimantan crafts", "after Azhari & Zainurossalamia ZA (2026), 12 interviews; numbers invented"
    )
