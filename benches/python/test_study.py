"""The study end to end: `pytest benches/python --benchmark-enable`."""

from __future__ import annotations

from typing import Any

from sembada import study


def test_nine_scenarios_on_a_thousand_draws(benchmark: Any, banyuwangi: study.Study) -> None:
    benchmark.pedantic(banyuwangi.run, kwargs={"draws": 1_024, "seed": 1}, rounds=3)
