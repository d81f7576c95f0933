"""Structural models as matrices of zeros and ones, as plspm writes them: row = outcome, column = predictor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sembada.errors import SpecificationError, unknown_name
from sembada.pls.specification import Block

__all__ = ["path_pairs"]


def path_pairs(matrix: Any, blocks: Sequence[Block]) -> list[tuple[str, str]]:
    """Read the paths of a matrix.

    Parameters
    ----------
    matrix
        A square table or array; row = outcome, column = predictor.
    blocks
        The blocks, whose order is that of an array's rows.

    Returns
    -------
    list of tuple
        Pairs (predictor, outcome), outcome by outcome.

    Raises
    ------
    SpecificationError
        If the matrix is not square, does not fit the blocks, or holds anything but zeros and ones.
    UnknownNameError
        If a row or column of a table is not a construct.
    """
    names = [block.construct for block in blocks]
    values = np.asarray(matrix)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise SpecificationError(
            f"the path matrix has the shape {values.shape}: expected as many rows as columns", {"shape": values.shape}
        )
    rows, columns = names, names
    if isinstance(matrix, pd.DataFrame):
        rows, columns = [str(name) for name in matrix.index], [str(name) for name in matrix.columns]
        for name in (*rows, *columns):
            if name not in names:
                raise unknown_name("construct", name, names, where="the path matrix")
    elif len(values) != len(names):
        raise SpecificationError(
            f"the path matrix has {len(values)} rows: expected {len(names)}, one for each block",
            {"shape": values.shape, "blocks": len(names)},
        )
    result: list[tuple[str, str]] = []
    for i, outcome in enumerate(rows):
        for j, predictor in enumerate(columns):
            value = values[i, j]
            if value not in (0, 1):
                raise SpecificationError(
                    f"the path matrix holds {value!r} in row {outcome!r}, column {predictor!r}: expected 1 for a path, "
                    "0 for none",
                    {"outcome": outcome, "predictor": predictor, "value": value},
                )
            if value:
                result.append((predictor, outcome))
    return result
