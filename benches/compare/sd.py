"""System-dynamics sweeps and single runs beside hand-written C and beside other packages."""

from __future__ import annotations

import os
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


OURS = "sembada_sd_peer.py"
SIMLIN: dict[str, Any] = {"environment": "modern", "requirements": ("pysimlin", "pysd")}
HAND = "straight-line code of this one model"


def hand(case: dict[str, Any], header: str, places: list[int], lanes: int, count: int, **more: Any) -> Peer:
    """Return the hand-written C of a model; one lane is scalar."""
    name = "hand-written C, SIMD" if lanes > 1 else "hand-written C, scalar"
    limit = {"design": case["design"], "header": header, "lanes": lanes, "places": places, **more}
    return Peer(name, "c_peer.py", count, case=limit, note=HAND)


def sweeps(rounds: int, quick: bool) -> None:
    """Compare sweeps through the public call and through the engine alone."""
    for title, case, runs, header, places, lanes in (
        ("SIR", SIR, 4096, "sir.h", [0], 16),
        ("model M (SME)", SME, 1024, "sme.h", [1, 13], 8),
    ):
        runs = runs // 8 if quick else runs
        for method in ("euler", "rk4"):
            cases = design(case, runs) | {"method": method}
            rk4 = int(method == "rk4")
            engine = cases | {"how": "engine"}
            peers = [
                Peer("sembada", OURS, runs, case=cases, note="model.sweep, one thread"),
                Peer("sembada, engine", OURS, runs, case=engine, note="without design and labels"),
                hand(cases, header, places, lanes, runs, rk4=rk4),
                hand(cases, header, places, 1, runs, rk4=rk4),
                Peer("sembada, AVX2", OURS, runs, case=engine | {"kernel": "avx2"}, note="engine"),
            ]
            avx2 = hand(cases, header, places, lanes, runs, rk4=rk4, march="x86-64-v3")
            avx2.name = "hand-written C, AVX2"
            peers.append(avx2)
            if method == "euler":
                generated = {"design": cases["design"], "header": header, "places": places}
                note = "globals, functions, search, libm"
                peers.append(Peer("generated C", "generated_peer.py", runs, case=generated, note=note))
                peers.append(Peer("pysimlin", "simlin_peer.py", 8 if quick else 50, case=cases, **SIMLIN))
                if title == "SIR":
                    peers.append(Peer("PySD", "pysd_peer.py", 2, case=cases, **SIMLIN))
            compare(f"System dynamics, sweep of {title}, {method}", "run", peers, rounds=rounds)


def single_runs(rounds: int, quick: bool) -> None:
    """Compare one run at a time."""
    count = 32 if quick else 256
    for title, case, header, places in (("SIR", SIR, "sir.h", [0]), ("model M (SME)", SME, "sme.h", [1, 13])):
        for method in ("euler", "rk4"):
            cases = design(case, count) | {"method": method, "how": "single"}
            peers = [
                Peer("sembada", OURS, count, case=cases, note="one run after the other"),
                hand(cases, header, places, 1, count, rk4=int(method == "rk4")),
            ]
            if method == "euler":
                generated = {"design": cases["design"], "header": header, "places": places}
                peers.append(Peer("generated C", "generated_peer.py", count, case=generated))
            compare(f"System dynamics, single runs of {title}, {method}", "run", peers, rounds=rounds)
    teacup: dict[str, Any] = {"model": str(MODELS / "teacup.mdl"), "how": "frame", "check": ["Teacup Temperature"]}
    count = 50 if quick else 500
    peers = [
        Peer("sembada", OURS, count, case=teacup),
        Peer("pysimlin", "simlin_peer.py", count, case=teacup | {"check": ["teacup_temperature"]}, **SIMLIN),
    ]
    compare("System dynamics, one run of the teacup to a DataFrame", "run", peers, rounds=rounds)


def threads(rounds: int, quick: bool) -> None:
    """Compare two threads with one, by the clock on the wall."""
    for title, case, runs in (("SIR", SIR, 16384), ("model M (SME)", SME, 4096)):
        runs = runs // 8 if quick else runs
        cases = design(case, runs)
        peers = [
            Peer("sembada, two threads", OURS, runs, case=cases | {"threads": 2}),
            Peer("sembada, one thread", OURS, runs, case=cases),
        ]
        compare(f"System dynamics, threads on {title}", "run", peers, rounds=rounds, clock="wall")


def compilation(rounds: int, quick: bool) -> None:
    """Compare reading and compiling; `SEMBADA_CLEARN` names the file of C-LEARN where it is at hand."""
    models = {"model M (SME)": str(MODELS / "sme.mdl")}
    if "SEMBADA_CLEARN" in os.environ:
        models["C-LEARN"] = os.environ["SEMBADA_CLEARN"]
    for title, path in models.items():
        case = {"model": path, "how": "compile"}
        count = 2 if quick or title == "C-LEARN" else 20
        peers = [
            Peer("sembada", OURS, count, case=case, note="read and compile, everything saved"),
            Peer("pysimlin", "simlin_peer.py", count, case=case, note="load and simulate()", **SIMLIN),
        ]
        compare(f"System dynamics, reading and compiling {title}", "model", peers, rounds=rounds)


def run(*, rounds: int, quick: bool) -> None:
    sweeps(rounds, quick)
    single_runs(rounds, quick)
    threads(rounds, quick)
    compilation(rounds, quick)
