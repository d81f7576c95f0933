"""Models, fits and bootstraps: construction, tables, options and refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from sembada import errors, pls

TEXT = """
Image <~ i1 + i2 + i3
Value =~ v1 + v2
Loyal =~ l1 + l2
Value ~ Image
Loyal ~ Value + Image
"""


def survey(n=150, seed=1):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=n)
    value = 0.6 * image + 0.8 * rng.normal(size=n)
    loyal = 0.5 * value + 0.3 * image + 0.7 * rng.normal(size=n)
    columns = {}
    for name, factor, count in (("i", image, 3), ("v", value, 2), ("l", loyal, 2)):
        for k in range(count):
            columns[f"{name}{k + 1}"] = factor + 0.6 * rng.normal(size=n)
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def fit():
    return pls.Model(TEXT).fit(survey())


@pytest.fixture(scope="module")
def boot(fit):
    return fit.bootstrap(300, seed=5)


def test_text_and_objects_make_the_same_model():
    objects = pls.Model(
        blocks=[
            pls.block("Image", pls.multi("i", 1, 3), mode="B"),
            pls.block("Value", ["v1", "v2"]),
            pls.block("Loyal", ["l1", "l2"]),
        ],
        paths={"Value": ["Image"], "Loyal": ["Value", "Image"]},
    )
    assert objects == pls.Model(TEXT)
    assert hash(objects) == hash(pls.Model(TEXT))
    pairs = pls.Model(
        blocks=objects.specification.blocks, paths=[("Image", "Value"), ("Value", "Loyal"), ("Image", "Loyal")]
    )
    assert pairs == objects


def test_modes_override_and_models_print_and_round_trip():
    model = pls.Model(TEXT, modes={"Image": "A"})
    assert model.specification.block_of["Image"].mode == "A"
    assert model.specification.block_of["Image"].kind == "composite"
    assert pls.Model(str(model)) == model
    for again in (
        pls.Model.from_dict(model.to_dict()),
        pls.Model.from_json(model.to_json()),
        pls.Model.from_toml(model.to_toml()),
        pickle.loads(pickle.dumps(model)),
    ):
        assert again == model
    assert repr(model) == "Model(3 constructs, 7 indicators, 3 paths)"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pls.Model(), errors.SpecificationError, ["empty"]),
        (lambda: pls.Model(TEXT, paths={"Value": ["Image"]}), errors.SpecificationError, ["not as both"]),
        (lambda: pls.Model(TEXT, modes={"Imgae": "A"}), errors.UnknownNameError, ["'Image'"]),
        (lambda: pls.Model(TEXT, modes={"Image": "C"}), errors.SpecificationError, ["'C'", "'B'"]),
        (lambda: pls.Model(TEXT, interactions="twostage"), errors.SpecificationError, ["two-stage"]),
        (lambda: pls.Model(blocks=["Image"], paths={}), errors.SpecificationError, ["pls.block"]),
        (lambda: pls.Model(blocks={"A": ["a"]}, paths=["AB"]), errors.SpecificationError, ["pair"]),
        (lambda: pls.Model(3), errors.SpecificationError, ["int"]),
    ],
)
def test_faulty_models_are_refused(make, error, words):
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"scheme": "paht"}, "'path'"),
        ({"missing": "drop"}, "'listwise'"),
        ({"higher_order": "twostage"}, "'two-stage'"),
        ({"max_iter": 0}, "max_iter"),
        ({"tol": -1}, "tol"),
        ({"consistent": "yes"}, "consistent"),
        ({"kernel": "gpu"}, "kernel"),
    ],
)
def test_unknown_options_are_refused(options, word):
    with pytest.raises(errors.SpecificationError, match=word):
        pls.Model(TEXT).fit(survey(), **options)


def test_tables_have_the_names_of_the_documentation(fit):
    assert list(fit.paths.index.names) == ["predictor", "outcome"]
    assert list(fit.paths.columns) == ["estimate", "f2", "vif"]
    assert list(fit.paths.index) == [("Image", "Value"), ("Value", "Loyal"), ("Image", "Loyal")]
    assert list(fit.outer.index.names) == ["construct", "indicator"]
    assert list(fit.outer.columns) == ["weight", "loading", "vif"]
    assert fit.constructs.index.name == "construct"
    assert list(fit.constructs.columns) == [
        "mode", "n_indicators", "r2", "r2_adjusted", "alpha", "rho_a", "rho_c", "ave",
    ]  # fmt: skip
    assert list(fit.constructs["mode"]) == ["B", "A", "A"]
    assert np.isnan(fit.constructs.loc["Image", "r2"])
    assert list(fit.effects.index.names) == ["predictor", "outcome"]
    assert list(fit.effects.columns) == ["direct", "indirect", "total"]
    assert list(fit.specific_indirect().index) == ["Image → Value → Loyal"]
    assert fit.n_obs == 150
    assert fit.converged
    assert fit.status == "ok"
    assert set(fit.provenance) == {"version", "kernel", "options", "seed", "model", "data"}
    assert len(fit.provenance.data) == 64


def test_bootstrap_tables_have_the_names_of_the_documentation(boot, fit):
    columns = ["estimate", "mean", "std_error", "t", "p", "lower", "upper"]
    for name in ("paths", "outer_weights", "loadings", "total_effects", "specific_indirect", "r2", "f2", "htmt",
                 "reliability", "indirect_effects"):  # fmt: skip
        table = getattr(boot, name)()
        assert list(table.columns) == columns, name
        draws = boot.draws(name)
        assert draws.shape == (300, len(table))
        assert draws.columns.equals(table.index)
        assert draws.index.name == "replicate"
    pd.testing.assert_series_equal(boot.paths()["estimate"], fit.paths["estimate"])
    table = boot.paths()
    draws = boot.draws("paths")
    np.testing.assert_allclose(table["std_error"], draws.std(), rtol=1e-12)
    np.testing.assert_allclose(table["mean"], draws.mean(), rtol=1e-12)
    np.testing.assert_allclose(table["t"], table["estimate"] / table["std_error"], rtol=1e-12)
    np.testing.assert_allclose(table["lower"], draws.quantile(0.025), rtol=1e-12)
    assert boot.n == 300
    assert boot.n_failed == 0
    assert (boot.status == "ok").all()
    assert repr(boot) == "Bootstrap(bootstrap, 300 replicates, seed=5)"


@pytest.mark.parametrize("interval", ["percentile", "basic", "bc", "bca", "normal", "studentized"])
def test_every_interval_holds_the_estimate(fit, interval):
    table = fit.bootstrap(200, seed=2).paths(interval=interval)
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()


def test_intervals_of_one_bootstrap_are_alike(boot):
    tables = {name: boot.paths(interval=name) for name in ("percentile", "bca", "normal", "basic", "bc")}
    width = tables["normal"]["upper"] - tables["normal"]["lower"]
    for table in tables.values():
        # Near-symmetric statistics at n = 150: the kinds differ by a fraction of their width.
        assert ((table["lower"] - tables["normal"]["lower"]).abs() < 0.25 * width).all()


def test_the_jackknife_gives_standard_errors(fit, boot):
    jack = fit.bootstrap(method="jackknife")
    assert jack.n == 150
    np.testing.assert_allclose(jack.paths()["std_error"], boot.paths()["std_error"], rtol=0.25)
    draws = jack.draws("paths").to_numpy()
    expected = np.sqrt(149 / 150 * ((draws - draws.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(jack.paths()["std_error"], expected, rtol=1e-10)
    with pytest.raises(errors.SpecificationError, match="jackknife"):
        jack.paths(interval="percentile")


def test_bayesian_weights_give_like_errors(fit, boot):
    bayes = fit.bootstrap(300, seed=1, method="bayesian")
    np.testing.assert_allclose(bayes.paths()["std_error"], boot.paths()["std_error"], rtol=0.3)


def test_statistics_can_be_chosen(fit, boot):
    small = fit.bootstrap(300, seed=5, statistics=["paths", "construct_correlations"])
    pd.testing.assert_frame_equal(small.draws("paths"), boot.draws("paths"))
    assert small.has("construct_correlations")
    with pytest.raises(errors.SpecificationError, match="not kept"):
        small.loadings()
    with pytest.raises(errors.UnknownNameError, match="paths"):
        boot.draws("path")
    with pytest.raises(errors.UnknownNameError):
        fit.bootstrap(10, statistics=["laodings"])


def test_strata_and_clusters_are_respected(fit):
    groups = np.repeat(["a", "b", "c"], 50)
    stratified = fit.bootstrap(20, seed=1, strata=groups)
    assert stratified.n_failed == 0
    engine, table = fit._system.engine, fit._table
    counts = engine.resample(table.matrix, stratified._plan["plan"], 3)
    assert [counts[groups == name].sum() for name in "abc"] == [50, 50, 50]
    households = np.repeat(np.arange(30), 5)
    clustered = fit.bootstrap(20, seed=1, clusters=households)
    counts = engine.resample(table.matrix, clustered._plan["plan"], 3).reshape(30, 5)
    assert (counts == counts[:, :1]).all()


def test_sign_options_leave_only_the_wanted_turns(fit):
    indicator = fit.bootstrap(100, seed=1, sign="indicator")
    signs = np.sign(fit.outer["loading"].to_numpy())
    assert (np.sign(indicator.draws("loadings").to_numpy()) == signs).all()
    assert fit.bootstrap(100, seed=1, sign="construct").n_failed == 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 0}, errors.SpecificationError, ["n=0"]),
        ({"seed": -1}, errors.SpecificationError, ["seed=-1"]),
        ({"method": "jacknife"}, errors.SpecificationError, ["'jackknife'"]),
        ({"sign": "both"}, errors.SpecificationError, ["'construct'"]),
        ({"indices": [[0, 1, 2]]}, errors.DataError, ["3 rows", "150"]),
        ({"indices": np.full((2, 150), 150)}, errors.DataError, ["indices[0, 0]", "149"]),
        ({"indices": np.zeros((2, 150))}, errors.DataError, ["whole numbers"]),
        ({"strata": [1, 2]}, errors.DataError, ["strata", "150"]),
        ({"threads": 0}, errors.SpecificationError, ["threads"]),
        ({"executor": 3}, errors.SpecificationError, ["executor"]),
    ],
)
def test_faulty_bootstrap_options_are_refused(fit, options, error, words):
    with pytest.raises(error) as caught:
        fit.bootstrap(**({"n": 10} | options))
    for word in words:
        assert word in str(caught.value)


def test_a_resample_without_variance_is_a_status_and_names_the_column():
    frame = survey(40)
    frame["v2"] = 0.0
    frame.loc[0, "v2"] = 1.0
    fit = pls.Model(TEXT).fit(frame)
    rows = np.tile(np.arange(40), (3, 1))
    rows[1, 0] = 5
    boot = fit.bootstrap(indices=rows)
    assert list(boot.status) == ["ok", "zero variance", "ok"]
    assert boot.n_failed == 1
    assert boot.failures().loc[1, "where"] == "v2"
    assert boot.draws("paths").loc[1].isna().all()
    assert boot.paths()["mean"].notna().all()
    assert "1 failed" in repr(boot)


def test_no_convergence_is_an_error_in_one_fit_and_a_status_in_many(fit):
    with pytest.raises(errors.ConvergenceError, match="1 pass"):
        pls.Model(TEXT).fit(survey(), max_iter=1)


def test_dependent_indicators_are_named():
    frame = survey()
    frame["i3"] = frame["i1"] + frame["i2"]
    with pytest.raises(errors.DataError, match="'Image'"):
        pls.Model(TEXT).fit(frame)


@pytest.mark.parametrize(("rows", "words"), [(0, ["0 usable rows"]), (2, ["2 usable rows"]), (3, ["'Loyal'", "4"])])
def test_fewer_rows_than_the_model_needs_are_refused(rows, words):
    with pytest.raises(errors.DataError) as caught:
        pls.Model(TEXT).fit(survey().iloc[:rows])
    for word in words:
        assert word in str(caught.value)


def test_rows_that_listwise_deletion_leaves_count():
    frame = survey(10)
    frame.loc[:7, "i1"] = np.nan
    with pytest.warns(errors.SembadaWarning), pytest.raises(errors.DataError, match="2 usable rows"):
        pls.Model(TEXT).fit(frame, missing="listwise")


def test_third_order_three_way_quadratic_and_the_pca_scheme():
    frame = survey(300, seed=4)
    third = pls.Model("A =~ i1+i2\nB =~ v1\nC =~ v2\nD =~ l1+l2\nBC =~ B + C\nH =~ BC + A\nD ~ H").fit(frame)
    assert set(third.outer.xs("H", level="construct").index) == {"BC", "A"}
    assert third.constructs.loc["D", "r2"] > 0.2
    scores = pls.Model("A =~ i1\nB =~ v1\nC =~ l1\nC ~ A + B + A:A + A:B + A:A:B").fit(frame)
    assert list(scores.constructs.index) == ["A", "B", "C", "A:A", "A:B", "A:A:B"]
    x, z = (frame[name] - frame[name].mean() for name in ("i1", "v1"))
    x, z = x / x.std(), z / z.std()
    y = (frame["l1"] - frame["l1"].mean()) / frame["l1"].std()
    design = np.column_stack([np.ones(300), x, z, x * x, x * z, x * x * z])
    # Two-stage terms of single items are products of standardised columns, so this is plain regression.
    np.testing.assert_allclose(scores.paths["estimate"], np.linalg.lstsq(design, y, rcond=None)[0][1:], rtol=1e-8)
    pca = pls.Model(TEXT).fit(frame, scheme="pca")
    np.testing.assert_allclose(pca.paths["estimate"], pls.Model(TEXT).fit(frame).paths["estimate"], atol=0.03)


def test_summaries_are_deterministic_and_render(fit, boot):
    for result in (fit, boot):
        text, html, latex = (getattr(result.summary(), f"to_{kind}")() for kind in ("text", "html", "latex"))
        assert text == str(result.summary()) == result.summary().to_text()
        assert "Image" in text
        assert html.count("<table>") == html.count("</table>") > 3
        assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") > 2
        assert " nan" not in text


def test_constructs_that_only_correlate():
    model = pls.Model("A =~ i1 + i2\nB =~ v1 + v2\nC =~ l1 + l2\nA ~~ B + C\nB ~~ C")
    fit = model.fit(survey())
    assert len(fit.paths) == 0
    assert fit.construct_correlations().loc["A", "B"] > 0.2
    assert fit.effects.empty
    assert "HTMT" in str(fit.summary())


def test_dense_models_leave_specific_effects_out():
    rng = np.random.default_rng(1)
    factor = rng.normal(size=80)
    names = [f"x{k}" for k in range(24)]
    frame = pd.DataFrame({name: 0.6 * factor + rng.normal(size=80) for name in names})
    blocks = {f"C{k}": [name] for k, name in enumerate(names)}
    dense = pls.Model(blocks=blocks, paths={f"C{k}": [f"C{i}" for i in range(k)] for k in range(1, 24)})
    fit = dense.fit(frame)
    assert len(fit.effects) == 24 * 23 / 2
    # Every subset of the constructs between two ends is a chain: Σ (2^gap − 1) over all pairs.
    with pytest.raises(errors.UnsupportedError, match=f"{sum((24 - d) * (2 ** (d - 1) - 1) for d in range(1, 24)):,}"):
        fit.specific_indirect()
    assert not fit.bootstrap(20, seed=1).has("specific_indirect")
    few = pls.Model(blocks=blocks, paths={f"C{k}": [f"C{i}" for i in range(max(0, k - 1), k)] for k in range(1, 24)})
    chain = few.fit(frame)
    assert len(chain.specific_indirect()) == chain._system.n_chains == 23 * 22 / 2


def test_dominant_and_fixed_weights_and_modes():
    frame = survey()
    base = pls.Model(TEXT).fit(frame)
    turned = pls.Model(TEXT + "\n#! dominant Image = i1").fit(frame.assign(i1=-frame["i1"]))
    assert turned.outer.loc[("Image", "i1"), "loading"] > 0
    assert turned.outer.loc[("Image", "i2"), "loading"] < 0
    fixed = pls.Model("I <~ 2*i1 + 1*i2\nV =~ v1 + v2\nV ~ I").fit(frame)
    weight = fixed.outer.xs("I", level="construct")["weight"]
    assert weight["i1"] == pytest.approx(2 * weight["i2"])
    for mode in ("unit", "pca", "B-nonnegative"):
        other = pls.Model(TEXT, modes={"Image": mode}).fit(frame)
        assert abs(other.paths["estimate"].iloc[0] - base.paths["estimate"].iloc[0]) < 0.1
    unit = pls.Model(TEXT, modes={"Image": "unit"}).fit(frame).outer.xs("Image", level="construct")["weight"]
    np.testing.assert_allclose(unit, unit.iloc[0])


def test_verify_passes_a_sound_fit_and_finds_a_heywood_case(fit):
    assert fit.verify()["passed"].all()
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(30, 4)), columns=list("abcd"))
    frame["c"] = frame["a"] + 0.3 * frame["c"]
    with pytest.warns(errors.SembadaWarning, match="inadmissible"):
        bad = pls.Model("X =~ a + b\nY =~ c + d\nY ~ X").fit(frame, consistent=True)
    assert not bad.verify()["passed"].all()
    assert bad.status != "ok"
    assert "admissible" in str(bad.summary())


def test_interactions_slopes_and_floodlight():
    rng = np.random.default_rng(6)
    n = 400
    x, z = rng.normal(size=(2, n))
    y = 0.4 * x + 0.2 * z + 0.3 * x * z + 0.6 * rng.normal(size=n)
    frame = pd.DataFrame(
        {
            f"{name}{k}": factor + 0.4 * rng.normal(size=n)
            for name, factor in (("x", x), ("z", z), ("y", y))
            for k in (1, 2)
        }
    )
    model = pls.Model("X =~ x1+x2\nZ =~ z1+z2\nY =~ y1+y2\nY ~ X + Z + X:Z")
    boot = model.fit(frame).bootstrap(300, seed=1)
    slopes = boot.simple_slopes("X:Z", "Y")
    b = boot.fit.paths["estimate"]
    np.testing.assert_allclose(slopes["estimate"], b["X", "Y"] + b["X:Z", "Y"] * np.array([-1.0, 0.0, 1.0]), rtol=1e-12)
    assert slopes.index.name == "Z"
    table, turns = boot.floodlight("X:Z", "Y")
    assert list(table["significant"].unique()) in ([True, False, True], [False, True], [True, False])
    crossing = table.index[np.flatnonzero(np.diff(table["significant"].astype(int)))]
    assert all(min(abs(turn - value) for value in crossing) <= 0.05 + 1e-12 for turn in turns)
    with pytest.raises(errors.UnknownNameError, match="X:Z"):
        boot.simple_slopes("Z:X", "Y")


def test_moderated_mediation_index():
    rng = np.random.default_rng(9)
    n = 500
    x, w = rng.normal(size=(2, n))
    m = 0.5 * x + 0.3 * x * w + 0.6 * rng.normal(size=n)
    y = 0.6 * m + 0.6 * rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "w": w, "m": m, "y": y})
    model = pls.Model("X =~ x\nW =~ w\nM =~ m\nY =~ y\nM ~ X + W + X:W\nY ~ M + X")
    boot = model.fit(frame).bootstrap(200, seed=1)
    table = boot.moderated_mediation("X", "M", "Y", "W")
    b = boot.fit.paths["estimate"]
    assert table.loc["index", "estimate"] == pytest.approx(b["X:W", "M"] * b["M", "Y"])
    low, high = table.loc["indirect at W = -1", "estimate"], table.loc["indirect at W = 1", "estimate"]
    # The index is the slope of the indirect effect in the moderator.
    assert high - low == pytest.approx(2 * table.loc["index", "estimate"])
    assert table.loc["index", "lower"] > 0


def test_defined_quantities_follow_the_draws():
    model = pls.Model(TEXT.replace("Value ~ Image", "Value ~ a*Image").replace("Value + Image", "b*Value + c*Image")
                      + "ind := a*b\ntotal := ind + c\nshare := ind / total")  # fmt: skip
    fit = model.fit(survey())
    boot = fit.bootstrap(200, seed=3)
    assert fit.defined().loc["ind", "estimate"] == pytest.approx(fit.specific_indirect()["estimate"].iloc[0], rel=1e-12)
    assert fit.defined().loc["total", "estimate"] == pytest.approx(fit.effects.loc[("Image", "Loyal"), "total"])
    table = boot.defined()
    expected = boot.specific_indirect().iloc[0]
    for column in ("estimate", "std_error", "lower", "upper"):
        assert table.loc["ind", column] == pytest.approx(expected[column], rel=1e-9)
    assert "Defined quantities" in str(fit.summary())
    assert "share" in str(boot.summary())


def test_higher_order_constructs_have_both_levels():
    frame = survey()
    model = pls.Model("A =~ i1+i2\nB =~ v1+v2\nC =~ l1+l2\nH =~ A + B\nC ~ H")
    fit = model.fit(frame)
    assert set(fit.outer.xs("H", level="construct").index) == {"A", "B"}
    assert set(fit.outer.xs("A", level="construct").index) == {"i1", "i2"}
    assert fit.constructs.loc[["A", "B", "H", "C"], "ave"].notna().all()
    repeated = model.fit(frame, higher_order="repeated")
    assert abs(repeated.paths["estimate"]["H", "C"] - fit.paths["estimate"]["H", "C"]) < 0.1
    assert {("H", "A"), ("H", "B")} <= set(repeated.paths.index)
    assert list(repeated.unstandardised().index) == [("H", "C")]
    original = fit.scores(scale="original")
    assert original["H"].between(original[["A", "B"]].min(axis=1) - 1e-9, original[["A", "B"]].max(axis=1) + 1e-9).all()


def test_population_values_are_recovered():
    rng = np.random.default_rng(12)
    n = 60_000
    x = rng.normal(size=n)
    m = 0.5 * x + np.sqrt(1 - 0.25) * rng.normal(size=n)
    y = 0.4 * m + 0.3 * x + np.sqrt(1 - 0.16 - 0.09 - 2 * 0.4 * 0.3 * 0.5) * rng.normal(size=n)
    columns = {}
    for name, factor in (("x", x), ("m", m), ("y", y)):
        for k, loading in enumerate((0.8, 0.7, 0.6)):
            columns[f"{name}{k}"] = loading * factor + np.sqrt(1 - loading**2) * rng.normal(size=n)
    model = pls.Model("X =~ x0+x1+x2\nM =~ m0+m1+m2\nY =~ y0+y1+y2\nM ~ X\nY ~ M + X")
    fit = model.fit(pd.DataFrame(columns), consistent=True)
    # Standard errors at n = 60,000 are about 0.006.
    np.testing.assert_allclose(fit.paths["estimate"], [0.5, 0.4, 0.3], atol=0.025)
    np.testing.assert_allclose(fit.outer["loading"], [0.8, 0.7, 0.6] * 3, atol=0.02)
