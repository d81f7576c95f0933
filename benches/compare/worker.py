"""One contestant: loads a file of peers/ and answers requests on standard input, one JSON line each.

A peer file defines `prepare(case: dict) -> dict` (loads data, returns at least `version`) and
`sample(count: int) -> object` (does `count` units of work, returns a check value).
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
import traceback
from pathlib import Path


def main() -> None:
    answers = sys.stdout
    sys.stdout = sys.stderr  # peers may print; the protocol has the real standard output to itself
    path = Path(sys.argv[1])
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    peer = importlib.util.module_from_spec(spec)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                spec.loader.exec_module(peer)
                answer = peer.prepare(request["case"])
            else:
                wall, cpu = time.perf_counter(), time.process_time()
                for _ in range(request.get("calls", 1)):
                    check = peer.sample(request["count"])
                answer = {
                    "wall": time.perf_counter() - wall,
                    "cpu": time.process_time() - cpu,
                    "check": check,
                }
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
