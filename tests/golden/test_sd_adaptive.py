"""The adaptive method beside `scipy.integrate`, the same pair by other hands, and closed forms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.integrate import RK45, solve_ivp

from sembada import sd
from sembada.errors import SimulationError

Floats = NDArray[np.float64]
TOLERANCES = 10.0 ** -np.arange(3.0, 11.0)
MODELS = Path(__file__).parents[2] / "benches" / "compare" / "models"


def sir(time: sd.Time) -> sd.Model:
    return sd.Model(
        sd.Stock("S", 9990, outflows=["infection"]),
        sd.Stock("I", 10, inflows=["infection"], outflows=["recovery"]),
        sd.Stock("R", 0, inflows=["recovery"]),
        sd.Flow("infection", "0.4 * S * I / 10000"),
        sd.Flow("recovery", "I / 5"),
        time=time,
    )


def teacup(time: sd.Time) -> sd.Model:
    return sd.Model(sd.Stock("tea", 180, outflows=["loss"]), sd.Flow("loss", "(tea - 70) / 10"), time=time)


def stiff(time: sd.Time) -> sd.Model:
    """Return a fast and a slow decay, two hundred times apart, with a forcing between."""
    return sd.Model(
        sd.Stock("fast", 3, inflows=["pull"]),
        sd.Stock("slow", 2, outflows=["fade"]),
        sd.Flow("pull", "40 * (slow + SIN(TIME) - fast)"),
        sd.Flow("fade", "0.2 * slow"),
        time=time,
    )


def oscillator(time: sd.Time) -> sd.Model:
    """Return van der Pol's oscillator."""
    return sd.Model(
        sd.Stock("x", 2, inflows=["dx"]),
        sd.Stock("v", 0, inflows=["dv"]),
        sd.Flow("dx", "v"),
        sd.Flow("dv", "2 * (1 - x^2) * v - x"),
        time=time,
    )


def slope_sir(t: float, y: Floats) -> list[float]:
    infection, recovery = 0.4 * y[0] * y[1] / 10000, y[1] / 5
    return [-infection, infection - recovery, recovery]


def slope_teacup(t: float, y: Floats) -> list[float]:
    return [-(y[0] - 70) / 10]


def slope_stiff(t: float, y: Floats) -> list[float]:
    return [40 * (y[1] + np.sin(t) - y[0]), -0.2 * y[1]]


def slope_oscillator(t: float, y: Floats) -> list[float]:
    return [y[1], 2 * (1 - y[0] ** 2) * y[1] - y[0]]


CASES: dict[str, tuple[Callable[[sd.Time], sd.Model], Callable[..., Any], list[str], list[float], float]] = {
    "sir": (sir, slope_sir, ["S", "I", "R"], [9990, 10, 0], 100),
    "teacup": (teacup, slope_teacup, ["tea"], [180], 30),
    "stiff": (stiff, slope_stiff, ["fast", "slow"], [3, 2], 10),
    "oscillator": (oscillator, slope_oscillator, ["x", "v"], [2, 0], 20),
}


@pytest.mark.parametrize("dt", [1.0, 0.1], ids=["one long interval", "ten"])
@pytest.mark.parametrize("case", CASES)
def test_the_error_shrinks_with_the_tolerance_and_is_that_of_scipy(case: str, dt: float) -> None:
    build, slope, names, start, end = CASES[case]
    times = np.linspace(0, end, 201)
    truth = solve_ivp(slope, (0, end), start, method="DOP853", rtol=1e-13, atol=1e-12, t_eval=times).y
    size = np.abs(truth).max()
    model = build(sd.Time(0, end, dt=dt * end))
    ours, theirs = [], []
    for tolerance in TOLERANCES:
        run = model.run(method="rk45", tolerance=tolerance, time=tuple(times))
        ours.append(np.abs(run.frame[names].to_numpy().T - truth).max() / size)
        other = solve_ivp(
            slope, (0, end), start, rtol=tolerance, atol=1e-3 * tolerance, t_eval=times, max_step=dt * end
        )
        theirs.append(np.abs(other.y - truth).max() / size)
    errors = np.array(ours)
    # A step errs by less than the tolerance; errors of some tens of steps add up, and what the equations make of them
    # is at most tenfold here (the oscillator, along its orbit).
    assert (errors <= 100 * TOLERANCES).all()
    # Control of the error of a step keeps the error of the run in proportion: seven decades against seven, one and a
    # half for where steps happen to end. Where dt is shorter than what loose tolerances allow, they all give the same.
    if dt == 1.0:
        assert np.log10(errors[0] / errors[-1]) == pytest.approx(7, abs=1.5)
    # The same pair, with a mean over stocks where ours takes the worst: not more than some times worse anywhere.
    assert (errors <= 5 * np.array(theirs)).all()


