"""Results survive a kill, notice any change, and are never mixed with others'."""

from __future__ import annotations

import errno
import itertools
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowsim.experiment.cellfile as cellfile_module
from flowsim.engine.ledger import BOOKS
from flowsim.errors import DamagedError, InputError, StoppedError
from flowsim.experiment.audit import audit, read_cell, read_results
from flowsim.experiment.cellfile import CellFolder, CellWriter, LedgerDigest, NewFile, VisitWriter, columns_of
from flowsim.experiment.cells import CELL_ID, Cell, CellOutcome, cells_of
from flowsim.experiment.journal import chained, parse
from flowsim.experiment.store import Store

sys.path.insert(0, str(Path(__file__).parent))
import toycells

ROOT = Path(cellfile_module.__file__).parents[2]
FIRST, SECOND = cells_of(toycells.SCENARIOS, 1)


# ------------------------------------------------------------------ names
@given(st.text(min_size=1), st.integers(0, 1_000_000))
def test_cell_id_is_a_safe_file_name_that_tells_scenarios_apart(name: str, replication: int) -> None:
    cell = Cell(name, replication)
    assert CELL_ID.fullmatch(cell.id)
    assert len(cell.id) < 64
    assert Cell(name + "x", replication).id != cell.id
    assert Cell(name, replication).id == cell.id


def test_cells_come_in_whole_pairs_of_a_replication_and_names_may_not_repeat() -> None:
    assert cells_of(["a", "b"], 2) == [Cell("a", 1), Cell("b", 1), Cell("a", 2), Cell("b", 2)]
    with pytest.raises(ValueError, match="named once"):
        cells_of(["a", "a"], 2)


# ------------------------------------------------------------------ ledgers
def test_ledger_reads_back_as_it_was_written(finished: Path) -> None:
    table = read_cell(finished, FIRST.id).to_pylist()
    expected = [
        {"period": period, "book": book, "row": row, "value": toycells.number(FIRST, period, book, row)}
        for period in range(6)
        for book in toycells.BOOKS
        for row in range(5)
    ]
    assert table == expected
    assert read_results(finished).read_visits(FIRST.id).to_pylist()[1] == {"patient": 2, "unit": None}


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 9), st.integers(-9, 9)))


def digest_of(rows: list[tuple[int, str, int, int]], cuts: Sequence[int] = (), names: str = "abc") -> str:
    """The digest of rows in batches that end before these rows, with books numbered in this order of names."""
    digest = LedgerDigest()
    for first, last in itertools.pairwise([0, *sorted(cuts), len(rows)]):
        table = [(period, names.index(book), row, value) for period, book, row, value in rows[first:last]]
        digest.add(list(names), *np.array(table, np.int64).reshape(-1, 4).T)
    return digest.hexdigest()


@given(ROWS, ROWS)
def test_two_ledgers_have_one_digest_only_if_they_are_equal(one: list[Any], other: list[Any]) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)


@given(ROWS, st.lists(st.integers(0, 20)), st.permutations("abcd"))
def test_a_digest_is_that_of_the_rows_however_they_are_cut_and_their_books_numbered(
    rows: list[Any], cuts: list[int], names: list[str]
) -> None:
    each = digest_of(rows, range(len(rows)))
    assert digest_of(rows, [min(cut, len(rows)) for cut in cuts], "".join(names)) == each


def test_the_digest_of_a_ledger_stays_what_it_was() -> None:
    """A digest that was published tells the same ledger for good."""
    rows = [(0, "a", 1, 5), (0, "b", 0, -2), (1, "a", 3, 2**40), (1, "c", 2**31 - 1, 1)]
    assert digest_of(rows) == "f3b0fa1aded3112ade7c9d4fa065ce52729e5f6a5277425ea9962af9bbedc270"


