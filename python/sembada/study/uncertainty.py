"""Uncertain parameters of the stock-and-flow model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc, triang

from sembada.errors import SpecificationError
from sembada.study.streams import UNCERTAINTY, stream

__all__ = ["latin_hypercube", "quantile_function"]

Array = NDArray[np.float64]


def quantile_function(name: str, spec: Any) -> Any:
    """Return the quantile function of an uncertainty.

    Parameters
    ----------
    name
        Parameter, for messages.
    spec
        `(low, high)`: uniform; `(low, mode, high)`: triangular; or a frozen distribution of `scipy.stats` (anything
        with `ppf`).

    Raises
    ------
    SpecificationError
        If it is none of these, or its numbers are out of order.
    """
    if hasattr(spec, "ppf"):
        return spec.ppf
    try:
        numbers = [float(value) for value in spec]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 2 and np.isfinite(numbers).all() and numbers[0] < numbers[1]:
        low, high = numbers
        return lambda u: low + (high - low) * u
    if len(numbers) == 3 and np.isfinite(numbers).all() and numbers[0] <= numbers[1] <= numbers[2] != numbers[0]:
        low, mode, high = numbers
        return triang((mode - low) / (high - low), loc=low, scale=high - low).ppf
    raise SpecificationError(
        f"uncertainty of parameter {name!r} is {spec!r}: expected (low, high), (low, mode, high) in rising order, or a "
        "distribution of scipy.stats",
        {"parameter": name, "value": repr(spec)},
    )


def latin_hypercube(uncertainties: Mapping[str, Any], draws: int, seed: int) -> dict[str, Array]:
    """Draw all uncertain parameters at once: each range is cut into `draws` equal slices, each slice used once.

    McKay, Beckman & Conover (1979), Technometrics 21(2).

    Examples
    --------
    >>> sample = latin_hypercube({"a": (0.0, 1.0)}, 4, seed=1)
    >>> sorted((sample["a"] * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """
    if not uncertainties:
        return {}
    functions = {name: quantile_function(name, spec) for name, spec in uncertainties.items()}
    unit = qmc.LatinHypercube(len(functions), seed=stream(seed, UNCERTAINTY)).random(draws)
    return {name: np.asarray(ppf(unit[:, j]), dtype=float) for j, (name, ppf) in enumerate(functions.items())}
