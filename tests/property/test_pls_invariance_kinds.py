"""The same invariances for every kind of model: interactions, levels, consistent, regression weights, prepared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sembada import errors, pls

BLOCKS = "X =~ x1 + x2 + x3 ; Z =~ z1 + z2 ; Y =~ y1 + y2 + y3 ; "
PLAIN = BLOCKS + "Y ~ X + Z"
KINDS = {
    "two-stage interaction": (PLAIN + " + X:Z", {}, {}),
    "product interaction": (PLAIN + " + X:Z", {"interactions": "product"}, {}),
    "orthogonal interaction": (PLAIN + " + X:Z", {"interactions": "orthogonal"}, {}),
    "quadratic": (PLAIN + " + X:X", {}, {}),
    "three-way": (PLAIN + " + X:Z + X:X:Z", {}, {}),
    "two levels": (BLOCKS + "H =~ X + Z ; Y ~ H", {}, {}),
    "two levels, composite": (BLOCKS + "H <~ X + Z ; Y ~ H", {}, {}),
    "embedded": (BLOCKS + "H =~ X + Z ; Y ~ H", {}, {"higher_order": "embedded"}),
    "repeated": (BLOCKS + "H =~ X + Z ; Y ~ H", {}, {"higher_order": "repeated"}),
    "consistent": (PLAIN, {}, {"consistent": True}),
    "regression weights": (PLAIN, {"modes": {"X": "B", "Z": "B-nonnegative"}}, {}),
    "components and sums": (PLAIN, {"modes": {"X": "pca", "Z": "unit"}}, {"scheme": "pca"}),
    "links": (BLOCKS + "Y ~ X ; Z ~~ X ; Y ~~ Z", {}, {}),
    "ranks": (PLAIN, {}, {"correlation": "spearman"}),
    "polychoric": (PLAIN, {}, {"correlation": "polychoric"}),
    "scaled": (PLAIN, {}, {"scaling": {"x1": "ordinal", "y2": "nominal"}}),
}
#: Raw units are meant to matter, and a polychoric correlation or a scaled value is found by iteration.
ATOL = {"polychoric": 1e-7, "scaled": 1e-7}


@st.composite
def surveys(draw):
    """Answers from 1 to 5, or numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(80, 140))
    x, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=n).T
    y = 0.5 * x + 0.4 * z + 0.25 * x * z + 0.2 * x**2 + 0.6 * rng.normal(size=n)
    columns = {}
    for name, factor, count in (("x", x, 3), ("z", z, 2), ("y", y / y.std(), 3)):
        for k in range(count):
            values = 0.9 * factor + 0.45 * rng.normal(size=n)
            columns[f"{name}{k + 1}"] = np.clip(np.rint(values + 3), 1, 5)
    frame = pd.DataFrame(columns)
    assume((frame.std() > 0.3).all())
    return frame


def fit(kind, frame, **more):
    text, model, options = KINDS[kind]
    try:
        return pls.Model(text, **model).fit(frame, tol=1e-12, max_iter=20_000, **options, **more)
    except errors.InadmissibleError:
        assume(False)


def numbers(result):
    """Everything that has a label and does not depend on signs alone."""
    return pd.concat(
        [result.paths["estimate"], result.outer["weight"], result.outer["loading"], result.effects["total"],
         result.constructs[["r2", "alpha", "rho_c", "ave"]].stack()]
    )  # fmt: skip


def assert_same(left, right, atol):
    a, b = numbers(left), numbers(right)
    # Tables are in the order of the model, whatever that of the data.
    assert list(a.index) == list(b.index)
    np.testing.assert_allclose(a.to_numpy(float), b.to_numpy(float), rtol=0, atol=atol)


pytestmark = pytest.mark.filterwarnings("ignore:the solution is inadmissible")


@pytest.mark.parametrize("kind", list(KINDS))
@settings(deadline=None, max_examples=4)
@given(frame=surveys(), seed=st.integers(0, 2**32 - 1))
def test_row_and_column_order_units_and_counts_do_not_matter(kind, frame, seed):
    atol = ATOL.get(kind, 1e-8)
    base = fit(kind, frame)
    rng = np.random.default_rng(seed)
    shuffled = frame.iloc[rng.permutation(len(frame))][list(rng.permutation(frame.columns))]
    assert_same(base, fit(kind, shuffled), atol)
    if kind != "polychoric":
        # Answers in other units keep their order and their distances.
        assert_same(
            base, fit(kind, frame * rng.uniform(0.1, 9, frame.shape[1]) + rng.normal(size=frame.shape[1])), atol
        )
    counts = rng.integers(0, 3, len(frame))
    assume((frame[counts > 0].std() > 0.3).all())
    weighted = fit(kind, frame, weights=counts.astype(float))
    repeated = fit(kind, frame.iloc[np.repeat(np.arange(len(frame)), counts)])
    assert_same(weighted, repeated, atol)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"polychoric", "scaled", "ranks"}])
@settings(deadline=None, max_examples=3)
@given(frame=surveys())
def test_a_construct_with_all_indicators_reversed_turns_its_signs(kind, frame):
    base = fit(kind, frame)
    turned = fit(kind, frame.assign(**{name: -frame[name] for name in ("z1", "z2")}))
    atol = ATOL.get(kind, 1e-8)
    np.testing.assert_allclose(base.constructs["r2"].dropna(), turned.constructs["r2"].dropna(), atol=atol)
    for pair, value in base.paths["estimate"].items():
        # Equal start weights keep the sign of Z's score with its indicators, so Z turns where it stands alone.
        times = sum(name == "Z" for side in pair for name in side.split(":"))
        if "H" in pair:
            continue  # A level above mixes X with the reversed Z: its own weights turn.
        assert turned.paths["estimate"][pair] == pytest.approx(-value if times % 2 else value, abs=atol)


@pytest.mark.parametrize("kind", list(KINDS))
@settings(deadline=None, max_examples=2)
@given(frame=surveys(), seed=st.integers(0, 2**32 - 1))
def test_replicates_are_fits_wherever_they_stand_and_equal_ones_are_equal(kind, frame, seed):
    n = len(frame)
    rows = np.random.default_rng(seed).integers(0, n, (3, n))
    assume(all((frame.iloc[row].std() > 0.3).all() for row in rows))
    base = fit(kind, frame)
    boot = base.bootstrap(indices=np.concatenate([rows, rows[:1]]))
    assume((boot.status == "ok").all())
    draws = boot.draws("paths")
    pd.testing.assert_series_equal(draws.iloc[0], draws.iloc[3], check_names=False)
    alone = fit(kind, frame.iloc[rows[1]])
    np.testing.assert_allclose(
        draws.iloc[1], alone.paths["estimate"].loc[draws.columns], rtol=0, atol=10 * ATOL.get(kind, 1e-8)
    )