@settings(max_examples=20, deadline=None)
@given(data=st.data(), cuts=st.lists(st.integers(0, 200), max_size=6), group=st.integers(1, 60))
def test_a_file_and_its_digest_do_not_depend_on_how_rows_are_cut_into_pages(
    data: st.DataObject, cuts: list[int], group: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    books = data.draw(st.lists(st.sets(st.sampled_from(toycells.BOOKS)), max_size=6))
    entries = [
        (period, book, row, toycells.number(FIRST, period, book, row))
        for period, here in enumerate(books)
        for book in toycells.BOOKS if book in here
        for row in range(12)
    ]  # fmt: skip
    page = toycells.page_of(entries)
    written = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cellfile_module, "ROWS_A_GROUP", group)
        for name, at in (("whole", []), ("cut", sorted(cuts))):
            with Store(folder / name, toycells.IDENTITY, {}) as store:
                store.plan(["x"], 1)
                buffer = np.empty_like(page)  # what is handed over is good during the call only
                with CellWriter(store.cells, Cell("x", 1)) as ledger:
                    for part in np.split(page, at):
                        buffer[: len(part)] = part
                        ledger.write(buffer[: len(part)])
                        buffer[:] = 77
                assert ledger.record is not None
                store.record(CellOutcome.done(Cell("x", 1), ledger.digest, [ledger.record]))
            assert audit(folder / name).lines == ()
            table = read_cell(folder / name, Cell("x", 1).id)
            assert [tuple(row.values()) for row in table.to_pylist()] == entries
            assert np.array_equal(columns_of(table).page(), page)
            written.append((ledger.digest, ledger.record))
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (np.array([[0, 1, 0, 0.5]]), TypeError),
        (np.array([[0, 1, 0, 5]], np.int32), TypeError),
        (np.array([0, 1, 0, 5]), TypeError),
        (np.array([[0, 1, 2**31, 1]]), OverflowError),
        (np.array([[0, 1, -1, 1]]), OverflowError),
        (np.array([[2**31, 1, 0, 1]]), OverflowError),
        (np.array([[0, len(BOOKS), 0, 1]]), OverflowError),
    ],
)
def test_a_ledger_takes_pages_of_whole_numbers_that_fit_and_nothing_else(
    page: Any, error: type[Exception], tmp_path: Path
) -> None:
    with toycells.open_toy(tmp_path / "toy") as store, CellWriter(store.cells, FIRST) as ledger:
        before = ledger.digest
        with pytest.raises(error, match="a page of a ledger"):
            ledger.write(page)
        assert ledger.digest == before
        path = store.path
    assert pq.read_table(path / "cells" / f"{FIRST.id}.parquet").num_rows == 0


def test_a_book_that_this_version_does_not_know_is_said_to_be_so() -> None:
    table = pa.table({"period": [0], "book": pa.array(["hats"]).dictionary_encode(), "row": [0], "value": [1]})
    with pytest.raises(DamagedError, match="hats"):
        columns_of(table)


def test_ledger_of_a_cell_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with toycells.open_toy(tmp_path / "toy") as store:
        with pytest.raises(ZeroDivisionError), CellWriter(store.cells, FIRST) as ledger:
            ledger.write(toycells.page_of([(0, "arrivals", 0, 1)]))
            raise ZeroDivisionError
        assert list((store.path / "cells").iterdir()) == []


def test_visits_are_written_in_groups_and_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cellfile_module, "ROWS_A_GROUP", 4)
    with toycells.open_toy(tmp_path / "toy") as store:
        with VisitWriter(store.cells, FIRST, toycells.VISITS) as log:
            for patient in range(11):
                log.write(pa.record_batch([[patient], ["ward"]], schema=toycells.VISITS))
        file = pq.ParquetFile(store.path / "visits" / f"{FIRST.id}.parquet")
        assert file.metadata.num_row_groups == 3
        assert file.read()["patient"].to_pylist() == list(range(11))


# ------------------------------------------------------------------ opening
@pytest.mark.parametrize("tail", [b'{"cell": "base-3", "sha2', b"\0" * 4096])
def test_line_cut_by_a_kill_is_dropped_and_the_cell_run_again(copy: Path, tail: bytes) -> None:
    journal = copy / "journal.jsonl"
    whole = journal.read_bytes()
    fingerprint = read_results(copy).fingerprint
    *lines, _extra = whole.splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + tail)
    assert any("cut short" in line for line in audit(copy).lines)
    with toycells.open_toy(copy) as store:
        assert any("dropped" in note for note in store.notes)
        assert any("run again" in note for note in store.notes)
    assert toycells.run(copy, 2, visits=True) == fingerprint
    assert audit(copy).whole


def test_journal_changed_anywhere_but_in_a_cut_tail_is_refused(copy: Path) -> None:
    journal = copy / "journal.jsonl"
    data = journal.read_bytes()
    for changed in (data.replace(b"\n", b"\r\n"), data.replace(b'"sha256":"', b'"sha256":"0', 1), data[1:]):
        journal.write_bytes(changed)
        with pytest.raises(DamagedError, match="line"):
            toycells.open_toy(copy)
        assert journal.read_bytes() == changed


def test_cell_that_is_missing_is_run_again_and_one_that_changed_is_refused(copy: Path) -> None:
    fingerprint = read_results(copy).fingerprint
    path = copy / "cells" / f"{FIRST.id}.parquet"
    path.unlink()
    with toycells.open_toy(copy) as store:
        assert store.notes == [f"cells/{FIRST.id}.parquet: is missing, so this cell is run again"]
        assert not store.is_finished(FIRST)
        assert store.is_finished(SECOND)
    assert toycells.run(copy, 2) == fingerprint
    assert read_results(copy).missing == []
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedError, match="delete it"):
        toycells.open_toy(copy)


