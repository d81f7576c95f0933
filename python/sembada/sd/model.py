"""A stock-and-flow model: made from objects or read from a file, compiled once, run often."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sembada import _core
from sembada.errors import SembadaWarning, SpecificationError, unknown_name
from sembada.sd import batch as _batch
from sembada.sd.layout import Layout, layout_of
from sembada.sd.names import Names, canonical, split_element
from sembada.sd.objects import Data, Time, Variable
from sembada.sd.run import STATUS, Run
from sembada.sd.series import as_series
from sembada.sd.settings import Saved, fingerprint, is_number, is_points
from sembada.sd.sweep import Sweep
from sembada.sd.sweeping import failed, sweep
from sembada.sd.variables import VariableInfo, equations_table, variables_of

__all__ = ["Model"]


class Model:
    """A stock-and-flow model.

    Parameters
    ----------
    *parts
        `Stock`, `Flow`, `Aux`, `Parameter`, `Lookup` and `Data` objects.
    time
        How a run moves through time.
    dimensions
        Elements by dimension, such as `{"Region": ["North", "South"]}`; a number `n` means elements 1 to n.
    name
        Name of the model.
    dialect
        `"xmile"` or `"vensim"`: in which language equations are written and what functions mean.

    Raises
    ------
    EquationError
        If an equation cannot be read, or names something unknown; a caret stands under the place.
    CircularError
        If variables depend on each other in the same instant; the circle is shown.
    SpecificationError
        If a name stands twice, or a part is none.

    Notes
    -----
    A model does not change and may be shared by threads. It pickles.

    Examples
    --------
    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Stock("customers", 150, inflows=["acquisition"], unit="person"),
    ...     sd.Flow("acquisition", "customers * reach", unit="person/month"),
    ...     sd.Parameter("reach", 0.02, unit="1/month"),
    ...     time=sd.Time(0, 12, dt=0.25, save_step=1, unit="month"),
    ... )
    >>> float(model.run()["customers"].iloc[-1].round(3))
    190.573
    """

    def __init__(
        self,
        *parts: Variable,
        time: Time | None = None,
        dimensions: Mapping[str, Sequence[str] | int] | None = None,
        name: str = "",
        dialect: str = "xmile",
    ) -> None:
        spec = _spec(parts, time, dimensions or {}, name, dialect)
        core = _core.SdModel.from_spec(spec)
        core.validate()
        self._set(core, ("spec", spec), "")

    def _set(self, core: Any, source: tuple[Any, ...], path: str) -> None:
        self._core = core
        self._source = source
        self._path = path
        self._programs: dict[Any, Compiled] = {}
        self._variants: dict[Any, Model] = {}

    @classmethod
    def _from_core(cls, core: Any, source: tuple[Any, ...], path: str = "") -> Model:
        model = cls.__new__(cls)
        model._set(core, source, path)
        return model

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._source, self._path)

    # what the model says

    @cached_property
    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = self._core.describe()
        return described

    @property
    def name(self) -> str:
        """Name of the model."""
        return str(self._described.get("name") or Path(self._path).stem)

    @property
    def dialect(self) -> str:
        """`"xmile"` or `"vensim"`: whose meanings functions have where tools differ."""
        return str(self._described["dialect"])

    @cached_property
    def time(self) -> Time:
        """How a run moves through time."""
        given = dict(self._described["time"])
        for name in ("initial_time", "final_time", "dt"):
            if not math.isfinite(given[name]):
                raise SpecificationError(
                    f"the model computes its {name}; give it in the run: time={{{name!r}: …}}", {"name": name}
                )
        return Time(**given)

    @cached_property
    def variables(self) -> Names[VariableInfo]:
        """All variables by name, in the order of the model: a name is found however it is spelt."""
        return variables_of(self._described)

    @property
    def parameters(self) -> pd.Series:
        """The constants that a run may change, with their values; arrays as `Name[Elem]`."""
        values: dict[str, float] = {}
        for name, info in self.variables.items():
            if info.type == "parameter":
                try:
                    values[name] = float(info.equation)
                except ValueError:
                    continue
        return pd.Series(values, name="value", dtype=float).rename_axis("parameter")

    @property
    def dimensions(self) -> dict[str, list[str]]:
        """Elements by dimension."""
        return {entry["name"]: list(entry["elements"]) for entry in self._described.get("dimensions", [])}

    def equations(self) -> pd.DataFrame:
        """Return the documentation table: index `name`; type, equation, initial, unit, dimensions, source, comment."""
        return equations_table(self.variables, self._path)

    def check(self) -> pd.DataFrame:
        """Return all findings about structure and units, not only the first.

        Returns
        -------
        DataFrame
            Columns `severity` (`"error"`, `"warning"`, `"note"`), `code`, `variable`, `message`, `line`; no rows where
            nothing was found.
        """
        findings = self._core.check()
        columns = ["severity", "code", "variable", "message", "line"]
        return pd.DataFrame([{key: finding.get(key) for key in columns} for finding in findings], columns=columns)

    def dependencies(self) -> dict[str, list[str]]:
        """Return the names that each variable's equation uses."""
        found: dict[str, list[str]] = self._core.dependencies()
        return found

    def links(self) -> pd.DataFrame:
        """Return the causal links: columns `cause, effect, sign` (`"+"`, `"-"`, `"?"`), `delayed`, `initial`."""
        columns = ["cause", "effect", "sign", "delayed", "initial"]
        return pd.DataFrame(self._core.links(), columns=columns)

    def loops(self, limit: int = 1000, *, independent: bool = False) -> pd.DataFrame:
        """Return the feedback loops, shortest first.

        Parameters
        ----------
        limit
            How many at most; `.attrs["complete"]` says whether there are no more.
        independent
            Only an independent set of loops, which spans all others: for large models.

        Returns
        -------
        DataFrame
            Index `loop` (R1, B1, …; U1 where the polarity is not certain); columns `polarity` (`"reinforcing"`,
            `"balancing"`, `"unknown"`), `length`, `delayed`, `variables` (a tuple, in the direction of cause).
        """
        from sembada.sd.loops import loops_table

        return loops_table(self._core.loops(limit, independent))

    def to_xmile(self, path: str | Path | None = None) -> str:
        """Return the model as XMILE, and write it to a file where one is named."""
        return _write(self._core.to_xmile(), path)

    def to_vensim(self, path: str | Path | None = None) -> str:
        """Return the model as Vensim's `.mdl`, and write it to a file where one is named.

        Warns
        -----
        SembadaWarning
            If the model asks for `"rk45"`: Vensim's adaptive method, RK4 Auto, is written, which reads back as `"rk4"`.
        """
        if self._described["time"]["method"] == "rk45":
            warnings.warn(
                "a Vensim file cannot ask for rk45: RK4 Auto stands in its settings, which reads back as rk4",
                SembadaWarning,
                stacklevel=2,
            )
        return _write(self._core.to_vensim(), path)

    def diagram(self, kind: str = "stock-flow", path: str | Path | None = None, **options: Any) -> str:
        """Draw the model as SVG; see `sembada.sd.diagram.draw`."""
        from sembada.sd.diagram import draw

        return _write(draw(self, kind, **options), path)

    def program(
        self, *, save: Any = None, varied: Sequence[str] = (), method: str | None = None, runs: int | None = None
    ) -> str:
        """Return the compiled program in readable form.

        Parameters
        ----------
        save, varied, method
            What the program saves and varies, and how it integrates, as for `run`.
        runs
            1: the code that one run on its own takes, in the order in which it is executed. None or more: that for runs
            side by side.

        Returns
        -------
        str
            A line an instruction; "How fast a sweep is" in the documentation says how to read it.

        Raises
        ------
        SpecificationError
            If `runs` is less than 1.

        Examples
        --------
        >>> from sembada import sd
        >>> decay = sd.Model(sd.Stock("x", 1, outflows=["loss"]), sd.Flow("loss", "x / 4"), time=sd.Time(0, 8, dt=0.5))
        >>> print(decay.program(runs=1).split("step:")[1].splitlines()[1].strip())
        s0' = Multiply.Multiply.SubtractFrom s0 c0 c1 s0
        """
        if runs is not None and runs < 1:
            raise SpecificationError(f"runs={runs}: expected None or a positive number", {"runs": runs})
        program = self._program(save_names(save), tuple(varied), None, method)
        text: str = program.disassemble(narrow=runs == 1)
        return text

    @cached_property
    def hash(self) -> str:
        """Hash of the model: the same for the same equations."""
        described = {key: value for key, value in self._described.items() if key not in ("display", "path")}
        text = json.dumps(described, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def _units(self) -> dict[str, str]:
        return {name: info.unit for name, info in self.variables.items() if info.unit}

    # other models from this one

    def replace(
        self,
        params: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, float] | None = None,
        time: Time | Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Model:
        """Return a model with other constants, data, lookups, initial values or times.

        Parameters
        ----------
        params
            By name: a number, a series over time (the variable becomes data), or points `(x, y)` of a lookup.
        initial
            Initial values of stocks.
        time
            `Time`, or some of its settings by name.
        name
            Name of the new model.

        Raises
        ------
        UnknownNameError
            If there is no such variable; lists near matches.
        """
        spec = copy.deepcopy(self._described)
        if time is not None:
            spec["time"] = self._times(time).plain()
        if name is not None:
            spec["name"] = name
        return self._edited(spec, {**(params or {})}, {**(initial or {})})

    def _edited(self, spec: dict[str, Any], params: dict[str, Any], initial: dict[str, float]) -> Model:
        entries = {entry["name"]: entry for entry in spec["variables"]}
        series: list[dict[str, Any]] = []
        for given, value in params.items():
            head, subscripts = split_element(given)
            entry = entries[self.variables.written(head)]
            if entry["kind"] == "lookup" or is_points(value):
                _set_points(entry, value, given)
            elif np.isscalar(value):
                _set_constant(entry, subscripts, float(value), given, self.dimensions)  # type: ignore[arg-type]
            else:
                series.append({"name": entry["name"], "subscripts": subscripts, "value": value})
        for given, value in initial.items():
            head, subscripts = split_element(given)
            entry = entries[self.variables.written(head)]
            if entry["kind"] != "stock":
                raise SpecificationError(
                    f"initial: {given!r} is no stock but {entry['kind']}; set it in params", {"name": given}
                )
            _set_constant(entry, subscripts, float(value), given, self.dimensions)
        core = _core.SdModel.from_spec(spec)
        for item in series:
            info = self.variables[item["name"]]
            for element, times, values in as_series(item["value"], item["name"], info.dimensions, self.dimensions):
                core = core.with_data(item["name"], list(item["subscripts"] or element), times, values, None)
        core.validate()
        return Model._from_core(core, ("spec", core.describe()), self._path)

    def _changed(self, data: dict[str, Any]) -> Model:
        """Return this model with series and lookups set, and remember it."""
        if not data:
            return self
        key = tuple((name, fingerprint(value)) for name, value in data.items())
        if key not in self._variants:
            self._variants[key] = self.replace(data)
        return self._variants[key]

    def _times(self, given: Time | Mapping[str, Any]) -> Time:
        if isinstance(given, Time):
            return given
        known = ("initial_time", "final_time", "dt", "save_step", "unit", "method")
        for name in given:
            if name not in known:
                raise unknown_name("time setting", str(name), known)
        return self.time.but(**dict(given))

    # runs

    def _program(self, save: tuple[str, ...] | None, varied: tuple[str, ...], time: Any, method: str | None) -> Any:
        return self._compiled(save, varied, time, method).program

    def _compiled(
        self,
        save: tuple[str, ...] | None,
        varied: tuple[str, ...],
        time: Any,
        method: str | None,
        tolerance: tuple[float, float] | None = None,
        curves: tuple[tuple[str, int, bool], ...] = (),
    ) -> Compiled:
        key = (save, varied, time, method, tolerance, curves)
        found = self._programs.get(key)
        if found is not None:
            return found
        settings, save_times = None, None
        if isinstance(time, Saved):
            save_times, time = np.asarray(time.at, dtype=float), time.time
        if isinstance(time, tuple):
            save_times = np.asarray(time, dtype=float)
        elif time is not None:
            settings = (time.initial_time, time.final_time, time.dt, time.save_step)
            if method is None:
                method = time.method
        names = None if save is None else list(save)
        program = _core.SdProgram.compile(
            self._core, names, list(varied), method, settings, save_times, tolerance, curves=list(curves)
        )
        layout = layout_of(program, str(self._described["time"].get("unit") or ""), self._units)
        facts = {"model": self.hash, "method": program.method, "kernel": program.kernel, "dt": program.dt}
        if program.method == "rk45":
            facts["tolerance"] = program.tolerance
        made = Compiled(program, layout, facts)
        if len(self._programs) >= PROGRAMS:
            self._programs.clear()
        self._programs[key] = made
        return made

    def run(
        self,
        params: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, float] | None = None,
        save: Any = None,
        time: Any = None,
        method: str | None = None,
        seed: int = 0,
        on_error: str = "raise",
        tolerance: float | tuple[float, float] | None = None,
    ) -> Run:
        """Run the model once.

        Parameters
        ----------
        params
            What to change, by name: a number; for an array a number for all elements, or `Name[Elem]`; a series over
            time for an exogenous variable; points `(x, y)` for a lookup.
        initial
            Initial values of stocks.
        save
            Names of the variables to keep; `None`: all.
        time
            `Time`, some of its settings such as `{"dt": 0.125}`, or the times to save.
        method
            `"euler"`, `"rk2"`, `"rk4"` or `"rk45"`; `None`: what the model says (Euler where it is silent).
        seed
            Key of the random numbers.
        on_error
            `"raise"`, or `"mask"`: values are NaN from the failure on, and `Run.status` says so.
        tolerance
            Of `"rk45"`: relative error a step may have (and a thousandth of it as absolute error), or both as a pair.

        Returns
        -------
        Run
            `frame` (index `time`), `run["customers"]`.

        Raises
        ------
        UnknownNameError
            If a name is not in the model; lists near matches.
        SimulationError
            If a variable turns non-finite; has the time and the variable.

        Examples
        --------
        >>> from sembada import sd
        >>> decay = sd.Model(
        ...     sd.Stock("x", 1, outflows=["out"]), sd.Flow("out", "rate * x"), sd.Parameter("rate", 0.5),
        ...     time=sd.Time(0, 2, dt=0.5),
        ... )
        >>> decay.run({"rate": 1.0})["x"].tolist()
        [1.0, 0.5, 0.25, 0.125, 0.0625]
        """
        if time is None and self._described.get("moving_end"):
            return self._to_moving_end(
                params,
                initial=initial,
                save=save,
                method=method,
                seed=seed,
                on_error=on_error,
                tolerance=tolerance,
            )
        if params is None and initial is None:
            model: Model = self
            varied: tuple[str, ...] = ()
            values = _NO_VALUES
        else:
            model, varied, values = self._given(params, initial)
        when = None if time is None else self._when(time)
        made = model._compiled(save_names(save), varied, when, method, _batch.as_tolerance(tolerance))
        program = made.program
        data, status, at, where = program.run(values, seed)
        failure = None
        if status:
            variable = program.state_name(where) if where >= 0 else ""
            failure = {"status": STATUS[status], "time": at, "variable": variable}
            if on_error == "raise":
                raise failed(self.name, status, at, variable, program.dt)
            if on_error != "mask":
                raise SpecificationError(f"on_error={on_error!r}; expected 'raise' or 'mask'", {"on_error": on_error})
        origin = {**made.facts, "seed": seed, "params": dict(zip(varied, values.tolist(), strict=True))}
        return Run(made.layout, data, status, failure, origin)

    def _to_moving_end(self, params: Mapping[str, Any] | None, *, save: Any, **options: Any) -> Run:
        """Run a model that computes its FINAL TIME: to the first saved time that has reached it."""
        name = self.variables.written("FINAL TIME")
        kept = save_names(save)
        extra = kept is not None and canonical(name) not in {canonical(one) for one in kept}
        wanted = (*kept, name) if extra and kept is not None else kept
        time = self.time
        for _ in range(HORIZONS):
            run = self.run(params, save=wanted, time=time, **options)
            ends = run[name].to_numpy(dtype=float)
            reached = np.flatnonzero(run.times >= ends - 1e-6 * time.dt)
            if len(reached) or run.status:
                last = int(reached[0]) + 1 if len(reached) else len(run.times)
                layout = replace(run.layout, times=run.times[:last])
                if extra:
                    layout = replace(layout, columns=layout.columns[:-1], places=layout.places[:-1])
                numbers = run.values[:last, : len(layout.columns)]  # noqa: PD011 - of a run, not of a frame
                return Run(layout, numbers, run.status, run.failure, run.origin)
            time = time.but(final_time=float(ends[-1]))
        raise SpecificationError(
            f"{name!r} runs ahead of the run: it is {ends[-1]:g} at time {run.times[-1]:g}; "
            "give the end in the run: time={'final_time': …}",
            {"name": name},
        )

    def _when(self, time: Any) -> Any:
        if isinstance(time, Time):
            return time
        if isinstance(time, Mapping):
            return self._times(time)
        times = np.asarray(time, dtype=float)
        if times.ndim != 1 or not len(times) or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise SpecificationError(
                f"time={time!r}: expected sd.Time(…), settings by name, or rising times to save", {"time": repr(time)}
            )
        return tuple(times.tolist())

    def _given(
        self, params: Mapping[str, Any] | None, initial: Mapping[str, float] | None
    ) -> tuple[Model, tuple[str, ...], Any]:
        varied: list[str] = []
        numbers: list[float] = []
        data: dict[str, Any] = {}
        for name, value in (params or {}).items():
            if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
                varied.append(name)
                numbers.append(float(value))
            elif isinstance(value, (pd.DataFrame, pd.Series, Mapping, tuple, list, np.ndarray)):
                data[name] = value
            else:
                raise SpecificationError(
                    f"params: {name!r} is {value!r}; expected a number, a series over time, or points (x, y)",
                    {"name": name, "value": repr(value)},
                )
        for name, value in (initial or {}).items():
            head, _ = split_element(name)
            info = self.variables[head]
            if info.type != "stock":
                raise SpecificationError(
                    f"initial: {name!r} is no stock but {info.type}; set it in params", {"name": name}
                )
            varied.append(_batch.varied_name(self, name))
            numbers.append(float(value))
        bad = [name for name, number in zip(varied, numbers, strict=True) if not math.isfinite(number)]
        if bad:
            raise SpecificationError(f"params: {bad[0]!r} is not finite; expected a finite number", {"name": bad[0]})
        return self._changed(data), tuple(varied), np.array(numbers, dtype=float)

    def sweep(
        self,
        design: Any,
        *,
        save: Any = None,
        stats: Any = None,
        method: str | None = None,
        seed: int = 0,
        threads: int | None = None,
        executor: Any = None,
        store: str | Path | None = None,
        on_error: str = "mask",
        progress: bool | Callable[[int, int], object] = False,
        time: Any = None,
        tolerance: float | tuple[float, float] | None = None,
    ) -> Sweep:
        """Run the model for every row of a design.

        Parameters
        ----------
        design
            A DataFrame (a row a run, a column a parameter), `sd.grid(…)`, `sd.sample(…)`, or `sd.scenarios(…)`.
            Columns may also be stocks (their initial values), `Name[Elem]`, tables (a series over time, or points of a
            lookup), `dt`, `final_time`, `initial_time`, `save_step`, `tolerance`; columns of text are labels.
        save
            Names of the variables to keep; `None`: all.
        stats
            `True` or `sd.Statistics(…)`: keep statistics in place of the runs, in memory that does not grow with them.
        method
            `"euler"`, `"rk2"`, `"rk4"` or `"rk45"`; `None`: what the model says.
        seed
            Key of the random numbers; run `i` of a design draws the same ones whatever else runs.
        threads
            Number of threads; `None`: one a processor. Results do not depend on it.
        executor
            `None`: here. A `concurrent.futures.Executor`, a dask client, or `"processes"`.
        store
            Folder of a Zarr store that the sweep is streamed to. A sweep that was interrupted, even by kill −9, goes
            on where it was; a store that holds another sweep is refused.
        on_error
            `"mask"`: a run that fails is NaN from then on, and `status` says so. `"raise"`: the first failure raises.
        progress
            `True` for a bar, or a function called with `(done, total)`.
        time
            `Time`, some of its settings, or the times to save.
        tolerance
            Of `"rk45"`: relative error a step may have (and a thousandth of it as absolute error), or both as a pair.

        Returns
        -------
        Sweep
            `to_xarray()`, `frame(variable)`, `quantiles(variable, q)`, `status`, `failures()`.

        Raises
        ------
        UnknownNameError
            If a column names nothing in the model; lists near matches.
        SimulationError
            With `on_error="raise"`, if a run turns non-finite.
        StoreError
            If the store holds another sweep.

        Examples
        --------
        >>> from sembada import sd
        >>> decay = sd.Model(
        ...     sd.Stock("x", 1, outflows=["out"]), sd.Flow("out", "rate * x"), sd.Parameter("rate", 0.5),
        ...     time=sd.Time(0, 2, dt=0.5),
        ... )
        >>> decay.sweep(sd.grid({"rate": [0.0, 1.0]}), save=["x"]).frame("x").iloc[-1].tolist()
        [1.0, 0.0625]
        """
        if time is None and self._described.get("moving_end"):
            raise SpecificationError(
                "the model computes its final_time, so that runs would end at different times; "
                "give it to the sweep: time={'final_time': …}",
                {"name": "final_time"},
            )
        return sweep(
            self,
            design,
            save=save_names(save),
            stats=stats,
            method=method,
            seed=seed,
            threads=threads,
            executor=executor,
            store=store,
            on_error=on_error,
            progress=progress,
            time=None if time is None else self._when(time),
            tolerance=_batch.as_tolerance(tolerance),
        )

    # what is built on runs

    def check_integration(self, params: Mapping[str, Any] | None = None, **options: Any) -> pd.DataFrame:
        """Halve the step and compare, also with RK4; see `sembada.sd.integration.check_integration`."""
        from sembada.sd.integration import check_integration

        return check_integration(self, params, **options)

    def validate(self, history: Any, params: Mapping[str, Any] | None = None, **options: Any) -> pd.DataFrame:
        """Compare a run with history; see `sembada.sd.validation.validate`."""
        from sembada.sd.validation import validate

        return validate(self, history, params, **options)

    def sensitivity(self, factors: Mapping[str, Any], **options: Any) -> pd.DataFrame:
        """Say which parameters an output depends on; see `sembada.sd.sensitivity.sensitivity`."""
        from sembada.sd.sensitivity import sensitivity

        return sensitivity(self, factors, **options)

    def calibrate(self, history: Any, parameters: Mapping[str, Any], **options: Any) -> Any:
        """Fit parameters to history; see `sembada.sd.calibration.calibrate`."""
        from sembada.sd.calibration import calibrate

        return calibrate(self, history, parameters, **options)

    def __repr__(self) -> str:
        described = self._described
        kinds = [entry["kind"] for entry in described["variables"]]
        name = f" {self.name!r}" if self.name else ""
        return f"<Model{name}: {kinds.count('stock')} stocks, {len(kinds)} variables, {self.dialect}>"


