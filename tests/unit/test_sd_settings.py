"""Tables and settings that vary: runs share programs, and give what programs of their own give, to the bit."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sembada import sd
from sembada.errors import UnknownNameError
from sembada.sd import batch, settings
from sembada.sd.designs import as_design


def logistic(**time: Any) -> sd.Model:
    return sd.Model(
        sd.Stock("customers", 10, inflows=["growth"]),
        sd.Flow("growth", "rate * customers * (1 - customers / size)"),
        sd.Parameter("rate", 0.3),
        sd.Parameter("size", 100),
        sd.Aux("demand", "need(customers) * season + felt"),
        sd.Lookup("need", x=[0, 50, 100], y=[0, 1, 1.5]),
        sd.Aux("felt", "customers", lookup=sd.Lookup("felt", x=[0, 100], y=[0, 2])),
        sd.Aux("season", 1),
        time=sd.Time(0, 10, **{"dt": 0.5, "save_step": 1.0, **time}),
    )


@pytest.fixture(scope="module")
def model() -> sd.Model:
    return logistic()


def points(rng: np.random.Generator, n: int, low: float, high: float, *, own: bool) -> tuple[list[float], list[float]]:
    x = np.sort(rng.uniform(low, high, n)) if own else np.linspace(low, high, n)
    return x.tolist(), rng.normal(1, 0.5, n).tolist()


def programs(model: sd.Model, design: pd.DataFrame, **more: Any) -> int:
    options: dict[str, Any] = {"method": None, "time": None, "seed": 0, "threads": 1, "save": None, **more}
    return len(batch.plan(model, as_design(design), **options).settings)


def apart(model: sd.Model, design: pd.DataFrame, **options: Any) -> sd.Sweep:
    """Sweep with a program for every table and every horizon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "FEW", 10**9)
        return model.sweep(design, **options)


def same(one: sd.Sweep, other: sd.Sweep) -> None:
    np.testing.assert_array_equal(one.status, other.status)
    for name in one.layout.columns:
        np.testing.assert_array_equal(one.frame(name).to_numpy(), other.frame(name).to_numpy(), strict=True)
        np.testing.assert_array_equal(one.frame(name).index, other.frame(name).index)


@given(st.integers(0, 2**32), st.integers(2, 24), st.booleans(), st.integers(1, 40))
def test_points_of_each_run_give_what_a_program_of_their_own_gives(seed: int, n: int, own: bool, times: int) -> None:
    rng = np.random.default_rng(seed)
    model = logistic()
    rows = settings.FEW + 3
    design = pd.DataFrame(
        {
            "need": [points(rng, n, -10, 120, own=own) for _ in range(rows)],
            "felt": [points(rng, 4, 0, 100, own=not own) for _ in range(rows)],
            "season": [pd.Series(dict(zip(*points(rng, times, -1, 11, own=own), strict=True))) for _ in range(rows)],
            "rate": rng.uniform(0.1, 0.5, rows),
            "YSCALE(need)": rng.uniform(0.5, 2, rows),
        }
    )
    # an array of lists is no table: cells must stay what they are
    assert programs(model, design) == 1
    same(model.sweep(design), apart(model, design))


def test_runs_share_a_program_by_the_number_of_points(model: sd.Model) -> None:
    rng = np.random.default_rng(5)
    cells: list[Any] = [points(rng, 3 + run % 2, 0, 100, own=run % 3 == 0) for run in range(4 * settings.FEW)]
    design = pd.DataFrame({"need": pd.Series(cells, dtype=object), "rate": rng.uniform(0.1, 0.5, len(cells))})
    assert programs(model, design) == 2
    same(model.sweep(design), apart(model, design))
    # What a row leaves open is as in the model.
    rows: list[dict[str, Any]] = [{"need": cell} if run % 5 else {} for run, cell in enumerate(cells)]
    swept = model.sweep(rows, save=["demand"])
    same(swept, apart(model, rows, save=["demand"]))  # type: ignore[arg-type]
    np.testing.assert_array_equal(swept.frame("demand")[5], model.run()["demand"])
    # Few different tables, each in many runs, are part of the program.
    few = pd.DataFrame({"need": pd.Series(cells[:4] * 3, dtype=object), "rate": rng.uniform(0.1, 0.5, 12)})
    assert programs(model, few) == 4


def test_tables_that_must_be_part_of_a_program_are(model: sd.Model) -> None:
    rng = np.random.default_rng(6)
    slope = sd.Model(
        sd.Aux("slope", "LOOKUPSLOPE(bend, TIME)"),
        sd.Lookup("bend", x=[0, 1, 2], y=[0, 1, 4]),
        time=sd.Time(0, 2, dt=0.5),
    )
    cells = [points(rng, 3, 0, 2, own=False) for _ in range(12)]
    design = pd.DataFrame({"bend": pd.Series(cells, dtype=object)})
    assert programs(slope, design) == 12
    swept = slope.sweep(design)
    for run in (0, 11):
        np.testing.assert_array_equal(swept.frame("slope")[run], slope.run({"bend": cells[run]})["slope"])
    # A point that stands twice makes a step.
    steps = pd.DataFrame({"need": pd.Series([([0, 5, 5, 9], [0, 1, 2 + run, 3]) for run in range(12)], dtype=object)})
    assert programs(model, steps) == 12


