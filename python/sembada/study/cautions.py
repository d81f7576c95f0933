"""What may be wrong with a hand-off from survey to model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sembada.study.draws import PathDraws
from sembada.study.link import Link

__all__ = ["MESSAGES", "Caution", "find"]

#: What each caution means; the facts of a caution fill the braces.
MESSAGES: dict[str, str] = {
    "cross-sectional": (
        "path coefficients compare respondents at one time; they are not rates and not effects of change within one of "
        "them. The model uses them as a steady state"
    ),
    "attenuation": (
        "mode A scores carry measurement error, which shrinks paths towards zero; run the study with consistent=True "
        "(PLSc) beside it and see whether the choice stands"
    ),
    "no delay": (
        "no delay is stated: a cross-sectional coefficient says where things settle, not when; let the model approach "
        "the value through a delay and name it in delay="
    ),
    "unit": "parameter {parameter!r} has the unit {stated!r} in the model and {unit!r} in the link",
    "pure number": "form {form!r} gives a pure number, but the link states the unit {unit!r}; use 'unstandardised'",
    "not calibrated": (
        "{gain!r} turns standard deviations into quantities but is not calibrated: give loading= and cv= of a "
        "quantitative indicator and use bridge.calibrate"
    ),
    "calibration": (
        "the long-run log effect of one standard deviation should be about loading × CV = {target:.2f}: see "
        "bridge.calibrate({gain!r}, …); the model has {gain} = {now:g}"
    ),
    "double counting": (
        "the coefficient may already contain what {mechanisms} carry in the model: run the study with these at zero "
        "and report whether the choice stands"
    ),
    "sign": "the sign is open: {other:.0f} % of the bootstrap draws have the other one",
    "negative weight": (
        "weights that sum to one suppose positive coefficients; this one is {estimate:.3f}. Use form 'z'"
    ),
}


class Caution(NamedTuple):
    """One caution: the link (`all` for every one), its name, severity, the facts behind it."""

    link: str
    caution: str
    severity: str
    facts: dict[str, Any]

    @property
    def message(self) -> str:
        """What it means and what to do."""
        return MESSAGES[self.caution].format(**self.facts)


def find(
    links: Sequence[Link],
    draws: PathDraws | None,
    units: Mapping[str, str],
    values: Mapping[str, float] | None,
) -> list[Caution]:
    """Return every caution that applies.

    Parameters
    ----------
    links
        The links of the bridge.
    draws
        Draws of the paths, if known.
    units
        Units that the model states, by parameter.
    values
        Values of the model's parameters, if known.
    """
    found = [Caution("all", "cross-sectional", "note", {})]
    if draws is not None and draws.consistent is not True:
        found.append(Caution("all", "attenuation", "note", {}))
    for link in links:
        found += _delay(link) + _unit(link, units) + _calibration(link, values) + _double(link)
        if draws is not None:
            found += _sign(link, draws)
    return found


def _delay(link: Link) -> list[Caution]:
    return [Caution(link.name, "no delay", "caution", {})] if link.delay is None else []


def _plain_unit(unit: str) -> str:
    """Units without dimension are one unit, whatever their name."""
    return "dmnl" if unit.lower() in ("", "1", "dmnl", "dimensionless") else unit.lower()


def _unit(link: Link, units: Mapping[str, str]) -> list[Caution]:
    stated = units.get(link.parameter)
    found = []
    if stated is not None and _plain_unit(stated) != _plain_unit(link.unit):
        facts = {"parameter": link.parameter, "stated": stated, "unit": link.unit}
        found.append(Caution(link.name, "unit", "serious", facts))
    if link.form != "unstandardised" and _plain_unit(link.unit) != "dmnl":
        found.append(Caution(link.name, "pure number", "serious", {"form": link.form, "unit": link.unit}))
    return found


def _calibration(link: Link, values: Mapping[str, float] | None) -> list[Caution]:
    if link.gain is None:
        return []
    if link.loading is None or link.cv is None:
        return [Caution(link.name, "not calibrated", "caution", {"gain": link.gain})]
    now = np.nan if values is None else values.get(link.gain, np.nan)
    return [
        Caution(link.name, "calibration", "note", {"gain": link.gain, "target": link.loading * link.cv, "now": now})
    ]


def _double(link: Link) -> list[Caution]:
    if not link.mechanisms:
        return []
    return [Caution(link.name, "double counting", "caution", {"mechanisms": ", ".join(link.mechanisms)})]


def _sign(link: Link, draws: PathDraws) -> list[Caution]:
    column = draws.column(link.path)
    column = column[np.isfinite(column)]
    estimate = float(draws.estimate[draws.index(link.path)])
    other = float((column * np.sign(estimate) < 0).mean()) if column.size else 0.0
    found = []
    if other > 0.025:
        found.append(Caution(link.name, "sign", "caution", {"other": 100 * other}))
    if link.form == "weight" and (estimate < 0 or other > 0.025):
        found.append(Caution(link.name, "negative weight", "serious", {"estimate": estimate}))
    return found
