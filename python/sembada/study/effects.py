"""Indirect and total effects from joint draws of the paths, and what kind of mediation they show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.study.draws import Path, PathDraws

__all__ = ["effects", "mediation_kind"]

Array = NDArray[np.float64]


def mediation_kind(direct: tuple[float, float, float], indirect: tuple[float, float, float]) -> str:
    """Name the mediation (Zhao, Lynch & Chen 2010, Journal of Consumer Research 37(2)).

    Parameters
    ----------
    direct, indirect
        Estimate, lower and upper bound.

    Returns
    -------
    str
        `complementary`, `competitive`, `indirect-only`, `direct-only` or `none`.

    Examples
    --------
    >>> mediation_kind((-0.25, -0.41, -0.10), (0.19, 0.13, 0.28))
    'competitive'
    """
    direct_clear, indirect_clear = (bounds[1] * bounds[2] > 0 for bounds in (direct, indirect))
    if direct_clear and indirect_clear:
        return "complementary" if direct[0] * indirect[0] > 0 else "competitive"
    if indirect_clear:
        return "indirect-only"
    return "direct-only" if direct_clear else "none"


def _chains(paths: tuple[Path, ...], start: str, end: str) -> Iterator[tuple[int, ...]]:
    """Columns of every directed chain of two or more paths from `start` to `end`."""
    after: dict[str, list[tuple[int, str]]] = {}
    for column, (predictor, outcome) in enumerate(paths):
        if ":" not in predictor:  # the effect of an interaction is not a chain
            after.setdefault(predictor, []).append((column, outcome))

    def walk(node: str, chain: tuple[int, ...], seen: frozenset[str]) -> Iterator[tuple[int, ...]]:
        for column, successor in after.get(node, ()):
            if successor == end:
                if chain:
                    yield (*chain, column)
            elif successor not in seen:
                yield from walk(successor, (*chain, column), seen | {successor})

    yield from walk(start, (), frozenset({start}))


def effects(draws: PathDraws, *, level: float = 0.95) -> pd.DataFrame:
    """Compute direct, indirect and total effects with percentile intervals, and VAF where it has meaning.

    Parameters
    ----------
    draws
        Joint draws of the paths.
    level
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index `predictor, outcome`, one row for each pair with an indirect effect; for each of `direct, indirect,
        total` the estimate and `_lower`, `_upper`; `p_total_positive`, the share of draws with a positive total
        effect; `mediation`; `vaf` = indirect/total, NaN unless direct and indirect effect have the same sign: under
        inconsistent mediation the ratio is not a share.
    """
    good = draws.replicates[draws.usable]
    nodes = list(dict.fromkeys(name for path in draws.paths for name in path if ":" not in name))
    tails = [(1 - level) / 2, (1 + level) / 2]
    rows: list[dict[str, Any]] = []
    for start in nodes:
        for end in nodes:
            chains = [] if start == end else list(_chains(draws.paths, start, end))
            if not chains:
                continue
            direct_column = draws.paths.index((start, end)) if (start, end) in draws.paths else None
            parts: dict[str, tuple[float, Array]] = {}
            zero = np.zeros(len(good))
            parts["direct"] = (
                (0.0, zero) if direct_column is None else (float(draws.estimate[direct_column]), good[:, direct_column])
            )
            parts["indirect"] = (
                float(sum(np.prod(draws.estimate[list(chain)]) for chain in chains)),
                np.sum([good[:, list(chain)].prod(axis=1) for chain in chains], axis=0),
            )
            parts["total"] = (
                parts["direct"][0] + parts["indirect"][0],
                parts["direct"][1] + parts["indirect"][1],
            )
            row: dict[str, Any] = {"predictor": start, "outcome": end}
            bounds: dict[str, tuple[float, float, float]] = {}
            for name, (estimate, column) in parts.items():
                lower, upper = np.quantile(column, tails)
                row |= {name: estimate, f"{name}_lower": lower, f"{name}_upper": upper}
                bounds[name] = (estimate, float(lower), float(upper))
            row["p_total_positive"] = float((parts["total"][1] > 0).mean())
            row["mediation"] = mediation_kind(bounds["direct"], bounds["indirect"])
            same_sign = parts["direct"][0] * parts["indirect"][0] > 0
            row["vaf"] = parts["indirect"][0] / parts["total"][0] if same_sign else np.nan
            rows.append(row)
    columns = ["predictor", "outcome"]
    columns += [f"{name}{end}" for name in ("direct", "indirect", "total") for end in ("", "_lower", "_upper")]
    columns += ["p_total_positive", "mediation", "vaf"]
    return pd.DataFrame(rows, columns=columns).set_index(["predictor", "outcome"])
