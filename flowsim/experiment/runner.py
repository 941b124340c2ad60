"""Runs cells, here or in local processes side by side, and lists each as it ends. Results never depend on
how.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for
from typing import Any

from flowsim.errors import StoppedError, escape, refusal
from flowsim.experiment.cellfile import CellFolder
from flowsim.experiment.cells import Cell, CellOutcome
from flowsim.experiment.store import Store

MOST_WORKERS_A_CPU = 4
MOST_DEATHS = 3
_PR_SET_PDEATHSIG = 1

RunOne = Callable[[Any, Cell, CellFolder], CellOutcome]
Progress = Callable[[CellOutcome, int, int], None]


def check_workers(workers: int) -> None:
    """Raises InputError unless there are 1 to four times as many workers as processors."""
    most = MOST_WORKERS_A_CPU * (os.cpu_count() or 1)
    if not 1 <= workers <= most:
        message = f"must be 1 to {most}, four for each processor here"
        raise refusal("--workers", workers, message)


def run_cells(
    cells: Sequence[Cell],
    run_one: RunOne,
    store: Store,
    workers: int = 1,
    context: Any = None,
    progress: Progress | None = None,
) -> None:
    """Runs the cells that the store has not listed yet, and lists each as soon as it ends.

    `run_one(context, cell, folder)` writes the cell's files with `CellWriter` and returns its outcome. With
    more than one worker it must be a function of a module, and `context` (the heavy part, such as a compiled
    model) is sent once a worker. It returns a stopped outcome for a cell that cannot finish; what it raises
    ends the run. `progress(outcome, finished, total)` is called after each cell. There are never more
    workers than cells.

    A worker that dies is replaced, and what was running is run again; a cell that saw three deaths, the last
    one alone, is given up, the others go on, and StoppedError names it at the end. On an error or Ctrl-C no
    worker is left over, and all finished cells are kept.
    """
    check_workers(workers)
    waiting = [cell for cell in cells if not store.is_finished(cell)]
    finished = len(cells) - len(waiting)
    given_up: list[Cell] = []
    outcomes = _outcomes(waiting, run_one, context, store.cells, workers, given_up)
    try:
        for outcome in outcomes:
            store.record(outcome)
            finished += 1
            if progress is not None:
                progress(outcome, finished, len(cells))
    except MemoryError as error:
        raise StoppedError("out of memory: finished cells are kept; use fewer workers and run again") from error
    finally:
        # Ends the workers, also when it is the journal that fails.
        outcomes.close()
    if given_up:
        raise StoppedError(f"{_deaths_at(given_up)}: all other cells are kept")


def outcomes_of(
    cells: Sequence[Cell], run_one: Callable[[Any, Cell, None], Any], workers: int = 1, context: Any = None
) -> Iterator[Any]:
    """What `run_one(context, cell, None)` returns for each cell, in the order in which they end; nothing is stored.

    As `run_cells` in all else.
    """
    check_workers(workers)
    given_up: list[Cell] = []
    yield from _outcomes(cells, run_one, context, None, workers, given_up)
    if given_up:
        raise StoppedError(_deaths_at(given_up))


def _outcomes(
    cells: Sequence[Cell], run_one: Callable[..., Any], context: Any, folder: Any, workers: int, given_up: list[Cell]
) -> Generator[Any, None, None]:
    """Outcomes in the order in which they end, from this process or from workers, never more than cells."""
    workers = min(workers, len(cells))
    if workers <= 1:
        return (run_one(context, cell, folder) for cell in cells)
    return _side_by_side(cells, _packed(run_one, context, folder), workers, given_up)


def _deaths_at(cells: Sequence[Cell]) -> str:
    names = ", ".join(f"{escape(cell.scenario)} replication {cell.replication}" for cell in cells)
    return f"workers died {MOST_DEATHS} times at {names}"


def _packed(*parts: Any) -> bytes:
    # Read-only arrays stay so from this protocol on; for writable ones numba would compile anew in every worker.
    return pickle.dumps(parts, protocol=5)


# ------------------------------------------------------------------ side by side
def _side_by_side(
    cells: Sequence[Cell], payload: bytes, workers: int, given_up: list[Cell]
) -> Generator[CellOutcome, None, None]:
    """Outcomes in the order in which they end. Closing the generator ends the workers."""
    waiting = deque(cells)
    deaths: Counter[Cell] = Counter()
    lives_without_start = 0
    while waiting:
        context = multiprocessing.get_context("spawn")
        # A raw value, because a worker killed while it holds a lock would hang everyone.
        started = context.RawValue("b", 0)
        pool = ProcessPoolExecutor(workers, context, _begin, (payload, os.getpid(), started))
        running: dict[Future[CellOutcome], Cell] = {}
        try:
            yield from _until_broken(pool, workers, waiting, running, deaths)
        except BaseException:
            _kill_workers(pool)
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        lives_without_start = 0 if started.value else lives_without_start + 1
        if lives_without_start == MOST_DEATHS:
            message = "workers die before they start: use one worker, or in a script `if __name__ == '__main__':`"
            raise StoppedError(message)
        for cell in running.values():
            deaths[cell] += started.value
            (given_up if deaths[cell] == MOST_DEATHS else waiting).append(cell)


def _until_broken(
    pool: ProcessPoolExecutor,
    workers: int,
    waiting: deque[Cell],
    running: dict[Future[CellOutcome], Cell],
    deaths: Counter[Cell],
) -> Iterator[CellOutcome]:
    """Outcomes of one pool; leaves in `running` what was lost when the pool broke, nothing if all is done."""

    def is_suspect(cell: Cell) -> bool:
        return deaths[cell] == MOST_DEATHS - 1

    while waiting or running:
        # One more than there are workers, so that none waits for us. A suspect runs alone: the next death is
        # its own.
        while waiting and len(running) <= workers:
            if running and (is_suspect(waiting[0]) or any(map(is_suspect, running.values()))):
                break
            try:
                with _interrupts_held():
                    future = pool.submit(_run, waiting[0])
            except BrokenProcessPool:
                break
            running[future] = waiting.popleft()
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        is_broken = not running or any(isinstance(one.exception(), BrokenProcessPool) for one in ended)
        if is_broken:
            ended, _ = wait(running)
        for future in ended:
            if not isinstance(future.exception(), BrokenProcessPool):
                del running[future]
                yield future.result()
        if is_broken:
            return


def _kill_workers(pool: ProcessPoolExecutor) -> None:
    # The public name for this came with Python 3.14.
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C goes to every process of the terminal; workers started meanwhile inherit that it waits."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ------------------------------------------------------------------ in the worker
_payload = b""
_task: tuple[RunOne, Any, CellFolder] | None = None


def _begin(payload: bytes, parent: int, started: Any) -> None:
    """First thing in a worker. Must not raise: the payload is unpacked with the first cell, which can
    tell.
    """
    global _payload
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(parent)
    _payload = payload
    started.value = 1


def _end_with(parent: int) -> None:
    """The worker ends when its parent does, even in the middle of compiled code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    else:
        threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
    os._exit(1)


def _run(cell: Cell) -> CellOutcome:
    global _task
    if _task is None:
        _task = pickle.loads(_payload)
    run_one, context, folder = _task
    return run_one(context, cell, folder)
