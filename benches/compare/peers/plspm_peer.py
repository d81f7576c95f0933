"""plspm for Python and its fork openpls: full fits on resampled rows, which is what their bootstrap does."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

import pandas as pd

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    package = case["package"]
    config = importlib.import_module(f"{package}.config")
    names = {name: importlib.import_module(f"{package}.{name}") for name in ("plspm", "scheme", "mode", "scale")}
    model = case["model"]
    data = pd.read_csv(case["csv"])
    constructs = [c["name"] for c in model["constructs"]]
    path = pd.DataFrame(0, index=constructs, columns=constructs)
    for a, b in model["paths"]:
        path.loc[b, a] = 1
    # Without default_scale the package divides all columns by one pooled standard deviation.
    settings = config.Config(path, default_scale=names["scale"].Scale.NUM)
    for construct in model["constructs"]:
        items = [config.MV(item) for item in construct["items"]]
        settings.add_lv(construct["name"], names["mode"].Mode.A, *items)

    def fit(rows: pd.DataFrame) -> Any:
        return names["plspm"].Plspm(rows, settings, names["scheme"].Scheme.PATH, iterations=300, tolerance=1e-7)

    coefficients = fit(data).path_coefficients()
    STATE.update(fit=fit, data=data, check=[float(coefficients.loc[b, a]) for a, b in model["paths"]])
    return {"version": version(case.get("distribution", package))}


def sample(count: int) -> object:
    data = STATE["data"]
    for replicate in range(count):
        rows = data.sample(len(data), replace=True, random_state=replicate).reset_index(drop=True)
        STATE["fit"](rows)
    return STATE["check"]
