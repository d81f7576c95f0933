"""The packed reference models of system dynamics, their results, and the rule by which they are compared."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import tarfile
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ARCHIVE = Path(__file__).parent / "sd" / "models.tar.xz"

# Times of a result file are printed with six digits or held in double precision.
SAME_TIME = 1e-6
# The rule of the test-models collection: results are printed with six digits.
DOUBLE = (1e-5, 1e-5)
# Single precision has 24 bits, 6e-8; a run of some thousand steps loses a factor of about 1,000 of it.
SINGLE = 1e-4
# Where a single-precision series is a difference of large numbers, what is lost is relative to the largest of them.
SINGLE_OF_LARGEST = 1e-6

# The export says RK4, its results were made with Euler: a flow that is Time adds t, not t + dt/2, in each step.
MADE_WITH = {"test-models/tests/zeroled_decimals/test_zeroled_decimals.xmile": "euler"}

CONTROL = {"final_time", "initial_time", "saveper", "time_step", "time", "dt", "starttime", "stoptime"}


@dataclass(frozen=True)
class Case:
    """One model file, and the result file that it is compared with."""

    id: str
    model: str
    reference: str | None
    rule: str
    data: list[str] = field(default_factory=list)
    params: dict[str, float] = field(default_factory=dict)
    method: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What came of a comparison."""

    compared: int
    missing: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.compared > 0 and not self.wrong and not self.missing


@functools.cache
def root() -> Path:
    """Unpack the archive once for this process."""
    directory = tempfile.TemporaryDirectory(prefix="sembada-sd-")
    root.directory = directory  # type: ignore[attr-defined]  # kept until the process ends
    with tarfile.open(ARCHIVE, "r:xz") as archive:
        archive.extractall(directory.name, filter="data")
    return Path(directory.name)


@functools.cache
def cases() -> tuple[Case, ...]:
    """Return all cases in the order of their names."""
    return tuple(Case(**entry) for entry in json.loads((root() / "cases.json").read_text(encoding="utf-8")))


def canonical(name: str) -> str:
    """Make names equal that differ in case, underscores, blanks and quotes only."""
    # Files that were decoded from binary runs write a dot in a name as U+2024.
    name = name.replace("\u2024", ".")
    name = name.replace('"', "").replace("\\n", " ").replace("\\", "").strip().lower()
    name = re.sub(r"[_\s\u00a0]+", "_", name)
    return re.sub(r"_?([\[\],])_?", r"\1", name)


def _number(text: str) -> float:
    text = text.strip()
    try:
        return float(text)
    except ValueError:
        return float("nan")


def read_table(path: Path) -> dict[str, pd.Series]:
    """Read a table with time in the first column."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = "\t" if path.suffix == ".tab" else ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    names, body = rows[0], rows[1:]
    if body and len(body[0]) == 1 and len(names) > 1:
        body = [row for row in body if len(row) > 1]
    times = np.array([_number(row[0]) for row in body])
    out: dict[str, pd.Series] = {}
    for column, name in enumerate(names[1:], start=1):
        values = np.array([_number(row[column]) if column < len(row) else np.nan for row in body])
        if name.strip() and not np.isnan(values).all():
            out[canonical(name)] = pd.Series(values, index=times).dropna()
    return out


def read_dat(path: Path) -> dict[str, pd.Series]:
    """Read Vensim's text export: a line with a name, then lines of time and value."""
    out: dict[str, pd.Series] = {}
    name, times, values = "", [], []

    def close() -> None:
        if name:
            out[canonical(name)] = pd.Series(list(values), index=list(times), dtype=float)

    for line in path.read_text(encoding="utf-8-sig").splitlines():
        cells = line.rstrip("\n").split("\t")
        if len(cells) >= 2 and cells[1].strip():
            times.append(_number(cells[0]))
            values.append(_number(cells[1]))
        elif line.strip():
            close()
            name, times, values = line.strip(), [], []
    close()
    return out


def reference(case: Case) -> dict[str, pd.Series]:
    """Read the results that a case is compared with, by canonical name."""
    assert case.reference is not None
    path = root() / case.reference
    return read_dat(path) if path.suffix == ".dat" else read_table(path)


def agree(ours: np.ndarray, theirs: np.ndarray, rule: str) -> np.ndarray:
    """Say where two series agree under a rule."""
    with np.errstate(invalid="ignore"):
        if rule == "single":
            largest = np.abs(theirs).max(initial=0.0)
            bound = SINGLE * np.abs(theirs) + SINGLE_OF_LARGEST * largest
        else:
            bound = DOUBLE[0] + DOUBLE[1] * np.abs(theirs)
        return (np.abs(ours - theirs) <= bound) | (ours == theirs)


