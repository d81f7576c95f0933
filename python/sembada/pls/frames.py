"""Data in: any frame that narwhals knows becomes one float matrix; every refusal names the column and the row."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError, SembadaWarning, unknown_name

__all__ = ["Table", "read"]

#: Share of missing values of an indicator above which a warning is given (Hair et al., PLS-SEM primer, ch. 2).
MANY_MISSING = 0.05


@dataclass(frozen=True)
class Table:
    """The columns that a model needs.

    Parameters
    ----------
    columns
        Names of the columns.
    matrix
        Matrix `(n_obs, n_columns)`; NaN is a missing value.
    index
        Labels of the rows.
    weights
        Row weights `(n_obs,)`, or `None`.
    """

    columns: tuple[str, ...]
    matrix: NDArray[np.float64]
    index: pd.Index[Any]
    weights: NDArray[np.float64] | None = None

    @property
    def n_obs(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    def column(self, position: int) -> NDArray[np.float64]:
        """Return the values of one column."""
        return self.matrix[:, position]

    def take(self, columns: Sequence[str]) -> Table:
        """Return a table of some of the columns."""
        if tuple(columns) == self.columns:
            return self
        for name in columns:
            if name not in self.columns:
                raise unknown_name("column", name, self.columns, where="the columns of the old model (pass data=)")
        places = [self.columns.index(name) for name in columns]
        return Table(tuple(columns), np.ascontiguousarray(self.matrix[:, places]), self.index, self.weights)

    def digest(self) -> str:
        """Return the SHA-256 of the column names, the values and the weights."""
        state = hashlib.sha256("\x1f".join(self.columns).encode())
        state.update(np.ascontiguousarray(self.matrix).astype("<f8").tobytes())
        if self.weights is not None:
            state.update(np.ascontiguousarray(self.weights).astype("<f8").tobytes())
        return state.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the values in the smallest type that holds them exactly: a Likert answer needs one byte."""
        return {**self.__dict__, "matrix": _smallest(self.matrix)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        kind, packed = state["matrix"]
        values = packed.astype(np.float64)
        if kind == "masked":
            values[packed == np.iinfo(packed.dtype).min] = np.nan
        self.__dict__.update(state, matrix=values)


def _smallest(values: NDArray[np.float64]) -> tuple[str, NDArray[Any]]:
    missing = np.isnan(values)
    filled = np.where(missing, 0.0, values)
    if not np.any(np.signbit(filled) & (filled == 0)) and np.array_equal(filled, np.rint(filled)):
        for kind in (np.int8, np.int16, np.int32):
            limit = np.iinfo(kind)
            if filled.size and filled.min() > limit.min and filled.max() <= limit.max:
                return "masked", np.where(missing, limit.min, filled).astype(kind)
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if np.array_equal(single.astype(np.float64), values, equal_nan=True):
        return "plain", single
    return "plain", values


def _native(data: Any) -> nw.DataFrame[Any]:
    if isinstance(data, Mapping):
        data = pd.DataFrame(dict(data))
    if isinstance(data, np.ndarray):
        raise DataError(
            f"the data is an array of shape {data.shape}, which has no column names: pass a data frame "
            "(pandas, polars, pyarrow), or pandas.DataFrame(array, columns=[…])",
            {"shape": data.shape},
        )
    try:
        frame: nw.DataFrame[Any] = nw.from_native(data, eager_only=True)
    except TypeError as error:
        raise DataError(
            f"the data is a {type(data).__name__}: expected a data frame (pandas, polars or pyarrow)",
            {"type": type(data).__name__},
        ) from error
    return frame


def names_of(data: Any) -> list[str]:
    """Return the column names of any data frame."""
    return [str(name) for name in _native(data).columns]


def column_of(data: Any, name: str) -> list[Any]:
    """Return one column of any data frame as it is, such as labels of groups."""
    frame = _native(data)
    if name not in frame.columns:
        raise unknown_name("column", name, [str(known) for known in frame.columns], where="the data")
    return list(frame.get_column(name).to_list())


def _plain(data: Any, columns: Sequence[str]) -> NDArray[np.float64] | None:
    """Take the columns of a pandas frame at once if all are NumPy numbers; `None` if they need a closer look."""
    if not isinstance(data, pd.DataFrame) or not data.columns.is_unique:
        return None
    part = data[list(columns)]
    if not all(isinstance(dtype, np.dtype) and dtype.kind in "iuf" for dtype in part.dtypes):
        return None
    return np.array(part.to_numpy(), dtype=np.float64, order="C", copy=True)


def _column(frame: nw.DataFrame[Any], name: str) -> NDArray[np.float64]:
    try:
        series = frame.get_column(name)
    except Exception as error:  # Each backend has an error of its own for a doubled name.
        raise DataError(f"column {name!r} cannot be taken from the data: {error}", {"column": name}) from error
    dtype = series.dtype
    if dtype.is_numeric() or dtype == nw.Boolean:
        values = series.cast(nw.Float64).to_numpy()
        return np.array(values, dtype=np.float64, copy=True)
    raw = series.to_list()
    values = np.full(len(raw), np.nan)
    for row, item in enumerate(raw):
        if item is None or item is pd.NA or item is pd.NaT:
            continue
        if isinstance(item, (str, bytes)) or not hasattr(item, "__float__"):
            raise DataError(
                f"column {name!r} holds {item!r} in row {row}, expected a number: code the answers as numbers "
                "(1, 2, 3, …), or leave the column out of the model",
                {"column": name, "row": row, "value": item},
            )
        values[row] = float(item)
    return values


def read(
    data: Any,
    columns: Sequence[str],
    *,
    weights: Any = None,
    missing_value: float | Sequence[float] | None = None,
    warn: bool = True,
) -> Table:
    """Take the columns of a model from a data frame.

    Parameters
    ----------
    data
        A pandas, polars or pyarrow table, or a mapping of columns. Other columns are not looked at.
    columns
        The columns to take.
    weights
        Row weights: the name of a column, an array of length `n_obs`, or `None`.
    missing_value
        One or more numbers that stand for a missing answer, such as −99.
    warn
        Whether to warn of indicators with more than 5 % missing values.

    Returns
    -------
    Table
        The matrix and its labels.

    Raises
    ------
    UnknownNameError
        If a column is not in the data; lists near matches.
    DataError
        If a column holds text or an infinite value, or the weights cannot be used.
    """
    if isinstance(data, Table):
        return data
    frame = _native(data)
    known = [str(name) for name in frame.columns]
    for name in columns:
        if name not in known:
            raise unknown_name("column", name, known, where="the data")
    n = len(frame)
    values = np.empty((n, len(columns)))
    direct = _plain(frame.to_native(), columns)
    sentinels = () if missing_value is None else np.atleast_1d(np.asarray(missing_value, dtype=float))
    for position, name in enumerate(columns):
        column = _column(frame, name) if direct is None else direct[:, position]
        for sentinel in sentinels:
            column[column == sentinel] = np.nan
        infinite = np.flatnonzero(np.isinf(column))
        if infinite.size:
            raise DataError(
                f"column {name!r} holds {column[infinite[0]]} in row {infinite[0]}, expected a finite number",
                {"column": name, "row": int(infinite[0])},
            )
        values[:, position] = column
    native = frame.to_native()
    index = native.index if isinstance(native, pd.DataFrame) else pd.RangeIndex(n)
    if warn and n:
        share = np.isnan(values).mean(axis=0)
        many = [f"{name} {part:.1%}" for name, part in zip(columns, share, strict=True) if part > MANY_MISSING]
        if many:
            warnings.warn(
                f"more than {MANY_MISSING:.0%} of the values are missing in {', '.join(many)}",
                SembadaWarning,
                stacklevel=3,
            )
    return Table(tuple(columns), values, index, _weights(frame, weights, n))


def _weights(frame: nw.DataFrame[Any], weights: Any, n: int) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    if isinstance(weights, str):
        if weights not in frame.columns:
            raise unknown_name("column", weights, [str(name) for name in frame.columns], where="weights=")
        result = _column(frame, weights)
    else:
        result = np.array(weights, dtype=np.float64, copy=True)
    if result.shape != (n,):
        raise DataError(
            f"weights have the shape {result.shape}, expected one weight for each of the {n} rows",
            {"shape": result.shape, "n_obs": n},
        )
    bad = np.flatnonzero(~np.isfinite(result) | (result < 0))
    if bad.size:
        raise DataError(
            f"the weight of row {bad[0]} is {result[bad[0]]}, expected a finite number that is not negative",
            {"row": int(bad[0]), "value": float(result[bad[0]])},
        )
    if not result.any():
        raise DataError("all weights are zero", {"n_obs": n})
    return result
