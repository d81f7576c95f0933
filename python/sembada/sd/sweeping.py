"""How a sweep is run: planned, cut into blocks, kept in memory, in statistics or in a store."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sembada import _core, execution
from sembada.errors import DataError, SimulationError, SpecificationError, unknown_name
from sembada.sd import batch as _batch
from sembada.sd.designs import Design, as_design
from sembada.sd.layout import Layout
from sembada.sd.run import STATUS, Run
from sembada.sd.statistics import Statistics, Summary, as_statistics
from sembada.sd.sweep import Sweep

__all__ = ["failed", "sweep", "trace"]


def sweep(
    model: Any,
    design: Any,
    *,
    save: tuple[str, ...] | None,
    stats: Any,
    method: str | None,
    seed: int,
    threads: int | None,
    executor: Any,
    store: str | Path | None,
    on_error: str,
    progress: Any,
    time: Any,
    tolerance: Any,
) -> Sweep:
    """Run a model for every row of a design; see `Model.sweep`."""
    if on_error not in ("mask", "raise"):
        raise SpecificationError(f"on_error={on_error!r}; expected 'mask' or 'raise'", {"on_error": on_error})
    planned = as_design(design)
    statistics = as_statistics(stats)
    options = {"method": method, "time": time, "seed": seed, "tolerance": tolerance}
    job = _batch.plan(
        model, planned, save=save, threads=execution.check_threads(threads), statistics=statistics, **options
    )
    job.check_defaults()
    made = job.compiled(0)
    layout = made.layout
    if len(job.settings) > 1:
        layout = _common_layout(job, layout)
    groups, by = _groups(job, planned, statistics)
    n = len(planned)
    if statistics is not None:
        size = min(n, _batch.STATISTICS_BLOCK)
    elif executor is None and store is None and on_error == "mask":
        # in one piece, into the memory that is kept
        size = n
    else:
        size = _batch.block_size(len(layout.columns), len(layout.times), n)
    methods = sorted({job.known(code).method for code in range(len(job.settings))})
    facts = {**made.facts, "method": ", ".join(methods)}
    origin = {**facts, "seed": seed, "n_runs": n, "design": json.dumps(planned.record, default=str)}
    held = None
    if store is not None:
        from sembada.sd.store import Store

        identity = {
            **origin,
            "design_hash": hash_design(planned),
            "columns": hashlib.sha256("\n".join(layout.columns).encode()).hexdigest()[:16],
            "times": hashlib.sha256(layout.times.tobytes()).hexdigest()[:16],
            "statistics": repr(statistics),
            "version": _core.__version__,
        }
        held = Store(Path(store), layout, planned, identity, size, statistics is not None)
        size = held.size
    blocks = execution.split(n, size)
    status = np.zeros(n, dtype=np.uint8)
    failed_at = np.full(n, np.nan)
    failed_in: dict[int, str] = {}
    kept: Any = None
    if statistics is None and held is None:
        check_memory(len(layout.columns), len(layout.times), n)
    merged: Any = None
    with execution.reporter(progress, n, "runs") as report:
        for block, result in execution.run(job, blocks, executor=executor, report=report, checkpoint=held):
            rows = slice(block.start, block.stop)
            status[rows], failed_at[rows] = result.status, result.failed_at
            failed_in |= {block.start + run: name for run, name in result.failed_in.items()}
            if on_error == "raise" and result.status.any():
                first = int(np.flatnonzero(result.status)[0])
                raise failed(
                    model.name,
                    int(result.status[first]),
                    result.failed_at[first],
                    result.failed_in[first],
                    made.facts["dt"],
                    block.start + first,
                )
            if held is not None:
                continue
            if result.reduction is not None:
                # blocks come in their order, which decides the last bits
                if merged is None:
                    merged = result.reduction
                else:
                    merged.merge(result.reduction, threads)
                    # the loop holds on to it while the next block runs
                    result.reduction.clear()
            elif len(blocks) == 1:
                kept = result.trajectories
            else:
                if kept is None:
                    kept = np.empty((len(layout.columns), len(layout.times), n))
                kept[:, :, rows] = result.trajectories
    if held is not None:
        status, failed_at, failed_in = held.outcome()
        if on_error == "raise" and status.any():
            first = int(np.flatnonzero(status)[0])
            raise failed(model.name, int(status[first]), failed_at[first], failed_in[first], made.facts["dt"], first)
        if statistics is None:
            kept = held.columns()
        else:
            merged = held.statistics()
    return Sweep(
        layout=layout,
        plan=planned,
        status=status,
        failed_at=failed_at,
        failed_in=failed_in,
        values=kept,
        summary=None if statistics is None else Summary(layout, groups, by, tuple(statistics.limits()), merged),
        model=model,
        options=options,
        origin=origin,
        store=str(store) if store is not None and statistics is None else None,
    )


def trace(model: Any, design: Design, index: int, save: tuple[str, ...] | None, options: dict[str, Any]) -> Run:
    """Run one member of a sweep again, with the numbers that it had."""
    one = Design(design.frame.iloc[index : index + 1], design.streams[index : index + 1], design.record)
    job = _batch.plan(model, one, save=save, threads=None, **options)
    job.check_defaults()
    made = job.compiled(0)
    row = np.ascontiguousarray(job.rows(0, np.zeros(1, dtype=np.intp))[0])
    data, status, at, where = made.program.run(row, job.seed, int(job.streams[0]))
    variable = made.program.state_name(where) if status and where >= 0 else ""
    failure = {"status": STATUS[status], "time": at, "variable": variable} if status else None
    origin = {**made.facts, "seed": job.seed, "params": dict(zip(job.varied, row.tolist(), strict=True))}
    return Run(made.layout, data, status, failure, origin)


def _common_layout(job: _batch.Batch, layout: Layout) -> Layout:
    """Return the layout of runs with settings of their own: all their times on one axis."""
    times = job.times()
    if job.statistics is not None and any(
        job.known(code).times.shape != times.shape for code in range(len(job.settings))
    ):
        raise SpecificationError(
            "stats: the runs of this design save different times; give time=[…], the times to save", {}
        )
    return Layout(layout.columns, layout.places, times, layout.time_unit, layout.units)


def _groups(job: _batch.Batch, planned: Design, statistics: Statistics | None) -> tuple[tuple[Any, ...], str | None]:
    if statistics is None:
        return ("all",), None
    by = statistics.by
    if by == "auto":
        by = "scenario" if "scenario" in planned.frame.columns else None
    if by is None:
        return ("all",), None
    if by not in planned.frame.columns:
        raise unknown_name("column of the design", by, [str(name) for name in planned.frame.columns])
    codes, values = pd.factorize(planned.frame[by], sort=False, use_na_sentinel=False)
    job.groups, job.n_groups = codes.astype(np.int64), len(values)
    return tuple(values), by


def failed(model: str, status: int, time: float, variable: str, dt: float, run: int | None = None) -> SimulationError:
    """Make the error of a run that failed."""
    where = f"model {model!r}" if model else "the model"
    which = f"run {run} of {where}" if run is not None else where
    what = (
        f"{variable!r} is not finite at time {time:g}; look for a division by zero or a logarithm of a "
        f"negative number in its equation, or take a smaller step than dt={dt:g}"
        if status == 1
        else f"{variable!r} asks at time {time:g} for steps smaller than the clock resolves; look for growth without "
        "bounds or a jump that moves with the state, or take a larger tolerance=, or a method of fixed steps"
    )
    return SimulationError(
        f"{which}: {what}", {"time": float(time), "variable": variable, "run": run, "status": status}
    )


def hash_design(design: Design) -> str:
    """Return the hash of every number, table and label of a design."""
    digest = hashlib.sha256()
    for name in design.frame.columns:
        digest.update(str(name).encode())
        values = design.frame[name].to_numpy()
        if values.dtype.kind in "fiub":
            digest.update(values.tobytes())
        else:
            digest.update(repr([_batch.cell_fingerprint(value) for value in values.tolist()]).encode())
    digest.update(design.streams.tobytes())
    return digest.hexdigest()[:16]


def check_memory(columns: int, times: int, runs: int) -> None:
    """Refuse results that would not fit into the memory of this machine, before they are run."""
    needed = 8 * columns * times * runs
    try:
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    if needed > 0.8 * have:
        raise DataError(
            f"the results of {runs:,} runs × {columns} columns × {times} times need {needed / 2**30:.1f} GB, and this "
            f"machine has {have / 2**30:.1f}; save fewer variables (save=), fewer times (time=), keep statistics "
            "(stats=True), or stream to disk (store='sweep.zarr')",
            {"needed": needed, "available": have},
        )