def test_arrays_of_lookups_take_the_points_in_every_element() -> None:
    model = sd.Model(
        sd.Stock("x", "1", inflows=["in"], dimensions=["Region"]),
        sd.Flow("in", "bend(x[Region])", dimensions=["Region"]),
        sd.Lookup("bend", x=[0, 10], y=[1, 0]),
        dimensions={"Region": ["a", "b"]},
        time=sd.Time(0, 4, dt=0.5),
    )
    cells = [([0.0, 4.0, 9.0], [1.0, 0.1 * run, 0.0]) for run in range(12)]
    design = pd.DataFrame({"bend": pd.Series(cells, dtype=object)})
    assert programs(model, design) == 1
    np.testing.assert_array_equal(
        model.sweep(design).to_xarray()["x"].to_numpy(), apart(model, design).to_xarray()["x"].to_numpy()
    )


def test_blocks_and_executors_take_their_own_points(model: sd.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    cells = [points(rng, 3 + run % 2, 0, 100, own=False) for run in range(60)]
    design = pd.DataFrame({"need": pd.Series(cells, dtype=object), "final_time": rng.integers(2, 10, 60).astype(float)})
    whole = model.sweep(design)
    monkeypatch.setattr(batch, "block_size", lambda *_: 7)
    same(whole, model.sweep(design))
    with ThreadPoolExecutor(2) as executor:
        same(whole, model.sweep(design, executor=executor))
    run = whole.run(17)
    np.testing.assert_array_equal(run["demand"], whole.frame("demand")[17].dropna())


def test_horizons_share_a_program_that_runs_to_the_last(model: sd.Model) -> None:
    rng = np.random.default_rng(8)
    ends = np.round(rng.uniform(1, 10, 30), 1)
    design = pd.DataFrame({"final_time": ends, "rate": rng.uniform(0.1, 0.5, 30)})
    assert programs(model, design) == 1
    same(model.sweep(design), apart(model, design))
    # An equation that knows the end keeps a program for each.
    knows = sd.Model(
        sd.Stock("x", 1, inflows=["in"]), sd.Flow("in", "STOPTIME - TIME"), time=sd.Time(0, 10, dt=0.5, save_step=1)
    )
    assert programs(knows, design[["final_time"]]) == len(set(ends))
    same(knows.sweep(design[["final_time"]]), apart(knows, design[["final_time"]]))


def test_what_fails_after_the_end_of_a_run_has_not_failed() -> None:
    falling = sd.Model(
        sd.Stock("x", 4, outflows=["out"]),
        sd.Flow("out", 1),
        sd.Aux("root", "SQRT(x)"),
        time=sd.Time(0, 8, dt=1),
    )
    design = pd.DataFrame({"final_time": np.linspace(1, 8, 15)})
    swept = falling.sweep(design)
    assert programs(falling, design) == 1
    same(swept, apart(falling, design))
    assert swept.status.tolist() == [int(end >= 5) for end in design["final_time"]]
    assert swept.failures()["time"].unique().tolist() == [5]
    falling.sweep(design[design["final_time"] < 5], on_error="raise")


def test_times_to_save_go_with_settings(model: sd.Model) -> None:
    design = pd.DataFrame({"dt": [0.5, 0.25, 0.125]})
    kept = model.sweep(design, save=["customers"], time=[0, 5, 10], stats=True)
    swept = model.sweep(design, save=["customers"], time=[0, 5, 10])
    assert swept.frame("customers").index.tolist() == [0, 5, 10]
    np.testing.assert_allclose(kept.mean("customers").iloc[:, 0], swept.frame("customers").mean(axis=1), rtol=1e-12)
    for run, dt in enumerate(design["dt"]):
        alone = model.run(time={"dt": dt, "save_step": 5.0})
        np.testing.assert_array_equal(swept.frame("customers")[run], alone["customers"])


def test_scales_reach_a_lookup_that_stands_behind_its_use(model: sd.Model) -> None:
    swept = model.sweep(pd.DataFrame({"YSCALE(need)": [1.0, 2.0]}), save=["demand", "felt"])
    demand, felt = swept.frame("demand"), swept.frame("felt")
    np.testing.assert_allclose(demand[1] - felt[1], 2 * (demand[0] - felt[0]), rtol=1e-12)


def test_methods_and_settings_by_any_spelling_are_factors(model: sd.Model) -> None:
    design = sd.grid({"method": ["euler", "rk4"], "Final Time": [5.0, 10.0], "rate": [0.2, 0.4]})
    swept = model.sweep(design, save=["customers"])
    for run, row in design.frame.iterrows():
        alone = model.run({"rate": row["rate"]}, method=row["method"], time={"final_time": row["Final Time"]})
        np.testing.assert_array_equal(swept.frame("customers")[run].dropna(), alone["customers"])
    assert swept.provenance["method"] == "euler, rk4"
    assert swept.run(5).provenance["method"] == "rk4"
    with pytest.raises(UnknownNameError, match="rk3"):
        model.sweep(pd.DataFrame({"method": ["euler", "rk3"]}))
    # A variable of the model goes before a setting.
    named = sd.Model(sd.Parameter("method", 2), sd.Aux("twice", "2 * method"), time=sd.Time(0, 1, dt=1))
    assert named.sweep({"method": [3.0, 4.0]}).frame("twice").iloc[0].tolist() == [6, 8]
