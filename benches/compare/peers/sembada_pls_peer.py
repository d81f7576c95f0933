"""sembada: the bare engine for a chosen set of statistics, or a public call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import sembada
from sembada import _core, pls

STATE: dict[str, Any] = {}


def chain(model: dict[str, Any], rows: int) -> pd.DataFrame:
    """Draw normal indicators of a chain of constructs."""
    random = np.random.default_rng(1)
    score, columns = np.zeros(rows), {}
    for construct in model["constructs"]:
        score = 0.6 * score + 0.8 * random.standard_normal(rows)
        for item in construct["items"]:
            columns[item] = 0.8 * score + 0.6 * random.standard_normal(rows)
    return pd.DataFrame(columns)


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    model = case["model"]
    items = [item for construct in model["constructs"] for item in construct["items"]]
    data = pd.read_csv(case["csv"])[items].astype(float) if "csv" in case else chain(model, case["rows"])
    if case.get("real"):  # a real-valued survey: the exact kernels for whole numbers do not apply
        data = data + 1e-3 * np.random.default_rng(1).standard_normal(data.shape)
    STATE.update(case)
    if "statistics" in case:  # the bare engine
        index = {c["name"]: number for number, c in enumerate(model["constructs"])}
        columns = {item: number for number, item in enumerate(items)}
        STATE["engine"] = _core.PlsEngine(
            {
                "columns": items,
                "constructs": [
                    {"name": c["name"], "mode": c["mode"], "columns": [columns[i] for i in c["items"]]}
                    for c in model["constructs"]
                ],
                "paths": [[index[a], index[b]] for a, b in model["paths"]],
            }
        )
        STATE["values"] = np.ascontiguousarray(data.to_numpy())
        STATE["check"] = None
    else:
        outcomes = list(dict.fromkeys(b for _, b in model["paths"]))
        specification = pls.Model(
            blocks=[pls.block(c["name"], c["items"], mode=c["mode"]) for c in model["constructs"]],
            paths={b: [a for a, x in model["paths"] if x == b] for b in outcomes},
        )
        STATE["fit"] = specification.fit(data)
        estimates = STATE["fit"].paths["estimate"]
        STATE["check"] = [float(estimates.loc[(a, b)]) for a, b in model["paths"]]
    return {"version": f"{sembada.__version__} {_core.available_kernels()[-1]}"}


def sample(count: int) -> object:
    threads = STATE.get("threads", 1)
    if "engine" in STATE:
        plan = STATE.get("plan", {"kind": "bootstrap", "key": (1, 2), "n": count})
        plan = {name: np.array(value) if isinstance(value, list) else value for name, value in plan.items()}
        statistics = None if STATE["statistics"] == "all" else STATE["statistics"]
        done = 0
        while done < count:  # plans of a fixed size are called until there are enough replicates
            values, _, _ = STATE["engine"].replicate(STATE["values"], plan, statistics=statistics, threads=threads)
            done += len(values)
    else:
        STATE["fit"].bootstrap(count, seed=1, threads=threads)
    return STATE["check"]
