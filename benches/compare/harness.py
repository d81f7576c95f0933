"""Runs contestants interleaved in one run and turns their samples into ratios."""

from __future__ import annotations

import json
import math
import os
import platform
import random
import subprocess
import sys
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUT = ROOT / "out" / "bench"


@dataclass
class Peer:
    """A contestant: a file of peers/, what it needs, and how much work one sample of it is."""

    name: str
    file: str
    count: int
    requirements: tuple[str, ...] = ()
    environment: str = ""
    case: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    # how often a sample does its work: what takes a millisecond would measure a process that wakes up
    calls: int = 1


def interpreter(peer: Peer) -> str:
    """Return the Python of the peer's environment, made on first use."""
    if not peer.environment:
        return sys.executable
    home = ROOT / f".venv-bench-{peer.environment}"
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = home / "requirements.json"
    wanted = sorted(peer.requirements)
    have = json.loads(stamp.read_text()) if stamp.exists() else []
    if not set(wanted) <= set(have):
        if not python.exists():
            venv.create(home, with_pip=True)
        environment = {k: v for k, v in os.environ.items() if k not in ("PIP_CONSTRAINT", "VIRTUAL_ENV")}
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *wanted],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pip could not install {', '.join(wanted)}: {done.stderr.strip()[-300:]}")
        stamp.write_text(json.dumps(sorted({*have, *wanted})))
    return str(python)


class Worker:
    """A running contestant."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.error = ""
        self.version = ""
        self.prepared: dict[str, Any] = {}
        try:
            # One thread each: a contestant that wants more says so in its own row.
            environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
            self.process = subprocess.Popen(
                [interpreter(peer), str(HERE / "worker.py"), str(HERE / "peers" / peer.file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
        except (OSError, RuntimeError) as error:
            self.error = str(error)
            return
        self.prepared = self.ask({"do": "prepare", "case": peer.case})
        self.version = str(self.prepared.get("version", ""))

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError as error:
            line = ""
            self.error = str(error)
        if not line:
            self.error = self.error or "the worker process ended"
            return {}
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            self.error = answer["error"]
        return answer

    def close(self) -> None:
        if hasattr(self, "process"):
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(timeout=30)


def close_enough(a: object, b: object, tolerance: float) -> bool:
    """Compare check values: numbers, or lists of numbers of the same length."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close_enough(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, int | float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    return a is None or b is None


def processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def compare(
    title: str, unit: str, peers: list[Peer], *, rounds: int = 7, tolerance: float = 1e-6, clock: str = "cpu"
) -> dict[str, Any]:
    """Time `peers` interleaved; the first is sembada and the base of every ratio.

    Parameters
    ----------
    title, unit
        What is compared, and what one unit of work is (a replicate, a run).
    peers
        The contestants.
    rounds
        How many interleaved rounds; medians are over rounds.
    tolerance
        How far check values may lie apart, relative and absolute.
    clock
        ``"cpu"`` (process time: robust on a shared machine) or ``"wall"``.
    """
    workers = [Worker(peer) for peer in peers]
    samples: dict[str, list[float]] = {peer.name: [] for peer in peers}
    checks: dict[str, object] = {}
    shuffler = random.Random(1)
    for round_ in range(rounds + 1):  # the first round warms up
        order = [worker for worker in workers if not worker.error]
        shuffler.shuffle(order)
        for worker in order:
            answer = worker.ask({"do": "sample", "count": worker.peer.count, "calls": worker.peer.calls})
            if worker.error:
                continue
            checks[worker.peer.name] = answer["check"]
            if round_ > 0:
                samples[worker.peer.name].append(answer[clock] / (worker.peer.count * worker.peer.calls))
    for worker in workers:
        worker.close()
    base = peers[0].name
    rows = []
    for worker in workers:
        name = worker.peer.name
        row: dict[str, Any] = {
            "name": name,
            "version": worker.version,
            "note": worker.peer.note,
            "count": worker.peer.count,
            "calls": worker.peer.calls,
            "error": worker.error,
        }
        if samples[name] and samples[base]:
            ratios = [a / b for a, b in zip(samples[name], samples[base], strict=False)]
            row |= {
                "seconds": median(samples[name]),
                "ratio": median(ratios),
                "ratio_min": min(ratios),
                "ratio_max": max(ratios),
                "samples": samples[name],
                "valid": close_enough(checks.get(name), checks.get(base), tolerance),
                "check": checks.get(name),
            }
        rows.append(row)
    result = {
        "title": title,
        "unit": unit,
        "clock": clock,
        "rounds": rounds,
        "processor": processor(),
        "python": platform.python_version(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "finished": time.strftime("%Y-%m-%d"),
        "rows": rows,
    }
    OUT.mkdir(parents=True, exist_ok=True)
    slug = "".join(c if c.isalnum() else "-" for c in title.lower())
    (OUT / f"{slug}.json").write_text(json.dumps(result, indent=1))
    text = markdown(result)
    (OUT / f"{slug}.md").write_text(text)
    print(text, flush=True)
    return result


def times(ratio: float) -> str:
    """Write a ratio to three digits, without an exponent."""
    return f"{float(f'{ratio:.3g}'):,.10g}"


def human(seconds: float) -> str:
    """Write a time with three digits and a fitting unit."""
    for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds * 1e9:.3g} ns"


def markdown(result: dict[str, Any]) -> str:
    """Write a result as a Markdown table."""
    lines = [
        f"### {result['title']}",
        "",
        f"{result['processor']}; Python {result['python']}; "
        f"medians of {result['rounds']} interleaved rounds, {result['clock']} time.",
        "",
        f"| | version | per {result['unit']} | ÷ {result['rows'][0]['name']} | range | |",
        "|---|---|---:|---:|---|---|",
    ]
    for row in result["rows"]:
        if "ratio" not in row:
            lines.append(f"| {row['name']} | {row['version']} | – | – | – | {row['error'][:120]} |")
            continue
        remark = row["note"] if row["valid"] else "INVALID: its numbers disagree. " + row["note"]
        lines.append(
            f"| {row['name']} | {row['version']} | {human(row['seconds'])} | {times(row['ratio'])}× "
            f"| {times(row['ratio_min'])}–{times(row['ratio_max'])} | {remark} |"
        )
    return "\n".join(lines) + "\n"
