"""sembada: `Fit.bootstrap`, with the kernel, the threads and the statistics that the case asks for."""

from __future__ import annotations

from typing import Any

import pandas as pd

import sembada
from sembada import pls

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    model = case["model"]
    data = pd.read_csv(case["csv"])
    if case.get("real"):  # a real-valued survey: the exact integer kernels do not apply
        data = data.astype(float) + 1e-3 * (data.rank() / len(data))
    outcomes = list(dict.fromkeys(b for _, b in model["paths"]))
    specification = pls.Model(
        blocks=[pls.block(c["name"], c["items"], mode=c["mode"]) for c in model["constructs"]],
        paths={b: [a for a, x in model["paths"] if x == b] for b in outcomes},
    )
    fit = specification.fit(data)
    STATE.update(fit=fit, options=case.get("options", {}), calls=case.get("calls", {}))
    estimates = fit.paths["estimate"]
    STATE["check"] = None if case.get("real") else [float(estimates.loc[(a, b)]) for a, b in model["paths"]]
    return {"version": sembada.__version__}


def sample(count: int) -> object:
    STATE["fit"].bootstrap(count, seed=1, **STATE["options"])
    return STATE["check"]
