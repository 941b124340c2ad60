"""Cells side by side: the same results whatever happens to the workers, and no worker left over."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flowsim.experiment.runner as runner_module
from flowsim.errors import InputError, StoppedError
from flowsim.experiment.audit import audit, read_results
from flowsim.experiment.cells import Cell, CellOutcome, cells_of
from flowsim.experiment.runner import run_cells
from flowsim.experiment.store import Store

sys.path.insert(0, str(Path(__file__).parent))
import toycells

ROOT = Path(runner_module.__file__).parents[2]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    return toycells.run(tmp_path_factory.mktemp("expected") / "toy", 3)


def workers_of(parent: int) -> list[int]:
    """Process ids of the workers a process has started, and that have not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (entry / "stat").read_text(), (entry / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        after_name = stat.rpartition(")")[2].split()
        if after_name and after_name[0] != "Z" and int(after_name[1]) == parent and b"spawn_main" in command:
            found.append(int(entry.name))
    return found


def is_alive(process: int) -> bool:
    try:
        return Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.005)


def start(folder: Path, workers: int, pause: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, toycells.__file__, str(folder), "3", str(workers), str(pause)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True)


# ------------------------------------------------------------------ the same results
def test_number_of_workers_and_order_of_cells_change_no_cell_file(tmp_path: Path, expected: str) -> None:
    assert toycells.run(tmp_path / "two", 3, workers=2) == expected
    toycells.run(tmp_path / "one", 3)
    with Store(tmp_path / "back", toycells.IDENTITY, {"python": "elsewhere"}) as store:
        store.plan(toycells.SCENARIOS, 3)
        run_cells(cells_of(toycells.SCENARIOS, 3)[::-1], toycells.run_one, store, context={})
    for path in (tmp_path / "one" / "cells").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "cells" / path.name).read_bytes()
        assert path.read_bytes() == (tmp_path / "back" / "cells" / path.name).read_bytes()
    assert read_results(tmp_path / "back").fingerprint == expected


def test_only_unfinished_cells_are_run_and_progress_counts_all(tmp_path: Path) -> None:
    toycells.run(tmp_path / "toy", 1)
    seen: list[tuple[Cell, int, int]] = []
    with Store(tmp_path / "toy", toycells.IDENTITY, toycells.ABOUT) as store:
        store.plan(toycells.SCENARIOS, 2)
        run_cells(
            cells_of(toycells.SCENARIOS, 2),
            toycells.run_one,
            store,
            context={},
            progress=lambda outcome, finished, total: seen.append((outcome.cell, finished, total)),
        )
    second = cells_of(toycells.SCENARIOS, 2)[2:]
    assert seen == [(second[0], 3, 4), (second[1], 4, 4)]


def test_fingerprint_tells_a_stopped_cell_from_a_done_one(tmp_path: Path, expected: str) -> None:
    first = cells_of(toycells.SCENARIOS, 3)[0]
    assert toycells.run(tmp_path / "toy", 3, stops=[first.id]) != expected


class SentOnce:
    """Counts how often it is pickled; unpickles as the context of the made-up experiment."""

    def __init__(self) -> None:
        self.times = 0

    def __reduce__(self) -> tuple[Any, ...]:
        self.times += 1
        return dict, ()


def test_context_is_pickled_once_however_many_workers_and_cells(tmp_path: Path, expected: str) -> None:
    context = SentOnce()
    with Store(tmp_path / "toy", toycells.IDENTITY, toycells.ABOUT) as store:
        store.plan(toycells.SCENARIOS, 3)
        run_cells(cells_of(toycells.SCENARIOS, 3), toycells.run_one, store, 2, context)
    assert context.times == 1
    assert read_results(tmp_path / "toy").fingerprint == expected


@pytest.mark.parametrize("workers", [0, -1, 1_000_000])
def test_number_of_workers_beyond_the_rule_is_refused_before_any_cell(tmp_path: Path, workers: int) -> None:
    most = 4 * (os.cpu_count() or 1)
    with pytest.raises(InputError, match=f"--workers = {workers}: must be 1 to {most}"):
        toycells.run(tmp_path / "toy", 1, workers)
    assert read_results(tmp_path / "toy").journal.outcomes == {}


# ------------------------------------------------------------------ deaths of workers
@pytest.mark.parametrize("moment", range(4))
def test_run_whose_worker_is_killed_completes_to_the_same_fingerprint(
    tmp_path: Path, expected: str, moment: int
) -> None:
    killed: list[int] = []

    def kill() -> None:
        wait_until(lambda: workers_of(os.getpid()))
        if moment:
            wait_until(lambda: len(list((tmp_path / "toy" / "cells").glob("*.parquet"))) >= moment)
        for worker in workers_of(os.getpid())[:1]:
            os.kill(worker, signal.SIGKILL)
            killed.append(worker)

    killer = threading.Thread(target=kill)
    killer.start()
    fingerprint = toycells.run(tmp_path / "toy", 3, workers=2, pause=0.03)
    killer.join()
    assert len(killed) == 1
    assert fingerprint == expected
    assert audit(tmp_path / "toy").whole
    assert workers_of(os.getpid()) == []


