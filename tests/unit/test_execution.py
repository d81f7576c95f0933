"""Blocks run anywhere and give the same results in the same order."""

import io
import sys
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import pytest

from sembada import execution
from sembada.errors import DataError, SpecificationError
from sembada.execution import Block


def square(block: Block, report: object) -> list[int]:
    return [member**2 for member in range(block.start, block.stop)]


BLOCKS = execution.split(23, 5)
EXPECTED = [(block, square(block, None)) for block in BLOCKS]


def test_blocks_cover_the_batch_once() -> None:
    members = [member for block in BLOCKS for member in range(block.start, block.stop)]
    assert members == list(range(23))
    assert [block.index for block in BLOCKS] == [0, 1, 2, 3, 4]
    assert execution.split(0, 5) == ()
    assert [len(block) for block in execution.split(3, 0)] == [1, 1, 1]


def test_results_come_in_order_without_an_executor() -> None:
    assert list(execution.run(square, BLOCKS)) == EXPECTED


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_from_threads(workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert list(execution.run(square, BLOCKS, executor=pool)) == EXPECTED


@pytest.mark.slow
def test_results_come_in_order_from_processes() -> None:
    assert list(execution.run(square, BLOCKS, executor="processes")) == EXPECTED


class Flaky:
    """An executor that loses each block's worker once."""

    _max_workers = 2

    def __init__(self, losses: int = 1) -> None:
        self.losses = losses
        self.lost: dict[int, int] = {}

    def submit(self, function, work, block):
        future: Future = Future()
        if self.lost.get(block.index, 0) < self.losses:
            self.lost[block.index] = self.lost.get(block.index, 0) + 1
            future.set_exception(ConnectionResetError("the worker is gone"))
        else:
            future.set_result(function(work, block))
        return future


def test_a_lost_worker_is_tried_again() -> None:
    assert list(execution.run(square, BLOCKS, executor=Flaky(), retries=1)) == EXPECTED
    with pytest.raises(ConnectionResetError):
        list(execution.run(square, BLOCKS, executor=Flaky(3), retries=2))


def test_an_error_of_the_work_is_not_tried_again() -> None:
    calls = []

    def work(block: Block, report: object) -> None:
        calls.append(block.index)
        raise DataError("no")

    with ThreadPoolExecutor(1) as pool, pytest.raises(DataError):
        list(execution.run(work, BLOCKS[:1], executor=pool))
    assert calls == [0]


class Memory:
    def __init__(self, held: dict) -> None:
        self.held = held

    def finished(self):
        return list(self.held)

    def save(self, block, result):
        assert block.index not in self.held
        self.held[block.index] = result


def test_blocks_that_are_held_are_not_run_again() -> None:
    memory = Memory({1: "kept", 3: "kept"})
    seen: list[tuple[int, int]] = []
    ran = [
        b.index for b, _ in execution.run(square, BLOCKS, checkpoint=memory, report=lambda d, t: seen.append((d, t)))
    ]
    assert ran == [0, 2, 4]
    assert sorted(memory.held) == [0, 1, 2, 3, 4]
    assert seen[0] == (10, 23)
    assert seen[-1] == (23, 23)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)


def test_progress_within_a_block_is_counted_on() -> None:
    seen = []

    def work(block: Block, report) -> None:
        report(len(block) // 2, len(block))

    list(execution.run(work, execution.split(8, 4), report=lambda d, t: seen.append(d)))
    assert seen == [2, 4, 6, 8]


def test_what_is_no_executor_is_refused() -> None:
    with pytest.raises(SpecificationError, match="submit"):
        list(execution.run(square, BLOCKS, executor=3))


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_a_wrong_number_of_threads_is_refused(threads: object) -> None:
    with pytest.raises(SpecificationError, match="threads="):
        execution.check_threads(threads)  # type: ignore[arg-type]


def test_progress_without_a_bar_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with execution.reporter(True, 10, "runs") as report:
        assert report is not None
        report(10, 10)
    assert "runs: 10 of 10" in stream.getvalue()


def test_a_pool_that_breaks_is_told_about() -> None:
    class Broken(Flaky):
        def submit(self, function, work, block):
            future: Future = Future()
            future.set_exception(BrokenExecutor("broken"))
            return future

    with pytest.raises(BrokenExecutor):
        list(execution.run(square, BLOCKS, executor=Broken()))
