"""Reading interactions: simple slopes, floodlight analysis, and the index of moderated mediation.

With `Y = b₁ X + b₂ Z + b₃ XZ` on standardised scores, one standard deviation more of X moves Y by `b₁ + b₃ Z`; with a
quadratic term `X:X`, by `b₁ + 2 b₃ X`. Sources: Aiken & West (1991), ch. 2; Spiller, Fitzsimons, Lynch & McClelland
(2013), J. Mark. Res. 50(2), 277–288 (floodlight); Hayes (2015), Multivar. Behav. Res. 50(1), 1–22 (index).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, unknown_name
from sembada.pls import intervals
from sembada.pls.made import Made
from sembada.pls.specification import factors

if TYPE_CHECKING:
    from sembada.pls.bootstrap import Bootstrap

__all__ = ["floodlight", "moderated_mediation", "simple_slopes"]

Array = NDArray[np.float64]


def _column(boot: Bootstrap, predictor: str, outcome: str) -> Callable[[Array], Array]:
    """Return what takes one coefficient out of the paths `(n, n_paths)`; zero if the model has no such path."""
    labels = boot.fit._system.layouts(["paths"])["paths"].labels
    if (predictor, outcome) not in labels:
        return lambda paths: np.zeros(len(paths))
    position = labels.index((predictor, outcome))
    return lambda paths: paths[:, position]


def _term(boot: Bootstrap, term: str, outcome: str, focal: str | None) -> tuple[str, str]:
    """Return the focal predictor and the moderator of a two-way interaction."""
    known = [name for name, target in boot.fit.model.paths if target == outcome and ":" in name]
    if term not in known:
        raise unknown_name("interaction", term, known, where=f"the paths to {outcome!r}")
    parts = factors(term)
    if len(parts) != 2:
        raise SpecificationError(
            f"the interaction {term!r} has {len(parts)} factors: slopes are drawn for two", {"term": term}
        )
    first, second = parts
    if focal is None or focal == first:
        return first, second
    if focal == second:
        return second, first
    raise unknown_name("focal predictor", focal, parts, where=f"the interaction {term!r}")


def table(
    boot: Bootstrap,
    make: Callable[[Array], Array],
    index: pd.Index[Any],
    level: float,
    interval: str | None,
    tails: int,
) -> pd.DataFrame:
    """Return the table of numbers that are made of paths."""
    word = boot.interval_of(interval)
    intervals.check(level, word, tails)
    found = boot.table_of("paths", Made(("paths",), index, make), level=level, interval=word, tails=tails)
    return found.drop(columns="mean")


def simple_slopes(
    boot: Bootstrap,
    term: str,
    outcome: str,
    *,
    focal: str | None,
    at: Sequence[float],
    level: float,
    interval: str | None,
    tails: int,
) -> pd.DataFrame:
    """Return the slope of the focal predictor at some values of the moderator; see `Bootstrap.simple_slopes`."""
    values = np.asarray(at, dtype=float)
    x, z = _term(boot, term, outcome, focal)
    base, change = _column(boot, x, outcome), _column(boot, term, outcome)
    double = 2.0 if x == z else 1.0

    def make(paths: Array) -> Array:
        return np.asarray(base(paths)[:, None] + double * change(paths)[:, None] * values)

    return table(boot, make, pd.Index(values, name=z), level, interval, tails)


def floodlight(
    boot: Bootstrap,
    term: str,
    outcome: str,
    *,
    focal: str | None,
    span: tuple[float, float],
    points: int,
    level: float,
    interval: str | None,
) -> tuple[pd.DataFrame, list[float]]:
    """Return slopes over a range of the moderator, and where they begin or cease to differ from zero."""
    if points < 2 or not span[0] < span[1]:
        raise SpecificationError(f"span={span!r}, points={points!r}: expected a low end, a higher one, and two points")
    at = np.linspace(span[0], span[1], points)
    lights = simple_slopes(boot, term, outcome, focal=focal, at=list(at), level=level, interval=interval, tails=2)
    lights["significant"] = (lights["lower"] > 0) | (lights["upper"] < 0)
    turns: list[float] = []
    for limit in ("lower", "upper"):
        values = lights[limit].to_numpy(float)
        # Between two grid points the limit is as good as straight.
        turns.extend(
            float(at[k] - values[k] * (at[k + 1] - at[k]) / (values[k + 1] - values[k]))
            for k in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
        )
    return lights, sorted(turns)


def moderated_mediation(
    boot: Bootstrap,
    predictor: str,
    mediator: str,
    outcome: str,
    moderator: str,
    *,
    at: Sequence[float],
    level: float,
    interval: str | None,
) -> pd.DataFrame:
    """Return the index of moderated mediation and the conditional indirect effects."""
    spec = boot.fit.model.specification
    for name in (predictor, mediator, outcome, moderator):
        if name not in spec.measured:
            raise unknown_name("construct", name, spec.measured)
    pairs = boot.fit.model.paths

    def moderation(source: str, target: str) -> str | None:
        names = (f"{source}:{moderator}", f"{moderator}:{source}")
        return next((name for name in names if (name, target) in pairs), None)

    first, second = moderation(predictor, mediator), moderation(mediator, outcome)
    if first is None and second is None:
        raise SpecificationError(
            f"neither {predictor}:{moderator} → {mediator} nor {mediator}:{moderator} → {outcome} is a path of the "
            "model: add the interaction",
            {"moderator": moderator},
        )
    values = np.asarray(at, dtype=float)
    labels = [f"indirect at {moderator} = {value:g}" for value in values]
    # With one moderated path the indirect effect is linear in the moderator, and its slope is the index.
    linear = first is None or second is None
    columns = [
        _column(boot, source, target)
        for source, target in (
            (predictor, mediator),
            (mediator, outcome),
            (first or "", mediator),
            (second or "", outcome),
        )
    ]

    def make(paths: Array) -> Array:
        a, b, am, bm = (column(paths)[:, None] for column in columns)
        indirect = (a + am * values) * (b + bm * values)
        return np.concatenate([am * b + bm * a, indirect], axis=1) if linear else indirect

    index = pd.Index(["index", *labels] if linear else labels, name="quantity", dtype="object")
    return table(boot, make, index, level, interval, 2)
