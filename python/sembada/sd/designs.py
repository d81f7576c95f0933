"""Designs of sweeps: tables, grids, samples, and scenarios × draws."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sembada.errors import SpecificationError, unknown_name

__all__ = ["Design", "as_design", "grid", "sample", "scenarios"]

_METHODS = ("lhs", "sobol", "halton", "random")


@dataclass(frozen=True, eq=False, repr=False)
class Design:
    """What each run of a sweep changes.

    Attributes
    ----------
    frame : DataFrame
        A row a run. A column is a parameter, an element `Name[Elem]`, a stock (its initial value), a lookup (points
        `(x, y)`), `dt`, `initial_time`, `final_time` or `save_step`; columns of text are labels. What a scenario or a
        row given as a mapping does not set is NaN and keeps the value of the model; NaN in a table is an error.
    streams : ndarray
        Which stream of random numbers each run draws from, shape (runs,). Runs with the same number share noise.
    record : dict
        How the design was made.
    """

    frame: pd.DataFrame
    streams: NDArray[np.uint64]
    record: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        kind = self.record.get("kind", "table")
        return f"<Design: {kind}, {len(self)} runs, {', '.join(map(str, self.frame.columns[:6]))}>"

    def __mul__(self, other: Design) -> Design:
        """Cross two designs: each run of this one with each run of the other."""
        return cross(self, other)


def _design(frame: pd.DataFrame, record: dict[str, Any], streams: NDArray[np.uint64] | None = None) -> Design:
    frame.index = pd.RangeIndex(len(frame), name="run")
    if streams is None:
        streams = np.arange(len(frame), dtype=np.uint64)
    return Design(frame, streams, record)


def as_design(design: Any) -> Design:
    """Take a design, a frame of any library, a mapping of columns, or a list of mappings.

    Raises
    ------
    SpecificationError
        If it is none of these, or has no rows.
    """
    if isinstance(design, Design):
        made = design
    elif isinstance(design, pd.DataFrame):
        made = _design(design.copy(deep=False), {"kind": "table"})
    elif isinstance(design, Mapping):
        made = _design(pd.DataFrame(dict(design)), {"kind": "table"})
    elif isinstance(design, (list, tuple)) and all(isinstance(row, Mapping) for row in design):
        made = _design(pd.DataFrame([dict(row) for row in design]), {"kind": "rows"})
    else:
        try:
            made = _design(nw.from_native(design, eager_only=True).to_pandas(), {"kind": "table"})
        except TypeError:
            raise SpecificationError(
                f"design: {type(design).__name__} is no design; expected a DataFrame (a row a run, a column a "
                "parameter), sd.grid(…), sd.sample(…) or sd.scenarios(…)",
                {"design": type(design).__name__},
            ) from None
    if not len(made):
        raise SpecificationError("design: it has no rows; expected a row a run", {"n_runs": 0})
    if not made.frame.columns.is_unique:
        twice = made.frame.columns[made.frame.columns.duplicated()]
        raise SpecificationError(f"design: column {twice[0]!r} stands twice", {"column": str(twice[0])})
    return made


def grid(factors: Mapping[str, Sequence[Any]] | None = None, /, **named: Sequence[Any]) -> Design:
    """Make every combination of given values.

    Parameters
    ----------
    factors
        Values by name.
    **named
        The same, for names that are Python names.

    Returns
    -------
    Design
        The last factor changes fastest.

    Examples
    --------
    >>> from sembada import sd
    >>> sd.grid({"reach": [0.01, 0.02], "churn": [0.1, 0.2, 0.3]}).frame.shape
    (6, 2)
    """
    levels = {**(factors or {}), **named}
    if not levels:
        raise SpecificationError("grid: no factors; expected values by name", {})
    lists: dict[str, list[Any]] = {}
    for name, values in levels.items():
        lists[name] = [values] if isinstance(values, str) or np.isscalar(values) else list(values)
        if not lists[name]:
            raise SpecificationError(f"grid: factor {name!r} has no values", {"name": name})
    rows = list(itertools.product(*lists.values()))
    frame = pd.DataFrame({name: _column([row[i] for row in rows]) for i, name in enumerate(lists)})
    return _design(frame, {"kind": "grid", "levels": {name: len(values) for name, values in lists.items()}})


def _column(values: list[Any]) -> pd.Series:
    if any(isinstance(value, (tuple, list, pd.Series, Mapping)) or callable(value) for value in values):
        return pd.Series(values, dtype=object)
    return pd.Series(values)


class _Draws:
    """An empirical distribution: the quantiles of given draws."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self._sorted = np.sort(values)

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(self._sorted)
        picked: NDArray[np.float64] = self._sorted[np.minimum((q * n).astype(np.intp), n - 1)]
        return picked


