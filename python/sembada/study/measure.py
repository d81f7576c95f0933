"""A measure: one number that judges a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from sembada.errors import SpecificationError

__all__ = ["Direction", "Measure", "as_measures"]

How: TypeAlias = Literal["final", "mean", "sum", "minimum", "maximum", "ratio"]
Direction: TypeAlias = Literal["max", "min"]


@dataclass(frozen=True)
class Measure:
    """Reduces saved series of a run to one number.

    Parameters
    ----------
    variable
        Variable of the model.
    how
        `"final"`: its last value. `"mean"`, `"sum"`, `"minimum"`, `"maximum"`: over the window. `"ratio"`: its sum
        over the window divided by that of `over`.
    over
        The divisor of a ratio.
    last
        Length of the window in the model's unit of time: saved times `t > T − last`. `None`: the whole run.
    direction
        `"max"` if more is better, else `"min"`.
    unit
        For tables and axes.
    label
        What a reader sees, by language or one text for all; the name of the measure if empty.
    digits
        Digits after the point in reports.
    percent
        Whether reports show it as per cent.

    Examples
    --------
    >>> margin = Measure("profit", how="ratio", over="revenue", last=2)
    >>> series = {"profit": np.array([9.0, 1.0, 2.0]), "revenue": np.array([9.0, 10.0, 10.0])}
    >>> float(margin.reduce(series, np.arange(3.0)))
    0.15
    """

    variable: str
    how: How = "final"
    over: str | None = None
    last: float | None = None
    direction: Direction = "max"
    unit: str = ""
    label: Mapping[str, str] | str = field(default="", hash=False)
    digits: int = 2
    percent: bool = False

    def __post_init__(self) -> None:
        if self.how not in get_args(How):
            raise SpecificationError(
                f"measure of {self.variable!r}: how is {self.how!r}: expected one of {', '.join(get_args(How))}",
                {"variable": self.variable, "how": self.how},
            )
        if self.direction not in ("max", "min"):
            raise SpecificationError(
                f"measure of {self.variable!r}: direction is {self.direction!r}: expected 'max' or 'min'",
                {"variable": self.variable, "direction": self.direction},
            )
        if (self.how == "ratio") != (self.over is not None):
            raise SpecificationError(
                f"measure of {self.variable!r}: how is {self.how!r} and over is {self.over!r}: a ratio needs its "
                "divisor, nothing else has one",
                {"variable": self.variable, "how": self.how, "over": self.over},
            )
        if self.last is not None and not self.last > 0:
            raise SpecificationError(
                f"measure of {self.variable!r}: last is {self.last!r}: expected a time above zero",
                {"variable": self.variable, "last": self.last},
            )

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that it needs."""
        return (self.variable,) if self.over is None else (self.variable, self.over)

    def title(self, name: str, language: str = "en") -> str:
        """Return the label in a language, or the name."""
        label = self.label
        if not isinstance(label, str):
            label = label.get(language) or next(iter(label.values()), "")
        return label or name

    def reduce(self, series: Mapping[str, NDArray[np.float64]], time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reduce series `(…, n_times)` to `(…)`; NaN in a window gives NaN."""
        values = series[self.variable]
        if self.how == "final":
            last: NDArray[np.float64] = values[..., -1]
            return last
        # Half a step of slack: saved times carry the rounding of repeated steps.
        slack = 1e-9 * max(1.0, abs(float(time[-1])))
        window = np.ones(time.size, bool) if self.last is None else time > time[-1] - self.last + slack
        values = values[..., window]
        reduced: NDArray[np.float64]
        if self.how == "ratio":
            with np.errstate(divide="ignore", invalid="ignore"):
                reduced = values.sum(axis=-1) / series[self.over or ""][..., window].sum(axis=-1)
        else:
            reduced = getattr(values, {"minimum": "min", "maximum": "max"}.get(self.how, self.how))(axis=-1)
        return reduced


def as_measures(measures: Mapping[str, Measure | str] | None) -> dict[str, Measure]:
    """Make measures of a mapping; a text is the final value of that variable."""
    made = {}
    for name, measure in (measures or {}).items():
        made[str(name)] = Measure(measure) if isinstance(measure, str) else measure
    return made
