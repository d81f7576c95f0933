"""System-dynamics sweeps and single runs beside hand-written C and beside other packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import Peer, compare

MODELS = Path(__file__).parent / "models"
SIR = {
    "model": str(MODELS / "sir.mdl"),
    "vary": {"Contact Infectivity": (0.2, 0.6), "Duration": (3.0, 9.0)},
    "save": ["Susceptible", "Infectious", "Recovered"],
    "check": ["Susceptible"],
}
SME = {
    "model": str(MODELS / "sme.mdl"),
    "vary": {
        "contact rate": (0.03, 0.08),
        "acquisition price elasticity": (0.8, 2.0),
        "price positioning": (0.92, 1.06),
        "rd fraction": (0.02, 0.08),
        "construction delay": (3.0, 9.0),
        "hiring delay": (1.5, 5.0),
        "base churn rate": (0.008, 0.022),
        "shock size": (0.0, 0.35),
    },
    "save": ["customers", "price", "inventory", "capacity", "quality", "knowledge", "reputation", "cash", "debt"],
    "check": ["customers", "cash"],
}


def design(case: dict[str, Any], runs: int) -> dict[str, Any]:
    """Return the case with additive-recurrence points in the ranges: every contestant gets the same scenarios."""
    columns = {}
    for index, (name, (low, high)) in enumerate(case["vary"].items()):
        step = 0.6180339887498949 * (index + 1) + 0.137 * (index + 1) ** 2
        columns[name] = [low + (high - low) * (row * step % 1.0) for row in range(runs)]
    return {key: value for key, value in case.items() if key != "vary"} | {"design": columns}


def run(*, rounds: int, quick: bool) -> None:
    ours = "sembada_sd_peer.py"
    bench: dict[str, Any] = {"environment": "modern", "requirements": ("pysimlin", "pysd")}
    for title, case, runs, pysd_runs in (("SIR", SIR, 4096, 2), ("model M (SME)", SME, 1024, 0)):
        runs = runs // 8 if quick else runs
        cases = design(case, runs)
        peers = [
            Peer("sembada", ours, runs, case=cases, note="one thread"),
            Peer("pysimlin", "simlin_peer.py", 8 if quick else 50, case=cases, **bench),
        ]
        header, places = ("sir.h", [0]) if title == "SIR" else ("sme.h", [1, 13])
        for lanes, name in ((16 if title == "SIR" else 8, "hand-written C, SIMD"), (1, "C, scalar")):
            limit = {"design": cases["design"], "header": header, "lanes": lanes, "places": places}
            peers.append(Peer(name, "c_peer.py", runs, case=limit, note="straight-line code of this one model"))
        if pysd_runs:
            peers.append(Peer("PySD", "pysd_peer.py", pysd_runs, case=cases, **bench))
        compare(f"System dynamics, sweep of {title}, Euler", "run", peers, rounds=rounds)
    teacup: dict[str, Any] = {"model": str(MODELS / "teacup.mdl"), "frame": True, "check": ["Teacup Temperature"]}
    compare(
        "System dynamics, one run of the teacup to a DataFrame",
        "run",
        [
            Peer("sembada", ours, 50 if quick else 500, case=teacup),
            Peer(
                "pysimlin",
                "simlin_peer.py",
                50 if quick else 500,
                case=teacup | {"check": ["teacup_temperature"]},
                **bench,
            ),
        ],
        rounds=rounds,
    )
