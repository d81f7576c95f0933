"""Predictions and the predictive ability test agree with seminr and seminrExtras, fold by fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from golden import pls_cases as cases
from golden.test_pls_reference import fit_of, model_of
from sembada import pls

#: Both train to Σ|Δw| < 1e-12 on the same folds; what is left is rounding.
SAME = 1e-10
TECHNIQUE = {"DA": "direct", "EA": "earliest"}
CASES = ["v01_mobi_ecsi_path", "v03_corp_rep_simple", "v04_corp_rep_extended"]
#: seminr completes once from the whole sample and regresses on the items of all other constructs.
SEMINR = {"benchmark": "others", "completion": "sample"}


@pytest.mark.parametrize("word", TECHNIQUE)
@pytest.mark.parametrize("name", CASES)
def test_predictions_agree_with_seminr(name, word):
    reference, fit = fit_of(name)
    expected = reference[f"pls_predict_{word}"]
    prediction = fit.predict(folds=expected["folds_of_rows_zero_based"], technique=TECHNIQUE[word], **SEMINR)
    for sample in ("out", "in"):
        table = prediction.indicators(sample).droplevel("construct")
        for source, suffix in (("pls", ""), ("lm", "_lm")):
            golden = cases.matrix(
                expected[f"{source}_{sample}_of_sample" if sample == "out" else f"{source}_in_sample"]
            )
            for metric in ("RMSE", "MAE"):
                actual = table.loc[golden.columns, metric.lower() + suffix]
                np.testing.assert_allclose(actual, golden.loc[metric], rtol=0, atol=SAME)
            rows = prediction.predictions(source, sample).droplevel("construct", axis=1)
            head = cases.matrix(expected[f"{source}_{sample}_predictions_head5"])
            np.testing.assert_allclose(rows[head.columns].iloc[:5].to_numpy(), head.to_numpy(), rtol=0, atol=SAME)
            if sample == "out":
                total = pd.Series(expected[f"{source}_out_predictions_sum"])
                np.testing.assert_allclose(rows[total.index].sum(), total, rtol=SAME)
    q2 = pd.Series(expected["q2_predict"])
    table = prediction.indicators().droplevel("construct")
    np.testing.assert_allclose(table.loc[q2.index, "q2_predict"], q2, rtol=0, atol=SAME)


def rivals():
    reference = cases.case("v13_mobi_cvpat")
    data = cases.data(reference)
    options = {"max_iter": 5000, "tol": 1e-12}
    other = model_of({"model": reference["model"] | {"paths": reference["alternative_paths"]}})
    return reference, model_of(reference).fit(data, **options), other.fit(data, **options)


@pytest.mark.parametrize("baseline", ["sample", "training"])
def test_benchmarks_are_tested_as_by_seminrextras(baseline):
    reference, fit, _ = rivals()
    word = {"sample": "full", "training": "fold"}[baseline]
    long = {"sample": "ia_full_sample_mean", "training": "ia_training_fold_mean"}[baseline]
    table = pls.cvpat(
        fit, folds=reference["folds_of_rows_zero_based"], benchmark="others", baseline=baseline, against=("ia", "lm")
    )
    for against, losses, test in (("ia", long, f"pls_vs_ia_{word}"), ("lm", "lm", "pls_vs_lm")):
        part = table.loc[against]
        own = pd.Series(reference["losses"]["pls"])
        np.testing.assert_allclose(part.loc[own.index, "loss"], own, rtol=0, atol=SAME)
        golden = pd.Series(reference["losses"][losses])
        np.testing.assert_allclose(part.loc[golden.index, "loss_other"], golden, rtol=0, atol=SAME)
        t, p = pd.Series(reference["paired_t"][test]), pd.Series(reference["paired_t"][f"{test}_p"])
        np.testing.assert_allclose(part.loc[t.index, "t"], t, rtol=0, atol=SAME)
        np.testing.assert_allclose(part.loc[p.index, "p"], p, rtol=1e-8, atol=1e-14)


def test_two_models_are_compared_as_by_seminrextras():
    reference, fit, other = rivals()
    golden = reference["compare"]
    folds = reference["folds_of_rows_zero_based"]
    same = pls.cvpat(fit, other, folds=folds)
    t, p = (pd.Series(golden["paired_t_same_folds"][key]) for key in "tp")
    loss = pd.Series(golden["paired_t_same_folds"]["loss_alt_same_folds"])
    np.testing.assert_allclose(same.loc[t.index, "t"], t, rtol=0, atol=SAME)
    np.testing.assert_allclose(same.loc[t.index, "p"], p, rtol=0, atol=SAME)
    np.testing.assert_allclose(same.loc[t.index, "loss_other"], loss, rtol=0, atol=SAME)
    # seminrExtras deals the rows anew for the second model.
    first = fit.predict(folds=folds)
    second = other.predict(folds=reference["folds_of_rows_alternative_model"])
    shuffled = pls.cvpat(first, second)
    for key, column in (("loss_base", "loss"), ("loss_alt", "loss_other"), ("paired_t_alt_minus_base", "t")):
        expected = pd.Series(golden[key])
        np.testing.assert_allclose(shuffled.loc[expected.index, column], expected, rtol=0, atol=SAME)


def test_the_bootstrap_test_agrees_with_seminrextras_within_its_own_error():
    reference, fit, _ = rivals()
    options = {"folds": reference["folds_of_rows_zero_based"], "benchmark": "others", "baseline": "sample"}
    table = pls.cvpat(fit, test="bootstrap", n=2_000, seed=1, **options)
    for against, key in (("ia", "seminrExtras_cvpat_vs_IA"), ("lm", "seminrExtras_cvpat_vs_LM")):
        golden = cases.matrix(reference[key])
        # Both standard errors come from 2,000 resamples: relative standard error 1/√(2·2000) = 1.6 % each.
        np.testing.assert_allclose(
            table.loc[against].loc[golden.index, "t"], golden["Boot T value"], rtol=4 * 1.6e-2 * 2**0.5, atol=1e-3
        )
        np.testing.assert_allclose(table.loc[against].loc[golden.index, "difference"], -golden["Diff"], atol=SAME)
