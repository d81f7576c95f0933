"""PLSpredict, CVPAT and blindfolding: against the obvious way, and their refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from sembada import pls
from sembada.errors import ConvergenceError, DataError, SpecificationError, UnknownNameError, UnsupportedError

TEXT = "X =~ x1 + x2 + x3 ; Z <~ z1 + z2 ; M =~ m1 + m2 ; Y =~ y1 + y2 + y3 ; M ~ X + Z ; Y ~ M + X"
#: The engine trains from weighted moments, the oracle from the rows themselves: rounding, with Σ|Δw| < 1e-12.
SAME = 1e-9
TIGHT = {"tol": 1e-12, "max_iter": 5000}


def survey(seed=1, n=90):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    m = 0.5 * x + 0.4 * z + 0.3 * x * z + 0.7 * rng.normal(size=n)
    y = 0.6 * m + 0.2 * x + 0.7 * rng.normal(size=n)
    columns = {}
    for name, factor, count in (("x", x, 3), ("z", z, 2), ("m", m, 2), ("y", y, 3)):
        for k in range(count):
            columns[f"{name}{k + 1}"] = 3.0 + k + (1.0 + k) * (0.8 * factor + 0.6 * rng.normal(size=n))
    return pd.DataFrame(columns)


FRAME = survey()
FOLDS = np.arange(len(FRAME)) % 5


def by_hand(text, frame, folds, technique="direct", **options):
    """Fit the rows outside a fold alone, then standardise, weigh, multiply and rescale the fold's own rows."""
    model = pls.Model(text)
    outcomes = model.specification.outcomes
    order = [name for name in model.constructs if name not in outcomes] + list(outcomes)
    result = {}
    for fold in np.unique(folds):
        train, test = frame[folds != fold], frame[folds == fold]
        fit = model.fit(train, **TIGHT, **options)
        z = (test - train.mean()) / train.std()
        scores = pd.DataFrame(
            {
                name: sum(z[item] * weight for item, weight in fit.outer.loc[name, "weight"].items())
                for name in model.constructs
            }
        )
        expected = scores.copy()
        for name in sorted(outcomes, key=order.index):
            source = scores if technique == "direct" else expected
            betas = {cause: fit.paths.loc[(cause, name), "estimate"] for cause in model.specification.predictors(name)}
            expected[name] = sum(source[cause] * beta for cause, beta in betas.items())
        for name in outcomes:
            for item, loading in fit.outer.loc[name, "loading"].items():
                value = expected[name] * loading * train[item].std() + train[item].mean()
                result.setdefault((name, item), []).append(value)
    return pd.DataFrame({key: pd.concat(parts).sort_index() for key, parts in result.items()})


@pytest.mark.parametrize("technique", ["direct", "earliest"])
@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_predictions_are_those_of_the_obvious_way(technique, scheme):
    fit = pls.Model(TEXT).fit(FRAME, scheme=scheme, **TIGHT)
    prediction = fit.predict(folds=FOLDS, technique=technique)
    expected = by_hand(TEXT, FRAME, FOLDS, technique, scheme=scheme)
    actual = prediction.predictions()
    np.testing.assert_allclose(actual.to_numpy(), expected[list(actual.columns)].to_numpy(), rtol=0, atol=SAME)
    error = FRAME[[item for _, item in actual.columns]].to_numpy() - expected[list(actual.columns)].to_numpy()
    table = prediction.indicators()
    np.testing.assert_allclose(table["rmse"], np.sqrt((error**2).mean(axis=0)), rtol=SAME)
    np.testing.assert_allclose(table["mae"], np.abs(error).mean(axis=0), rtol=SAME)
    answers = FRAME[[item for _, item in actual.columns]].to_numpy()
    np.testing.assert_allclose(table["mape"], 100 * np.abs(error / answers).mean(axis=0), rtol=SAME)
    means = pd.concat([FRAME[k == FOLDS] * 0 + FRAME[k != FOLDS].mean() for k in range(5)]).sort_index()
    base = ((FRAME - means) ** 2).sum()
    np.testing.assert_allclose(
        table["q2_predict"], 1 - (error**2).sum(axis=0) / base[[item for _, item in actual.columns]], rtol=1e-8
    )


