"""Means and standard deviations of constructs on a 0-to-1 scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sembada.errors import DataError, unknown_name
from sembada.study.link import Scale

__all__ = ["scales"]


def scales(
    data: pd.DataFrame,
    blocks: Mapping[str, Sequence[str]],
    *,
    low: float = 1.0,
    high: float = 5.0,
    weights: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Scale]:
    """Mean and standard deviation of 0-to-1 construct scores: `(answer − low)/(high − low)`, averaged over the block.

    Parameters
    ----------
    data
        Survey, a row a respondent.
    blocks
        Indicators of each construct.
    low, high
        Ends of the answer scale.
    weights
        Weight of each indicator of a block (scaled to sum to one), such as the outer weights of a fit; equal if not
        given.

    Returns
    -------
    dict of Scale
        Standard deviations have divisor n − 1.

    Raises
    ------
    UnknownNameError
        If an indicator is not in the data.
    DataError
        If a weight is negative, or the ends of the scale are equal.

    References
    ----------
    Ringle, C. M. & Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: the importance-performance map
    analysis. Industrial Management & Data Systems 116(9): the rescaling of scores.

    Examples
    --------
    >>> scales(pd.DataFrame({"q1": [1, 3, 5]}), {"X": ["q1"]})["X"]
    Scale(mean=0.5, sd=0.5)
    """
    if not high > low:
        raise DataError(f"scale from {low} to {high}: expected low < high", {"low": low, "high": high})
    made: dict[str, Scale] = {}
    for construct, indicators in blocks.items():
        for indicator in indicators:
            if indicator not in data.columns:
                raise unknown_name("indicator", indicator, map(str, data.columns), where=f"the block of {construct!r}")
        scores = (data[list(indicators)].to_numpy(dtype=float) - low) / (high - low)
        weight = np.ones(len(indicators)) if weights is None else np.asarray(weights[construct], dtype=float)
        if (weight < 0).any() or weight.sum() <= 0:
            raise DataError(
                f"weights of {construct!r} are {weight.tolist()}: expected none below zero and a positive sum",
                {"construct": construct},
            )
        score = scores @ (weight / weight.sum())
        made[construct] = Scale(float(np.nanmean(score)), float(np.nanstd(score, ddof=1)))
    return made