def test_cell_that_kills_its_worker_once_is_run_again(tmp_path: Path, expected: str) -> None:
    for cell in cells_of(toycells.SCENARIOS, 3)[1:3]:
        (tmp_path / f"die-{cell.id}").touch()
    assert toycells.run(tmp_path / "toy", 3, workers=2) == expected
    assert list(tmp_path.glob("die-*")) == []


def test_cell_that_always_kills_its_worker_is_given_up_and_costs_no_other(tmp_path: Path, expected: str) -> None:
    cells = cells_of(toycells.SCENARIOS, 3)
    killers = [cells[0], cells[3]]
    with pytest.raises(StoppedError) as stopped:
        toycells.run(tmp_path / "toy", 3, workers=2, dies=[cell.id for cell in killers])
    assert "As now replication 1" in str(stopped.value)
    assert "Gofal yn y gymuned replication 2" in str(stopped.value)
    assert len(str(stopped.value).splitlines()) == 1
    assert sorted(read_results(tmp_path / "toy").missing, key=str) == sorted(killers, key=str)
    assert not audit(tmp_path / "toy").whole
    assert toycells.run(tmp_path / "toy", 3) == expected


def test_worker_that_cannot_start_is_told_and_not_tried_for_ever(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import toycells\nfrom pathlib import Path\n"
        "try:\n    toycells.run(Path(sys.argv[1]), 2, workers=2)\n"
        "except toycells.StoppedError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path / "toy"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "workers die before they start" in done.stdout


# ------------------------------------------------------------------ errors and interrupts
@pytest.mark.parametrize("workers", [1, 2])
def test_error_in_a_cell_ends_the_run_keeps_finished_cells_and_leaves_no_worker(
    tmp_path: Path, expected: str, workers: int
) -> None:
    last = cells_of(toycells.SCENARIOS, 3)[-1]
    with pytest.raises(ZeroDivisionError, match=last.id):
        toycells.run(tmp_path / "toy", 3, workers, fails=[last.id])
    assert workers_of(os.getpid()) == []
    assert len(read_results(tmp_path / "toy").journal.outcomes) >= 4
    assert toycells.run(tmp_path / "toy", 3) == expected


def test_error_of_the_journal_leaves_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Store, outcome: CellOutcome) -> None:
        raise StoppedError("No space left on device")

    monkeypatch.setattr(Store, "record", fail)
    with pytest.raises(StoppedError, match="No space"):
        toycells.run(tmp_path / "toy", 3, workers=2, pause=0.05)
    assert workers_of(os.getpid()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_keeps_finished_cells_and_leaves_no_worker_and_no_other_noise(
    tmp_path: Path, expected: str, workers: int
) -> None:
    folder = tmp_path / "toy"
    process = start(folder, workers, 0.05)
    wait_until(lambda: len(list((folder / "cells").glob("*.parquet"))) >= 2 if folder.exists() else False)
    children = workers_of(process.pid)
    assert len(children) == (workers if workers > 1 else 0)
    # As a terminal does: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=20)[1].decode()
    assert process.returncode == -signal.SIGINT
    assert said.count("KeyboardInterrupt") == 1, said
    wait_until(lambda: not any(map(is_alive, children)), 2)
    assert len(read_results(folder).journal.outcomes) >= 1
    assert list((folder / "cells").glob(".*")) == [] or workers > 1
    assert toycells.run(folder, 3) == expected


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    process = start(folder, 2, 30)
    wait_until(lambda: len(list((folder / "cells").glob(".*"))) >= 2 if folder.exists() else False)
    children = workers_of(process.pid)
    assert len(children) == 2
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(is_alive, children)), 2)


# ------------------------------------------------------------------ memory
def test_parent_keeps_less_than_one_kilobyte_a_finished_cell(tmp_path: Path) -> None:
    import gc
    import tracemalloc

    def instant(context: object, cell: Cell, folder: object) -> CellOutcome:
        return CellOutcome.done(cell, "a" * 64, [])

    few, many = 100, 1100
    sizes = []
    with Store(tmp_path / "toy", toycells.IDENTITY, toycells.ABOUT) as store:
        tracemalloc.start()
        for count in (few, many):
            run_cells(cells_of(["a"], count), instant, store)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert (sizes[1] - sizes[0]) / (many - few) < 1000


def test_outcome_is_small_to_send_back() -> None:
    cell = Cell("a scenario with a long name " * 3, 1)
    assert len(pickle.dumps(CellOutcome.done(cell, "a" * 64, []))) < 1000
