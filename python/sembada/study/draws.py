"""Joint draws of path coefficients, from a bootstrap or from a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.study.streams import RESAMPLE, stream

__all__ = ["Path", "PathDraws", "path_draws", "path_name"]

Path: TypeAlias = tuple[str, str]

_ARROW = re.compile(r"\s*(?:->|→|=>)\s*")


def path_name(path: Path) -> str:
    """Write a path as `X → Y`."""
    return f"{path[0]} → {path[1]}"


@dataclass(frozen=True)
class PathDraws:
    """Draws of all paths of one structural model, kept together row by row.

    Parameters
    ----------
    paths
        Pairs `(predictor, outcome)`.
    replicates
        `(n_draws, n_paths)`; NaN in the rows of replicates that failed.
    estimate
        `(n_paths,)`: the estimate on the whole sample.
    consistent
        Whether the paths are corrected for attenuation (PLSc); `None` if unknown.
    """

    paths: tuple[Path, ...]
    replicates: NDArray[np.float64]
    estimate: NDArray[np.float64]
    consistent: bool | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which rows are complete."""
        return np.asarray(np.isfinite(self.replicates).all(axis=1), dtype=np.bool_)

    def index(self, path: Path) -> int:
        """Return the column of a path.

        Raises
        ------
        UnknownNameError
            If the structural model has no such path.
        """
        if path in self.paths:
            return self.paths.index(path)
        raise unknown_name("path", path_name(path), [path_name(known) for known in self.paths], where="the bootstrap")

    def column(self, path: Path) -> NDArray[np.float64]:
        """Return the draws of a path."""
        return self.replicates[:, self.index(path)]

    def rows(self, draws: int, seed: int) -> NDArray[np.intp]:
        """Choose the bootstrap row behind each of `draws` rows of a design.

        As many draws as replicates: row b is row b, failed replicates included. Otherwise a balanced resample of
        the usable rows: each appears ⌊draws/n⌋ times, a random part of them once more, in random order.

        Raises
        ------
        DataError
            If every replicate failed.
        """
        if draws == len(self.replicates):
            return np.arange(draws)
        good = np.flatnonzero(self.usable)
        if good.size == 0:
            raise DataError(
                f"none of the {len(self.replicates)} bootstrap replicates is usable: look at bootstrap.status",
                {"n_replicates": len(self.replicates)},
            )
        rng = stream(seed, RESAMPLE)
        whole, rest = divmod(draws, good.size)
        chosen = np.concatenate([np.tile(good, whole), rng.permutation(good)[:rest]])
        mixed: NDArray[np.intp] = rng.permutation(chosen)
        return mixed


def _frame_paths(columns: Sequence[Any]) -> list[Path]:
    paths: list[Path] = []
    for column in columns:
        if isinstance(column, tuple) and len(column) == 2:
            paths.append((str(column[0]), str(column[1])))
            continue
        parts = _ARROW.split(str(column).strip())
        if len(parts) != 2:
            raise SpecificationError(
                f"column {column!r} of the draws names no path: expected a pair (predictor, outcome) or text 'X -> Y'",
                {"column": column},
            )
        paths.append((parts[0], parts[1]))
    return paths


def path_draws(bootstrap: Any) -> PathDraws:
    """Read joint draws from a `pls.Bootstrap`, or from a frame as SmartPLS and others export them.

    Parameters
    ----------
    bootstrap
        A `sembada.pls.Bootstrap`; or a DataFrame with a row a replicate and a column a path, named by pairs
        `(predictor, outcome)` or by text `X -> Y`. The estimate of a frame is `frame.attrs["estimate"]` (in the
        order of the columns) if present, else the mean of its rows.

    Raises
    ------
    SpecificationError
        If a column names no path, or the object has no draws.

    Examples
    --------
    >>> frame = pd.DataFrame({"OI -> KMC": [0.4, 0.5], "KMC -> OP": [0.3, 0.5]})
    >>> path_draws(frame).paths
    (('OI', 'KMC'), ('KMC', 'OP'))
    """
    if isinstance(bootstrap, PathDraws):
        return bootstrap
    if isinstance(bootstrap, pd.DataFrame):
        paths = _frame_paths(list(bootstrap.columns))
        values = bootstrap.to_numpy(dtype=float)
        if len(values) == 0:
            raise DataError("the frame of draws has no rows: expected a row a replicate", {"n_replicates": 0})
        given = bootstrap.attrs.get("estimate")
        estimate = np.nanmean(values, axis=0) if given is None else np.asarray(given, dtype=float)
        if estimate.shape != (len(paths),):
            raise DataError(
                f"attrs['estimate'] has {estimate.size} numbers for {len(paths)} columns",
                {"n_estimates": estimate.size, "n_paths": len(paths)},
            )
        return PathDraws(tuple(paths), values, estimate)
    if not (hasattr(bootstrap, "draws") and hasattr(bootstrap, "paths")):
        raise SpecificationError(
            f"bootstrap is a {type(bootstrap).__name__}: expected the result of fit.bootstrap(…) or a frame of "
            "path draws",
            {"type": type(bootstrap).__name__},
        )
    labelled = bootstrap.draws("paths")
    paths = _frame_paths(list(labelled.columns))
    keyed = {(str(a), str(b)): float(value) for (a, b), value in bootstrap.paths()["estimate"].items()}
    estimate = np.array([keyed[path] for path in paths])
    return PathDraws(tuple(paths), labelled.to_numpy(dtype=float), estimate, _is_consistent(bootstrap))


def _is_consistent(bootstrap: Any) -> bool | None:
    """Whether the fit behind a bootstrap was corrected for attenuation; `None` if it does not say."""
    for holder in (bootstrap, getattr(bootstrap, "fit", None)):
        options = (getattr(holder, "provenance", None) or {}).get("options") or {}
        if "consistent" in options:
            return bool(options["consistent"])
    return None
