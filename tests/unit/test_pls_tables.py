"""Every table of a fit has a bootstrap, and what the bootstrap draws is what the fit shows on those rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sembada import errors, pls
from sembada.pls.statistics import known_names

TEXT = "X =~ x1 + x2 + x3\nM <~ m1 + m2\nY =~ y1 + y2\nM ~ a*X\nY ~ b*M + X\nind := a*b"


def survey(n=150, seed=8):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.4 * m + 0.4 * x + 0.7 * rng.normal(size=n)
    names = {"x1": x, "x2": x, "x3": x, "m1": m, "m2": m, "y1": y, "y2": y}
    return pd.DataFrame({name: 3 + factor + 0.7 * rng.normal(size=n) for name, factor in names.items()})


@pytest.fixture(scope="module")
def fit():
    return pls.Model(TEXT).fit(survey(), tol=1e-12, max_iter=2000)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(1).integers(0, 150, (6, 150))


def pairs(table):
    """A square table as a series by pairs, the lower name second."""
    return {(a, b): table.loc[a, b] for i, a in enumerate(table.index) for b in table.columns[i + 1 :]}


def table_of(fit, name):
    """What a fit shows under the name of a statistic, by label."""
    flat = {
        "paths": lambda: fit.paths["estimate"],
        "f2": lambda: fit.paths["f2"],
        "vif": lambda: fit.paths["vif"],
        "outer_weights": lambda: fit.outer["weight"],
        "loadings": lambda: fit.outer["loading"],
        "item_vif": lambda: fit.outer["vif"],
        "r2": lambda: fit.constructs["r2"].dropna(),
        "r2_adjusted": lambda: fit.constructs["r2_adjusted"].dropna(),
        "total_effects": lambda: fit.effects["total"],
        "indirect_effects": lambda: fit.effects["indirect"],
        "specific_indirect": lambda: fit.specific_indirect()["estimate"],
        "reliability": lambda: fit.constructs[["alpha", "rho_a", "rho_c", "ave"]].stack(),
        "fit_measures": lambda: fit.fit_measures().stack(),
        "criteria": lambda: fit.criteria().stack(),
        "cross_loadings": lambda: fit.cross_loadings().stack(),
        "unstandardised": lambda: fit.unstandardised()["estimate"],
    }
    if name in flat:
        return flat[name]().to_dict()
    square = {
        "htmt": fit.htmt, "htmt2": fit.htmt2, "construct_correlations": fit.construct_correlations,
        "fornell_larcker": fit.fornell_larcker,
    }  # fmt: skip
    if name in square:
        table = square[name]()
        own = {(a, a): table.loc[a, a] for a in table.index} if name == "fornell_larcker" else {}
        return pairs(table) | own
    assert name == "moments"
    items = fit.model.columns
    frame = pd.DataFrame(fit._table.matrix, columns=list(items))
    return {(item, "means"): frame[item].mean() for item in items} | {
        (item, "sds"): frame[item].std() for item in items
    }


@pytest.mark.parametrize("name", known_names())
def test_estimates_and_draws_are_those_of_fits(fit, rows, name):
    boot = fit.bootstrap(indices=rows)
    table, draws = boot.table(name), boot.draws(name)
    expected = table_of(fit, name)
    assert len(table) > 0
    assert set(draws.columns) == set(table.index)
    for label, value in table["estimate"].items():
        assert value == pytest.approx(expected[label], rel=1e-9, abs=1e-9), label
    alone = pls.Model(TEXT).fit(survey().iloc[rows[4]], tol=1e-12, max_iter=2000)
    again = table_of(alone, name)
    for label, value in draws.iloc[4].items():
        assert value == pytest.approx(again[label], rel=1e-8, abs=1e-8), label


def test_what_is_drawn_later_is_what_would_have_been_drawn_at_once(fit):
    later = fit.bootstrap(40, seed=3)
    assert not later.has("cross_loadings")
    once = fit.bootstrap(40, seed=3, statistics=["cross_loadings", "fit_measures", "paths"])
    assert once.has("cross_loadings")
    pd.testing.assert_frame_equal(later.draws("cross_loadings"), once.draws("cross_loadings"))
    pd.testing.assert_frame_equal(later.fit_measures(), once.fit_measures())


@pytest.mark.parametrize(
    "call",
    ["r2_adjusted", "vif", "item_vif", "htmt2", "construct_correlations", "cross_loadings", "fornell_larcker",
     "criteria", "fit_measures", "unstandardised", "defined"],
)  # fmt: skip
def test_every_call_gives_intervals_that_hold_the_estimate(fit, call):
    boot = fit.bootstrap(200, seed=5)
    for interval in ("percentile", "bca"):
        table = getattr(boot, call)(interval=interval)
        known = table["std_error"] > 1e-12
        assert known.any()
        assert (table["lower"] <= table["upper"]).all()
    normal = getattr(boot, call)(interval="normal")
    assert ((normal["lower"] <= normal["estimate"]) & (normal["estimate"] <= normal["upper"])).all()


def test_bca_of_derived_numbers_is_that_of_the_paths(fit):
    """`ind := a` is the path itself, so its BCa interval is the path's."""
    model = pls.Model(TEXT.replace("ind := a*b", "ind := a"))
    boot = model.fit(survey()).bootstrap(200, seed=2)
    own = boot.paths(interval="bca").loc[("X", "M"), ["lower", "upper"]].to_numpy(float)
    np.testing.assert_allclose(boot.defined(interval="bca").loc["ind", ["lower", "upper"]].to_numpy(float), own)
    with pytest.raises(errors.SpecificationError, match="studentized"):
        boot.defined(interval="studentized")


