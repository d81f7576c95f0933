"""Runs against solutions known in closed form."""

import numpy as np
import pytest

from sembada import sd


def growth(dt: float, rate: float = 0.1) -> sd.Model:
    return sd.Model(
        sd.Stock("x", 3.0, inflows=["growth"]),
        sd.Flow("growth", "rate * x"),
        sd.Parameter("rate", rate),
        time=sd.Time(0, 10, dt=dt, save_step=1),
    )


def test_euler_is_compound_growth() -> None:
    found = growth(0.25).run()["x"].to_numpy()
    # 40 roundings of a product: 40 units in the last place
    np.testing.assert_allclose(found, 3.0 * 1.025 ** (4 * np.arange(11)), rtol=1e-14)


def test_rk4_is_the_taylor_polynomial_of_the_exponential() -> None:
    h = 0.025
    step = 1 + h + h**2 / 2 + h**3 / 6 + h**4 / 24
    found = growth(0.25).run(method="rk4")["x"].to_numpy()
    np.testing.assert_allclose(found, 3.0 * step ** (4 * np.arange(11)), rtol=1e-14)


def test_rk2_is_the_taylor_polynomial_of_second_order() -> None:
    h = 0.025
    found = growth(0.25).run(method="rk2")["x"].to_numpy()
    np.testing.assert_allclose(found, 3.0 * (1 + h + h**2 / 2) ** (4 * np.arange(11)), rtol=1e-14)


def test_rk45_keeps_its_tolerance() -> None:
    found = growth(1.0).run(method="rk45")["x"].to_numpy()
    # the default tolerance is 1e-6 a step or better; ten units of time grow errors by e
    np.testing.assert_allclose(found, 3.0 * np.exp(0.1 * np.arange(11)), rtol=1e-5)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk2", 2), ("rk4", 4)])
def test_the_logistic_converges_with_the_order_of_the_method(method: str, order: int) -> None:
    def error(dt: float) -> float:
        model = sd.Model(
            sd.Stock("x", 0.1, inflows=["growth"]),
            sd.Flow("growth", "x * (1 - x)"),
            time=sd.Time(0, 5, dt=dt, save_step=5),
        )
        found = model.run(method=method)["x"].iloc[-1]
        return abs(found - 1 / (1 + 9 * np.exp(-5.0)))

    slope = np.log2(error(0.125) / error(0.0625))
    # the next order's term is still a tenth at these steps
    assert slope == pytest.approx(order, abs=0.25)


def test_a_third_order_delay_is_an_erlang_distribution() -> None:
    model = sd.Model(
        sd.Aux("input", "STEP(1, 0)"),
        sd.Aux("output", "DELAY3(input, 6, 0)"),
        time=sd.Time(0, 30, dt=1 / 128, save_step=1),
    )
    found = model.run(method="rk4")["output"].to_numpy()
    k = 0.5 * np.arange(31)
    wanted = 1 - np.exp(-k) * (1 + k + k**2 / 2)
    # the step at time 0 is on from the start, so the response is smooth and RK4 exact to its order
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_a_first_order_smooth_is_an_exponential_approach() -> None:
    model = sd.Model(
        sd.Aux("output", "SMTH1(1, 4, 0)"),
        time=sd.Time(0, 12, dt=0.5),
    )
    found = model.run()["output"].to_numpy()
    np.testing.assert_allclose(found, 1 - 0.875 ** np.arange(25), rtol=0, atol=1e-14)


def test_an_oscillator_of_two_stocks_turns_as_it_should() -> None:
    model = sd.Model(
        sd.Stock("x", 1, inflows=["dx"]),
        sd.Stock("v", 0, inflows=["dv"]),
        sd.Flow("dx", "v"),
        sd.Flow("dv", "-x"),
        time=sd.Time(0, 2 * np.pi, dt=2 * np.pi / 1024, save_step=2 * np.pi / 4),
    )
    frame = model.run(method="rk4").frame
    # fourth order: (2π/1024)^4 · 2π / 120
    np.testing.assert_allclose(frame["x"], [1, 0, -1, 0, 1], atol=1e-9)
    np.testing.assert_allclose(frame["v"], [0, -1, 0, 1, 0], atol=1e-9)


def test_a_pipeline_conserves_what_is_in_it() -> None:
    model = sd.Model(
        sd.Stock("a", 100, outflows=["move"]),
        sd.Stock("b", 0, inflows=["move"], outflows=["leave"]),
        sd.Stock("c", 0, inflows=["leave"]),
        sd.Flow("move", "a / 3"),
        sd.Flow("leave", "b / 5"),
        time=sd.Time(0, 50, dt=0.125),
    )
    frame = model.run().frame
    # 400 additions of numbers up to 100
    np.testing.assert_allclose(frame["a"] + frame["b"] + frame["c"], 100, rtol=1e-13)


@pytest.mark.parametrize("dt", [0.1, 1 / 3, 0.3, 0.7])
def test_time_is_counted_not_added_up(dt: float) -> None:
    model = sd.Model(sd.Aux("now", "TIME"), time=sd.Time(0, 70 * dt, dt=dt))
    frame = model.run().frame
    np.testing.assert_array_equal(frame.index, [step * dt for step in range(71)])
    np.testing.assert_array_equal(frame["now"], frame.index)
