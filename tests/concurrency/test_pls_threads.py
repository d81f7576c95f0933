"""The same bits for any number of threads, from many threads at once, in other processes, and after pickling."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

from sembada import pls

TEXT = "X =~ a + b ; Z <~ e + f ; Y =~ c + d ; Y ~ X + Z + X:Z"


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=(2, 120))
    y = 0.5 * x + 0.3 * z + 0.2 * x * z + 0.6 * rng.normal(size=120)
    columns = {"a": x, "b": x, "c": y, "d": y, "e": z, "f": z}
    frame = pd.DataFrame({name: value + 0.5 * rng.normal(size=120) for name, value in columns.items()})
    return pls.Model(TEXT).fit(frame)


def bits(boot):
    return np.concatenate([boot.draws(name).to_numpy().ravel() for name in ("paths", "loadings", "r2", "htmt")])


def test_threads_do_not_change_a_bit(fit):
    base = bits(fit.bootstrap(230, seed=3, threads=1))
    for threads in (2, 5):
        np.testing.assert_array_equal(base, bits(fit.bootstrap(230, seed=3, threads=threads)))


def test_executors_do_not_change_a_bit(fit):
    base = bits(fit.bootstrap(2300, seed=3))
    with ThreadPoolExecutor(3) as pool:
        np.testing.assert_array_equal(base, bits(fit.bootstrap(2300, seed=3, executor=pool)))


@pytest.mark.slow
def test_processes_do_not_change_a_bit(fit):
    base = bits(fit.bootstrap(1500, seed=3))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(base, bits(fit.bootstrap(1500, seed=3, executor=pool)))


def test_eight_threads_share_one_fit(fit):
    expected = {seed: bits(fit.bootstrap(100, seed=seed)) for seed in range(8)}
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda seed: bits(fit.bootstrap(100, seed=seed, threads=2)), range(8)))
    for seed, result in enumerate(results):
        np.testing.assert_array_equal(expected[seed], result)


def test_eight_threads_fit_one_model(fit):
    model, frame = fit.model, pd.DataFrame(fit._table.matrix, columns=fit.model.columns)
    with ThreadPoolExecutor(8) as pool:
        fits = list(pool.map(lambda _: model.fit(frame), range(16)))
    for other in fits:
        pd.testing.assert_frame_equal(other.paths, fit.paths)


def test_results_survive_pickling(fit):
    again = pickle.loads(pickle.dumps(fit))
    assert again.model == fit.model
    assert dict(again.provenance) == dict(fit.provenance)
    for name in ("paths", "outer", "constructs", "effects"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(fit, name))
    pd.testing.assert_frame_equal(again.scores(), fit.scores())
    boot = fit.bootstrap(50, seed=1)
    np.testing.assert_array_equal(bits(again.bootstrap(50, seed=1)), bits(boot))
    copy = pickle.loads(pickle.dumps(boot))
    pd.testing.assert_frame_equal(copy.paths(interval="bca"), boot.paths(interval="bca"))
    pd.testing.assert_series_equal(copy.status, boot.status)


def test_results_cannot_be_changed(fit):
    boot = fit.bootstrap(20, seed=1)
    for target in (fit, boot, fit.model, fit.provenance):
        with pytest.raises(AttributeError):
            target.anything = 1
    table = fit.paths
    table.iloc[0, 0] = 99.0
    assert fit.paths.iloc[0, 0] != 99.0
    draws = boot.draws("paths")
    before = draws.iloc[0, 0]
    draws.iloc[0, 0] = 99.0
    assert boot.draws("paths").iloc[0, 0] == before


def test_a_fresh_seed_is_recorded_and_replays(fit):
    boot = fit.bootstrap(30)
    assert isinstance(boot.provenance.seed, int)
    np.testing.assert_array_equal(bits(boot), bits(fit.bootstrap(30, seed=boot.provenance.seed)))
