"""Any change to finished results is noticed, and reading needs no writing."""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowsim.experiment.cellfile as cellfile_module
from flowsim.errors import DamagedError
from flowsim.experiment.audit import audit, read_cell, read_results
from flowsim.experiment.cells import Cell, cells_of
from flowsim.experiment.journal import chained

sys.path.insert(0, str(Path(__file__).parent))
import toycells

FIRST, SECOND = cells_of(toycells.SCENARIOS, 1)


def test_finished_run_is_whole_and_running_it_again_changes_no_byte(copy: Path) -> None:
    before = toycells.files_of(copy)
    report = audit(copy)
    assert report.whole
    assert report.lines == report.notes == ()
    assert (report.planned, report.done, report.stopped) == (4, 4, 0)
    toycells.run(copy, 2, visits=True)
    assert toycells.files_of(copy) == before


def test_every_flipped_bit_is_noticed_by_audit(copy: Path) -> None:
    dice = random.Random(1)
    paths = [p for p in sorted(copy.rglob("*")) if p.is_file() and p.stat().st_size]
    tried = 0
    for turn in range(220):
        path = paths[turn % len(paths)]
        data = path.read_bytes()
        # The last bytes of each file first: there a change may look like a line cut short.
        at = len(data) - 1 - turn // len(paths) if turn < 3 * len(paths) else dice.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << dice.randrange(8)
        path.write_bytes(changed)
        assert not audit(copy).whole, f"{path.name}, byte {at}"
        path.write_bytes(data)
        tried += 1
    assert tried == 220
    assert audit(copy).whole


@pytest.mark.parametrize("kind", ["cut", "emptied", "longer", "deleted"])
def test_file_that_is_cut_emptied_lengthened_or_deleted_is_noticed(copy: Path, kind: str) -> None:
    for path in [p for p in sorted(copy.rglob("*")) if p.is_file() and p.stat().st_size]:
        data = path.read_bytes()
        if kind == "deleted":
            path.unlink()
        else:
            path.write_bytes({"cut": data[: len(data) // 2], "emptied": b"", "longer": data + b"\n"}[kind])
        report = audit(copy)
        assert not report.whole, path.name
        assert all(len(line.splitlines()) == 1 for line in report.lines)
        path.write_bytes(data)
    assert audit(copy).whole


def test_journal_without_any_one_of_its_lines_is_noticed(copy: Path) -> None:
    journal = copy / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    for number in range(len(lines)):
        journal.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        assert not audit(copy).whole, lines[number]


def test_swapped_cells_are_noticed_even_if_the_journal_agrees(copy: Path) -> None:
    one, other = (copy / "cells" / f"{cell.id}.parquet" for cell in (FIRST, SECOND))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert not audit(copy).whole
    with pytest.raises(DamagedError, match="not as it was written"):
        read_cell(copy, FIRST.id)
    rewrite_journal(copy)
    report = audit(copy)
    assert any("belongs to other results (its cell differ)" in line for line in report.lines)
    with pytest.raises(DamagedError, match="its cell differ"):
        read_cell(copy, FIRST.id)


def test_cell_of_another_seed_is_noticed_even_if_the_journal_agrees(copy: Path, tmp_path: Path) -> None:
    with toycells.open_toy(tmp_path / "other", seed=8) as store:
        toycells.run_one({}, FIRST, store.cells)
    shutil.copy(tmp_path / "other" / "cells" / f"{FIRST.id}.parquet", copy / "cells")
    rewrite_journal(copy)
    assert any("its provenance, seed differ" in line for line in audit(copy).lines)


def test_rows_that_differ_from_the_digest_in_the_journal_are_noticed(copy: Path) -> None:
    path = copy / "cells" / f"{FIRST.id}.parquet"
    table = pq.read_table(path)
    values = table["value"].to_pylist()
    values[3] += 1
    pq.write_table(table.set_column(3, table.schema.field("value"), pa.array(values)), path)
    rewrite_journal(copy)
    assert audit(copy).lines == (f"cells/{FIRST.id}.parquet: its rows differ from the digest in the journal",)


def rewrite_journal(folder: Path) -> None:
    """As a forger would: digests of the files as they are now, and every check made good."""
    check, lines = "0" * 16, []
    for line in (folder / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line)
        del entry["check"]
        for item in entry.get("files", []):
            path = folder / item[0]
            item[1:] = [cellfile_module.sha256_of(path), path.stat().st_size]
        text, check = chained(entry, check)
        lines.append(text)
    (folder / "journal.jsonl").write_bytes(b"".join(lines))


def test_cell_that_no_journal_lists_is_never_read_and_named(copy: Path) -> None:
    stranger = copy / "cells" / f"{Cell('other', 1).id}.parquet"
    shutil.copy(copy / "cells" / f"{FIRST.id}.parquet", stranger)
    assert audit(copy).lines == (f"cells/{stranger.name}: is not in the journal",)
    assert len(read_results(copy).outcomes) == 4
    with pytest.raises(DamagedError, match="remove it"):
        toycells.open_toy(copy)


def test_temporary_files_are_never_read_and_do_no_harm(copy: Path) -> None:
    own = copy / "cells" / f".{FIRST.id}.parquet.12345.tmp"
    others = [copy / "cells" / "tmp-base-3.parquet", copy / "cells" / "base.parquet.tmp1234"]
    for path in (own, *others):
        path.write_bytes(b"half")
    report = audit(copy)
    assert report.whole
    assert len(report.notes) == 3
    toycells.run(copy, 2)
    assert not own.exists()
    assert all(path.exists() for path in others)


def test_laws_are_asked_of_every_whole_ledger(copy: Path) -> None:
    asked: list[str] = []

    def laws(path: Path) -> list[str]:
        asked.append(path.stem)
        return ["period 2: one patient too many"] if path.stem == FIRST.id else []

    report = audit(copy, laws)
    assert sorted(asked) == sorted(cell.id for cell in cells_of(toycells.SCENARIOS, 2))
    assert report.lines == (f"cells/{FIRST.id}.parquet: period 2: one patient too many",)


def test_results_read_the_same_when_moved_and_when_nothing_may_be_written(copy: Path, tmp_path: Path) -> None:
    moved = tmp_path / "King's results"
    copy.rename(moved)
    link = tmp_path / "link"
    link.symlink_to(moved)
    before = audit(link)
    for path in [moved, *moved.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert audit(moved) == before
    assert before.whole
    for path in [moved, *moved.rglob("*")]:
        path.chmod(0o755)


def test_audit_of_anything_else_says_so_and_is_not_whole(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing", Path(__file__)):
        report = audit(folder)
        assert not report.whole
        assert "run the experiment first" in report.lines[0]
