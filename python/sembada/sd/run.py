"""One run of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import require
from sembada.sd.layout import Layout

__all__ = ["STATUS", "Run"]

STATUS = ("ok", "not finite", "step too small")
"""Names of the status codes of a run."""


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What a run gave.

    Attributes
    ----------
    frame : DataFrame
        Index `time`, a column a saved variable; arrays as `Name[Elem1,Elem2]`.
    values : ndarray
        The same numbers, shape (times, columns).
    times : ndarray
        The saved times.
    status : int
        0: done. 1: a variable was not finite. 2: `"rk45"` could not keep its tolerance with any step.
    failure : dict or None
        Status, time and variable of the failure.
    provenance : dict
        Version, method, kernel, seed, times, changed parameters, and hash of the model.
    """

    layout: Layout
    values: NDArray[np.float64]
    status: int
    failure: dict[str, Any] | None
    origin: dict[str, Any] = field(default_factory=dict)

    @property
    def times(self) -> NDArray[np.float64]:
        """The saved times, shape (times,)."""
        return self.layout.times

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The saved variables over time."""
        return pd.DataFrame(self.values, index=self.layout.index, columns=self.layout.header, copy=False)

    @property
    def provenance(self) -> dict[str, Any]:
        """How the run was made."""
        from sembada import __version__

        return {"sembada": __version__, **self.origin}

    def __getitem__(self, name: str) -> Any:
        """Return a variable over time: a series, or for an array a frame with a column an element.

        Raises
        ------
        UnknownNameError
            If nothing of that name was saved; lists near matches.
        """
        columns, single = self.layout.find(name)
        if single:
            return pd.Series(
                self.values[:, columns.start], index=self.layout.index, name=self.layout.columns[columns.start]
            )
        return pd.DataFrame(
            self.values[:, columns], index=self.layout.index, columns=self.layout.labels(columns), copy=False
        )

    def __contains__(self, name: object) -> bool:
        return name in self.layout.variables or name in self.layout.elements

    def final(self) -> pd.Series:
        """Return all saved variables at the last time."""
        return pd.Series(self.values[-1], index=self.layout.header, name=float(self.times[-1]))

    def to_xarray(self) -> Any:
        """Return an `xarray.Dataset` with dims `time` and one a dimension of the model.

        Raises
        ------
        MissingDependencyError
            If xarray is not installed.
        """
        xarray = require("xarray", "xarray")
        axes = self.layout.axes()
        data: dict[str, Any] = {}
        for name, (dims, values, elements) in self.layout.arrays(self.values).items():
            array = xarray.DataArray(
                values, dims=("time", *dims), coords=dict(zip(dims, elements, strict=True)), name=name
            )
            array = array.reindex({dim: axes[dim] for dim in dims})
            if self.layout.units.get(name):
                array.attrs["units"] = self.layout.units[name]
            data[name] = array
        time = xarray.DataArray(self.times, dims="time", attrs={"units": self.layout.time_unit})
        return xarray.Dataset(data, coords={"time": time, **axes}, attrs=flat(self.provenance))

    def __repr__(self) -> str:
        times = self.times
        span = f"{times[0]:g} to {times[-1]:g}" if len(times) else "no times"
        return f"<Run: {len(self.layout.columns)} variables, {len(times)} times, {span}, {STATUS[self.status]}>"


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """Turn a record into attributes that a file can hold: text and numbers."""
    return {key: value if isinstance(value, (int, float, str)) else str(value) for key, value in record.items()}
