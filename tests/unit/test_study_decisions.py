"""Decision measures: the numbers of the prototype, closed forms, and properties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau, rankdata

from oracle import study as oracle
from sembada.datasets import banyuwangi_groups
from sembada.study import acceptability, best, information, pareto, regret, reversal

ANCHORS = json.loads((Path(__file__).parents[1] / "golden/study/anchors.json").read_text())
MEASURES = ("customers", "margin", "npv")
# A printed number may be off by half its last digit.
HALF_CENT = 0.00501


@pytest.fixture(scope="module")
def draws():
    return oracle.bootstrap(oracle.survey())


@pytest.fixture(scope="module")
def joint(draws):
    return oracle.joint(draws)


@pytest.fixture(scope="module")
def values(joint):
    return np.moveaxis(joint[0], 1, 0)  # criterion, scenario, draw


@pytest.fixture(scope="module")
def design(joint):
    return joint[1]


def test_the_bootstrap_of_the_oracle_is_the_one_printed(draws):
    printed = ANCHORS["bootstrap"]
    assert draws.std(0, ddof=1) == pytest.approx(printed["std_error"], abs=5e-4)
    assert np.percentile(draws, 2.5, axis=0) == pytest.approx(printed["lower"], abs=5e-4)
    assert np.percentile(draws, 97.5, axis=0) == pytest.approx(printed["upper"], abs=5e-4)


@pytest.mark.parametrize("month", [0, 12, 24, 36, 60, 120])
def test_the_base_run_of_the_oracle_is_the_one_printed(month):
    run = oracle.simulate(oracle.BASE, {}, 120)
    for name, printed in ANCHORS["base"][str(month)].items():
        assert run[name][month][0] == pytest.approx(printed, abs=5e-5), name  # printed with four digits


def test_joint_quantiles_are_those_printed(values):
    for quantile, key in ((5, "p5"), (50, "median"), (95, "p95")):
        printed = ANCHORS["joint"][key]
        ours = np.percentile(values, quantile, axis=2)
        assert ours[0] == pytest.approx(printed["customers"], abs=0.5)
        assert ours[1] == pytest.approx(printed["margin"], abs=5e-4)


@pytest.mark.parametrize("k", range(3), ids=MEASURES)
def test_p_best_p_beats_and_evpi_are_those_printed(values, k):
    printed = ANCHORS["joint"]
    assert best.p_best(values[k]) == pytest.approx(printed["p_best"][MEASURES[k]], abs=HALF_CENT)
    assert best.p_beats(values[k], 0) == pytest.approx(printed["p_beats"][MEASURES[k]], abs=HALF_CENT)
    assert information.evpi(values[k]) == pytest.approx(printed["evpi"][MEASURES[k]], abs=5e-6)


def test_pareto_membership_is_the_one_printed(values):
    assert pareto.non_dominated(values[:2]).mean(1) == pytest.approx(ANCHORS["joint"]["pareto"], abs=HALF_CENT)


def test_regret_is_the_one_printed(values):
    table = regret.regret(values)
    printed = ANCHORS["joint"]
    assert table[0].mean(1) == pytest.approx(printed["regret_mean"]["customers"], abs=0.5)
    assert table[1].mean(1) == pytest.approx(printed["regret_mean"]["margin"], abs=5e-4)
    assert table[0].max(1) == pytest.approx(printed["regret_max"]["customers"], abs=0.5)


@pytest.mark.parametrize("k", range(3), ids=MEASURES)
def test_evppi_is_the_one_printed(values, design, k):
    printed = ANCHORS["joint"]["evppi"][MEASURES[k]]
    groups = {"survey": ["a", "b", "c"], **banyuwangi_groups()}
    for group, names in groups.items():
        parameters = np.column_stack([design[name] for name in names])
        assert information.evppi(values[k], parameters) == pytest.approx(printed[group], abs=1e-5), group


@pytest.mark.parametrize("k", [0, 1], ids=MEASURES[:2])
def test_rank_reversal_is_the_one_printed(values, k):
    paths = oracle.pls(oracle.survey())
    base = oracle.BASE | {"a": paths[0], "c": paths[1], "b": paths[2]}
    point = np.array([oracle.measures(oracle.simulate(base, s))[k, 0] for s in oracle.SCENARIOS.values()])
    tau = np.percentile(reversal.kendall_tau(point, values[k]), [5, 50, 95])
    printed = ANCHORS["joint"]
    assert tau == pytest.approx(printed["tau"][MEASURES[k]], abs=HALF_CENT)
    assert reversal.same_top(point, values[k]) == pytest.approx(printed["same_top"][MEASURES[k]], abs=5e-4)


# closed forms and properties ------------------------------------------------------------------------------------

few = st.integers(-3, 3).map(float)
tables = arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 7)), elements=few)
stacks = arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5)), elements=few)


@given(tables)
def test_p_best_sums_to_one_and_shares_ties(table):
    ours = best.p_best(table)
    slow = np.zeros(len(table))
    for column in table.T:
        winners = np.flatnonzero(column == column.max())
        slow[winners] += 1 / len(winners)
    assert ours == pytest.approx(slow / table.shape[1], abs=1e-12)
    assert ours.sum() == pytest.approx(1.0, abs=1e-12)


@given(tables)
def test_ranks_are_those_of_scipy(table):
    assert np.array_equal(best.rank_within(table), rankdata(-table, axis=0))


@given(tables)
def test_regret_and_evpi_are_not_negative_and_agree(table):
    losses = regret.regret(table)
    assert (losses >= 0).all()
    assert (losses.min(axis=0) == 0).all()
    # EVPI is the least expected regret: the regret of the best choice under what is known now
    assert information.evpi(table) == pytest.approx(losses.mean(axis=1).min(), abs=1e-12)


@given(stacks)
def test_the_front_is_never_empty_and_agrees_with_the_slow_rule(stack):
    ours = pareto.non_dominated(stack)
    assert ours.any(axis=0).all()
    for d in range(stack.shape[2]):
        for i in range(stack.shape[1]):
            beaten = any(
                all(stack[k, j, d] >= stack[k, i, d] for k in range(len(stack)))
                and any(stack[k, j, d] > stack[k, i, d] for k in range(len(stack)))
                for j in range(stack.shape[1])
            )
            assert ours[i, d] == (not beaten)


@settings(max_examples=30)
@given(stacks)
def test_acceptability_is_doubly_stochastic(stack):
    table = acceptability.acceptability(stack, repeats=2)
    assert table.sum(axis=0) == pytest.approx(1.0, abs=1e-9)
    assert table.sum(axis=1) == pytest.approx(1.0, abs=1e-9)


def test_acceptability_of_two_opposed_criteria_is_the_share_of_weights():
    # A is best on one criterion by one spread, B on the other: A wins when its weight is above a half
    stack = np.array([[[1.0], [0.0]], [[0.0], [1.0]]])
    table = acceptability.acceptability(np.repeat(stack, 4000, axis=2), seed=3)
    assert table[0, 0] == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 32_000))  # four standard errors


def test_a_dominated_option_is_never_accepted():
    stack = np.array([[[2.0], [1.0], [0.0]], [[2.0], [1.0], [0.5]]])
    assert acceptability.acceptability(stack)[:, 0].tolist() == [1.0, 0.0, 0.0]


def test_acceptability_has_the_same_bits_for_a_seed():
    stack = np.random.default_rng(1).normal(size=(2, 3, 50))
    assert np.array_equal(acceptability.acceptability(stack, seed=4), acceptability.acceptability(stack, seed=4))
    assert not np.array_equal(acceptability.acceptability(stack, seed=4), acceptability.acceptability(stack, seed=5))


def test_evpi_of_a_normal_choice_is_the_closed_form():
    # max(0, x), x ~ N(0, 1): E = 1/√(2π); the best choice under uncertainty is worth about 0
    x = np.random.default_rng(2).normal(size=200_000)
    value = information.evpi(np.stack([np.zeros_like(x), x - x.mean()]))
    assert value == pytest.approx(1 / np.sqrt(2 * np.pi), abs=4 * 0.58 / np.sqrt(200_000))  # four standard errors


def test_evppi_of_everything_is_evpi_and_of_noise_is_small():
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=(2, 5000))
    table = np.stack([np.zeros_like(x), x])
    assert information.evppi(table, x[:, None]) == pytest.approx(
        float(information.evpi(table)), rel=0.01
    )  # ridge shrinks by 0.1 %
    assert information.evppi(table, noise[:, None]) < 0.02
    assert information.evppi(table, np.ones((5000, 1))) == pytest.approx(0.0, abs=1e-12)  # a constant teaches nothing


@given(arrays(float, (5, 4), elements=few), arrays(float, 5, elements=few))
def test_kendall_tau_is_that_of_scipy(table, point):
    ours = reversal.kendall_tau(point, table)
    for j in range(table.shape[1]):
        if np.ptp(point) == 0 or np.ptp(table[:, j]) == 0:
            assert np.isnan(ours[j])
        else:
            assert ours[j] == pytest.approx(kendalltau(point, table[:, j]).statistic, abs=1e-12)


def test_monte_carlo_error_is_the_binomial_one():
    assert best.monte_carlo_error(np.array([0.0, 0.61, 1.0]), 1024) == pytest.approx([0.0, 0.015242, 0.0], abs=1e-6)