@pytest.mark.parametrize(
    ("regressors", "columns"),
    [
        ("exogenous", {"M": "x1 x2 x3 z1 z2", "Y": "x1 x2 x3 z1 z2"}),
        ("antecedents", {"M": "x1 x2 x3 z1 z2", "Y": "m1 m2 x1 x2 x3"}),
        ("others", {"M": "x1 x2 x3 z1 z2 y1 y2 y3", "Y": "x1 x2 x3 z1 z2 m1 m2"}),
    ],
)
def test_the_linear_benchmark_is_a_regression_on_the_training_rows(regressors, columns):
    prediction = pls.Model(TEXT).fit(FRAME).predict(folds=FOLDS, benchmark=regressors)
    actual = prediction.predictions("lm")
    for construct, item in actual.columns:
        for fold in range(5):
            train, test = FRAME[fold != FOLDS], FRAME[fold == FOLDS]
            names = columns[construct].split()
            design = np.column_stack([np.ones(len(train)), train[names]])
            beta = np.linalg.lstsq(design, train[item], rcond=None)[0]
            expected = np.column_stack([np.ones(len(test)), test[names]]) @ beta
            np.testing.assert_allclose(actual.loc[fold == FOLDS, (construct, item)], expected, rtol=1e-9)


def test_new_rows_are_predicted_as_a_fold_of_their_own():
    train, test = FRAME[FOLDS != 0], FRAME[FOLDS == 0]
    whole = pls.Model(TEXT).fit(FRAME, **TIGHT).predict(folds=FOLDS)
    new = pls.Model(TEXT).fit(train, **TIGHT).predict(test)
    np.testing.assert_allclose(new.predictions(), whole.predictions().loc[test.index], rtol=0, atol=SAME)
    np.testing.assert_allclose(new.scores("actual"), whole.scores("actual").loc[test.index], rtol=0, atol=SAME)
    assert new.predictions().index.equals(test.index)
    assert repr(new) == "Prediction(18 new rows, direct)"
    with pytest.raises(SpecificationError, match="new rows have no predictions in the sample"):
        new.indicators("in")


def test_new_rows_need_only_what_they_are_predicted_from():
    fit = pls.Model(TEXT).fit(FRAME)
    part = FRAME.iloc[:4]
    full = fit.predict(part)
    without = fit.predict(part.drop(columns=["y1", "y2", "y3"]))
    np.testing.assert_allclose(without.predictions(), full.predictions(), rtol=1e-12)
    assert without.indicators().loc["Y", "rmse"].isna().all()
    assert fit.predict(part[["x1", "x2", "x3", "z1", "z2"]], technique="earliest").predictions().notna().all(axis=None)
    with pytest.raises(UnknownNameError, match="m1"):
        fit.predict(part[["x1", "x2", "x3", "z1", "z2"]])
    gap = part.assign(m1=[1.0, np.nan, 2.0, 3.0])
    with pytest.raises(DataError, match="column 'm1' of the new data has no value in row 1"):
        fit.predict(gap)


def test_a_moderated_model_is_predicted_out_of_sample():
    # Each method of interaction terms: predicting a row must not depend on whether other rows are predicted with it.
    text = TEXT.replace("M ~ X + Z", "M ~ X + Z + X:Z")
    for method in ("two-stage", "product", "orthogonal"):
        model = pls.Model(text, interactions=method)
        train, test = FRAME[FOLDS != 0], FRAME[FOLDS == 0]
        whole = model.fit(FRAME, **TIGHT).predict(folds=FOLDS)
        new = model.fit(train, **TIGHT).predict(test)
        # Two-stage terms multiply scores of a first stage, which carries its rest through the product.
        np.testing.assert_allclose(new.predictions(), whole.predictions().loc[test.index], rtol=0, atol=1e-6)
        assert (whole.indicators().loc["M", "q2_predict"] > 0).all()
    better = model.fit(FRAME).predict(folds=FOLDS).constructs().loc["M", "q2_predict"]
    assert better > pls.Model(TEXT).fit(FRAME).predict(folds=FOLDS).constructs().loc["M", "q2_predict"]
    with pytest.raises(UnsupportedError, match="a product with the endogenous construct 'M'"):
        pls.Model(TEXT + " + M:X").fit(FRAME).predict(technique="earliest")


