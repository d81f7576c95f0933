"""Properties that hold for any model and any numbers."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sembada import sd
from sembada.sd import batch

numbers = st.floats(-50, 50, allow_nan=False).map(lambda x: round(x, 3))
names = st.sampled_from(["a", "b c", "TIME"])


@st.composite
def expressions(draw, depth: int = 4):
    """An XMILE expression and the function of (a, b, t) that it means."""
    if depth == 0 or draw(st.booleans()):
        kind = draw(st.integers(0, 3))
        if kind == 0:
            value = draw(st.floats(0, 50).map(lambda x: round(x, 3)))
            return repr(value), lambda a, b, t, v=value: v
        text, pick = [("a", 0), ("b_c", 1), ("TIME", 2)][kind - 1]
        return text, lambda a, b, t, i=pick: (a, b, t)[i]
    kind = draw(st.sampled_from(["+", "-", "*", "min", "max", "abs", "if", "neg", "exp", "int"]))
    one, f = draw(expressions(depth - 1))
    two, g = draw(expressions(depth - 1))
    if kind in "+-*":
        operation = {"+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y}[kind]
        return f"({one} {kind} {two})", lambda a, b, t: operation(f(a, b, t), g(a, b, t))
    if kind in ("min", "max"):
        pick = min if kind == "min" else max
        return f"{kind.upper()}({one}, {two})", lambda a, b, t: pick(f(a, b, t), g(a, b, t))
    if kind == "abs":
        return f"ABS({one})", lambda a, b, t: abs(f(a, b, t))
    if kind == "neg":
        return f"(-{one})", lambda a, b, t: -f(a, b, t)
    if kind == "int":
        return f"INT({one})", lambda a, b, t: float(math.floor(f(a, b, t)))
    if kind == "exp":
        return f"EXP(MIN({one}, 5))", lambda a, b, t: math.exp(min(f(a, b, t), 5))
    return (
        f"(IF {one} > {two} THEN {one} ELSE {two} * 2)",
        lambda a, b, t: f(a, b, t) if f(a, b, t) > g(a, b, t) else g(a, b, t) * 2,
    )


@settings(max_examples=150, deadline=None)
@given(expressions(), numbers, numbers)
def test_an_expression_means_what_it_says(made, a: float, b: float) -> None:
    text, function = made
    model = sd.Model(sd.Parameter("a", a), sd.Parameter("b c", b), sd.Aux("y", text), time=sd.Time(0, 3, dt=0.75))
    wanted = np.array([function(a, b, t) for t in (0.0, 0.75, 1.5, 2.25, 3.0)])
    assume(np.isfinite(wanted).all() and (np.abs(wanted) < 1e100).all())
    scale = max(1.0, float(np.abs(wanted).max()))
    found = model.run()["y"].to_numpy()
    # comparisons and INT jump where roundings differ: such points are rare, and told by a nudge of a and b
    nudged = np.array([function(a * (1 + 1e-9), b * (1 - 1e-9), t * (1 + 1e-9)) for t in (0.0, 0.75, 1.5, 2.25, 3.0)])
    assume(np.allclose(nudged, wanted, rtol=1e-4, atol=1e-4 * scale))
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11 * scale)
    swept = model.sweep({"a": [a, a], "b c": [b, b]}, save=["y"]).frame("y")
    np.testing.assert_allclose(swept[1], wanted, rtol=1e-11, atol=1e-11 * scale)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=2, max_size=20, unique=True).map(sorted),
    st.data(),
    st.floats(-12, 12),
)
def test_a_lookup_interpolates_and_holds_its_ends(x: list[float], data, at: float) -> None:
    y = data.draw(st.lists(st.floats(-100, 100), min_size=len(x), max_size=len(x)))
    model = sd.Model(sd.Lookup("f", x=x, y=y), sd.Parameter("at", at), sd.Aux("y", "f(at)"), time=sd.Time(0, 1))
    wanted = np.interp(at, x, y)
    # steep pieces of a thousandth in x turn a rounding of x into 1e-10 of y
    assert model.run()["y"].iloc[0] == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["euler", "rk2", "rk4"]))
def test_what_flows_from_stock_to_stock_is_conserved(p: float, q: float, r: float, method: str) -> None:
    model = sd.Model(
        sd.Stock("a", 60, inflows=["back"], outflows=["forth"]),
        sd.Stock("b", 40, inflows=["forth"], outflows=["back", "out"]),
        sd.Stock("c", 0, inflows=["out"]),
        sd.Flow("forth", "p * a"),
        sd.Flow("back", "q * b"),
        sd.Flow("out", "r * b * a / 100"),
        sd.Parameter("p", p),
        sd.Parameter("q", q),
        sd.Parameter("r", r),
        time=sd.Time(0, 10, dt=0.25),
    )
    frame = model.run(method=method).frame
    np.testing.assert_allclose(frame["a"] + frame["b"] + frame["c"], 100, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**31), st.sampled_from([1, 2, 3]))
def test_a_run_of_a_sweep_does_not_depend_on_its_company(n: int, seed: int, threads: int) -> None:
    model = sd.Model(
        sd.Stock("x", 1, inflows=["growth"]),
        sd.Flow("growth", "rate * x * (1 - x / size)"),
        sd.Parameter("rate", 0.3),
        sd.Parameter("size", 10),
        time=sd.Time(0, 5, dt=0.25),
    )
    design = sd.sample({"rate": (0.1, 0.9), "size": (5.0, 50.0)}, n, seed=seed)
    sweep = model.sweep(design, save=["x"], threads=threads)
    at = n // 2
    alone = model.sweep(design.frame.iloc[[at]], save=["x"]).frame("x")[0]
    np.testing.assert_array_equal(sweep.frame("x")[at], alone)
    again = pickle.loads(pickle.dumps(sweep))
    np.testing.assert_array_equal(again.frame("x"), sweep.frame("x"))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 700), st.integers(0, 2**31), st.sampled_from([64, 256, 300]), st.booleans())
def test_statistics_do_not_depend_on_threads_executors_or_interruptions(
    n: int, seed: int, size: int, noisy: bool
) -> None:
    model = sd.Model(
        sd.Stock("x", 1, inflows=["growth"]),
        sd.Flow("growth", "rate * x * (1 - x / size)" + (" + NORMAL(0, 0.1)" if noisy else "")),
        sd.Parameter("rate", 0.3),
        sd.Parameter("size", 10),
        time=sd.Time(0, 3, dt=0.25),
    )
    design = sd.scenarios({"a": {}, "b": {"size": 20.0}}, sd.sample({"rate": (0.1, 0.9)}, n, seed=seed))
    kept = sd.Statistics(beyond={"x": (">", 2.0)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "STATISTICS_BLOCK", size)
        one, two = (model.sweep(design, stats=kept, seed=seed, threads=threads) for threads in (1, 3))
        with ThreadPoolExecutor(2) as pool:
            three = model.sweep(design, stats=kept, seed=seed, executor=pool)
    assert one.summary is not None
    for other in (two, three):
        assert other.summary is not None
        assert other.summary.state == one.summary.state
    again = pickle.loads(pickle.dumps(one.summary))
    assert again.state == one.summary.state


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 2.0), st.floats(0.0, 6.0), st.floats(0.1, 3.0), st.sampled_from([1e-4, 1e-7, 1e-10]))
def test_the_adaptive_method_keeps_its_tolerance_over_a_step_of_its_input(
    rate: float, start: float, height: float, tolerance: float
) -> None:
    model = sd.Model(
        sd.Stock("x", 1, inflows=["in"], outflows=["out"]),
        sd.Flow("in", "STEP(height, start)"),
        sd.Flow("out", "rate * x"),
        sd.Parameter("rate", rate),
        sd.Parameter("start", start),
        sd.Parameter("height", height),
        time=sd.Time(0, 8, dt=0.5),
    )
    run = model.run(method="rk45", tolerance=tolerance)
    t = run.times
    # a step comes at the next multiple of dt, as it does for every other method
    begin = math.ceil(2 * start - 0.5 + 1e-12) / 2 if (2 * start) % 1 != 0.5 else (math.floor(2 * start) + 1) / 2
    since = np.maximum(t - begin, 0.0)
    exact = np.exp(-rate * t) + height / rate * -np.expm1(-rate * since)
    # at most some forty steps, each off by the tolerance, and a decay that forgets errors
    assert np.abs(run["x"].to_numpy() - exact).max() <= 40 * tolerance * (1.0 + exact.max()) + 1e-12
