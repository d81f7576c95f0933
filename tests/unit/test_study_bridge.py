"""Bridge and links: the five forms by hand, cautions, calibration, and errors that say what to do."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from sembada.errors import DataError, SpecificationError, UnknownNameError
from sembada.study import Bridge, Link, Scale, effects, hypotheses, path_draws, scales
from sembada.study.effects import mediation_kind


class Curve:
    """ln y rises with `gain` per unit of `shift`: a model whose long-run response is known."""

    parameters: ClassVar = {"b": 0.4, "c": -0.2, "tau": 3.0, "gain": 0.2, "shift": 0.0, "eps": 0.4}
    variables: ClassVar = {
        name: SimpleNamespace(type="parameter", unit=unit, comment="", dimensions=())
        for name, unit in {"b": "dmnl", "c": "dmnl", "tau": "month", "gain": "dmnl", "eps": "dmnl"}.items()
    }

    def run(self, params=None, save=None):
        p = self.parameters | dict(params or {})
        return {"y": pd.Series([1.0, math.exp(2.0 * p["gain"] * p["shift"])])}


def frame(**columns):
    return pd.DataFrame({name.replace("_", " -> "): values for name, values in columns.items()})


DRAWS = frame(X_Y=[0.5, 0.3, 0.4], Z_Y=[-0.1, -0.3, 0.1])
SCALES = {"X": Scale(0.5, 0.2), "Z": Scale(0.6, 0.1), "Y": Scale(0.4, 0.25)}


def test_the_five_forms_are_those_of_the_formulae():
    both = {("X", "Y"): 0.5, ("Z", "Y"): -0.3}

    def value(form):
        return Bridge(Curve(), [Link("X", "Y", parameter="b", form=form)], scales=SCALES).parameters(both)["b"]

    assert value("z") == 0.5
    assert value("unstandardised") == pytest.approx(0.5 * 0.25 / 0.2)
    assert value("elasticity") == pytest.approx(0.5 * (0.25 / 0.4) / (0.2 / 0.5))
    assert value("table") == pytest.approx(value("elasticity"))
    links = [Link("X", "Y", parameter="b", form="weight"), Link("Z", "Y", parameter="c", form="weight")]
    assert Bridge(Curve(), links).parameters(both) == pytest.approx({"b": 0.625, "c": -0.375})


def test_the_table_form_passes_one_with_the_slope_and_saturates():
    link = Link("X", "Y", parameter="b", form="table", low=0.4, high=1.8)
    right = link.equation().split("= ", 1)[1].replace("^", "**")

    def curve(x, slope):
        return eval(right, {"EXP": math.exp, "X": x, "X_initial": 2.0, "b": slope})

    assert curve(2.0, 0.7) == pytest.approx(1.0)
    step = 1e-5
    slope = (curve(2.0 * (1 + step), 0.7) - curve(2.0 * (1 - step), 0.7)) / (2 * step)
    assert slope == pytest.approx(0.7, rel=1e-6)  # central difference: error of order step²
    assert curve(100.0, 0.7) == pytest.approx(1.8)
    assert curve(-100.0, 0.7) == pytest.approx(0.4)


def test_draws_are_converted_row_by_row_and_stay_joint():
    bridge = Bridge(Curve(), [Link("X", "Y", parameter="b"), Link("Z", "Y", parameter="c")])
    design = bridge.design(path_draws(DRAWS), np.array([2, 0]))
    assert design.to_dict("list") == {"b": [0.4, 0.5], "c": [0.1, -0.1]}


def test_a_fixed_delay_is_written_into_its_parameter():
    bridge = Bridge(Curve(), [Link("X", "Y", parameter="b", delay=4, delay_parameter="tau")])
    assert bridge.parameters({("X", "Y"): 0.1}) == {"b": 0.1, "tau": 4.0}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Link("X", "Y"), SpecificationError, "which parameter"),
        (lambda: Link("X", "Y", parameter="b", form="beta"), SpecificationError, "expected one of 'weight', 'z'"),
        (lambda: Link("X", "Y", parameter="b", form="table", low=1.2), SpecificationError, "0 <= low < 1 < high"),
        (lambda: Link("X", "Y", parameter="b", delay=-1), SpecificationError, "above zero"),
        (lambda: Scale(0.5, 0.0), SpecificationError, "sd > 0"),
        (lambda: Bridge(Curve(), []), SpecificationError, "at least one link"),
        (lambda: Bridge(Curve(), [Link("X", "Y", parameter="taus")]), UnknownNameError, "did you mean 'tau'"),
        (lambda: Bridge(Curve(), [Link("X", "Y", parameter="b", delay="tua")]), UnknownNameError, "did you mean 'tau'"),
        (
            lambda: Bridge(Curve(), [Link("X", "Y", parameter="b"), Link("Z", "Y", parameter="b")]),
            SpecificationError,
            "both feed parameter 'b'",
        ),
        (
            lambda: Bridge(Curve(), [Link("X", "Y", parameter="b", form="elasticity")]),
            SpecificationError,
            "needs mean and standard deviation of 'X'",
        ),
        (lambda: path_draws(pd.DataFrame({"paths": [1.0]})), SpecificationError, "names no path"),
        (lambda: path_draws(7), SpecificationError, "expected the result of fit.bootstrap"),
        (lambda: path_draws(DRAWS).index(("X", "Yy")), UnknownNameError, "did you mean 'X → Y'"),
        (lambda: path_draws(frame(X_Y=[np.nan])).rows(5, 0), DataError, "none of the 1 bootstrap replicates"),
        (lambda: scales(pd.DataFrame({"q1": [1]}), {"X": ["q2"]}), UnknownNameError, "did you mean 'q1'"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
def test_bad_input_says_what_to_do(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_rows_are_the_replicates_themselves_or_a_balanced_resample():
    draws = path_draws(frame(X_Y=[0.1, np.nan, 0.3, 0.4], Z_Y=[0.1, 0.2, 0.3, 0.4]))
    assert draws.rows(4, seed=0).tolist() == [0, 1, 2, 3]
    rows = draws.rows(8, seed=0)
    counts = np.bincount(rows, minlength=4)
    assert counts[1] == 0
    assert sorted(counts[[0, 2, 3]]) == [2, 3, 3]
    assert np.array_equal(rows, draws.rows(8, seed=0))
    assert not np.array_equal(draws.rows(64, seed=0), draws.rows(64, seed=1))


def test_the_audit_finds_every_caution():
    bridge = Bridge(
        Curve(),
        [
            Link("X", "Y", parameter="b", form="weight", gain="gain", mechanisms=["eps"]),
            Link("Z", "Y", parameter="c", form="weight", delay="tau"),
            Link("X", "Z", parameter="tau", delay="tau", unit="person"),
        ],
    )
    draws = frame(X_Y=[0.5, 0.3], Z_Y=[-0.1, 0.3], X_Z=[0.1, 0.2])
    draws.attrs["estimate"] = [0.4, -0.1, 0.15]
    audit = bridge.audit(draws)
    found = set(zip(audit["link"], audit["caution"], audit["severity"], strict=True))
    assert found == {
        ("all", "cross-sectional", "note"),
        ("all", "attenuation", "note"),
        ("X → Y", "no delay", "caution"),
        ("X → Y", "not calibrated", "caution"),
        ("X → Y", "double counting", "caution"),
        ("Z → Y", "sign", "caution"),
        ("Z → Y", "negative weight", "serious"),
        ("X → Z", "unit", "serious"),
        ("X → Z", "pure number", "serious"),
    }


def test_the_hand_off_table_shows_path_form_and_value():
    bridge = Bridge(Curve(), [Link("X", "Y", parameter="b", form="elasticity", loading=0.8, cv=0.5)], scales=SCALES)
    row = bridge.table(DRAWS).loc[("X", "Y")]
    assert row["estimate"] == pytest.approx(0.4)
    assert row["value"] == pytest.approx(0.4 * 1.5625)
    assert row["target"] == pytest.approx(0.4)
    assert row["form"] == "elasticity"


def test_calibration_finds_the_gain_of_the_closed_form():
    bridge = Bridge(Curve(), [Link("X", "Y", parameter="b", gain="gain")])
    assert bridge.long_run("y", "shift", params={"gain": 0.3}) == pytest.approx(0.6)
    assert bridge.calibrate("gain", 0.4, "y", "shift") == pytest.approx(0.2, abs=1e-9)
    with pytest.raises(SpecificationError, match="widen bounds"):
        bridge.calibrate("gain", 9.0, "y", "shift")


def test_scales_are_those_of_the_rescaled_answers():
    data = pd.DataFrame({"q1": [1.0, 5.0, 3.0], "q2": [3.0, 5.0, 1.0]})
    ours = scales(data, {"X": ["q1", "q2"]}, weights={"X": [3.0, 1.0]})["X"]
    score = 0.75 * (data["q1"] - 1) / 4 + 0.25 * (data["q2"] - 1) / 4
    assert (ours.mean, ours.sd) == (pytest.approx(score.mean()), pytest.approx(score.std()))


def test_indirect_effects_follow_every_chain_and_vaf_is_refused_when_signs_oppose():
    rng = np.random.default_rng(1)
    columns = {"X -> M": 0.5, "M -> Y": 0.4, "X -> Y": -0.3, "M -> N": 0.2, "N -> Y": 0.5, "X:M -> Y": 0.1}
    draws = pd.DataFrame({name: value + 0.01 * rng.normal(size=400) for name, value in columns.items()})
    draws.attrs["estimate"] = list(columns.values())
    table = effects(path_draws(draws))
    row = table.loc[("X", "Y")]
    assert row["indirect"] == pytest.approx(0.5 * 0.4 + 0.5 * 0.2 * 0.5)
    assert row["total"] == pytest.approx(row["indirect"] - 0.3)
    assert row["mediation"] == "competitive"
    assert np.isnan(row["vaf"])
    both = table.loc[("M", "Y")]
    assert both["mediation"] == "complementary"
    assert both["vaf"] == pytest.approx(0.1 / 0.5)
    assert ("X", "N") in table.index
    assert table.loc[("X", "N"), "mediation"] == "indirect-only"


@pytest.mark.parametrize(
    ("direct", "indirect", "kind"),
    [
        ((0.2, 0.1, 0.3), (0.2, 0.1, 0.3), "complementary"),
        ((-0.2, -0.3, -0.1), (0.2, 0.1, 0.3), "competitive"),
        ((0.1, -0.1, 0.3), (0.2, 0.1, 0.3), "indirect-only"),
        ((0.2, 0.1, 0.3), (0.0, -0.1, 0.1), "direct-only"),
        ((0.0, -0.1, 0.1), (0.0, -0.1, 0.1), "none"),
    ],
)
def test_mediation_has_its_name(direct, indirect, kind):
    assert mediation_kind(direct, indirect) == kind


def test_hypotheses_are_accepted_rejected_or_reversed():
    index = pd.MultiIndex.from_tuples([("X", "Y"), ("Z", "Y"), ("X", "Z")], names=["predictor", "outcome"])
    paths = pd.DataFrame({"estimate": [0.4, -0.3, 0.1], "p": [0.001, 0.01, 0.3]}, index=index)
    table = hypotheses(
        paths, {"H1": ("X", "Y", "+"), "H2": ("Z", "Y", "+"), "H3": ("X", "Z", "±"), "H4": ("Z", "Y", "−")}
    )
    assert table["decision"].to_dict() == {"H1": "accepted", "H2": "reversed", "H3": "rejected", "H4": "accepted"}
    assert list(hypotheses(paths).index) == ["H1", "H2", "H3"]
    with pytest.raises(UnknownNameError, match="X → Y"):
        hypotheses(paths, {"H1": ("X", "Yy", "+")})
    with pytest.raises(SpecificationError, match=r"expected '\+'"):
        hypotheses(paths, {"H1": ("X", "Y", "up")})
