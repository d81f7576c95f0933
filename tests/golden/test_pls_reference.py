"""Estimates and replicates agree with seminr, cSEM and plspm on real surveys."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from golden import pls_cases as cases
from sembada import pls

METHODS = {"two_stage": "two-stage", "product_indicator": "product", "orthogonal": "orthogonal"}
COMPOSITE = ["v01_mobi_ecsi_path", "v02_mobi_ecsi_factorial", "v03_corp_rep_simple", "v04_corp_rep_extended",
             "v14_mobi_unit_weights"]  # fmt: skip
INTERACTION = ["v05_corp_rep_two_stage", "v06_mobi_product_indicator", "v07_mobi_orthogonal"]
HIGHER = ["v08_mobi_hoc_modeA", "v08b_mobi_hoc_modeB"]
CONSISTENT = ["v11_mobi_plsc", "v15_mobi_plsc_mixed"]
SATISFACTION = ["v09_satisfaction_modeA", "v10_satisfaction_modeB"]
#: Same algebra, same fixed point, Σ|Δw| < 1e-12: only rounding is left.
POINT = 1e-10
#: Both stop at Σ|Δw| < 1e-11 and approach linearly; consistent PLS divides by small reliabilities (1e-7), two-stage
#: interactions carry the first stage's rest through a product (1e-6).
REPLICATE = dict.fromkeys([*COMPOSITE[:4], *INTERACTION, HIGHER[0], *SATISFACTION], 1e-8) | {
    "v05_corp_rep_two_stage": 1e-6,
    "v11_mobi_plsc": 1e-7,
}


def model_of(reference):
    spec = reference["model"]
    modes = {"A": "A", "B": "B", "UNIT": "unit"}
    blocks = [
        pls.block(item["name"], item["items"], mode=modes[item["mode"]], kind=item["type"])
        for item in spec["constructs"]
    ]
    blocks += [
        pls.block(item["name"], item["dimensions"], mode=item["mode"], kind="composite")
        for item in spec["higher_order"]
    ]
    paths = {}
    for source, target in spec["paths"]:
        paths.setdefault(target, []).append(cases.rename(source))
    method = METHODS[spec["interactions"][0]["method"]] if spec["interactions"] else None
    return pls.Model(blocks=blocks, paths=paths, interactions=method)


def fit_of(name, tol=1e-12, **options):
    reference = cases.case(name)
    consistent = any(item["type"] == "reflective" for item in reference["model"]["constructs"])
    options = {"scheme": reference["settings"].get("scheme", "path"), "consistent": consistent} | options
    fit = model_of(reference).fit(cases.data(reference), missing="mean", max_iter=5000, tol=tol, **options)
    return reference, fit


def assert_matrix(actual: pd.DataFrame, expected: dict, atol: float = POINT):
    expected = cases.matrix(expected)
    expected = expected.rename(index=cases.rename, columns=cases.rename)
    actual = actual.loc[expected.index, expected.columns]
    np.testing.assert_allclose(actual.to_numpy(), expected.to_numpy(), rtol=0, atol=atol)


def outer_rows(reference, matrix):
    """Yield (construct, position in the block, row name, value) of a reference weight or loading matrix."""
    table = cases.matrix(matrix)
    spec = reference["model"]
    blocks = {item["name"]: item["items"] for item in spec["constructs"]}
    blocks |= {item["name"]: item["dimensions"] for item in spec["higher_order"]}
    for construct in table.columns:
        rows = blocks.get(construct)
        if rows is None:
            rows = [row for row in table.index if table.loc[row, construct] != 0]
        for position, row in enumerate(rows):
            yield cases.rename(construct), position, row, table.loc[row, construct]


def assert_outer(reference, fit, expected, column, atol=POINT):
    for construct, position, row, value in outer_rows(reference, expected):
        block = fit.outer.xs(construct, level="construct")[column]
        actual = block[row] if row in block.index else block.iloc[position]
        assert actual == pytest.approx(value, abs=atol), (construct, row)


@pytest.mark.parametrize("name", [*COMPOSITE, *INTERACTION, *HIGHER])
def test_points_agree_with_seminr(name):
    reference, fit = fit_of(name)
    tight = reference["tight"]
    assert_outer(reference, fit, tight["outer_weights"], "weight")
    assert_outer(reference, fit, tight["outer_loadings"], "loading")
    path = cases.matrix(tight["path_coef"])
    for source, target in reference["model"]["paths"]:
        row = fit.paths.loc[cases.rename(source), target]
        assert row["estimate"] == pytest.approx(path.loc[source, target], abs=POINT)
        assert row["f2"] == pytest.approx(tight["f2_fixed_scores"][target][source], abs=POINT)
        vif = tight["vif_antecedents"][target][source]
        assert row["vif"] == pytest.approx(1.0 if vif is None else vif, abs=POINT)
    r2 = cases.matrix(tight["r_squared"])
    np.testing.assert_allclose(fit.constructs.loc[r2.columns, "r2"], r2.loc["Rsq"], rtol=0, atol=POINT)
    np.testing.assert_allclose(fit.constructs.loc[r2.columns, "r2_adjusted"], r2.loc["AdjRsq"], rtol=0, atol=POINT)
    information = cases.matrix(tight["it_criteria"])
    for word in ("AIC", "BIC"):
        np.testing.assert_allclose(fit.criteria().loc[information.columns, word], information.loc[word], rtol=POINT)


@pytest.mark.parametrize("name", [*COMPOSITE, *INTERACTION, *HIGHER])
def test_scores_and_their_correlations_agree_with_seminr(name):
    reference, fit = fit_of(name)
    tight = reference["tight"]
    scores = fit.scores()
    head = cases.matrix(tight["scores_head5"]).rename(columns=cases.rename)
    # Two-stage scores multiply first-stage scores, so their rounding is larger.
    atol = 1e-8 if name in INTERACTION else POINT
    np.testing.assert_allclose(scores[head.columns].iloc[:5].to_numpy(), head.to_numpy(), rtol=0, atol=atol)
    for construct, value in tight["scores_sum_sq"].items():
        assert (scores[cases.rename(construct)] ** 2).sum() == pytest.approx(value, rel=1e-10)
    for construct, value in tight["scores_sum_cubed"].items():
        assert (scores[cases.rename(construct)] ** 3).sum() == pytest.approx(value, rel=1e-8, abs=1e-6)
    if name not in INTERACTION:
        # With a higher-order construct, of all items with all scores that are reported, across both stages.
        assert_matrix(fit.construct_correlations(), tight["construct_correlations"])
        assert_matrix(fit.cross_loadings(), tight["cross_loadings"])
    if name in HIGHER:
        first = tight["first_stage"]
        head = cases.matrix(first["scores_head5"])
        dimensions = [name for item in reference["model"]["higher_order"] for name in item["dimensions"]]
        np.testing.assert_allclose(scores[dimensions].iloc[:5], head[dimensions], rtol=0, atol=POINT)
        assert fit.n_iter_stages == (first["iterations"] + 1, tight["iterations"] + 1)


@pytest.mark.parametrize("name", [*COMPOSITE, *INTERACTION, *HIGHER])
def test_quality_agrees_with_seminr(name):
    reference, fit = fit_of(name)
    tight = reference["tight"]
    reliability = cases.matrix(tight["reliability"])
    for construct in reliability.index:
        row = fit.constructs.loc[cases.rename(construct)]
        for ours, theirs in (("alpha", "alpha"), ("rho_c", "rhoC"), ("ave", "AVE")):
            assert row[ours] == pytest.approx(reliability.loc[construct, theirs], abs=POINT)
        rho_a = tight["rho_A"][construct] if "rho_A" in tight else reliability.loc[construct, "rhoA"]
        assert row["rho_a"] == pytest.approx(rho_a, abs=POINT)
    for key, actual in (("htmt", fit.htmt()), ("fornell_larcker", fit.fornell_larcker())):
        expected = cases.matrix(tight[key]).rename(index=cases.rename, columns=cases.rename)
        for left in expected.index:
            for right in expected.columns:
                value = expected.loc[left, right]
                # seminr fills one triangle only and leaves the other empty.
                if left != right and np.isfinite(value) and value != 0:
                    assert actual.loc[left, right] == pytest.approx(value, abs=POINT), (key, left, right)
    for construct, block in tight["vif_items"].items():
        own = fit.outer.xs(cases.rename(construct), level="construct")["vif"]
        for item, value in block.items():
            if item in own.index:
                assert own[item] == pytest.approx(1.0 if value is None else value, abs=1e-9)


@pytest.mark.parametrize("name", [*COMPOSITE, *INTERACTION, *HIGHER])
def test_effects_agree_with_seminr(name):
    reference, fit = fit_of(name)
    tight = reference["tight"]
    effects = fit.effects
    for column, key in (("total", "total_effects"), ("indirect", "total_indirect_effects")):
        expected = cases.matrix(tight[key]).rename(index=cases.rename, columns=cases.rename)
        for source in expected.index:
            for target in expected.columns:
                value = expected.loc[source, target]
                if (source, target) in effects.index:
                    assert effects.loc[(source, target), column] == pytest.approx(value, abs=POINT)
                else:
                    assert value == 0
    chains = fit.specific_indirect()
    if len(chains):
        summed = chains.groupby(["predictor", "outcome"])["estimate"].sum()
        for pair, value in summed.items():
            assert effects.loc[pair, "indirect"] == pytest.approx(value, abs=1e-14)


@pytest.mark.parametrize("name", [*COMPOSITE[:4], *INTERACTION, *HIGHER, "v11_mobi_plsc"])
def test_the_stopping_rule_is_seminrs(name):
    reference, fit = fit_of(name, tol=1e-7)
    default = reference["default"]
    # seminr counts its passes from zero.
    assert fit.n_iter == default["iterations"] + 1
    path = cases.matrix(default["path_coef"])
    for source, target in reference["model"]["paths"]:
        # The same number of passes from the same start gives the same unfinished weights.
        assert fit.paths.loc[(cases.rename(source), target), "estimate"] == pytest.approx(
            path.loc[source, target], abs=POINT
        )


@pytest.mark.parametrize("name", ["v01_mobi_ecsi_path", "v02_mobi_ecsi_factorial", "v03_corp_rep_simple",
                                  "v04_corp_rep_extended", *CONSISTENT])  # fmt: skip
def test_a_second_opinion_from_csem_agrees(name):
    reference, fit = fit_of(name)
    csem = reference["csem"]
    assess = csem["assess"]
    words = {word: word for word in ("AIC", "AICc", "AICu", "BIC", "HQ", "HQc", "FPE", "GM")} | {"Cp": "Mallows_Cp"}
    criteria = fit.criteria()
    for ours, theirs in words.items():
        for construct, value in assess[theirs].items():
            # GM and Cp divide by an explained variance of another model; both stop at 1e-12.
            assert criteria.loc[construct, ours] == pytest.approx(value, rel=1e-9)
    f2 = cases.matrix(assess["F2"])
    for source, target in fit.model.paths:
        assert fit.paths.loc[(source, target), "f2"] == pytest.approx(f2.loc[target, source], abs=POINT)


@pytest.mark.parametrize(
    "name",
    ["v01_mobi_ecsi_path", "v02_mobi_ecsi_factorial", "v03_corp_rep_simple", "v04_corp_rep_extended", *CONSISTENT],
)
def test_fit_measures_agree_with_csem(name):
    reference, fit = fit_of(name)
    csem = reference["csem"]
    measures = fit.fit_measures()
    for word in ("srmr", "d_uls", "d_g"):
        for row in ("saturated", "estimated"):
            assert measures.loc[row, word] == pytest.approx(csem[word][row], abs=POINT)
    assert measures.loc["estimated", "nfi"] == pytest.approx(csem["assess"]["NFI"], abs=POINT)


@pytest.mark.parametrize("name", CONSISTENT)
def test_consistent_pls_agrees(name):
    reference, fit = fit_of(name)
    csem = reference["csem"]
    paths = cases.matrix(csem["path_estimates_rows_are_targets"])
    loadings = cases.matrix(csem["loadings_rows_are_constructs"])
    for source, target in reference["model"]["paths"]:
        # cSEM corrects common factors only, as we do.
        assert fit.paths.loc[(source, target), "estimate"] == pytest.approx(paths.loc[target, source], abs=POINT)
    for construct, item in fit.outer.index:
        assert fit.outer.loc[(construct, item), "loading"] == pytest.approx(loadings.loc[construct, item], abs=POINT)
    for construct, value in csem["r2"].items():
        assert fit.constructs.loc[construct, "r2"] == pytest.approx(value, abs=POINT)
    assert_matrix(fit.construct_correlations(), csem["construct_vcv"])
    for construct, value in csem["reliabilities_used"].items():
        assert fit.constructs.loc[construct, "rho_a"] ** 0.5 == pytest.approx(value**0.5, abs=POINT) or value == 1
    _, other = fit_of(name, consistent="seminr")
    tight = reference["tight"]
    path = cases.matrix(tight["path_coef"])
    for source, target in reference["model"]["paths"]:
        assert other.paths.loc[(source, target), "estimate"] == pytest.approx(path.loc[source, target], abs=POINT)
    assert_outer(reference, other, tight["outer_loadings"], "loading")
    for construct, value in tight["rho_A"].items():
        assert other.constructs.loc[construct, "rho_a"] == pytest.approx(value, abs=POINT)


@pytest.mark.parametrize("name", SATISFACTION)
@pytest.mark.parametrize("scheme", ["centroid", "factorial", "path"])
def test_points_agree_with_plspm(name, scheme):
    reference, fit = fit_of(name, tol=1e-12, scheme=scheme)
    tight = reference["schemes"][scheme]["tight"]
    paths = cases.matrix(tight["path_coef_rows_are_targets"])
    for source, target in fit.model.paths:
        # plspm stops on squared changes below 1e-24, which leaves its weights at 1e-12.
        assert fit.paths.loc[(source, target), "estimate"] == pytest.approx(paths.loc[target, source], abs=POINT)
    n = fit.n_obs
    head = cases.matrix(tight["scores_head5"])
    # plspm standardises with n, we with n − 1.
    np.testing.assert_allclose(
        fit.scores()[head.columns].iloc[:5] * np.sqrt(n / (n - 1)), head.to_numpy(), rtol=0, atol=1e-9
    )
    assert_matrix(fit.construct_correlations(), tight["construct_correlations"])


@pytest.mark.parametrize("name", list(REPLICATE))
def test_every_replicate_agrees(name):
    reference = cases.case(name)
    consistent = any(item["type"] == "reflective" for item in reference["model"]["constructs"])
    scheme = reference["bootstrap_fixed"].get("scheme", reference["settings"].get("scheme", "path"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model_of(reference).fit(
            cases.data(reference), scheme=scheme, missing="mean",
            consistent=consistent, max_iter=5000, tol=1e-11,
        )  # fmt: skip
    boot = fit.bootstrap(indices=cases.indices(reference))
    expected = cases.replicates(name)
    groups = {
        "path": "paths",
        "weight": "outer_weights",
        "loading": "loadings",
        "htmt": "htmt",
        "total": "total_effects",
        "r2": "r2",
    }
    seen = 0
    for kind, group in groups.items():
        columns = [column for column in expected.columns if column.startswith(f"{kind}|")]
        if not columns:
            continue
        draws = boot.draws(group)
        for column in columns:
            _, first, second = [*column.split("|"), ""][:3]
            first, second = cases.rename(first), cases.rename(second)
            if kind in {"weight", "loading"} and (first, second) not in draws.columns:
                continue  # Product items carry other names; their estimates are compared above.
            if kind == "htmt" and (first, second) not in draws.columns:
                first, second = second, first
            if kind == "r2" and first not in draws.columns:
                assert (expected[column] == 0).all()  # plspm lists exogenous constructs as well.
                continue
            if kind == "total" and (first, second) not in draws.columns:
                assert (expected[column].fillna(0) == 0).all()
                continue
            actual = draws[first] if kind == "r2" else draws[first, second]
            reference_column = expected[column].to_numpy()
            known = np.isfinite(reference_column)
            np.testing.assert_allclose(
                actual.to_numpy()[known], reference_column[known], rtol=0, atol=REPLICATE[name], err_msg=column
            )
            seen += 1
    assert seen > len(fit.model.paths)


@pytest.mark.parametrize(
    ("name", "big"),
    [
        ("v01_mobi_ecsi_path", "v01_bigboot_mobi_ecsi_path"),
        ("v04_corp_rep_extended", "v04_bigboot_corp_rep_extended"),
        ("v11_mobi_plsc", "v11_bigboot_mobi_plsc"),
    ],
)
def test_large_bootstraps_agree_within_monte_carlo_error(name, big):
    _, fit = fit_of(name, tol=1e-7)
    summary = cases.matrix(cases.case(big)["summary"])
    boot = fit.bootstrap(10_000, seed=11)
    table, narrow, draws = boot.paths(), boot.paths(tails=1), boot.draws("paths")
    for (source, target), row in table.iterrows():
        other = summary.loc[f"path|{source}|{target}"]
        assert row["estimate"] == pytest.approx(other["estimate"], abs=1e-6)
        if name != "v11_mobi_plsc":
            # Two independent runs: the difference of means has a standard error of sd·√(2/B), of SDs about sd·√(1/B)
            # for near-normal draws. Consistent PLS divides by determinants near zero: its draws have no mean.
            assert abs(row["mean"] - other["mean"]) < 5 * other["sd"] * np.sqrt(2 / 10_000)
            assert abs(row["std_error"] - other["sd"]) < 5 * other["sd"] * np.sqrt(1.5 / 10_000)
        for value, key, p in (
            (row["lower"], "q025", 0.025),
            (row["upper"], "q975", 0.975),
            (narrow.loc[(source, target), "lower"], "q05", 0.05),
            (narrow.loc[(source, target), "upper"], "q95", 0.95),
        ):
            # A quantile has the standard error √(p(1 − p)/B) / f(q), with the density f from neighbouring quantiles.
            width = draws[source, target].quantile([max(p - 0.01, 0.001), min(p + 0.01, 0.999)])
            slope = (width.iloc[1] - width.iloc[0]) / (width.index[1] - width.index[0])
            assert abs(value - other[key]) < 5 * np.sqrt(2 * p * (1 - p) / 10_000) * slope
