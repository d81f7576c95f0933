"""The Banyuwangi study end to end on both engines, against the oracle and the numbers that the prototype printed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oracle import study as oracle
from sembada import datasets

ANCHORS = json.loads((Path(__file__).parent / "study/anchors.json").read_text())
NAMES = {
    "customers": "C",
    "potential_customers": "PC",
    "open_innovation": "O",
    "knowledge": "K",
    "motivation": "M",
    "innovations": "I",
    "brand": "B",
    "performance": "Z",
    "skilled": "Ws",
    "novices": "Wn",
    "equipment": "Q",
    "cash": "F",
    "npv": "npv",
    "cumulative_revenue": "cumrev",
    "public_cost": "public",
    "sales": "sales",
    "price": "price",
    "revenue": "revenue",
    "profit": "profit",
    "margin": "margin",
    "fulfilment": "fulfilment",
    "roi": "roi",
}
# Rounding of a few thousand operations in another order: far above 1e-15, far below any difference in the model.
TIGHT = 1e-9


@pytest.fixture(scope="module")
def model():
    return datasets.banyuwangi_model(horizon=120)


@pytest.fixture(scope="module")
def bootstrap():
    fit = datasets.banyuwangi_path_model().fit(datasets.banyuwangi_survey())
    return fit.bootstrap(2000, seed=2024)


@pytest.fixture(scope="module")
def outcome(bootstrap):
    return datasets.banyuwangi_study(bootstrap).run(draws=1024, seed=1)


@pytest.mark.parametrize("scenario", datasets.banyuwangi_scenarios(), ids=lambda scenario: scenario.name)
def test_every_variable_of_every_scenario_is_that_of_the_oracle(model, scenario):
    ours = model.run(dict(scenario.params), save=list(NAMES)).frame
    theirs = oracle.simulate(oracle.BASE, oracle.SCENARIOS[scenario.name], 120)
    for name, symbol in NAMES.items():
        assert ours[name].to_numpy() == pytest.approx(theirs[symbol][:, 0], rel=TIGHT, abs=1e-12), name


@pytest.mark.parametrize("month", [0, 12, 24, 36, 60, 120])
def test_the_base_run_is_the_one_printed(model, month):
    frame = model.run(save=list(NAMES)).frame
    symbols = {symbol: name for name, symbol in NAMES.items()}
    for symbol, printed in ANCHORS["base"][str(month)].items():
        assert frame.loc[month, symbols[symbol]] == pytest.approx(printed, abs=5e-5), symbol  # printed with four digits


def test_runge_kutta_and_small_steps_agree_with_the_ones_printed(model):
    staged = dict(datasets.banyuwangi_scenarios()[-1].params)
    rk4 = model.run(staged, method="rk4", save=["customers"])["customers"].iloc[-1]
    assert rk4 == pytest.approx(293.201130, abs=5e-7)
    small = datasets.banyuwangi_model(horizon=120, dt=0.03125).run(staged, save=["customers"])["customers"].iloc[-1]
    assert small == pytest.approx(293.194244, abs=5e-7)


@pytest.mark.parametrize(
    ("changes", "customers"),
    [
        ({"N0": 150.0}, 29.35),
        ({"alpha": 0.0, "kappa": 0.0}, 2.44),
        ({"chi0": 0.4}, 9.26),
        ({"p0": 0.15}, 30.93),
        ({"p0": 0.06}, 127.58),
        ({"wage_s": 0.0, "wage_n": 0.0}, 186.79),
        ({"um": 0.063}, 25.24),
        ({"cash0": 0.0}, 186.53),
        ({"q_s": 0.1, "q_n": 0.3}, 71.17),
        ({"C0": 1e-6}, 18.20),
    ],
)
def test_extreme_conditions_end_where_the_prototype_did(model, changes, customers):
    run = model.run(changes, save=list(NAMES))
    assert np.isfinite(run.frame.to_numpy()).all()
    assert run["customers"].iloc[-1] == pytest.approx(customers, abs=5e-3)  # printed with two digits
    people = run.frame[["customers", "skilled", "novices", "equipment"]]
    assert (people >= 0).all(axis=None)


def test_the_model_says_nothing_worse_than_a_note_about_itself(model):
    found = model.check()
    assert found[found["severity"] != "note"].empty, found.to_string()


def test_every_parameter_has_unit_and_source(model):
    for name in model.parameters.index:
        info = model.variables[name]
        assert info.unit, name
        assert info.comment.endswith("]"), name


def test_the_sweep_of_the_joint_design_is_that_of_the_oracle():
    values, design = oracle.joint(oracle.bootstrap(oracle.survey(), 200), n=64)
    model, measures = datasets.banyuwangi_model(), datasets.banyuwangi_measures()
    frame = pd.DataFrame(design)
    for number, scenario in enumerate(datasets.banyuwangi_scenarios()):
        sweep = model.sweep(frame.assign(**scenario.params), save=["customers", "profit", "revenue", "npv"])
        series = {name: sweep.frame(name).to_numpy().T for name in ("customers", "profit", "revenue", "npv")}
        time = np.arange(61.0)
        for k, name in enumerate(("customers", "margin", "npv")):
            ours = measures[name].reduce(series, time)
            assert ours == pytest.approx(values[number, k], rel=TIGHT), (scenario.name, name)


def test_the_bootstrap_agrees_with_the_one_printed(bootstrap):
    table, printed = bootstrap.paths(), ANCHORS["bootstrap"]
    assert table["estimate"].to_numpy() == pytest.approx(printed["estimate"], abs=5e-4)
    # 2,000 replicates each: a standard error has a relative error of 1/√4000; four of them, twice
    assert table["std_error"].to_numpy() == pytest.approx(
        printed["std_error"], rel=4 * np.sqrt(2) / np.sqrt(4000) + 0.01
    )


@pytest.mark.parametrize("criterion", ["customers", "margin", "npv"])
def test_the_joint_ranking_agrees_with_the_one_printed(outcome, criterion):
    printed = ANCHORS["joint"]
    ours = outcome.p_best(criterion).loc[criterion]["p_best"].to_numpy()
    theirs = np.array(printed["p_best"][criterion])
    # two independent samples of 1,024 draws: four standard errors of their difference, and the last printed digit
    error = np.sqrt(2 * np.maximum(theirs * (1 - theirs), 0.01) / 1024)
    assert (np.abs(ours - theirs) <= 4 * error + 0.005).all()
    beats = outcome.compare(criterion).loc[criterion]["p_beats"].to_numpy()[1:]
    theirs = np.array(printed["p_beats"][criterion][1:])
    error = np.sqrt(2 * np.maximum(theirs * (1 - theirs), 0.005) / 1024)
    assert (np.abs(beats - theirs) <= 4 * error + 0.005).all()


def test_medians_agree_with_those_printed(outcome):
    table = outcome.compare(["customers", "margin"])
    # the median of 1,024 draws with a standard deviation of 36 customers has a standard error of 1.4, a Latin
    # hypercube less
    assert table.loc["customers"]["median"].to_numpy() == pytest.approx(
        ANCHORS["joint"]["median"]["customers"], abs=4.0
    )
    assert table.loc["margin"]["median"].to_numpy() == pytest.approx(ANCHORS["joint"]["median"]["margin"], abs=0.004)


def test_pareto_membership_and_evpi_agree_with_those_printed(outcome):
    theirs = np.array(ANCHORS["joint"]["pareto"])
    error = np.sqrt(2 * np.maximum(theirs * (1 - theirs), 0.01) / 1024)
    ours = outcome.pareto(["customers", "margin"])["p_pareto"].to_numpy()
    assert (np.abs(ours - theirs) <= 4 * error + 0.005).all()
    for criterion in ("customers", "margin"):
        row = outcome.evpi().loc[criterion]
        assert abs(row["evpi"] - ANCHORS["joint"]["evpi"][criterion]) <= 4 * np.sqrt(2) * row["mc_error"]


def test_the_findings_of_the_case_hold(outcome):
    # open innovation alone gains customers and loses margin: the negative path reappears dynamically
    table = outcome.compare()
    assert table.loc[("customers", "S4"), "p_beats"] > 0.9
    assert table.loc[("margin", "S4"), "p_beats"] < 0.02
    # most of the value of information is in the effects of the policies, not in the survey
    worth = outcome.evppi("customers").loc["customers"]["evppi"]
    assert worth["policy effects"] > 3 * worth["market"] > 0
    assert worth["survey"] < 0.15 * worth["policy effects"]
    effect = outcome.effects().loc[("OI", "OP")]
    assert effect["mediation"] == "competitive"
    assert np.isnan(effect["vaf"])
    assert 0.2 < effect["p_total_positive"] < 0.3
    decisions = outcome.hypotheses(datasets.BANYUWANGI_HYPOTHESES)["decision"]
    assert decisions.tolist() == ["accepted"] * 3


def test_equal_budgets_change_the_choice(bootstrap):
    scenarios = datasets.banyuwangi_scenarios(budget="equal")
    outcome = datasets.banyuwangi_study(bootstrap, scenarios=scenarios).run(draws=512, seed=1)
    best = outcome.p_best("customers").loc["customers"]["p_best"]
    assert best["S6"] > 0.9
    assert best["S8"] < 0.01


def test_the_horizon_changes_the_choice(model):
    ends = {
        scenario.name: model.run(dict(scenario.params), save=["customers"])["customers"]
        for scenario in datasets.banyuwangi_scenarios()
    }
    at = {month: max(ends, key=lambda name: ends[name].loc[month]) for month in (60, 120)}
    assert at == {60: "S6", 120: "S8"}


def test_the_factorial_is_the_one_printed():
    printed = {
        "S0": 167.4,
        "km": 191.1,
        "cc": 186.8,
        "cc+km": 213.4,
        "tr": 190.5,
        "tr+km": 216.4,
        "tr+cc": 213.3,
        "tr+cc+km": 242.5,
    }
    paths = oracle.pls(oracle.survey())
    linked = dict(zip(("a", "c", "b"), paths, strict=True))
    model = datasets.banyuwangi_model()
    for scenario in datasets.banyuwangi_scenarios("factorial"):
        run = model.run({**linked, **scenario.params}, save=["customers"])
        assert run["customers"].iloc[-1] == pytest.approx(printed[scenario.name], abs=0.05)  # printed with one digit


def test_threads_do_not_change_a_bit(bootstrap, outcome):
    again = datasets.banyuwangi_study(bootstrap).run(draws=1024, seed=1, threads=2)
    assert np.array_equal(again.values, outcome.values)
    assert again.provenance == outcome.provenance


def test_consistent_paths_move_the_choice_the_way_the_prototype_did(bootstrap):
    fit = datasets.banyuwangi_path_model().fit(datasets.banyuwangi_survey(), consistent=True)
    outcome = datasets.banyuwangi_study(fit.bootstrap(2000, seed=2024)).run(draws=1024, seed=1)
    assert outcome.paths.consistent is True
    best = outcome.p_best("customers").loc["customers"]["p_best"]
    theirs = ANCHORS["consistent"]["p_best_customers"]
    for number, name in ((6, "S6"), (8, "S8")):
        assert abs(best[name] - theirs[number]) <= 4 * np.sqrt(2 * 0.25 / 1024) + 0.005
    assert "attenuation" not in set(outcome.audit["caution"])


def test_the_bridge_can_be_calibrated():
    bridge = datasets.banyuwangi_bridge(datasets.banyuwangi_model(horizon=120))
    gain = bridge.calibrate("gC", 0.40, "customers", "z_shift", bounds=(0.0, 0.6))
    assert bridge.long_run("customers", "z_shift", params={"gC": gain}) == pytest.approx(0.40, abs=1e-8)
    assert 0.1 < gain < 0.3  # the base value 0.20 is near


def test_without_measures_outputs_and_stocks_count_and_every_variable_can_be_named(bootstrap):
    plan = datasets.banyuwangi_study(bootstrap, measures=None, save=())
    outcome = plan.run(draws=32, seed=1)
    assert list(outcome.measures)[:3] == ["margin", "roi", "potential_customers"]
    ranked = outcome.rank({"customers": "max", "margin": "max", "revenue": "max", "profit": "max"})
    assert ranked.index[0] in ("S5", "S6", "S8")
    model = plan.bridge.model
    row = outcome.design.iloc[3].to_dict() | dict(outcome.scenarios[6].params)
    assert outcome.draws("revenue").loc[3, "S6"] == model.run(row, save=["revenue"])["revenue"].iloc[-1]


def test_a_run_that_turns_non_finite_is_data(bootstrap):
    ranges = datasets.banyuwangi_uncertainties() | {"p0": (-0.02, 0.05)}  # a negative price has no real power
    outcome = datasets.banyuwangi_study(bootstrap, uncertainties=ranges).run(draws=64, seed=1)
    negative = (outcome.design["p0"] < 0).to_numpy()
    assert (outcome.status[:, negative] == 1).all()
    assert (outcome.status[:, ~negative] == 0).all()
    assert outcome.n_valid == (~negative).sum()
    assert set(outcome.failed["scenario"]) == set(outcome.names)
    assert outcome.failures()["model"].tolist() == [negative.sum()] * 9