def test_the_natural_logarithm_is_a_factor(fit):
    decadic, natural = fit.fit_measures(), fit.fit_measures(logarithm="natural")
    np.testing.assert_allclose(natural["d_g"], decadic["d_g"] * np.log(10) ** 2, rtol=1e-14)
    pd.testing.assert_frame_equal(natural.drop(columns="d_g"), decadic.drop(columns="d_g"))
    boot = fit.bootstrap(20, seed=1)
    assert boot.fit_measures(logarithm="natural").loc[("estimated", "d_g"), "estimate"] == pytest.approx(
        natural.loc["estimated", "d_g"]
    )
    with pytest.raises(errors.SpecificationError, match="natural"):
        fit.fit_measures(logarithm="binary")


def test_fit_measures_are_their_definitions(fit):
    """Σ written out: λ r λ' between blocks, each composite's own block, the paths' correlations when estimated."""
    spec = fit.model.specification
    outer = fit.outer["loading"]
    items = [item for _, item in outer.index]
    s = survey()[items].corr().to_numpy()
    owner = [construct for construct, _ in outer.index]
    names = list(spec.measured)
    r = fit.construct_correlations().loc[names, names].to_numpy()
    b = np.zeros((3, 3))
    for (source, target), value in fit.paths["estimate"].items():
        b[names.index(target), names.index(source)] = value
    psi = np.diag([1 - fit.constructs.loc[name, "r2"] if name in spec.outcomes else 1.0 for name in names])
    inverse = np.linalg.inv(np.eye(3) - b)
    implied = inverse @ psi @ inverse.T
    np.fill_diagonal(implied, 1)
    for row, between in (("saturated", r), ("estimated", implied)):
        place = [names.index(name) for name in owner]
        sigma = np.outer(outer, outer) * between[np.ix_(place, place)]
        same = np.equal.outer(place, place)
        sigma[same] = s[same]
        low = np.tril_indices(len(s))
        found = fit.fit_measures().loc[row]
        gap = s - sigma
        assert found["srmr"] == pytest.approx(np.sqrt((gap[low] ** 2).mean()), abs=1e-12)
        assert found["d_uls"] == pytest.approx((gap**2).sum() / 2, abs=1e-12)
        ratio = np.linalg.eigvals(np.linalg.solve(s, sigma)).real
        assert found["d_g"] == pytest.approx((np.log10(ratio) ** 2).sum() / 2, abs=1e-12)
        f = np.linalg.slogdet(sigma)[1] - np.linalg.slogdet(s)[1] + np.trace(np.linalg.solve(sigma, s)) - len(s)
        assert found["nfi"] == pytest.approx(1 - f / -np.linalg.slogdet(s)[1], abs=1e-12)


def test_models_without_a_meaning_for_fit_say_nan():
    frame = survey()
    moderated = pls.Model("X =~ x1+x2\nM =~ m1+m2\nY =~ y1+y2\nY ~ M + X + X:M").fit(frame)
    assert moderated.fit_measures().isna().all(axis=None)
    assert moderated.criteria()[["GM", "Cp"]].isna().all(axis=None)
    assert moderated.criteria()["AIC"].notna().all()


def test_two_stage_least_squares_says_what_it_does_not_define():
    model = pls.Model(TEXT.replace("ind := a*b", ""), equations="2sls", instruments={"Y": ["X", "M"]})
    fit = model.fit(survey())
    boot = fit.bootstrap(20, seed=1)
    for call in ("paths", "r2", "total_effects", "criteria", "unstandardised", "loadings", "construct_correlations"):
        assert getattr(boot, call)()["estimate"].notna().any()
    for call in ("vif", "f2", "fit_measures"):
        with pytest.raises(errors.SpecificationError, match="two-stage least squares"):
            getattr(boot, call)()


def test_levels_have_their_unstandardised_draws():
    text = "X =~ x1 + x2 + x3\nM =~ m1 + m2\nH =~ X + M\nY =~ y1 + y2\nY ~ H"
    for approach in ("two-stage", "repeated"):
        fit = pls.Model(text).fit(survey(), higher_order=approach)
        table = fit.bootstrap(20, seed=1).unstandardised()
        np.testing.assert_allclose(table["estimate"], fit.unstandardised()["estimate"], rtol=1e-10)
