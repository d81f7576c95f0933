"""System dynamics: models from objects or files, runs, and sweeps of any size."""

from __future__ import annotations

from sembada.sd.containers import Conveyor, Leak, Oven, Queue
from sembada.sd.designs import Design, grid, sample, scenarios
from sembada.sd.integration import check_integration
from sembada.sd.model import Model
from sembada.sd.objects import Aux, Data, Flow, Lookup, Parameter, Stock, Time
from sembada.sd.read import read
from sembada.sd.run import Run
from sembada.sd.statistics import Statistics
from sembada.sd.sweep import Sweep

__all__ = [
    "Aux",
    "Conveyor",
    "Data",
    "Design",
    "Flow",
    "Leak",
    "Lookup",
    "Model",
    "Oven",
    "Parameter",
    "Queue",
    "Run",
    "Statistics",
    "Stock",
    "Sweep",
    "Time",
    "check_integration",
    "grid",
    "read",
    "sample",
    "scenarios",
]
