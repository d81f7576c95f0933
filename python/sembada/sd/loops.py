"""Feedback loops as a table."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["loops_table"]

_POLARITY = {"+": "reinforcing", "-": "balancing", "?": "unknown"}
_LETTER = {"+": "R", "-": "B", "?": "U"}


def loops_table(found: dict[str, Any]) -> pd.DataFrame:
    """Name the loops R1, B1, … and sort them by length, then as they were found."""
    rows = sorted(found["loops"], key=lambda loop: len(loop["variables"]))
    counts: dict[str, int] = {}
    names: list[str] = []
    for loop in rows:
        letter = _LETTER[loop["polarity"]]
        counts[letter] = counts.get(letter, 0) + 1
        names.append(f"{letter}{counts[letter]}")
    table = pd.DataFrame(
        {
            "polarity": pd.Series([_POLARITY[loop["polarity"]] for loop in rows], dtype="str"),
            "length": pd.Series([len(loop["variables"]) for loop in rows], dtype="int64"),
            "delayed": pd.Series([bool(loop.get("delayed")) for loop in rows], dtype="bool"),
            "variables": pd.Series([tuple(loop["variables"]) for loop in rows], dtype=object),
        }
    ).set_axis(pd.Index(names, name="loop", dtype="str"))
    table.attrs["complete"] = bool(found.get("complete", True))
    return table
