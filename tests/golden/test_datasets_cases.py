"""The other four cases on the PLS engine: the estimates that the prototype printed on the same samples."""

from __future__ import annotations

import numpy as np
import pytest

from sembada import datasets, pls

# printed with two or three digits by a throw-away NumPy prototype of our own; tests/golden/study/anchors.json says more
KALTIM = {("INN", "OI"): 0.532, ("OI", "ACAP"): 0.439, ("INN", "MP"): 0.053, ("OI", "MP"): 0.280, ("ACAP", "MP"): 0.322}
SENTRA = {
    ("COOP", "IIC"): 0.29,
    ("CC", "IIC"): 0.32,
    ("DC", "IIC"): -0.16,
    ("COOP", "RIC"): 0.27,
    ("CC", "RIC"): 0.31,
    ("DC", "RIC"): -0.21,
    ("IIC", "NPD"): 0.36,
    ("RIC", "NPD"): 0.35,
}
KEMITRAAN = {
    "horizontal": [0.20, 0.05, 0.11, 0.12, 0.34, 0.15, 0.11],
    "vertical": [0.25, 0.26, 0.55, 0.25, 0.13, 0.46, 0.18],
    "strategic": [0.34, 0.49, 0.29, 0.12, 0.60, 0.22, 0.37],
    "cluster": [0.32, 0.41, 0.44, 0.24, 0.29, 0.34, 0.20],
}
PARTNER_PATHS = [
    ("PQ", "RES"), ("PQ", "KNW"), ("PQ", "MKT"), ("RES", "INN"), ("KNW", "INN"), ("MKT", "COMP"), ("INN", "COMP")
]  # fmt: skip


def blocks(**counts):
    return [pls.block(name, [f"{name}{j}" for j in range(1, count + 1)], mode="A") for name, count in counts.items()]


def fit(frame, paths, **counts):
    outcomes = {}
    for predictor, outcome in paths:
        outcomes.setdefault(outcome, []).append(predictor)
    return pls.Model(blocks=blocks(**counts), paths=outcomes).fit(frame)


@pytest.fixture(scope="module")
def kaltim():
    return fit(datasets.kaltim_mediation(), KALTIM, INN=5, OI=5, ACAP=4, MP=6)


def test_kaltim_estimates_are_those_printed(kaltim):
    for path, printed in KALTIM.items():
        assert kaltim.paths.loc[path, "estimate"] == pytest.approx(printed, abs=5e-4), path


def test_kaltim_mediation_is_complementary_or_indirect_only_and_vaf_is_given(kaltim):
    from sembada.study import effects, path_draws

    row = effects(path_draws(kaltim.bootstrap(1000, seed=1))).loc[("INN", "MP")]
    assert row["indirect"] == pytest.approx(0.224, abs=5e-4)
    # quantiles of 1,000 against 400 replicates: a standard error of 0.037 gives them about 0.004 each
    assert [row["indirect_lower"], row["indirect_upper"]] == pytest.approx([0.158, 0.306], abs=0.02)
    assert row["mediation"] == "indirect-only"
    assert row["vaf"] == pytest.approx(0.808, abs=5e-4)


def test_sentra_estimates_and_interactions_have_the_printed_size_and_sign():
    frame = datasets.sentra_conflict()
    estimates = fit(frame, SENTRA, COOP=4, CC=4, DC=4, IIC=4, RIC=4, NPD=4).paths["estimate"]
    for path, printed in SENTRA.items():
        assert estimates[path] == pytest.approx(printed, abs=0.00501), path
    moderated = fit(
        frame, [*SENTRA, ("COOP:DC", "IIC"), ("COOP:CC", "RIC")], COOP=4, CC=4, DC=4, IIC=4, RIC=4, NPD=4
    ).paths
    # the prototype regressed on products of scores of one stage; two stages differ in the second digit
    assert moderated.loc[("COOP:DC", "IIC"), "estimate"] == pytest.approx(0.161, abs=0.03)
    assert moderated.loc[("COOP:CC", "RIC"), "estimate"] == pytest.approx(-0.181, abs=0.03)


def test_kemitraan_estimates_of_all_groups_are_those_printed():
    frame = datasets.kemitraan_mga(n=120)
    for group, printed in KEMITRAAN.items():
        part = frame[frame["partnership"] == group]
        estimates = fit(part, PARTNER_PATHS, PQ=5, RES=3, KNW=3, MKT=3, INN=3, COMP=3).paths["estimate"]
        assert [estimates[path] for path in PARTNER_PATHS] == pytest.approx(printed, abs=0.00501), group


def test_tumang_weights_and_path_are_strong():
    model = pls.Model(
        blocks=[pls.block(name, [f"{name}{j}" for j in range(1, 9)], mode="B") for name in ("CG", "SID")],
        paths={"SID": ["CG"]},
    )
    estimate = model.fit(datasets.tumang_governance()).paths.loc[("CG", "SID"), "estimate"]
    # true path .60; sixteen free weights raise it, answers in five steps lower it
    assert 0.5 < estimate < 0.75
    assert np.isfinite(estimate)
