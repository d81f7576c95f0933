"""sembada: one sweep over the design, single runs, runs to a DataFrame, or reading and compiling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import sembada
from sembada import _core, sd

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    STATE.update(case, loaded=sd.read(case["model"]))
    if "time" in case:
        start, end, dt, save = case["time"]
        STATE["loaded"] = STATE["loaded"].replace(time={"initial_time": start, "final_time": end, "dt": dt})
        STATE["when"] = tuple(float(at) for at in np.linspace(start, end, round((end - start) / save) + 1))
    if "design" in case:
        STATE["table"] = pd.DataFrame(case["design"])
        STATE["matrix"] = np.ascontiguousarray(STATE["table"].to_numpy())
        STATE["program"] = _core.SdProgram.compile(
            STATE["loaded"]._core,
            case["save"],
            list(case["design"]),
            case.get("method", "euler"),
            kernel=case.get("kernel", "auto"),
        )
    return {"version": f"{sembada.__version__} {STATE['program'].kernel if 'program' in STATE else ''}".strip()}


def sample(count: int) -> object:
    model = STATE["loaded"]
    how = STATE.get("how", "sweep")
    if how == "frame":
        for _ in range(count):
            frame = model.run().frame
        return [float(frame[name].iloc[-1]) for name in STATE["check"]]
    if how == "compile":
        for _ in range(count):
            program = _core.SdProgram.compile(sd.read(STATE["model"])._core)
        return program.n_states > 0
    rows = np.arange(count) % len(STATE["table"])
    if how == "rk45":
        table = STATE["table"].iloc[rows]
        sweep = model.sweep(
            table, save=STATE["save"], method="rk45", tolerance=STATE["tolerance"], time=STATE["when"], threads=1
        )
        return [float(sweep.frame(name).iloc[-1, 0]) for name in STATE["check"]]
    if how == "single":
        matrix, program = STATE["matrix"], STATE["program"]
        values, *_ = program.run(matrix[0])
        first = values
        for row in rows[1:]:
            values, *_ = program.run(matrix[row])
        return [float(first[-1, STATE["save"].index(name)]) for name in STATE["check"]]
    if how == "engine":
        values, *_ = STATE["program"].sweep(STATE["matrix"][rows], threads=STATE.get("threads", 1))
        columns = STATE["program"].columns
        return [float(values[columns.index(name), -1, 0]) for name in STATE["check"]]
    table = STATE["table"] if count == len(STATE["table"]) else STATE["table"].iloc[rows]
    sweep = model.sweep(table, save=STATE["save"], threads=STATE.get("threads", 1), method=STATE.get("method", "euler"))
    return [float(sweep.frame(name).iloc[-1, 0]) for name in STATE["check"]]
