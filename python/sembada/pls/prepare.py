"""What is done to the answers of a sample before its moments are taken.

PLS needs only moments. Completed missing values, polychoric correlations, ranks and scaled categories are moments of
another kind, which the engine takes from the row weights of each sample, so anew inside every replicate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.pls.missing import check_complete
from sembada.pls.ordinal import is_ordinal
from sembada.pls.quantify import SCALES
from sembada.pls.specification import choice

__all__ = ["COMPLETED", "CORRELATIONS", "Preparation"]

Array = NDArray[np.float64]
#: Ways to complete missing values that are not the engine's own.
COMPLETED = ("regression", "em")
CORRELATIONS = ("pearson", "spearman", "polychoric")


@dataclass(frozen=True)
class Preparation:
    """How a sample is prepared.

    Parameters
    ----------
    missing
        What is done about missing values.
    correlation
        `"pearson"`, `"spearman"` or `"polychoric"`.
    columns
        Names of the columns.
    ordinal
        Which columns are ordinal, for `"polychoric"`.
    scaling
        Scale of each column for optimal scaling, or `None`.
    """

    missing: str
    correlation: str
    columns: tuple[str, ...]
    ordinal: tuple[bool, ...] | None = None
    scaling: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.scaling is not None and self.correlation != "pearson":
            raise SpecificationError(
                f"scaling= does not go with correlation={self.correlation!r}: use one of them",
                {"correlation": self.correlation},
            )
        if self.scaling is not None and self.missing not in {"error", "listwise"}:
            raise SpecificationError(
                f"missing={self.missing!r} does not go with scaling=: expected 'error' or 'listwise'",
                {"missing": self.missing},
            )
        if self.correlation != "pearson" and self.missing in {"mean", "pairwise", *COMPLETED}:
            raise SpecificationError(
                f"missing={self.missing!r} does not go with correlation={self.correlation!r}: expected 'error' or "
                "'listwise'",
                {"missing": self.missing, "correlation": self.correlation},
            )

    @property
    def plain(self) -> dict[str, Any] | None:
        """What the engine does to each sample before its moments are taken; `None` for nothing."""
        if self.missing in COMPLETED:
            return {"kind": self.missing}
        if self.scaling is not None:
            return {"kind": "scaling", "scales": list(self.scaling)}
        if self.correlation == "polychoric":
            return {"kind": "polychoric", "ordinal": list(self.ordinal or ())}
        return {"kind": "spearman"} if self.correlation == "spearman" else None

    @property
    def is_needed(self) -> bool:
        """Whether anything is done to a sample before its moments are taken."""
        return self.plain is not None

    @property
    def for_engine(self) -> str:
        """What the engine does about missing values besides."""
        return "error" if self.missing in COMPLETED else self.missing

    def check(self, values: Array, weights: Array | None) -> None:
        """Raise if the whole sample cannot be prepared.

        Raises
        ------
        DataError
            If answers are missing where none may, or too many to be completed.
        """
        if self.missing in COMPLETED:
            check_complete(values, self.columns, self.missing, weights)
        elif self.plain is not None and self.missing == "error" and np.isnan(values).any():
            row, column = np.argwhere(np.isnan(values))[0]
            raise DataError(
                f"column {self.columns[column]!r} has no value in row {row}: this estimation needs complete rows; "
                "choose missing='listwise'",
                {"column": self.columns[column], "row": int(row)},
            )


def column_scales(columns: Sequence[str], scaling: str | Mapping[str, str] | None) -> tuple[str, ...] | None:
    """Return the scale of each column, or `None` if all are numeric; `"raw"` only if all are."""
    if scaling is None:
        return None
    if isinstance(scaling, str):
        kinds = tuple(choice("scaling", scaling, SCALES) for _ in columns)
    else:
        for name in scaling:
            if name not in columns:
                raise unknown_name("column", name, columns, where="scaling=")
        kinds = tuple(choice(f"scaling[{name!r}]", scaling.get(name, "numeric"), SCALES) for name in columns)
    if set(kinds) == {"raw"}:
        return kinds
    # Beside standardised columns a raw one would count by its unit alone, so it is standardised too.
    kinds = tuple("numeric" if kind == "raw" else kind for kind in kinds)
    return None if set(kinds) == {"numeric"} else kinds


def ordinal_columns(columns: Sequence[str], ordinal: Sequence[str] | bool | None, values: Array) -> tuple[bool, ...]:
    """Return which columns are ordinal; found in the complete rows if it is not said."""
    if ordinal is None:
        return tuple(bool(kind) for kind in is_ordinal(values[~np.isnan(values).any(axis=1)]))
    if isinstance(ordinal, bool):
        return tuple(ordinal for _ in columns)
    for name in ordinal:
        if name not in columns:
            raise unknown_name("column", name, columns, where="ordinal=")
    return tuple(name in ordinal for name in columns)
