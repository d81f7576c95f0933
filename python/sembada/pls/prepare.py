"""What is done to the answers of a sample before its moments are taken.

PLS needs only moments. Completed missing values, polychoric correlations and ranks therefore become data that carry
the wanted moments, and take the same way through the engine as any other data; each resample is prepared anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.pls.missing import carry, complete, expectation_maximisation
from sembada.pls.ordinal import is_ordinal, polychoric, spearman
from sembada.pls.quantify import SCALES, quantify
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.engine import System

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
        Which columns are ordinal, for `"polychoric"`; found in the data if `None`.
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
    def is_needed(self) -> bool:
        """Whether anything is to be done outside the engine."""
        return self.missing in COMPLETED or self.correlation != "pearson" or self.scaling is not None

    @property
    def for_engine(self) -> str:
        """What the engine does about missing values after the preparation."""
        return "error" if self.missing in COMPLETED else self.missing

    def start(self, values: Array, weights: Array | None) -> tuple[Array, Array] | None:
        """Return the moments from which EM starts on each resample."""
        if self.missing != "em" or not np.isnan(values).any():
            return None
        mean, cov, _ = expectation_maximisation(values, weights)
        return mean, cov

    def apply(
        self, system: System, values: Array, weights: Array | None, start: tuple[Array, Array] | None = None
    ) -> Array:
        """Return data that carry the wanted moments.

        Parameters
        ----------
        system
            The model, which optimal scaling estimates again and again.
        values
            Matrix `(n_obs, n_columns)`; NaN is missing.
        weights
            Row weights `(n_obs,)`.
        start
            Moments from which EM starts.

        Raises
        ------
        DataError
            If the sample cannot be prepared.
        """
        if self.missing in COMPLETED:
            return complete(values, self.columns, self.missing, weights, start)
        if not self.is_needed:
            return values
        gaps = np.isnan(values).any(axis=1)
        if gaps.any() and self.missing == "error":
            row, column = np.argwhere(np.isnan(values))[0]
            raise DataError(
                f"column {self.columns[column]!r} has no value in row {row}: this estimation needs complete rows; "
                "choose missing='listwise'",
                {"column": self.columns[column], "row": int(row)},
            )
        whole = ~gaps
        w = np.ones(len(values)) if weights is None else weights
        result = np.full_like(values, np.nan)
        if self.scaling is not None:
            result[whole] = self._quantified(system, values[whole], w[whole], self.scaling)
            return result
        if self.correlation == "spearman":
            result[whole] = spearman(values[whole], w[whole])
            return result
        kinds = is_ordinal(values[whole]) if self.ordinal is None else np.array(self.ordinal)
        target = polychoric(values[whole], self.columns, kinds, w[whole])
        part, own = values[whole], w[whole] / w[whole].sum()
        mean = own @ part
        scale = np.sqrt(own @ (part - mean) ** 2)
        result[whole] = mean + carry((part - mean) / scale, own, target) * scale
        return result

    def _quantified(self, system: System, values: Array, w: Array, kinds: tuple[str, ...]) -> Array:
        nodes = list(system.nodes)
        order = [nodes.index(name) for name in system.specification.measured]

        def scores_of(matrix: Array) -> Array:
            result = system.fit(matrix, weights=w, missing="error", kernel="auto", statistics=["weights"])
            scores: Array = np.asarray(result["scores"], dtype=np.float64)
            return scores[:, order] if np.isfinite(result["values"]).all() else np.full_like(scores, np.nan)

        return quantify(system.specification, values, kinds, w, system.options.scheme, scores_of)


def column_scales(columns: Sequence[str], scaling: str | Mapping[str, str] | None) -> tuple[str, ...] | None:
    """Return the scale of each column, or `None` if all are numeric."""
    if scaling is None:
        return None
    if isinstance(scaling, str):
        kinds = tuple(choice("scaling", scaling, SCALES) for _ in columns)
    else:
        for name in scaling:
            if name not in columns:
                raise unknown_name("column", name, columns, where="scaling=")
        kinds = tuple(choice(f"scaling[{name!r}]", scaling.get(name, "numeric"), SCALES) for name in columns)
    return None if set(kinds) == {"numeric"} else kinds


def ordinal_columns(columns: Sequence[str], ordinal: Sequence[str] | bool | None) -> tuple[bool, ...] | None:
    """Return which columns are ordinal, or `None` to find out from the data."""
    if ordinal is None:
        return None
    if isinstance(ordinal, bool):
        return tuple(ordinal for _ in columns)
    for name in ordinal:
        if name not in columns:
            raise unknown_name("column", name, columns, where="ordinal=")
    return tuple(name in ordinal for name in columns)
