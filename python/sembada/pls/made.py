"""How a table is made from the engine's statistics, replicate by replicate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Made"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """A table that follows from the engine's statistics.

    Parameters
    ----------
    parts
        The statistics that it is made from.
    index
        Labels of its rows.
    make
        Takes one array `(n, length)` for each part, positions in the order of the part's labels, and returns
        `(n, len(index))`.
    """

    parts: tuple[str, ...]
    index: pd.Index[Any]
    make: Callable[..., Array]
