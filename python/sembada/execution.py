"""Where work runs: threads, executors, blocks, retries and checkpoints. No other file knows.

Work is cut into blocks by index. A block's result depends on nothing but its index, so that any executor, any
number of workers and any interruption give the same results.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from sembada.errors import SembadaError, SpecificationError

__all__ = ["Block", "Checkpoint", "Report", "check_threads", "reporter", "run", "split"]

Result = TypeVar("Result")
Report: TypeAlias = Callable[[int, int], object]

# Names, not classes: dask is optional, and these are what a lost worker looks like.
_LOST_WORKER = ("KilledWorker", "CommClosedError", "FutureCancelledError")


@dataclass(frozen=True, slots=True)
class Block:
    """Members `start` to `stop` (exclusive) of a batch.

    Parameters
    ----------
    index
        Number of the block, from zero.
    start, stop
        The members of the batch that it holds.
    """

    index: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Checkpoint(Protocol):
    """Keeps results of blocks, so that a batch that was killed goes on where it was."""

    def finished(self) -> Collection[int]:
        """Return the indices of the blocks whose results are kept."""
        ...

    def save(self, block: Block, result: Any) -> None:
        """Keep the result of a block, wholly or not at all."""
        ...


def split(members: int, size: int) -> tuple[Block, ...]:
    """Cut a batch into blocks of `size` members; the last may be shorter.

    Examples
    --------
    >>> [len(block) for block in split(10, 4)]
    [4, 4, 2]
    """
    size = max(1, size)
    return tuple(Block(index, start, min(start + size, members)) for index, start in enumerate(range(0, members, size)))


def check_threads(threads: int | None) -> int | None:
    """Check a number of threads; `None` means one a processor."""
    if threads is not None and (isinstance(threads, bool) or threads != int(threads) or threads < 1):
        raise SpecificationError(
            f"threads={threads!r}: expected a positive whole number, or None for one a processor",
            {"threads": threads},
        )
    return None if threads is None else int(threads)


@contextlib.contextmanager
def reporter(progress: bool | Report, total: int, label: str) -> Iterator[Report | None]:
    """Make the function that long work calls with `(done, total)`.

    Parameters
    ----------
    progress
        `False`: none. `True`: a bar by tqdm where it is installed, else a line on the error stream.
        A function: it is called itself.
    total
        How many members the batch has.
    label
        What they are called.
    """
    if progress is False or progress is None:
        yield None
        return
    if callable(progress):
        yield progress
        return
    try:
        import tqdm
    except ImportError:
        yield from _line(total, label)
        return
    with tqdm.tqdm(total=total, desc=label, unit="", leave=False) as bar:

        def paint(done: int, _total: int) -> None:
            bar.update(done - bar.n)

        yield paint


def _line(total: int, label: str) -> Iterator[Report]:
    last = [0.0]

    def paint(done: int, _total: int) -> None:
        now = time.monotonic()
        if done >= total or now - last[0] > 0.5:
            last[0] = now
            sys.stderr.write(f"\r{label}: {done:,} of {total:,}")
            sys.stderr.flush()

    try:
        yield paint
    finally:
        sys.stderr.write("\n")


def run(
    work: Callable[[Block, Report | None], Result],
    blocks: Sequence[Block],
    *,
    executor: Any = None,
    retries: int = 2,
    report: Report | None = None,
    checkpoint: Checkpoint | None = None,
) -> Iterator[tuple[Block, Result]]:
    """Run `work` on each block and yield the results in the order of the blocks.

    Parameters
    ----------
    work
        Called with a block and a function for progress within it (`None` on an executor). With an executor that
        uses processes or machines it must pickle.
    blocks
        The blocks.
    executor
        `None`: here, one block after the other (the work itself uses threads). A `concurrent.futures.Executor`, a
        `dask.distributed.Client`, or anything with `submit(function, *arguments)` that returns a future.
        `"processes"`: a pool of processes for this call.
    retries
        How often a block is tried again when its worker is lost. An error of the work itself is never tried again.
    report
        Called with members done and members in all.
    checkpoint
        Blocks that it holds are skipped; results are saved before they are yielded.

    Yields
    ------
    tuple
        A block and its result.

    Raises
    ------
    SpecificationError
        For an executor that has no `submit`.
    """
    total = blocks[-1].stop if blocks else 0
    held = set(checkpoint.finished()) if checkpoint is not None else set()
    todo = [block for block in blocks if block.index not in held]
    done = sum(len(block) for block in blocks if block.index in held)
    if report is not None and done:
        report(done, total)
    source = _here(work, todo, report, done, total) if executor is None else _there(work, todo, executor, retries)
    for block, result in source:
        if checkpoint is not None:
            checkpoint.save(block, result)
        done += len(block)
        if report is not None:
            report(done, total)
        yield block, result


def _here(
    work: Callable[[Block, Report | None], Result],
    todo: Sequence[Block],
    report: Report | None,
    done: int,
    total: int,
) -> Iterator[tuple[Block, Result]]:
    for block in todo:
        inner: Report | None = None
        if report is not None:

            def inner(part: int, _size: int, *, before: int = done, outer: Report = report) -> None:
                outer(before + part, total)

        result = work(block, inner)
        done += len(block)
        yield block, result


def _call(work: Callable[[Block, Report | None], Result], block: Block) -> Result:
    return work(block, None)


def _there(
    work: Callable[[Block, Report | None], Result], todo: Sequence[Block], executor: Any, retries: int
) -> Iterator[tuple[Block, Result]]:
    own = executor == "processes"
    pool: Any = _processes() if own else executor
    if not hasattr(pool, "submit"):
        raise SpecificationError(
            f"executor={executor!r}: expected None, 'processes', a concurrent.futures.Executor, a dask client, or "
            "another object with a method `submit`",
            {"executor": repr(executor)},
        )

    # Work that can say what one block needs sends no more than that.
    def part(block: Block) -> Callable[[Block, Report | None], Result]:
        found: Callable[[Block, Report | None], Result] = work.part(block) if hasattr(work, "part") else work
        return found

    waiting = deque(todo)
    # Two blocks a worker keep all busy without piling up results in memory.
    window = 2 * _workers(pool)
    flying: deque[tuple[Block, Any, int]] = deque()
    try:
        while waiting or flying:
            while waiting and len(flying) < window:
                block = waiting.popleft()
                flying.append((block, pool.submit(_call, part(block), block), 0))
            block, future, tries = flying.popleft()
            try:
                result = future.result()
            except Exception as error:
                if tries >= retries or not _lost(error) or (isinstance(error, BrokenExecutor) and not own):
                    raise
                if isinstance(error, BrokenExecutor):
                    pool = _processes()
                    again = [(block, tries + 1), *((other, count) for other, _, count in flying)]
                    flying = deque((other, pool.submit(_call, part(other), other), count) for other, count in again)
                else:
                    flying.appendleft((block, pool.submit(_call, part(block), block), tries + 1))
                continue
            yield block, result
    finally:
        for _, future, _ in flying:
            future.cancel()
        if own:
            pool.shutdown(wait=False, cancel_futures=True)


def _processes() -> ProcessPoolExecutor:
    import multiprocessing

    # A forked child of a process with threads may hang: start afresh.
    return ProcessPoolExecutor(max_workers=os.cpu_count() or 1, mp_context=multiprocessing.get_context("spawn"))


def _workers(pool: Any) -> int:
    count = getattr(pool, "_max_workers", None)
    if count is None and hasattr(pool, "nthreads"):
        count = sum(pool.nthreads().values())
    return max(1, int(count or os.cpu_count() or 1))


def _lost(error: Exception) -> bool:
    if isinstance(error, SembadaError):
        return False
    return isinstance(error, (OSError, EOFError, BrokenExecutor)) or type(error).__name__ in _LOST_WORKER
