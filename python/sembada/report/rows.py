"""Rows of a frame as plain values."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["records"]


def records(frame: pd.DataFrame | pd.Series[Any]) -> dict[Any, dict[str, Any]]:
    """Return each row as a mapping from column to value, by its label.

    Examples
    --------
    >>> records(pd.DataFrame({"x": [1.0]}, index=["a"]))
    {'a': {'x': 1.0}}
    """
    assert isinstance(frame, pd.DataFrame)
    names = [str(name) for name in frame.columns]
    return {
        label: dict(zip(names, row, strict=True))
        for label, row in zip(frame.index, frame.itertuples(index=False, name=None), strict=True)
    }