@pytest.mark.parametrize("approach", ["two-stage", "repeated", "embedded"])
def test_indicators_of_a_higher_order_construct_are_predicted(approach):
    text = "X =~ x1 + x2 + x3 ; M =~ m1 + m2 ; Y =~ y1 + y2 + y3 ; H =~ M + Y ; H ~ X"
    fit = pls.Model(text).fit(FRAME, higher_order=approach, scheme="factorial", **TIGHT)
    prediction = fit.predict(folds=FOLDS)
    table = prediction.indicators()
    assert list(table.loc["H"].index) == ["m1", "m2", "y1", "y2", "y3"]
    assert (table.loc["H", "q2_predict"] > 0).all()
    if approach == "two-stage":
        # Along the chain: construct → dimension → indicator, each by its loading.
        train = FRAME[FOLDS != 0]
        own = pls.Model(text).fit(train, scheme="factorial", **TIGHT)
        outer, beta = own.outer["loading"], own.paths.loc[("X", "H"), "estimate"]
        z = (FRAME - train.mean()) / train.std()
        score = sum(z[item] * own.outer.loc[("X", item), "weight"] for item in ("x1", "x2", "x3"))
        chain = outer["H"].iloc[0] * outer["M", "m1"] * train["m1"].std()
        expected = (score * beta * chain + train["m1"].mean())[FOLDS == 0]
        np.testing.assert_allclose(prediction.predictions().loc[FOLDS == 0, ("H", "m1")], expected, rtol=1e-8)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50), st.floats(-20, 20), st.sampled_from(["direct", "earliest"]))
def test_units_of_an_answer_change_its_errors_only(seed, scale, shift, technique):
    frame = survey(seed, 60)
    folds = np.arange(60) % 4
    try:
        one = pls.Model(TEXT).fit(frame, **TIGHT).predict(folds=folds, technique=technique)
    except ConvergenceError:
        # Weights of blocks that hardly hang together may go to and fro for ever.
        reject()
    turned = frame.assign(y2=frame["y2"] * scale + shift, x1=frame["x1"] * scale + shift)
    two = pls.Model(TEXT).fit(turned, **TIGHT).predict(folds=folds, technique=technique)
    a, b = one.indicators(), two.indicators()
    for column in ("q2_predict",):
        np.testing.assert_allclose(a[column], b[column], rtol=0, atol=1e-7)
    for column in ("rmse", "mae", "rmse_lm", "mae_ia"):
        expected = a[column].where(a.index != ("Y", "y2"), a[column] * scale)
        np.testing.assert_allclose(b[column], expected, rtol=1e-6)
    np.testing.assert_allclose(one.constructs(), two.constructs(), rtol=0, atol=1e-7)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 3))
def test_every_row_is_left_out_once_in_runs_that_differ_by_one(seed, folds, repeats):
    prediction = pls.Model(TEXT).fit(survey(1, 60)).predict(folds=folds, repeats=repeats, seed=seed)
    assert prediction.folds.shape == (1 if folds == 60 else repeats, 60)
    for row in prediction.folds:
        counts = np.bincount(row, minlength=folds)
        assert len(counts) == folds
        assert counts.max() - counts.min() <= 1
    again = pls.Model(TEXT).fit(survey(1, 60)).predict(folds=folds, repeats=repeats, seed=seed)
    assert again.indicators().equals(prediction.indicators())


def test_repeats_average_predictions_or_metrics():
    fit = pls.Model(TEXT).fit(FRAME)
    single = [fit.predict(folds=row).indicators() for row in fit.predict(repeats=3, seed=5).folds]
    mean = fit.predict(repeats=3, seed=5, average="metrics").indicators()
    np.testing.assert_allclose(mean, sum(single) / 3, rtol=1e-12)
    averaged = fit.predict(repeats=3, seed=5).indicators()
    # The error of a mean is at most the mean of the errors (Jensen).
    assert (averaged["rmse"] <= mean["rmse"] + 1e-12).all()


def test_missing_answers_take_means_of_the_training_rows():
    holes = FRAME.copy()
    holes.loc[0, "x1"] = holes.loc[3, "y1"] = np.nan
    prediction = pls.Model(TEXT).fit(holes, missing="mean", **TIGHT).predict(folds=FOLDS)
    train = holes[FOLDS != 0]
    filled = holes.fillna(train.mean())
    expected = pls.Model(TEXT).fit(train.fillna(train.mean()), **TIGHT).predict(filled[FOLDS == 0])
    np.testing.assert_allclose(prediction.predictions().loc[FOLDS == 0], expected.predictions(), rtol=0, atol=SAME)
    # An answer that is not there has no error.
    assert np.isnan(prediction.errors().loc[3, ("Y", "y1")])
    listwise = pls.Model(TEXT).fit(holes, missing="listwise").predict(folds=FOLDS)
    assert listwise.predictions().loc[[0, 3]].isna().all(axis=None)
    assert listwise.predictions().notna().all(axis=1).sum() == len(FRAME) - 2


