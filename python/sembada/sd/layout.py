"""Where each saved variable stands among the columns of a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.sd.names import Names, split_element

__all__ = ["Layout", "Place"]


@dataclass(frozen=True)
class Place:
    """A variable among the columns.

    Parameters
    ----------
    name
        The variable as written.
    dimensions
        Names of its dimensions; empty for a scalar.
    first, count
        Its first column and how many it has.
    """

    name: str
    dimensions: tuple[str, ...]
    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Layout:
    """Columns, times and units of a result; shared by all results of one program.

    Parameters
    ----------
    columns
        Flattened names, `Name[Elem1,Elem2]`.
    places
        The variables.
    times
        The saved times, shape (times,).
    time_unit
        Unit of time.
    units
        Unit of each variable.
    """

    columns: tuple[str, ...]
    places: tuple[Place, ...]
    times: NDArray[np.float64]
    time_unit: str = ""
    units: dict[str, str] = field(default_factory=dict)

    @cached_property
    def index(self) -> pd.Index:
        """The saved times as an index."""
        return pd.Index(self.times, name="time")

    @cached_property
    def header(self) -> pd.Index:
        """The flattened names as an index."""
        return pd.Index(self.columns, dtype=object if not self.columns else None)

    @cached_property
    def variables(self) -> Names[Place]:
        """The variables by name."""
        return Names([(place.name, place) for place in self.places], "saved variable")

    @cached_property
    def elements(self) -> Names[int]:
        """The columns by flattened name."""
        return Names([(name, position) for position, name in enumerate(self.columns)], "saved variable")

    def find(self, name: str) -> tuple[slice, bool]:
        """Return the columns of a variable or of one element, and whether it is one column only.

        Raises
        ------
        UnknownNameError
            If nothing of that name was saved; lists near matches.
        """
        if name in self.elements:
            at = self.elements[name]
            return slice(at, at + 1), True
        place = self.variables[name]
        return slice(place.first, place.first + place.count), not place.dimensions

    def labels(self, columns: slice) -> pd.Index:
        """Return labels for the elements of an array variable: `Elem1`, or a level a dimension."""
        parts = [split_element(name)[1] for name in self.columns[columns]]
        place = next(place for place in self.places if place.first <= columns.start < place.first + place.count)
        if place.dimensions and len(place.dimensions) > 1:
            return pd.MultiIndex.from_tuples(parts, names=list(place.dimensions))
        return pd.Index([part[0] if part else "" for part in parts], name=(place.dimensions or ("",))[0])

    def grid(self, place: Place) -> tuple[list[list[str]], NDArray[np.intp]]:
        """Return the elements of each dimension and, for each column, its position in the full grid."""
        parts = [split_element(name)[1] for name in self.columns[place.first : place.first + place.count]]
        elements: list[list[str]] = [list(dict.fromkeys(column)) for column in zip(*parts, strict=True)]
        shape = tuple(len(names) for names in elements)
        ranks = [{name: rank for rank, name in enumerate(names)} for names in elements]
        at = [[ranks[d][part] for d, part in enumerate(row)] for row in parts]
        return elements, np.ravel_multi_index(np.asarray(at).T, shape) if at else np.zeros(0, np.intp)

    def arrays(self, values: NDArray[np.float64]) -> dict[str, tuple[tuple[str, ...], NDArray[np.float64], Any]]:
        """Cut a block (…, columns) into variables: dimensions, values (…, elements of each dimension), elements.

        Elements that a variable does not have are NaN.
        """
        out: dict[str, tuple[tuple[str, ...], NDArray[np.float64], Any]] = {}
        for place in self.places:
            part = values[..., place.first : place.first + place.count]
            if not place.dimensions:
                out[place.name] = ((), part[..., 0], [])
                continue
            elements, at = self.grid(place)
            shape = tuple(len(names) for names in elements)
            if place.count == int(np.prod(shape)) and np.array_equal(at, np.arange(place.count)):
                full = part
            else:
                full = np.full((*values.shape[:-1], int(np.prod(shape))), np.nan)
                full[..., at] = part
            out[place.name] = (place.dimensions, full.reshape(*values.shape[:-1], *shape), elements)
        return out

    def axes(self, used: Sequence[str] = ()) -> dict[str, Any]:
        """Return the elements of each dimension: the longest list where variables differ."""
        axes: dict[str, list[str]] = {}
        for place in self.places:
            if place.dimensions and (not used or place.name in used):
                for name, elements in zip(place.dimensions, self.grid(place)[0], strict=True):
                    if len(elements) > len(axes.get(name, [])):
                        axes[name] = elements
        return axes


def layout_of(program: Any, time_unit: str, units: dict[str, str]) -> Layout:
    """Read the layout of a compiled program."""
    return Layout(
        columns=tuple(program.columns),
        places=tuple(Place(name, tuple(dims), first, count) for name, dims, first, count in program.layout),
        times=np.asarray(program.times, dtype=float),
        time_unit=time_unit,
        units=units,
    )
