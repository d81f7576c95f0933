"""`~~` between constructs: neighbours in the inner scheme, residuals that may correlate, no coefficient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sembada import pls

BLOCKS = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nD =~ d1 + d2\n"
TIGHT = {"tol": 1e-12, "max_iter": 5000}


def survey(n=250, seed=6):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 0.5 * a + rng.normal(size=n)
    shared = rng.normal(size=n)
    c = 0.5 * a + 0.3 * b + 0.6 * shared + 0.6 * rng.normal(size=n)
    d = 0.4 * b + 0.6 * shared + 0.6 * rng.normal(size=n)
    factors = {"a": a, "b": b, "c": c, "d": d}
    return pd.DataFrame({f"{k}{i}": f + 0.7 * rng.normal(size=n) for k, f in factors.items() for i in (1, 2)})


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
def test_a_link_counts_as_a_neighbour_and_gives_no_coefficient(scheme):
    frame = survey()
    text = BLOCKS + "C ~ A + B\nD ~ B\nC ~~ D\nA ~~ B"
    fit = pls.Model(text).fit(frame, scheme=scheme, **TIGHT)
    assert list(fit.paths.index) == [("A", "C"), ("B", "C"), ("B", "D")]
    scores = fit.scores()
    r = scores.corr()
    before = {"A": [], "B": [], "C": ["A", "B"], "D": ["B"]}
    near = {"A": ["C", "B"], "B": ["C", "D", "A"], "C": ["A", "B", "D"], "D": ["B", "C"]}
    for name in "ABCD":
        inner = r.loc[near[name], name]
        if scheme == "centroid":
            inner = np.sign(inner)
        if scheme == "path" and before[name]:
            x = scores[before[name]]
            inner[before[name]] = np.linalg.lstsq(x, scores[name], rcond=None)[0]
        proxy = scores[near[name]] @ inner
        items = frame[[f"{name.lower()}1", f"{name.lower()}2"]]
        z = (items - items.mean()) / items.std()
        w = z.T @ proxy
        w = w / (z @ w).std()
        np.testing.assert_allclose(fit.outer.xs(name, level="construct")["weight"], w, atol=1e-10)
    slope = np.linalg.lstsq(scores[["A", "B"]], scores["C"], rcond=None)[0]
    np.testing.assert_allclose(fit.paths.xs("C", level="outcome")["estimate"], slope, atol=1e-10)


def test_linked_residuals_make_the_implied_correlation_the_observed_one():
    frame = survey()
    free = pls.Model(BLOCKS + "C ~ A + B\nD ~ A + B\nC ~~ D").fit(frame, **TIGHT)
    bound = pls.Model(BLOCKS + "C ~ A + B\nD ~ A + B").fit(frame, **TIGHT)
    # Nothing is left to misfit between the constructs: every pair has a path, a link, or is exogenous.
    measures = free.fit_measures()
    np.testing.assert_allclose(measures.loc["estimated"], measures.loc["saturated"], rtol=1e-9)
    assert bound.fit_measures().loc["estimated", "srmr"] > bound.fit_measures().loc["saturated", "srmr"] + 1e-3


def test_only_correlations_are_a_measurement_model():
    frame = survey()
    text = BLOCKS + "A ~~ B + C + D\nB ~~ C + D\nC ~~ D"
    fit = pls.Model(text).fit(frame, **TIGHT)
    assert fit.paths.empty
    assert fit.effects.empty
    assert fit.constructs["r2"].isna().all()
    # With every construct a neighbour of every other, the path scheme has correlations only: it is the factorial one.
    factorial = pls.Model(text).fit(frame, scheme="factorial", **TIGHT)
    np.testing.assert_allclose(fit.outer["weight"], factorial.outer["weight"], atol=1e-10)
    measures = fit.fit_measures()
    np.testing.assert_allclose(measures.loc["estimated"], measures.loc["saturated"], rtol=1e-12)
    boot = fit.bootstrap(50, seed=1)
    assert boot.table("loadings")["std_error"].gt(0).all()
    assert boot.construct_correlations().loc[("A", "B"), "lower"] > 0
    for call in ("paths", "r2", "total_effects", "criteria", "unstandardised", "vif"):
        assert getattr(boot, call)().empty
    assert fit.criteria().empty
    assert "Loadings" in str(boot.summary())


@pytest.mark.parametrize("text", [BLOCKS + "C ~ A + B\nD ~ B\nC ~~ D", BLOCKS + "A ~~ B + C + D"])
def test_links_round_trip(text):
    model = pls.Model(text)
    assert pls.Model(str(model)) == model
    assert pls.Model.from_json(model.to_json()) == model
    assert pls.Model.from_toml(model.to_toml()) == model
    assert pls.Model.from_dict(model.to_dict()) == model