@pytest.mark.parametrize("missing", ["regression", "em"])
def test_missing_answers_are_completed_from_the_training_rows(missing):
    holes = FRAME.mask(np.random.default_rng(1).random(FRAME.shape) < 0.01)
    model = pls.Model(TEXT)
    prediction = model.fit(holes, missing=missing, **TIGHT).predict(folds=FOLDS)
    train = holes[FOLDS != 0]
    new = model.fit(train, missing=missing, **TIGHT).predict(holes[FOLDS == 0])
    # EM settles to its own tolerance, from other starting values.
    for source in ("pls", "lm"):
        np.testing.assert_allclose(
            prediction.predictions(source).loc[FOLDS == 0], new.predictions(source), rtol=0, atol=1e-5
        )
    whole = model.fit(FRAME, **TIGHT).predict(folds=FOLDS).indicators()
    np.testing.assert_allclose(prediction.indicators()["q2_predict"], whole["q2_predict"], rtol=0, atol=0.1)
    assert np.isnan(prediction.errors().to_numpy()[holes[[c for _, c in prediction.errors()]].isna()]).all()


def test_pairwise_moments_feedback_and_own_units_are_predicted_fold_by_fold():
    train, test = FRAME[FOLDS != 0], FRAME[FOLDS == 0]
    for options in ({"missing": "pairwise"}, {"scaling": "raw"}):
        model = pls.Model(TEXT)
        whole = model.fit(FRAME, **options, **TIGHT).predict(folds=FOLDS)
        new = model.fit(train, **options, **TIGHT).predict(test)
        np.testing.assert_allclose(new.predictions(), whole.predictions().loc[test.index], rtol=0, atol=SAME)
    loop = pls.Model("P =~ x1\nQ =~ y1\nX =~ m1\nZ =~ z1\nP ~ Q + X\nQ ~ P + Z", equations="2sls")
    whole, new = loop.fit(FRAME).predict(folds=FOLDS), loop.fit(train).predict(test)
    np.testing.assert_allclose(new.predictions(), whole.predictions().loc[test.index], rtol=0, atol=SAME)
    with pytest.raises(UnsupportedError, match="with a loop nothing comes first"):
        loop.fit(FRAME).predict(technique="earliest")


def test_row_weights_of_two_are_two_rows():
    weights = np.where(np.arange(len(FRAME)) % 3 == 0, 2.0, 1.0)
    doubled = FRAME.loc[FRAME.index.repeat(weights.astype(int))]
    one = pls.Model(TEXT).fit(FRAME, weights=weights, **TIGHT).predict(folds=FOLDS)
    two = pls.Model(TEXT).fit(doubled, **TIGHT).predict(folds=np.repeat(FOLDS, weights.astype(int)))
    np.testing.assert_allclose(one.indicators(), two.indicators(), rtol=1e-8)


def test_a_consistent_fit_predicts_from_its_composites():
    plain, consistent = (pls.Model(TEXT).fit(FRAME, consistent=word) for word in (False, True))
    assert plain.predict(folds=FOLDS).indicators().equals(consistent.predict(folds=FOLDS).indicators())
    assert consistent.predict(folds=FOLDS).provenance.options["consistent"] is False


def test_a_fold_that_fails_is_a_gap_with_a_reason():
    frame = FRAME.assign(x1=np.where(FOLDS == 2, FRAME["x1"], 1.0))
    prediction = pls.Model(TEXT).fit(frame).predict(folds=FOLDS)
    assert prediction.n_failed == 1
    assert prediction.status.loc[0, 2] == "zero variance"
    assert prediction.predictions().isna().all(axis=1).sum() == (FOLDS == 2).sum()
    assert prediction.indicators().loc["Y", "rmse"].notna().all()


def test_power_counts_indicators_that_beat_the_regression():
    table = pls.Model(TEXT).fit(FRAME).predict(folds=FOLDS).power()
    assert list(table.columns) == ["n_indicators", "n_positive", "n_better", "power"]
    for _, row in table.iterrows():
        share = row["n_better"] / row["n_indicators"]
        assert row["power"] == ("high" if share == 1 else "medium" if share >= 0.5 else "low" if share else "none")


def test_a_prediction_pickles_and_says_what_it_is():
    prediction = pls.Model(TEXT).fit(FRAME).predict(folds=5, repeats=2, seed=3)
    assert repr(prediction) == "Prediction(5 folds, 2 repeats, direct, seed=3)"
    again = pickle.loads(pickle.dumps(prediction))
    assert again.indicators().equals(prediction.indicators())
    assert again.indicators("in").equals(prediction.indicators("in"))
    assert prediction.provenance.options["folds"] == 5


