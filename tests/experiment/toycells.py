"""A small made-up experiment, run by the tests of store and runner; also a script that a test can kill."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from flowsim.engine.ledger import BOOKS as ALL_BOOKS
from flowsim.engine.network import Ints
from flowsim.errors import StoppedError as StoppedError
from flowsim.experiment.audit import audit, read_results
from flowsim.experiment.cellfile import CellFolder, CellWriter, VisitWriter
from flowsim.experiment.cells import Cell, CellOutcome, cells_of
from flowsim.experiment.runner import run_cells
from flowsim.experiment.store import Store

IDENTITY: dict[str, Any] = {"experiment": "toy", "model": "a" * 64, "seed": 7}
ABOUT: dict[str, Any] = {"python": "3"}
SCENARIOS = ["As now", "Gofal yn y gymuned"]
VISITS = pa.schema([pa.field("patient", pa.int64()), pa.field("unit", pa.string())])
BOOKS = ("in_use_ms", "arrivals", "wait_ms")
NUMBER = {book.name: number for number, book in enumerate(ALL_BOOKS)}


def number(cell: Cell, period: int, book: str, row: int) -> int:
    """A made-up ledger value that depends on its address only."""
    address = f"{cell.scenario}|{cell.replication}|{period}|{book}|{row}"
    return int.from_bytes(hashlib.sha256(address.encode()).digest()[:7], "little")


def page_of(entries: Iterable[tuple[int, str, int, int]]) -> Ints:
    """A page of the ledger from rows of (period, book, row, value)."""
    rows = [(period, NUMBER[book], row, value) for period, book, row, value in entries]
    return np.array(rows, np.int64).reshape(-1, 4)


def run_one(context: dict[str, Any], cell: Cell, folder: CellFolder) -> CellOutcome:
    """Writes a small ledger; `context` may ask for a pause a period, a death, an error or a stop."""
    if cell.id in context.get("stops", ()):
        return CellOutcome.stopped(cell, "gridlock: ward waits for\nA&E")
    if cell.id in context.get("fails", ()):
        raise ZeroDivisionError(cell.id)
    with CellWriter(folder, cell) as ledger:
        for period in range(context.get("periods", 6)):
            entries = [(period, book, row, number(cell, period, book, row)) for book in BOOKS for row in range(5)]
            ledger.write(page_of(entries))
            time.sleep(context.get("pause", 0))
            if period == 3 and cell.id in context.get("dies", ()):
                os.kill(os.getpid(), signal.SIGKILL)
            if period == 3 and (folder.path.parent / f"die-{cell.id}").exists():
                (folder.path.parent / f"die-{cell.id}").unlink()
                os.kill(os.getpid(), signal.SIGKILL)
    assert ledger.record is not None
    files = [ledger.record]
    if context.get("visits"):
        with VisitWriter(folder, cell, VISITS) as log:
            log.write(pa.record_batch([[1, 2], ["ward", None]], schema=VISITS))
        assert log.record is not None
        files.append(log.record)
    return CellOutcome.done(cell, ledger.digest, files)


def run(folder: Path, replications: int = 3, workers: int = 1, **context: Any) -> str:
    """Runs or resumes the experiment; returns the fingerprint."""
    with Store(folder, IDENTITY, ABOUT) as store:
        store.plan(SCENARIOS, replications)
        store.write_model("model.yaml", b"units: 3\n")
        run_cells(cells_of(SCENARIOS, replications), run_one, store, workers, context)
        store.write_extra("comparison.csv", b"scenario,mean\nas now,1\n")
    return read_results(folder).fingerprint


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def open_toy(folder: Path, **changes: Any) -> Store:
    return Store(folder, {**IDENTITY, **changes}, ABOUT)


if __name__ == "__main__" and sys.argv[1] == "audit":
    report = audit(Path(sys.argv[2]))
    print(report.fingerprint)
    sys.exit(0 if report.whole else 3)
elif __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), pause=float(sys.argv[4]))
