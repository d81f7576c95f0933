"""Validation, integration checks, sensitivity and calibration of models."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sembada import sd
from sembada.errors import DataError, MissingDependencyError, SpecificationError, UnknownNameError


def logistic(dt: float = 0.125) -> sd.Model:
    return sd.Model(
        sd.Stock("x", "start", inflows=["growth"]),
        sd.Flow("growth", "rate * x * (1 - x / size)"),
        sd.Parameter("start", 10),
        sd.Parameter("rate", 0.3),
        sd.Parameter("size", 100),
        sd.Parameter("idle", 1),
        time=sd.Time(0, 20, dt=dt, save_step=1),
    )


def test_a_model_is_valid_against_its_own_run() -> None:
    model = logistic()
    history = model.run(save=["x"]).frame
    found = model.validate(history)
    assert found.index.tolist() == ["x"]
    assert found.loc["x", "rmse"] == 0
    assert found.loc["x", "e1_valid"]
    assert found.loc["x", "e2_valid"]
    assert found.loc["x", "n"] == 21
    assert found.loc["x", "r2"] == pytest.approx(1)


def test_history_is_matched_by_name_and_time() -> None:
    model = logistic()
    history = pd.DataFrame({"time": [0.0, 5.0, 10.0], "X": [10.0, np.nan, 70.0]})
    found = model.validate(history, {"rate": 0.31})
    run = model.run({"rate": 0.31})["x"]
    assert found.loc["x", "n"] == 2
    assert found.loc["x", "mae"] == pytest.approx(abs(run.loc[10] - 70) / 2)
    with pytest.raises(DataError, match="time 30"):
        model.validate(pd.DataFrame({"x": [1.0, 2.0]}, index=[0.0, 30.0]))
    with pytest.raises(UnknownNameError):
        model.validate(pd.DataFrame({"y": [1.0, 2.0]}, index=[0.0, 1.0]))
    with pytest.raises(DataError, match="at least two"):
        model.validate(pd.DataFrame({"x": [1.0, np.nan]}, index=[0.0, 1.0]))


def test_history_that_hardly_moves_is_flagged() -> None:
    rng = np.random.default_rng(1)
    model = logistic()
    history = pd.DataFrame({"size": 100 + rng.normal(size=21)}, index=np.arange(21.0))
    assert "noise" in model.validate(history).loc["size", "note"]


def test_a_coarse_step_is_found() -> None:
    coarse = sd.check_integration(logistic(2.0), save=["x"]).loc["x"]
    fine = sd.check_integration(logistic(1 / 64), save=["x"]).loc["x"]
    assert not coarse["adequate"]
    assert fine["adequate"]
    # Euler's error is of first order: halving the step takes away half of it
    assert coarse["rk4"] > 1.5 * coarse["half_step"]
    assert fine["rk4"] == pytest.approx(2 * fine["half_step"], rel=0.05)
    assert coarse["half_step"] > 20 * fine["half_step"]


def test_the_worst_run_of_a_design_counts() -> None:
    model = logistic(0.5)
    design = sd.grid(rate=[0.1, 0.9, 0.3])
    found = model.check_integration(design=design, save=["x"]).loc["x"]
    assert found["run"] == 1
    alone = model.check_integration({"rate": 0.9}, save=["x"]).loc["x"]
    assert found["half_step"] == pytest.approx(alone["half_step"], rel=1e-9)


def ishigami() -> sd.Model:
    """The test function of Ishigami and Homma (1990), whose indices are known."""
    return sd.Model(
        sd.Parameter("a", 0),
        sd.Parameter("b", 0),
        sd.Parameter("c", 0),
        sd.Aux("y", "SIN(a) + 7 * SIN(b) ^ 2 + 0.1 * c ^ 4 * SIN(a)"),
        time=sd.Time(0, 1),
    )


FACTORS = dict.fromkeys("abc", (-np.pi, np.pi))


def test_sobol_indices_of_a_known_function() -> None:
    pytest.importorskip("SALib")
    found = ishigami().sensitivity(FACTORS, outputs="y", n=2048, method="sobol", seed=1)
    assert found.index.names == ["output", "time", "factor"]
    part = found.loc[("y", 1.0)]
    # Sudret (2008): S = .3139, .4424, 0; ST = .5576, .4424, .2437; 2,048 base points are good to about 0.02
    np.testing.assert_allclose(part["s1"], [0.3139, 0.4424, 0.0], atol=0.04)
    np.testing.assert_allclose(part["st"], [0.5576, 0.4424, 0.2437], atol=0.04)
    assert found.attrs["n_runs"] == 2048 * 5


@pytest.mark.parametrize(
    ("method", "column"),
    [
        ("morris", "mu_star"),
        ("fast", "st"),
        ("pawn", "median"),
        ("prcc", "prcc"),
        ("rbd-fast", "s1"),
    ],
)
def test_every_method_tells_an_idle_factor(method: str, column: str) -> None:
    if method != "prcc":
        pytest.importorskip("SALib")
    model = logistic()
    factors = {"rate": (0.2, 0.4), "size": stats.norm(100, 5), "idle": (0.0, 1.0)}
    found = model.sensitivity(factors, outputs=["x"], n=256, method=method, seed=2, times=[5.0, 10.0])
    assert found.index.get_level_values("time").unique().tolist() == [5.0, 10.0]
    part = found.loc[("x", 5.0), column].abs()
    assert part["rate"] > 3 * part["idle"]


def test_sensitivity_refuses_what_it_cannot_do() -> None:
    model = logistic()
    with pytest.raises(UnknownNameError, match="sobol"):
        model.sensitivity({"rate": (0.1, 0.2)}, outputs="x", method="sobl")
    with pytest.raises(SpecificationError, match="power of two"):
        model.sensitivity({"rate": (0.1, 0.2)}, outputs="x", n=100)
    with pytest.raises(SpecificationError, match="no factors"):
        model.sensitivity({}, outputs="x")
    failing = sd.Model(sd.Parameter("a", 1), sd.Aux("y", "SQRT(a)"), time=sd.Time(0, 1))
    with pytest.raises(DataError, match="failed"):
        failing.sensitivity({"a": (-1.0, 1.0)}, outputs="y", method="prcc", n=64)


def test_a_constant_output_depends_on_nothing() -> None:
    pytest.importorskip("SALib")
    found = logistic().sensitivity({"rate": (0.1, 0.2)}, outputs="idle", n=16)
    assert (found == 0).all(axis=None)


@pytest.mark.parametrize("method", ["least-squares", "differential-evolution", "nelder-mead", "powell"])
def test_calibration_finds_what_made_the_history(method: str) -> None:
    model = logistic(0.25)
    history = model.run({"rate": 0.42, "size": 81.0}, save=["x"]).frame
    bounds = {"rate": (0.05, 1.0), "size": (50.0, 150.0)}
    found = model.calibrate(history, bounds, method=method, seed=1)
    tolerance = 1e-6 if method == "least-squares" else 1e-3
    assert found.params == pytest.approx({"rate": 0.42, "size": 81.0}, rel=tolerance)
    assert found.fit.loc["x", "r2"] == pytest.approx(1, abs=1e-5)
    assert found.n_runs > 0
    again = model.calibrate(history, bounds, method=method, seed=1)
    assert again.params == found.params


def test_standard_errors_cover_the_truth() -> None:
    model = logistic(0.25)
    truth = {"rate": 0.42, "size": 81.0}
    exact = model.run(truth, save=["x"]).frame
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(40):
        noisy = exact + rng.normal(scale=1.0, size=exact.shape)
        table = model.calibrate(noisy, {"rate": (0.05, 1.0), "size": (50.0, 150.0)}, starts=4).estimates
        inside += sum(table.loc[name, "lower"] < value < table.loc[name, "upper"] for name, value in truth.items())
    # 80 intervals of 95 %: fewer than 66 inside has a chance below one in ten thousand
    assert inside >= 66


def test_a_parameter_that_nothing_depends_on_has_no_error() -> None:
    model = logistic(0.25)
    history = model.run({"rate": 0.4}, save=["x"]).frame
    table = model.calibrate(history, {"rate": (0.1, 1.0), "idle": (0.0, 1.0)}).estimates
    assert np.isnan(table.loc["idle", "std_error"])
    assert table.loc["rate", "estimate"] == pytest.approx(0.4, rel=1e-6)


def test_a_bound_that_is_met_is_told() -> None:
    model = logistic(0.25)
    history = model.run({"rate": 0.4}, save=["x"]).frame
    table = model.calibrate(history, {"rate": (0.05, 0.2)}).estimates
    assert table.loc["rate", "at_bound"]


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (0.0,), 3.0, (0.0, 1.0, 2.0), (0.0, np.inf)])
def test_bounds_out_of_order_are_refused(bounds: object) -> None:
    history = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[0.0, 1.0, 2.0])
    with pytest.raises(SpecificationError, match="rate"):
        logistic().calibrate(history, {"rate": bounds})


def test_calibration_needs_data() -> None:
    model = logistic()
    with pytest.raises(DataError, match="observations"):
        model.calibrate(pd.DataFrame({"x": [1.0]}, index=[0.0]), {"rate": (0.0, 1.0)})
    history = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[0.0, 1.0, 2.0])
    with pytest.raises(UnknownNameError):
        model.calibrate(history, {"rate": (0.0, 1.0)}, weights={"z": 1.0})


def test_optional_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "xarray", None)
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    model = logistic()
    with pytest.raises(MissingDependencyError, match=r"sembada\[xarray\]"):
        model.run().to_xarray()
    with pytest.raises(MissingDependencyError, match=r"sembada\[sensitivity\]"):
        model.sensitivity({"rate": (0.1, 0.2)}, outputs="x", n=16)
