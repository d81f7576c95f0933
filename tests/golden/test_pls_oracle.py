"""The slow oracle of the PLS tests agrees with the references, so that it can vouch for the engine elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from golden import pls_cases as cases
from oracle import pls as oracle

FIRST_ORDER = ["v01_mobi_ecsi_path", "v02_mobi_ecsi_factorial", "v03_corp_rep_simple", "v04_corp_rep_extended",
               "v11_mobi_plsc", "v14_mobi_unit_weights"]  # fmt: skip
INTERACTIONS = {
    "v05_corp_rep_two_stage": "two-stage",
    "v06_mobi_product_indicator": "product",
    "v07_mobi_orthogonal": "orthogonal",
}
HIGHER_ORDER = ["v08_mobi_hoc_modeA", "v08b_mobi_hoc_modeB"]
#: Two solvers on the same well-conditioned problem, 250–344 rows: rounding stays far below this.
TOLERANCE = 1e-10


def columns(reference, rows=None):
    frame = cases.data(reference).select_dtypes("number")
    if rows is not None:
        frame = frame.iloc[rows]
    return {name: frame[name].fillna(frame[name].mean()).to_numpy(float) for name in frame}


def run(reference, rows=None, **options):
    model = reference["model"]
    blocks = {item["name"]: item["items"] for item in model["constructs"]}
    modes = {item["name"]: item["mode"] for item in model["constructs"]}
    modes |= {item["name"]: item["mode"] for item in model["higher_order"]}
    reflective = tuple(item["name"] for item in model["constructs"] if item["type"] == "reflective")
    paths = [tuple(path) for path in model["paths"]]
    options = {"scheme": reference["settings"].get("scheme", "path"), "reflective": reflective} | options
    values = columns(reference, rows)
    if model["interactions"]:
        terms = [(item["name"], item["iv"], item["moderator"]) for item in model["interactions"]]
        return oracle.estimate_moderated(
            values, blocks, paths, modes, terms, INTERACTIONS[reference["case"]], **options
        )
    if model["higher_order"]:
        higher = {item["name"]: item["dimensions"] for item in model["higher_order"]}
        return oracle.estimate_higher_order(values, blocks, paths, modes, higher, **options)[1]
    return oracle.estimate(values, blocks, paths, modes, **options)


@pytest.mark.parametrize("name", [*FIRST_ORDER, *INTERACTIONS, *HIGHER_ORDER])
def test_the_oracle_agrees_with_the_references(name):
    reference = cases.case(name)
    tight = reference["tight"]
    result = run(reference)
    weights = cases.matrix(tight["outer_weights"])
    loadings = cases.matrix(tight["outer_loadings"])
    paths = cases.matrix(tight["path_coef"])
    r2 = cases.matrix(tight["r_squared"])
    close = {"rtol": 0, "atol": TOLERANCE}
    for construct in result.names:
        items = [item if item in weights.index else f"{item}_intxn" for item in result.blocks[construct]]
        np.testing.assert_allclose(result.weights[construct], weights.loc[items, construct], **close)
        np.testing.assert_allclose(result.loadings[construct], loadings.loc[items, construct], **close)
        assert result.scores[construct] @ result.scores[construct] == pytest.approx(
            tight["scores_sum_sq"][construct], rel=1e-10
        )
    for source, target in result.paths:
        assert result.coefficients[source, target] == pytest.approx(paths.loc[source, target], abs=TOLERANCE)
        if "f2_fixed_scores" in tight:
            assert result.f2()[source, target] == pytest.approx(tight["f2_fixed_scores"][target][source], abs=TOLERANCE)
    for construct in result.r2:
        assert result.r2[construct] == pytest.approx(r2.loc["Rsq", construct], abs=TOLERANCE)
        assert result.r2_adjusted()[construct] == pytest.approx(r2.loc["AdjRsq", construct], abs=TOLERANCE)
    htmt = cases.matrix(tight["htmt"])
    for (a, b), value in result.htmt().items():
        expected = np.nansum([htmt.loc[a, b], htmt.loc[b, a]])
        if not np.isclose(expected, 0):
            assert value == pytest.approx(expected, abs=TOLERANCE)
    reliability = cases.matrix(tight["reliability"])
    for construct, values in result.reliability().items():
        np.testing.assert_allclose(values, reliability.loc[construct, ["alpha", "rhoC", "AVE"]], **close)


@pytest.mark.parametrize("name", ["v01_mobi_ecsi_path", "v04_corp_rep_extended", "v07_mobi_orthogonal"])
def test_the_oracle_agrees_with_replicates(name):
    reference = cases.case(name)
    table = cases.replicates(name)
    rows = cases.indices(reference)
    for replicate in (0, 7, 199):
        result = run(reference, rows[replicate], tol=1e-11)
        for source, target in result.paths:
            # 1e-8: both stop at Σ|Δw| < 1e-11, and the fixed point is approached linearly.
            assert result.coefficients[source, target] == pytest.approx(
                table.loc[replicate, f"path|{source}|{target}"], abs=1e-8
            )
