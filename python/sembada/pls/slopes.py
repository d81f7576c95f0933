"""Reading interactions: simple slopes, floodlight analysis, and the index of moderated mediation.

With `Y = b₁ X + b₂ Z + b₃ XZ` on standardised scores, one standard deviation more of X moves Y by `b₁ + b₃ Z`; with a
quadratic term `X:X`, by `b₁ + 2 b₃ X`. Sources: Aiken & West (1991), ch. 2; Spiller, Fitzsimons, Lynch & McClelland
(2013), J. Mark. Res. 50(2), 277–288 (floodlight); Hayes (2015), Multivar. Behav. Res. 50(1), 1–22 (index).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, unknown_name
from sembada.pls import intervals
from sembada.pls.specification import factors

if TYPE_CHECKING:
    from sembada.pls.bootstrap import Bootstrap

__all__ = ["floodlight", "moderated_mediation", "simple_slopes"]

Array = NDArray[np.float64]


def _path(boot: Bootstrap, predictor: str, outcome: str) -> tuple[float, Array]:
    """Return the estimate and the draws of one coefficient; zero if the model has no such path."""
    pairs = boot.fit.model.paths
    if (predictor, outcome) not in pairs:
        return 0.0, np.zeros(boot.n)
    estimate = float(boot.fit.paths["estimate"][predictor, outcome])
    return estimate, boot.draws("paths")[predictor, outcome].to_numpy(float)


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


def _slopes(boot: Bootstrap, term: str, outcome: str, focal: str | None, at: Array) -> tuple[Array, Array]:
    x, z = _term(boot, term, outcome, focal)
    base, base_draws = _path(boot, x, outcome)
    change, change_draws = _path(boot, term, outcome)
    double = 2.0 if x == z else 1.0
    return base + double * change * at, base_draws[:, None] + double * change_draws[:, None] * at


def table(
    boot: Bootstrap, estimate: Array, draws: Array, index: pd.Index[Any], level: float, interval: str | None, tails: int
) -> pd.DataFrame:
    """Return the table of numbers that are made of draws."""
    word = boot.interval_of(interval)
    if word in {"bca", "studentized"}:
        raise SpecificationError(
            f"interval={word!r}: derived numbers have percentile, basic, bc and normal intervals", {"interval": word}
        )
    intervals.check(level, word, tails)
    lower, upper = intervals.limits(draws, estimate, level=level, interval=word, tails=tails)
    error = intervals.spread(draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, estimate / error, np.nan)
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": error,
            "t": t,
            "p": intervals.p_values(t, tails=tails),
            "lower": lower,
            "upper": upper,
        },
        index=index,
    )


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
    estimate, draws = _slopes(boot, term, outcome, focal, values)
    _, moderator = _term(boot, term, outcome, focal)
    return table(boot, estimate, draws, pd.Index(values, name=moderator), level, interval, tails)


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

    def moderation(source: str, target: str) -> tuple[float, Array]:
        for name in (f"{source}:{moderator}", f"{moderator}:{source}"):
            if (name, target) in pairs:
                return _path(boot, name, target)
        return 0.0, np.zeros(boot.n)

    a, a_draws = _path(boot, predictor, mediator)
    b, b_draws = _path(boot, mediator, outcome)
    am, am_draws = moderation(predictor, mediator)
    bm, bm_draws = moderation(mediator, outcome)
    if am == 0.0 and bm == 0.0:
        raise SpecificationError(
            f"neither {predictor}:{moderator} → {mediator} nor {mediator}:{moderator} → {outcome} is a path of the "
            "model: add the interaction",
            {"moderator": moderator},
        )
    values = np.asarray(at, dtype=float)
    estimate = (a + am * values) * (b + bm * values)
    draws = (a_draws[:, None] + am_draws[:, None] * values) * (b_draws[:, None] + bm_draws[:, None] * values)
    labels = [f"indirect at {moderator} = {value:g}" for value in values]
    if am == 0.0 or bm == 0.0:
        # With one moderated path the indirect effect is linear in the moderator, and its slope is the index.
        estimate = np.concatenate([[am * b + bm * a], estimate])
        draws = np.column_stack([am_draws * b_draws + bm_draws * a_draws, draws])
        labels = ["index", *labels]
    return table(boot, estimate, draws, pd.Index(labels, name="quantity", dtype="object"), level, interval, 2)
