"""The equations that the five forms suppose compile in the engine and do what the formulae say."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from sembada import sd
from sembada.study import Bridge, Link, Measure, Scale, Study


def model(equation):
    """Build a model whose variable `answer` follows the equation of a link, with X and Y as constants."""
    right = equation.split(" = ", 1)[1]
    return sd.Model(
        sd.Stock("clock", "0", inflows=["tick"]),
        sd.Flow("tick", "1"),
        sd.Aux("answer", right.replace("… + ", "")),
        *(sd.Parameter(part, value) for part, value in CONSTANTS.items()),
        sd.Parameter("p", 0.1, unit="dmnl"),
        time=sd.Time(0, 2, dt=1),
    )


CONSTANTS = {"X": 0.8, "X_initial": 0.5, "Y_initial": 0.4, "z_X": 1.5}
SCALES = {"X": Scale(0.5, 0.2), "Y": Scale(0.4, 0.25)}
ELASTICITY = (0.25 / 0.4) / (0.2 / 0.5)


def curve(slope, low=0.5, high=2.0):
    odds, steep = (high - 1) / (1 - low), (high - low) / ((high - 1) * (1 - low))
    return low + (high - low) / (1 + odds * math.exp(-steep * slope * (0.8 / 0.5 - 1)))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("weight", lambda beta: math.copysign(1, beta) * 0.8),
        ("z", lambda beta: 1.5 * beta),
        ("unstandardised", lambda beta: 0.4 + beta * 1.25 * 0.3),
        ("elasticity", lambda beta: 1.6 ** (beta * ELASTICITY)),
        ("table", lambda beta: curve(beta * ELASTICITY)),
    ],
)
def test_every_draw_enters_the_model_as_its_form_says(form, expected):
    draws = pd.DataFrame({"X -> Y": [0.2, 0.35, 0.6]})
    link = Link("X", "Y", parameter="p", form=form, delay=1)
    outcome = Study(
        bootstrap=draws,
        bridge=Bridge(model(link.equation()), [link], scales=SCALES),
        scenarios={"S0": {}},
        measures={"answer": Measure("answer")},
    ).run(draws=3)
    assert outcome.draws("answer")["S0"].tolist() == pytest.approx(
        [expected(beta) for beta in draws["X -> Y"]], rel=1e-12
    )
