"""scipy: `solve_ivp` with the same pair of Dormand and Prince, one row of the design after the other, SIR in Python."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    STATE.update(case)
    return {"version": version("scipy")}


def sample(count: int) -> object:
    design, tolerance = STATE["design"], STATE["tolerance"]
    start, end, dt, save = STATE["time"]
    times = np.linspace(start, end, round((end - start) / save) + 1)
    check = 0.0
    for row in range(count):
        infectivity = design["Contact Infectivity"][row % len(design["Duration"])]
        duration = design["Duration"][row % len(design["Duration"])]

        def slope(_: float, y: np.ndarray, infectivity: float = infectivity, duration: float = duration) -> list[float]:
            succumbing = y[0] * y[1] / 1000.0 * infectivity
            recovering = y[1] / duration
            return [-succumbing, succumbing - recovering, recovering]

        found = solve_ivp(
            slope, (start, end), STATE["start"], t_eval=times, rtol=tolerance, atol=1e-3 * tolerance, max_step=dt
        )
        if row == 0:
            check = float(found.y[0, -1])
    return [check]
