"""Series over time from Python: pandas, mappings and arrays as exogenous data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sembada.errors import DataError, unknown_name
from sembada.sd.names import canonical

__all__ = ["as_series"]


def _one(given: Any, name: str) -> tuple[list[float], list[float]]:
    """Return times and values in rising order, without missing values."""
    times: Any
    values: Any
    if isinstance(given, pd.Series):
        times, values = given.index, given.to_numpy()
    elif isinstance(given, Mapping):
        times, values = list(given), list(given.values())
    elif isinstance(given, (tuple, list)) and len(given) == 2 and all(np.ndim(part) == 1 for part in given):
        times, values = given
    else:
        raise DataError(
            f"data {name!r}: {type(given).__name__} is no series; expected a pandas Series over times, a mapping from "
            "time to value, or a pair (times, values)",
            {"name": name, "type": type(given).__name__},
        )
    try:
        t, v = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"data {name!r}: times and values must be numbers ({error}); times are in the unit of the model",
            {"name": name},
        ) from error
    if t.shape != v.shape:
        raise DataError(f"data {name!r}: {len(t)} times but {len(v)} values", {"name": name})
    good = ~np.isnan(v)
    t, v = t[good], v[good]
    if not len(t) or not np.isfinite(t).all() or not np.isfinite(v).all():
        raise DataError(f"data {name!r}: expected at least one value, all finite", {"name": name})
    order = np.argsort(t, kind="stable")
    t, v = t[order], v[order]
    twice = np.flatnonzero(np.diff(t) == 0)
    if len(twice):
        raise DataError(f"data {name!r}: time {t[twice[0]]:g} stands twice", {"name": name, "time": float(t[twice[0]])})
    return t.tolist(), v.tolist()


def as_series(
    given: Any, name: str, dimensions: Sequence[str], elements: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[str, ...], list[float], list[float]]]:
    """Yield element, times and values of a series, or of each element of an array of series.

    Raises
    ------
    DataError
        If it is no series, has no values, or a time stands twice.
    UnknownNameError
        If it names an element that there is not.
    """
    if not dimensions:
        if isinstance(given, pd.DataFrame):
            if given.shape[1] != 1:
                raise DataError(
                    f"data {name!r} has no dimensions, but the frame has {given.shape[1]} columns; expected one",
                    {"name": name, "columns": given.shape[1]},
                )
            given = given.iloc[:, 0]
        yield (), *_one(given, name)
        return
    if not isinstance(given, (pd.DataFrame, Mapping)):
        raise DataError(
            f"data {name!r} has dimensions {', '.join(dimensions)}; expected a frame with a column an element, or a "
            "mapping from element to series",
            {"name": name, "dimensions": list(dimensions)},
        )
    for key in given:
        parts = (
            [str(part) for part in key] if isinstance(key, tuple) else [part.strip() for part in str(key).split(",")]
        )
        if len(parts) != len(dimensions):
            raise DataError(
                f"data {name!r}: element {key!r} has {len(parts)} subscripts, expected {len(dimensions)}",
                {"name": name, "element": str(key)},
            )
        for part, dimension in zip(parts, dimensions, strict=True):
            known = elements.get(dimension, [])
            if known and canonical(part) not in {canonical(element) for element in known}:
                raise unknown_name("element", part, known, where=f"data {name!r}")
        yield tuple(parts), *_one(given[key], f"{name}[{','.join(parts)}]")
