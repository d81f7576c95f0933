"""PySD: `model.run` for every row of the design."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pysd

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp())  # PySD writes a Python file beside the model
    path = folder / Path(case["model"]).name
    shutil.copy(case["model"], path)
    read = pysd.read_vensim if path.suffix == ".mdl" else pysd.read_xmile
    STATE.update(case, loaded=read(str(path)))
    return {"version": version("pysd")}


def sample(count: int) -> object:
    for row in range(count):
        params = {name: values[row % len(values)] for name, values in STATE["design"].items()}
        frame = STATE["loaded"].run(params=params, return_columns=STATE["save"])
        if row == 0:
            check = [float(frame[name].iloc[-1]) for name in STATE["check"]]
    return check
