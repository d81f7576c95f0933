"""Two-stage least squares: feedback loops and endogenous predictors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sembada import errors, pls
from sembada.pls.equations import effects, equations, solve
from sembada.pls.lavaan import parse

LOOP = """
P =~ p
Q =~ q
X =~ x
Z =~ z
P ~ Q + X
Q ~ P + Z
"""


def market(n=20_000, seed=3):
    """Two variables that drive each other: P = .4 Q + .6 X + u, Q = −.5 P + .7 Z + v, with u and v correlated."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    u, v = rng.multivariate_normal([0, 0], [[0.5, 0.25], [0.25, 0.5]], size=n).T
    p = (0.6 * x + u + 0.4 * (0.7 * z + v)) / (1 + 0.2)
    q = -0.5 * p + 0.7 * z + v
    return pd.DataFrame({"p": p, "q": q, "x": x, "z": z})


def test_a_loop_is_refused_by_least_squares_and_estimated_with_instruments():
    with pytest.raises(errors.CircularError, match="2sls"):
        pls.Model(LOOP)
    frame = market()
    fit = pls.Model(LOOP, equations="2sls").fit(frame)
    sd = frame.std()
    paths = fit.paths["estimate"]
    # In units of the data; standard errors at n = 20,000 are about 0.01.
    assert paths["Q", "P"] * sd["p"] / sd["q"] == pytest.approx(0.4, abs=0.04)
    assert paths["P", "Q"] * sd["q"] / sd["p"] == pytest.approx(-0.5, abs=0.04)
    assert paths["X", "P"] * sd["p"] / sd["x"] == pytest.approx(0.6, abs=0.04)
    # X reaches P round the loop: 0.6 / (1 + 0.2).
    assert fit.effects.loc[("X", "P"), "total"] * sd["p"] / sd["x"] == pytest.approx(0.5, abs=0.04)
    assert fit.effects.loc[("X", "P"), "indirect"] < 0


def test_it_is_the_textbook_estimator():
    frame = market(200)
    fit = pls.Model(LOOP, equations="2sls").fit(frame)
    data = (frame - frame.mean()) / frame.std()
    z = data[["x", "z"]].to_numpy()
    first = z @ np.linalg.lstsq(z, data[["q", "x"]].to_numpy(), rcond=None)[0]
    b = np.linalg.lstsq(first, data["p"].to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(fit.paths.xs("P", level="outcome")["estimate"], b, rtol=1e-9)


def test_own_predictors_as_instruments_give_least_squares():
    text = "X =~ x\nZ =~ z\nP =~ p\nP ~ X + Z"
    frame = market(300)
    np.testing.assert_allclose(
        pls.Model(text, equations="2sls").fit(frame).paths["estimate"],
        pls.Model(text).fit(frame).paths["estimate"],
        rtol=1e-12,
    )


def test_given_instruments_repair_an_endogenous_predictor():
    rng = np.random.default_rng(8)
    n = 20_000
    z = rng.normal(size=n)
    hidden = rng.normal(size=n)
    x = 0.6 * z + 0.5 * hidden + 0.5 * rng.normal(size=n)
    y = 0.5 * x + 0.8 * hidden + 0.5 * rng.normal(size=n)
    frame = pd.DataFrame({"z": z, "x": x, "y": y})
    text = "Z =~ z\nX =~ x\nY =~ y\nX ~ Z\nY ~ X"
    scale = frame["y"].std() / frame["x"].std()
    plain = pls.Model(text).fit(frame).paths["estimate"]["X", "Y"] * scale
    model = pls.Model(text, equations="2sls", instruments={"Y": ["Z"]})
    repaired = model.fit(frame).paths["estimate"]["X", "Y"] * scale
    assert plain > 0.8
    assert repaired == pytest.approx(0.5, abs=0.04)
    assert pls.Model(str(model)) == model


def test_draws_carry_the_estimator():
    frame = market(250)
    model = pls.Model(LOOP, equations="2sls")
    fit = model.fit(frame)
    rows = np.random.default_rng(2).integers(0, 250, (5, 250))
    boot = fit.bootstrap(indices=rows)
    for number, row in enumerate(rows):
        alone = model.fit(frame.iloc[row])
        np.testing.assert_allclose(boot.draws("paths").iloc[number], alone.paths["estimate"], rtol=1e-7)
        np.testing.assert_allclose(boot.draws("total_effects").iloc[number], alone.effects["total"], rtol=1e-7)
    pd.testing.assert_series_equal(boot.paths()["estimate"], fit.paths["estimate"])
    assert "2SLS" in str(fit.summary())


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("P =~ p\nQ =~ q\nX =~ x\nP ~ Q + X\nQ ~ P", errors.SpecificationError, ["'P'", "2 predictors", "1 instr"]),
        ("P =~ p\nX =~ x\nP ~ X + X:X", errors.UnsupportedError, ["X:X"]),
        ("P =~ p\nX =~ x\nP ~ X\n#! instruments P = P", errors.SpecificationError, ["own equation"]),
    ],
)
def test_what_cannot_be_identified_is_refused(text, error, words):
    with pytest.raises(error) as caught:
        pls.Model(text, equations="2sls")
    for word in words:
        assert word in str(caught.value)


def test_many_matrices_are_solved_at_once():
    system = equations(parse(LOOP + "#! equations = 2sls"))
    names = ["P", "Q", "X", "Z"]
    matrices = np.array([market(400, seed).rename(columns=str.upper)[names].corr().to_numpy() for seed in range(6)])
    together, r2 = solve(matrices, names, system)
    for k, matrix in enumerate(matrices):
        alone, own = solve(matrix, names, system)
        np.testing.assert_allclose(together[k], alone, rtol=1e-12)
        np.testing.assert_allclose(r2[k], own, rtol=1e-12)
    matrices[2] = 1.0
    broken, _ = solve(matrices, names, system)
    assert np.isnan(broken[2]).any()
    np.testing.assert_allclose(broken[3], together[3], rtol=1e-12)


def test_feedback_that_does_not_settle_has_no_total_effect():
    b = np.zeros((2, 2, 2))
    b[0] = [[0, 1.2], [1.1, 0]]
    b[1] = [[0, 0.5], [0.5, 0]]
    total = effects(b)
    assert np.isnan(total[0]).all()
    np.testing.assert_allclose(total[1], [[1 / 3, 2 / 3], [2 / 3, 1 / 3]])
