"""What a bootstrap can draw: names, the engine's numbers behind them, and what is made from these.

Every table of a `Fit` has its draws: those that the engine counts among its statistics, and those that follow from
them, replicate by replicate (criteria, the Fornell–Larcker table, unstandardised coefficients).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sembada.pls.engine import System

__all__ = ["DERIVED", "GROUPS", "STANDARD", "known_names", "parts_of"]

#: What `draws` offers → the engine's statistics.
GROUPS: dict[str, tuple[str, ...]] = {
    "paths": ("paths",),
    "outer_weights": ("weights",),
    "loadings": ("loadings",),
    "total_effects": ("total_effects",),
    "indirect_effects": ("indirect_effects",),
    "specific_indirect": ("specific_indirect",),
    "r2": ("r2",),
    "r2_adjusted": ("r2_adjusted",),
    "f2": ("f2",),
    "vif": ("vif",),
    "item_vif": ("item_vif",),
    "htmt": ("htmt",),
    "htmt2": ("htmt2",),
    "reliability": ("alpha", "rho_a", "rho_c", "ave"),
    "construct_correlations": ("construct_correlations",),
    "cross_loadings": ("cross_loadings",),
    "fit_measures": ("srmr", "d_uls", "d_g", "nfi"),
    "moments": ("means", "sds"),
}
#: Made from other statistics → these.
DERIVED: dict[str, tuple[str, ...]] = {
    "criteria": ("r2",),
    "fornell_larcker": ("construct_correlations", "ave"),
    "unstandardised": ("weights", "means", "sds", "paths"),
}
#: Drawn at once unless `statistics` says otherwise; the others when a table first asks for them.
STANDARD = (
    "paths", "outer_weights", "loadings", "total_effects", "indirect_effects", "specific_indirect", "r2", "f2", "htmt",
    "reliability",
)  # fmt: skip


def known_names() -> tuple[str, ...]:
    """Return the names of all statistics that can be drawn."""
    return (*GROUPS, *DERIVED)


def parts_of(system: System, names: Sequence[str]) -> tuple[str, ...]:
    """Return the engine's statistics behind some names, as far as the model has them."""
    known = set(system.statistics)
    parts = (part for name in names for part in (GROUPS[name] if name in GROUPS else DERIVED[name]))
    return tuple(dict.fromkeys(part for part in parts if part in known))