def compare(case: Case, frame: pd.DataFrame) -> Comparison:
    """Compare a run with the results of a case."""
    theirs = reference(case)
    ours = {canonical(str(name)): position for position, name in enumerate(frame.columns)}
    # modules: `hares.births` is what Stella prints; a name alone may be the only one
    times = frame.index.to_numpy(dtype=float)
    values = frame.to_numpy(dtype=float)
    missing, wrong, compared = [], [], 0
    for name, series in theirs.items():
        bare = name.partition("[")[0]
        if bare in CONTROL:
            continue
        if name not in ours:
            missing.append(name)
            continue
        at = series.index.to_numpy(dtype=float)
        rows = np.clip(np.searchsorted(times, at - SAME_TIME), 0, len(times) - 1)
        shared = np.abs(times[rows] - at) <= SAME_TIME * np.maximum(1.0, np.abs(at))
        if not shared.any():
            missing.append(f"{name} (no shared time)")
            continue
        x, y = values[rows[shared], ours[name]], series.to_numpy()[shared]
        good = agree(x, y, case.rule)
        compared += 1
        if not good.all():
            first = int(np.flatnonzero(~good)[0])
            wrong.append(f"{name} at {at[shared][first]:g}: {x[first]:.9g}, reference {y[first]:.9g}")
    return Comparison(compared, tuple(missing), tuple(wrong))


def load(case: Case) -> Any:
    """Read the model of a case."""
    from sembada import sd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sd.read(root() / case.model, **({"data": [root() / name for name in case.data]} if case.data else {}))


def run(case: Case, model: Any = None) -> Any:
    """Run the model of a case as its results were made."""
    model = load(case) if model is None else model
    method = MADE_WITH.get(case.id, case.method)
    options = {"method": method} if method else {}
    return model.run(case.params or None, on_error="mask", **options)


@functools.cache
def outcome(identifier: str) -> tuple[str, str]:
    """Run a case and say what came of it: a word, and what to know about it."""
    from sembada.errors import SembadaError

    case = next(case for case in cases() if case.id == identifier)
    try:
        model = load(case)
        result = run(case, model)
    except SembadaError as error:
        return "refused", f"{type(error).__name__}: {str(error).splitlines()[0]}".replace(f"{root()}/", "")
    if case.reference is None:
        finite = bool(np.isfinite(result.frame.to_numpy()).all())
        return ("runs", "no results to compare with") if finite else ("not finite", str(result.failure))
    found = compare(case, result.frame)
    remarks = []
    if found.wrong:
        import sd_explained

        left = sd_explained.unexplained(case, model, result.frame)
        if left:
            return "differs", f"{len(left)} of {found.compared} series: {found.wrong[0]}"
        remarks.append(f"{len(found.wrong)} of them as far as the reference's own numbers hold the difference")
    text = re.sub(r"[_\s]+", "_", (root() / case.model).read_text(encoding="utf-8", errors="replace").lower())
    lookups = {canonical(name) for name, info in model.variables.items() if info.type == "lookup"}
    missing = [name for name in found.missing if name.partition("[")[0] not in lookups]
    foreign = [name for name in missing if name.partition("[")[0] not in text]
    if len(foreign) < len(missing):
        return "incomplete", f"{len(missing)} series missing: {', '.join(missing[:3])}"
    if foreign:
        # The results were made with another state of the model file.
        remarks.append(f"{len(foreign)} more in the results are of variables that the model does not have")
    return (
        ("agrees", "; ".join([f"{found.compared} series", *remarks]))
        if found.compared
        else ("empty", "no shared series")
    )


def table(skipped: dict[str, str]) -> str:
    """Make the conformance table of the documentation."""
    found = {case.id: outcome(case.id) for case in cases() if case.id not in skipped}
    found |= {name: ("not compared", reason) for name, reason in skipped.items()}
    words = sorted({word for word, _ in found.values()})
    families = sorted({name.partition("/")[0] for name in found})
    lines = [
        "# Conformance of system-dynamics models",
        "",
        "Made by `tests/golden/test_sd_conformance.py` from the models in `tests/golden/sd` and results of Vensim and",
        "Stella; where they come from stands in `tests/golden/sd/SOURCES.md`. A case *agrees* when every series at",
        "every saved time is within 1e-5 + 1e-5·|y| of the result (1e-4 relative for single precision); a case is",
        "*refused* when it raises an error that says why: nothing is guessed.",
        "",
        "| models | " + " | ".join(words) + " | all |",
        "|---" * (len(words) + 2) + "|",
    ]
    for family in [*families, ""]:
        part = [word for name, (word, _) in found.items() if name.startswith(f"{family}/") or not family]
        counts = " | ".join(str(part.count(word)) for word in words)
        lines.append(f"| {family or '**all**'} | {counts} | {len(part)} |")
    lines += ["", "| case | outcome | |", "|---|---|---|"]
    for name in sorted(found):
        word, detail = found[name]
        lines.append(f"| {name} | {word} | {detail.replace('|', '¦')} |")
    return "\n".join(lines) + "\n"