def test_results_of_something_else_are_refused_by_name_of_what_changed(copy: Path) -> None:
    with pytest.raises(InputError) as refused:
        toycells.open_toy(copy, seed=8, model="b" * 64)
    model, seed = str(refused.value).splitlines()
    assert "model" in model
    assert "aaaa" in model
    assert "bbbb" in model
    assert "seed = 8: these results were begun with 7" in seed


def test_results_of_another_format_are_refused(copy: Path) -> None:
    path = copy / "provenance.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(InputError, match="format = 0: this version of flowsim reads format 1"):
        read_results(copy)
    with pytest.raises(InputError, match="format = 0"):
        toycells.open_toy(copy)


@pytest.mark.parametrize("name", ["journal.jsonl", "provenance.json"])
def test_folder_that_lost_its_journal_or_provenance_is_never_begun_again(copy: Path, name: str) -> None:
    (copy / name).unlink()
    before = toycells.files_of(copy)
    for use in (toycells.open_toy, read_results):
        with pytest.raises(DamagedError, match=name):
            use(copy)
    after = toycells.files_of(copy)
    after[".lock"] = before[".lock"]
    assert after == before


def test_folder_with_other_files_and_a_file_are_refused_untouched_and_an_empty_one_taken(
    tmp_path: Path,
) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(InputError, match="--out"):
        toycells.open_toy(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    with pytest.raises(InputError, match="is a file"):
        toycells.open_toy(tmp_path / "letter.txt")
    (tmp_path / "empty").mkdir()
    toycells.open_toy(tmp_path / "empty").close()


@pytest.mark.parametrize("place", ["/proc/results", "/sys/results", "/dev/null/results"])
def test_folder_that_cannot_be_written_is_refused_before_any_work(place: str) -> None:
    with pytest.raises(InputError, match="--out"):
        toycells.open_toy(Path(place))


def test_second_run_is_refused_by_name_of_the_first_and_may_go_on_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    with toycells.open_toy(folder), pytest.raises(InputError, match=f"process {os.getpid()} on "):
        toycells.open_toy(folder)
    (folder / ".lock").write_text("process 1 on elsewhere")
    toycells.open_toy(folder).close()
    assert (folder / ".lock").read_text() == ""


def test_more_replications_extend_the_plan_and_the_last_plan_counts(copy: Path) -> None:
    with toycells.open_toy(copy) as store:
        store.plan(toycells.SCENARIOS, 3)
    assert read_results(copy).missing == cells_of(toycells.SCENARIOS, 3)[-2:]
    assert "2 of 6 cells are not finished" in audit(copy).lines[0]
    toycells.run(copy, 3)
    assert audit(copy).planned == audit(copy).done == 6


def test_stopped_cell_is_listed_with_its_line_and_not_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    toycells.run(folder, 1, stops=[FIRST.id])
    report = audit(folder)
    assert report.whole
    assert (report.done, report.stopped) == (1, 1)
    assert read_results(folder).outcomes[0].message == "gridlock: ward waits for A&E"
    toycells.run(folder, 1)
    assert audit(folder) == report
    with pytest.raises(InputError, match="no such cell"):
        read_cell(folder, FIRST.id)


@pytest.mark.parametrize(("error", "is_kept"), [(KeyboardInterrupt(), True), (OSError(errno.EIO, "no"), False)])
def test_an_interrupt_while_a_whole_line_is_synced_keeps_it_and_a_failing_disk_does_not(
    copy: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, is_kept: bool
) -> None:
    def fail(handle: int) -> None:
        raise error

    more = Cell("as now", 9)
    with toycells.open_toy(copy) as store:
        with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, StoppedError)):
            patch.setattr(os, "fsync", fail)
            store.record(CellOutcome.stopped(more, "the ward is full"))
        store.plan(toycells.SCENARIOS, 4)
    assert (more.id in read_results(copy).journal.outcomes) == is_kept


def test_a_run_that_ends_in_an_error_leaves_no_file_in_the_making(copy: Path) -> None:
    with pytest.raises(KeyboardInterrupt), toycells.open_toy(copy):
        NewFile(copy, "cells/as-now-0-r0001.parquet")
        raise KeyboardInterrupt
    assert list((copy / "cells").glob(".*")) == []


def test_tables_are_replaced_model_files_are_not(copy: Path) -> None:
    with toycells.open_toy(copy) as store:
        store.write_extra("comparison.csv", b"new")
        store.write_extra("figures/beds.svg", b"<svg/>")
        with pytest.raises(InputError, match="differs from the model"):
            store.write_model("model.yaml", b"units: 4\n")
        for name in ("../x", "/x", "cells/x", "journal.jsonl", ".lock", "a//b", ""):
            with pytest.raises(ValueError, match="name"):
                store.write_extra(name, b"")
    assert (copy / "figures" / "beds.svg").read_bytes() == b"<svg/>"
    assert audit(copy).whole
    (copy / "comparison.csv").write_bytes(b"scribbled")
    assert audit(copy).lines == ("comparison.csv: has 9 bytes, the journal says 3",)
    with toycells.open_toy(copy) as store:
        store.write_extra("comparison.csv", b"new")
    assert audit(copy).whole


