"""Groups of respondents: which row belongs where, and the model fitted to each group and to all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sembada import _core
from sembada.errors import DataError, SembadaError, SpecificationError, unknown_name
from sembada.pls.engine import seed_key
from sembada.pls.frames import Table, column_of, read
from sembada.pls.statistics import GROUPS, STANDARD, parts_of

if TYPE_CHECKING:
    from sembada.pls.fit import Fit
    from sembada.pls.model import Model
    from sembada.pls.provenance import Provenance

__all__ = ["Groups", "Permutations", "kept", "split"]

#: Row numbers that are made at a time: about 64 MB.
ROOM = 8_000_000


@dataclass(frozen=True, eq=False)
class Groups:
    """A sample split into groups.

    Parameters
    ----------
    names
        Labels of the groups, in the order of the tables.
    pooled
        The fit on the rows of all groups, the first group's rows first, in the order of the data.
    fits
        The fit on each group.
    """

    names: tuple[Any, ...]
    pooled: Fit
    fits: tuple[Fit, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of rows of each group."""
        return tuple(fit._table.n_obs for fit in self.fits)

    @property
    def bounds(self) -> tuple[int, ...]:
        """Where each group begins among the pooled rows, and where the last ends."""
        return tuple(int(bound) for bound in np.concatenate([[0], np.cumsum(self.sizes)]))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Numbers of the groups of each pair."""
        count = len(self.names)
        return [(first, second) for first in range(count) for second in range(first + 1, count)]

    def provenance(self, method: Any, n: int, *, given: bool, seed: int | None, **more: Any) -> Provenance:
        """Return what a comparison of the groups was made from: the pooled fit, how often, and its own options."""
        own = self.pooled.provenance
        options = {**own.options, "method": method, "n": n, "given": given, "groups": self.names, **more}
        return own.with_facts(seed=seed, options=options)

    def only(self, model: Model, numbers: Sequence[int], options: Mapping[str, Any]) -> Groups:
        """Return some of the groups, pooled anew."""
        fits = tuple(self.fits[number] for number in numbers)
        tables = [fit._table for fit in fits]
        weights = [table.weights for table in tables if table.weights is not None]
        joined = replace(
            tables[0],
            matrix=np.concatenate([table.matrix for table in tables]),
            index=tables[0].index.append([table.index for table in tables[1:]]),
            weights=np.concatenate(weights) if weights else None,
        )
        rest = {key: value for key, value in options.items() if key != "weights"}
        return Groups(tuple(self.names[number] for number in numbers), model.fit(joined, **rest), fits)


def split(
    model: Model, data: Any, group: Any, groups: Sequence[Any] | None, options: Mapping[str, Any], *, two: bool = False
) -> Groups:
    """Split a sample and fit the model to each group.

    Parameters
    ----------
    model
        The model.
    data
        The data frame.
    group
        Name of the column that says which group a row belongs to, or a label for each row.
    groups
        The labels to compare, in this order; by default all, sorted.
    options
        Options of `Model.fit`.
    two
        Whether exactly two groups are wanted.
    """
    options = dict(options)
    table = read(
        data,
        model.columns,
        weights=options.pop("weights", None),
        missing_value=options.get("missing_value"),
        warn=False,
    )
    labels = column_of(data, group) if isinstance(group, str) else list(np.asarray(group, dtype=object).ravel())
    where = f"group={group!r}" if isinstance(group, str) else "group="
    if len(labels) != table.n_obs:
        raise DataError(
            f"{where} has {len(labels)} labels: expected one for each of the {table.n_obs} rows",
            {"labels": len(labels), "n_obs": table.n_obs},
        )
    missing = [row for row, label in enumerate(labels) if label is None or label is pd.NA or label != label]
    if missing and groups is None:
        raise DataError(
            f"{where}: row {missing[0]} has no label ({len(missing)} rows have none): leave these rows out, or name "
            "the groups to compare with groups=",
            {"row": missing[0], "missing": len(missing)},
        )
    absent = set(missing)
    labels = [None if row in absent else label for row, label in enumerate(labels)]
    known = _ordered([label for label in dict.fromkeys(labels) if label is not None])
    names = tuple(known) if groups is None else tuple(groups)
    for name in names:
        if name not in known:
            raise unknown_name("group", str(name), [str(label) for label in known], where=where)
    if len(set(names)) != len(names) or len(names) < 2 or (two and len(names) != 2):
        raise SpecificationError(
            f"{where} has the groups {', '.join(repr(name) for name in names)}: expected "
            + ("two; choose them with groups=(…, …)" if two else "two or more, each once"),
            {"groups": names},
        )
    members = [np.array([row for row, label in enumerate(labels) if label == name], dtype=np.int64) for name in names]
    if options.get("missing") == "listwise":
        # Rows that are never used would be dealt to groups all the same.
        whole = np.asarray(~np.isnan(table.matrix).any(axis=1))
        members = [rows[whole[rows]] for rows in members]
    fits = []
    for name, rows in zip(names, members, strict=True):
        try:
            fits.append(model.fit(_take(table, rows), **options))
        except SembadaError as error:
            raise type(error)(f"group {name!r}: {error}", {**error.fields, "group": name}) from error
    pooled = model.fit(_take(table, np.concatenate(members)), **options)
    return Groups(names, pooled, tuple(fits))


def _ordered(labels: list[Any]) -> list[Any]:
    try:
        return sorted(labels)
    except TypeError:
        return labels


def _take(table: Table, rows: NDArray[np.int64]) -> Table:
    weights = None if table.weights is None else table.weights[rows]
    return replace(table, matrix=np.ascontiguousarray(table.matrix[rows]), index=table.index[rows], weights=weights)


def kept(fit: Fit, statistics: Sequence[str] | None) -> tuple[str, ...]:
    """Return the engine's names of what is to be kept."""
    wanted = STANDARD if statistics is None else tuple(statistics)
    for name in wanted:
        if name not in GROUPS:
            raise unknown_name("statistic", name, GROUPS, where="statistics=")
    return parts_of(fit._system, wanted)


