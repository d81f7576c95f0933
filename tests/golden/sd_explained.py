"""Differences from a reference that the reference itself explains: its own numbers do not say more.

A series may differ where, at each time at which it does,

* the reference holds Vensim's mark for :NA: in a binary run file, −2¹¹⁰, and we the number of :NA: in equations,
  −2¹⁰⁹; or
* the equation, evaluated on the numbers that the *reference* holds for its direct inputs, gives the number of the
  reference within what the rounding of those inputs to the reference's digits can move it (first order, input by
  input). The inputs agree with ours by the rule, or are series that differ and have an explanation themselves.

The second is the forward error bound of a difference of large, nearly equal numbers: nothing in the equation is wrong,
and the file's digits cannot hold the difference. A wrong equation of ours fails it, because it is held against the
reference alone.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import sd_corpus

from sembada import _core

MARK_OF_MISSING = -(2.0**110)
MISSING = -(2.0**109)
# Relative rounding of a number in a file: a 24-bit significand, or six printed digits.
ROUNDING = {"single": 2.0**-24, "double": 0.5e-5}
# The program behind the reference rounds each operation of an equation as well: some equations have a dozen.
OPERATIONS = 16
# FIND MARKET PRICE stops where demand and supply differ by this share of all that is offered: every row of
# allocate_price.dat obeys it.
CLEARING = 1e-6
RATE_OF_CHANGE = re.compile(r"SMOOTH\s*\([^()]*?,\s*TIME STEP\s*\)\s*\)\s*/\s*TIME STEP", re.IGNORECASE)


def unexplained(case: sd_corpus.Case, model: Any, frame: Any) -> list[str]:
    """Return the series that differ and have no explanation, with the first time of each."""
    theirs = sd_corpus.reference(case)
    columns = {sd_corpus.canonical(str(name)): str(name) for name in frame.columns}
    times = frame.index.to_numpy(dtype=float)
    differing: dict[str, list[float]] = {}
    for name, series in theirs.items():
        if name.partition("[")[0] in sd_corpus.CONTROL or name not in columns:
            continue
        at = series.index.to_numpy(dtype=float)
        rows = np.clip(np.searchsorted(times, at - sd_corpus.SAME_TIME), 0, len(times) - 1)
        ours = frame[columns[name]].to_numpy()[rows]
        reference = series.to_numpy()
        good = sd_corpus.agree(ours, reference, case.rule)
        # The file prints seven digits of the mark.
        good |= (np.abs(reference / MARK_OF_MISSING - 1) < 1e-6) & (ours == MISSING)
        if not good.all():
            differing[name] = at[~good].tolist()
    known = {info.name: info for info in model.variables.values()}
    needed = model.dependencies()
    found: dict[tuple[str, float], bool] = {}
    out = []
    for name, moments in differing.items():
        bad = [t for t in moments if not _holds(case, model, frame, theirs, columns, known, needed, name, t, found)]
        if bad:
            out.append(f"{name} at {bad[0]:g}")
    return out


def _value(series: Any, time: float) -> float | None:
    """The value of a series in the reference; Vensim writes a constant once."""
    if len(series) == 1:
        return float(series.iloc[0])
    at = series.index.to_numpy(dtype=float)
    place = int(np.argmin(np.abs(at - time)))
    return float(series.iloc[place]) if abs(at[place] - time) <= sd_corpus.SAME_TIME * max(1.0, abs(time)) else None


def _holds(
    case: sd_corpus.Case,
    model: Any,
    frame: Any,
    theirs: dict[str, Any],
    columns: dict[str, str],
    known: dict[str, Any],
    needed: dict[str, list[str]],
    name: str,
    time: float,
    found: dict[tuple[str, float], bool],
) -> bool:
    """Whether the equation of a series holds on the numbers of the reference."""
    if (name, time) in found:
        return found[name, time]
    written = columns[name]
    variable = model.variables.written(written.partition("[")[0])
    varied, values, moves = [], [], []
    for cause in needed[variable]:
        info = known.get(cause)
        if info is None or info.type == "lookup":
            continue
        bare = sd_corpus.canonical(cause)
        for key, column in columns.items():
            if key.partition("[")[0] != bare or key not in theirs:
                continue
            value = _value(theirs[key], time)
            if value is None or abs(value / MARK_OF_MISSING - 1) < 1e-6:
                continue
            varied.append(f"INITIAL({column})" if info.type == "stock" else column)
            values.append(value)
            moves.append(abs(value) * ROUNDING[case.rule])
    dt = model.time.dt
    program = _core.SdProgram.compile(model._core, [variable], varied, None, (time, time, dt, None), None)
    design = np.repeat(np.array(values)[None, :], len(values) + 1, axis=0)
    design[np.arange(1, len(values) + 1), np.arange(len(values))] += moves
    results = [program.run(np.ascontiguousarray(row), 0)[0] for row in design]
    place = [sd_corpus.canonical(column) for column in program.columns].index(name)
    answers = np.array([result[0, place] for result in results])
    reference = _value(theirs[name], time)
    assert reference is not None
    bound = OPERATIONS * (np.abs(answers[1:] - answers[0]).sum() + ROUNDING[case.rule] * abs(reference))
    equation = str(known[variable].equation)
    difference = abs(answers[0] - reference)
    if "FIND MARKET PRICE" in equation.upper():
        difference, bound = _excess(theirs, name, time)
    elif RATE_OF_CHANGE.search(equation):
        # (x(t) − x(t − dt))/dt: the file does not hold the earlier x, but both are rounded.
        ours = float(frame[written].to_numpy()[int(np.argmin(np.abs(frame.index.to_numpy() - time)))])
        difference, bound = abs(ours - reference), OPERATIONS * 2 * max(moves) / dt
    found[name, time] = bool(difference <= bound)
    return found[name, time]


def _excess(theirs: dict[str, Any], name: str, time: float) -> tuple[float, float]:
    """By how much demand and supply differ at a price of the reference, and by how much they may."""
    kind = name.partition("[")[2].rstrip("]")

    def total(variable: str) -> float:
        return sum(_value(v, time) or 0.0 for k, v in theirs.items() if k.startswith(f"{variable}[{kind},"))

    wanted, given, offered = total("amount_demanded"), total("amount_supplied"), total("supply_capacity")
    return abs(wanted - given), CLEARING * offered + ROUNDING["double"] * (wanted + given)