@given(st.binary(max_size=60), st.integers(0, 400))
def test_journal_of_any_bytes_is_read_without_an_exception(junk: bytes, at: int) -> None:
    first, check = chained({"kind": "begin", "format": 1, "provenance": "0"}, "0" * 16)
    second, _ = chained({"kind": "plan", "scenarios": ["a"], "replications": 2}, check)
    data = first + second
    journal = parse(data[:at] + junk + data[at:])
    assert journal.damage or journal.cut_bytes or not junk
    assert parse(data).planned() == cells_of(["a"], 2)


# ------------------------------------------------------------------ errors of the system
CALLS = ["write", "fsync", "rename", "open", "ftruncate", "pwrite", "mkdir", "scandir"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_error_at_any_call_is_one_line_and_keeps_what_was_finished(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of the system, in turn, fails once; what is left resumes to the same fingerprint."""
    real = {name: getattr(os, name) for name in CALLS}
    made, fail_at = 0, -1

    def failing(name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal made
            made += 1
            if made == fail_at:
                if name == "write" and len(args[1]) > 1:
                    real[name](args[0], args[1][: len(args[1]) // 2])
                raise OSError(number, os.strerror(number))
            return real[name](*args, **options)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, failing(name))
    expected = toycells.run(tmp_path / "all", 1)
    calls = made
    assert calls > 40
    for point in range(1, calls + 1):
        folder = tmp_path / f"at{point}"
        made, fail_at = 0, point
        with pytest.raises(StoppedError) as stopped:
            toycells.run(folder, 1)
        assert len(str(stopped.value).splitlines()) == 1
        fail_at = -1
        report = audit(folder)
        assert not report.whole or report.fingerprint == expected
        assert not any("not as it was written" in line for line in report.lines), point
        assert toycells.run(folder, 1) == expected
        assert audit(folder).whole


def test_limit_on_file_size_stops_in_one_line_and_lists_no_half_file(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    toycells.run(folder, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(StoppedError, match="ulimit -f"):
            toycells.run(folder, 2, periods=2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(read_results(folder).outcomes) == 2
    assert len(list((folder / "cells").iterdir())) == 2
    toycells.run(folder, 2)
    assert audit(folder).whole


def test_journal_that_failed_is_not_written_again_by_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store = toycells.open_toy(tmp_path / "toy")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(StoppedError, match="Input/output"):
            store.plan(["x"], 1)
    with pytest.raises(StoppedError, match="run again"):
        store.plan(["x"], 1)


# ------------------------------------------------------------------ kills
def start(folder: Path, workers: int, pause: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, toycells.__file__, str(folder), "3", str(workers), str(pause)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True)


def moments() -> Iterator[tuple[int, float]]:
    dice = random.Random(2)
    for turn in range(6):
        yield 1 + turn % 2, dice.uniform(0.0, 0.25)


def test_run_killed_at_any_moment_resumes_to_the_same_fingerprint(tmp_path: Path) -> None:
    expected = toycells.run(tmp_path / "undisturbed", 3)
    for turn, (workers, after) in enumerate(moments()):
        folder = tmp_path / f"killed{turn}"
        process = start(folder, workers, 0.01)
        # Counted from the first sign of results, because starting up takes longer than the run.
        while not (folder / "journal.jsonl").exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        report = audit(folder)
        assert not report.whole or report.fingerprint == expected
        kept = read_results(folder).journal.outcomes if report.planned else {}
        assert toycells.run(folder, 3) == expected
        assert kept.items() <= read_results(folder).journal.outcomes.items()
        assert audit(folder).whole


def test_folder_left_at_any_step_of_its_beginning_is_taken_up(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    with toycells.open_toy(whole):
        pass
    for number, parts in enumerate([[".lock"], [".lock", "provenance.json"]]):
        folder = tmp_path / f"part{number}"
        folder.mkdir()
        for name in parts:
            shutil.copy(whole / name, folder)
        (folder / ".provenance.json.99.tmp").write_bytes(b"{")
        assert not audit(folder).whole
        toycells.run(folder, 1)
        assert audit(folder).whole
        assert not (folder / ".provenance.json.99.tmp").exists()


def test_cell_folder_is_small_to_send() -> None:
    import pickle

    assert len(pickle.dumps(CellFolder(Path("results/x"), "a" * 64, 1))) < 400
