"""The engine's cross-validation is the slow one, fold by fold."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sembada import _core, pls
from sembada.pls.crossvalidation import cross_validate, step_by_step
from sembada.pls.prediction import rows_of
from sembada.pls.predictor import Predictor
from unit.test_pls_prediction import FOLDS, FRAME, TEXT, TIGHT

#: One subtracts a fold's sums from all, the other adds the training rows up: rounding, with Σ|Δw| < 1e-12.
SAME = 1e-9
HIGHER = "X =~ x1 + x2 + x3 ; M =~ m1 + m2 ; Y =~ y1 + y2 + y3 ; H =~ M + Y ; H ~ X"


def both(fit, folds, technique="direct", benchmark="exogenous", **options):
    predictor, rows = Predictor.of(fit, technique, benchmark), rows_of(fit, "training")
    assert predictor.is_plain(rows)
    folds = np.atleast_2d(np.asarray(folds, dtype=np.int64))
    options = {"average": "training"} | options
    return cross_validate(predictor, rows, folds, **options), step_by_step(predictor, rows, folds, **options)


def assert_same(fast, slow, atol=SAME):
    for name in ("predictions", "metrics", "losses"):
        for source, expected in getattr(slow, name).items():
            np.testing.assert_allclose(getattr(fast, name)[source], expected, rtol=atol, atol=atol, err_msg=name)
    for ours, expected in zip(fast.scores, slow.scores, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=atol, atol=atol)
    np.testing.assert_allclose(fast.score_metrics, slow.score_metrics, rtol=atol, atol=atol)
    assert np.array_equal(fast.status, slow.status)
    assert np.array_equal(fast.failed, slow.failed)


@pytest.mark.parametrize("in_sample", [False, True])
@pytest.mark.parametrize("benchmark_of", ["exogenous", "antecedents", "others"])
@pytest.mark.parametrize("technique", ["direct", "earliest"])
def test_a_plain_model(technique, benchmark_of, in_sample):
    fit = pls.Model(TEXT).fit(FRAME, **TIGHT)
    folds = np.stack([FOLDS, FOLDS[::-1], np.arange(90) * 2 // 90])
    assert_same(*both(fit, folds, technique, benchmark_of, in_sample=in_sample))


@pytest.mark.parametrize("method", ["two-stage", "product", "orthogonal"])
def test_a_moderated_model(method):
    text = TEXT.replace("M ~ X + Z", "M ~ X + Z + X:Z")
    fit = pls.Model(text, interactions=method).fit(FRAME, **TIGHT)
    assert_same(*both(fit, FOLDS), atol=1e-6 if method == "two-stage" else 1e-8)


@pytest.mark.parametrize("approach", ["two-stage", "repeated", "embedded"])
def test_a_higher_order_model(approach):
    fit = pls.Model(HIGHER).fit(FRAME, higher_order=approach, scheme="factorial", **TIGHT)
    assert_same(*both(fit, FOLDS), atol=1e-8)


@pytest.mark.parametrize("missing", ["mean", "listwise"])
def test_missing_answers_and_row_weights(missing):
    holes = FRAME.mask(np.random.default_rng(1).random(FRAME.shape) < 0.03)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pls.Model(TEXT).fit(holes, missing=missing, weights=np.linspace(0.5, 2.0, 90), **TIGHT)
    for average in ("training", "sample"):
        assert_same(*both(fit, FOLDS, average=average))


def test_folds_that_fail_and_regressors_that_say_nothing():
    frame = FRAME.assign(
        x1=np.where(FOLDS == 2, FRAME["x1"], 1.0), z2=2 * FRAME["z1"] - 1, y1=np.where(FOLDS == 1, 0.0, FRAME["y1"])
    )
    # Mode A bears collinear indicators; the regression on them has no single solution, but one prediction.
    fit = pls.Model(TEXT.replace("<~", "=~")).fit(frame, **TIGHT)
    fast, slow = both(fit, FOLDS)
    assert_same(fast, slow, atol=1e-7)
    assert fast.failed.sum() == 1
    assert np.isnan(fast.metrics["pls"][0, 3, 2])


def test_a_fold_larger_than_what_is_left():
    fit = pls.Model(TEXT).fit(FRAME, **TIGHT)
    assert_same(*both(fit, np.where(np.arange(90) < 70, 0, -1)))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 90))
def test_any_folds(seed, count):
    rng = np.random.default_rng(seed)
    folds = rng.permutation(np.arange(90) * count // 90)
    fit = pls.Model(TEXT).fit(FRAME, **TIGHT)
    assert_same(*both(fit, folds))


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_change_a_bit(threads):
    fit = pls.Model(TEXT).fit(FRAME)
    one, many = (fit.predict(repeats=3, seed=4, threads=count) for count in (1, threads))
    assert one.indicators().equals(many.indicators())
    assert one.predictions().equals(many.predictions())
    assert one.losses("lm").equals(many.losses("lm"))


def test_progress_is_reported_and_may_stop_the_call():
    fit = pls.Model(TEXT).fit(FRAME)
    seen = []
    fit.predict(repeats=2, seed=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (20, 20)


def test_bootstrap_means_are_means_of_drawn_values():
    values = np.stack([np.arange(7.0), np.ones(7)])
    means = _core.philox_bootstrap_means((3, 4), values, 5)
    for replicate in range(5):
        places = _core.philox_index((3, 4), [0, 0, replicate, 0], 7, 7)
        assert means[replicate, 0] == pytest.approx(places.mean(), abs=1e-15)
        assert means[replicate, 1] == 1.0
