"""Pack the reference numbers of the PLS tests: `python pack.py SOURCE` writes the .xz files beside this script.

SOURCE is a folder with the cases as the reference tools wrote them (one JSON and one CSV of replicates a case, the
resample indices, and the survey data). Replicates are rounded to 13 decimals: the tests compare them at 1e-8 or
coarser, so the rounding costs nothing and a third of the bytes. Point estimates keep all digits.
"""

from __future__ import annotations

import csv
import json
import lzma
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Fields that no test reads: whole implied matrices and run times.
DROP = {"implied_indicator_vcv_estimated", "implied_indicator_vcv_saturated", "elapsed_seconds_contended", "title"}


def _slim(value: object) -> object:
    if isinstance(value, dict):
        return {key: _slim(item) for key, item in value.items() if key not in DROP}
    if isinstance(value, list):
        return [_slim(item) for item in value]
    return value


def _write(name: str, text: str) -> int:
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (HERE / f"{name}.xz").write_bytes(packed)
    return len(packed)


def _round(cell: str) -> str:
    return cell if cell in {"", "NA"} else f"{float(cell):.13g}"


def main(source: Path) -> None:
    total = 0
    for path in sorted(source.glob("*.json")):
        with path.open() as file:
            total += _write(path.name, json.dumps(_slim(json.load(file)), separators=(",", ":")))
    for path in sorted(source.glob("*.csv")):
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        if "indices" not in path.name and "permutations" not in path.name:
            rows = [rows[0], *([_round(cell) for cell in row] for row in rows[1:])]
        total += _write(path.name, "\n".join(",".join(row) for row in rows) + "\n")
    for path in sorted((source / "data").glob("*.csv")):
        total += _write(path.name, path.read_text())
    sys.stdout.write(f"{total} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