def marginal(name: str, given: Any) -> Any:
    """Turn what stands for a marginal distribution into an object with `ppf`.

    Raises
    ------
    SpecificationError
        If it is neither a frozen distribution of scipy.stats, nor `(low, high)`, nor an array of draws.
    """
    if hasattr(given, "ppf"):
        return given
    if hasattr(given, "icdf"):  # the distributions of scipy.stats since 1.15
        return _Inverse(given)
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim == 1 and isinstance(given, tuple) and len(values) == 2 and values[0] < values[1]:
        return stats.uniform(values[0], values[1] - values[0])
    if values.ndim == 1 and len(values) >= 1 and not isinstance(given, tuple) and np.isfinite(values).all():
        return _Draws(values)
    raise SpecificationError(
        f"sample: {name!r} is {given!r}; expected a distribution such as scipy.stats.uniform(0, 1), a pair "
        "(low, high) with low < high, or an array of draws",
        {"name": name, "value": repr(given)},
    )


class _Inverse:
    def __init__(self, distribution: Any) -> None:
        self.ppf = distribution.icdf


def generator(seed: int | None) -> np.random.Generator:
    """Make the generator of a seed; the bits do not depend on the platform."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(0 if seed is None else int(seed))))


def _sequence(kind: Any, d: int, rng: np.random.Generator) -> Any:
    try:
        return kind(d, rng=rng)
    except TypeError:  # scipy before 1.15
        return kind(d, seed=rng)


def unit_sample(n: int, d: int, method: str, seed: int | None) -> NDArray[np.float64]:
    """Draw `n` points of the unit cube of `d` dimensions, shape (n, d), open at both ends."""
    if method not in _METHODS:
        raise unknown_name("sampling method", method, _METHODS)
    if n < 1:
        raise SpecificationError(f"sample: n={n}; expected at least one", {"n": n})
    rng = generator(seed)
    points: NDArray[np.float64]
    if method == "random":
        points = rng.random((n, d))
    elif method == "lhs":
        strata = rng.random((n, d))
        for column in range(d):
            strata[:, column] = np.argsort(strata[:, column], kind="stable")
        points = rng.random((n, d))
        points += strata
        points /= n
    elif method == "halton":
        points = _sequence(stats.qmc.Halton, d, rng).random(n)
    else:
        # a Sobol sequence is balanced for powers of two only: draw the next one and keep the first n
        points = _sequence(stats.qmc.Sobol, d, rng).random_base2(max(0, math.ceil(math.log2(n))))[:n]
    return np.clip(points, 2.0**-54, 1 - 2.0**-53, out=points)


def _correlate(points: NDArray[np.float64], target: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
    """Reorder each column so that rank correlations come near a target; marginals stay as they are.

    Iman and Conover (1982), "A distribution-free approach to inducing rank correlation among input variables".
    """
    n, d = points.shape
    # Pearson's correlation of normal scores that gives Spearman's target (Pearson 1907)
    pearson = 2 * np.sin(np.pi * target / 6)
    np.fill_diagonal(pearson, 1.0)
    scores = stats.norm.ppf(np.arange(1, n + 1) / (n + 1))
    matrix = np.column_stack([rng.permutation(scores) for _ in range(d)])
    have = np.linalg.cholesky(np.corrcoef(matrix, rowvar=False))
    want = np.linalg.cholesky(pearson)
    mixed = matrix @ np.linalg.solve(have, np.eye(d)).T @ want.T
    out = np.empty_like(points)
    for column in range(d):
        ranks = np.argsort(np.argsort(mixed[:, column], kind="stable"), kind="stable")
        out[:, column] = np.sort(points[:, column])[ranks]
    return out


def _correlation(names: list[str], given: Any) -> NDArray[np.float64]:
    matrix = np.eye(len(names))
    if isinstance(given, pd.DataFrame):
        for name in given.columns:
            if name not in names:
                raise unknown_name("factor", str(name), names, where="correlation")
        at = [names.index(str(name)) for name in given.columns]
        matrix[np.ix_(at, at)] = given.loc[list(given.columns)].to_numpy(dtype=float)
    elif isinstance(given, Mapping):
        for (a, b), value in given.items():
            for name in (a, b):
                if name not in names:
                    raise unknown_name("factor", str(name), names, where="correlation")
            matrix[names.index(a), names.index(b)] = matrix[names.index(b), names.index(a)] = value
    else:
        matrix = np.array(given, dtype=float)
    good = matrix.shape == (len(names), len(names)) and np.allclose(matrix, matrix.T) and (abs(matrix) <= 1).all()
    if not good or not np.allclose(np.diag(matrix), 1):
        raise SpecificationError(
            f"sample: correlation must be a symmetric {len(names)} × {len(names)} matrix with ones on its diagonal",
            {"shape": matrix.shape},
        )
    pearson = 2 * np.sin(np.pi * matrix / 6)
    np.fill_diagonal(pearson, 1.0)
    smallest = float(np.linalg.eigvalsh(pearson)[0])
    if smallest <= 1e-10:
        raise SpecificationError(
            f"sample: these rank correlations cannot hold together (smallest eigenvalue {smallest:.3g}); bring them "
            "nearer to zero",
            {"smallest_eigenvalue": smallest},
        )
    return matrix


def sample(
    factors: Mapping[str, Any],
    n: int,
    *,
    method: str = "lhs",
    seed: int | None = 0,
    correlation: Any = None,
) -> Design:
    """Sample parameters from their distributions.

    Parameters
    ----------
    factors
        By name: a frozen distribution of `scipy.stats`, a pair `(low, high)` for a uniform one, or an array of draws
        (its quantiles are taken).
    n
        Number of runs. Sobol sequences are balanced where it is a power of two.
    method
        `"lhs"` (Latin hypercube), `"sobol"` (scrambled), `"halton"` (scrambled) or `"random"`.
    seed
        The same seed gives the same design.
    correlation
        Spearman's rank correlations: a matrix in the order of the factors, a labelled DataFrame, or
        `{("a", "b"): 0.5}`. Marginals stay exact; correlations are met within sampling error.

    Returns
    -------
    Design
        `n` runs.

    Raises
    ------
    SpecificationError
        If a factor is no distribution, or the correlations cannot hold together.

    References
    ----------
    McKay, Beckman & Conover (1979); Iman & Conover (1982).

    Examples
    --------
    >>> from scipy import stats
    >>> from sembada import sd
    >>> design = sd.sample({"reach": (0.01, 0.03), "churn": stats.norm(0.1, 0.01)}, 8, seed=1)
    >>> design.frame.shape
    (8, 2)
    """
    if not isinstance(factors, Mapping) or not factors:
        raise SpecificationError(
            "sample: expected distributions by name, such as {'reach': (0.01, 0.03)}", {"factors": repr(factors)}
        )
    names = list(factors)
    marginals = [marginal(name, factors[name]) for name in names]
    points = unit_sample(n, len(names), method, seed)
    if correlation is not None:
        target = _correlation(names, correlation)
        # a stream of its own, so that the marginals do not change with the correlations
        points = _correlate(points, target, generator(seed).spawn(1)[0])
    frame = pd.DataFrame(
        {name: np.asarray(marginals[i].ppf(points[:, i]), dtype=float) for i, name in enumerate(names)}
    )
    for name in names:
        if not np.isfinite(frame[name].to_numpy()).all():
            raise SpecificationError(
                f"sample: the distribution of {name!r} gives values that are not finite", {"name": name}
            )
    return _design(frame, {"kind": "sample", "method": method, "seed": seed, "n": n})


def cross(first: Design, second: Design) -> Design:
    """Make each run of one design with each run of another; streams of random numbers are those of the second.

    Raises
    ------
    SpecificationError
        If both change the same thing.
    """
    both = [name for name in first.frame.columns if name in second.frame.columns]
    if both:
        raise SpecificationError(f"design: both designs have a column {both[0]!r}", {"column": str(both[0])})
    left = first.frame.iloc[np.repeat(np.arange(len(first)), len(second))].reset_index(drop=True)
    right = second.frame.iloc[np.tile(np.arange(len(second)), len(first))].reset_index(drop=True)
    record = {"kind": "cross", "of": [first.record, second.record]}
    return _design(pd.concat([left, right], axis=1), record, np.tile(second.streams, len(first)))


def scenarios(
    named: Mapping[str, Mapping[str, Any]], draws: Any = None, *, label: str = "scenario", number: str = "draw"
) -> Design:
    """Make named scenarios, each with every draw.

    Draw `d` is the same row, and the same random numbers, in every scenario: differences between scenarios are those
    of the scenarios.

    Parameters
    ----------
    named
        What each scenario sets, by name: a number; a function of the value that the draws hold, such as
        `lambda value: 1.2 * value`; a series over time for an exogenous variable; points `(x, y)` for a lookup.
    draws
        A design or a DataFrame with a row a draw. `None`: one run a scenario.
    label, number
        Names of the label columns of scenario and draw.

    Returns
    -------
    Design
        Scenario by scenario; within each, draw by draw. What a scenario leaves alone is as in the draws, or else as
        in the model.

    Raises
    ------
    SpecificationError
        If there is no scenario, or a function is given for something that the draws do not hold.

    Examples
    --------
    >>> from sembada import sd
    >>> design = sd.scenarios({"base": {}, "push": {"reach": 0.03}}, sd.sample({"churn": (0.1, 0.2)}, 4))
    >>> len(design)
    8
    """
    if not isinstance(named, Mapping) or not named:
        raise SpecificationError("scenarios: expected what each scenario sets by its name", {"named": repr(named)})
    base = None if draws is None else as_design(draws)
    n = 1 if base is None else len(base)
    changed = list(dict.fromkeys(name for settings in named.values() for name in settings))
    columns: dict[str, list[Any]] = {label: []}
    if base is not None:
        columns[number] = []
        columns |= {str(name): [] for name in base.frame.columns}
    columns |= {name: [] for name in changed if name not in columns}
    held = {} if base is None else {str(name): base.frame[name].tolist() for name in base.frame.columns}
    for scenario, settings in named.items():
        if not isinstance(settings, Mapping):
            raise SpecificationError(
                f"scenario {scenario!r} is {settings!r}; expected values by name", {"scenario": scenario}
            )
        columns[label] += [scenario] * n
        if base is not None:
            columns[number] += list(range(n))
        for name in columns:
            if name == label or (name == number and base is not None):
                continue
            if name not in settings:
                columns[name] += held.get(name, [math.nan] * n)
            elif callable(settings[name]) and not isinstance(settings[name], pd.Series):
                if name not in held:
                    raise SpecificationError(
                        f"scenario {scenario!r} sets {name!r} to a function, but the draws do not hold it; give a "
                        "number, or put it among the draws",
                        {"scenario": scenario, "name": name},
                    )
                columns[name] += [settings[name](value) for value in held[name]]
            else:
                columns[name] += [settings[name]] * n
    frame = pd.DataFrame({name: _column(values) for name, values in columns.items()})
    streams = None if base is None else np.tile(base.streams, len(named))
    record = {"kind": "scenarios", "scenarios": list(named), "draws": None if base is None else base.record}
    return _design(frame, record, streams if streams is not None else np.zeros(len(frame), dtype=np.uint64))
