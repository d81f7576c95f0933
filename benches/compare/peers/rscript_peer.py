"""R packages seminr and cSEM through `Rscript`: the time of the bootstrap call as R's own clock gives it."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

STATE: dict[str, Any] = {}

SCRIPT = {
    "seminr": """
suppressMessages(library(seminr)); d <- read.csv("{csv}")
mm <- constructs({measurement}); sm <- relationships({structure})
m <- estimate_pls(d, mm, sm)
invisible(bootstrap_model(m, nboot={count}, cores=1, seed=1))
cat(c({check}), sep=" ")
""",
    "cSEM": """
suppressMessages(library(cSEM)); d <- read.csv("{csv}")
m <- csem(d, "{syntax}", .disattenuate=FALSE, .resample_method="bootstrap", .R={count}, .seed=1, .tolerance=1e-7)
cat(c({check}), sep=" ")
""",
}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    if shutil.which("Rscript") is None:
        raise RuntimeError("no Rscript on this machine")
    package = case["package"]
    probe = subprocess.run(
        ["Rscript", "-e", f'cat(as.character(packageVersion("{package}")))'],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode:
        raise RuntimeError(f"R has no package {package}")
    STATE.update(case=case)
    return {"version": probe.stdout.strip()}


def sample(count: int) -> object:
    case = STATE["case"]
    model = case["model"]
    fields = {
        "csv": case["csv"],
        "count": count,
        "measurement": ", ".join(
            f'composite("{c["name"]}", c({", ".join(repr(i) for i in c["items"])}))' for c in model["constructs"]
        ),
        "structure": ", ".join(f'paths("{a}", "{b}")' for a, b in model["paths"]),
        "syntax": "\\n".join(
            [f"{c['name']} <~ {' + '.join(c['items'])}" for c in model["constructs"]]
            + [f"{b} ~ {' + '.join(a for a, x in model['paths'] if x == b)}" for b in {b for _, b in model["paths"]}]
        ),
        "check": ", ".join(
            f'm$path_coef["{a}", "{b}"]' if case["package"] == "seminr" else f'm$Estimates$Path_estimates["{b}", "{a}"]'
            for a, b in model["paths"]
        ),
    }
    done = subprocess.run(
        ["Rscript", "-e", SCRIPT[case["package"]].format(**fields)], capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]
