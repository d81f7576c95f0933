"""The public calls of system dynamics: `pytest benches/python --benchmark-enable`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sembada import sd

MODELS = Path(__file__).parents[1] / "compare" / "models"


def test_read_vensim(benchmark: Any) -> None:
    benchmark(sd.read, MODELS / "sme.mdl")


def test_read_xmile(benchmark: Any) -> None:
    benchmark(sd.read, MODELS / "sme.xmile")


def test_one_run_of_the_teacup(benchmark: Any) -> None:
    model = sd.read(MODELS / "teacup.mdl")
    benchmark(lambda: model.run().frame)


def test_one_run_of_banyuwangi(benchmark: Any, model: sd.Model) -> None:
    benchmark(lambda: model.run().frame)


def test_sweep_of_a_thousand(benchmark: Any, model: sd.Model) -> None:
    design = sd.sample({"alpha": (0.0009, 0.0015), "kappa": (0.022, 0.038)}, 1_000, seed=1)
    benchmark(model.sweep, design, save=["C", "profit"], threads=1)
