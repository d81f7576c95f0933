"""Models from objects: what they say, how they run, and how they refuse."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sembada import sd
from sembada.errors import (
    CircularError,
    DataError,
    EquationError,
    SimulationError,
    SpecificationError,
    UnknownNameError,
)


def firm(**time: object) -> sd.Model:
    settings = {"dt": 0.25, "save_step": 1.0, "unit": "month", **time}
    return sd.Model(
        sd.Stock("Customers", "150", inflows=["acquisition"], outflows=["churn"], unit="person"),
        sd.Flow("acquisition", "potential market * reach", unit="person/month", comment="word of mouth"),
        sd.Flow("churn", "Customers * churn_rate", unit="person/month"),
        sd.Parameter("reach", 0.02, unit="1/month", limits=(0, 1)),
        sd.Parameter("churn rate", 0.05, unit="1/month"),
        sd.Parameter("potential market", 1000, unit="person"),
        sd.Aux("price effect", "effect(Customers / 100)"),
        sd.Lookup("effect", x=[0, 1, 2], y=[2, 1, 0.5]),
        time=sd.Time(0, 12, **settings),  # type: ignore[arg-type]
        name="firm",
    )


@pytest.fixture(scope="module")
def model() -> sd.Model:
    return firm()


def test_a_run_is_a_table_over_time(model: sd.Model) -> None:
    run = model.run()
    assert run.frame.index.name == "time"
    assert run.frame.index.tolist() == list(range(13))
    assert {"Customers", "acquisition", "churn"} <= set(run.frame.columns)
    assert run["customers"].equals(run.frame["Customers"])
    assert run["customers"].iloc[0] == 150
    assert run.status == 0
    assert "Customers" in run
    assert "custmers" not in run
    assert repr(run).startswith("<Run:")


def test_numbers_follow_the_equations(model: sd.Model) -> None:
    customers, expected = 150.0, [150.0]
    for step in range(48):
        customers += 0.25 * (1000 * 0.02 - customers * 0.05)
        if step % 4 == 3:
            expected.append(customers)
    np.testing.assert_allclose(model.run()["Customers"], expected, rtol=1e-13)
    effect = model.run()["price effect"].iloc[0]
    assert effect == 0.75


def test_names_are_found_however_they_are_spelt(model: sd.Model) -> None:
    one = model.run({"Potential_Market": 500.0, "CHURN RATE": 0.1}, save="customers")
    two = model.run({"potential market": 500.0, "churn_rate": 0.1}, save=["Customers"])
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert list(one.frame.columns) == ["Customers"]


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.run({"reech": 1.0}),
        lambda m: m.run(save=["reech"]),
        lambda m: m.run(initial={"reech": 1.0}),
        lambda m: m.run()["reech"],
        lambda m: m.sweep(pd.DataFrame({"reech": [1.0]})),
        lambda m: m.sweep(pd.DataFrame({"reach": [1.0]}), save=["reech"]),
        lambda m: m.variables["reech"],
        lambda m: m.replace({"reech": 1.0}),
    ],
)
def test_a_typo_lists_near_matches(model: sd.Model, call) -> None:
    with pytest.raises(UnknownNameError, match="reach"):
        call(model)


def test_initial_values_and_times_may_change(model: sd.Model) -> None:
    assert model.run(initial={"customers": 10.0})["Customers"].iloc[0] == 10
    assert model.run(time={"final_time": 3.0}).frame.index.tolist() == [0, 1, 2, 3]
    assert model.run(time={"save_step": None}).frame.shape[0] == 49
    assert model.run(time=[0.0, 2.5, 12.0]).frame.index.tolist() == [0, 2.5, 12]
    assert model.run(time=sd.Time(0, 1, dt=0.5)).frame.index.tolist() == [0, 0.5, 1]
    with pytest.raises(UnknownNameError, match="final_time"):
        model.run(time={"finaltime": 3.0})
    with pytest.raises(SpecificationError, match="no stock"):
        model.run(initial={"reach": 1.0})


def test_an_unknown_name_in_an_equation_gets_a_caret() -> None:
    with pytest.raises(EquationError, match=r"\^") as caught:
        sd.Model(sd.Parameter("rate", 1), sd.Aux("y", "2 * rte"), time=sd.Time(0, 1))
    assert "rate" in str(caught.value)


def test_a_broken_equation_gets_a_caret() -> None:
    with pytest.raises(EquationError, match=r"\^"):
        sd.Model(sd.Aux("y", "2 * (3 + "), time=sd.Time(0, 1))


def test_a_circle_is_shown() -> None:
    with pytest.raises(CircularError) as caught:
        sd.Model(sd.Aux("a", "b"), sd.Aux("b", "c + 1"), sd.Aux("c", "2 * a"), time=sd.Time(0, 1))
    assert {"a", "b", "c"} <= set(caught.value.circle)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sd.Model(sd.Aux("a", 1), sd.Parameter("A", 2), time=sd.Time(0, 1)), "stands twice"),
        (lambda: sd.Model(sd.Aux("a", 1)), "no time"),
        (lambda: sd.Model("a = 1", time=sd.Time(0, 1)), "no part of a model"),  # type: ignore[arg-type]
        (lambda: sd.Time(0, 1, dt=0), "dt=0"),
        (lambda: sd.Time(2, 1), "before"),
        (lambda: sd.Time(0, 1, method="rk5"), "rk5"),
        (lambda: sd.Lookup("l", x=[0, 1], y=[0]).plain(), "as many"),
        (lambda: sd.Lookup("l", x=[1, 0], y=[0, 1]).plain(), "rising"),
        (lambda: sd.Lookup("l", x=[0, 1], y=[0, np.nan]).plain(), "finite"),
        (lambda: sd.Stock("s", 1, inflows="f").plain(), "list of names"),
        (lambda: sd.Aux("", 1), "no name"),
        (lambda: sd.Aux("a", None).plain(), "no equation"),  # type: ignore[arg-type]
        (lambda: sd.Parameter("a", np.inf).plain(), "not finite"),
        (lambda: sd.Aux("a", {"N": 1}).plain(), "dimensions"),
        (lambda: sd.Model(sd.Aux("a", 1), time=sd.Time(0, 1), dialect="dynamo"), "dialect"),
    ],
)
def test_what_cannot_be_is_refused(make, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        make()


def failing(**options: object) -> sd.Model:
    return sd.Model(
        sd.Stock("x", 4, outflows=["out"]),
        sd.Flow("out", 1),
        sd.Parameter("shift", 0),
        sd.Stock("y", 0, inflows=["root"]),
        sd.Flow("root", "SQRT(x + shift)"),
        time=sd.Time(0, 8, dt=1),
    )


def test_a_run_that_is_not_finite_says_when_and_what() -> None:
    model = failing()
    with pytest.raises(SimulationError) as caught:
        model.run()
    assert caught.value.time == 5
    assert caught.value.variable
    run = model.run(on_error="mask")
    assert run.status == 1
    assert run.failure is not None
    assert run.failure["time"] == 5
    assert np.isfinite(run.frame.loc[:4]).all(axis=None)
    assert run.frame.loc[6:].isna().all(axis=None)


def test_params_must_be_finite_numbers(model: sd.Model) -> None:
    with pytest.raises(SpecificationError, match="not finite"):
        model.run({"reach": np.nan})
    with pytest.raises(SpecificationError, match="expected a number"):
        model.run({"reach": "much"})
    with pytest.raises(SpecificationError, match="on_error"):
        failing().run(on_error="ignore")


def test_a_model_tells_what_it_holds(model: sd.Model) -> None:
    assert next(iter(model.variables)) == "Customers"
    info = model.variables["customers"]
    assert (info.type, info.unit, info.inflows, info.outflows) == ("stock", "person", ("acquisition",), ("churn",))
    table = model.equations()
    assert table.loc["acquisition", "equation"] == "potential market * reach"
    assert table.loc["acquisition", "comment"] == "word of mouth"
    assert table.loc["Customers", "initial"] == "150"
    assert table.loc["reach", "type"] == "parameter"
    assert model.parameters.to_dict() == {"reach": 0.02, "churn rate": 0.05, "potential market": 1000}
    assert model.time == sd.Time(0, 12, dt=0.25, save_step=1, unit="month")
    assert model.name == "firm"
    assert model.dialect == "xmile"
    assert repr(model) == "<Model 'firm': 1 stocks, 8 variables, xmile>"
    assert "Customers" in model.dependencies()["churn"]


def test_findings_are_all_reported() -> None:
    model = sd.Model(
        sd.Stock("lonely", 1, unit="kg"),
        sd.Aux("sum", "lonely + speed"),
        sd.Parameter("speed", 2, unit="km/h"),
        time=sd.Time(0, 1, unit="h"),
    )
    found = model.check()
    assert {"severity", "code", "variable", "message", "line"} == set(found.columns)
    assert len(found) >= 2
    assert firm().check()["severity"].ne("error").all()


def test_loops_have_a_polarity(model: sd.Model) -> None:
    loops = model.loops()
    assert loops["polarity"].tolist() == ["balancing"]
    assert loops.index.tolist() == ["B1"]
    assert set(loops.loc["B1", "variables"]) == {"Customers", "churn"}
    assert loops.attrs["complete"]


def test_models_and_results_pickle(model: sd.Model) -> None:
    again = pickle.loads(pickle.dumps(model))
    assert again.hash == model.hash
    pd.testing.assert_frame_equal(again.run().frame, model.run().frame)
    run = model.run({"reach": 0.03})
    same = pickle.loads(pickle.dumps(run))
    pd.testing.assert_frame_equal(same.frame, run.frame)
    assert same.provenance == run.provenance
    assert run.provenance["params"] == {"reach": 0.03}
    sweep = model.sweep(sd.grid(reach=[0.01, 0.02]), save=["Customers"])
    other = pickle.loads(pickle.dumps(sweep))
    pd.testing.assert_frame_equal(other.frame("Customers"), sweep.frame("Customers"))


def test_a_replaced_model_runs_as_the_changed_run_did(model: sd.Model) -> None:
    other = model.replace({"reach": 0.05}, initial={"Customers": 20.0}, time={"final_time": 6.0}, name="other")
    wanted = model.run({"reach": 0.05}, initial={"Customers": 20.0}, time={"final_time": 6.0})
    pd.testing.assert_frame_equal(other.run().frame, wanted.frame)
    assert other.name == "other"
    assert other.hash != model.hash
    assert model.run()["Customers"].iloc[0] == 150


def test_lookups_and_series_may_be_given(model: sd.Model) -> None:
    flat = model.run({"effect": ([0.0, 1.0], [3.0, 3.0])})
    assert (flat["price effect"] == 3).all()
    market = pd.Series({0.0: 1000.0, 12.0: 2200.0})
    run = model.run({"potential market": market}, method="euler")
    customers = 150.0
    for step in range(48):
        customers += 0.25 * ((1000 + 100 * step * 0.25) * 0.02 - customers * 0.05)
    assert run["Customers"].iloc[-1] == pytest.approx(customers, rel=1e-12)
    with pytest.raises(DataError):
        model.run({"potential market": pd.Series({0.0: np.nan})})


def test_data_variables_hold_series() -> None:
    series = pd.Series([0.0, 10.0], index=[0.0, 4.0])
    for interpolation, wanted in {"linear": [0, 2.5, 5, 7.5, 10], "hold": [0, 0, 0, 0, 10]}.items():
        model = sd.Model(
            sd.Data("demand", series, interpolation=interpolation),
            sd.Aux("double", "2 * demand"),
            time=sd.Time(0, 4),
        )
        frame = model.run().frame
        np.testing.assert_allclose(frame["double"], 2 * np.array(wanted, dtype=float), rtol=1e-14)


def regions() -> sd.Model:
    return sd.Model(
        sd.Stock("Population", {"North": 100, "South": 50}, inflows=["births"], dimensions=["Region"]),
        sd.Flow("births", "Population * rate", dimensions=["Region"]),
        sd.Parameter("rate", {"North": 0.1, "South": 0.2}, dimensions=["Region"]),
        sd.Aux("total", "SUM(Population)"),
        time=sd.Time(0, 2),
        dimensions={"Region": ["North", "South"]},
    )


def test_arrays_are_flattened_in_frames() -> None:
    run = regions().run()
    assert {"Population[North]", "Population[South]", "total"} <= set(run.frame.columns)
    np.testing.assert_allclose(run["Population[south]"], [50, 60, 72], rtol=1e-14)
    table = run["Population"]
    assert table.columns.tolist() == ["North", "South"]
    np.testing.assert_allclose(table.sum(axis=1), run["total"], rtol=1e-14)


def test_elements_of_arrays_may_be_changed() -> None:
    model = regions()
    one = model.run({"rate[South]": 0.5}, initial={"Population[North]": 10.0})
    np.testing.assert_allclose(one["Population[South]"], [50, 75, 112.5], rtol=1e-14)
    assert one["Population[North]"].iloc[0] == 10
    all_of_them = model.run({"rate": 0.0})
    assert all_of_them["total"].tolist() == [150, 150, 150]


def test_results_become_xarray() -> None:
    xarray = pytest.importorskip("xarray")
    model = regions()
    data = model.run().to_xarray()
    assert isinstance(data, xarray.Dataset)
    assert data["Population"].dims == ("time", "Region")
    assert data["Population"].sel(Region="South", time=2).item() == pytest.approx(72)
    sweep = model.sweep(sd.grid({"rate[North]": [0.0, 1.0]}) * sd.grid({"rate[South]": [0.0]})).to_xarray()
    assert sweep["Population"].dims == ("run", "time", "Region")
    assert sweep["rate[North]"].to_numpy().tolist() == [0.0, 1.0]
    assert sweep["Population"].sel(run=1, time=2, Region="North").item() == pytest.approx(400)


def test_the_program_can_be_read(model: sd.Model) -> None:
    assert len(model.program().splitlines()) > 3


def test_an_element_without_equation_is_refused_where_it_is_read(tmp_path: Path) -> None:
    text = """{UTF-8}
region: north, south ~~|
a[north] = 2 ~~|
total = a[north] ~~|
FINAL TIME = 1 ~~|
INITIAL TIME = 0 ~~|
TIME STEP = 1 ~~|
SAVEPER = 1 ~~|
"""
    path = tmp_path / "partly.mdl"
    path.write_text(text, encoding="utf-8")
    frame = sd.read(path).run().frame
    assert frame["total"].tolist() == [2, 2]
    assert frame["a[south]"].isna().all()
    path.write_text(text.replace("= a[north]", "= SUM(a[region!])"), encoding="utf-8")
    with pytest.raises(EquationError, match=r"no equation covers.*a\[south\]"):
        sd.read(path).run()
