"""Runs on their own: many of one program, at once, and its code as text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sembada import _core, sd
from sembada.errors import SpecificationError


@pytest.fixture(scope="module")
def plant() -> sd.Model:
    """A model with everything that a run remembers: a queue, a conveyor, a pipeline, noise."""
    return sd.Model(
        sd.Queue("waiting", 3, inflows=["arriving"], outflows=["loading"]),
        sd.Flow("arriving", "rate + NORMAL(0, 0.1)"),
        sd.Conveyor("line", 2, transit_time=1.5, capacity=4, inflows=["loading"], outflows=["unloading"]),
        sd.Flow("loading"),
        sd.Flow("unloading"),
        sd.Stock("done", 0, inflows=["unloading"], outflows=["sold"]),
        sd.Flow("sold", "DELAY(done, 1) / 4 + SQRT(2 - rate)"),
        sd.Parameter("rate", 1),
        time=sd.Time(0, 12, dt=0.25),
    )


def compiled(model: sd.Model) -> _core.SdProgram:
    return _core.SdProgram.compile(model._core, ["waiting", "line", "done"], ["rate"])


def test_threads_that_share_a_program_get_the_bits_of_runs_alone(plant: sd.Model) -> None:
    rates = [0.5, 3.0, 1.0, 1.75]  # the second fails: the root of a negative number
    expected = [compiled(plant).run(np.array([rate]), 5, run) for run, rate in enumerate(rates)]
    assert [status for _, status, *_ in expected] == [0, 1, 0, 0]
    shared = compiled(plant)

    def work(first: int) -> None:
        for k in range(30):
            at = (first + 3 * k) % len(rates)
            values, status, *_ = shared.run(np.array([rates[at]]), 5, at)
            assert (values.tobytes(), status) == (expected[at][0].tobytes(), expected[at][1])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_the_code_of_one_run_can_be_read() -> None:
    decay = sd.Model(sd.Stock("x", 1, outflows=["loss"]), sd.Flow("loss", "x * SIN(TIME)"), time=sd.Time(0, 8, dt=0.5))
    # What depends on time alone stands outside the code of a step, for one run in a section of its own.
    assert "Sin" not in decay.program().split("step:")[1]
    code = decay.program(runs=1)
    assert "Sin" not in code.split("step:")[1]
    assert "u0 = Unary(Sin) c2" in code.split("time:")[1].split("start:")[0]
    assert decay.program(runs=2) == decay.program()
    with pytest.raises(SpecificationError, match="runs=0"):
        decay.program(runs=0)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_what_fails_behind_a_machine_is_named_where_the_machine_made_it_fail(method: str) -> None:
    filling = sd.Model(
        sd.Conveyor("line", 0, inflows=["loading"], outflows=["unloading"], transit_time=4),
        sd.Flow("loading", 1),
        sd.Flow("unloading"),
        sd.Aux("room", "SQRT(2.5 - line)"),
        sd.Stock("y", 0, inflows=["seen"]),
        sd.Flow("seen", "room * 2"),
        time=sd.Time(0, 12, dt=0.5),
    )
    # Half a unit comes in a step, none leaves before time 4: at time 3 there are three on the line.
    run = filling.run(save=["y"], on_error="mask", method=method)
    assert run.failure is not None
    assert (run.failure["time"], run.failure["variable"]) == (3.0, "room")
    waiting = sd.Model(
        sd.Queue("waiting", 3, inflows=["arriving"], outflows=["loading"]),
        sd.Flow("arriving", 2),
        sd.Flow("loading"),
        sd.Conveyor("line", 0, inflows=["loading"], outflows=["unloading"], transit_time=2, capacity=2),
        sd.Flow("unloading"),
        sd.Aux("room", "LN(8.2 - waiting)"),
        sd.Stock("y", 0, inflows=["seen"]),
        sd.Flow("seen", "room * 2"),
        time=sd.Time(0, 12, dt=0.5),
    )
    run = waiting.run(save=["waiting"], method=method)
    first = float(run.times[np.argmax(run["waiting"] > 8.2)])
    run = waiting.run(save=["y"], on_error="mask", method=method)
    assert run.failure is not None
    assert (run.failure["time"], run.failure["variable"]) == (first, "room")


def test_a_step_that_misses_the_end_is_a_finding() -> None:
    time = sd.Time(0, 10, dt=3)
    drain = sd.Model(sd.Stock("x", 1, outflows=["out"]), sd.Flow("out", "x / 8"), time=time)
    assert drain.run().times.tolist() == [0, 3, 6, 9]
    assert [made.n_steps for made in (time, sd.Time(0, 11, dt=3), sd.Time(0, 0.3, dt=0.1))] == [3, 3, 3]
    assert "a run ends at 9" in drain.check().to_string()
