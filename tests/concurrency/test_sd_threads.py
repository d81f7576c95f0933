"""Models under threads, forks and Ctrl-C."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sembada import sd


def build(final_time: float = 50.0) -> sd.Model:
    return sd.Model(
        sd.Stock("x", 1, inflows=["growth"]),
        sd.Flow("growth", "rate * x * (1 - x / 100)"),
        sd.Parameter("rate", 0.3),
        time=sd.Time(0, final_time, dt=0.25, save_step=1),
    )


def test_eight_threads_share_one_model() -> None:
    model = build()
    rates = np.linspace(0.1, 0.8, 64)
    alone = [model.run({"rate": rate})["x"].to_numpy() for rate in rates]
    fresh = build()
    with ThreadPoolExecutor(8) as pool:
        # each thread compiles, runs once and sweeps
        found = list(pool.map(lambda rate: fresh.run({"rate": rate}, save=["x"])["x"].to_numpy(), rates))
        sweeps = list(pool.map(lambda _: fresh.sweep({"rate": rates}, save=["x"]).frame("x").to_numpy(), range(8)))
    for one, other in zip(alone, found, strict=True):
        np.testing.assert_array_equal(one, other)
    for sweep in sweeps:
        np.testing.assert_array_equal(sweep, sweeps[0])


def _child(queue: object) -> None:
    sweep = build().sweep({"rate": np.linspace(0.1, 0.8, 300)}, save=["x"], threads=2)
    queue.put(float(sweep.frame("x").to_numpy().sum()))  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_sweeps_after_its_parent_did() -> None:
    wanted = float(
        build().sweep({"rate": np.linspace(0.1, 0.8, 300)}, save=["x"], threads=2).frame("x").to_numpy().sum()
    )
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    try:
        # ten seconds of patience; a hang is what the test looks for
        assert queue.get(timeout=60) == wanted
    finally:
        child.join(5)
        if child.is_alive():
            child.kill()


LONG = """
import sys, time
import numpy as np
from sembada import sd
model = sd.Model(
    sd.Stock("x", 1, inflows=["growth"]),
    sd.Flow("growth", "rate * SIN(x) * EXP(-x) * LN(2 + x)"),
    sd.Parameter("rate", 0.3),
    time=sd.Time(0, 100000, dt=0.125, save_step=100000),
)
model.run(time={"final_time": 1.0})
print("ready", flush=True)
try:
    model.sweep({"rate": np.linspace(0.1, 0.8, 200000)}, save=["x"])
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
    # the model is whole, and so is the pool
    print(model.run(time={"final_time": 1.0}).status, flush=True)
    sys.exit(7)
"""


# One interval of dt, in which the fast decay allows only steps of some millionths: no edge is met for hours.
ADAPTIVE = """
import sys, time
from sembada import sd
model = sd.Model(
    sd.Stock("x", 1, inflows=["pull"]),
    sd.Flow("pull", "rate * (SIN(TIME) - x)"),
    sd.Parameter("rate", 1e9),
    time=sd.Time(0, 1e5, dt=1e5),
)
quick = {"params": {"rate": 1.0}, "time": {"dt": 1.0, "final_time": 1.0}}
model.run(method="rk45", **quick)
print("ready", flush=True)
try:
    CALL
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
    print(model.run(method="rk45", **quick).status, flush=True)
    sys.exit(7)
"""
CALLS = [
    pytest.param(LONG, id="sweep"),
    pytest.param(ADAPTIVE.replace("CALL", 'model.run(method="rk45")'), id="adaptive run"),
    pytest.param(
        ADAPTIVE.replace("CALL", 'model.sweep({"rate": [1e9, 2e9, 3e9]}, method="rk45")'), id="adaptive sweep"
    ),
]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
@pytest.mark.parametrize("program", CALLS)
def test_ctrl_c_stops_a_long_call(program: str) -> None:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready"
        time.sleep(1.0)
        sent = time.time()
        child.send_signal(signal.SIGINT)
        word, at = child.stdout.readline().split()
        assert word == "interrupted"
        # the promise is 0.3 s; a loaded machine is given ten times that before this counts as a hang
        assert float(at) - sent < 3.0
        assert child.stdout.readline().strip() == "0"
        assert child.wait(30) == 7


def test_an_error_in_progress_stops_a_sweep() -> None:
    class Stop(Exception):
        pass

    def progress(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        build().sweep({"rate": np.linspace(0.1, 0.8, 1000)}, progress=progress)


STORED = """
import sys, time
import numpy as np
from sembada import sd
from sembada.sd import batch
batch.BLOCK_BYTES = batch.STATISTICS_BLOCK = 1 << 16
model = sd.Model(
    sd.Stock("x", 1, inflows=["growth"]),
    sd.Flow("growth", "rate * SIN(x) * EXP(-x) * LN(2 + x)"),
    sd.Parameter("rate", 0.3),
    time=sd.Time(0, 100, dt=0.125, save_step=1),
)
design = {"rate": np.linspace(0.1, 0.8, 40000)}
wait = float(sys.argv[2])
def progress(done, total):
    if done and wait:
        print("block", flush=True)
        time.sleep(wait)
try:
    sweep = model.sweep(design, save=["x"], store=sys.argv[1], progress=progress)
except KeyboardInterrupt:
    sys.exit(7)
print(np.array_equal(sweep.frame("x"), model.sweep(design, save=["x"]).frame("x")))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_leaves_a_store_that_goes_on(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    path = str(tmp_path / "sweep.zarr")
    done = [0]
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", STORED, path, "0.2"], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(3):
                assert child.stdout.readline().strip() == "block"
            child.send_signal(signal.SIGINT)
            child.stdout.read()
            assert child.wait(30) == 7
        done.append(int((zarr.open_group(path, mode="r")["block_checksum"][:] >= 0).sum()))
    # what stands is kept, and each attempt adds to it
    assert 0 < done[1] < done[2]
    end = subprocess.run([sys.executable, "-c", STORED, path, "0"], capture_output=True, text=True, check=True)
    assert end.stdout.strip() == "True"
