"""The study runs every scenario on every draw, keeps failures as data, and its tables say what the arrays say."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from scipy.stats import norm

from oracle.line import Line, boot
from sembada.errors import DataError, SpecificationError, UnknownNameError
from sembada.study import Bridge, HandOffWarning, Link, Measure, Scenario, Study, factorial, variants


def study(model=None, **changes):
    parts = {
        "bootstrap": boot(),
        "bridge": Bridge(model or Line(), [Link("X", "Y", parameter="b", delay=1)]),
        "scenarios": [Scenario("S0", {"u": 0}), Scenario("S1", {"u": 1}, label={"en": "up", "id": "naik"})],
        "uncertainties": {"k": (0.1, 0.8)},
        "measures": {"y": "y", "cost": Measure("cost", direction="min")},
    }
    return Study(**(parts | changes))


def test_row_b_of_the_bootstrap_is_row_b_of_the_design():
    draws = boot()
    outcome = study(bootstrap=draws).run(draws=40, seed=3)
    assert np.array_equal(outcome.rows, np.arange(40))
    assert np.array_equal(outcome.design["b"], draws["X -> Y"])
    assert np.array_equal(outcome.draws("y")["S0"], 3 * draws["X -> Y"])


def test_scenarios_share_their_draws_and_the_last_row_is_the_point():
    model = Line()
    outcome = study(model).run(draws=16, seed=3, method="rk4")
    (first, save, seed, options), (second, *_) = model.designs
    assert first.drop(columns="u").equals(second.drop(columns="u"))
    assert (save, seed, options) == (["y", "cost"], 3, {"method": "rk4"})
    assert first.iloc[-1].to_dict() == {"b": 0.5, "k": 0.5, "u": 0.0}
    assert outcome.point.tolist() == [[1.5, 0.0], [3.0, 3.0]]
    assert outcome.values.shape == (2, 16, 2)


def test_the_hypercube_uses_every_slice_once_and_takes_three_kinds_of_range():
    uncertain = {"k": (0.0, 0.8), "w": norm(0.2, 0.01), "u": (0.0, 0.1, 0.3)}
    design, _ = study(uncertainties=uncertain, scenarios={"S0": {}}).design(draws=50, seed=1)
    assert sorted((design["k"] / 0.8 * 50).astype(int)) == list(range(50))
    assert sorted((norm(0.2, 0.01).cdf(design["w"]) * 50).astype(int)) == list(range(50))
    assert design["u"].between(0, 0.3).all()
    again, _ = study(uncertainties=uncertain, scenarios={"S0": {}}).design(draws=50, seed=1)
    assert design.equals(again)


def test_a_failed_run_is_data():
    outcome = study(uncertainties={"k": (0.0, 1.8)}).run(draws=40, seed=1)
    bad = outcome.status[1] == 1
    assert 0 < bad.sum() < 40
    assert outcome.n_failed == bad.sum()
    assert np.isnan(outcome.values[1, bad]).all()
    assert np.isfinite(outcome.values[0]).all()
    assert outcome.n_valid == 40 - bad.sum()
    table = outcome.failures()
    assert table.loc["S1"].to_dict() == {"bootstrap": 0, "model": bad.sum(), "failed": bad.sum(), "runs": 40}
    assert outcome.failed["scenario"].unique().tolist() == ["S1"]
    good = outcome.draws("y").loc[~bad]
    assert outcome.compare("y").loc[("y", "S0"), "mean"] == pytest.approx(good["S0"].mean())


def test_a_failed_replicate_is_data_too():
    draws = boot()
    draws.iloc[4] = np.nan
    outcome = study(bootstrap=draws).run(draws=40)
    assert outcome.status[:, 4].tolist() == [-1, -1]
    assert outcome.failures()["bootstrap"].tolist() == [1, 1]
    assert outcome.n_valid == 39


def test_nothing_left_is_an_error_that_says_where_to_look():
    outcome = study(uncertainties={"k": (1.0, 1.8)}).run(draws=10)
    with pytest.raises(DataError, match=r"outcome\.failures"):
        outcome.compare()


def test_tables_say_what_the_draws_say():
    outcome = study().run(draws=64, seed=2)
    y = outcome.draws("y")
    compared = outcome.compare()
    gap = (y["S1"] - y["S0"]).to_numpy()
    row = compared.loc[("y", "S1")]
    assert row["mean"] == pytest.approx(y["S1"].mean())
    assert row["median"] == pytest.approx(y["S1"].median())
    assert [row["difference_lower"], row["difference"], row["difference_upper"]] == pytest.approx(
        np.quantile(gap, [0.05, 0.5, 0.95])
    )
    assert row["p_beats"] == (gap > 0).mean() == 1.0
    assert compared.loc[("y", "S1"), "rank"] == 1
    assert compared.loc[("cost", "S1"), "rank"] == 2
    assert np.isnan(compared.loc[("y", "S0"), "p_beats"])
    best = outcome.p_best()
    assert best.loc[("y", "S1"), "p_best"] == 1.0
    assert best.loc[("cost", "S0"), "p_best"] == 1.0
    assert outcome.p_best({"cost": "max"}).loc[("cost", "S1"), "p_best"] == 1.0
    assert outcome.pareto()["p_pareto"].tolist() == [1.0, 1.0]
    assert outcome.pareto(["y"])["on_front"].tolist() == [False, True]
    assert outcome.regret("y").loc[("y", "S0"), "expected"] == pytest.approx(gap.mean())
    assert outcome.regret("y")["minimax"].tolist() == [False, True]
    assert outcome.evpi().loc["y", ["best", "evpi"]].tolist() == ["S1", 0.0]
    assert outcome.evpi().loc["cost", "best"] == "S0"
    assert outcome.reversal().loc["y", "p_same_best"] == 1.0
    ranked = outcome.rank({"y": "max"})
    assert ranked.index.tolist() == ["S1", "S0"]
    assert ranked["acceptability"].tolist() == [1.0, 0.0]
    assert outcome.acceptability().to_numpy().sum() == pytest.approx(2.0)
    assert list(outcome.evppi("y").loc["y"].index) == ["survey", "k"]
    course = outcome.course("y")
    assert course.loc[("S1", 3.0), 0.5] == pytest.approx(y["S1"].median())
    over_time = outcome.p_best_over_time("y")
    assert over_time.loc[0.0].tolist() == [0.5, 0.5]
    assert over_time.loc[3.0].tolist() == [0.0, 1.0]


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, same, other = (study().run(draws=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.values, same.values)
    assert first.provenance == same.provenance
    assert not np.array_equal(first.values, other.values)


def test_an_outcome_survives_pickling_without_the_model():
    outcome = study().run(draws=20)
    again = pickle.loads(pickle.dumps(outcome))
    assert again.rank().equals(outcome.rank())
    assert "Line" not in str(again.__dict__)


def test_default_measures_are_the_final_values_of_the_stocks():
    outcome = study(measures=None).run(draws=8)
    assert list(outcome.measures) == ["y", "cost"]


def test_any_saved_variable_can_be_a_criterion():
    outcome = study(measures={"y": "y"}, save=["cost"]).run(draws=8)
    assert outcome.rank({"y": "max", "cost": "min"}).loc["S1", "p_best_y"] == 1.0
    assert outcome.p_best({"cost": "min"}).loc[("cost", "S0"), "p_best"] == 1.0
    assert outcome.compare("cost").loc[("cost", "S1"), "point"] == 3.0


def test_a_structure_scenario_runs_another_model():
    class Twice(Line):
        def sweep(self, design, **options):
            made = super().sweep(design, **options)
            made.series["y"] *= 2
            return made

    outcome = study(scenarios=[Scenario("S0"), Scenario("twice", model=Twice())]).run(draws=8)
    y = outcome.draws("y")
    assert np.allclose(y["twice"], 2 * y["S0"], rtol=1e-15)


def test_a_fixed_parameter_wins_over_links_and_uncertainties():
    outcome = study(fixed={"b": 2.0, "k": 0.0}, groups={"market": ["k"]}).run(draws=16)
    assert (outcome.draws("y") == 6.0).all(axis=None)
    assert list(outcome.design.columns) == []
    assert (outcome.linked, dict(outcome.groups)) == ((), {})
    assert outcome.provenance["fixed"] == {"b": 2.0, "k": 0.0}


def test_variants_say_whether_the_choice_stands():
    plan = study(measures={"y": "y"})
    outcomes = {
        "as planned": plan.run(draws=32),
        "k turned round": dataclasses.replace(plan, fixed={"k": -0.5}).run(draws=32),
    }
    table = variants(outcomes)
    assert table["best"].tolist() == ["S1", "S0"]
    assert table["stands"].tolist() == [True, False]
    assert table.loc[("y", "k turned round"), ["S0", "S1"]].tolist() == [1.0, 0.0]
    with pytest.raises(SpecificationError, match="expected"):
        variants(outcomes | {"other": study(scenarios={"A": {}}).run(draws=8)})


def test_a_serious_caution_warns():
    line = Line()
    bridge = Bridge(line, [Link("Z", "Y", parameter="b", form="weight", delay=1)])
    with pytest.warns(HandOffWarning, match="weights that sum to one"):
        study(bridge=bridge).run(draws=8)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"uncertainties": {"b": (0, 1)}}, SpecificationError, "fed by a link and uncertain"),
        ({"uncertainties": {"kk": (0, 1)}}, UnknownNameError, "did you mean 'k'"),
        ({"uncertainties": {"k": (1, 0)}}, SpecificationError, "rising order"),
        ({"scenarios": {}}, SpecificationError, "at least one scenario"),
        ({"scenarios": {"S0": {"uu": 1}}}, UnknownNameError, "did you mean 'u'"),
        ({"scenarios": [Scenario("A"), Scenario("A")]}, SpecificationError, "two scenarios are named 'A'"),
        ({"fixed": {"kk": 1.0}}, UnknownNameError, "did you mean 'k'"),
        ({"reference": "S9"}, UnknownNameError, "did you mean"),
        ({"measures": {"y": "yy"}}, UnknownNameError, "did you mean 'y'"),
        ({"save": ["costs"]}, UnknownNameError, "did you mean 'cost'"),
        ({"groups": {"market": ["q"]}}, UnknownNameError, "uncertain parameter 'q'"),
        ({"bridge": Bridge(Line(), [Link("Q", "Y", parameter="b")])}, UnknownNameError, "path 'Q → Y'"),
    ],
)
def test_bad_studies_say_what_to_do(changes, error, message):
    with pytest.raises(error, match=message):
        study(**changes).run(draws=8)


@pytest.mark.parametrize("draws", [0, 1, 2.5, True])
def test_draws_must_be_a_count(draws):
    with pytest.raises(SpecificationError, match="at least 2"):
        study().run(draws=draws)


@pytest.mark.parametrize("option", ["save", "store", "stats"])
def test_what_the_study_decides_is_not_an_option(option):
    with pytest.raises(SpecificationError, match="decides it itself"):
        study().run(draws=8, **{option: "x"})


def test_a_negative_seed_is_refused():
    with pytest.raises(SpecificationError, match="from zero up"):
        study().run(draws=8, seed=-1)


def test_unknown_criteria_list_near_matches():
    outcome = study().run(draws=8)
    with pytest.raises(UnknownNameError, match="did you mean 'cost'"):
        outcome.rank({"costs": "min"})
    with pytest.raises(SpecificationError, match="'max' or 'min'"):
        outcome.rank({"cost": "least"})


@pytest.mark.parametrize(
    ("how", "expected"), [("final", 4.0), ("mean", 3.5), ("sum", 7.0), ("minimum", 3.0), ("maximum", 4.0)]
)
def test_measures_reduce_their_window(how, expected):
    series = {"y": np.array([[9.0, 1.0, 3.0, 4.0]])}
    assert Measure("y", how=how, last=2).reduce(series, np.arange(4.0)).tolist() == [expected]


def test_a_window_counts_months_also_where_steps_carry_rounding():
    time = np.cumsum(np.full(30, 0.1)) - 0.1
    ours = Measure("y", how="sum", last=1.0).reduce({"y": np.ones(30)}, time)
    assert float(ours) == 10.0


@pytest.mark.parametrize("bad", [{"how": "median"}, {"direction": "up"}, {"how": "ratio"}, {"over": "z"}, {"last": -1}])
def test_bad_measures_are_refused(bad):
    with pytest.raises(SpecificationError, match="measure of 'y'"):
        Measure("y", **bad)


def test_factorial_has_every_combination():
    made = factorial({"a": {"u": 1.0}, "b": {"k": 0.2}}, off={"u": 0.0})
    assert [(s.name, dict(s.params)) for s in made] == [
        ("none", {"u": 0.0}),
        ("b", {"u": 0.0, "k": 0.2}),
        ("a", {"u": 1.0}),
        ("a+b", {"u": 1.0, "k": 0.2}),
    ]
