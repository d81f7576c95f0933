"""The gate of long calls: Ctrl-C, progress, threads, forked children, panics."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from sembada import _core
from sembada.errors import InternalError, SpecificationError

INTERRUPTED = """
import time
from sembada import _core
print("ready", flush=True)
try:
    _core.wait_for_test(30.0, 2)
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
    # The pool still works after an interrupted call.
    print("again", _core.wait_for_test(0.1, 2), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_stops_a_long_call_and_leaves_the_pool_usable() -> None:
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    word, at = process.stdout.readline().split()
    assert word == "interrupted"
    # The promise is 0.3 s; a loaded machine may be late to schedule either process, the call itself lasts 30 s.
    assert float(at) - started < 3.0
    assert process.stdout.readline() == "again 10\n"
    assert process.wait() == 0
    process.stdout.close()


def test_progress_is_reported_and_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    assert _core.wait_for_test(0.5, 1, lambda done, total: seen.append((done, total))) == 50
    assert seen[-1] == (50, 50)
    assert len(seen) > 1
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(seen))


def test_an_exception_in_the_progress_callback_stops_the_call() -> None:
    def fail(done: int, total: int) -> None:
        raise LookupError(f"{done} of {total}")

    with pytest.raises(LookupError):
        _core.wait_for_test(30.0, 2, fail)


def test_a_panic_is_an_internal_error() -> None:
    with pytest.raises(InternalError, match="on purpose") as caught:
        _core.panic_for_test()
    assert caught.value.cause == "on purpose"
    assert isinstance(caught.value, Exception)
    assert _core.wait_for_test(0.05, 2) == 5


def test_zero_threads_are_refused() -> None:
    with pytest.raises(SpecificationError, match="threads=0"):
        _core.wait_for_test(0.0, 0)


def test_other_python_threads_run_meanwhile() -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(_core.wait_for_test(0.2, 2))) for _ in range(8)]
    for thread in threads:
        thread.start()
    ticks = 0
    while any(thread.is_alive() for thread in threads):
        ticks += 1
        time.sleep(0.001)
    assert results == [20] * 8
    assert ticks > 1


def _in_child(queue: "multiprocessing.Queue[int]") -> None:
    queue.put(_core.wait_for_test(0.05, 2))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_a_pool_of_its_own() -> None:
    assert _core.wait_for_test(0.05, 2) == 5
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=30) == 5
    child.join(30)
    assert child.exitcode == 0