_NO_VALUES = np.empty(0)
# Programs kept by a model; more are compiled again.
PROGRAMS = 64
# How often a run is made longer when its FINAL TIME runs ahead of it.
HORIZONS = 64


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program with what its results share."""

    program: Any
    layout: Layout
    facts: dict[str, Any]


def _rebuild(source: tuple[Any, ...], path: str) -> Model:
    kind = source[0]
    if kind == "spec":
        core = _core.SdModel.from_spec(source[1])
    else:
        from sembada.sd.read import rebuild

        core = rebuild(source, path)
    return Model._from_core(core, source, path)


def _write(text: str, path: str | Path | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def save_names(save: Any) -> tuple[str, ...] | None:
    if save is None:
        return None
    return (save,) if isinstance(save, str) else tuple(save)


def _spec(
    parts: Sequence[Variable], time: Time | None, dimensions: Mapping[str, Any], name: str, dialect: str
) -> dict[str, Any]:
    flat: list[Variable] = []
    for part in parts:
        flat.extend(part if isinstance(part, (list, tuple)) else [part])
    seen: dict[str, str] = {}
    data: list[dict[str, Any]] = []
    lists = {
        str(dim): [str(i + 1) for i in range(elements)] if isinstance(elements, int) else [str(e) for e in elements]
        for dim, elements in dimensions.items()
    }
    for part in flat:
        if not isinstance(part, Variable):
            raise SpecificationError(
                f"model: {part!r} is no part of a model; expected sd.Stock, sd.Flow, sd.Aux, sd.Parameter, "
                "sd.Lookup or sd.Data",
                {"part": repr(part)},
            )
        key = canonical(part.name)
        if key in seen:
            raise SpecificationError(
                f"model: the name {part.name!r} stands twice"
                + (
                    f" (as {seen[key]!r}; case, blanks and underscores make no difference)"
                    if seen[key] != part.name
                    else ""
                ),
                {"name": part.name},
            )
        seen[key] = part.name
        if isinstance(part, Data):
            data += [
                {
                    "variable": part.name,
                    "element": list(element),
                    "times": times,
                    "values": values,
                    "interpolation": part.interpolation,
                }
                for element, times, values in as_series(part.series, part.name, part.dimensions, lists)
            ]
    if dialect not in ("xmile", "vensim"):
        raise unknown_name("dialect", dialect, ["xmile", "vensim"])
    if time is None:
        raise SpecificationError("model: no time; give time=sd.Time(0, 120, dt=0.25)", {})
    return {
        "name": name,
        "dialect": dialect,
        "time": time.plain(),
        "dimensions": [{"name": dim, "elements": elements} for dim, elements in lists.items()],
        "variables": [part.plain() for part in flat],
        "data": data,
    }


def _set_points(entry: dict[str, Any], value: Any, name: str) -> None:
    if not is_points(value) or len(value[0]) != len(value[1]):
        raise SpecificationError(
            f"{name!r} is a lookup; expected its points as (x, y), two lists of the same length", {"name": name}
        )
    tables = [equation for equation in entry["equations"] if equation.get("table")]
    if entry["kind"] not in ("lookup", "auxiliary", "flow") or not tables:
        raise SpecificationError(f"{name!r} has no points to replace; it is {entry['kind']}", {"name": name})
    for equation in tables:
        equation["table"] = {
            **equation["table"],
            "x": np.asarray(value[0], dtype=float).tolist(),
            "y": np.asarray(value[1], dtype=float).tolist(),
        }


def _set_constant(
    entry: dict[str, Any], subscripts: tuple[str, ...], value: float, name: str, dimensions: dict[str, list[str]]
) -> None:
    equations = entry["equations"]
    text = repr(value)
    if not subscripts:
        stock = entry["kind"] == "stock"
        for equation in equations:
            if stock and equation["source"].lstrip().upper().startswith("INTEG"):
                equation["initial"] = text
            else:
                equation |= {"source": text, "initial": None, "table": None}
        return
    wanted = tuple(canonical(part) for part in subscripts)
    for equation in equations:
        if tuple(canonical(part) for part in equation["subscripts"]) == wanted:
            equation |= {"source": text, "initial": None, "table": None}
            return
    # One number for all elements is a number for each of them.
    names = [dimensions.get(dimension, []) for dimension in entry.get("dimensions") or []]
    every = list(itertools.product(*names))
    if len(equations) == 1 and is_number(equations[0]["source"]) and len(wanted) == len(names):
        apart = [{**equations[0], "subscripts": list(element)} for element in every]
        for equation in apart:
            if tuple(canonical(part) for part in equation["subscripts"]) == wanted:
                equation |= {"source": text, "initial": None, "table": None}
                entry["equations"] = apart
                return
    raise SpecificationError(
        f"{name!r}: this element has no equation of its own; replace the whole variable, or change it in a run",
        {"name": name},
    )
