"""The public calls of PLS: `pytest benches/python --benchmark-enable`."""

from __future__ import annotations

from typing import Any

from sembada import datasets, pls


def test_parse_a_specification(benchmark: Any) -> None:
    benchmark(pls.Model, "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC <~ c1 + c2\nC ~ A + B\nB ~ A")


def test_fit(benchmark: Any) -> None:
    survey, model = datasets.banyuwangi_survey(), datasets.banyuwangi_path_model()
    benchmark(model.fit, survey)


def test_bootstrap_of_five_thousand(benchmark: Any, fit: pls.Fit) -> None:
    benchmark(fit.bootstrap, 5_000, seed=1)


def test_bca_table(benchmark: Any, bootstrap: pls.Bootstrap) -> None:
    benchmark(bootstrap.paths, interval="bca")