def test_refusals_say_what_to_do():
    fit = pls.Model(TEXT).fit(FRAME)
    with pytest.raises(SpecificationError, match="folds=1: expected a number from 2 to the 90 rows"):
        fit.predict(folds=1)
    with pytest.raises(SpecificationError, match="repeats=0"):
        fit.predict(repeats=0)
    with pytest.raises(DataError, match="one fold a row"):
        fit.predict(folds=[0, 1, 2])
    with pytest.raises(DataError, match="all rows into one fold"):
        fit.predict(folds=np.zeros(90, dtype=int))
    with pytest.raises(SpecificationError, match="did you mean 'direct'"):
        fit.predict(technique="dirct")
    with pytest.raises(UnsupportedError, match="no paths"):
        pls.Model("X =~ x1 + x2 ; Y =~ y1 + y2 ; X ~~ Y").fit(FRAME).predict()
    with pytest.raises(UnsupportedError, match="in their own units"):
        pls.Model(TEXT).fit(FRAME.round(), correlation="spearman").predict()
    with pytest.raises(DataError, match="same data"):
        pls.cvpat(fit, pls.Model(TEXT).fit(FRAME.iloc[:50]).predict(folds=5, seed=1))


def test_cvpat_of_a_model_with_itself_finds_no_difference():
    fit = pls.Model(TEXT).fit(FRAME)
    table = pls.cvpat(fit, fit, seed=1)
    assert (table["difference"] == 0).all()
    assert table["p"].isna().all()


def test_cvpat_turns_its_sign_with_the_models_and_halves_p_with_one_tail():
    one = pls.Model(TEXT).fit(FRAME)
    two = pls.Model(TEXT.replace("Y ~ M + X", "Y ~ M")).fit(FRAME)
    folds = one.predict(seed=2, repeats=1).folds
    there, back = pls.cvpat(one, two, folds=folds), pls.cvpat(two, one, folds=folds)
    np.testing.assert_allclose(there["t"], -back["t"], rtol=1e-10)
    tail = pls.cvpat(one, two, folds=folds, tails=1)
    np.testing.assert_allclose(np.minimum(tail["p"], 1 - tail["p"]) * 2, there["p"], rtol=1e-10)
    by_item = pls.cvpat(one, two, folds=folds, overall="indicators").loc["Overall", "loss"]
    losses = one.predict(folds=folds).losses().mean()
    assert by_item == pytest.approx((2 * losses["M"] + 3 * losses["Y"]) / 5, rel=1e-12)


def test_blindfolding_is_the_obvious_loop_over_cells():
    model = pls.Model(TEXT)
    fit = model.fit(FRAME, **TIGHT)
    table = fit.blindfold(7)
    items = ["m1", "m2"]
    n = len(FRAME)
    sso = red = com = 0.0
    for out in range(7):
        holes = FRAME.copy()
        cells = [(i, item) for k, item in enumerate(items) for i in range(n) if (k * n + i) % 7 == out]
        for i, item in cells:
            holes.loc[i, item] = np.nan
        part = model.fit(holes.fillna(holes.mean()), **TIGHT)
        scores, filled = part.scores(), holes.fillna(holes.mean())
        for i, item in cells:
            actual = (FRAME.loc[i, item] - filled[item].mean()) / filled[item].std()
            loading = part.outer.loc[("M", item), "loading"]
            beta = part.paths["estimate"]
            sso += actual**2
            com += (actual - loading * scores.loc[i, "M"]) ** 2
            expected = beta["X", "M"] * scores.loc[i, "X"] + beta["Z", "M"] * scores.loc[i, "Z"]
            red += (actual - loading * expected) ** 2
    row = table.loc["M"]
    assert row["sso"] == pytest.approx(sso, rel=1e-9)
    assert row["q2_redundancy"] == pytest.approx(1 - red / sso, abs=1e-9)
    assert row["q2_communality"] == pytest.approx(1 - com / sso, abs=1e-9)
    assert np.isnan(table.loc["X", "q2_redundancy"])


def test_blindfolding_refuses_a_distance_that_takes_whole_rows_out():
    with pytest.raises(SpecificationError, match="divides the 90 rows"):
        pls.Model(TEXT).fit(FRAME).blindfold(9)
    with pytest.raises(SpecificationError, match="expected a whole number from 2"):
        pls.Model(TEXT).fit(FRAME).blindfold(1)
    with pytest.raises(UnsupportedError, match="row weights"):
        pls.Model(TEXT).fit(FRAME, weights=np.ones(90)).blindfold()
