"""The random numbers of core are those of numpy.random.Philox."""

import numpy as np
import pytest
from scipy import stats

from sembada import _core

KEYS = [(0, 0), (1, 2), (2**64 - 1, 12345678901234567890)]
COUNTERS = [(0, 0, 0, 0), (0, 1, 2, 3), (2**64 - 1, 2**64 - 1, 5, 0), (2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1)]


def _philox(key: tuple[int, int], counter: tuple[int, ...]) -> np.random.Philox:
    return np.random.Philox(key=np.array(key, dtype=np.uint64), counter=np.array(counter, dtype=np.uint64))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("counter", COUNTERS)
def test_words_are_bit_identical(key: tuple[int, int], counter: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(_core.philox_raw(key, counter, 1001), _philox(key, counter).random_raw(1001))


@pytest.mark.parametrize("key", KEYS)
def test_uniform_draws_are_bit_identical(key: tuple[int, int]) -> None:
    expected = np.random.Generator(_philox(key, (0, 0, 7, 0))).random(1000)
    np.testing.assert_array_equal(_core.philox_uniform(key, (0, 0, 7, 0), 1000), expected)


def test_normal_draws_are_the_quantiles_of_the_same_words() -> None:
    words = _core.philox_raw((3, 4), (0, 0, 0, 0), 5000)
    expected = stats.norm.ppf(((words >> np.uint64(12)).astype(float) + 0.5) / 2**52)
    # Both quantile functions are accurate to a few units in the last place.
    np.testing.assert_allclose(_core.philox_normal((3, 4), (0, 0, 0, 0), 5000), expected, rtol=1e-14)


@pytest.mark.parametrize("bound", [1, 2, 7, 250, 2**33 + 1, 2**64 - 1])
def test_index_draws_stay_below_their_bound(bound: int) -> None:
    draws = _core.philox_index((5, 6), (0, 0, 0, 0), bound, 2000)
    assert int(draws.max()) < bound


def test_index_draws_are_uniform() -> None:
    draws = _core.philox_index((5, 6), (0, 0, 0, 0), 250, 250_000)
    # A fixed seed: the test is exact, the bound is the 0.1 % point of the chi-square law.
    statistic = stats.chisquare(np.bincount(draws.astype(np.int64), minlength=250)).statistic
    assert statistic < stats.chi2.ppf(0.999, 249)
