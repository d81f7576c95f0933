"""Known populations: choose the parameters, simulate, recover them.

Composites are exact in the population: PLS recovers the parameters of a composite model, consistent PLS those of a
factor model. Tolerances are about four standard errors at the sample sizes used.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sembada import pls

LOADINGS = (0.85, 0.8, 0.7)


def factors(columns, rng, loadings=LOADINGS):
    """Indicators of common factors."""
    frame = {}
    for name, factor in columns.items():
        for k, loading in enumerate(loadings):
            frame[f"{name}{k}"] = loading * factor + np.sqrt(1 - loading**2) * rng.normal(size=len(factor))
    return pd.DataFrame(frame)


def blocks(names, operator="=~", count=3):
    return "\n".join(f"{name.upper()} {operator} " + " + ".join(f"{name}{k}" for k in range(count)) for name in names)


def composites(rng, n):
    """Two composites with weights w and a regression of the second on the first: β = 0.6."""
    s = np.array([[1, 0.4, 0.2], [0.4, 1, 0.3], [0.2, 0.3, 1]])
    w = np.array([0.6, 0.4, 0.3])
    w = w / np.sqrt(w @ s @ w)
    load = s @ w
    cross = 0.6 * np.outer(load, load)
    sigma = np.block([[s, cross], [cross.T, s]])
    x = rng.multivariate_normal(np.zeros(6), sigma, size=n)
    return w, load, pd.DataFrame(x, columns=["x0", "x1", "x2", "y0", "y1", "y2"])


@pytest.mark.parametrize("mode", ["B", "B-nonnegative"])
def test_regression_weights_recover_a_composite_population(mode):
    w, load, frame = composites(np.random.default_rng(1), 40_000)
    fit = pls.Model(blocks("xy", "<~") + "\nY ~ X", modes={"X": mode, "Y": mode}).fit(frame)
    np.testing.assert_allclose(fit.outer["weight"], np.tile(w, 2), atol=0.03)
    np.testing.assert_allclose(fit.outer["loading"], np.tile(load, 2), atol=0.02)
    assert fit.paths["estimate"]["X", "Y"] == pytest.approx(0.6, abs=0.02)
    np.testing.assert_allclose(fit.fit_measures()["srmr"], 0, atol=0.01)


@pytest.mark.parametrize("mode", ["unit", "pca", "A"])
def test_equal_items_make_all_modes_the_same_composite(mode):
    rng = np.random.default_rng(2)
    n = 40_000
    x = rng.normal(size=n)
    y = 0.6 * x + 0.8 * rng.normal(size=n)
    frame = factors({"x": x, "y": y}, rng, (0.8, 0.8, 0.8))
    fit = pls.Model(blocks("xy") + "\nY ~ X", modes={"X": mode, "Y": mode}).fit(frame)
    # Equal weights 1/√(3 + 6·0.64); the path is attenuated by the reliability of a sum of three items.
    np.testing.assert_allclose(fit.outer["weight"], 1 / np.sqrt(3 + 6 * 0.64), atol=0.015)
    reliability = 9 * 0.64 / (3 + 6 * 0.64)
    assert fit.paths["estimate"]["X", "Y"] == pytest.approx(0.6 * reliability, abs=0.02)


def test_consistent_pls_recovers_factors_and_a_known_reliability_a_single_item():
    rng = np.random.default_rng(3)
    n = 40_000
    x = rng.normal(size=n)
    m = 0.5 * x + np.sqrt(0.75) * rng.normal(size=n)
    y = 0.4 * m + 0.3 * x + np.sqrt(1 - 0.16 - 0.09 - 0.12) * rng.normal(size=n)
    frame = factors({"x": x, "m": m, "y": y}, rng)
    frame["x"] = 0.8 * x + 0.6 * rng.normal(size=n)
    text = blocks("xmy") + "\nM ~ X\nY ~ M + X"
    fit = pls.Model(text).fit(frame, consistent=True)
    np.testing.assert_allclose(fit.paths["estimate"], [0.5, 0.4, 0.3], atol=0.03)
    np.testing.assert_allclose(fit.outer["loading"], np.tile(LOADINGS, 3), atol=0.02)
    np.testing.assert_allclose(fit.construct_correlations().loc["X", "Y"], 0.3 + 0.4 * 0.5, atol=0.03)
    single = pls.Model(blocks("my") + "\nX =~ x\nM ~ X\nY ~ M + X\n#! reliability X = 0.64").fit(frame, consistent=True)
    np.testing.assert_allclose(single.paths["estimate"], [0.5, 0.4, 0.3], atol=0.03)
    assert single.outer.loc[("X", "x"), "loading"] == pytest.approx(0.8)
    assert single.constructs.loc["X", "rho_a"] == 0.64
    # Without the correction the same item attenuates by its reliability's root.
    plain = pls.Model(blocks("my") + "\nX =~ x\nM ~ X\nY ~ M + X").fit(frame, consistent=True)
    assert plain.paths["estimate"]["X", "M"] == pytest.approx(0.4, abs=0.03)


def test_given_rho_a_as_known_reliability_changes_nothing():
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    frame = factors({"x": x, "y": 0.5 * x + rng.normal(size=300)}, rng)
    text = blocks("xy") + "\nY ~ X"
    fit = pls.Model(text).fit(frame, consistent=True)
    rho = fit.constructs["rho_a"]
    given = pls.Model(f"{text}\n#! reliability X = {rho['X']!r}".replace("np.float64(", "").replace(")", ""))
    again = given.fit(frame, consistent=True)
    np.testing.assert_allclose(again.paths["estimate"], fit.paths["estimate"], rtol=1e-12)
    np.testing.assert_allclose(again.outer["loading"], fit.outer["loading"], rtol=1e-12)


@pytest.mark.parametrize("method", ["two-stage", "product", "orthogonal"])
def test_an_interaction_is_recovered_by_all_approaches(method):
    rng = np.random.default_rng(4)
    n = 60_000
    x, z = rng.normal(size=(2, n))
    y = 0.4 * x + 0.3 * z + 0.25 * x * z + 0.6 * rng.normal(size=n)
    spread = y.std()
    items = (0.98, 0.98, 0.98)  # Nearly exact measurement: products of scores are attenuated twice.
    frame = factors({"x": x, "z": z, "y": y / spread}, rng, items)
    model = pls.Model(blocks("xzy") + "\nY ~ X + Z + X:Z", interactions=method)
    paths = model.fit(frame).paths["estimate"]
    assert paths["X", "Y"] == pytest.approx(0.4 / spread, abs=0.02)
    assert paths["Z", "Y"] == pytest.approx(0.3 / spread, abs=0.02)
    assert paths["X:Z", "Y"] == pytest.approx(0.25 / spread, abs=0.02)


def test_quadratic_and_three_way_terms_are_recovered():
    rng = np.random.default_rng(5)
    n = 60_000
    x, z, v = rng.normal(size=(3, n))
    y = 0.4 * x + 0.2 * z + 0.2 * v + 0.2 * x**2 + 0.15 * x * z * v + 0.6 * rng.normal(size=n)
    spread = y.std()
    frame = pd.DataFrame({"x": x, "z": z, "v": v, "y": y})
    text = "X =~ x\nZ =~ z\nV =~ v\nY =~ y\nY ~ X + Z + V + X:X + X:Z:V"
    paths = pls.Model(text).fit(frame).paths["estimate"]
    # On single items the terms are products of standardised columns: least squares on the population's equation.
    for term, value in {"X": 0.4, "Z": 0.2, "V": 0.2, "X:X": 0.2, "X:Z:V": 0.15}.items():
        assert paths[term, "Y"] == pytest.approx(value / spread, abs=0.02), term


@pytest.mark.parametrize(
    ("operator", "approach"), [("=~", "two-stage"), ("=~", "embedded"), ("<~", "two-stage"), ("=~", "repeated")]
)
def test_higher_order_constructs_are_recovered(operator, approach):
    rng = np.random.default_rng(6)
    n = 40_000
    g = rng.normal(size=n)
    lower = {name: 0.8 * g + 0.6 * rng.normal(size=n) for name in "abc"}
    y = 0.6 * g + 0.8 * rng.normal(size=n)
    frame = factors({**lower, "y": y}, rng, (0.98, 0.98, 0.98))
    model = pls.Model(blocks("abcy") + f"\nG {operator} A + B + C\nY ~ G")
    fit = model.fit(frame, higher_order=approach)
    # G's score is the mean of three dimensions with loading 0.8: its reliability attenuates the path.
    reliability = 9 * 0.64 / (3 + 6 * 0.64)
    assert fit.paths["estimate"]["G", "Y"] == pytest.approx(0.6 * np.sqrt(reliability), abs=0.025)
    if approach != "repeated":
        np.testing.assert_allclose(fit.outer.xs("G", level="construct")["weight"], 1 / np.sqrt(3 + 6 * 0.64), atol=0.04)


def test_consistent_estimation_corrects_both_levels_of_a_composite_of_factors():
    """van Riel, Henseler, Kemény & Sasovova (2017): a composite of factors, its dimensions measured with error."""
    rng = np.random.default_rng(7)
    n = 60_000
    cov = np.full((3, 3), 0.4) + 0.6 * np.eye(3)
    lower = rng.multivariate_normal(np.zeros(3), cov, size=n)
    g = lower.sum(axis=1) / np.sqrt(cov.sum())
    y = 0.6 * g + 0.8 * rng.normal(size=n)
    frame = factors(dict(zip("abcy", [*lower.T, y], strict=True)), rng)
    model = pls.Model(blocks("abcy") + "\nG <~ A + B + C\nY ~ G")
    plain, consistent = model.fit(frame), model.fit(frame, consistent=True)
    assert plain.paths["estimate"]["G", "Y"] < 0.54
    assert consistent.paths["estimate"]["G", "Y"] == pytest.approx(0.6, abs=0.025)
    rho = consistent.constructs["rho_a"]
    w = consistent.outer.xs("G", level="construct")["weight"]
    assert rho["G"] == pytest.approx(1 - (w**2 * (1 - rho[["A", "B", "C"]].to_numpy())).sum(), abs=1e-12)
    reflective = pls.Model(blocks("abcy") + "\nG =~ A + B + C\nY ~ G").fit(frame, consistent=True)
    # As a factor G explains the dimensions' correlation 0.4, so its loadings on them are √0.4.
    np.testing.assert_allclose(
        reflective.outer.xs("G", level="construct")["loading"] / np.sqrt(rho[["A", "B", "C"]]), np.sqrt(0.4), atol=0.03
    )


def test_feedback_is_recovered_with_instruments():
    rng = np.random.default_rng(8)
    n = 60_000
    z1, z2 = rng.normal(size=(2, n))
    e1, e2 = rng.multivariate_normal([0, 0], [[0.5, 0.2], [0.2, 0.5]], size=n).T
    a = (0.5 * z1 + 0.3 * (0.5 * z2 + e2) + e1) / (1 - 0.3 * 0.4)
    b = 0.4 * a + 0.5 * z2 + e2
    frame = factors({"p": z1, "q": z2, "a": a / a.std(), "b": b / b.std()}, rng)
    text = blocks("pqab") + "\nA ~ P + B\nB ~ Q + A"
    fit = pls.Model(text, equations="2sls").fit(frame, consistent=True)
    ratio = a.std() / b.std()
    paths = fit.paths["estimate"]
    assert paths["B", "A"] == pytest.approx(0.3 / ratio, abs=0.05)
    assert paths["A", "B"] == pytest.approx(0.4 * ratio, abs=0.05)
    assert paths["P", "A"] == pytest.approx(0.5 / a.std(), abs=0.04)


def test_row_weights_recover_the_population_that_a_sample_distorts():
    rng = np.random.default_rng(9)
    n = 60_000
    group = rng.random(n) < 0.5
    x = rng.normal(size=n)
    y = np.where(group, 0.8, 0.2) * x + np.where(group, 0.6, np.sqrt(0.96)) * rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "y": y})
    # One group was asked four times as often as the other; weights undo it.
    asked = rng.random(n) < np.where(group, 0.8, 0.2)
    sample = frame[asked].assign(w=np.where(group[asked], 1 / 0.8, 1 / 0.2))
    model = pls.Model("X =~ x\nY =~ y\nY ~ X")
    weighted = model.fit(sample, weights="w").paths["estimate"].iloc[0]
    assert weighted == pytest.approx(0.5, abs=0.03)
    assert model.fit(sample).paths["estimate"].iloc[0] > 0.6
