"""The Banyuwangi study put together: bridge and measures."""

from __future__ import annotations

from typing import Any

from sembada.datasets.banyuwangi_model import banyuwangi_model
from sembada.datasets.banyuwangi_policies import banyuwangi_groups, banyuwangi_scenarios, banyuwangi_uncertainties
from sembada.study.bridge import Bridge
from sembada.study.link import Link
from sembada.study.measure import Measure
from sembada.study.study import Study

__all__ = ["BANYUWANGI_HYPOTHESES", "banyuwangi_bridge", "banyuwangi_measures", "banyuwangi_study"]

#: What the thesis behind the case found, as hypotheses about signs.
BANYUWANGI_HYPOTHESES: dict[str, tuple[str, str, str]] = {
    "H1": ("OI", "KMC", "+"),
    "H2": ("OI", "OP", "-"),
    "H3": ("KMC", "OP", "+"),
}


def banyuwangi_bridge(model: Any = None) -> Bridge:
    """Make the three links of the case in z-form: OI → KMC into `a`, KMC → OP into `b`, OI → OP into `c`.

    Parameters
    ----------
    model
        The stock-and-flow model; `banyuwangi_model()` by default.
    """
    return Bridge(
        banyuwangi_model() if model is None else model,
        links=[
            Link("OI", "KMC", parameter="a", form="z", delay="tauK"),
            Link(
                "KMC",
                "OP",
                parameter="b",
                form="z",
                delay="tauZ",
                gain="gC",
                loading=0.8,
                cv=0.5,
                mechanisms=("eps_B", "eps_I"),
            ),
            Link("OI", "OP", parameter="c", form="z", delay="tauZ", mechanisms=("eps_I", "kO")),
        ],
    )


def banyuwangi_measures() -> dict[str, Measure]:
    """Make the measures: customers, revenue, profit, margin and return of the last year, net present value."""
    return {
        "customers": Measure("customers", unit="person", label={"en": "customers", "id": "jumlah pelanggan"}, digits=0),
        "margin": Measure(
            "profit",
            how="ratio",
            over="revenue",
            last=12,
            percent=True,
            digits=1,
            label={"en": "profit margin", "id": "margin laba"},
        ),
        "revenue": Measure(
            "revenue", how="sum", last=12, unit="Rp m/year", digits=0, label={"en": "revenue", "id": "pendapatan"}
        ),
        "profit": Measure(
            "profit", how="sum", last=12, unit="Rp m/year", digits=1, label={"en": "profit", "id": "laba"}
        ),
        "roi": Measure(
            "roi",
            how="mean",
            last=12,
            percent=True,
            digits=0,
            label={"en": "return on investment", "id": "imbal hasil investasi"},
        ),
        "npv": Measure("npv", unit="Rp m", digits=0, label={"en": "net present value", "id": "nilai kini bersih"}),
    }


def banyuwangi_study(bootstrap: Any, *, horizon: float = 60.0, **options: Any) -> Study:
    """Put the **synthetic** Banyuwangi study together.

    Parameters
    ----------
    bootstrap
        Bootstrap of the path model of the survey.
    horizon
        Last month.
    **options
        Replace parts of the study, such as `scenarios=banyuwangi_scenarios(budget="equal")`.

    Examples
    --------
    >>> from sembada import datasets
    >>> fit = datasets.banyuwangi_path_model().fit(datasets.banyuwangi_survey())
    >>> banyuwangi_study(fit.bootstrap(50, seed=1)).run(draws=16, seed=1)
    <Outcome: 9 scenarios × 16 draws, 6 measures, 0 failed>
    """
    parts: dict[str, Any] = {
        "bootstrap": bootstrap,
        "bridge": banyuwangi_bridge(banyuwangi_model(horizon=horizon)),
        "scenarios": banyuwangi_scenarios(),
        "uncertainties": banyuwangi_uncertainties(),
        "measures": banyuwangi_measures(),
        "groups": banyuwangi_groups(),
        "save": ("customers", "margin", "knowledge", "open_innovation"),
        "title": "Banyuwangi",
        "synthetic": True,
    }
    return Study(**(parts | options))
