"""Designs hold what they say, the same for the same seed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sembada import sd
from sembada.errors import SpecificationError, UnknownNameError
from sembada.sd.designs import as_design


def test_a_grid_has_every_combination_once() -> None:
    design = sd.grid({"a": [1, 2], "b b": [10.0, 20.0, 30.0]})
    assert design.frame.to_numpy().tolist() == [[a, b] for a in (1, 2) for b in (10.0, 20.0, 30.0)]
    assert sd.grid(a=[1], c=5).frame.shape == (1, 2)


@pytest.mark.parametrize("method", ["lhs", "sobol", "halton", "random"])
def test_a_sample_has_its_marginals_and_repeats(method: str) -> None:
    factors = {"u": (2.0, 4.0), "n": stats.norm(10, 2), "d": [1.0, 2.0, 3.0, 4.0]}
    design = sd.sample(factors, 512, method=method, seed=7)
    again = sd.sample(factors, 512, method=method, seed=7)
    other = sd.sample(factors, 512, method=method, seed=8)
    pd.testing.assert_frame_equal(design.frame, again.frame)
    assert not design.frame.equals(other.frame)
    frame = design.frame
    assert frame["u"].between(2, 4).all()
    assert set(frame["d"]) <= {1.0, 2.0, 3.0, 4.0}
    # 512 draws: the bound of a one-in-a-million Kolmogorov–Smirnov distance is 2.7 / sqrt(512) = 0.12
    assert stats.kstest(frame["u"], stats.uniform(2, 2).cdf).statistic < 0.12
    assert stats.kstest(frame["n"], stats.norm(10, 2).cdf).statistic < 0.12


def test_a_latin_hypercube_hits_every_stratum_once() -> None:
    frame = sd.sample({"a": (0.0, 1.0), "b": (0.0, 1.0)}, 50, seed=3).frame
    for name in "ab":
        assert sorted(np.floor(frame[name] * 50).astype(int)) == list(range(50))


def test_rank_correlations_are_met_and_marginals_stay() -> None:
    factors = {"a": (0.0, 1.0), "b": stats.lognorm(1.0), "c": stats.norm()}
    plain = sd.sample(factors, 1000, seed=5).frame
    design = sd.sample(factors, 1000, seed=5, correlation={("a", "b"): 0.7, ("b", "c"): -0.4})
    for name in factors:
        np.testing.assert_array_equal(np.sort(plain[name]), np.sort(design.frame[name]))
    found = stats.spearmanr(design.frame).statistic
    # Iman and Conover's mixing is exact in the scores; ranks of 1,000 points follow within 0.03
    assert found[0, 1] == pytest.approx(0.7, abs=0.03)
    assert found[1, 2] == pytest.approx(-0.4, abs=0.03)
    assert found[0, 2] == pytest.approx(0.0, abs=0.03)


def test_correlations_that_cannot_hold_are_refused() -> None:
    factors = {"a": (0.0, 1.0), "b": (0.0, 1.0), "c": (0.0, 1.0)}
    with pytest.raises(SpecificationError, match="cannot hold together"):
        sd.sample(factors, 10, correlation={("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9})
    with pytest.raises(UnknownNameError, match="'a'"):
        sd.sample(factors, 10, correlation={("aa", "b"): 0.9})
    with pytest.raises(SpecificationError, match="symmetric"):
        sd.sample(factors, 10, correlation=np.ones((2, 2)))


@pytest.mark.parametrize("wrong", [(2.0, 1.0), "uniform", (1.0, 2.0, 3.0), [], [np.nan]])
def test_what_is_no_distribution_is_refused(wrong: object) -> None:
    with pytest.raises(SpecificationError, match="'x'"):
        sd.sample({"x": wrong}, 4)


def test_scenarios_share_draws_and_noise() -> None:
    draws = sd.sample({"churn": (0.1, 0.2), "reach": (1.0, 2.0)}, 5, seed=1)
    design = sd.scenarios({"base": {}, "push": {"reach": lambda value: 2 * value, "price": 3.0}}, draws)
    frame = design.frame
    assert frame["scenario"].tolist() == ["base"] * 5 + ["push"] * 5
    assert frame["draw"].tolist() == [0, 1, 2, 3, 4] * 2
    np.testing.assert_array_equal(frame["churn"][:5], frame["churn"][5:])
    np.testing.assert_array_equal(2 * frame["reach"][:5].to_numpy(), frame["reach"][5:].to_numpy())
    assert frame["price"].isna().tolist() == [True] * 5 + [False] * 5
    assert design.streams.tolist() == [0, 1, 2, 3, 4] * 2


def test_a_function_needs_something_to_act_on() -> None:
    with pytest.raises(SpecificationError, match="draws do not hold it"):
        sd.scenarios({"push": {"reach": lambda value: value}}, sd.sample({"churn": (0.0, 1.0)}, 2))


def test_designs_cross() -> None:
    both = sd.grid(a=[1, 2]) * sd.sample({"b": (0.0, 1.0)}, 3)
    assert both.frame["a"].tolist() == [1, 1, 1, 2, 2, 2]
    np.testing.assert_array_equal(both.frame["b"][:3], both.frame["b"][3:])
    with pytest.raises(SpecificationError, match="'a'"):
        sd.grid(a=[1]) * sd.grid(a=[2])


def test_designs_come_from_many_tables() -> None:
    import polars as pl

    wanted = [[1.0, 2.0], [3.0, 4.0]]
    for given_ in (
        pd.DataFrame(wanted, columns=["a", "b"], index=[7, 9]),
        pl.DataFrame(wanted, schema=["a", "b"], orient="row"),
        {"a": [1.0, 3.0], "b": [2.0, 4.0]},
        [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}],
    ):
        assert as_design(given_).frame.to_numpy().tolist() == wanted
    for wrong in (5, "a", pd.DataFrame({"a": []})):
        with pytest.raises(SpecificationError):
            as_design(wrong)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 2**31))
def test_samples_of_any_size_stand_within_their_ranges(n: int, d: int, seed: int) -> None:
    design = sd.sample({f"x{i}": (float(i), i + 1.0) for i in range(d)}, n, seed=seed)
    values = design.frame.to_numpy()
    assert values.shape == (n, d)
    assert ((values >= np.arange(d)) & (values <= np.arange(d) + 1)).all()
