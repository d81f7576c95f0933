"""Missing answers: EM, regression, multiple imputation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sembada import errors, pls
from sembada.pls.missing import check_complete, expectation_maximisation, impute

COLUMNS = ["a", "b", "c", "d"]
MODEL = pls.Model("X =~ a + b ; Y =~ c + d ; Y ~ X")

pytestmark = pytest.mark.filterwarnings("ignore:more than")


def survey(n=300, share=0.15, seed=5):
    """A survey whose answers are missing at random: more often where the first one is high."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=n)
    x = factor[:, None] * [1.0, 0.9, 0.8, 0.7] + rng.normal(size=(n, 4)) * 0.6 + [3.0, 2.0, 4.0, 5.0]
    holes = rng.random((n, 4)) < np.clip(share * (1 + (x[:, [0]] - 3.0)), 0, 0.9)
    holes[:, 0] = False
    return x, np.where(holes, np.nan, x)


def log_likelihood(values, mean, cov):
    total = 0.0
    for row in values:
        have = ~np.isnan(row)
        total += stats.multivariate_normal.logpdf(row[have], mean[have], cov[np.ix_(have, have)])
    return total


def test_em_finds_the_maximum_of_the_observed_likelihood():
    _, values = survey()
    mean, cov, completed = expectation_maximisation(values)
    best = log_likelihood(values, mean, cov)
    rng = np.random.default_rng(1)
    for _ in range(20):
        step = rng.normal(size=(4, 4)) * 0.01
        assert log_likelihood(values, mean + rng.normal(size=4) * 0.01, cov) < best
        assert log_likelihood(values, mean, cov + step + step.T) < best
    known = ~np.isnan(values)
    np.testing.assert_array_equal(completed[known], values[known])


def test_em_of_complete_data_is_the_sample():
    x, _ = survey()
    mean, cov, completed = expectation_maximisation(x)
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(cov, np.cov(x.T, ddof=0), rtol=1e-12)
    np.testing.assert_array_equal(completed, x)


def test_em_undoes_the_bias_that_the_mean_leaves():
    x, values = survey(n=4000)
    truth = x.mean(axis=0)
    em = expectation_maximisation(values)[0]
    assert np.abs(em - truth).max() < 0.3 * np.abs(np.nanmean(values, axis=0) - truth).max()


def test_weights_count_as_repeated_rows():
    _, values = survey(n=60)
    counts = np.arange(60) % 3
    np.testing.assert_allclose(
        expectation_maximisation(values, counts.astype(float))[1],
        expectation_maximisation(np.repeat(values, counts, axis=0))[1],
        # Both stop when no number moves by 1e-9.
        atol=1e-6,
    )


def test_completed_data_carry_ems_moments():
    _, values = survey()
    mean, cov, _ = expectation_maximisation(values)
    done = MODEL.fit(pd.DataFrame(values, columns=COLUMNS), missing="em")._rows("prepared")
    np.testing.assert_allclose(done.mean(axis=0), mean, atol=1e-12)
    np.testing.assert_allclose(np.cov(done.T, ddof=0), cov, atol=1e-10)


def test_regression_predicts_from_the_complete_rows():
    _, values = survey()
    done = MODEL.fit(pd.DataFrame(values, columns=COLUMNS), missing="regression")._rows("prepared")
    rows = values[~np.isnan(values).any(axis=1)]
    target = np.flatnonzero(np.isnan(values[:, 3]) & ~np.isnan(values[:, :3]).any(axis=1))[0]
    x = np.column_stack([np.ones(len(rows)), rows[:, :3]])
    slope = np.linalg.lstsq(x, rows[:, 3], rcond=None)[0]
    assert done[target, 3] == pytest.approx(slope @ [1.0, *values[target, :3]], rel=1e-10)


@pytest.mark.parametrize(
    ("values", "method", "words"),
    [
        (np.column_stack([np.arange(5.0), np.full(5, np.nan)]), "em", ["'b'", "no value"]),
        (np.array([[1.0, np.nan], [np.nan, 2.0], [1.0, 3.0]]), "regression", ["complete rows", "'em'"]),
    ],
)
def test_data_that_cannot_be_completed_are_refused(values, method, words):
    with pytest.raises(errors.DataError) as caught:
        check_complete(values, ["a", "b"], method, None)
    for word in words:
        assert word in str(caught.value)


def test_imputations_are_repeatable_and_vary():
    _, values = survey(n=100)
    first, seed = impute(values, COLUMNS, 3, 9)
    again, _ = impute(values, COLUMNS, 3, 9)
    assert seed == 9
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(first[0], first[1])
    known = ~np.isnan(values)
    np.testing.assert_array_equal(first[0][known], values[known])


def test_em_and_imputation_recover_the_path():
    x, values = survey(n=600)
    model = pls.Model("X =~ a + b ; Y =~ c + d ; Y ~ X")
    full = model.fit(pd.DataFrame(x, columns=COLUMNS)).paths["estimate"].iloc[0]
    frame = pd.DataFrame(values, columns=COLUMNS)
    em = model.fit(frame, missing="em")
    pooled = pls.pool(model, frame, imputations=5, n=100, seed=1)
    row = pooled.paths().iloc[0]
    # The estimate differs from the full-data one by what the missing part of the answers hides: a fraction of a
    # standard error.
    assert abs(em.paths["estimate"].iloc[0] - full) < row["std_error"]
    assert abs(row["estimate"] - full) < row["std_error"]
    assert 0 < row["missing_information"] < 0.6
    boot = em.bootstrap(40, seed=2)
    assert boot.n_failed == 0
    assert boot.paths()["std_error"].iloc[0] == pytest.approx(row["std_error"], rel=0.6)
    assert pooled.paths().equals(pls.pool(model, frame, imputations=5, n=100, seed=1).paths())
