"""What a sweep keeps when it does not keep every run: statistics in memory that does not grow with the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError
from sembada.sd.layout import Layout

__all__ = ["Statistics", "Summary", "as_statistics"]

_SIGNS = (">", ">=", "<", "<=")
_AUTO = "auto"


@dataclass(frozen=True)
class Statistics:
    """Which statistics a sweep keeps for each saved variable and time.

    Mean, variance, smallest, largest and the number of runs are always kept.

    Parameters
    ----------
    by
        Label column of the design: statistics for each of its values. `"auto"`: `scenario` where the design has it.
        `None`: all runs together.
    quantiles
        Whether to keep a sketch of the distribution. Quantiles are exact up to 512 runs a group; after that the value
        given for `q` has a rank between `q - 1/compression` and `q + 1/compression`, whatever the order of the runs.
        This is proven, not likely; `Sweep.rank_error` gives the bound that was reached. Errors of smooth
        distributions are some tenths of it.
    compression
        How fine the sketch is: memory of about 50 bytes times `compression` for each variable, time and group.
    beyond
        Limits by variable, such as `{"cash": ("<", 0)}` or a list of them: the share of runs beyond the limit at each
        time, and when a run first was.

    References
    ----------
    Greenwald & Khanna (2001), Space-efficient online computation of quantile summaries, SIGMOD. Chan, Golub & LeVeque
    (1983), Algorithms for computing the sample variance, The American Statistician 37, for means and variances.

    Examples
    --------
    >>> Statistics(beyond={"cash": ("<", 0.0)}).limits()
    [('cash', '<', 0.0)]
    """

    by: str | None = _AUTO
    quantiles: bool = True
    compression: float = 100.0
    beyond: Mapping[str, Any] = field(default_factory=dict)

    def limits(self) -> list[tuple[str, str, float]]:
        """Return the limits as (variable, sign, limit)."""
        out: list[tuple[str, str, float]] = []
        for name, given in self.beyond.items():
            for pair in [given] if isinstance(given, tuple) else list(given):
                if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and pair[0] in _SIGNS):
                    raise SpecificationError(
                        f"statistics: beyond[{name!r}] is {pair!r}; expected a sign ({', '.join(_SIGNS)}) and a "
                        "limit, such as ('<', 0.0)",
                        {"name": name, "value": pair},
                    )
                out.append((name, pair[0], float(pair[1])))
        return out


def as_statistics(given: Any) -> Statistics | None:
    """Take `Statistics`, `True` or a list of names (`"mean"`, `"quantiles"`, …); `None` and `False` keep every run."""
    if given is None or given is False or isinstance(given, Statistics):
        return given or None
    if given is True:
        return Statistics()
    names = [given] if isinstance(given, str) else list(given)
    known = ("mean", "std", "variance", "min", "max", "count", "quantiles")
    for name in names:
        if name not in known:
            from sembada.errors import unknown_name

            raise unknown_name("statistic", str(name), known)
    return Statistics(quantiles="quantiles" in names)


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Statistics of a sweep by group, column and time.

    Attributes
    ----------
    groups : tuple
        The values of the label that the runs are grouped by; `("all",)` where they are not.
    by : str or None
        The label.
    """

    layout: Layout
    groups: tuple[Any, ...]
    by: str | None
    limits: tuple[tuple[str, str, float], ...]
    _reduction: Any

    @property
    def state(self) -> bytes:
        """The statistics as bytes: the same for the same sweep, wherever it ran."""
        data: bytes = self._reduction.to_bytes()
        return data

    def table(self, what: str, name: str) -> pd.DataFrame:
        """Return one statistic of a variable: index `time`, columns group (and element)."""
        columns, single = self.layout.find(name)
        values: NDArray[Any] = getattr(self._reduction, what)()[:, columns, :]
        return self._frame(values, columns, single)

    def quantiles(self, name: str, q: Sequence[float]) -> pd.DataFrame:
        """Return quantiles of a variable: index `time`, columns group (and element) and quantile."""
        columns, single = self.layout.find(name)
        values = self._reduction.quantile(np.asarray(q, dtype=float), columns.start, columns.stop)
        return self._frame(values, columns, single, [float(value) for value in q])

    def rank_error(self, name: str) -> pd.DataFrame:
        """Return the proven error of the quantiles of a variable as a share of the ranks: index `time`."""
        columns, single = self.layout.find(name)
        return self._frame(self._reduction.rank_error()[:, columns, :], columns, single)

    def _frame(
        self, values: NDArray[Any], columns: slice, single: bool, q: Sequence[float] | None = None
    ) -> pd.DataFrame:
        levels: list[tuple[str, list[Any]]] = []
        keys: list[list[Any]] = []
        if self.by is not None:
            levels.append((self.by, list(self.groups)))
        if not single:
            labels = self.layout.labels(columns)
            levels.append(("element", [",".join(x) if isinstance(x, tuple) else x for x in labels]))
        if q is not None:
            levels.append(("quantile", list(q)))
        keys = [values_ for _, values_ in levels]
        # (groups, columns, times[, q]) → (times, groups × columns × q)
        flat = np.moveaxis(values, 2, 0).reshape(values.shape[2], -1)
        if not levels:
            header: pd.Index = pd.Index([self.layout.columns[columns.start]])
        elif len(levels) == 1:
            header = pd.Index(keys[0], name=levels[0][0])
        else:
            header = pd.MultiIndex.from_product(keys, names=[name for name, _ in levels])
        return pd.DataFrame(flat, index=self.layout.index, columns=header)

    def exceedance(self) -> pd.DataFrame:
        """Return the share of runs beyond each limit: index `time`, columns limit (and group)."""
        return self._limits(self._reduction.exceedance(), self.layout.index)

    def first_passage(self) -> pd.DataFrame:
        """Return the share of runs that were first beyond each limit at each time; the last row is never (infinity)."""
        index = pd.Index([*self.layout.times, np.inf], name="time")
        return self._limits(self._reduction.first_passage(), index)

    def _limits(self, values: NDArray[np.float64], index: pd.Index) -> pd.DataFrame:
        names = [f"{name} {sign} {limit:g}" for name, sign, limit in self.limits]
        flat = np.moveaxis(values, 2, 0).reshape(values.shape[2], -1)
        header: pd.Index = pd.Index(names, name="limit")
        if self.by is not None:
            header = pd.MultiIndex.from_product([self.groups, names], names=[self.by, "limit"])
        return pd.DataFrame(flat, index=index, columns=header)
