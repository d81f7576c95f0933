"""Scenarios and uncertainties of the Banyuwangi case."""

from __future__ import annotations

from typing import Literal

from sembada.datasets.banyuwangi_parameters import LEVERS, PARAMETERS, RANGE_GROUPS, RANGES
from sembada.errors import SpecificationError
from sembada.study.scenario import Scenario, factorial

__all__ = ["banyuwangi_groups", "banyuwangi_scenarios", "banyuwangi_uncertainties"]

_STAGED = {"km": (1.0, 3.0), "tr": (0.6, 3.0), "st": (1.0, 18.0)}
_ALL_OFF = {f"{lever}_intensity": 0.0 for lever in LEVERS}


def _scenario(name: str, label: dict[str, str], use: dict[str, tuple[float, float]], factor: float) -> Scenario:
    params = dict(_ALL_OFF)
    for lever, (intensity, start) in use.items():
        params[f"{lever}_intensity"] = intensity * factor
        params[f"{lever}_start"] = start
    cost = PARAMETERS["pub"][0] * sum(intensity * factor for intensity, _ in use.values())
    return Scenario(name, params, label=label, cost=cost)


def banyuwangi_scenarios(
    kind: Literal["named", "factorial"] = "named", *, budget: Literal["as-is", "equal"] = "as-is"
) -> tuple[Scenario, ...]:
    """Make the status quo and the policies of the case.

    Parameters
    ----------
    kind
        `"named"`: S0 (status quo) and S1 to S8. `"factorial"`: the 2³ combinations of training, co-creation and
        knowledge capability, the three constraints that the thesis names; the first is the status quo.
    budget
        `"as-is"`: full intensity. `"equal"`: intensities are scaled so that every policy costs the public the same
        (one programme at full use; no intensity rises above 1.25 of its plan).

    Returns
    -------
    tuple of Scenario

    Examples
    --------
    >>> [scenario.name for scenario in banyuwangi_scenarios()]
    ['S0', 'S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S8']
    >>> [round(scenario.cost, 3) for scenario in banyuwangi_scenarios(budget="equal")][-2:]
    [1.0, 1.0]
    """
    if kind not in ("named", "factorial"):
        raise SpecificationError(f"kind is {kind!r}: expected 'named' or 'factorial'", {"kind": kind})
    if budget not in ("as-is", "equal"):
        raise SpecificationError(f"budget is {budget!r}: expected 'as-is' or 'equal'", {"budget": budget})

    def factor(use: dict[str, tuple[float, float]]) -> float:
        total = sum(intensity for intensity, _ in use.values())
        return min(1.25, 1.0 / total) if budget == "equal" and total > 0 else 1.0

    plans: dict[str, tuple[dict[str, str], dict[str, tuple[float, float]]]] = {}
    if kind == "named":
        plans["S0"] = ({"en": "status quo", "id": "tanpa kebijakan"}, {})
        for number, (lever, (english, indonesian, start)) in enumerate(LEVERS.items(), start=1):
            plans[f"S{number}"] = ({"en": english, "id": indonesian}, {lever: (1.0, start)})
        plans["S8"] = (
            {
                "en": "staged: knowledge and training first, then openness",
                "id": "bertahap: pengetahuan dan pelatihan dulu, lalu keterbukaan",
            },
            dict(_STAGED),
        )
    else:
        for made in factorial({lever: {lever: 1.0} for lever in ("tr", "cc", "km")}):
            use = {lever: (1.0, LEVERS[lever][2]) for lever in made.params}
            english = " + ".join(LEVERS[lever][0] for lever in use) or "status quo"
            indonesian = " + ".join(LEVERS[lever][1] for lever in use) or "tanpa kebijakan"
            plans[made.name if use else "S0"] = ({"en": english, "id": indonesian}, use)
    return tuple(_scenario(name, label, use, factor(use)) for name, (label, use) in plans.items())


def banyuwangi_uncertainties() -> dict[str, tuple[float, float]]:
    """Return the ranges (uniform) of the 36 uncertain parameters of the stock-and-flow model.

    Examples
    --------
    >>> len(banyuwangi_uncertainties()), banyuwangi_uncertainties()["gC"]
    (36, (0.1, 0.3))
    """
    return dict(RANGES)


def banyuwangi_groups() -> dict[str, list[str]]:
    """Return the groups of uncertain parameters, for the value of partial information.

    Examples
    --------
    >>> list(banyuwangi_groups())
    ['market', 'bridge', 'delays', 'finance', 'policy effects']
    """
    return {group: list(ranges) for group, ranges in RANGE_GROUPS.items()}
