"""A model whose answers are known, and a bootstrap to go with it: what the study is tested on without the engines."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd


class Sweep:
    def __init__(self, times, series, status):
        self.times, self.series, self.status = times, series, status

    def frame(self, name):
        return pd.DataFrame(self.series[name].T, index=pd.Index(self.times, name="time"))

    def failures(self):
        bad = np.flatnonzero(self.status)
        return pd.DataFrame({"status": "not finite", "time": 1.0, "variable": "y"}, index=pd.Index(bad, name="run"))


class Line:
    """`y = (b + u·k)·t` and `cost = u·t`; not finite where `k` is above 0.9."""

    parameters: ClassVar = {"b": 0.5, "k": 0.5, "u": 0.0, "w": 0.0}
    variables: ClassVar = {
        name: SimpleNamespace(type="stock", unit="", comment=f"the {name}", dimensions=(), depends_on=())
        for name in ("y", "cost")
    } | {
        name: SimpleNamespace(type="parameter", unit="dmnl", comment=f"the {name}", dimensions=(), depends_on=())
        for name in parameters
    }
    hash = "line"

    def __init__(self):
        self.designs = []

    def sweep(self, design, *, save, seed, **options):
        self.designs.append((design.copy(), list(save), seed, options))
        p = {name: design[name].to_numpy() if name in design else value for name, value in self.parameters.items()}
        times = np.arange(4.0)
        b, k, u = (np.broadcast_to(p[name], len(design))[:, None] for name in ("b", "k", "u"))
        series = {"y": (b + u * k) * times, "cost": u * times + 0 * b}
        status = np.where((u * k)[:, 0] > 0.9, 1, 0)
        series["y"][status == 1, 1:] = np.nan
        return Sweep(times, series, status)


def boot(n=40, seed=0):
    rng = np.random.default_rng(seed)
    made = pd.DataFrame({"X -> Y": rng.normal(0.5, 0.1, n), "Z -> Y": rng.normal(0.1, 0.1, n)})
    made.attrs["estimate"] = [0.5, 0.1]
    return made
