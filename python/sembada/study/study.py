"""A study: every bootstrap draw and every scenario through the model."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, unknown_name
from sembada.study.bridge import Bridge
from sembada.study.draws import PathDraws, path_draws
from sembada.study.measure import Measure, as_measures
from sembada.study.models import (
    batch,
    meanings,
    moving_names,
    output_names,
    parameter_values,
    stock_names,
    variable_names,
)
from sembada.study.outcome import Outcome
from sembada.study.scenario import Scenario, as_scenarios
from sembada.study.survey import survey_tables
from sembada.study.uncertainty import latin_hypercube

__all__ = ["HandOffWarning", "Study"]

Array = NDArray[np.float64]


class HandOffWarning(UserWarning):
    """The hand-off from survey to model has a serious fault; `bridge.audit(bootstrap)` lists it."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Joins a bootstrapped survey model, a stock-and-flow model, policies, and what is uncertain about the model.

    Parameters
    ----------
    bootstrap
        The result of `fit.bootstrap(…)`, or a frame with a row a replicate and a column a path.
    bridge
        Which path feeds which parameter.
    scenarios
        Scenarios, or `{name: {parameter: value}}`.
    uncertainties
        Ranges of model parameters: `(low, high)` uniform, `(low, mode, high)` triangular, or a distribution of
        `scipy.stats`.
    measures
        What judges a run, by name: a `Measure`, or a variable whose final value counts. Default: the final value of
        every auxiliary that no other variable uses, and of every stock; the final values of all others can be named
        as criteria too.
    reference
        Scenario that the others are compared with; the first by default.
    groups
        Groups of uncertain parameters, for the value of partial information.
    fixed
        Parameters held at a value in every scenario; they win over links and uncertainties, scenarios win over them.
        With `dataclasses.replace(study, fixed={…})` a study is repeated with a link switched off.
    save
        Further variables whose course over time is kept.
    title
        What reports call the study.
    synthetic
        Whether the survey is made up; reports say so on top.

    Raises
    ------
    SpecificationError
        If a parameter is both linked and uncertain, or there is nothing to measure.
    UnknownNameError
        If a path, a parameter or the reference does not exist; lists near matches.
    """

    bootstrap: Any
    bridge: Bridge
    scenarios: Iterable[Scenario] | Mapping[str, Mapping[str, float]]
    uncertainties: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Measure | str] | None = None
    reference: str | None = None
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    save: Sequence[str] = ()
    title: str = ""
    synthetic: bool = False
    _finals: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        scenarios = as_scenarios(self.scenarios)
        put = object.__setattr__
        put(self, "scenarios", scenarios)
        names = [scenario.name for scenario in scenarios]
        put(self, "reference", names[0] if self.reference is None else self.reference)
        if self.reference not in names:
            raise unknown_name("scenario", str(self.reference), names, where="reference")
        measures = as_measures(self.measures)
        put(self, "_finals", () if measures else tuple(moving_names(self.bridge.model)))
        if not measures:
            model = self.bridge.model
            measures = {name: Measure(name) for name in (*output_names(model), *stock_names(model))}
        if not measures:
            raise SpecificationError("nothing to measure: give measures={'customers': 'customers', …}", {"measures": 0})
        put(self, "measures", measures)
        draws = path_draws(self.bootstrap)
        for link in self.bridge.links:
            draws.index(link.path)
        known = parameter_values(self.bridge.model)
        linked = set(self.bridge.point(draws))
        for name in self.uncertainties:
            if name in linked:
                raise SpecificationError(
                    f"parameter {name!r} is fed by a link and uncertain as well: its draws come from the bootstrap; "
                    "take it out of uncertainties",
                    {"parameter": name},
                )
            if known is not None and name not in known:
                raise unknown_name("parameter", name, known, where="uncertainties")
        for name in self.fixed:
            if known is not None and name not in known:
                raise unknown_name("parameter", name, known, where="fixed")
        for scenario in scenarios:
            for name in scenario.params:
                if scenario.model is None and known is not None and name not in known:
                    raise unknown_name("parameter", name, known, where=f"scenario {scenario.name!r}")
        there = variable_names(self.bridge.model)
        for name in [*(variable for measure in measures.values() for variable in measure.variables), *self.save]:
            if there is not None and name not in there:
                raise unknown_name("variable", name, there, where="measures and save")
        for group, members in self.groups.items():
            for name in members:
                if name not in self.uncertainties:
                    raise unknown_name("uncertain parameter", name, self.uncertainties, where=f"group {group!r}")

    def design(self, draws: int = 1024, seed: int = 0) -> tuple[pd.DataFrame, NDArray[np.intp]]:
        """Return the design, a row a draw and a column a parameter, and the bootstrap row behind each draw.

        Linked parameters of a row come from one bootstrap replicate, so they keep their correlation. Uncertain
        parameters are a Latin hypercube. Both are common to all scenarios (common random numbers).
        """
        if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 2:
            raise SpecificationError(f"draws is {draws!r}: expected a whole number of at least 2", {"draws": draws})
        paths = path_draws(self.bootstrap)
        rows = paths.rows(int(draws), seed)
        design = self.bridge.design(paths, rows)
        sampled = latin_hypercube(self.uncertainties, int(draws), seed)
        joined = pd.concat([design, pd.DataFrame(sampled, index=design.index)], axis=1)
        return joined.drop(columns=[name for name in self.fixed if name in joined]), rows

    def run(self, draws: int = 1024, seed: int = 0, **options: Any) -> Outcome:
        """Run every scenario on every draw.

        Parameters
        ----------
        draws
            Number of draws. With as many draws as bootstrap replicates, row b of the design is replicate b.
        seed
            Seed of resampling and of the Latin hypercube.
        **options
            Passed to `model.sweep`: `method`, `threads`, `executor`, `progress`, …

        Returns
        -------
        Outcome
            Draws that failed are NaN with a status; they never stop the study.

        Raises
        ------
        SpecificationError
            If `draws` is under 2, the seed is negative, or an option is one that the study decides itself.

        Warns
        -----
        HandOffWarning
            If the audit of the bridge finds something serious.
        """
        for name in ("design", "save", "stats", "store"):
            if name in options:
                raise SpecificationError(
                    f"run({name}=…) is not for a study, which decides it itself: name variables "
                    "to keep in Study(save=[…])",
                    {"option": name},
                )
        audit = self.bridge.audit(self.bootstrap)
        serious = audit[audit["severity"] == "serious"]
        if len(serious):
            first = serious.iloc[0]
            warnings.warn(
                f"{len(serious)} serious caution(s) about the hand-off, the first: {first['link']}: {first['message']}",
                HandOffWarning,
                stacklevel=2,
            )
        paths = path_draws(self.bootstrap)
        design, rows = self.design(draws, seed)
        # the last row is the point estimate: estimates of the paths, base values of everything uncertain
        point = {**_base(self.bridge.model, design.columns, design), **self.bridge.point(paths)}
        point = {name: point[name] for name in design.columns}
        full = pd.concat([design, pd.DataFrame([point], columns=design.columns)], ignore_index=True)
        usable = np.isfinite(full.to_numpy(dtype=float)).all(axis=1)
        variables = list(
            dict.fromkeys([*(v for m in self._measures.values() for v in m.variables), *map(str, self.save)])
        )
        finals = [name for name in self._finals if name not in variables]
        swept = self._sweep(full, usable, variables, finals, {"seed": seed, **options})
        values, courses, ends, status, failures, time = swept
        return Outcome(
            title=self.title,
            scenarios=tuple(self._scenarios),
            reference=str(self.reference),
            measures=self._measures,
            values=values[:, :-1],
            point=values[:, -1],
            courses={name: course[:, :-1] for name, course in courses.items()},
            point_courses={name: course[:, -1] for name, course in courses.items()},
            ends={name: end[:, :-1] for name, end in ends.items()},
            point_ends={name: end[:, -1] for name, end in ends.items()},
            time=time,
            design=design,
            rows=rows,
            status=status[:, :-1],
            failed=failures,
            linked=tuple(name for name in self.bridge.point(paths) if name not in self.fixed),
            groups={
                group: free
                for group, members in self.groups.items()
                if (free := tuple(name for name in members if name not in self.fixed))
            },
            paths=paths,
            hand_off=self.bridge.table(self.bootstrap),
            audit=audit,
            survey=survey_tables(self.bootstrap),
            meanings={name: told for name, told in meanings(self.bridge.model).items() if name in set(design.columns)},
            time_unit=str(getattr(getattr(self.bridge.model, "time", None), "unit", "") or ""),
            provenance=self._provenance(paths, design, draws, seed, options),
        )

    @property
    def _scenarios(self) -> tuple[Scenario, ...]:
        return as_scenarios(self.scenarios)

    @property
    def _measures(self) -> dict[str, Measure]:
        return as_measures(self.measures)

    def _sweep(
        self,
        full: pd.DataFrame,
        usable: NDArray[np.bool_],
        variables: list[str],
        finals: list[str],
        options: dict[str, Any],
    ) -> tuple[Array, dict[str, Array], dict[str, Array], NDArray[np.int64], pd.DataFrame, Array]:
        """Run all scenarios: measures, courses of `variables`, last values of `finals`, status, failures, times."""
        values, courses, ends, states, failures = [], [], [], [], []
        time: Array = np.empty(0)
        for scenario in self._scenarios:
            settled = {**dict(self.fixed), **dict(scenario.params)}
            block = full[usable].assign(**settled).reset_index(drop=True)
            model = self.bridge.model if scenario.model is None else scenario.model
            time, series, status, failed = batch(model, block, [*variables, *finals], options)
            wide = {name: np.full((len(full), time.size), np.nan) for name in variables}
            for name in variables:
                wide[name][usable] = series[name]
            # −1: the bootstrap replicate behind the draw had failed before the model ran
            state = np.full(len(full), -1, dtype=np.int64)
            state[usable] = status
            for name in variables:
                wide[name][state != 0] = np.nan
            last = {name: np.full(len(full), np.nan) for name in finals}
            for name in finals:
                last[name][usable] = series[name][:, -1]
                last[name][state != 0] = np.nan
            ends.append(last)
            values.append(np.stack([measure.reduce(wide, time) for measure in self._measures.values()], axis=-1))
            courses.append(wide)
            states.append(state)
            if len(failed):
                failures.append(failed.assign(scenario=scenario.name))
        joined = {name: np.stack([course[name] for course in courses]) for name in variables}
        table = pd.concat(failures) if failures else pd.DataFrame(columns=["scenario"])
        joined_ends = {name: np.stack([last[name] for last in ends]) for name in finals}
        return np.stack(values), joined, joined_ends, np.stack(states), table, time

    def _provenance(
        self, paths: PathDraws, design: pd.DataFrame, draws: int, seed: int, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        import scipy

        import sembada

        policies = repr([(scenario.name, sorted(scenario.params.items())) for scenario in self._scenarios])
        quiet = {"threads", "executor", "progress", "store"}
        return {
            "sembada": sembada.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "pandas": pd.__version__,
            "synthetic": self.synthetic,
            "seed": seed,
            "draws": int(draws),
            "replicates": len(paths.replicates),
            "fixed": dict(self.fixed),
            "options": {name: value for name, value in options.items() if name not in quiet},
            "model": getattr(self.bridge.model, "hash", "") or "",
            "bootstrap": _digest(paths.replicates.tobytes(), repr(paths.paths).encode()),
            "design": _digest(design.to_numpy(dtype=float).tobytes(), repr(list(design.columns)).encode()),
            "scenarios": _digest(policies.encode()),
            "survey": dict(getattr(self.bootstrap, "provenance", None) or {}),
        }


def _base(model: Any, names: Iterable[str], design: pd.DataFrame) -> dict[str, float]:
    """Return base values of parameters; the median of the draws where the model does not tell."""
    known = parameter_values(model)
    return {
        name: float(known[name]) if known is not None and name in known else float(np.nanmedian(design[name]))
        for name in names
    }


def _digest(*parts: bytes) -> str:
    """SHA-256 of the parts, as text."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()
