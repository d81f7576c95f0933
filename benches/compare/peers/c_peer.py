"""The limit for one model: its equations as straight-line C++, compiled for this processor, scalar or in lanes."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).parents[1] / "c"
STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    lanes = case["lanes"]
    # Scalar: the library's functions and a search in tables, as a code generator writes it.
    # Lanes: our polynomials and hinges.
    modes = ["-DLKMODE=0", "-DMATHMODE=0"] if lanes == 1 else ["-DLKMODE=2", "-DMATHMODE=2"]
    target = Path(tempfile.mkdtemp()) / "limit.so"
    command = [
        "c++",
        "-O3",
        f"-march={case.get('march', 'native')}",
        "-shared",
        "-fPIC",
        f'-DMODEL="{case["header"]}"',
        f"-DLANES={lanes}",
    ]
    command += [*modes, f"-DMETHOD={case.get('rk4', 0)}", f"-I{SOURCE}", str(SOURCE / "sweep.cpp"), "-o", str(target)]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(target))
    columns = np.stack([np.asarray(column) for column in case["design"].values()])
    STATE.update(case, library=library, columns=columns)
    compiler = subprocess.run(["c++", "-dumpfullversion"], check=True, capture_output=True, text=True)
    return {"version": compiler.stdout.strip()}


def sample(count: int) -> object:
    library, columns = STATE["library"], STATE["columns"]
    runs = -(-count // STATE["lanes"]) * STATE["lanes"]
    parameters = np.ascontiguousarray(columns[:, np.arange(runs) % columns.shape[1]])
    out = np.empty((library.saved_times(), library.stocks(), runs))
    pointer = ctypes.POINTER(ctypes.c_double)
    library.sweep_runs(parameters.ctypes.data_as(pointer), out.ctypes.data_as(pointer), runs)
    return [float(out[-1, place, 0]) for place in STATE["places"]]
