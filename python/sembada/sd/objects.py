"""The parts of a model: stocks, flows, auxiliaries, parameters, lookups, data and time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from sembada.errors import SpecificationError

__all__ = ["Aux", "Data", "Flow", "Lookup", "Parameter", "Stock", "Time", "Variable"]

Equation: TypeAlias = "str | float | Mapping[Any, str | float]"

_METHODS = ("euler", "rk2", "rk4", "rk45")
_TABLES = ("continuous", "extrapolate", "discrete")
_INTERPOLATIONS = ("linear", "hold", "forward", "raw")


def _text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not np.isscalar(value):
        raise SpecificationError(
            f"{where}: {value!r} is no equation; expected text or a number", {"value": value, "where": where}
        )
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise SpecificationError(f"{where}: {value!r} is not finite", {"value": value, "where": where})
    return repr(number) if number != int(number) or abs(number) > 1e15 else str(int(number))


def _equations(value: Any, dimensions: Sequence[str], where: str) -> list[dict[str, Any]]:
    """List the equations of a variable: one for all elements, or one for each."""
    if isinstance(value, Mapping):
        if not dimensions:
            raise SpecificationError(
                f"{where}: equations by element need dimensions=[…]", {"where": where, "value": dict(value)}
            )
        return [
            {
                "subscripts": [str(part) for part in (key if isinstance(key, tuple) else (key,))],
                "source": _text(v, where),
            }
            for key, v in value.items()
        ]
    return [{"subscripts": list(dimensions), "source": _text(value, where)}]


@dataclass(frozen=True)
class Variable:
    """What all variables have."""

    kind: ClassVar[str] = ""
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise SpecificationError(
                f"{type(self).__name__}: {self.name!r} is no name; expected text that is not blank", {"name": self.name}
            )

    def _plain(self, equations: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        out: dict[str, Any] = {"kind": self.kind, "name": self.name, "equations": equations}
        for key in ("unit", "comment", "group", "non_negative"):
            if getattr(self, key, None):
                out[key] = getattr(self, key)
        out["dimensions"] = list(getattr(self, "dimensions", ()))
        limits = getattr(self, "limits", (None, None))
        if tuple(limits) != (None, None):
            out["limits"] = tuple(None if limit is None else float(limit) for limit in limits)
        out.update(more)
        return out

    def plain(self) -> dict[str, Any]:
        """Return the variable as plain values."""
        raise NotImplementedError


@dataclass(frozen=True)
class Stock(Variable):
    """A stock: what flows in less what flows out adds up in it.

    Parameters
    ----------
    name
        Its name.
    initial
        Its value at the start: an equation, a number, or a mapping from element to equation.
    inflows, outflows
        Names of flows. Where `non_negative`, outflows are served in this order.
    unit, comment, group
        For the documentation and the check of units.
    non_negative
        Whether the stock may not fall below zero: outflows are cut.
    dimensions
        Names of its dimensions.
    limits
        Lowest and highest sensible value, for the documentation.

    Examples
    --------
    >>> Stock("customers", "150", inflows=["acquisition"], outflows=["churn"], unit="person").name
    'customers'
    """

    kind: ClassVar[str] = "stock"
    initial: Equation
    inflows: Sequence[str] = field(default=(), kw_only=True)
    outflows: Sequence[str] = field(default=(), kw_only=True)
    unit: str = field(default="", kw_only=True)
    comment: str = field(default="", kw_only=True)
    group: str = field(default="", kw_only=True)
    non_negative: bool = field(default=False, kw_only=True)
    dimensions: Sequence[str] = field(default=(), kw_only=True)
    limits: tuple[float | None, float | None] = field(default=(None, None), kw_only=True)

    def plain(self) -> dict[str, Any]:
        """Return the stock as plain values."""
        for end in ("inflows", "outflows"):
            if isinstance(getattr(self, end), str):
                raise SpecificationError(
                    f"stock {self.name!r}: {end}={getattr(self, end)!r} is text; expected a list of names: "
                    f"{end}=[{getattr(self, end)!r}]",
                    {"name": self.name, end: getattr(self, end)},
                )
        return self._plain(
            _equations(self.initial, self.dimensions, f"stock {self.name!r}"),
            inflows=list(self.inflows),
            outflows=list(self.outflows),
        )


@dataclass(frozen=True)
class Flow(Variable):
    """A flow: what moves into or out of stocks in a unit of time.

    Parameters
    ----------
    name
        Its name.
    equation
        An XMILE expression, a number, or a mapping from element to equation; none for a flow that a conveyor, queue or
        oven drives.
    unit, comment, group
        For the documentation and the check of units.
    non_negative
        Whether the flow may not run backwards.
    dimensions
        Names of its dimensions.
    limits
        Lowest and highest sensible value, for the documentation.
    overflow
        Whether it takes what the ways before it out of a queue had to refuse.
    spread
        How it spreads over the conveyor that it enters: `"even"`, `"dest"` (as what is there), `"source"` (where it
        leaked from) or `"dist"`; none: all at the beginning.
    profile
        Name of the lookup of `"dist"`: its argument is the share of the way that is still to go.
    """

    kind: ClassVar[str] = "flow"
    equation: Equation | None = None
    unit: str = field(default="", kw_only=True)
    comment: str = field(default="", kw_only=True)
    group: str = field(default="", kw_only=True)
    non_negative: bool = field(default=False, kw_only=True)
    dimensions: Sequence[str] = field(default=(), kw_only=True)
    limits: tuple[float | None, float | None] = field(default=(None, None), kw_only=True)

    overflow: bool = field(default=False, kw_only=True)
    spread: str | None = field(default=None, kw_only=True)
    profile: str | None = field(default=None, kw_only=True)

    def _options(self) -> list[dict[str, Any]]:
        options: list[dict[str, Any]] = []
        if self.overflow:
            options.append({"kind": "overflow"})
        if self.spread is not None:
            options.append({"kind": self.spread, "parts": {"profile": self.profile} if self.profile else {}})
        return options

    def plain(self) -> dict[str, Any]:
        """Return the variable as plain values."""
        where = f"{self.kind} {self.name!r}"
        equations = [] if self.equation is None else _equations(self.equation, self.dimensions, where)
        options = self._options()
        return self._plain(equations, **({"options": options} if options else {}))


@dataclass(frozen=True)
class Aux(Variable):
    """An auxiliary: a quantity that follows from others at the same time.

    Parameters
    ----------
    name
        Its name.
    equation
        An XMILE expression, a number, or a mapping from element to equation.
    lookup
        Points `(x, y)` of a graphical function: the variable is the function of the equation.
    unit, comment, group
        For the documentation and the check of units.
    dimensions
        Names of its dimensions.
    limits
        Lowest and highest sensible value, for the documentation.
    """

    kind: ClassVar[str] = "auxiliary"
    equation: Equation
    lookup: Lookup | None = field(default=None, kw_only=True)
    unit: str = field(default="", kw_only=True)
    comment: str = field(default="", kw_only=True)
    group: str = field(default="", kw_only=True)
    dimensions: Sequence[str] = field(default=(), kw_only=True)
    limits: tuple[float | None, float | None] = field(default=(None, None), kw_only=True)

    def plain(self) -> dict[str, Any]:
        """Return the auxiliary as plain values."""
        equations = _equations(self.equation, self.dimensions, f"auxiliary {self.name!r}")
        if self.lookup is not None:
            for equation in equations:
                equation["table"] = self.lookup.table()
        return self._plain(equations)


@dataclass(frozen=True)
class Parameter(Variable):
    """A constant that a run may change.

    Parameters
    ----------
    name
        Its name.
    value
        A number, or a mapping from element to number.
    unit, comment, group
        For the documentation and the check of units.
    dimensions
        Names of its dimensions.
    limits
        Lowest and highest sensible value, for the documentation and for sampling.
    """

    kind: ClassVar[str] = "parameter"
    value: float | str | Mapping[Any, float | str]
    unit: str = field(default="", kw_only=True)
    comment: str = field(default="", kw_only=True)
    group: str = field(default="", kw_only=True)
    dimensions: Sequence[str] = field(default=(), kw_only=True)
    limits: tuple[float | None, float | None] = field(default=(None, None), kw_only=True)

    def plain(self) -> dict[str, Any]:
        """Return the parameter as plain values."""
        return self._plain(_equations(self.value, self.dimensions, f"parameter {self.name!r}"))


@dataclass(frozen=True)
class Lookup(Variable):
    """A graphical function, called by name: `effect(ratio)`.

    Parameters
    ----------
    name
        Its name.
    x
        Arguments in rising order.
    y
        Values.
    interpolation
        `"continuous"`: linear between points, the end values beyond. `"extrapolate"`: beyond along the end pieces.
        `"discrete"`: the value of the point to the left.
    unit, comment
        For the documentation and the check of units.

    Raises
    ------
    SpecificationError
        If `x` and `y` differ in length, are empty, are not finite, or `x` falls.
    """

    kind: ClassVar[str] = "lookup"
    x: Sequence[float] = field(kw_only=True)
    y: Sequence[float] = field(kw_only=True)
    interpolation: str = field(default="continuous", kw_only=True)
    unit: str = field(default="", kw_only=True)
    comment: str = field(default="", kw_only=True)
    group: str = field(default="", kw_only=True)

    def table(self) -> dict[str, Any]:
        """Return the points as plain values."""
        x, y = np.asarray(self.x, dtype=float), np.asarray(self.y, dtype=float)
        where = f"lookup {self.name!r}"
        if x.ndim != 1 or x.shape != y.shape or not len(x):
            raise SpecificationError(
                f"{where}: x has {x.size} points and y has {y.size}; expected as many, and at least one",
                {"name": self.name, "n_x": x.size, "n_y": y.size},
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise SpecificationError(f"{where}: its points must be finite", {"name": self.name})
        falls = np.flatnonzero(np.diff(x) < 0)
        if len(falls):
            at = int(falls[0])
            raise SpecificationError(
                f"{where}: x falls from {x[at]:g} to {x[at + 1]:g} at point {at + 1}; expected rising order",
                {"name": self.name, "point": at + 1},
            )
        if self.interpolation not in _TABLES:
            raise SpecificationError(
                f"{where}: interpolation={self.interpolation!r}; expected one of {', '.join(map(repr, _TABLES))}",
                {"name": self.name, "interpolation": self.interpolation},
            )
        return {"x": x.tolist(), "y": y.tolist(), "kind": self.interpolation}

    def plain(self) -> dict[str, Any]:
        """Return the lookup as plain values."""
        return self._plain([{"subscripts": [], "source": "", "table": self.table()}])


@dataclass(frozen=True)
class Data(Variable):
    """A series over time from outside the model.

    Parameters
    ----------
    name
        Its name.
    series
        A pandas series over times, a mapping from time to value, a pair `(times, values)`; or, with dimensions, a
        mapping from element to such a series or a frame with a column an element.
    interpolation
        `"linear"`: linear between times, the end values beyond. `"hold"`: the last value before. `"forward"`: the next
        value. `"raw"`: only at the times given.
    unit, comment
        For the documentation and the check of units.
    dimensions
        Names of its dimensions.
    """

    kind: ClassVar[str] = "data"
    series: Any
    interpolation: str = field(default="linear", kw_only=True)
    unit: str = field(default="", kw_only=True)
    comment: str = field(default="", kw_only=True)
    group: str = field(default="", kw_only=True)
    dimensions: Sequence[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.interpolation not in _INTERPOLATIONS:
            raise SpecificationError(
                f"data {self.name!r}: interpolation={self.interpolation!r}; expected one of "
                f"{', '.join(map(repr, _INTERPOLATIONS))}",
                {"name": self.name, "interpolation": self.interpolation},
            )

    def plain(self) -> dict[str, Any]:
        """Return the variable as plain values; its series stand apart."""
        return self._plain([{"subscripts": list(self.dimensions), "source": ""}], interpolation=self.interpolation)


@dataclass(frozen=True)
class Time:
    """How a run moves through time.

    Parameters
    ----------
    initial_time
        First time.
    final_time
        Last time. A run ends at the last step not beyond it; `Model.check` says so where `dt` does not lead there.
    dt
        The step.
    save_step
        The distance between saved times; `None` saves each step.
    unit
        The unit of time.
    method
        `"euler"`, `"rk2"`, `"rk4"` or `"rk45"` (Dormand–Prince with error control).

    Raises
    ------
    SpecificationError
        If a time is not finite, `dt` or `save_step` is not above zero, or the end stands before the start.

    Examples
    --------
    >>> Time(0, 120, dt=0.25, save_step=1, unit="month").n_steps
    480
    """

    initial_time: float
    final_time: float
    dt: float = field(default=1.0, kw_only=True)
    save_step: float | None = field(default=None, kw_only=True)
    unit: str = field(default="", kw_only=True)
    method: str = field(default="euler", kw_only=True)

    def __post_init__(self) -> None:
        for name in ("initial_time", "final_time", "dt", "save_step"):
            value = getattr(self, name)
            if value is None and name == "save_step":
                continue
            try:
                number = float(value)
            except (TypeError, ValueError):
                number = math.nan
            if not math.isfinite(number) or (name in ("dt", "save_step") and number <= 0):
                expected = "a number above zero" if name in ("dt", "save_step") else "a finite number"
                raise SpecificationError(f"time: {name}={value!r}; expected {expected}", {name: value})
            object.__setattr__(self, name, number)
        if self.final_time < self.initial_time:
            raise SpecificationError(
                f"time: final_time={self.final_time:g} stands before initial_time={self.initial_time:g}",
                {"initial_time": self.initial_time, "final_time": self.final_time},
            )
        if self.method not in _METHODS:
            raise SpecificationError(
                f"time: method={self.method!r}; expected one of {', '.join(map(repr, _METHODS))}",
                {"method": self.method},
            )

    @property
    def n_steps(self) -> int:
        """Number of steps of a run."""
        # As the engine counts: a sum of steps such as 0.1 may fall short of the end by rounding.
        return math.floor((self.final_time - self.initial_time) / self.dt + 1e-6)

    def plain(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {
            "initial_time": self.initial_time,
            "final_time": self.final_time,
            "dt": self.dt,
            "save_step": self.save_step,
            "method": self.method,
            "unit": self.unit,
        }

    def but(self, **changes: Any) -> Time:
        """Return these settings with some of them changed."""
        return replace(self, **changes)
