"""What must not change a PLS model, and what must change it in a known way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracle import pls as oracle
from sembada import pls

TEXT = "X =~ x1 + x2 + x3 ; Z <~ z1 + z2 ; M =~ m1 + m2 ; Y =~ y1 + y2 + y3 ; M ~ X + Z ; Y ~ M + X"
BLOCKS = {"X": ["x1", "x2", "x3"], "Z": ["z1", "z2"], "M": ["m1", "m2"], "Y": ["y1", "y2", "y3"]}
PATHS = [("X", "M"), ("Z", "M"), ("M", "Y"), ("X", "Y")]
MODEL = pls.Model(TEXT)
#: The same problem in another order: only rounding differs, amplified by the condition of the blocks.
SAME = 1e-9


@st.composite
def surveys(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    n = draw(st.integers(40, 120))
    likert = draw(st.booleans())
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    m = 0.5 * x + 0.4 * z + 0.7 * rng.normal(size=n)
    y = 0.6 * m + 0.2 * x + 0.7 * rng.normal(size=n)
    columns = {}
    for name, factor, count in (("x", x, 3), ("z", z, 2), ("m", m, 2), ("y", y, 3)):
        for k in range(count):
            values = 0.8 * factor + 0.6 * rng.normal(size=n)
            columns[f"{name}{k + 1}"] = np.clip(np.rint(1.3 * values + 4), 1, 7) if likert else values
    frame = pd.DataFrame(columns)
    assume((frame.std() > 0.1).all())
    return frame


def fit(frame, **options):
    return MODEL.fit(frame, **({"tol": 1e-12, "max_iter": 5000} | options))


def assert_same(left, right, atol=SAME):
    for name in ("paths", "outer", "effects"):
        a, b = getattr(left, name), getattr(right, name)
        np.testing.assert_allclose(a.to_numpy(float), b.loc[a.index, a.columns].to_numpy(float), rtol=atol, atol=atol)
    a, b = (table.constructs.drop(columns="mode") for table in (left, right))
    np.testing.assert_allclose(a.to_numpy(float), b.to_numpy(float), rtol=0, atol=atol)


@settings(deadline=None, max_examples=15)
@given(surveys(), st.integers(0, 2**32 - 1), st.sampled_from(["path", "factorial", "centroid"]))
def test_row_and_column_order_do_not_matter(frame, seed, scheme):
    rng = np.random.default_rng(seed)
    shuffled = frame.iloc[rng.permutation(len(frame))]
    turned = shuffled[list(rng.permutation(frame.columns))]
    one, two = fit(frame, scheme=scheme), fit(turned, scheme=scheme)
    assert_same(one, two)
    np.testing.assert_allclose(one.scores().loc[turned.index], two.scores(), rtol=0, atol=SAME)


@settings(deadline=None, max_examples=15)
@given(surveys(), st.floats(0.01, 100), st.floats(-50, 50), st.sampled_from(["x2", "z1", "y3"]))
def test_units_of_an_indicator_do_not_matter(frame, factor, shift, column):
    changed = frame.assign(**{column: frame[column] * factor + shift})
    # A shift of 50 against a spread of 0.01 loses four digits before the engine sees the data.
    assert_same(fit(frame), fit(changed), atol=1e-7)


@settings(deadline=None, max_examples=10)
@given(surveys(), st.sampled_from(["z1", "x1", "y2"]))
def test_a_reversed_indicator_turns_only_its_own_signs(frame, column):
    one, two = fit(frame), fit(frame.assign(**{column: -frame[column]}))
    # From equal start weights a reversed item can lead to the mirrored fixed point of its construct.
    sign = {
        name: np.sign(one.scores()[name] @ two.scores()[name])
        for name in BLOCKS
        if abs(one.scores()[name] @ two.scores()[name]) > 0.999 * (one.n_obs - 1)
    }
    assume(len(sign) == len(BLOCKS))
    for (source, target), row in one.paths.iterrows():
        assert two.paths.loc[(source, target), "estimate"] * sign[source] * sign[target] == pytest.approx(
            row["estimate"], abs=1e-8
        )
    for (construct, item), row in one.outer.iterrows():
        flip = sign[construct] * (-1 if item == column else 1)
        assert two.outer.loc[(construct, item), "loading"] * flip == pytest.approx(row["loading"], abs=1e-8)


@settings(deadline=None, max_examples=15)
@given(surveys(), st.integers(0, 2**32 - 1))
def test_weights_count_as_repeated_rows(frame, seed):
    counts = np.random.default_rng(seed).integers(0, 4, len(frame))
    assume((counts > 0).sum() > 25)
    repeated = frame.loc[np.repeat(frame.index, counts)]
    assume((repeated.std() > 0.1).all())
    weighted = fit(frame, weights=counts)
    assert_same(weighted, fit(repeated))
    assert weighted.n_obs == counts.sum()


@settings(deadline=None, max_examples=15)
@given(surveys(), st.sampled_from(["path", "factorial", "centroid"]))
def test_the_engine_is_the_slow_oracle(frame, scheme):
    data = {name: frame[name].to_numpy(float) for name in frame}
    modes = {"X": "A", "Z": "B", "M": "A", "Y": "A"}
    slow = oracle.estimate(data, BLOCKS, PATHS, modes, scheme=scheme)
    fast = fit(frame, scheme=scheme)
    for pair, value in slow.coefficients.items():
        assert fast.paths.loc[pair, "estimate"] == pytest.approx(value, abs=SAME)
        assert fast.paths.loc[pair, "f2"] == pytest.approx(slow.f2()[pair], abs=SAME)
        assert fast.paths.loc[pair, "vif"] == pytest.approx(slow.vif()[pair], abs=SAME)
    for construct, block in BLOCKS.items():
        for k, item in enumerate(block):
            assert fast.outer.loc[(construct, item), "weight"] == pytest.approx(slow.weights[construct][k], abs=SAME)
            assert fast.outer.loc[(construct, item), "vif"] == pytest.approx(
                slow.vif_items()[construct, item], rel=1e-7
            )
    for (left, right), value in slow.htmt().items():
        assert fast.htmt().loc[left, right] == pytest.approx(value, abs=SAME)
    # A geometric mean turns the rounding of a correlation that is exactly zero into a visible number.
    if frame.corr().abs().to_numpy().min() > 1e-9:
        for (left, right), value in slow.htmt(geometric=True).items():
            assert fast.htmt2().loc[left, right] == pytest.approx(value, rel=1e-7)


@settings(deadline=None, max_examples=10)
@given(surveys(), st.integers(0, 2**63))
def test_given_indices_and_single_fits_agree(frame, seed):
    rows = np.random.default_rng(seed).integers(0, len(frame), (4, len(frame)))
    assume(all((frame.iloc[row].std() > 0.1).all() for row in rows))
    base = fit(frame)
    boot = base.bootstrap(indices=rows)
    for number, row in enumerate(rows):
        alone = fit(frame.iloc[row])
        np.testing.assert_allclose(boot.draws("paths").iloc[number], alone.paths["estimate"], rtol=0, atol=SAME)
        np.testing.assert_allclose(boot.draws("loadings").iloc[number], alone.outer["loading"], rtol=0, atol=SAME)
        np.testing.assert_allclose(boot.draws("r2").iloc[number], alone.constructs["r2"].dropna(), rtol=0, atol=SAME)


@settings(deadline=None, max_examples=10)
@given(surveys(), st.integers(0, 2**63))
def test_equal_resamples_give_equal_draws_wherever_they_stand(frame, seed):
    rng = np.random.default_rng(seed)
    row = rng.integers(0, len(frame), len(frame))
    assume((frame.iloc[row].std() > 0.1).all())
    rows = rng.integers(0, len(frame), (40, len(frame)))
    rows[[0, 17, 39]] = row
    rows[23] = rng.permutation(row)
    base = fit(frame, tol=1e-7)
    draws = base.bootstrap(indices=rows).draws("paths")
    for number in (17, 39, 23):
        # The order of the rows of a resample does not matter either: it is a set of counts.
        np.testing.assert_array_equal(draws.iloc[number], draws.iloc[0])


@settings(deadline=None, max_examples=10)
@given(surveys(), st.integers(0, 2**63), st.sampled_from(["bootstrap", "bayesian"]))
def test_a_seed_fixes_the_draws_and_a_longer_run_begins_with_them(frame, seed, method):
    base = fit(frame, tol=1e-7)
    short = base.bootstrap(20, seed=seed, method=method).draws("paths")
    long = base.bootstrap(35, seed=seed, method=method).draws("paths")
    pd.testing.assert_frame_equal(short, long.iloc[:20])
    assert not short.equals(base.bootstrap(20, seed=seed + 1, method=method).draws("paths"))


@settings(deadline=None, max_examples=10)
@given(surveys())
def test_identities_of_the_tables(frame):
    result = fit(frame)
    effects = result.effects
    np.testing.assert_allclose(effects["total"], effects["direct"] + effects["indirect"], rtol=0, atol=1e-14)
    scores = result.scores()
    np.testing.assert_allclose(scores.mean(), 0, atol=1e-10)
    np.testing.assert_allclose(scores.std(), 1, rtol=1e-10)
    np.testing.assert_allclose(scores.corr(), result.construct_correlations(), rtol=0, atol=1e-10)
    for (construct, item), row in result.outer.iterrows():
        assert row["loading"] == pytest.approx(np.corrcoef(frame[item], scores[construct])[0, 1], abs=1e-10)
        assert result.cross_loadings().loc[item, construct] == pytest.approx(row["loading"], abs=1e-10)
    for outcome in ("M", "Y"):
        x = scores[list(MODEL.specification.predictors(outcome))]
        slope, residual = np.linalg.lstsq(x, scores[outcome], rcond=None)[:2]
        np.testing.assert_allclose(result.paths.xs(outcome, level="outcome")["estimate"], slope, atol=1e-9)
        assert result.constructs.loc[outcome, "r2"] == pytest.approx(1 - residual[0] / (len(frame) - 1), abs=1e-9)


@settings(deadline=None, max_examples=10)
@given(surveys(), st.booleans())
def test_coefficients_in_original_units_are_the_regression_of_original_scores(frame, rescaled):
    result = fit(frame.assign(x2=frame["x2"] * 3 + 10))
    assume((result.outer["weight"] > 0).all())
    scale = "0-100" if rescaled else "original"
    scores = result.scores(scale=scale)
    if rescaled:
        assert scores.to_numpy().min() >= -1e-9
        assert scores.to_numpy().max() <= 100 + 1e-9
    b = result.unstandardised(scale=scale).xs("Y", level="outcome")
    x = np.column_stack([np.ones(len(frame)), scores[["M", "X"]]])
    slope = np.linalg.lstsq(x, scores["Y"], rcond=None)[0]
    np.testing.assert_allclose(b["estimate"], slope[1:], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(b["intercept"], slope[0], rtol=1e-6, atol=1e-6)
