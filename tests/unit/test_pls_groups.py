"""Permutation tests, measurement invariance and multigroup analysis: against the obvious way, and their refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from sembada import _core, pls
from sembada.errors import ConvergenceError, DataError, SpecificationError, UnknownNameError
from sembada.pls.comparison import adjusted, henseler

MODEL = pls.Model("X =~ x1 + x2 ; Z <~ z1 + z2 ; Y =~ y1 + y2 + y3 ; Y ~ X + Z")
#: The engine takes weighted moments of all rows, the oracle the rows of a group alone: rounding, with Σ|Δw| < 1e-12.
SAME = 1e-9
TIGHT = {"tol": 1e-12, "max_iter": 5000}


def survey(seed=1, sizes=(50, 70), slopes=(0.7, 0.2)):
    rng = np.random.default_rng(seed)
    parts = []
    for label, (n, slope) in enumerate(zip(sizes, slopes, strict=True)):
        x, z = rng.normal(size=(2, n))
        y = slope * x + 0.3 * z + 0.6 * rng.normal(size=n)
        columns = {
            f"{name}{k + 1}": 0.8 * factor + 0.6 * rng.normal(size=n)
            for name, factor, count in (("x", x, 2), ("z", z, 2), ("y", y, 3))
            for k in range(count)
        }
        parts.append(pd.DataFrame(columns).assign(where="abcd"[label]))
    # Groups stand mixed in the data.
    return pd.concat(parts, ignore_index=True).sample(frac=1.0, random_state=seed, ignore_index=True)


FRAME = survey()


def stacked(frame, labels=("a", "b")):
    return pd.concat([frame[frame["where"] == label] for label in labels])


# ------------------------------------------------------------------ permutation


def test_each_permutation_is_two_fits():
    rng = np.random.default_rng(3)
    rows = np.array([rng.permutation(120) for _ in range(4)])
    test = pls.permute(MODEL, FRAME, "where", permutations=rows, **TIGHT)
    pooled = stacked(FRAME)
    for number, row in enumerate(rows):
        one, two = (MODEL.fit(pooled.iloc[part], **TIGHT) for part in (row[:50], row[50:]))
        for name, table, column in (("paths", "paths", "estimate"), ("loadings", "outer", "loading")):
            expected = getattr(one, table)[column] - getattr(two, table)[column]
            actual = test.draws(name).loc[number]
            np.testing.assert_allclose(actual, expected.loc[actual.index], rtol=0, atol=SAME)
        r2 = one.constructs.loc["Y", "r2"] - two.constructs.loc["Y", "r2"]
        assert test.draws("r2").loc[number, "Y"] == pytest.approx(r2, abs=SAME)


def test_the_p_value_is_the_share_of_permutations_that_differ_as_much():
    test = pls.permute(MODEL, FRAME, "where", n=99, seed=2)
    draws, table = test.draws("paths"), test.paths()
    for label in table.index:
        d = table.loc[label, "difference"]
        assert table.loc[label, "p"] == (draws[label].abs() >= abs(d)).mean()
        side = (draws[label] * np.sign(d) >= abs(d)).mean()
        assert test.table("paths", tails=1).loc[label, "p"] == side
        count = (draws[label].abs() >= abs(d)).sum()
        assert test.table("paths", p="plus-one").loc[label, "p"] == pytest.approx((count + 1) / 100, abs=1e-15)
        assert table.loc[label, "lower"] == pytest.approx(np.quantile(draws[label], 0.025), rel=1e-12)


def test_seeded_permutations_are_those_that_the_generator_deals():
    test = pls.permute(MODEL, FRAME, "where", n=20, seed=7, **TIGHT)
    key = np.random.SeedSequence(7).generate_state(2, np.uint64).tolist()
    given_rows = _core.philox_permutations(key, 0, 20, 120).astype(np.int64)
    again = pls.permute(MODEL, FRAME, "where", permutations=given_rows, **TIGHT)
    np.testing.assert_allclose(test.draws("paths"), again.draws("paths"), rtol=0, atol=SAME)
    assert np.array_equal(_core.philox_permutations(key, 5, 3, 120), given_rows[5:8])
    assert (np.sort(given_rows, axis=1) == np.arange(120)).all()


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_change_a_bit(threads):
    one = pls.permute(MODEL, FRAME, "where", n=200, seed=7, threads=1)
    many = pls.permute(MODEL, FRAME, "where", n=200, seed=7, threads=threads)
    assert np.array_equal(one.draws("paths"), many.draws("paths"))
    first = pls.permute(MODEL, FRAME, "where", n=64, seed=7)
    assert np.array_equal(one.draws("paths").iloc[:64], first.draws("paths"))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_groups_in_the_other_order_turn_the_sign(seed):
    frame = survey(seed % 1000, (60, 60))
    rng = np.random.default_rng(seed)
    rows = np.array([rng.permutation(120) for _ in range(8)])
    try:
        there = pls.permute(MODEL, frame, "where", permutations=rows, groups=("a", "b"), **TIGHT)
    except ConvergenceError:
        # Weights of blocks that hardly hang together may go to and fro for ever.
        reject()
    # The same people in the other group's place.
    back_rows = (rows + 60) % 120
    back = pls.permute(MODEL, frame, "where", permutations=back_rows[:, ::-1], groups=("b", "a"), **TIGHT)
    a, b = there.paths(), back.paths()
    np.testing.assert_allclose(a["difference"], -b["difference"], rtol=0, atol=SAME)
    np.testing.assert_allclose(a["first"], b["second"], rtol=0, atol=SAME)
    np.testing.assert_allclose(there.draws("paths"), -back.draws("paths"), rtol=0, atol=1e-7)
    np.testing.assert_allclose(a["p"], b["p"], rtol=0, atol=1e-12)


def test_labels_dealt_at_random_give_p_values_that_are_uniform():
    rng = np.random.default_rng(11)
    frame = survey(5, (40, 40), (0.5, 0.5)).drop(columns="where")
    found = [
        pls.permute(MODEL, frame, rng.permutation(80) < 40, n=99, seed=seed).table("paths", p="plus-one")["p"].iloc[0]
        for seed in range(60)
    ]
    # 60 draws: the Kolmogorov–Smirnov distance of a uniform sample exceeds 0.21 once in a hundred.
    assert stats.kstest(found, "uniform").statistic < 0.21


def test_a_real_difference_is_found_and_every_statistic_has_a_table():
    test = pls.permute(MODEL, survey(1, (100, 120), (0.9, 0.0)), "where", n=300, seed=1)
    assert test.paths().loc[("X", "Y"), "p"] < 0.05
    assert test.paths().loc[("Z", "Y"), "p"] > 0.05
    for name in ("outer_weights", "loadings", "total_effects", "r2", "f2", "htmt", "reliability"):
        table = test.table(name)
        assert list(table.columns) == ["first", "second", "difference", "lower", "upper", "p"]
        assert table["p"].notna().all()
    assert repr(test) == "Permutation('a' and 'b', 300 permutations, seed=1)"
    again = pickle.loads(pickle.dumps(test))
    assert again.paths().equals(test.paths())


def test_missing_answers_and_transformed_answers_are_treated_inside_each_group():
    holes = FRAME.copy()
    holes.loc[::10, "x1"] = np.nan
    rows = np.array([np.random.default_rng(1).permutation(120)])
    test = pls.permute(MODEL, holes, "where", permutations=rows, missing="mean", **TIGHT)
    pooled = stacked(holes)[list(MODEL.columns)]
    one, two = (pooled.iloc[part] for part in (rows[0, :50], rows[0, 50:]))
    expected = [MODEL.fit(part.fillna(part.mean()), **TIGHT).paths["estimate"] for part in (one, two)]
    np.testing.assert_allclose(test.draws("paths").iloc[0], expected[0] - expected[1], rtol=0, atol=SAME)
    whole = pls.permute(MODEL, holes, "where", n=10, seed=1, missing="listwise", **TIGHT)
    dropped = pls.permute(MODEL, holes.dropna(), "where", n=10, seed=1, **TIGHT)
    np.testing.assert_allclose(whole.draws("paths"), dropped.draws("paths"), rtol=0, atol=SAME)
    ranks = pls.permute(MODEL, FRAME, "where", n=3, seed=1, correlation="spearman")
    assert ranks.draws("paths").notna().all(axis=None)


def test_a_permutation_that_cannot_be_estimated_is_left_out_with_its_reason():
    frame = FRAME.assign(x1=(np.arange(120) < 4).astype(float))
    frame.loc[frame.index[frame["where"] == "b"][:4], "x1"] = 1.0
    frame.loc[frame.index[frame["where"] == "a"][:4], "x1"] = 1.0
    pooled = stacked(frame)
    ones = np.flatnonzero(pooled["x1"].to_numpy() == 1.0)
    rest = np.setdiff1d(np.arange(120), ones)
    bad = np.concatenate([rest, ones])
    rows = np.array([np.arange(120), bad])
    test = pls.permute(MODEL, frame, "where", permutations=rows)
    assert test.status.tolist() == ["ok", "zero variance"]
    assert test.n_failed == 1
    assert (test.paths()["p"] == 1.0).all()


# ------------------------------------------------------------------------ micom


def test_equal_groups_are_fully_invariant():
    part = FRAME[FRAME["where"] == "a"]
    frame = pd.concat([part, part.assign(where="b")], ignore_index=True)
    test = pls.micom(MODEL, frame, "where", n=100, seed=1, **TIGHT)
    np.testing.assert_allclose(test.compositional["c"], 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(test.means["difference"], 0.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(test.variances["difference"], 0.0, rtol=0, atol=1e-12)
    assert test.invariance == "full"
    assert set(test.verdict()) == {"full"}


def test_each_step_finds_what_it_is_for():
    frame = survey(3, (150, 150), (0.6, 0.6))
    second = frame["where"] == "b"
    moved = frame.copy()
    moved.loc[second, ["x1", "x2"]] += 1.0
    found = pls.micom(MODEL, moved, "where", n=200, seed=1)
    assert found.verdict()["X"] == "partial"
    assert not found.means.loc["X", "equal"]
    stretched = frame.copy()
    stretched.loc[second, ["x1", "x2"]] *= 2.0
    found = pls.micom(MODEL, stretched, "where", n=200, seed=1)
    assert found.variances.loc["X", "difference"] == pytest.approx(
        np.log(found.pooled.scores()["X"].iloc[:150].var() / found.pooled.scores()["X"].iloc[150:].var()), abs=1e-10
    )
    assert not found.variances.loc["X", "equal"]
    other = frame.copy()
    other.loc[second, "z1"] = np.random.default_rng(1).normal(size=150)
    other.loc[second, "z2"] = frame.loc[second, "z2"] * 3
    other.loc[~second, "z2"] = np.random.default_rng(2).normal(size=150)
    found = pls.micom(MODEL, other, "where", n=200, seed=1)
    assert found.verdict()["Z"] == "none"
    assert found.invariance == "none"


@pytest.mark.parametrize("approach", ["two-stage", "repeated", "embedded"])
def test_step_two_is_the_correlation_of_two_sets_of_scores(approach):
    text = "X =~ x1 + x2 ; Z =~ z1 + z2 ; H =~ X + Z ; Y =~ y1 + y2 + y3 ; Y ~ H"
    options = {"higher_order": approach, "scheme": "factorial", **TIGHT}
    test = pls.micom(pls.Model(text), FRAME, "where", n=3, seed=1, **options)
    pooled = stacked(FRAME)[list(test.pooled.model.columns)]
    z = (pooled - pooled.mean()) / pooled.std()
    for construct in test.constructs:
        scores = []
        for fit in test.fits:
            weights = fit.outer["weight"]

            def score(name, weights=weights):
                return sum((z[item] if item in z else score(item)) * weight for item, weight in weights[name].items())

            scores.append(score(construct))
        c = np.corrcoef(*scores)[0, 1]
        assert test.compositional.loc[construct, "c"] == pytest.approx(c, abs=SAME)


def test_a_weight_of_two_is_two_rows_in_step_three():
    weights = np.where(np.arange(120) % 3 == 0, 2.0, 1.0)
    doubled = FRAME.loc[FRAME.index.repeat(weights.astype(int))]
    one = pls.micom(MODEL, FRAME.assign(w=weights), "where", n=2, seed=1, weights="w", **TIGHT)
    two = pls.micom(MODEL, doubled, "where", n=2, seed=1, **TIGHT)
    np.testing.assert_allclose(one.compositional["c"], two.compositional["c"], rtol=0, atol=SAME)
    np.testing.assert_allclose(one.means["difference"], two.means["difference"], rtol=0, atol=SAME)
    np.testing.assert_allclose(one.variances["difference"], two.variances["difference"], rtol=0, atol=SAME)


def test_micom_has_a_report_and_shows_the_scales_of_both_groups():
    test = pls.micom(MODEL, FRAME, "where", n=50, seed=1)
    text = str(test.summary())
    assert "Step 2: compositional invariance" in text
    assert "a (50 rows), b (70 rows)" in text
    table = test.configural()
    part = FRAME[FRAME["where"] == "b"]
    assert table.loc["y2", "second_max"] == part["y2"].max()
    assert pickle.loads(pickle.dumps(test)).compositional.equals(test.compositional)


# ------------------------------------------------------------------- comparison


def test_henselers_p_counts_all_pairs():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, size=(40, 3)), rng.normal(0, 1, size=(50, 3))
    p = henseler(a, b, a.mean(axis=0), b.mean(axis=0))
    for column in range(3):
        left, right = 2 * a[:, column].mean() - a[:, column], 2 * b[:, column].mean() - b[:, column]
        assert p[column] == pytest.approx(1 - np.mean([x > y for x in left for y in right]), abs=1e-12)
    a[0] = np.nan
    assert np.isfinite(henseler(a, b, np.nanmean(a, axis=0), b.mean(axis=0))).all()


@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_adjusted_p_values_keep_their_order(p):
    for rule in ("bonferroni", "holm", "fdr"):
        found = adjusted(p, rule)
        assert (found >= p - 1e-15).all()
        assert (found <= 1).all()
        assert (np.diff(found[np.argsort(p, kind="stable")]) >= -1e-15).all()
    assert (adjusted(p, "holm") <= adjusted(p, "bonferroni") + 1e-15).all()
    np.testing.assert_allclose(adjusted(p, "fdr"), stats.false_discovery_control(p), rtol=1e-12)
    gaps = np.append(p, np.nan)
    np.testing.assert_allclose(adjusted(gaps, "holm")[:-1], adjusted(p, "holm"), rtol=1e-12)


def test_three_groups_are_compared_in_pairs_and_at_once():
    frame = survey(2, (80, 90, 100), (0.8, 0.8, 0.1))
    comparison = pls.compare_groups(MODEL, frame, "where", n=200, seed=1)
    table = comparison.paths()
    assert list(dict.fromkeys((a, b) for a, b, *_ in table.index)) == [("a", "b"), ("a", "c"), ("b", "c")]
    for column in ("p_henseler", "p_parametric", "p_welch", "p_permutation"):
        assert table.loc[("a", "c", "X", "Y"), column] < 0.05
        assert table.loc[("a", "b", "X", "Y"), column] > 0.05
    holm = comparison.paths(adjust="holm")
    raw = table.xs(("X", "Y"), level=("predictor", "outcome"))["p_welch"].to_numpy()
    expected = adjusted(raw, "holm")
    np.testing.assert_allclose(holm.xs(("X", "Y"), level=("predictor", "outcome"))["p_welch"], expected, rtol=1e-12)
    everything = comparison.paths(adjust="bonferroni", family="all")
    np.testing.assert_allclose(everything["p_welch"], np.minimum(1, table["p_welch"] * len(table)), rtol=1e-12)
    omnibus = comparison.omnibus()
    assert omnibus.loc[("X", "Y"), "p"] < 0.05
    assert omnibus.loc[("Z", "Y"), "p"] > 0.05
    assert comparison.distance()["p"] < 0.05
    estimates = comparison.estimates().loc[("X", "Y")]
    sizes = np.array([80, 90, 100])
    mean = (estimates * sizes).sum() / 270
    assert omnibus.loc[("X", "Y"), "between"] == pytest.approx((sizes * (estimates - mean) ** 2).sum() / 2, rel=1e-12)
    # A permutation of all three groups does as well for a pair only if the pair was dealt among itself.
    pair = pls.permute(MODEL, frame, "where", groups=("a", "b"), n=10, seed=1)
    assert pair.groups == ("a", "b")
    assert comparison.permutations["a", "b"].pooled.n_obs == 170


def test_with_two_groups_all_groups_at_once_is_the_pair():
    comparison = pls.compare_groups(MODEL, FRAME, "where", n=150, seed=1)
    pair, omnibus = comparison.paths().loc["a", "b"], comparison.omnibus()
    np.testing.assert_allclose(omnibus["p"], pair["p_permutation"], rtol=0, atol=1e-12)
    d = pair["difference"]
    np.testing.assert_allclose(omnibus["between"], d**2 * 50 * 70 / 120, rtol=1e-9)
    # F of two groups is about t² of the parametric test: they differ by terms of order 1/n.
    np.testing.assert_allclose(omnibus["f"], pair["t_parametric"] ** 2, rtol=0.05)


def test_tests_agree_with_each_other_in_large_samples():
    frame = survey(4, (400, 500), (0.5, 0.45))
    row = pls.compare_groups(MODEL, frame, "where", n=2_000, seed=1).paths().loc[("a", "b", "X", "Y")]
    # Four consistent tests of one hypothesis; 2,000 replicates give each p a standard error below 0.012.
    found = row[["p_henseler", "p_parametric", "p_welch", "p_permutation"]].astype(float)
    assert found.max() - found.min() < 0.08


def test_one_method_needs_one_kind_of_replicates():
    only = pls.compare_groups(MODEL, FRAME, "where", n=20, seed=1, methods=["permutation"])
    assert only.bootstraps == ()
    assert list(only.paths().columns) == ["first", "second", "difference", "p_permutation"]
    assert only.omnibus()["f"].isna().all()
    other = pls.compare_groups(MODEL, FRAME, "where", n=20, seed=1, methods="welch")
    assert not other.permutations
    assert "p_permutation" not in other.paths()
    assert other.n_failed == {"bootstrap a": 0, "bootstrap b": 0}
    assert repr(other) == "Comparison('a', 'b'; welch; seed=1)"


def test_every_result_has_a_report():
    test = pls.permute(MODEL, FRAME, "where", n=20, seed=1)
    assert "Permutation test of group differences" in str(test.summary())
    assert "<table>" in test.summary(tails=1).to_html()
    comparison = pls.compare_groups(MODEL, survey(2, (50, 60, 70), (0.8, 0.8, 0.1)), "where", n=20, seed=1)
    text = str(comparison.summary(adjust="holm"))
    assert "All groups at once" in text
    assert "group c" in text
    assert "Predictive power" in str(MODEL.fit(FRAME).predict(folds=5, repeats=1, seed=1).summary())
    assert "4 new" in str(MODEL.fit(FRAME).predict(FRAME.head(4)).summary())


def test_the_seed_decides_and_groups_do_not_share_draws():
    one = pls.compare_groups(MODEL, FRAME, "where", n=30, seed=1)
    two = pls.compare_groups(MODEL, FRAME, "where", n=30, seed=1, threads=2)
    assert one.paths().equals(two.paths())
    part = FRAME[FRAME["where"] == "a"]
    twins = pd.concat([part, part.assign(where="b")], ignore_index=True)
    draws = [boot.draws("paths") for boot in pls.compare_groups(MODEL, twins, "where", n=30, seed=1).bootstraps]
    assert not np.array_equal(*draws)


# ---------------------------------------------------------------------- refusals


def test_labels_may_be_an_array_numbers_or_polars():
    by_name = pls.permute(MODEL, FRAME, "where", n=5, seed=1)
    by_array = pls.permute(MODEL, FRAME, FRAME["where"].to_numpy(), n=5, seed=1)
    assert by_name.paths().equals(by_array.paths())
    polars = pytest.importorskip("polars")
    assert pls.permute(MODEL, polars.from_pandas(FRAME), "where", n=5, seed=1).paths().equals(by_name.paths())


def test_refusals_say_what_to_do():
    with pytest.raises(UnknownNameError, match="'wher'"):
        pls.permute(MODEL, FRAME, "wher")
    with pytest.raises(DataError, match="3 labels: expected one for each of the 120 rows"):
        pls.permute(MODEL, FRAME, ["a", "b", "a"])
    with pytest.raises(DataError, match="row 4 has no label"):
        pls.permute(MODEL, FRAME.assign(where=FRAME["where"].where(FRAME.index != 4)), "where")
    some = FRAME.assign(where=FRAME["where"].where(FRAME.index != 4))
    assert sum(fit.n_obs for fit in pls.permute(MODEL, some, "where", groups=("a", "b"), n=2).fits) == 119
    with pytest.raises(SpecificationError, match="expected two"):
        pls.permute(MODEL, survey(1, (40, 40, 40), (0.1, 0.1, 0.1)), "where")
    with pytest.raises(SpecificationError, match="two or more"):
        pls.compare_groups(MODEL, FRAME[FRAME["where"] == "a"], "where")
    with pytest.raises(UnknownNameError, match="'z'"):
        pls.permute(MODEL, FRAME, "where", groups=("a", "z"))
    with pytest.raises(DataError, match="does not hold every row number"):
        pls.permute(MODEL, FRAME, "where", permutations=np.zeros((2, 120), dtype=int))
    with pytest.raises(DataError, match=r"\(n, 120\)"):
        pls.permute(MODEL, FRAME, "where", permutations=np.zeros((2, 100), dtype=int))
    with pytest.raises(SpecificationError, match="n=0"):
        pls.permute(MODEL, FRAME, "where", n=0)
    with pytest.raises(SpecificationError, match="tails=3"):
        pls.permute(MODEL, FRAME, "where", n=2).table("paths", tails=3)
    with pytest.raises(DataError, match="group 'b': column 'x1' has no variance"):
        pls.micom(MODEL, FRAME.assign(x1=FRAME["x1"].where(FRAME["where"] == "a", 1.0)), "where")
    with pytest.raises(SpecificationError, match="did you mean 'welch'"):
        pls.compare_groups(MODEL, FRAME, "where", methods=["welsh"])
    with pytest.raises(DataError, match="no resamples of group 'b'"):
        pls.compare_groups(MODEL, FRAME, "where", indices={"a": np.zeros((2, 50), dtype=int)})
    three = survey(1, (40, 40, 40), (0.1, 0.1, 0.1))
    with pytest.raises(SpecificationError, match="deals rows to two groups"):
        pls.compare_groups(MODEL, three, "where", permutations=np.zeros((2, 120), dtype=int))
