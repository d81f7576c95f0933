"""The same study under other assumptions, and whether the choice stands."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sembada.errors import SpecificationError
from sembada.study.measure import Direction
from sembada.study.outcome import Outcome

__all__ = ["variants"]


def variants(
    outcomes: Mapping[str, Outcome], criteria: Mapping[str, Direction] | list[str] | str | None = None
) -> pd.DataFrame:
    """Compare the choice between variants of a study: another estimator, a link switched off, another budget.

    Parameters
    ----------
    outcomes
        Outcomes by name, the study itself first; all with the same scenarios by name.
    criteria
        Measures; those of the first outcome by default.

    Returns
    -------
    pandas.DataFrame
        Index `criterion, variant`; `best`, the scenario that is best most often; `p_best`, its probability; `mc_error`;
        `stands`, whether it is that of the first outcome; then P(best) of each scenario.

    Raises
    ------
    SpecificationError
        If there are no outcomes, or their scenarios differ.
    """
    if not outcomes:
        raise SpecificationError("nothing to compare: give {'as planned': outcome, …}", {"outcomes": 0})
    first = next(iter(outcomes.values()))
    for name, outcome in outcomes.items():
        if outcome.names != first.names:
            raise SpecificationError(
                f"variant {name!r} has the scenarios {outcome.names}: expected {first.names}", {"variant": name}
            )
    tables = {name: outcome.p_best(criteria) for name, outcome in outcomes.items()}
    rows = []
    for criterion in dict.fromkeys(next(iter(tables.values())).index.get_level_values("criterion")):
        chosen = ""
        for name, table in tables.items():
            part = table.loc[criterion]
            best = str(part["p_best"].idxmax())
            chosen = chosen or best
            rows.append(
                {
                    "criterion": criterion,
                    "variant": name,
                    "best": best,
                    "p_best": part.loc[best, "p_best"],
                    "mc_error": part.loc[best, "mc_error"],
                    "stands": best == chosen,
                    **part["p_best"].to_dict(),
                }
            )
    return pd.DataFrame(rows).set_index(["criterion", "variant"])
