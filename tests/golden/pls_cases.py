"""The reference cases of PLS: load, and name things as sembada does."""

from __future__ import annotations

import io
import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "pls"


def _text(name: str) -> str:
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes()).decode()


def case(name: str) -> dict[str, Any]:
    """Return the reference of a case by its full file name without ending."""
    return json.loads(_text(f"{name}.json"))


@cache
def _data(name: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(_text(name)))


def data(reference: dict[str, Any]) -> pd.DataFrame:
    """Return the survey of a case, the missing sentinel replaced by NaN."""
    frame = _data(Path(reference["data"]["file"]).name).copy()
    sentinel = reference["data"].get("missing_value")
    return frame if sentinel is None else frame.replace(sentinel, np.nan)


def replicates(name: str) -> pd.DataFrame:
    """Return the replicates of a case; columns `kind|from|to`."""
    return pd.read_csv(io.StringIO(_text(f"{name}.boot.csv")))


def indices(reference: dict[str, Any]) -> np.ndarray:
    """Return the resample indices of a case, one row a replicate."""
    return np.loadtxt(io.StringIO(_text(reference["bootstrap_fixed"]["indices_file"])), delimiter=",", dtype=np.int64)


def matrix(value: dict[str, Any]) -> pd.DataFrame:
    """Return a reference matrix as a frame."""
    return pd.DataFrame(value["values"], index=value["rows"], columns=value["cols"], dtype=float)


def rename(name: str) -> str:
    """Interactions are written a*b in the references and a:b here."""
    return name.replace("*", ":")
