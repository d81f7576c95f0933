"""Tables that follow from the engine's statistics, for one estimation or for many replicates at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.pls import criteria as information
from sembada.pls import unstandardised as units
from sembada.pls.engine import SATURATED
from sembada.pls.made import Made
from sembada.pls.statistics import GROUPS

if TYPE_CHECKING:
    from sembada.pls.fit import Fit
    from sembada.pls.tables import Tables

__all__ = ["LOGARITHMS", "criteria", "fit_measures", "fornell_larcker", "made", "unstandardised"]

Array = NDArray[np.float64]
LOGARITHMS = ("decadic", "natural")
#: d_G is a sum of squared logarithms.
NATURAL = float(np.log(10.0) ** 2)


def made(fit: Fit, name: str) -> Made:
    """Return how a table of `statistics.DERIVED` is made."""
    if name == "criteria":
        return criteria(fit)
    if name == "fornell_larcker":
        return fornell_larcker(fit)
    return unstandardised(fit, rescaled=False, limits=None)


def criteria(fit: Tables) -> Made:
    """Return how the criteria are made from explained variances; n is the number of rows of the data."""
    spec = fit.model.specification
    counts = np.array([len(spec.predictors(name)) for name in spec.outcomes], dtype=float)
    n = float(fit.n_obs)
    order = [label[0] for label in fit._system.layouts(["r2"])["r2"].labels]
    place = [order.index(name) for name in spec.outcomes]
    index = pd.MultiIndex.from_product([list(spec.outcomes), information.NAMES], names=["construct", "criterion"])

    def make(r2: Array, saturated: Array | None = None) -> Array:
        found = information.criteria(r2[:, place], counts, n, saturated)
        return found.reshape(len(r2), len(index))

    parts = ("r2",) if fit._system.saturated is None else ("r2", SATURATED)
    return Made(parts, index, make)


def fornell_larcker(fit: Fit) -> Made:
    """Return how the Fornell–Larcker table is made: correlations, and √AVE on the diagonal."""
    layouts = fit._system.layouts(["construct_correlations", "ave"])
    pairs = list(layouts["construct_correlations"].labels)
    own = [label[0] for label in layouts["ave"].labels]
    index = pd.MultiIndex.from_tuples([*((name, name) for name in own), *pairs], names=["construct", "other"])

    def make(correlations: Array, ave: Array) -> Array:
        return np.concatenate([np.sqrt(ave), correlations], axis=1)

    return Made(("construct_correlations", "ave"), index, make)


def fit_measures(fit: Fit, logarithm: str) -> Made:
    """Return how the fit measures are made, with d_G in the wanted logarithm."""
    parts = tuple(part for part in GROUPS["fit_measures"] if part in fit._system.statistics)
    models = ("saturated", "estimated")
    index = pd.MultiIndex.from_product([models, parts], names=["model", "measure"])
    factor = np.array([NATURAL if part == "d_g" and logarithm == "natural" else 1.0 for part in parts])

    def make(*columns: Array) -> Array:
        return np.concatenate([np.stack([part[:, k] for part in columns], axis=1) * factor for k in (0, 1)], axis=1)

    return Made(parts, index, make)


def unstandardised(fit: Fit, *, rescaled: bool, limits: Any) -> Made:
    """Return how path coefficients in units of the answers are made."""
    ends = units.ends(fit, limits) if rescaled else {}
    system = fit._system
    layouts = system.layouts(["weights", "means", "sds", "paths"])
    pairs = fit.model.paths
    levels = ["predictor", "outcome"]
    index = pd.MultiIndex.from_tuples(pairs, names=levels) if pairs else layouts["paths"].index

    def make(weights: Array, means: Array, sds: Array, paths: Array) -> Array:
        table = {label: weights[:, k] for k, label in enumerate(layouts["weights"].labels)}
        mean = {label[0]: means[:, k] for k, label in enumerate(layouts["means"].labels)}
        sd = {label[0]: sds[:, k] for k, label in enumerate(layouts["sds"].labels)}
        center, spread = units.scores_scale(system, table, units.rescale(mean, sd, ends))
        path = {label: paths[:, k] for k, label in enumerate(layouts["paths"].labels)}
        slopes, _ = units.slopes(fit.model.specification, path, center, spread)
        columns = [slopes[pair] for pair in pairs]
        return np.stack(columns, axis=1) if columns else np.empty((len(weights), 0))

    return Made(("weights", "means", "sds", "paths"), index, make)
