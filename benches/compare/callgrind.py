"""Instructions of a bootstrap replicate by stage, counted by callgrind: `python benches/compare/callgrind.py`.

Runs `benches/rust/pls_count.rs` under valgrind with two numbers of replicates; the difference is what a replicate costs
and set-up does not. Each instruction belongs to the innermost function of our own source that was inlined there.
Valgrind knows no AVX-512: the kernels compared are `avx2` and `portable`.
"""

from __future__ import annotations

import collections
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import OUT, ROOT, processor

FEW, MANY = 128, 640
#: Stage of each source file, by the start of its path below `rust/core/src/`.
STAGES = {
    "rng/": "draw",
    "resample": "draw",
    "pls/batch": "draw",
    "moments/standardise": "standardise",
    "moments/": "moments",
    "linalg/": "estimate",
    "pls/estimate": "estimate",
    "pls/block": "estimate",
    "pls/statistics": "statistics",
    "pls/quality": "statistics",
}
ORDER = ("draw", "moments", "standardise", "estimate", "statistics", "other")


def binary() -> Path:
    """Build the counting bench and return its path."""
    done = subprocess.run(
        ["cargo", "bench", "--locked", "--package", "sembada-core", "--bench", "pls_count", "--no-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"\((\S*pls_count-\w+)\)", done.stderr)
    if found is None:
        raise RuntimeError(f"cargo named no binary: {done.stderr[-300:]}")
    return ROOT / found[1]


def start_of_main(program: Path) -> int:
    """Return where `main` starts in the file."""
    symbols = subprocess.run(["nm", str(program)], capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(" T main"))


def counted(program: Path, kernel: str, data: str, statistics: str, replicates: int) -> collections.Counter[int]:
    """Return the instructions executed at each address of the program's file; those of libraries stand at -1."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"]
        command += [f"--callgrind-out-file={out}", str(program), kernel, data, statistics, str(replicates)]
        subprocess.run(command, capture_output=True, text=True, check=True)
        lines = out.read_text().splitlines()
    counts: collections.Counter[int] = collections.Counter()
    main: list[int] = []
    function, ours, called = "", False, False
    for line in lines:
        if line.startswith("ob="):
            ours = line.endswith(program.name)
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            called = True  # the next line is the cost of the callee, which counts where it stands
        elif line.startswith("0x"):
            address = int(line.split()[0], 16)
            if function == "main":
                main.append(address)
            if not called:
                counts[address if ours else -1] += int(line.split()[-1])
            called = False
    # A position-independent program is loaded somewhere else than its file says.
    shift = min(main) - start_of_main(program)
    return collections.Counter({address - shift if address >= 0 else -1: n for address, n in counts.items()})


def stages(program: Path, counts: collections.Counter[int]) -> dict[str, float]:
    """Add the instructions up by stage."""
    addresses = [address for address in counts if address >= 0]
    text = subprocess.run(
        ["addr2line", "-e", str(program), "-i", "-a"],
        input="\n".join(map(hex, addresses)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    result = dict.fromkeys(ORDER, 0.0)
    result["other"] += counts[-1]
    index, stage = -1, "other"
    for line in [*text.splitlines(), "0x0"]:
        if re.fullmatch(r"0x[0-9a-f]+", line):
            if index >= 0:
                result[stage] += counts[addresses[index]]
            index, stage = index + 1, "other"
        elif stage == "other":
            own = line.partition("core/src/")[2]
            stage = next((name for start, name in STAGES.items() if own.startswith(start)), "other")
    return result


def main() -> None:
    if shutil.which("valgrind") is None:
        sys.exit("callgrind.py needs valgrind")
    program = binary()
    lines = [
        f"Instructions of a replicate, mobile-ECSI size, counted by callgrind ({processor()}).",
        "",
        "| kernel | data | statistics | " + " | ".join(ORDER) + " | all |",
        "|---|---|---|" + "---:|" * (len(ORDER) + 1),
    ]
    for kernel in ("avx2", "portable"):
        for data in ("real", "likert"):
            for statistics in ("standard", "everything"):
                few, many = (stages(program, counted(program, kernel, data, statistics, n)) for n in (FEW, MANY))
                each = [(many[stage] - few[stage]) / (MANY - FEW) for stage in ORDER]
                row = [kernel, data, statistics, *(f"{value:,.0f}" for value in [*each, sum(each)])]
                lines.append("| " + " | ".join(row) + " |")
                print(lines[-1], flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "callgrind.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
