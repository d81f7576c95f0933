"""Polychoric, polyserial and rank correlations, and ordinal PLS."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oracle.prepare import bivariate, spearman
from sembada import errors, pls
from sembada.pls.ordinal import is_ordinal, polychoric

CUTS = [-1.2, -0.3, 0.4, 1.1]


def latent(n=20_000, seed=1):
    target = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, -0.5], [0.3, -0.5, 1.0]])
    return target, np.random.default_rng(seed).multivariate_normal(np.zeros(3), target, size=n)


@pytest.mark.parametrize("rho", [-0.99, -0.6, 0.0, 0.3, 0.9, 0.995])
def test_the_bivariate_normal_is_scipys(rho):
    points = np.array([[-1.5, 0.2], [0.0, 0.0], [2.0, -0.7], [1.0, 1.1]])
    ours = bivariate(points[:, 0], points[:, 1], np.full(4, rho))
    theirs = [stats.multivariate_normal.cdf(point, [0, 0], [[1, rho], [rho, 1]]) for point in points]
    # scipy integrates to about 1e-6 by default here.
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_polychoric_finds_the_correlation_behind_the_answers():
    target, x = latent()
    answers = np.column_stack([np.digitize(x[:, 0], CUTS), np.digitize(x[:, 1], [0.5]), np.digitize(x[:, 2], CUTS[:2])])
    found = polychoric(answers.astype(float), list("abc"))
    # Standard errors at n = 20,000 are below 0.01.
    np.testing.assert_allclose(found, target, atol=0.035)
    assert abs(np.corrcoef(answers.T)[0, 1]) < 0.55


def test_polyserial_finds_the_correlation_behind_mixed_answers():
    target, x = latent()
    mixed = x * [1.0, 3.0, 1.0] + [0.0, 50.0, 0.0]
    mixed[:, 0] = np.digitize(x[:, 0], CUTS)
    found = polychoric(mixed, list("abc"))
    np.testing.assert_allclose(found, target, atol=0.03)
    assert list(is_ordinal(mixed)) == [True, False, False]


def test_each_correlation_is_where_the_likelihood_is_flat():
    _, x = latent(500)
    a, b = np.digitize(x[:, 0], CUTS), np.digitize(x[:, 1], CUTS[1:])
    rho = polychoric(np.column_stack([a, b]).astype(float), ["a", "b"])[0, 1]

    def likelihood(r):
        total = 0.0
        for i in range(5):
            for j in range(4):
                count = ((a == i) & (b == j)).sum()
                h = stats.norm.ppf([(a < i).mean(), (a <= i).mean()])
                k = stats.norm.ppf([(b < j).mean(), (b <= j).mean()])
                box = [bivariate(np.array(u), np.array(v), np.array(r)) for u in h for v in k]
                total += count * np.log(max(box[3] - box[2] - box[1] + box[0], 1e-300))
        return total

    assert likelihood(rho) > max(likelihood(rho - 1e-3), likelihood(rho + 1e-3))


def test_weights_count_as_repeated_rows():
    _, x = latent(200)
    answers = np.column_stack([np.digitize(column, CUTS) for column in x.T]).astype(float)
    answers[:, 2] = x[:, 2]
    counts = np.arange(200) % 3
    np.testing.assert_allclose(
        polychoric(answers, list("abc"), np.array([True, True, False]), counts.astype(float)),
        polychoric(np.repeat(answers, counts, axis=0), list("abc"), np.array([True, True, False])),
        atol=1e-8,
    )
    ranks = spearman(answers, counts.astype(float))
    np.testing.assert_array_equal(
        ranks[np.repeat(np.arange(200), counts)], spearman(np.repeat(answers, counts, axis=0))
    )


def test_a_matrix_of_pairs_becomes_positive_definite():
    rng = np.random.default_rng(3)
    factor = rng.normal(size=60)
    answers = np.column_stack([np.digitize(factor + 0.1 * rng.normal(size=60), [0.0]) for _ in range(6)]).astype(float)
    found = polychoric(answers, list("abcdef"))
    assert np.linalg.eigvalsh(found)[0] > 0
    np.testing.assert_allclose(np.diag(found), 1.0)


def test_one_answer_only_is_refused_by_name():
    with pytest.raises(errors.DataError, match="'b'"):
        polychoric(np.column_stack([np.arange(5.0), np.ones(5)]), ["a", "b"], np.array([True, True]))


def test_ordinal_pls_repairs_what_coarse_answers_hide():
    rng = np.random.default_rng(5)
    n = 4000
    x = rng.normal(size=n)
    y = 0.6 * x + 0.8 * rng.normal(size=n)
    columns = {}
    for name, factor in (("x", x), ("y", y)):
        for k in range(3):
            columns[f"{name}{k}"] = np.digitize(0.8 * factor + 0.6 * rng.normal(size=n), [0.6, 1.4])
    frame = pd.DataFrame(columns)
    model = pls.Model("X =~ x0+x1+x2\nY =~ y0+y1+y2\nY ~ X")
    ordinal = model.fit(frame, correlation="polychoric", consistent=True)
    plain = model.fit(frame, consistent=True)
    # OrdPLSc recovers path and loadings of the population; standard errors are about 0.02.
    assert ordinal.paths["estimate"].iloc[0] == pytest.approx(0.6, abs=0.05)
    np.testing.assert_allclose(ordinal.outer["loading"], 0.8, atol=0.05)
    assert (plain.outer["loading"] < 0.74).all()
    np.testing.assert_allclose(
        ordinal._result["correlations"], polychoric(frame.to_numpy(float), list(frame)), atol=1e-9
    )
    boot = model.fit(frame.iloc[:300], correlation="polychoric").bootstrap(20, seed=1)
    assert boot.n_failed == 0
    again = model.fit(frame.iloc[:300], correlation="polychoric").bootstrap(20, seed=1)
    pd.testing.assert_frame_equal(boot.paths(), again.paths())


def test_rank_correlations_are_spearmans():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(rng.normal(size=(80, 4)), columns=list("abcd"))
    frame["b"] += frame["a"]
    frame["c"] += frame["a"]
    frame["d"] += frame["c"]
    model = pls.Model("X =~ a + b\nY =~ c + d\nY ~ X")
    ranked = model.fit(frame, correlation="spearman")
    np.testing.assert_allclose(ranked._result["correlations"], frame.corr(method="spearman"), atol=1e-12)
    wild = frame.copy()
    wild.loc[wild["a"].idxmax(), "a"] = 1e6
    pd.testing.assert_frame_equal(model.fit(wild, correlation="spearman").paths, ranked.paths)


def test_options_that_do_not_go_together_are_refused():
    frame = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (30, 4)).astype(float), columns=list("abcd"))
    model = pls.Model("X =~ a + b\nY =~ c + d\nY ~ X")
    with pytest.raises(errors.SpecificationError, match="listwise"):
        model.fit(frame, correlation="polychoric", missing="mean")
    with pytest.raises(errors.UnknownNameError, match="'e'"):
        model.fit(frame, correlation="polychoric", ordinal=["e"])
    frame.loc[3, "b"] = np.nan
    with pytest.raises(errors.DataError, match="row 3"):
        model.fit(frame, correlation="polychoric")
    fit = model.fit(frame, correlation="spearman", missing="listwise")
    assert fit.n_obs == 29
    assert fit.scores().loc[3].isna().all()
