"""Intervals and p-values of the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sembada import errors
from sembada.pls.intervals import acceleration, check, limits, p_values, spread


@pytest.fixture(scope="module")
def skewed():
    """A sample mean of exponential data: estimate, draws and jackknife."""
    rng = np.random.default_rng(3)
    data = rng.exponential(size=40)
    draws = rng.choice(data, (4000, 40)).mean(axis=1)
    jackknife = (data.sum() - data) / 39
    return data, data.mean(), draws, jackknife


def one(draws, estimate, **options):
    lower, upper = limits(draws[:, None], np.array([estimate]), **options)
    return lower[0], upper[0]


def test_percentile_basic_and_normal_are_their_definitions(skewed):
    _, estimate, draws, _ = skewed
    low, high = np.quantile(draws, [0.025, 0.975])
    assert one(draws, estimate) == pytest.approx((low, high), abs=1e-15)
    assert one(draws, estimate, interval="basic") == pytest.approx((2 * estimate - high, 2 * estimate - low))
    half = stats.norm.ppf(0.975) * draws.std(ddof=1)
    assert one(draws, estimate, interval="normal") == pytest.approx((estimate - half, estimate + half))
    assert one(draws, estimate, tails=1) == pytest.approx(tuple(np.quantile(draws, [0.05, 0.95])), abs=1e-15)


def test_bca_agrees_with_scipy(skewed):
    data, estimate, draws, jackknife = skewed
    ours = one(draws, estimate, interval="bca", jackknife=jackknife[:, None])
    # scipy's BCa on the same distribution: its own draws, but its interval is a function of (draws, data) only.
    theirs = stats.bootstrap(
        (data,), np.mean, method="BCa", n_resamples=0, bootstrap_result=_Result(draws), confidence_level=0.95
    ).confidence_interval
    # scipy reads the quantile off the sorted draws with another rule than type 7: one draw apart.
    assert ours == pytest.approx((theirs.low, theirs.high), abs=3e-3)
    assert one(draws, estimate, interval="bc")[0] < ours[0]


class _Result:
    def __init__(self, draws):
        self.bootstrap_distribution = draws


def test_acceleration_of_a_mean_is_a_sixth_of_its_skewness_over_root_n(skewed):
    data, _, _, jackknife = skewed
    # Efron (1987): for a mean, a = skewness / (6 √n).
    assert acceleration(jackknife[:, None])[0] == pytest.approx(stats.skew(data) / (6 * np.sqrt(len(data))), rel=1e-10)


def test_studentized_of_known_errors(skewed):
    _, estimate, draws, _ = skewed
    error = draws.std(ddof=1)
    each = np.full((len(draws), 1), error)
    lower, upper = limits(
        draws[:, None], np.array([estimate]), interval="studentized", errors=(np.array([error]), each)
    )
    # With one error for all, studentized is the basic interval.
    assert (lower[0], upper[0]) == pytest.approx(one(draws, estimate, interval="basic"))


@pytest.mark.parametrize("interval", ["percentile", "basic", "bc", "bca", "normal"])
def test_a_number_that_never_varies_keeps_its_value(interval):
    draws = np.ones((50, 1)) + 1e-16 * np.arange(50)[:, None]
    lower, upper = limits(draws, np.ones(1), interval=interval, jackknife=np.ones((10, 1)))
    np.testing.assert_allclose([lower[0], upper[0]], 1.0, rtol=0, atol=1e-12)


def test_draws_on_one_side_give_the_outermost_draw():
    draws = np.linspace(1, 2, 100)[:, None]
    lower, upper = limits(draws, np.array([0.5]), interval="bc")
    assert (lower[0], upper[0]) == (1.0, 1.0)


def test_failed_replicates_are_left_out(skewed):
    _, estimate, draws, jackknife = skewed
    holes = np.insert(draws, [0, 10, 20], np.nan)
    for interval in ("percentile", "basic", "bc", "bca", "normal"):
        assert one(holes, estimate, interval=interval, jackknife=jackknife[:, None]) == pytest.approx(
            one(draws, estimate, interval=interval, jackknife=jackknife[:, None]), abs=1e-14
        )
    assert spread(holes[:, None])[0] == pytest.approx(draws.std(ddof=1))
    assert np.isnan(spread(np.full((5, 1), np.nan))[0])


def test_p_values_are_normal_tails():
    t = np.array([0.0, 1.959963984540054, -1.959963984540054])
    np.testing.assert_allclose(p_values(t), [1.0, 0.05, 0.05], rtol=1e-12)
    np.testing.assert_allclose(p_values(t, tails=1), [0.5, 0.025, 0.025], rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "word"),
    [((95, "percentile", 2), "95"), ((0.95, "bac", 2), "bca"), ((0.95, "bc", 3), "tails")],
)
def test_unknown_options_are_refused(options, word):
    with pytest.raises(errors.SpecificationError, match=word):
        check(*options)


def test_coverage_of_the_percentile_and_bca_intervals():
    rng = np.random.default_rng(11)
    hits = {"percentile": 0, "bca": 0}
    runs, n = 300, 40
    for _ in range(runs):
        data = rng.exponential(size=n)
        draws = rng.choice(data, (400, n)).mean(axis=1)
        jackknife = ((data.sum() - data) / (n - 1))[:, None]
        for interval in hits:
            low, high = one(draws, data.mean(), interval=interval, level=0.9, jackknife=jackknife)
            hits[interval] += low <= 1.0 <= high
    # Nominal 90 %; both fall short by a few points on skewed data at n = 40; binomial error is 1.7 points.
    for count in hits.values():
        assert 0.80 < count / runs < 0.95
