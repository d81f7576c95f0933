"""Every comparison in one command: `python benches/compare/run.py [pls] [sd] [--rounds N] [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

COMPARISONS = ("pls", "sd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "which", nargs="*", choices=[*COMPARISONS, []], help="comparisons to run; all when none is named"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="small samples: does it run?")
    arguments = parser.parse_args()
    for name in arguments.which or COMPARISONS:
        importlib.import_module(name).run(rounds=arguments.rounds, quick=arguments.quick)


if __name__ == "__main__":
    main()
