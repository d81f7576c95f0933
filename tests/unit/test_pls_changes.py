"""Fits run again with something changed, path matrices, modes of interactions, copula terms in a bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from oracle import pls as oracle
from sembada import errors, pls
from sembada.pls.endogeneity import copula_term

TEXT = "X =~ x1 + x2\nM =~ m1 + m2\nY =~ y1 + y2\nM ~ X\nY ~ M + X"


def survey(n=160, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.exponential(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.4 * m + 0.4 * x + 0.7 * rng.normal(size=n)
    names = {"x1": x, "x2": x, "m1": m, "m2": m, "y1": y, "y2": y}
    return pd.DataFrame({name: factor + 0.5 * rng.normal(size=n) for name, factor in names.items()})


def test_a_rerun_keeps_what_is_not_changed():
    frame = survey()
    fit = pls.Model(TEXT).fit(frame, scheme="factorial", tol=1e-10, correlation="polychoric", ordinal=[])
    again = fit.rerun()
    pd.testing.assert_frame_equal(again.paths, fit.paths)
    assert again.provenance.options == fit.provenance.options
    other = fit.rerun(scheme="centroid", correlation="pearson")
    direct = pls.Model(TEXT).fit(frame, scheme="centroid", tol=1e-10)
    pd.testing.assert_frame_equal(other.paths, direct.paths)
    smaller = fit.rerun("X =~ x1 + x2\nY =~ y1 + y2\nY ~ X")
    assert list(smaller.paths.index) == [("X", "Y")]
    assert fit.rerun(data=frame.iloc[:100]).n_obs == 100
    with pytest.raises(errors.UnknownNameError, match="data="):
        fit.rerun("X =~ x1 + x9\nY =~ y1\nY ~ X")
    weighted = pls.Model(TEXT).fit(frame, weights=np.arange(160) % 3)
    pd.testing.assert_frame_equal(weighted.rerun().paths, weighted.paths)


def test_a_path_matrix_is_the_model():
    blocks = {"X": ["x1", "x2"], "M": ["m1", "m2"], "Y": ["y1", "y2"]}
    matrix = [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
    model = pls.Model.from_matrix(matrix, blocks, modes={"X": "B"})
    assert model.paths == (("X", "M"), ("X", "Y"), ("M", "Y"))
    assert model.specification.block_of["X"].mode == "B"
    table = model.to_matrix()
    assert pls.Model.from_matrix(table, blocks, modes={"X": "B"}) == model
    shuffled = table.loc[["Y", "X", "M"], ["M", "Y", "X"]]
    again = pls.Model.from_matrix(shuffled, blocks, modes={"X": "B"})
    pd.testing.assert_series_equal(
        again.fit(survey()).paths["estimate"].sort_index(), model.fit(survey()).paths["estimate"].sort_index()
    )
    for bad, words in (
        ([[0, 0], [1, 0]], "3, one for each block"),
        ([[0, 0, 0]], "as many rows"),
        ([[0, 0, 0], [2, 0, 0], [0, 0, 0]], "expected 1 for a path"),
    ):
        with pytest.raises(errors.SpecificationError, match=words):
            pls.Model.from_matrix(bad, blocks)
    with pytest.raises(errors.UnknownNameError, match="Q"):
        pls.Model.from_matrix(pd.DataFrame([[0]], index=["Q"], columns=["Q"]), blocks)


def test_an_interaction_may_have_regression_weights():
    frame = survey()
    model = pls.Model(TEXT + " + X:M", interactions="product", modes={"X:M": "B"})
    assert pls.Model(str(model)) == model
    assert pls.Model.from_json(model.to_json()) == model
    assert pls.Model.from_toml(model.to_toml()) == model
    fit = model.fit(frame, tol=1e-12, max_iter=5000)
    data = {name: frame[name].to_numpy() for name in frame}
    for a in ("x1", "x2"):
        for b in ("m1", "m2"):
            data[f"{a}*{b}"] = oracle.standardise(data[a]) * oracle.standardise(data[b])
    products = [f"{a}*{b}" for a in ("x1", "x2") for b in ("m1", "m2")]
    blocks = {"X": ["x1", "x2"], "M": ["m1", "m2"], "Y": ["y1", "y2"], "T": products}
    paths = [("X", "M"), ("M", "Y"), ("X", "Y"), ("T", "Y")]
    slow = oracle.estimate(data, blocks, paths, {"X": "A", "M": "A", "Y": "A", "T": "B"}, scale_interactions=("T",))
    for source, target in paths:
        name = "X:M" if source == "T" else source
        assert fit.paths.loc[(name, target), "estimate"] == pytest.approx(slow.coefficients[source, target], abs=1e-9)
    np.testing.assert_allclose(fit.outer.xs("X:M", level="construct")["weight"], slow.weights["T"], atol=1e-9)
    plain = pls.Model(TEXT + " + X:M", interactions="product").fit(frame)
    assert abs(plain.paths["estimate"]["X:M", "Y"] - fit.paths["estimate"]["X:M", "Y"]) > 1e-4
    with pytest.raises(errors.UnknownNameError, match="X:Y"):
        pls.Model(TEXT, modes={"X:Y": "B"})


@pytest.mark.parametrize("method", ["park-gupta", "2scope"])
def test_copula_terms_are_estimated_anew_in_every_resample(method):
    frame = survey()
    fit = pls.Model(TEXT).fit(frame, tol=1e-12, max_iter=3000)
    rows = np.random.default_rng(3).integers(0, 160, (5, 160))
    boot = fit.bootstrap(indices=rows)
    table = boot.copula("Y", ["X"], method=method)
    assert list(table.index) == ["M", "X", "copula(X)"]
    draws = []
    for row in rows:
        scores = pls.Model(TEXT).fit(frame.iloc[row], tol=1e-12, max_iter=3000).scores()
        term = copula_term(scores[["X"]].to_numpy())[:, 0]
        if method == "2scope":
            other = np.column_stack([np.ones(160), copula_term(scores[["M"]].to_numpy())])
            term = term - other @ np.linalg.lstsq(other, term, rcond=None)[0]
        design = np.column_stack([np.ones(160), scores["M"], scores["X"], term])
        draws.append(np.linalg.lstsq(design, scores["Y"], rcond=None)[0][1:])
    np.testing.assert_allclose(table["mean"], np.mean(draws, axis=0), atol=1e-9)
    np.testing.assert_allclose(table["std_error"], np.std(draws, axis=0, ddof=1), atol=1e-9)
    single = fit.copula("Y", ["X"], method=method, n=20, seed=1)
    np.testing.assert_allclose(single["estimate"], table["estimate"], atol=1e-12)
    bca = fit.bootstrap(100, seed=1).copula("Y", ["X"], method=method, interval="bca")
    assert (bca["lower"] < bca["upper"]).all()
    # The order in which predictors are named does not matter, and preparation goes along.
    both = boot.copula("Y", ["X", "M"], method=method)
    pd.testing.assert_frame_equal(boot.copula("Y", method=method), both)
    ranked = fit.rerun(correlation="spearman").bootstrap(20, seed=1).copula("Y", ["X"], method=method)
    assert ranked["std_error"].gt(0).all()
