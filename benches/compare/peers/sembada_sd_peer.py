"""sembada: one sweep over the design, or single runs to a DataFrame."""

from __future__ import annotations

from typing import Any

import pandas as pd

import sembada
from sembada import sd

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    STATE.update(case, loaded=sd.read(case["model"]))
    return {"version": sembada.__version__}


def sample(count: int) -> object:
    model = STATE["loaded"]
    if STATE.get("frame"):
        for _ in range(count):
            frame = model.run().frame
        return [float(frame[name].iloc[-1]) for name in STATE["check"]]
    values = STATE["design"]
    length = len(next(iter(values.values())))
    design = pd.DataFrame({name: [column[row % length] for row in range(count)] for name, column in values.items()})
    sweep = model.sweep(
        design, save=STATE["save"], threads=STATE.get("threads", 1), method=STATE.get("method", "euler")
    )
    return [float(sweep.frame(name).iloc[-1, 0]) for name in STATE["check"]]
