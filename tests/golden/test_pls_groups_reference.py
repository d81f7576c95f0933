"""Group comparisons agree with seminr and cSEM, permutation by permutation and resample by resample."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from golden import pls_cases as cases
from golden.test_pls_reference import model_of
from sembada import pls

REFERENCE = cases.case("v12_corp_rep_mga")
TIGHT = {"tol": 1e-12, "max_iter": 5000}
#: Same splits, same fixed point: points to rounding; the replicates of the reference stop at Σ|Δw| < 1e-11 and are
#: rounded to 13 digits.
POINT, REPLICATE = 1e-10, 1e-8


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(cases._text(f"v12_corp_rep_mga.{name}.csv")))


def rows(name: str) -> np.ndarray:
    return np.loadtxt(io.StringIO(cases._text(f"v12_corp_rep_mga.{name}.csv")), delimiter=",", dtype=np.int64)


def survey() -> pd.DataFrame:
    """The reference replaces missing answers once, by means of both groups together."""
    data = cases.data(REFERENCE)
    return data.fillna(data.mean())


def test_permuted_differences_agree_with_seminr():
    test = pls.permute(model_of(REFERENCE), survey(), "servicetype", permutations=rows("permutations"), **TIGHT)
    draws, expected = test.draws("paths"), table("perm_stats")
    found = test.paths()
    for source, target in REFERENCE["model"]["paths"]:
        key = f"dpath|{source}|{target}"
        np.testing.assert_allclose(draws[source, target], expected[key], rtol=0, atol=REPLICATE)
        row = found.loc[source, target]
        assert row["difference"] == pytest.approx(REFERENCE["permutation"]["original"][key], abs=POINT)
        assert row["p"] == pytest.approx(REFERENCE["permutation"]["p_share"][key], abs=1e-12)
    quantiles = cases.matrix(REFERENCE["permutation"]["quantiles"])
    for source, target in REFERENCE["model"]["paths"]:
        row = quantiles.loc[f"dpath|{source}|{target}"]
        assert found.loc[(source, target), "lower"] == pytest.approx(row["2.5%"], abs=REPLICATE)
        assert found.loc[(source, target), "upper"] == pytest.approx(row["97.5%"], abs=REPLICATE)
    group = {1: "group1", 2: "group2"}
    for label, fit in zip(test.groups, test.fits, strict=True):
        golden = cases.matrix(REFERENCE[group[label]]["path_coef"])
        for source, target in REFERENCE["model"]["paths"]:
            assert fit.paths.loc[(source, target), "estimate"] == pytest.approx(golden.loc[source, target], abs=POINT)


def test_differences_of_weights_agree_with_csem():
    test = pls.permute(model_of(REFERENCE), survey(), "servicetype", permutations=rows("permutations"), **TIGHT)
    weights = test.table("outer_weights")
    for key, value in REFERENCE["csem_mgd"]["Chin"]["test_statistic"].items():
        if "<~" in key:
            construct, item = key.removeprefix("a_b.").split(" <~ ")
            assert weights.loc[(construct, item), "difference"] == pytest.approx(value, abs=POINT)


@pytest.mark.parametrize(("items", "key"), [("standardised", "c"), ("raw", "c_raw")])
def test_measurement_invariance_agrees_with_csem(items, key):
    test = pls.micom(
        model_of(REFERENCE), survey(), "servicetype", permutations=rows("permutations"), items=items, **TIGHT
    )
    expected, golden = table("perm_stats"), REFERENCE["permutation"]
    steps = [("compositional", key, test.compositional, "c")]
    steps += [("means", "dmean", test.means, "difference"), ("variances", "dlogvar", test.variances, "difference")]
    for step, word, found, column in steps:
        draws = test.draws(step)
        for construct in test.constructs:
            name = f"{word}|{construct}"
            np.testing.assert_allclose(draws[construct], expected[name], rtol=0, atol=REPLICATE)
            assert found.loc[construct, column] == pytest.approx(golden["original"][name], abs=POINT)
            assert found.loc[construct, "p"] == pytest.approx(golden["p_share"][name], abs=1e-12)
    own = REFERENCE["csem_micom"]
    for construct in test.constructs:
        if items == "raw":
            assert test.compositional.loc[construct, "c"] == pytest.approx(
                own["step2_c"][f"a_b.{construct}"], abs=POINT
            )
        mean, variance = own["step3_mean_diff"], own["step3_var_diff"]
        assert test.means.loc[construct, "difference"] == pytest.approx(mean[f"a_b.{construct}"], abs=POINT)
        assert test.variances.loc[construct, "difference"] == pytest.approx(variance[f"a_b.{construct}"], abs=POINT)
    # cSEM's own 299 permutations come to the same verdict: every p far above 0.05.
    assert test.invariance == "full"


def test_multigroup_analysis_agrees_with_seminr():
    golden = REFERENCE["mga_bootstrap"]
    comparison = pls.compare_groups(
        model_of(REFERENCE),
        survey(),
        "servicetype",
        indices={1: rows("indices_g1"), 2: rows("indices_g2")},
        permutations=rows("permutations"),
        **TIGHT,
    )
    for boot, name in zip(comparison.bootstraps, ("boot_g1", "boot_g2"), strict=True):
        expected = table(name)
        draws = boot.draws("paths")
        for column in expected.columns:
            _, source, target = column.split("|")
            np.testing.assert_allclose(draws[source, target], expected[column], rtol=0, atol=REPLICATE)
    two, one = comparison.paths().loc[1, 2], comparison.paths(tails=1).loc[1, 2]
    for source, target in REFERENCE["model"]["paths"]:
        key, row = f"path|{source}|{target}", two.loc[source, target]
        assert row["difference"] == pytest.approx(golden["diff"][key], abs=POINT)
        share = golden["henseler_pls_mga_p_one_tailed"][key]
        # Counts of 40,000 pairs: one pair that changes sides by rounding is 2.5e-5.
        assert one.loc[(source, target), "p_henseler"] == pytest.approx(share, abs=1e-12)
        assert row["p_henseler"] == pytest.approx(2 * min(share, 1 - share), abs=1e-12)
        for ours, theirs in (
            ("t_parametric", "parametric_t_equal_var"),
            ("p_parametric", "parametric_p_two_sided"),
            ("t_welch", "welch_t"),
            ("df_welch", "welch_df"),
            ("p_welch", "welch_p_two_sided"),
        ):
            # The reference's standard errors come from replicates that stop at 1e-11.
            assert row[ours] == pytest.approx(golden[theirs][key], rel=REPLICATE)
        assert row["df_parametric"] == golden["parametric_df"]
        assert row["p_permutation"] == REFERENCE["permutation"]["p_share"][f"d{key}"]