def test_between_steps_the_values_are_those_of_the_interpolant_of_the_pair() -> None:
    h, share = 0.5, np.linspace(0, 1, 17)
    model = sd.Model(
        sd.Stock("x", 1, inflows=["dx"]),
        sd.Stock("v", 0.3, inflows=["dv"]),
        sd.Flow("dx", "v * x"),
        sd.Flow("dv", "-x + 0.1 * v^2"),
        time=sd.Time(0, h, dt=h),
    )
    # a tolerance that any step keeps: one step
    ours = model.run(method="rk45", tolerance=(0.5, 1e3), time=tuple(h * share)).frame[["x", "v"]].to_numpy().T
    other = RK45(lambda t, y: [y[1] * y[0], -y[0] + 0.1 * y[1] ** 2], 0, [1, 0.3], h, first_step=h, rtol=0.5, atol=1e3)
    other.step()
    assert other.t == h
    # numbers of order one after some ten operations a stage
    np.testing.assert_allclose(ours, other.dense_output()(h * share), rtol=0, atol=1e-14)


def test_between_steps_the_error_is_of_fifth_order() -> None:
    def error(h: float) -> float:
        model = sd.Model(sd.Stock("x", 1, inflows=["dx"]), sd.Flow("dx", "x"), time=sd.Time(0, h, dt=h))
        run = model.run(method="rk45", tolerance=(0.5, 1e3), time=(0.5 * h,))
        return float(abs(run["x"].iloc[0] - np.exp(0.5 * h)))

    # an interpolant of fourth order errs by a constant times h^5
    assert np.log2(error(0.02) / error(0.01)) == pytest.approx(5, abs=0.2)


def test_model_m_agrees_with_rk4_at_small_steps_and_with_itself() -> None:
    model = sd.read(MODELS / "sme.mdl")
    names = ["customers", "price", "inventory", "capacity", "quality", "knowledge", "cash", "debt"]

    def frame(**how: Any) -> pd.DataFrame:
        return model.run(save=names, **how).frame

    # A comparison with TIME costs RK4 its order: from 2e-5 with a sixteenth of dt to 7e-6 with a sixty-fourth.
    small = frame(method="rk4", time=model.time.but(dt=model.time.dt / 64))
    tight = frame(method="rk45", tolerance=1e-11)
    largest = np.abs(tight).max()
    for tolerance in (1e-3, 1e-5, 1e-7, 1e-9):
        found = frame(method="rk45", tolerance=tolerance)
        assert (np.abs(found - small) / largest).max().max() <= 10 * tolerance + 1e-5
        # Points of lookups between two stages are not seen in the error of the step: each costs some times the
        # tolerance, and the model has fifty.
        assert (np.abs(found - tight) / largest).max().max() <= 300 * tolerance


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
def test_edges_that_no_step_meets_are_found_by_the_error(tolerance: float) -> None:
    model = sd.Model(
        sd.Stock("jump", 1, inflows=["on"], outflows=["leave"]),
        sd.Flow("on", "IF TIME > 3.3 THEN 1 ELSE 0"),
        sd.Flow("leave", "0.3 * jump"),
        sd.Stock("kink", 0, inflows=["rise"]),
        sd.Flow("rise", "RAMP(2, 4.7, 6.1)"),
        time=sd.Time(0, 10, dt=1.0),
    )
    run = model.run(method="rk45", tolerance=tolerance)
    t = run.times
    jump = np.exp(-0.3 * t) + np.where(t > 3.3, -np.expm1(-0.3 * (t - 3.3)) / 0.3, 0)
    # two units a time unit from 4.7 to 6.1, level after that
    kink = np.clip(t - 4.7, 0, 1.4) ** 2 + 2.8 * np.maximum(t - 6.1, 0)
    # an edge between two stages is not all in the error of its step: some ten times the tolerance
    assert np.abs(run["jump"] - jump).max() <= 50 * tolerance * np.abs(jump).max()
    assert np.abs(run["kink"] - kink).max() <= 50 * tolerance * np.abs(kink).max()


