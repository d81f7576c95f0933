"""What may be wrong with a hand-off from survey to model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sembada.study.draws import PathDraws
from sembada.study.link import Link

__all__ = ["find"]

Row = tuple[str, str, str, str]

_DIMENSIONLESS = {"", "1", "dmnl", "dimensionless"}


def find(
    links: Sequence[Link],
    draws: PathDraws | None,
    units: Mapping[str, str],
    values: Mapping[str, float] | None,
) -> list[Row]:
    """Return `(link, caution, severity, message)` for every caution that applies.

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
    rows: list[Row] = [
        (
            "all",
            "cross-sectional",
            "note",
            "path coefficients compare firms at one time; they are not rates and not effects of change within a firm. "
            "The model uses them as a steady state",
        )
    ]
    rows += _attenuation(draws)
    for link in links:
        rows += _delay(link) + _unit(link, units) + _calibration(link, values) + _double(link)
        if draws is not None:
            rows += _sign(link, draws)
    return rows


def _attenuation(draws: PathDraws | None) -> list[Row]:
    if draws is None or draws.consistent is True:
        return []
    return [
        (
            "all",
            "attenuation",
            "note",
            "mode A scores carry measurement error, which shrinks paths towards zero; run the study with consistent=True "
            "(PLSc) beside it and see whether the choice stands",
        )
    ]


def _delay(link: Link) -> list[Row]:
    if link.delay is not None:
        return []
    return [
        (
            link.name,
            "no delay",
            "caution",
            "no delay is stated: a cross-sectional coefficient says where things settle, not when; let the model approach the "
            "value through a delay and name it in delay=",
        )
    ]


def _unit(link: Link, units: Mapping[str, str]) -> list[Row]:
    stated = units.get(link.parameter)
    rows: list[Row] = []
    if stated is not None and stated.lower() not in _DIMENSIONLESS | {link.unit.lower()}:
        rows.append(
            (
                link.name,
                "unit",
                "serious",
                f"parameter {link.parameter!r} has the unit {stated!r} in the model and {link.unit!r} in the link",
            )
        )
    if link.form != "unstandardised" and link.unit.lower() not in _DIMENSIONLESS:
        rows.append(
            (
                link.name,
                "unit",
                "serious",
                f"form {link.form!r} gives a pure number, but the link states the unit {link.unit!r}; use 'unstandardised'",
            )
        )
    return rows


def _calibration(link: Link, values: Mapping[str, float] | None) -> list[Row]:
    if link.gain is None:
        return []
    if link.loading is None or link.cv is None:
        return [
            (
                link.name,
                "calibration",
                "caution",
                f"{link.gain!r} turns standard deviations into quantities but is not calibrated: give loading= and cv= of a "
                "quantitative indicator and use bridge.calibrate",
            )
        ]
    now = "" if values is None or link.gain not in values else f"; it is {values[link.gain]:g} now"
    return [
        (
            link.name,
            "calibration",
            "note",
            f"the long-run log effect of one standard deviation should be about loading × CV = {link.loading * link.cv:.2f}: "
            f"bridge.calibrate({link.gain!r}, …){now}",
        )
    ]


def _double(link: Link) -> list[Row]:
    if not link.mechanisms:
        return []
    listed = ", ".join(link.mechanisms)
    return [
        (
            link.name,
            "double counting",
            "caution",
            f"the coefficient may already contain what {listed} carry in the model: run the study with these at zero and report "
            "whether the choice stands",
        )
    ]


def _sign(link: Link, draws: PathDraws) -> list[Row]:
    column = draws.column(link.path)
    column = column[np.isfinite(column)]
    estimate = draws.estimate[draws.index(link.path)]
    other = float((column * np.sign(estimate) < 0).mean()) if column.size else 0.0
    rows: list[Row] = []
    if other > 0.025:
        rows.append(
            (
                link.name,
                "sign",
                "caution",
                f"the sign is open: {100 * other:.0f} % of the bootstrap draws have the other one",
            )
        )
    if link.form == "weight" and (estimate < 0 or other > 0.025):
        rows.append(
            (
                link.name,
                "negative weight",
                "serious",
                f"weights that sum to one suppose positive coefficients; this one is {estimate:.3f}. Use form 'z'",
            )
        )
    return rows
