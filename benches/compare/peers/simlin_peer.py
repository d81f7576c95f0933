"""pysimlin: one simulation reset and run again for every row of the design."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import simlin

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    STATE.update(case)
    if case.get("how") == "compile":
        return {"version": version("pysimlin")}
    model = simlin.load(case["model"])
    STATE.update(case, loaded=model, simulation=model.simulate())
    STATE["names"] = STATE["simulation"].get_var_names() if "design" in case else []
    return {"version": version("pysimlin")}


def sample(count: int) -> object:
    if STATE.get("how") == "compile":
        for _ in range(count):
            simlin.load(STATE["model"]).simulate()
        return None
    if STATE.get("how") == "frame":  # a whole run to a DataFrame
        for _ in range(count):
            frame = STATE["loaded"].run(analyze_loops=False).results
        column = next(c for c in frame.columns if c.replace(" ", "_").lower() == STATE["check"][0])
        return [float(frame[column].iloc[-1])]
    simulation, design = STATE["simulation"], STATE["design"]
    for row in range(count):
        simulation.reset()
        for name, values in design.items():
            simulation.set_value(name, values[row % len(values)])
        simulation.run_to_end()
        kept = {name: simulation.get_series(name) for name in STATE["save"] or STATE["names"]}
        assert kept
        if row == 0:
            check = [float(simulation.get_series(name)[-1]) for name in STATE["check"]]
    return check
