"""Gaussian copula terms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sembada import errors, pls
from sembada.pls.endogeneity import copula_term

MODEL = pls.Model("X =~ x\nZ =~ z\nY =~ y\nY ~ X + Z")


def market(n, seed=4):
    """Y = 0.5 X + 0.3 Z + e, with a skewed X that shares a Gaussian copula with e and with Z."""
    cov = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]
    normal = np.random.default_rng(seed).multivariate_normal(np.zeros(3), cov, size=n)
    x, z = (stats.gamma(1.0).ppf(stats.norm.cdf(normal[:, k])) for k in (0, 1))
    return pd.DataFrame({"x": x, "z": z, "y": 0.5 * x + 0.3 * z + normal[:, 2]})


def test_the_term_is_the_normal_score_of_the_distribution_function():
    x = np.array([3.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(copula_term(x[:, None])[:, 0], stats.norm.ppf([4 / 5, 1 / 4, 3 / 4, 3 / 4]))
    np.testing.assert_allclose(
        copula_term(x[:, None], np.array([1.0, 2.0, 1.0, 0.0]))[:3, 0],
        copula_term(np.array([[3.0], [1.0], [1.0], [2.0]]))[[0, 1, 3], 0],
    )


def test_it_is_least_squares_with_the_terms_added():
    frame = market(300)
    table = MODEL.fit(frame).copula("Y", ["X"], n=2, seed=1)
    data = (frame - frame.mean()) / frame.std()
    design = np.column_stack([data["x"], data["z"], copula_term(data[["x"]].to_numpy())])
    design = np.column_stack([np.ones(300), design])
    np.testing.assert_allclose(table["estimate"], np.linalg.lstsq(design, data["y"], rcond=None)[0][1:], rtol=1e-8)
    assert list(table.index) == ["X", "Z", "copula(X)"]


def test_2scope_repairs_a_predictor_that_correlates_with_another():
    frame = market(20_000)
    fit = MODEL.fit(frame)
    scale = frame["y"].std() / frame["x"].std()
    biased = fit.paths["estimate"]["X", "Y"] * scale
    repaired = fit.copula("Y", ["X"], method="2scope", n=30, seed=1)
    assert biased > 0.8
    # The standard error at n = 20,000 is about 0.02.
    assert repaired.loc["X", "estimate"] * scale == pytest.approx(0.5, abs=0.08)
    assert repaired.loc["copula(X)", "p"] < 0.001


def test_without_endogeneity_the_term_is_nothing():
    rng = np.random.default_rng(5)
    x = rng.exponential(size=2000)
    z = rng.normal(size=2000)
    frame = pd.DataFrame({"x": x, "z": z, "y": 0.5 * x + 0.3 * z + rng.normal(size=2000)})
    table = MODEL.fit(frame).copula("Y", ["X"], n=60, seed=2)
    assert table.loc["copula(X)", "p"] > 0.01
    again = MODEL.fit(frame).copula("Y", ["X"], n=60, seed=2)
    pd.testing.assert_frame_equal(table, again)
    shape = MODEL.fit(frame).normality()
    assert shape.loc["X", "p"] < 1e-6
    assert shape.loc["Z", "p"] > 0.001


@pytest.mark.parametrize(
    ("call", "error", "word"),
    [
        (lambda fit: fit.copula("X"), errors.UnknownNameError, "Y"),
        (lambda fit: fit.copula("Y", ["Q"]), errors.UnknownNameError, "Q"),
        (lambda fit: fit.copula("Y", []), errors.SpecificationError, "endogenous"),
        (lambda fit: fit.copula("Y", method="3sls"), errors.SpecificationError, "2scope"),
    ],
)
def test_faulty_calls_are_refused(call, error, word):
    with pytest.raises(error, match=word):
        call(MODEL.fit(market(100)))