@dataclass(frozen=True, eq=False)
class Permutations:
    """Ways to deal the pooled rows to the groups again.

    Parameters
    ----------
    n
        How many.
    n_obs
        Number of pooled rows.
    given
        Row numbers `(n, n_obs)`, or `None` for those of the seed.
    seed
        The seed, recorded.
    key
        Key of the random numbers.
    """

    n: int
    n_obs: int
    given: NDArray[np.int64] | None
    seed: int | None
    key: tuple[int, int]

    @staticmethod
    def make(n: int, n_obs: int, seed: int | None, given: ArrayLike | None) -> Permutations:
        """Check and make them."""
        if given is not None:
            rows = np.asarray(given)
            if rows.ndim != 2 or rows.shape[1] != n_obs or not np.issubdtype(rows.dtype, np.integer):
                raise DataError(
                    f"permutations have the shape {rows.shape} and type {rows.dtype}, expected whole numbers "
                    f"(n, {n_obs}): row numbers from zero of the pooled rows, the first group's rows first",
                    {"shape": rows.shape, "n_obs": n_obs},
                )
            bad = np.flatnonzero((np.sort(rows, axis=1) != np.arange(n_obs)).any(axis=1))
            if bad.size:
                raise DataError(
                    f"permutations[{bad[0]}] does not hold every row number from 0 to {n_obs - 1} once",
                    {"permutation": int(bad[0])},
                )
            return Permutations(len(rows), n_obs, rows.astype(np.int64), None, (0, 0))
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise SpecificationError(f"n={n!r}: expected a positive number of permutations", {"n": n})
        used, key = seed_key(seed)
        return Permutations(int(n), n_obs, None, used, key)

    def blocks(self) -> list[range]:
        """Return the numbers of the permutations in blocks that fit into memory."""
        size = max(1, ROOM // max(self.n_obs, 1))
        return [range(start, min(start + size, self.n)) for start in range(0, self.n, size)]

    def rows(self, block: range) -> NDArray[np.int64]:
        """Return the row numbers of a block `(len(block), n_obs)`."""
        if self.given is not None:
            return self.given[block.start : block.stop]
        return _core.philox_permutations(self.key, block.start, len(block), self.n_obs).astype(np.int64)
