"""Prediction and group comparison: Ctrl-C, many threads at once, replay of a recorded seed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from sembada import pls

MODEL = pls.Model("X =~ a + b ; Z <~ e + f ; Y =~ c + d ; Y ~ X + Z + X:Z")

SCRIPT = """
import time
import numpy as np, pandas as pd
from sembada import pls
rng = np.random.default_rng(1)
x = rng.normal(size=20_000)
frame = pd.DataFrame({name: x + rng.normal(size=20_000) for name in "abcdefghijkl"})
model = pls.Model("X =~ a + b + c + d ; M =~ e + f + g + h ; Y =~ i + j + k + l ; M ~ X ; Y ~ M")
fit = model.fit(frame)
which = np.arange(20_000) % 2
print("ready", flush=True)
try:
    CALL
    print("finished", flush=True)
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
    print("again", fit.predict(folds=2, repeats=1, seed=1).n_failed, flush=True)
"""
CALLS = {
    "predict": "fit.predict(folds=10_000, repeats=400, seed=1)",
    "permute": "pls.permute(model, frame, which, n=200_000, seed=1, statistics=['paths'])",
}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_stops_a_long_call(call):
    script = SCRIPT.replace("CALL", CALLS[call])
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        word, *at = process.stdout.readline().split()
        assert word == "interrupted"
        # The promise is 0.3 s; a loaded machine may be late to schedule either process, the call lasts far longer.
        assert float(at[0]) - started < 3.0
        assert process.stdout.readline() == "again 0\n"
        assert process.wait() == 0


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=(2, 120))
    y = 0.5 * x + 0.3 * z + 0.2 * x * z + 0.6 * rng.normal(size=120)
    columns = {"a": x, "b": x, "c": y, "d": y, "e": z, "f": z}
    return pd.DataFrame({name: value + 0.5 * rng.normal(size=120) for name, value in columns.items()}).assign(
        where=np.arange(120) % 2
    )


def test_eight_threads_predict_and_permute_with_one_model(frame):
    fit = MODEL.fit(frame)

    def work(seed):
        test = pls.permute(MODEL, frame, "where", n=20, seed=seed, threads=2)
        return fit.predict(repeats=1, seed=seed, threads=2).indicators(), test.paths()

    expected = [work(seed) for seed in range(4)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, [0, 1, 2, 3] * 2))
    for number, (table, paths) in enumerate(found):
        pd.testing.assert_frame_equal(table, expected[number % 4][0])
        pd.testing.assert_frame_equal(paths, expected[number % 4][1])


def test_a_fresh_seed_is_recorded_and_replays(frame):
    calls = [
        lambda seed: pls.permute(MODEL, frame, "where", n=20, seed=seed),
        lambda seed: pls.micom(MODEL, frame, "where", n=20, seed=seed),
        lambda seed: pls.compare_groups(MODEL, frame, "where", n=20, seed=seed),
        lambda seed: MODEL.fit(frame).predict(repeats=2, seed=seed),
    ]
    tables = [
        lambda result: result.paths(),
        lambda result: result.compositional,
        lambda result: result.paths(),
        lambda result: result.indicators(),
    ]
    for call, table in zip(calls, tables, strict=True):
        first = call(None)
        assert isinstance(first.provenance.seed, int)
        pd.testing.assert_frame_equal(table(first), table(call(first.provenance.seed)))
