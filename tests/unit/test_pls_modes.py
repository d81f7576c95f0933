"""Outer modes, inner schemes, signs and levels: each is what its definition says, worked out another way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from oracle import pls as oracle
from sembada import errors, pls

BLOCKS = {"X": ["x1", "x2", "x3", "x4"], "M": ["m1", "m2", "m3"], "Y": ["y1", "y2"]}
PATHS = {"M": ["X"], "Y": ["X", "M"]}
TIGHT = {"tol": 1e-12, "max_iter": 5000}


def survey(n=200, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.3 * x + 0.5 * m + 0.7 * rng.normal(size=n)
    frame = {}
    for name, items in BLOCKS.items():
        factor = {"X": x, "M": m, "Y": y}[name]
        for k, item in enumerate(items):
            frame[item] = (k + 1.0) * (0.8 * factor + 0.6 * rng.normal(size=n)) + 10 * k
    frame["x4"] = 0.6 * rng.normal(size=n) - 0.5 * x  # Regression gives it a weight below zero.
    return pd.DataFrame(frame)


def fit_of(modes=None, frame=None, **options):
    blocks = [pls.block(name, items, mode=(modes or {}).get(name, "A")) for name, items in BLOCKS.items()]
    return pls.Model(blocks=blocks, paths=PATHS).fit(survey() if frame is None else frame, **(TIGHT | options))


def inner_proxy(fit, name, scheme="path"):
    """The inner proxy of a construct, from the scores."""
    scores = fit.scores()
    before = PATHS.get(name, [])
    after = [target for target, sources in PATHS.items() if name in sources]
    if scheme == "pca":
        near = before + after
        vector = np.linalg.eigh(scores[near].corr().to_numpy())[1][:, -1]
        proxy = scores[near].to_numpy() @ vector
        return proxy * np.sign(proxy @ scores[name])
    proxy = np.zeros(len(scores))
    if scheme == "path":
        if before:
            x = scores[before].to_numpy()
            proxy += x @ np.linalg.lstsq(x, scores[name], rcond=None)[0]
        return proxy + sum(scores[target] * scores[target].corr(scores[name]) for target in after)
    for other in before + after:
        r = scores[other].corr(scores[name])
        proxy += scores[other] * (r if scheme == "factorial" else np.sign(r))
    return proxy


def standardised(frame, items):
    block = frame[items]
    return ((block - block.mean()) / block.std()).to_numpy()


def unit(vector, items):
    """A weight vector scaled to scores of unit variance."""
    return vector / (items @ vector).std(ddof=1)


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid", "pca"])
@pytest.mark.parametrize("mode", ["A", "B", "B-nonnegative"])
def test_weights_are_a_fixed_point_of_their_definition(mode, scheme):
    frame = survey()
    fit = fit_of({"X": mode}, scheme=scheme)
    for name, items in BLOCKS.items():
        z = standardised(frame, items)
        proxy = np.asarray(inner_proxy(fit, name, scheme))
        own = mode if name == "X" else "A"
        if own == "A":
            expected = z.T @ proxy
        elif own == "B":
            expected = np.linalg.lstsq(z, proxy, rcond=None)[0]
        else:
            expected = nnls(z, proxy)[0]
            assert expected[3] == 0
        weights = fit.outer.xs(name, level="construct")["weight"].to_numpy()
        # The weights settle at Σ|Δw| < 1e-12; the proxies are made from them once more.
        np.testing.assert_allclose(weights, unit(expected, z), rtol=0, atol=1e-10)


def test_regression_weights_may_be_negative_and_nonnegative_ones_may_not():
    assert fit_of({"X": "B"}).outer.loc[("X", "x4"), "weight"] < 0
    free = fit_of({"X": "B-nonnegative"}).outer.xs("X", level="construct")["weight"]
    assert (free >= 0).all()
    assert free["x4"] == 0


def test_principal_component_unit_and_fixed_weights_do_not_move():
    frame = survey()
    z = standardised(frame, BLOCKS["X"])
    vector = np.linalg.eigh(np.corrcoef(z.T))[1][:, -1]
    for scheme in ("path", "centroid"):
        pca = fit_of({"X": "pca"}, scheme=scheme).outer.xs("X", level="construct")["weight"].to_numpy()
        np.testing.assert_allclose(pca, unit(vector * np.sign(vector.sum()), z), atol=1e-12)
        ones = fit_of({"X": "unit"}, scheme=scheme).outer.xs("X", level="construct")["weight"].to_numpy()
        np.testing.assert_allclose(ones, unit(np.ones(4), z), atol=1e-12)
        given = [3.0, 1.0, 0.0, -1.0]
        model = pls.Model(
            blocks=[
                pls.block("X", BLOCKS["X"], weights=given),
                pls.block("M", BLOCKS["M"]),
                pls.block("Y", BLOCKS["Y"]),
            ],
            paths=PATHS,
        )
        fixed = model.fit(frame, scheme=scheme).outer.xs("X", level="construct")["weight"].to_numpy()
        np.testing.assert_allclose(fixed, unit(np.array(given), z), atol=1e-12)


def test_sum_scores_of_all_blocks_are_regressions_of_sums():
    frame = survey()
    fit = fit_of(dict.fromkeys(BLOCKS, "unit"))
    assert fit.n_iter == 1
    sums = pd.DataFrame({name: standardised(frame, items).sum(axis=1) for name, items in BLOCKS.items()})
    sums = (sums - sums.mean()) / sums.std()
    slope = np.linalg.lstsq(sums[["X", "M"]], sums["Y"], rcond=None)[0]
    np.testing.assert_allclose(fit.paths.xs("Y", level="outcome")["estimate"], slope, atol=1e-12)


def test_the_dominant_indicator_decides_the_sign_and_nothing_else():
    frame = survey()
    frame["m2"] = -frame["m2"]
    blocks = [pls.block("X", BLOCKS["X"]), pls.block("M", BLOCKS["M"], dominant="m2"), pls.block("Y", BLOCKS["Y"])]
    turned = pls.Model(blocks=blocks, paths=PATHS).fit(frame, **TIGHT)
    plain = fit_of(frame=frame)
    assert turned.outer.loc[("M", "m2"), "loading"] > 0 > plain.outer.loc[("M", "m2"), "loading"]
    np.testing.assert_allclose(turned.outer["loading"].abs(), plain.outer["loading"].abs(), atol=1e-12)
    np.testing.assert_allclose(turned.paths["estimate"].abs(), plain.paths["estimate"].abs(), atol=1e-12)
    assert turned.paths["estimate"]["X", "M"] == pytest.approx(-plain.paths["estimate"]["X", "M"])
    boot = turned.bootstrap(50, seed=1)
    assert (boot.draws("loadings")["M", "m2"] > 0).all()


def raw_pls(frame, mode="A"):
    """PLS on centred answers in their own units: mode A weighs by covariances."""
    x = {name: (frame[items] - frame[items].mean()).to_numpy() for name, items in BLOCKS.items()}
    weights = {name: np.ones(block.shape[1]) for name, block in x.items()}
    for _ in range(5000):
        y = {name: x[name] @ w / (x[name] @ w).std(ddof=1) for name, w in weights.items()}
        new = {}
        for name in BLOCKS:
            before = PATHS.get(name, [])
            proxy = np.zeros(len(frame))
            if before:
                d = np.column_stack([y[source] for source in before])
                proxy += d @ np.linalg.lstsq(d, y[name], rcond=None)[0]
            for target, sources in PATHS.items():
                if name in sources:
                    proxy += y[target] * np.corrcoef(y[target], y[name])[0, 1]
            w = x[name].T @ proxy if mode == "A" else np.linalg.lstsq(x[name], proxy, rcond=None)[0]
            new[name] = w / (x[name] @ w).std(ddof=1)
        change = max(np.abs(new[name] - weights[name]).max() for name in BLOCKS)
        weights = new
        if change < 1e-14:
            break
    y = {name: x[name] @ w for name, w in weights.items()}
    d = np.column_stack([y["X"], y["M"]])
    return y, [np.corrcoef(y["X"], y["M"])[0, 1], *np.linalg.lstsq(d, y["Y"], rcond=None)[0]]


def test_raw_scaling_is_pls_on_covariances():
    frame = survey()
    fit = fit_of(scaling="raw")
    scores, paths = raw_pls(frame)
    np.testing.assert_allclose(fit.paths["estimate"], paths, atol=1e-10)
    for name, score in scores.items():
        np.testing.assert_allclose(fit.scores()[name], score, atol=1e-9)
    # Loadings are correlations still, and the tables know standardised indicators only.
    for (name, item), loading in fit.outer["loading"].items():
        assert loading == pytest.approx(np.corrcoef(frame[item], scores[name])[0, 1], abs=1e-10)
    assert not np.allclose(paths, fit_of().paths["estimate"], atol=1e-3)
    # Regression weights do not depend on units.
    modes = dict.fromkeys(BLOCKS, "B")
    np.testing.assert_allclose(
        fit_of(modes, scaling="raw").paths["estimate"], fit_of(modes).paths["estimate"], atol=1e-9
    )


def test_raw_beside_other_scales_is_numeric_and_equal_units_make_no_difference():
    frame = survey()
    pd.testing.assert_frame_equal(fit_of(scaling={"x1": "raw"}).paths, fit_of().paths)
    # With equal variances covariances are correlations.
    z = (frame - frame.mean()) / frame.std()
    np.testing.assert_allclose(fit_of(frame=z, scaling="raw").paths["estimate"], fit_of().paths["estimate"], atol=1e-10)
    boot = fit_of(scaling="raw").bootstrap(indices=np.random.default_rng(1).integers(0, 200, (2, 200)))
    rows = np.random.default_rng(1).integers(0, 200, (2, 200))
    np.testing.assert_allclose(boot.draws("paths").iloc[1], raw_pls(frame.iloc[rows[1]])[1], atol=1e-9)


def third_order(rng, n):
    g = rng.normal(size=n)
    frame, second = {}, []
    for a in "ab":
        h = 0.8 * g + 0.6 * rng.normal(size=n)
        for b in "pq":
            factor = 0.8 * h + 0.6 * rng.normal(size=n)
            name = f"{a}{b}"
            second.append(name)
            for k in range(3):
                frame[f"{name}{k}"] = 0.8 * factor + 0.6 * rng.normal(size=n)
    y = 0.6 * g + 0.8 * rng.normal(size=n)
    for k in range(3):
        frame[f"y{k}"] = 0.8 * y + 0.6 * rng.normal(size=n)
    return pd.DataFrame(frame)


THIRD = "\n".join(
    [f"{name} =~ {name}0 + {name}1 + {name}2" for name in ("ap", "aq", "bp", "bq")]
    + ["A =~ ap + aq", "B <~ bp + bq", "G =~ A + B", "Y =~ y0 + y1 + y2", "Y ~ G"]
)


def test_a_third_order_construct_is_three_models_one_after_the_other():
    frame = third_order(np.random.default_rng(2), 300)
    fit = pls.Model(THIRD).fit(frame, **TIGHT)
    assert len(fit.n_iter_stages) == 3
    data = {name: frame[name].to_numpy() for name in frame}
    first = {name: [f"{name}{k}" for k in range(3)] for name in ("ap", "aq", "bp", "bq", "y")}
    low = oracle.estimate(data, first, [(name, "y") for name in ("ap", "aq", "bp", "bq")], dict.fromkeys(first, "A"))
    data |= {name: low.scores[name] for name in first}
    middle_blocks = {"A": ["ap", "aq"], "B": ["bp", "bq"], "y": first["y"]}
    middle = oracle.estimate(data, middle_blocks, [("A", "y"), ("B", "y")], {"A": "A", "B": "B", "y": "A"})
    data |= {"A": middle.scores["A"], "B": middle.scores["B"]}
    top_blocks = {"G": ["A", "B"], "y": first["y"]}
    top = oracle.estimate(data, top_blocks, [("G", "y")], {"G": "A", "y": "A"})
    assert fit.paths.loc[("G", "Y"), "estimate"] == pytest.approx(top.coefficients["G", "y"], abs=1e-10)
    np.testing.assert_allclose(fit.outer.xs("G", level="construct")["weight"], top.weights["G"], atol=1e-10)
    np.testing.assert_allclose(fit.outer.xs("B", level="construct")["weight"], middle.weights["B"], atol=1e-10)
    np.testing.assert_allclose(fit.outer.xs("aq", level="construct")["loading"], low.loadings["aq"], atol=1e-10)
    for name, result in (("ap", low), ("A", middle), ("G", top)):
        np.testing.assert_allclose(fit.scores()[name], result.scores[name], atol=1e-9)


@pytest.mark.parametrize("approach", ["two-stage", "embedded", "repeated"])
def test_correlations_across_levels_are_those_of_the_scores(approach):
    frame = third_order(np.random.default_rng(2), 300)
    model = pls.Model(THIRD.replace("B <~", "B =~"))
    fit = model.fit(frame, higher_order=approach, **TIGHT)
    scores = fit.scores()
    pd.testing.assert_frame_equal(fit.construct_correlations(), scores.corr(), check_names=False, rtol=0, atol=1e-10)
    cross = fit.cross_loadings()
    for item in cross.index:
        values = frame[item] if item in frame else scores[item]
        for name in cross.columns:
            assert cross.loc[item, name] == pytest.approx(np.corrcoef(values, scores[name])[0, 1], abs=1e-10)
    assert fit.htmt().notna().all(axis=None)
    boot = fit.bootstrap(indices=np.arange(300)[None], statistics=["construct_correlations", "cross_loadings", "htmt"])
    for name, square in (("construct_correlations", fit.construct_correlations()), ("htmt", fit.htmt())):
        for (a, b), value in boot.draws(name).iloc[0].items():
            assert value == pytest.approx(square.loc[a, b], abs=1e-10)
    for (item, name), value in boot.draws("cross_loadings").iloc[0].items():
        assert value == pytest.approx(cross.loc[item, name], abs=1e-10)


def test_repeated_indicators_with_regression_weights_settle_when_given_the_passes():
    """The higher-order construct lies in the span of its dimensions: only the path to Y pulls, so it moves slowly."""
    rng = np.random.default_rng(1)
    n = 300
    a = rng.normal(size=n)
    c = 0.5 * a + np.sqrt(0.75) * rng.normal(size=n)
    y = 0.3 * (0.7 * a + 0.5 * c) + rng.normal(size=n)
    frame = pd.DataFrame(
        {
            f"{name}{k}": 0.8 * f + 0.6 * rng.normal(size=n)
            for name, f in (("a", a), ("c", c), ("y", y))
            for k in range(3)
        }
    )
    text = "A =~ a0+a1+a2\nC =~ c0+c1+c2\nH <~ A + C\nY =~ y0+y1+y2\nY ~ H"
    fit = pls.Model(text).fit(frame, higher_order="repeated", max_iter=20_000)
    assert fit.converged
    # The fixed point does not depend on how it is approached: from the factorial scheme's neighbourhood it is nearly
    # the same, and a tighter tolerance does not move it.
    tight = pls.Model(text).fit(frame, higher_order="repeated", max_iter=40_000, tol=1e-10)
    assert fit.paths["estimate"]["H", "Y"] == pytest.approx(tight.paths["estimate"]["H", "Y"], abs=1e-4)
    with pytest.raises(errors.ConvergenceError, match="two-stage"):
        pls.Model(text).fit(frame, higher_order="repeated", max_iter=20)
