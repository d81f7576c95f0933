"""Optimal scaling of ordinal and nominal indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression

from sembada import errors, pls
from sembada.pls.quantify import monotone

TEXT = "X =~ x1 + x2\nM <~ m1 + m2\nY =~ y1 + y2\nM ~ X\nY ~ M + X"
BLOCKS = {"X": ["x1", "x2"], "M": ["m1", "m2"], "Y": ["y1", "y2"]}
PATHS = [("X", "M"), ("M", "Y"), ("X", "Y")]


def survey(n=400, seed=2):
    """Answers whose categories are far from equally spaced; `m1` is nominal: its codes have no order."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.5 * m + 0.2 * x + 0.7 * rng.normal(size=n)
    noise = lambda factor: 0.9 * factor + 0.4 * rng.normal(size=n)  # noqa: E731
    columns = {
        "x1": np.digitize(noise(x), [-2.0, -1.6, 1.2]),
        "x2": noise(x),
        "m1": np.array([3, 0, 2, 1])[np.digitize(noise(m), [-0.8, 0.0, 0.8])],
        "m2": noise(m),
        "y1": np.digitize(noise(y), [-1.5, 1.0, 1.3, 2.0]),
        "y2": noise(y),
    }
    return pd.DataFrame(columns).astype(float)


def slow(frame, kinds, scheme):
    """Russolillo (2012): one pass of scaling and one of weights at a time, on raw rows."""
    z = {c: (frame[c].to_numpy() - frame[c].mean()) / frame[c].std() for c in frame}
    weights = {name: np.ones(2) for name in BLOCKS}
    n = len(frame)

    def scale(v):
        return (v - v.mean()) / v.std(ddof=1)

    for _ in range(3000):
        y = {name: scale(np.column_stack([z[c] for c in block]) @ weights[name]) for name, block in BLOCKS.items()}
        change = 0.0
        new = {}
        for name, block in BLOCKS.items():
            before = [a for a, b in PATHS if b == name]
            after = [b for a, b in PATHS if a == name]
            proxy = np.zeros(n)
            if scheme == "path":
                if before:
                    d = np.column_stack([y[a] for a in before])
                    proxy += d @ np.linalg.lstsq(d, y[name], rcond=None)[0]
                for b in after:
                    proxy += y[b] * np.corrcoef(y[b], y[name])[0, 1]
            else:
                for b in before + after:
                    proxy += y[b] * np.corrcoef(y[b], y[name])[0, 1]
            proxy = scale(proxy)
            for c in block:
                if kinds.get(c) in {"ordinal", "nominal"}:
                    means = pd.Series(proxy).groupby(frame[c].to_numpy()).mean()
                    size = frame[c].value_counts().sort_index().to_numpy(float)
                    if kinds[c] == "ordinal":
                        up = isotonic_regression(means.to_numpy(), weights=size).x
                        down = isotonic_regression(means.to_numpy(), weights=size, increasing=False).x
                        spread = lambda v, s=size: s @ (v - s @ v / s.sum()) ** 2  # noqa: E731
                        means[:] = up if spread(up) >= spread(down) else down
                    z[c] = scale(means[frame[c]].to_numpy())
            d = np.column_stack([z[c] for c in block])
            w = d.T @ proxy / (n - 1) if name != "M" else np.linalg.lstsq(d, proxy, rcond=None)[0]
            new[name] = w / (d @ w).std(ddof=1)
            change += np.abs(new[name] - weights[name]).sum()
        weights = new
        if change < 1e-12:
            break
    y = {name: np.column_stack([z[c] for c in block]) @ weights[name] for name, block in BLOCKS.items()}
    d = np.column_stack([y["M"], y["X"]])
    return z, weights, [np.corrcoef(y["X"], y["M"])[0, 1], *np.linalg.lstsq(d, y["Y"], rcond=None)[0]]


@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_the_fixed_point_is_that_of_the_published_iteration(scheme):
    frame = survey()
    kinds = {"x1": "ordinal", "m1": "nominal", "y1": "ordinal"}
    z, weights, paths = slow(frame, kinds, scheme)
    fit = pls.Model(TEXT).fit(frame, scaling=kinds, scheme=scheme, tol=1e-12, max_iter=2000)
    # Both approach one fixed point linearly; ours stops when no category moves by 1e-10.
    np.testing.assert_allclose(fit.paths["estimate"], paths, atol=1e-7)
    for name in BLOCKS:
        np.testing.assert_allclose(fit.outer.xs(name, level="construct")["weight"], weights[name], atol=1e-7)
    values = fit.category_values()["value"]
    for column in kinds:
        for category, value in values[column].items():
            assert value == pytest.approx(z[column][(frame[column] == category).to_numpy()][0], abs=1e-7)
    assert values["x1"].is_monotonic_increasing


def test_scaling_finds_the_order_of_nominal_categories():
    frame = survey()
    plain = pls.Model(TEXT, modes={"M": "A"}).fit(frame)
    scaled = pls.Model(TEXT, modes={"M": "A"}).fit(frame, scaling={"m1": "nominal"})
    assert abs(plain.outer.loc[("M", "m1"), "loading"]) < 0.8
    assert scaled.outer.loc[("M", "m1"), "loading"] > 0.85
    values = scaled.category_values()["value"]["m1"]
    # The codes were made as 3, 0, 2, 1 from the lowest to the highest quarter.
    assert list(values.sort_values().index) == [3.0, 0.0, 2.0, 1.0]


def test_two_categories_have_nothing_to_scale():
    frame = survey()
    frame["y1"] = (frame["y1"] > 1).astype(float)
    np.testing.assert_allclose(
        pls.Model(TEXT).fit(frame, scaling={"y1": "nominal"}, tol=1e-11).paths["estimate"],
        pls.Model(TEXT).fit(frame, tol=1e-11).paths["estimate"],
        atol=1e-8,
    )


def test_it_is_bootstrapped_with_its_scaling():
    fit = pls.Model(TEXT).fit(survey(150), scaling={"x1": "ordinal", "m1": "nominal"})
    rows = np.random.default_rng(1).integers(0, 150, (3, 150))
    boot = fit.bootstrap(indices=rows)
    for number, row in enumerate(rows):
        alone = pls.Model(TEXT).fit(survey(150).iloc[row], scaling={"x1": "ordinal", "m1": "nominal"})
        np.testing.assert_allclose(boot.draws("paths").iloc[number], alone.paths["estimate"], atol=1e-7)


def test_monotone_regression_is_scipys():
    rng = np.random.default_rng(3)
    for _ in range(20):
        values, weights = rng.normal(size=9), rng.uniform(0.5, 3, size=9)
        np.testing.assert_allclose(monotone(values, weights), isotonic_regression(values, weights=weights).x)


@pytest.mark.parametrize(
    ("model", "options", "error", "word"),
    [
        (TEXT, {"scaling": {"x9": "nominal"}}, errors.UnknownNameError, "x9"),
        (TEXT, {"scaling": "nomnial"}, errors.SpecificationError, "nominal"),
        (TEXT, {"scaling": "ordinal", "correlation": "polychoric"}, errors.SpecificationError, "one of them"),
        (TEXT, {"scaling": "ordinal", "missing": "mean"}, errors.SpecificationError, "listwise"),
        (TEXT + " + X:M", {"scaling": "ordinal"}, errors.UnsupportedError, "X:M"),
    ],
)
def test_what_cannot_be_scaled_is_refused(model, options, error, word):
    with pytest.raises(error, match=word):
        pls.Model(model).fit(survey(), **options)
