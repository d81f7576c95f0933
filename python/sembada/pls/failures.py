"""Why an estimation ended without numbers: the engine's status as an error that says where, why and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sembada import _core
from sembada.errors import ConvergenceError, DataError, InadmissibleError, SembadaError

if TYPE_CHECKING:
    from sembada.pls.engine import System

__all__ = ["failure", "place", "words"]


def words(codes: NDArray[np.int32]) -> NDArray[np.object_]:
    """Return the word of each status."""
    return np.array(_core.pls_status(), dtype=object)[codes]


def place(system: System, word: str, detail: int) -> str:
    """Return the name of the column or construct that a status is about."""
    if detail < 0:
        return ""
    if word == "zero variance":
        names = system.engine.items
        return names[detail] if detail < len(names) else ""
    if word == "not converged":
        return f"stage {detail + 1}"
    return system.nodes[detail] if detail < len(system.nodes) else ""


def failure(system: System, status: int, detail: int, n_iter: Sequence[int] = ()) -> SembadaError:
    """Make the error of an estimation that ended with a status."""
    word = _core.pls_status()[status]
    where = place(system, word, detail)
    facts: dict[str, Any] = {"status": word, "where": where}
    if word == "not converged":
        passes = max(n_iter, default=system.options.max_iter)
        spec = system.specification
        slow = [name for name in spec.higher_order if spec.block_of[name].mode in {"B", "B-nonnegative"}]
        cure = "raise max_iter, or look for blocks that hardly correlate with their neighbours"
        if slow and system.options.higher_order != "two-stage":
            # It lies in the span of its dimensions, so only the paths beyond them move it.
            cure = (
                f"repeated indicators settle slowly under mode B ({slow[0]!r}), the more so the weaker its paths: "
                "raise max_iter (to 10,000, say), or use higher_order='two-stage', which repeats nothing"
            )
        return ConvergenceError(
            f"the weights had not settled after {passes} passes (tol={system.options.tol:g}): {cure}",
            {**facts, "n_iter": list(n_iter), "tol": system.options.tol},
        )
    if word == "zero variance":
        return DataError(
            f"column {where!r} has no variance: every answer is the same, so it cannot be an indicator. Leave it out",
            {**facts, "column": where},
        )
    if word == "singular block":
        return DataError(
            f"the indicators of construct {where!r} are linearly dependent, so mode B has no solution: leave one out, "
            "or use mode A",
            {**facts, "construct": where},
        )
    if word == "singular predictors":
        return DataError(
            f"the predictors of {where!r} are linearly dependent: leave one path out", {**facts, "construct": where}
        )
    if word == "too few rows":
        return DataError("fewer rows than the model needs: add rows, or estimate a smaller model", facts)
    if word == "completion not settled":
        return ConvergenceError(
            "the moments of the incomplete data had not settled after 2,000 passes: too little of some columns is "
            "observed together. Leave one of them out, or use missing='pairwise'",
            facts,
        )
    if word == "scaling not settled":
        return ConvergenceError(
            "the values of the categories had not settled after 1,000 rounds: merge categories with few answers",
            facts,
        )
    if word == "not finite":
        return DataError(f"the estimation of {where!r} turned non-finite", {**facts, "construct": where})
    return InadmissibleError(f"the solution is inadmissible: {word}{f' of {where!r}' if where else ''}", facts)
