"""The datasets that ship: labelled, seeded, equal to the oracle, and what the case study says of them."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import study as oracle
from sembada import datasets
from sembada.datasets import banyuwangi_parameters as parameters
from sembada.errors import DataError, SpecificationError

SURVEYS = [
    datasets.banyuwangi_survey,
    datasets.kaltim_mediation,
    datasets.tumang_governance,
    datasets.sentra_conflict,
    datasets.kemitraan_mga,
]


@pytest.mark.parametrize("make", SURVEYS, ids=lambda make: make.__name__)
def test_a_survey_is_seeded_labelled_and_on_the_answer_scale(make):
    frame = make()
    assert frame.attrs["synthetic"] is True
    assert frame.attrs["source"]
    assert frame.attrs["licence"]
    assert "synthetic" in frame.attrs["title"]
    numbers = frame.select_dtypes("number")
    assert set(np.unique(numbers)) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert frame.equals(make())
    assert not frame.equals(make(seed=99))


def test_the_banyuwangi_survey_equals_the_oracle_to_the_bit():
    frame = datasets.banyuwangi_survey()
    assert np.array_equal(frame.drop(columns="sector").to_numpy(), oracle.survey())
    assert frame["sector"].value_counts().to_dict() == {"food and beverage": 80, "crafts": 60, "clothing": 60}


def test_the_paths_of_the_banyuwangi_sample_are_the_anchors():
    answers = datasets.banyuwangi_survey().drop(columns="sector").to_numpy()
    assert oracle.pls(answers) == pytest.approx([0.475, -0.254, 0.407], abs=5e-4)  # printed with three digits
    assert oracle.pls(answers, consistent=True) == pytest.approx([0.539, -0.337, 0.498], abs=5e-4)


def test_every_question_of_the_survey_is_described():
    assert list(datasets.BANYUWANGI_QUESTIONS) == list(datasets.banyuwangi_survey().columns[1:])


def test_the_survey_refuses_paths_that_leave_no_variance():
    with pytest.raises(DataError, match="explain all the variance"):
        datasets.banyuwangi_survey(a=0.9, b=0.9, c=0.5)
    with pytest.raises(DataError, match="at least 10"):
        datasets.banyuwangi_survey(3)


def test_parameters_equal_those_of_the_oracle_and_are_documented():
    for name, value in oracle.BASE.items():
        assert parameters.PARAMETERS[name][0] == value, name
    for name, (_, unit, meaning, source) in parameters.PARAMETERS.items():
        assert all((unit, meaning, source)), name
    lower = [name.lower() for name in parameters.PARAMETERS]
    assert len(lower) == len(set(lower)), "names that differ by case only are one name in XMILE"


def test_ranges_equal_those_of_the_oracle_hold_the_base_and_are_grouped():
    ranges = datasets.banyuwangi_uncertainties()
    assert {k: tuple(map(float, v)) for k, v in oracle.RANGES.items()} == ranges
    for name, (low, high) in ranges.items():
        assert low <= parameters.PARAMETERS[name][0] <= high, name
    assert sorted(name for group in datasets.banyuwangi_groups().values() for name in group) == sorted(ranges)


def test_named_scenarios_are_those_of_the_oracle():
    for scenario in datasets.banyuwangi_scenarios():
        expected = {}
        for lever, (intensity, start) in oracle.SCENARIOS[scenario.name].items():
            expected |= {f"{lever}_intensity": intensity, f"{lever}_start": start}
        used = {name: value for name, value in scenario.params.items() if value}
        assert used == expected
        assert scenario.title("id").startswith(scenario.name)


def test_equal_budget_costs_every_policy_the_same():
    scenarios = datasets.banyuwangi_scenarios(budget="equal")
    assert scenarios[0].cost == 0.0
    assert [scenario.cost for scenario in scenarios[1:]] == pytest.approx([1.0] * 8)
    staged = scenarios[-1].params
    assert staged["tr_intensity"] / staged["km_intensity"] == pytest.approx(0.6)


def test_the_factorial_has_eight_scenarios_and_starts_with_the_status_quo():
    scenarios = datasets.banyuwangi_scenarios("factorial")
    assert [scenario.name for scenario in scenarios] == ["S0", "km", "cc", "cc+km", "tr", "tr+km", "tr+cc", "tr+cc+km"]
    assert not any(scenarios[0].params.values())
    with pytest.raises(SpecificationError, match="'named' or 'factorial'"):
        datasets.banyuwangi_scenarios("all")


def test_tumang_means_pass_the_cut_about_as_often_as_the_source_says():
    means = datasets.tumang_governance(n=4000).mean()
    governance, industry = means.filter(like="CG"), means.filter(like="SID")
    # 4,000 firms: the standard error of a mean is 0.02
    assert (governance > 3.3).sum() == 6
    assert (industry > 3.3).sum() == 5
