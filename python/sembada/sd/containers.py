"""Stocks that do more than add up: conveyors, queues and ovens, and the flows that leak out of conveyors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sembada.errors import SpecificationError
from sembada.sd.objects import Equation, Flow, Stock, _text

__all__ = ["Conveyor", "Leak", "Oven", "Queue"]


@dataclass(frozen=True)
class _Container(Stock):
    """A stock with options."""

    def _option(self) -> dict[str, Any]:
        raise NotImplementedError

    def _parts(self, *names: str) -> dict[str, str]:
        given = {name: getattr(self, name) for name in names}
        where = f"{type(self).__name__.lower()} {self.name!r}"
        missing = [name for name in names[:1] if given[name] is None]
        if missing:
            raise SpecificationError(
                f"{where} has no {missing[0]}: expected a number or an equation", {"name": self.name}
            )
        return {name: _text(value, f"{where}, {name}") for name, value in given.items() if value is not None}

    def _switches(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name)]

    def plain(self) -> dict[str, Any]:
        """Return the stock as plain values."""
        return {**super().plain(), "options": [self._option()]}


@dataclass(frozen=True)
class Conveyor(_Container):
    """A conveyor: what enters leaves after the transit time, less what leaks on the way (XMILE 1.0, section 3.7.2).

    The first outflow that is no `Leak` takes what comes off the end; outflows need no equation. It moves once a step,
    whatever the method.

    Parameters
    ----------
    name, initial, inflows, outflows, unit, comment, group, dimensions, limits
        As of a `Stock`. `initial` is the whole content, spread as in a steady state, or text with numbers between
        commas: one for each step of the way or for each unit of time, what leaves first in front.
    transit_time
        How long material stays: a number or an equation, read for what enters in a step.
    capacity
        The most it holds; inflows are cut to the room there is.
    inflow_limit
        The most that enters in a unit of time.
    sample
        A new transit time is read only where this is not zero.
    arrest
        Everything stands still where this is not zero.
    discrete
        The inflow limit is a budget for each whole unit of time, free to be used in one step.
    batch_integrity, one_at_a_time
        Whether a batch of a queue before it enters whole or not at all, and at most one in a step.
    exponential_leak
        A leak takes its fraction of what is there each unit of time; otherwise the fraction of what entered, spread
        evenly.

    Examples
    --------
    Ten a month who stay four months:

    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Conveyor("trainees", 40, inflows=["hiring"], outflows=["finishing"], transit_time=4),
    ...     sd.Flow("hiring", "10 + STEP(5, 2)"),
    ...     sd.Flow("finishing"),
    ...     time=sd.Time(0, 8, dt=1),
    ... )
    >>> model.run()["finishing"].tolist()
    [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 15.0, 15.0, 15.0]
    """

    transit_time: str | float | None = field(default=None, kw_only=True)
    capacity: str | float | None = field(default=None, kw_only=True)
    inflow_limit: str | float | None = field(default=None, kw_only=True)
    sample: str | float | None = field(default=None, kw_only=True)
    arrest: str | float | None = field(default=None, kw_only=True)
    discrete: bool = field(default=False, kw_only=True)
    batch_integrity: bool = field(default=False, kw_only=True)
    one_at_a_time: bool = field(default=True, kw_only=True)
    exponential_leak: bool = field(default=False, kw_only=True)

    def _option(self) -> dict[str, Any]:
        return {
            "kind": "conveyor",
            "parts": self._parts("transit_time", "capacity", "inflow_limit", "sample", "arrest"),
            "switches": self._switches("discrete", "batch_integrity", "one_at_a_time", "exponential_leak"),
        }


@dataclass(frozen=True)
class Queue(_Container):
    """A queue: first in, first out, batch by batch (XMILE 1.0, section 3.7.3).

    What an inflow brings in a step is a batch. What was there when a step began leaves in it, as far as the conveyor or
    oven behind an outflow takes it; outflows to stocks and clouds empty the queue. An outflow with `overflow=True`
    takes what the ways before it had to refuse. Outflows need no equation.

    Parameters
    ----------
    name, initial, inflows, outflows, unit, comment, group, dimensions, limits
        As of a `Stock`; `outflows` in order of priority. `initial` is one batch, or text with batches between commas.

    Examples
    --------
    Two a step are served, the rest waits:

    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Queue("line", 5, inflows=["arriving"], outflows=["boarding"]),
    ...     sd.Conveyor("ride", 0, inflows=["boarding"], outflows=["leaving"], transit_time=1, capacity=2),
    ...     sd.Flow("arriving", 0),
    ...     sd.Flow("boarding"),
    ...     sd.Flow("leaving"),
    ...     time=sd.Time(0, 4, dt=1),
    ... )
    >>> model.run()["line"].tolist()
    [5.0, 3.0, 1.0, 0.0, 0.0]
    """

    def _option(self) -> dict[str, Any]:
        return {"kind": "queue"}


@dataclass(frozen=True)
class Oven(_Container):
    """An oven: fills, closes, cooks, and unloads everything at once (isee systems' help, "Oven Computation").

    Parameters
    ----------
    name, initial, inflows, outflows, unit, comment, group, dimensions, limits
        As of a `Stock`, with one outflow, which needs no equation. What it holds at the start is cooked at once.
    cook_time
        How long the door stays closed, read when it closes and rounded to the nearest step.
    capacity
        It closes when this much is inside; none: no limit.
    fill_time
        It closes so long after the first material came in; without capacity and fill time after one step.
    clean_time
        How long it stays empty after unloading.
    sample
        A new cook time is read only where this is not zero.
    arrest
        Everything stands still where this is not zero.
    batch_integrity, one_at_a_time
        Whether a batch of a queue before it enters whole or not at all, and at most one in a step.

    Examples
    --------
    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Oven("kiln", 0, inflows=["loading"], outflows=["unloading"], cook_time=2, capacity=6),
    ...     sd.Flow("loading", 3),
    ...     sd.Flow("unloading"),
    ...     time=sd.Time(0, 6, dt=1),
    ... )
    >>> model.run()["unloading"].tolist()
    [0.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0]
    """

    cook_time: str | float | None = field(default=None, kw_only=True)
    capacity: str | float | None = field(default=None, kw_only=True)
    fill_time: str | float | None = field(default=None, kw_only=True)
    clean_time: str | float | None = field(default=None, kw_only=True)
    sample: str | float | None = field(default=None, kw_only=True)
    arrest: str | float | None = field(default=None, kw_only=True)
    batch_integrity: bool = field(default=False, kw_only=True)
    one_at_a_time: bool = field(default=True, kw_only=True)

    def _option(self) -> dict[str, Any]:
        return {
            "kind": "oven",
            "parts": self._parts("cook_time", "capacity", "fill_time", "clean_time", "sample", "arrest"),
            "switches": self._switches("batch_integrity", "one_at_a_time"),
        }


@dataclass(frozen=True)
class Leak(Flow):
    """A flow that leaks out of a conveyor.

    Parameters
    ----------
    name
        Its name.
    equation
        The fraction that leaks: of what entered, over the whole zone, or, where the conveyor leaks exponentially, of
        what is there in a unit of time.
    zone
        Where it leaks, as fractions of the way from the entry.
    integers
        Whether only whole units leak.
    unit, comment, group, dimensions, limits, spread
        As of a `Flow`.

    Examples
    --------
    A tenth leaves before the end:

    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Conveyor("school", 0, inflows=["entering"], outflows=["graduating", "quitting"], transit_time=2),
    ...     sd.Flow("entering", 100),
    ...     sd.Flow("graduating"),
    ...     sd.Leak("quitting", 0.1),
    ...     time=sd.Time(0, 4, dt=1),
    ... )
    >>> model.run().frame[["graduating", "quitting"]].iloc[-1].tolist()
    [90.0, 10.0]
    """

    zone: tuple[float, float] = field(default=(0.0, 1.0), kw_only=True)
    integers: bool = field(default=False, kw_only=True)

    def _options(self) -> list[dict[str, Any]]:
        where = f"leak {self.name!r}"
        if self.equation is None:
            raise SpecificationError(f"{where} has no fraction: expected a number or an equation", {"name": self.name})
        first: Equation = next(iter(self.equation.values())) if isinstance(self.equation, dict) else self.equation
        start, end = self.zone
        parts = {"fraction": _text(first, where), "start": _text(start, where), "end": _text(end, where)}
        leak = {"kind": "leak", "parts": parts, "switches": ["integers"] if self.integers else []}
        return [*super()._options(), leak]
