"""System-dynamics sweeps and single runs beside hand-written C and beside other packages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from harness import OUT, Peer, compare

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
    for title, case, runs, calls, header, places, lanes in (
        ("SIR", SIR, 4096, 16, "sir.h", [0], 16),
        ("model M (SME)", SME, 1024, 4, "sme.h", [1, 13], 8),
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
                note = "as SDEverywhere writes it"
                peers.append(Peer("generated C", "generated_peer.py", runs, case=generated, note=note))
            for peer in peers:
                peer.calls = 1 if quick else calls
            if method == "euler":
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
    for title, name, check, count in (
        ("the teacup", "teacup.mdl", "Teacup Temperature", 500),
        ("model M (SME)", "sme.mdl", "customers", 50),
    ):
        whole: dict[str, Any] = {"model": str(MODELS / name), "how": "frame", "check": [check]}
        other = whole | {"check": [check.replace(" ", "_").lower()]}
        count = count // 10 if quick else count
        peers = [
            Peer("sembada", OURS, count, case=whole, note="model.run().frame, everything saved"),
            Peer("pysimlin", "simlin_peer.py", count, case=other, note="model.run().results", **SIMLIN),
        ]
        compare(f"System dynamics, one run of {title} to a DataFrame", "run", peers, rounds=rounds)


def threads(rounds: int, quick: bool) -> None:
    """Compare two threads with one, by the clock on the wall."""
    for title, case, runs in (("SIR", SIR, 16384), ("model M (SME)", SME, 4096)):
        runs, calls = (runs // 8, 1) if quick else (runs, 8)
        cases = design(case, runs)
        peers = [
            Peer("sembada, two threads", OURS, runs, case=cases | {"threads": 2}, calls=calls),
            Peer("sembada, one thread", OURS, runs, case=cases, calls=calls),
        ]
        compare(f"System dynamics, threads on {title}", "run", peers, rounds=rounds, clock="wall")


def adaptive(rounds: int, quick: bool) -> None:
    """Compare the adaptive method with scipy's, the same pair and the same tolerance."""
    count = 8 if quick else 64
    # the longest step is ten days, values are saved daily: most come from between steps
    case = design(SIR, count) | {"how": "rk45", "tolerance": 1e-6, "time": [0.0, 100.0, 10.0, 1.0]}
    peers = [
        Peer("sembada", OURS, count, case=case, note="model.sweep, run by run, one thread"),
        Peer("scipy", "scipy_peer.py", count, case=case | {"start": [1000.0, 5.0, 0.0]}, note="solve_ivp, RK45"),
    ]
    # each keeps its tolerance in its own way
    compare("System dynamics, rk45 on SIR", "run", peers, rounds=rounds, tolerance=1e-4)


def regions(count: int = 60) -> str:
    """Write a model of arrays: an epidemic by region and age, with travel; return its path."""
    names = ", ".join(f"r{k}" for k in range(1, count + 1))
    text = f"""{{UTF-8}}
region: {names} ~~|
age: young, adult, old ~~|
Susceptible[region,age] = INTEG(-infection[region,age], population[age]) ~~|
Infectious[region,age] = INTEG(infection[region,age] - recovery[region,age], first[age]) ~~|
Recovered[region,age] = INTEG(recovery[region,age], 0) ~~|
population[age] = 300, 500, 200 ~~|
first[age] = 1, 3, 0 ~~|
susceptibility[age] = 0.6, 1, 1.5 ~~|
contacts = 0.4 ~~|
duration = 5 ~~|
at home = 0.8 ~~|
infectious here[region] = SUM(Infectious[region,age!]) ~~|
infectious everywhere = SUM(infectious here[region!]) ~~|
mixed[region] = at home * infectious here[region] + (1 - at home) * infectious everywhere / {count} ~~|
force[region] = contacts * mixed[region] / 1000 ~~|
infection[region,age] = Susceptible[region,age] * force[region] * susceptibility[age] ~~|
recovery[region,age] = Infectious[region,age] / duration ~~|
INITIAL TIME = 0 ~~|
FINAL TIME = 100 ~~|
TIME STEP = 0.25 ~~|
SAVEPER = 1 ~~|
"""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "regions.mdl"
    path.write_text(text)
    return str(path)


SCENARIOS = ("Deterministic", "Low 2xCO2 sensitivity", "High 2xCO2 sensitivity")
TEMPERATURES = [f"Temperature change from preindustrial[{scenario}]" for scenario in SCENARIOS]


def large(rounds: int, quick: bool) -> None:
    """Compare sweeps of large models and of arrays: a few variables saved, and all.

    `SEMBADA_CLEARN` names the file of C-LEARN, `SEMBADA_MODELS` others, parted as paths are.
    """
    from sembada import sd

    cases: list[tuple[str, dict[str, Any], int, list[str] | None]] = []
    arrays = {"model": regions(), "vary": {"contacts": (0.2, 0.6), "duration": (3.0, 9.0)}}
    cases.append(
        ("180 regions and ages", arrays | {"check": ["infectious everywhere"]}, 256, ["infectious everywhere"])
    )
    sme = {"model": SME["model"], "vary": SME["vary"], "check": ["customers"]}
    cases.append(("model M (SME)", sme, 256, None))
    if "SEMBADA_CLEARN" in os.environ:
        path = os.environ["SEMBADA_CLEARN"]
        vary = {"Eddy diff coeff index": (0.85, 1.15), "Biostim coeff index": (0.9, 1.1), "Buff C Coeff": (3.8, 4.0)}
        clearn = {"model": path, "vary": vary, "check": TEMPERATURES[:1]}
        cases.append(("C-LEARN", clearn, 256, ["Temperature change from preindustrial"]))
    for path in filter(None, os.environ.get("SEMBADA_MODELS", "").split(os.pathsep)):
        model = sd.read(path)
        numbers = {
            name: (0.95 * value, 1.05 * value)
            for name, info in model.variables.items()
            if (value := constant(info)) and name.upper() not in ("TIME STEP", "SAVEPER", "INITIAL TIME", "FINAL TIME")
        }
        stocks = [name for name, info in model.variables.items() if info.type == "stock" and not info.dimensions]
        vary = dict(list(numbers.items())[:3])
        if not vary or not stocks:
            continue
        cases.append((Path(path).stem, {"model": path, "vary": vary, "check": stocks[:1]}, 64, stocks[:3]))
    for title, case, runs, few in cases:
        for save in (few, None) if few else (None,):
            # pysimlin gives arrays by their elements
            theirs = TEMPERATURES if title == "C-LEARN" and save else save
            count = max(8, runs // (8 if quick else 1) // (4 if save is None else 1))
            numbers_of = design(case, count) | {"save": save}
            engine = numbers_of | {"how": "engine"}
            peers = [
                Peer("sembada", OURS, count, case=numbers_of, note="model.sweep, one thread"),
                Peer("sembada, engine", OURS, count, case=engine, note="without design and labels"),
                Peer("pysimlin", "simlin_peer.py", 2 if quick else 8, case=numbers_of | {"save": theirs}, **SIMLIN),
            ]
            what = "everything" if save is None else f"{len(theirs)} series"
            compare(f"System dynamics, sweep of {title}, {what} saved", "run", peers, rounds=rounds)


def constant(info: Any) -> float | None:
    """Return the number that a scalar variable is, if it is one."""
    try:
        return float(info.equation) if not info.dimensions else None
    except (TypeError, ValueError):
        return None


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
    adaptive(rounds, quick)
    large(rounds, quick)
    compilation(rounds, quick)
