"""Statistics of fit against what they are defined as, and against the prototype of the study."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sembada.errors import DataError
from sembada.sd.validation import fit_statistics, history_frame, positions

series = arrays(np.float64, st.integers(3, 20), elements=st.floats(0.5, 100.0, width=32))


@given(series, st.integers(0, 2**32 - 1))
def test_shares_of_the_error_add_up_to_one(actual: np.ndarray, seed: int) -> None:
    simulated = actual + np.random.default_rng(seed).normal(size=len(actual))
    facts = fit_statistics(simulated, actual)
    # differences of squares lose about the ratio of level to error: 1e-16 · (100 / 0.1)²
    assert facts["um"] + facts["us"] + facts["uc"] == pytest.approx(1.0, abs=1e-8)
    assert 0 <= facts["theil_u"] <= 1


def test_a_shift_is_bias_only() -> None:
    actual = np.array([1.0, 2.0, 4.0])
    facts = fit_statistics(actual + 0.5, actual)
    assert facts["um"] == pytest.approx(1.0)
    assert facts["us"] == pytest.approx(0.0, abs=1e-15)
    assert facts["e1"] == pytest.approx(0.5 / (7 / 3))
    assert facts["e2"] == pytest.approx(0.0, abs=1e-15)
    assert facts["r2"] == pytest.approx(1.0)
    assert facts["mape"] == pytest.approx(np.mean([0.5, 0.25, 0.125]))
    assert facts["rmspe"] == pytest.approx(np.sqrt(np.mean([0.25, 0.0625, 0.015625])))


def test_a_doubled_amplitude_is_unequal_variation() -> None:
    actual = np.array([-1.0, 0.0, 1.0]) + 10
    simulated = 2 * (actual - 10) + 10
    facts = fit_statistics(simulated, actual)
    assert (facts["um"], facts["us"], facts["uc"]) == pytest.approx((0.0, 1.0, 0.0), abs=1e-12)
    assert facts["e2"] == pytest.approx(1.0)


def test_edges_are_told_apart() -> None:
    constant = np.ones(4)
    exact = fit_statistics(constant, constant)
    assert np.isnan(exact["um"])
    assert np.isnan(exact["e2"])
    assert exact["e1"] == 0
    assert np.isnan(fit_statistics(constant, np.array([0.0, 1.0, 2.0, 3.0]))["mape"])
    flat = fit_statistics(constant, np.array([0.5, 1.5, 0.5, 1.5]))
    assert flat["us"] == pytest.approx(1.0)
    assert flat["uc"] == pytest.approx(0.0)


def test_history_is_taken_from_many_tables() -> None:
    import polars as pl

    wanted = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index([0.0, 1.0], name="time"))
    for given_ in (
        wanted,
        wanted.reset_index(),
        pl.DataFrame({"Time": [0.0, 1.0], "x": [1.0, 2.0]}),
        {"x": {0.0: 1.0, 1.0: 2.0}},
        wanted["x"],
    ):
        pd.testing.assert_frame_equal(history_frame(given_), wanted)
    for wrong in (3, pd.DataFrame({"x": ["a"]}, index=[0.0]), pd.DataFrame({"x": []})):
        with pytest.raises(DataError):
            history_frame(wrong)


def test_a_time_that_is_not_saved_is_named() -> None:
    times = np.array([0.0, 1.0, 2.0])
    assert positions(times, np.array([1.0 + 1e-9, 2.0])).tolist() == [1, 2]
    with pytest.raises(DataError, match=r"1\.5"):
        positions(times, np.array([1.0, 1.5]))
