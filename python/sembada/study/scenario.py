"""A scenario: a named set of parameter values."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from sembada.errors import DataError, SpecificationError

__all__ = ["Scenario", "as_scenarios", "factorial"]


@dataclass(frozen=True)
class Scenario:
    """A policy: the parameters that it sets, and its name in each language.

    Parameters
    ----------
    name
        Short name; it labels rows and curves.
    params
        Model parameters and the values that the policy gives them. They win over links and uncertainties.
    label
        What a reader sees, by language (`{"en": …, "id": …}`) or one text for all.
    cost
        Public cost of the policy at full use, in a unit of the author's choice; `None` if unknown.
    model
        Another model to run in this scenario: a *structure scenario* (Barlas 1989). `None` keeps the model of the
        bridge.

    Raises
    ------
    DataError
        If a value is not a finite number.

    Examples
    --------
    >>> Scenario("S1", {"training": 1.0}, label={"en": "training", "id": "pelatihan"}).title("id")
    'S1 pelatihan'
    """

    name: str
    params: Mapping[str, float] = field(default_factory=dict)
    label: Mapping[str, str] | str = ""
    cost: float | None = None
    model: Any = None

    def __post_init__(self) -> None:
        if not self.name:
            raise SpecificationError("a scenario needs a name", {"name": self.name})
        clean: dict[str, float] = {}
        for key, value in self.params.items():
            number = float(value)
            if not np.isfinite(number):
                raise DataError(
                    f"scenario {self.name!r} sets parameter {key!r} to {value!r}: expected a finite number",
                    {"scenario": self.name, "parameter": key, "value": value},
                )
            clean[key] = number
        object.__setattr__(self, "params", MappingProxyType(clean))

    def __reduce__(self) -> tuple[Any, ...]:
        label = self.label if isinstance(self.label, str) else dict(self.label)
        return type(self), (self.name, dict(self.params), label, self.cost, self.model)

    def title(self, language: str = "en") -> str:
        """Return name and label in a language (any other language if that one is missing)."""
        label = self.label
        if not isinstance(label, str):
            label = label.get(language) or next(iter(label.values()), "")
        return f"{self.name} {label}" if label and label != self.name else self.name


def as_scenarios(scenarios: Iterable[Scenario] | Mapping[str, Mapping[str, float]]) -> tuple[Scenario, ...]:
    """Make scenarios of a list of them or of `{name: {parameter: value}}`; names must be unique.

    Raises
    ------
    SpecificationError
        If there are none, or two share a name.
    """
    if isinstance(scenarios, Mapping):
        made = tuple(Scenario(name, params) for name, params in scenarios.items())
    else:
        made = tuple(scenarios)
    if not made:
        raise SpecificationError("a study needs at least one scenario", {"scenarios": 0})
    for item in made:
        if not isinstance(item, Scenario):
            raise SpecificationError(
                f"expected a study.Scenario, got {item!r}: give a list of scenarios or {{name: {{parameter: value}}}}",
                {"value": repr(item)},
            )
    names = [item.name for item in made]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise SpecificationError(f"two scenarios are named {double[0]!r}: names must be unique", {"name": double[0]})
    return made


def factorial(
    levers: Mapping[str, Mapping[str, float]], *, off: Mapping[str, float] | None = None
) -> tuple[Scenario, ...]:
    """All 2^k combinations of k levers, the first with none.

    Parameters
    ----------
    levers
        For each lever the parameters that it sets when it is on.
    off
        Parameters that hold in every combination unless a lever sets them.

    Examples
    --------
    >>> [s.name for s in factorial({"skills": {"u_s": 1}, "brand": {"u_b": 1}})]
    ['none', 'brand', 'skills', 'skills+brand']
    """
    made = []
    for bits in itertools.product((False, True), repeat=len(levers)):
        chosen = [name for name, on in zip(levers, bits, strict=True) if on]
        params = dict(off or {})
        for name in chosen:
            params.update(levers[name])
        made.append(Scenario("+".join(chosen) or "none", params))
    return tuple(made)
