"""The synthetic survey of the cluster-conflict case: interactions of opposite sign."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.datasets.generate import THRESHOLDS, answers, items, label, standardise

__all__ = ["sentra_conflict"]


def sentra_conflict(n: int = 181, seed: int = 5) -> pd.DataFrame:
    """**Synthetic** survey of cooperation and conflict in clusters, with interactions of opposite sign.

    Cooperation (COOP), constructive (CC) and destructive conflict (DC) → incremental (IIC) and radical innovation
    capability (RIC) → new products (NPD).
    True paths: COOP→IIC .38, CC→IIC .28, DC→IIC −.28, COOP×DC→IIC +.25; COOP→RIC .35, CC→RIC .34, DC→RIC −.05,
    COOP×CC→RIC −.25; IIC→NPD .36, RIC→NPD .38. Signs and sample size follow Xu et al. (2023).

    Parameters
    ----------
    n
        Number of firms.
    seed
        Seed of `numpy.random.default_rng`.

    Returns
    -------
    pandas.DataFrame
        COOP, CC, DC, IIC, RIC, NPD with four questions each: answers 1 to 5.

    Examples
    --------
    >>> sentra_conflict().shape
    (181, 24)
    """
    rng = np.random.default_rng(seed)

    def with_noise(linear: NDArray[np.float64]) -> NDArray[np.float64]:
        made: NDArray[np.float64] = linear + np.sqrt(max(0.05, 1.0 - float(np.var(linear)))) * rng.normal(size=n)
        return made

    coop = rng.normal(size=n)
    cc = 0.2 * coop + np.sqrt(0.96) * rng.normal(size=n)
    dc = -0.15 * coop + np.sqrt(1.0 - 0.0225) * rng.normal(size=n)
    iic = with_noise(0.38 * coop + 0.28 * cc - 0.28 * dc + 0.25 * standardise(coop * dc))
    ric = with_noise(0.35 * coop + 0.34 * cc - 0.05 * dc - 0.25 * standardise(coop * cc))
    npd = with_noise(0.36 * iic + 0.38 * ric)
    columns: dict[str, NDArray[np.float64]] = {}
    for name, factor in {"COOP": coop, "CC": cc, "DC": dc, "IIC": iic, "RIC": ric, "NPD": npd}.items():
        block = answers(items(factor, (0.84, 0.82, 0.80, 0.83), rng), THRESHOLDS)
        columns |= {f"{name}{j + 1}": block[:, j] for j in range(4)}
    return label(
        pd.DataFrame(columns),
        "cluster firms",
        "after Xu et al. (2023), Ind. Mkt Mgmt 111 (signs only; numbers invented)",
    )
