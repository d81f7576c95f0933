"""Peak memory and processor time of a sweep of model M that keeps statistics: `python sweep_memory.py RUNS [nine|all]`.

Each case is a process of its own; its peak is what the kernel counts (`ru_maxrss`), the design among it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "compare"))

from sd import SME  # the case of `benches/compare`


def child(runs: int, which: str, quantiles: bool) -> None:
    """Sweep once and print processor time (s) and peak memory (MB)."""
    from sembada import sd

    design = sd.sample(SME["vary"], runs, seed=1)
    model = sd.read(SME["model"])
    start = time.process_time()
    model.sweep(
        design, save=SME["save"] if which == "nine" else None, stats=sd.Statistics(quantiles=quantiles), threads=1
    )
    spent = time.process_time() - start
    print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Run with and without quantiles, and print both."""
    if len(sys.argv) == 4:
        child(int(sys.argv[1]), sys.argv[2], sys.argv[3] == "quantiles")
        return
    runs, which = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "nine"
    found = {}
    for what in ("moments", "quantiles"):
        line = subprocess.run(
            [sys.executable, __file__, str(runs), which, what], capture_output=True, text=True, check=True
        ).stdout.split()
        found[what] = float(line[0])
        print(f"{which} {what:9s}: {1e6 * float(line[0]) / runs:7.1f} us a run, peak {float(line[1]):6.0f} MB")
    print(f"with quantiles : without = {found['quantiles'] / found['moments']:.2f}")


if __name__ == "__main__":
    main()
