"""Optimal scaling: numbers for the categories of ordinal and nominal indicators (non-metric PLS).

Each category gets the value that correlates best with the inner proxy of its construct: its mean of the proxy if the
column is nominal, the monotone regression of these means if it is ordinal. Quantification and estimation alternate
until neither moves; the fixed point is that of Russolillo (2012), Electron. J. Stat. 6, 1641–1669, where one pass of
each is taken at a time. The engine does it anew inside every replicate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sembada import _core
from sembada.errors import UnsupportedError
from sembada.pls.specification import Specification

__all__ = ["SCALES", "check", "monotone"]

Array = NDArray[np.float64]
SCALES = ("numeric", "raw", "ordinal", "nominal")


def check(specification: Specification, kinds: tuple[str, ...]) -> None:
    """Raise if a model has parts for which optimal scaling is not defined."""
    if specification.higher_order or specification.terms:
        part = (*specification.higher_order, *specification.terms)[0]
        raise UnsupportedError(
            f"optimal scaling is defined for plain constructs, not for {part!r}: scale the indicators in a model "
            "without it first, or use correlation='polychoric'",
            {"construct": part},
        )
    owner: dict[str, str] = {}
    columns = list(specification.columns)
    for item in specification.blocks:
        for indicator in item.indicators:
            if kinds[columns.index(indicator)] == "numeric":
                continue
            if indicator in owner:
                raise UnsupportedError(
                    f"column {indicator!r} measures {owner[indicator]!r} and {item.construct!r}: its categories "
                    "cannot be scaled for both",
                    {"column": indicator},
                )
            owner[indicator] = item.construct


def monotone(values: Array, weights: Array) -> Array:
    """Return the monotone regression of a sequence: the closest one that never falls.

    Parameters
    ----------
    values
        The sequence.
    weights
        Weights, above zero.

    Returns
    -------
    ndarray
        The regression, by pooling adjacent violators (Barlow et al. 1972).

    Examples
    --------
    >>> monotone(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    return np.array(_core.pls_monotone(values.tolist(), weights.tolist()))