@pytest.mark.parametrize("dt", [0.1, 0.25])
@pytest.mark.parametrize("sign", [">", ">="])
def test_a_comparison_with_a_time_on_the_grid_is_an_edge(dt: float, sign: str) -> None:
    model = sd.Model(
        sd.Stock("x", 0, inflows=["on"]),
        sd.Flow("on", f"IF TIME {sign} 3 THEN 1 ELSE 0"),
        time=sd.Time(0, 10, dt=dt),
    )
    run = model.run(method="rk45", tolerance=1e-3)
    # no step sees both sides, whatever the tolerance; a hundred roundings of numbers up to 7
    np.testing.assert_allclose(run["x"], np.maximum(run.times - 3, 0), rtol=0, atol=1e-12)


def test_pulses_and_sampled_values_move_at_their_steps(tmp_path: Path) -> None:
    text = """{UTF-8}
level = INTEG(inflow - level * 0.5, 2) ~~|
inflow = PULSE TRAIN(1, 0.5, 2, 8) * 3 + PULSE(5, 0.25) + late ~~|
late = DELAY FIXED(STEP(1, 2), 1.5, 0) ~~|
kept = SAMPLE IF TRUE(MODULO(Time, 1) < 0.125, level, 0) ~~|
INITIAL TIME = 0 ~~|
FINAL TIME = 10 ~~|
TIME STEP = 0.25 ~~|
SAVEPER = 0.25 ~~|
"""
    path = tmp_path / "pulses.mdl"
    path.write_text(text)
    model = sd.read(path)
    run = model.run(method="rk45", tolerance=1e-9)
    flow = run["inflow"].to_numpy()
    # between edges the inflow is constant: the exact level from one step to the next
    level = [2.0]
    for value in flow[:-1]:
        level.append(2 * value + (level[-1] - 2 * value) * np.exp(-0.125))
    assert set(np.unique(flow)) >= {0.0, 1.0, 3.0}
    # forty steps within the tolerance of levels up to 6
    np.testing.assert_allclose(run["level"], level, rtol=0, atol=40 * 6e-9)
    np.testing.assert_array_equal(run["late"], np.where(run.times >= 3.5, 1.0, 0.0))
    other = model.run(method="rk4")
    np.testing.assert_array_equal(run["inflow"], other["inflow"])
    # sampled at whole times, held between them
    whole = np.floor(run.times).astype(int)
    np.testing.assert_array_equal(run["kept"], run["level"].to_numpy()[4 * whole])


def test_growth_without_bounds_ends_with_a_status() -> None:
    # x = 1 / (1/x0 − t) is infinite at 1/x0
    model = sd.Model(sd.Stock("x", 1, inflows=["dx"]), sd.Flow("dx", "x * x"), time=sd.Time(0, 2, dt=0.5))
    with pytest.raises(SimulationError, match="smaller than the clock resolves") as caught:
        model.run(method="rk45")
    assert (caught.value.status, caught.value.variable) == (2, "x")
    # the steps before carried errors of the tolerance, which move the pole as much
    assert caught.value.time == pytest.approx(1.0, abs=1e-5)
    run = model.run(method="rk45", on_error="mask")
    assert run.status == 2
    assert run.failure is not None
    assert run.failure["status"] == "step too small"
    assert run["x"].isna().tolist() == [False, False, False, True, True]
    sweep = model.sweep({"x": [0.1, 1.0, 0.8]}, method="rk45")
    assert sweep.status.tolist() == [0, 2, 2]
    failures = sweep.failures()
    assert failures["status"].tolist() == ["step too small"] * 2
    assert failures["time"].tolist() == pytest.approx([1.0, 1.25], abs=1e-5)
    # what is not finite stays what it was
    root = sd.Model(sd.Stock("x", 1, outflows=["out"]), sd.Flow("out", "1 / SQRT(x - 0.5)"), time=sd.Time(0, 2, dt=0.5))
    run = root.run(method="rk45", on_error="mask")
    assert run.status == 1
    assert run.failure is not None
    assert run.failure["variable"] == "out"
