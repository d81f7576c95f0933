"""Preparation inside the engine: each replicate is prepared from its own rows, as the slow version prepares it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from oracle import prepare as oracle
from sembada import errors, pls

TEXT = "X =~ x1 + x2 + x3\nM =~ m1 + m2\nY =~ y1 + y2 + y3\nM ~ X\nY ~ M + X"
MODEL = pls.Model(TEXT)
COLUMNS = list(MODEL.columns)
OPTIONS = {
    "regression": {"missing": "regression"},
    "em": {"missing": "em"},
    "spearman": {"correlation": "spearman"},
    "polychoric": {"correlation": "polychoric"},
    "scaling": {"scaling": {"x1": "ordinal", "m2": "nominal", "y3": "ordinal"}},
}

pytestmark = pytest.mark.filterwarnings("ignore:more than")


def survey(n=120, seed=4, holes=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.4 * m + 0.4 * x + 0.7 * rng.normal(size=n)
    frame = {}
    for name in COLUMNS:
        factor = {"x": x, "m": m, "y": y}[name[0]]
        frame[name] = np.digitize(0.8 * factor + 0.6 * rng.normal(size=n), [-1.2, -0.4, 0.3, 1.1]).astype(float)
    frame["x2"] = x + rng.normal(size=n)
    values = pd.DataFrame(frame)
    if holes:
        for column in ("x1", "m2", "y1", "y3"):
            values.loc[rng.random(n) < 0.08, column] = np.nan
    return values


def prepared(kind, values, weights):
    """The rows as the slow version prepares them."""
    if kind in {"regression", "em"}:
        return oracle.complete(values, kind, weights)
    if kind == "spearman":
        return oracle.spearman(values, weights)
    if kind == "polychoric":
        ordinal = np.array([name != "x2" for name in COLUMNS])
        target = oracle.polychoric(values, ordinal, weights)
        share = weights / weights.sum()
        mean = share @ values
        scale = np.sqrt(share @ (values - mean) ** 2)
        return mean + oracle.carry((values - mean) / scale, share, target) * scale
    scales = OPTIONS["scaling"]["scaling"]
    kinds = tuple(scales.get(name, "numeric") for name in COLUMNS)

    def scores_of(matrix):
        fit = MODEL.fit(pd.DataFrame(matrix, columns=COLUMNS), weights=weights, tol=1e-12, max_iter=3000)
        return fit.scores()[list(MODEL.specification.measured)].to_numpy()

    return oracle.quantify(MODEL.specification, values, kinds, weights, "path", scores_of)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", list(OPTIONS))
def test_each_replicate_is_the_slow_preparation_of_its_rows(kind, weighted):
    frame = survey(holes=kind in {"regression", "em"})
    rng = np.random.default_rng(2)
    own = rng.integers(1, 3, len(frame)).astype(float) if weighted else None
    rows = rng.integers(0, len(frame), (2, len(frame)))
    fit = MODEL.fit(frame, weights=own, tol=1e-12, max_iter=3000, **OPTIONS[kind])
    boot = fit.bootstrap(indices=rows)
    assert boot.n_failed == 0
    cases = [(None, np.ones(len(frame)), fit.paths["estimate"], fit.outer["loading"])]
    cases += [
        (number, np.bincount(row, minlength=len(frame)).astype(float), boot.draws("paths").iloc[number],
         boot.draws("loadings").iloc[number])
        for number, row in enumerate(rows)
    ]  # fmt: skip
    for _, counts, paths, loadings in cases:
        weights = counts if own is None else counts * own
        used = weights > 0
        values = prepared(kind, frame.to_numpy()[used], weights[used])
        slow = MODEL.fit(pd.DataFrame(values, columns=COLUMNS), weights=weights[used], tol=1e-12, max_iter=3000)
        # EM stops when no moment moves by 1e-9, scaling when no value moves by 1e-10, from different starts.
        atol = {"em": 1e-6, "scaling": 1e-8, "polychoric": 1e-8}.get(kind, 1e-10)
        np.testing.assert_allclose(paths, slow.paths["estimate"], rtol=0, atol=atol)
        np.testing.assert_allclose(loadings, slow.outer["loading"], rtol=0, atol=atol)


@pytest.mark.parametrize("kind", ["em", "polychoric", "scaling"])
def test_threads_and_executors_do_not_change_a_bit(kind):
    fit = MODEL.fit(survey(80, holes=kind == "em"), **OPTIONS[kind])
    one = fit.bootstrap(12, seed=3, threads=1).draws("paths")
    pd.testing.assert_frame_equal(fit.bootstrap(12, seed=3, threads=2).draws("paths"), one)
    with ThreadPoolExecutor(2) as pool:
        pd.testing.assert_frame_equal(fit.bootstrap(12, seed=3, executor=pool).draws("paths"), one)


def test_interactions_and_levels_are_estimated_on_prepared_rows():
    frame = survey(200, holes=True)
    model = pls.Model(TEXT + " + X:M")
    fit = model.fit(frame, missing="em", tol=1e-11)
    rows = oracle.complete(frame.to_numpy(), "em")
    slow = model.fit(pd.DataFrame(rows, columns=COLUMNS), tol=1e-11)
    np.testing.assert_allclose(fit.paths["estimate"], slow.paths["estimate"], atol=1e-6)
    boot = fit.bootstrap(5, seed=1)
    counts = boot.resample(3)
    alone = model.fit(frame.iloc[np.repeat(np.arange(200), counts.astype(int))], missing="em", tol=1e-11)
    np.testing.assert_allclose(boot.draws("paths").iloc[3], alone.paths["estimate"], atol=1e-6)


def test_a_resample_that_cannot_be_prepared_is_a_status():
    frame = survey(60)
    frame["y1"] = 0.0
    frame.loc[7, "y1"] = 1.0
    rows = np.tile(np.arange(60), (3, 1))
    rows[1, 7] = 8
    for kind in ("spearman", "polychoric", "scaling"):
        options = dict(OPTIONS[kind])
        if kind == "scaling":
            options = {"scaling": {"y1": "nominal"}}
        boot = MODEL.fit(frame, **options).bootstrap(indices=rows)
        assert list(boot.status) == ["ok", "zero variance", "ok"]
        assert boot.failures().loc[1, "where"] == "y1"
    gaps = survey(60, holes=True)
    # Thirty times the same two rows: fewer complete rows than columns.
    few = np.tile(np.flatnonzero(gaps.notna().all(axis=1))[:6], (1, 10))
    boot = MODEL.fit(gaps, missing="regression").bootstrap(indices=few)
    assert list(boot.status) == ["too few rows"]


def test_sign_options_hold_on_prepared_samples():
    frame = survey(60)
    fit = MODEL.fit(frame, correlation="polychoric")
    signs = np.sign(fit.outer["loading"].to_numpy())
    assert (np.sign(fit.bootstrap(30, seed=1, sign="indicator").draws("loadings").to_numpy()) == signs).all()


def test_a_pickled_fit_prepares_its_rows_again():
    import pickle

    fit = MODEL.fit(survey(60), scaling={"x1": "ordinal"})
    again = pickle.loads(pickle.dumps(fit))
    pd.testing.assert_frame_equal(again.category_values(), fit.category_values())
    pd.testing.assert_frame_equal(again.scores(), fit.scores())


def test_data_that_cannot_be_completed_are_refused_with_the_cure():
    frame = survey(30, holes=True)
    frame.loc[frame.index[:25], "m1"] = np.nan
    with pytest.raises(errors.DataError, match="missing='em'"):
        MODEL.fit(frame, missing="regression")
    frame["m1"] = np.nan
    with pytest.raises(errors.DataError, match="'m1' has no value"):
        MODEL.fit(frame, missing="em")
    apart = survey(40)
    apart.loc[apart.index[:20], "x1"] = np.nan
    apart.loc[apart.index[20:], "x3"] = np.nan
    # Two columns that nobody answered both: their correlation has no estimate of its own, the others still decide it.
    assert MODEL.fit(apart, missing="em").converged
