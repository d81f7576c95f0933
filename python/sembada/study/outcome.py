"""The outcome of a study: every scenario on every draw, and what follows for the choice."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.study.acceptability import acceptability, spread
from sembada.study.best import expected_rank, monte_carlo_error, p_beats, p_best
from sembada.study.draws import PathDraws
from sembada.study.effects import effects as _effects
from sembada.study.hypotheses import hypotheses as _hypotheses
from sembada.study.information import evpi, evppi
from sembada.study.measure import Direction, Measure
from sembada.study.pareto import front, non_dominated
from sembada.study.regret import regret
from sembada.study.reversal import kendall_tau, same_top
from sembada.study.scenario import Scenario
from sembada.study.streams import INFORMATION, stream

__all__ = ["Outcome"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Outcome:
    """What `Study.run` returns. Tables compare scenarios on the draws on which all of them succeeded.

    Attributes
    ----------
    scenarios : tuple of Scenario
    measures : dict of Measure
    values : ndarray
        `(n_scenarios, n_draws, n_measures)`; NaN where a run failed.
    point : ndarray
        `(n_scenarios, n_measures)`: the point estimate, all uncertain parameters at their base.
    courses, point_courses : dict of ndarray
        By variable `(n_scenarios, n_draws, n_times)` and `(n_scenarios, n_times)`.
    ends, point_ends : dict of ndarray
        Last values of further variables, `(n_scenarios, n_draws)` and `(n_scenarios,)`.
    time : ndarray
        The saved times.
    design : pandas.DataFrame
        The parameters of each draw.
    rows : ndarray
        The bootstrap replicate behind each draw.
    status : ndarray
        `(n_scenarios, n_draws)`: 0 succeeded, −1 the replicate had failed, others as in the model's sweep.
    failed : pandas.DataFrame
        Failed runs as the sweep describes them.
    meanings : dict
        Unit and comment of the parameters of the design, as the model states them.
    provenance : dict
        Versions, seed, options, and SHA-256 of model, bootstrap, design and scenarios. No dates.
    """

    title: str
    scenarios: tuple[Scenario, ...]
    reference: str
    measures: Mapping[str, Measure]
    values: Array
    point: Array
    courses: Mapping[str, Array]
    point_courses: Mapping[str, Array]
    ends: Mapping[str, Array]
    point_ends: Mapping[str, Array]
    time: Array
    design: pd.DataFrame
    rows: NDArray[np.intp]
    status: NDArray[np.int64]
    failed: pd.DataFrame
    linked: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    paths: PathDraws
    hand_off: pd.DataFrame
    audit: pd.DataFrame
    survey: Mapping[str, pd.DataFrame]
    meanings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    time_unit: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        size = f"{len(self.scenarios)} scenarios × {self.n_draws} draws"
        return f"<Outcome: {size}, {len(self.measures)} measures, {self.n_failed} failed>"

    # what there is -----------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """Names of the scenarios."""
        return [scenario.name for scenario in self.scenarios]

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.values.shape[1])

    @property
    def n_valid(self) -> int:
        """Number of draws on which every scenario succeeded: what the tables rest on."""
        return int(self.valid.sum())

    @property
    def n_failed(self) -> int:
        """Number of runs (scenario × draw) that failed."""
        return int((self.status != 0).sum())

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which draws succeeded in every scenario with finite measures."""
        return np.asarray(np.isfinite(self.values).all(axis=(0, 2)), dtype=np.bool_)

    @property
    def _reference(self) -> int:
        return self.names.index(self.reference)

    def measure(self, name: str) -> Measure:
        """Return a measure by name; the final value of a saved variable if no measure has that name."""
        return self.measures.get(name) or Measure(name)

    def _numbers(self, name: str) -> tuple[Array, Array]:
        """Return a criterion on all draws `(n_scenarios, n_draws)` and at the point `(n_scenarios,)`."""
        if name in self.measures:
            column = list(self.measures).index(name)
            return self.values[:, :, column], self.point[:, column]
        if name in self.courses:
            return self.courses[name][:, :, -1], self.point_courses[name][:, -1]
        return self.ends[name], self.point_ends[name]

    def _criteria(self, criteria: Mapping[str, Direction] | Sequence[str] | str | None) -> dict[str, Direction]:
        if criteria is None:
            return {name: measure.direction for name, measure in self.measures.items()}
        if isinstance(criteria, str):
            criteria = [criteria]
        chosen: dict[str, Direction] = {}
        for name in criteria:
            if name not in self.measures and name not in self.courses and name not in self.ends:
                raise unknown_name("criterion", str(name), [*self.measures, *self.courses, *self.ends])
            chosen[name] = criteria[name] if isinstance(criteria, Mapping) else self.measure(name).direction
            if chosen[name] not in ("max", "min"):
                raise SpecificationError(
                    f"criterion {name!r}: direction is {chosen[name]!r}: expected 'max' or 'min'",
                    {"criterion": name, "direction": chosen[name]},
                )
        if not chosen:
            raise SpecificationError("no criterion given: name at least one", {"criteria": 0})
        return chosen

    def _oriented(self, criteria: Mapping[str, Direction]) -> Array:
        """`(n_criteria, n_scenarios, n_valid)` with larger better."""
        if self.n_valid < 2:
            raise DataError(
                f"only {self.n_valid} of {self.n_draws} draws succeeded in every scenario: look at outcome.failures()",
                {"n_valid": self.n_valid, "n_draws": self.n_draws},
            )
        sign = np.array([1.0 if direction == "max" else -1.0 for direction in criteria.values()])
        picked = np.stack([self._numbers(name)[0][:, self.valid] for name in criteria])
        oriented: Array = picked * sign[:, None, None]
        return oriented

    def draws(self, measure: str) -> pd.DataFrame:
        """Return a measure as a frame: index `draw`, a column a scenario; NaN where a run failed."""
        name = next(iter(self._criteria(measure)))
        index = pd.RangeIndex(self.n_draws, name="draw")
        return pd.DataFrame(self._numbers(name)[0].T, index=index, columns=pd.Index(self.names, name="scenario"))

    def course(self, variable: str, q: Sequence[float] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
        """Return quantiles over the draws of a variable over time.

        Returns
        -------
        pandas.DataFrame
            Index `scenario, time`; a column a quantile, and `point`.
        """
        if variable not in self.courses:
            raise unknown_name("saved variable", variable, self.courses)
        quantiles = np.nanquantile(self.courses[variable], q, axis=1)
        index = pd.MultiIndex.from_product([self.names, self.time], names=["scenario", "time"])
        table = pd.DataFrame(quantiles.reshape(len(q), -1).T, index=index, columns=list(q))
        table["point"] = self.point_courses[variable].ravel()
        return table

    def failures(self) -> pd.DataFrame:
        """Count the failed runs: index `scenario`; `bootstrap`, `model`, `failed`, `runs`."""
        bootstrap, failed = (self.status == -1).sum(axis=1), (self.status != 0).sum(axis=1)
        return pd.DataFrame(
            {"bootstrap": bootstrap, "model": failed - bootstrap, "failed": failed, "runs": self.n_draws},
            index=pd.Index(self.names, name="scenario"),
        )

    # what follows ------------------------------------------------------------------------------------------------

    def compare(
        self, criteria: Mapping[str, Direction] | Sequence[str] | str | None = None, *, level: float = 0.9
    ) -> pd.DataFrame:
        """Compare the scenarios on each criterion, and with the reference on the same draws.

        Parameters
        ----------
        criteria
            Measures to compare; all by default.
        level
            Coverage of the intervals.

        Returns
        -------
        pandas.DataFrame
            Index `criterion, scenario`; `point, mean, median, lower, upper`; `difference, difference_lower,
            difference_upper` (median and interval of the paired difference from the reference); `p_beats`, the
            probability of doing better than the reference, with `mc_error`; `rank` by the median.
        """
        chosen = self._criteria(criteria)
        oriented, tails = self._oriented(chosen), [(1 - level) / 2, 0.5, (1 + level) / 2]
        tables = []
        for k, (name, direction) in enumerate(chosen.items()):
            values = oriented[k] if direction == "max" else -oriented[k]
            lower, median, upper = np.quantile(values, tails, axis=1)
            gap = np.quantile(values - values[self._reference], tails, axis=1)
            beats = p_beats(oriented[k], self._reference)
            rank = (-oriented[k]).copy()
            order = pd.Series(np.median(rank, axis=1)).rank(method="min").astype(int).to_numpy()
            beats[self._reference] = np.nan
            table = pd.DataFrame(
                {
                    "point": self._numbers(name)[1],
                    "mean": values.mean(axis=1),
                    "median": median,
                    "lower": lower,
                    "upper": upper,
                    "difference": gap[1],
                    "difference_lower": gap[0],
                    "difference_upper": gap[2],
                    "p_beats": beats,
                    "mc_error": monte_carlo_error(beats, values.shape[1]),
                    "rank": order,
                },
                index=pd.Index(self.names, name="scenario"),
            )
            tables.append(table)
        return pd.concat(tables, keys=chosen, names=["criterion"])

    def p_best(self, criteria: Mapping[str, Direction] | Sequence[str] | str | None = None) -> pd.DataFrame:
        """Probability that each scenario is the best by each criterion.

        Returns
        -------
        pandas.DataFrame
            Index `criterion, scenario`; `p_best`, `mc_error` = √(p(1−p)/n), and `expected_rank`.
        """
        chosen = self._criteria(criteria)
        oriented = self._oriented(chosen)
        share = p_best(oriented)
        return self._long(
            chosen,
            {
                "p_best": share,
                "mc_error": monte_carlo_error(share, oriented.shape[-1]),
                "expected_rank": expected_rank(oriented),
            },
        )

    def p_best_over_time(self, variable: str, direction: Direction = "max") -> pd.DataFrame:
        """Return P(best value of a variable) at each saved time: index `time`, a column a scenario."""
        if variable not in self.courses:
            raise unknown_name("saved variable", variable, self.courses)
        course = self.courses[variable][:, self.valid] * (1.0 if direction == "max" else -1.0)
        share = p_best(np.moveaxis(course, 2, 0))
        return pd.DataFrame(
            share, index=pd.Index(self.time, name="time"), columns=pd.Index(self.names, name="scenario")
        )

    def pareto(self, criteria: Mapping[str, Direction] | Sequence[str] | None = None) -> pd.DataFrame:
        """Probability that no other scenario beats a scenario on every criterion.

        Returns
        -------
        pandas.DataFrame
            Index `scenario`; `p_pareto`, `mc_error`; `on_front`, whether its medians are on the front of medians;
            `point_front`, the same for the point estimate.
        """
        chosen = self._criteria(criteria)
        oriented = self._oriented(chosen)
        share = non_dominated(oriented).mean(axis=1)
        sign = np.array([1.0 if direction == "max" else -1.0 for direction in chosen.values()])
        return pd.DataFrame(
            {
                "p_pareto": share,
                "mc_error": monte_carlo_error(share, oriented.shape[-1]),
                "on_front": front(np.median(oriented, axis=2)),
                "point_front": front(np.stack([self._numbers(name)[1] for name in chosen]) * sign[:, None]),
            },
            index=pd.Index(self.names, name="scenario"),
        )

    def regret(self, criteria: Mapping[str, Direction] | Sequence[str] | str | None = None) -> pd.DataFrame:
        """Say what it costs to choose a scenario that turns out not to be the best.

        Returns
        -------
        pandas.DataFrame
            Index `criterion, scenario`; `expected`, `q95` and `maximum` regret in the unit of the criterion;
            `minimax`, whether the scenario has the least maximum.
        """
        chosen = self._criteria(criteria)
        losses = regret(self._oriented(chosen))
        worst = losses.max(axis=-1)
        return self._long(
            chosen,
            {
                "expected": losses.mean(axis=-1),
                "q95": np.quantile(losses, 0.95, axis=-1),
                "maximum": worst,
                "minimax": worst == worst.min(axis=1, keepdims=True),
            },
        )

    def evpi(self, criteria: Mapping[str, Direction] | Sequence[str] | str | None = None) -> pd.DataFrame:
        """Compute the expected value of perfect information.

        Returns
        -------
        pandas.DataFrame
            Index `criterion`; `best`, the scenario with the best mean; `value`, that mean; `evpi` and its standard
            error `mc_error`, in the unit of the criterion.
        """
        chosen = self._criteria(criteria)
        oriented = self._oriented(chosen)
        rows = []
        for k, direction in enumerate(chosen.values()):
            mean = oriented[k].mean(axis=1)
            top = int(mean.argmax())
            gains = oriented[k].max(axis=0) - oriented[k][top]
            rows.append(
                {
                    "best": self.names[top],
                    "value": float(mean[top]) * (1 if direction == "max" else -1),
                    "evpi": float(evpi(oriented[k])),
                    "mc_error": float(gains.std(ddof=1) / np.sqrt(gains.size)),
                }
            )
        return pd.DataFrame(rows, index=pd.Index(list(chosen), name="criterion"))

    def evppi(
        self,
        criteria: Mapping[str, Direction] | Sequence[str] | str | None = None,
        *,
        groups: Mapping[str, Iterable[str]] | None = None,
    ) -> pd.DataFrame:
        """Compute the expected value of knowing some parameters exactly: more survey, or a pilot of a policy.

        Parameters
        ----------
        criteria
            Measures; all by default.
        groups
            Groups of design columns. Default: the linked paths as `survey`, then the groups of the study, then each
            remaining uncertain parameter by itself.

        Returns
        -------
        pandas.DataFrame
            Index `criterion, group`; `evppi` in the unit of the criterion, `share` of the perfect information,
            `floor` (what the same regression finds in shuffled parameters: its upward error), `n_parameters`.
        """
        chosen = self._criteria(criteria)
        oriented = self._oriented(chosen)
        if groups is None:
            rest = [c for c in self.design.columns if c not in self.linked]
            made: dict[str, list[str]] = {"survey": list(self.linked)} if self.linked else {}
            made |= {name: list(members) for name, members in self.groups.items()}
            grouped = {name for members in made.values() for name in members}
            made |= {name: [name] for name in rest if name not in grouped}
        else:
            made = {name: list(members) for name, members in groups.items()}
        shuffle = stream(int(self.provenance.get("seed", 0)), INFORMATION).permutation(self.n_valid)
        rows = []
        for k, criterion in enumerate(chosen):
            whole = float(evpi(oriented[k]))
            for group, members in made.items():
                for name in members:
                    if name not in self.design.columns:
                        raise unknown_name("parameter", name, self.design.columns, where=f"group {group!r}")
                parameters = self.design.loc[self.valid, members].to_numpy(dtype=float)
                value = evppi(oriented[k], parameters)
                rows.append(
                    {
                        "criterion": criterion,
                        "group": group,
                        "evppi": value,
                        "share": value / whole if whole > 0 else np.nan,
                        "floor": evppi(oriented[k], parameters[shuffle]),
                        "n_parameters": len(members),
                    }
                )
        return pd.DataFrame(rows).set_index(["criterion", "group"])

    def acceptability(
        self, criteria: Mapping[str, Direction] | Sequence[str] | None = None, *, seed: int | None = None
    ) -> pd.DataFrame:
        """Return the probability of each rank, weights of the criteria unknown (SMAA): a row each."""
        chosen = self._criteria(criteria)
        key = int(self.provenance.get("seed", 0)) if seed is None else seed
        table = acceptability(self._oriented(chosen), seed=key)
        ranks = pd.Index(range(1, len(self.names) + 1), name="rank")
        return pd.DataFrame(table, index=pd.Index(self.names, name="scenario"), columns=ranks)

    def rank(self, criteria: Mapping[str, Direction] | Sequence[str] | str | None = None) -> pd.DataFrame:
        """Rank the scenarios by all criteria together, their weights unknown.

        Parameters
        ----------
        criteria
            `{"customers": "max", "margin": "max"}`, or names of measures.

        Returns
        -------
        pandas.DataFrame
            Index `scenario`, best first; `rank`; `acceptability`, the probability of rank one over draws and
            weights, with `mc_error`; `p_pareto`; `p_best_…` for each criterion; `p_beats`, the probability of
            beating the reference on every criterion at once; `expected_regret`, the mean over criteria in units of
            what a choice can move.
        """
        chosen = self._criteria(criteria)
        oriented = self._oriented(chosen)
        accepted = self.acceptability(chosen)[1].to_numpy()
        losses = (regret(oriented) / spread(oriented)[:, None, None]).mean(axis=(0, 2))
        reference = oriented[:, self._reference : self._reference + 1]
        beats = (oriented > reference).all(axis=0).mean(axis=1)
        beats[self._reference] = np.nan
        table = pd.DataFrame(
            {
                "acceptability": accepted,
                "mc_error": monte_carlo_error(accepted, oriented.shape[-1]),
                "p_pareto": non_dominated(oriented).mean(axis=1),
                **{f"p_best_{name}": share for name, share in zip(chosen, p_best(oriented), strict=True)},
                "p_beats": beats,
                "expected_regret": losses,
            },
            index=pd.Index(self.names, name="scenario"),
        )
        table = table.sort_values(["acceptability", "expected_regret"], ascending=[False, True], kind="stable")
        table.insert(0, "rank", np.arange(1, len(table) + 1))
        return table

    def reversal(self, criteria: Mapping[str, Direction] | Sequence[str] | str | None = None) -> pd.DataFrame:
        """How far the ranking of the point estimate can be trusted.

        Returns
        -------
        pandas.DataFrame
            Index `criterion`; `point_best`; `p_same_best`, the probability that it is the best; `joint_best`, the
            scenario that is best most often; `tau_median, tau_lower, tau_upper`: Kendall's τ of the two rankings,
            90 % of the draws.
        """
        chosen = self._criteria(criteria)
        oriented = self._oriented(chosen)
        rows = []
        for k, (name, direction) in enumerate(chosen.items()):
            point = self._numbers(name)[1] * (1 if direction == "max" else -1)
            tau = kendall_tau(point, oriented[k])
            lower, median, upper = np.nanquantile(tau, [0.05, 0.5, 0.95]) if np.isfinite(tau).any() else [np.nan] * 3
            share = same_top(point, oriented[k])
            rows.append(
                {
                    "point_best": self.names[int(point.argmax())],
                    "p_same_best": share,
                    "mc_error": float(monte_carlo_error(np.array(share), self.n_valid)),
                    "joint_best": self.names[int(p_best(oriented[k]).argmax())],
                    "tau_median": median,
                    "tau_lower": lower,
                    "tau_upper": upper,
                }
            )
        return pd.DataFrame(rows, index=pd.Index(list(chosen), name="criterion"))

    def hypotheses(
        self, stated: Mapping[str, tuple[str, str, str]] | None = None, *, alpha: float = 0.05
    ) -> pd.DataFrame:
        """Judge hypotheses about the paths: see `sembada.study.hypotheses.hypotheses`."""
        return _hypotheses(self.survey["paths"], stated, alpha=alpha)

    def effects(self, *, level: float = 0.95) -> pd.DataFrame:
        """Direct, indirect and total effects from the joint draws, and the kind of mediation."""
        return _effects(self.paths, level=level)

    def _long(self, chosen: Mapping[str, Direction], columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
        index = pd.MultiIndex.from_product([list(chosen), self.names], names=["criterion", "scenario"])
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)

    def report(
        self,
        path: str | Path,
        *,
        language: Literal["en", "id"] = "en",
        criteria: Mapping[str, Direction] | None = None,
        hypotheses: Mapping[str, tuple[str, str, str]] | None = None,
        **options: Any,
    ) -> Path:
        """Write a report to one file: HTML, or by its ending LaTeX (`.tex`), Markdown (`.md`) or Excel (`.xlsx`).

        Parameters
        ----------
        path
            File to write; its folder is made.
        language
            `"en"` or `"id"` (Indonesian, decimal comma).
        criteria
            What the choice is judged by; the first two measures by default.
        hypotheses
            As in `hypotheses`.
        **options
            Further options of `sembada.report.write`, such as `variants=`, `synthetic=` and `decimal=`.

        Returns
        -------
        pathlib.Path
        """
        write = importlib.import_module("sembada.report").write
        written: Path = write(self, path, language=language, criteria=criteria, hypotheses=hypotheses, **options)
        return written
