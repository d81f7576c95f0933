"""The synthetic survey of the partnership case: four groups whose paths differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.datasets.generate import THRESHOLDS, answers, items, label

__all__ = ["KEMITRAAN_PATHS", "kemitraan_mga"]

#: True paths by type of partnership: PQ→RES, PQ→KNW, PQ→MKT, RES→INN, KNW→INN, MKT→COMP, INN→COMP.
KEMITRAAN_PATHS: dict[str, tuple[float, ...]] = {
    "horizontal": (0.50, 0.40, 0.30, 0.25, 0.25, 0.30, 0.35),
    "vertical": (0.40, 0.30, 0.55, 0.20, 0.25, 0.50, 0.25),
    "strategic": (0.45, 0.60, 0.30, 0.20, 0.55, 0.25, 0.45),
    "cluster": (0.45, 0.45, 0.50, 0.25, 0.35, 0.45, 0.30),
}


def kemitraan_mga(n: int = 150, seed: int = 42) -> pd.DataFrame:
    """**Synthetic** survey of four types of partnership, for multigroup analysis.

    Partnership quality (PQ) → resources (RES), knowledge (KNW), market (MKT) → innovation (INN) → competitiveness
    (COMP).
    The true paths of each group stand in `KEMITRAAN_PATHS`.

    Parameters
    ----------
    n
        Number of firms **in each group**.
    seed
        Seed of `numpy.random.default_rng`.

    Returns
    -------
    pandas.DataFrame
        `partnership` (the group), PQ1–5, and three questions each for RES, KNW, MKT, INN, COMP: answers 1 to 5.

    Examples
    --------
    >>> kemitraan_mga().groupby("partnership").size().to_dict()
    {'cluster': 150, 'horizontal': 150, 'strategic': 150, 'vertical': 150}
    """
    rng = np.random.default_rng(seed)

    def with_noise(linear: NDArray[np.float64]) -> NDArray[np.float64]:
        made: NDArray[np.float64] = linear + np.sqrt(max(0.05, 1.0 - float(np.var(linear)))) * rng.normal(size=n)
        return made

    parts = []
    for group, path in KEMITRAAN_PATHS.items():
        pq = rng.normal(size=n)
        res, knw, mkt = (with_noise(path[j] * pq) for j in range(3))
        inn = with_noise(path[3] * res + path[4] * knw)
        comp = with_noise(path[5] * mkt + path[6] * inn)
        columns = {"partnership": np.full(n, group, dtype=object)}
        for name, factor, loadings in (
            ("PQ", pq, (0.80, 0.78, 0.76, 0.80, 0.74)),
            *(
                (name, factor, (0.82, 0.80, 0.78))
                for name, factor in zip(("RES", "KNW", "MKT", "INN", "COMP"), (res, knw, mkt, inn, comp), strict=True)
            ),
        ):
            block = answers(items(factor, loadings, rng), THRESHOLDS)
            columns |= {f"{name}{j + 1}": block[:, j] for j in range(block.shape[1])}
        parts.append(pd.DataFrame(columns))
    return label(
        pd.concat(parts, ignore_index=True),
        "partnerships of small firms",
        "popular article on partnerships (types only; numbers invented)",
    )
